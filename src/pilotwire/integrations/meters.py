"""Fetching readings over MQTT and Modbus TCP, from addresses that the egress policy allows."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import aiomqtt
import certifi
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from pilotwire.core.clock import Clock
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.meter_sources import (
    MeterSource,
    ModbusSource,
    MqttSource,
    SourceFailed,
    read_json,
    reading_of,
)
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.modbus import read_registers
from pilotwire.integrations.sunspec import find_model, list_models, read_charge, read_model

__all__ = ["Fetcher"]

Take = Callable[[Reading], Awaitable[None]]
_PATIENCE_S = 10.0


class Fetcher:
    """Follows sources; each by a connection of its own."""

    def __init__(self, policy: EgressPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    async def follow(self, source: MeterSource, password: str, take: Take) -> None:
        """Hand over every reading until cancelled.

        Raises: SourceFailed when it cannot go on.
        """
        try:
            if isinstance(source, MqttSource):
                await self._subscribe(source, password, take)
            else:
                await self._poll(source, take)
        except EgressRefused as error:
            raise SourceFailed(f"not allowed: {error}") from error
        except (aiomqtt.MqttError, ModbusException, OSError, TimeoutError) as error:
            raise SourceFailed(f"{type(error).__name__}: {error}"[:300]) from error

    async def _subscribe(self, source: MqttSource, password: str, take: Take) -> None:
        address = await self._address(source.host, source.port, tls=source.tls)
        context = None
        if source.tls:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
        client = aiomqtt.Client(
            # Over TLS the name proves itself, so it may be asked for again.
            source.host if source.tls else address,
            source.port,
            username=source.username or None,
            password=password or None,
            tls_context=context,
            timeout=_PATIENCE_S,
            keepalive=30,
            max_queued_incoming_messages=1000,
        )
        async with client:
            await client.subscribe(source.topic, qos=0)
            async for message in client.messages:
                if message.retain or not isinstance(message.payload, bytes | bytearray):
                    continue
                found = read_json(bytes(message.payload), source.values)
                await take(reading_of(found, self._clock()))

    async def _poll(self, source: ModbusSource, take: Take) -> None:
        address = await self._address(source.host, source.port, tls=False)
        client = AsyncModbusTcpClient(address, port=source.port, timeout=_PATIENCE_S / 2, retries=1)
        client.comm_params.reconnect_delay = 0.0
        if not await client.connect():
            raise SourceFailed(f"{source.host}:{source.port} does not answer")
        try:
            models = await list_models(client, source.unit) if source.sunspec else []
            model = find_model(models) if source.sunspec else None
            while True:
                if model is not None:
                    found = await read_model(client, source.unit, model)
                    found = {name: number * source.sunspec_factor for name, number in found.items()}
                    found |= await read_charge(client, source.unit, models)
                else:
                    found = await read_registers(client, source.unit, source.registers)
                await take(reading_of(found, self._clock()))
                await asyncio.sleep(source.interval_s)
        finally:
            client.close()

    async def _address(self, host: str, port: int, *, tls: bool) -> str:
        """Check a host as if it were asked by HTTP: what is not encrypted is for private networks that are allowed."""
        name = f"[{host}]" if ":" in host else host
        parts = self._policy.check(f"{'https' if tls else 'http'}://{name}:{port}/")
        address, _ = await self._policy.resolve(parts)
        return str(address)
