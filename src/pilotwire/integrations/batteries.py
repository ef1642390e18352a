"""Telling stationary batteries their set points: SunSpec and plain registers over Modbus TCP, MQTT, HTTP.

Spec: SunSpec models 124 (storage control) and 704 (DER AC controls, active power set point with its revert timer).
"""

import abc
import asyncio
import math
import ssl
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiomqtt
import certifi
import msgspec
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from pilotwire.domain.energy.battery_controls import (
    BatteryControl,
    ControlFailed,
    HttpControl,
    ModbusControl,
    MqttControl,
    NextSetPoint,
    Rating,
    SunSpecControl,
)
from pilotwire.domain.energy.meter_sources import SourceFailed
from pilotwire.integrations.asking import AskFailed, HttpAsker
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.modbus import decode, read_block
from pilotwire.integrations.sunspec import Model, list_models

__all__ = ["BatteryDesk"]

Told = Callable[[float | None], None]
_PATIENCE_S = 10.0
# Places in model 124, behind its length.
_MOST_124, _MODE, _RATES, _REVERT_124 = 0, 3, 10, 13
_MOST_SCALE_124, _RATE_SCALE = 16, 23
_CHARGE_AND_DISCHARGE = 3
# Places in model 704.
_ENABLE, _SET_MODE, _SET, _REVERT_ENABLE, _REVERT_704, _SET_SCALE = 20, 21, 22, 28, 29, 53
_WATTS = 1
_NONE_S, _NONE_U = 0x8000, 0xFFFF


class BatteryDesk:
    """Speaks to batteries; each by a connection of its own."""

    def __init__(self, policy: EgressPolicy, asker: HttpAsker) -> None:
        self._policy = policy
        self._asker = asker

    async def follow(
        self, control: BatteryControl, rating: Rating, password: str, following: NextSetPoint, told: Told
    ) -> None:
        """Tell a battery every set point until cancelled; at the end it is set free.

        Raises: ControlFailed when it cannot go on.
        """
        try:
            match control:
                case MqttControl():
                    await self._publish(control, password, following, told)
                case HttpControl():
                    await self._put(control, password, following, told)
                case _:
                    await self._write(control, rating, following, told)
        except EgressRefused as error:
            raise ControlFailed(f"not allowed: {error}") from error
        except (AskFailed, SourceFailed) as error:
            raise ControlFailed(str(error)) from error
        except (aiomqtt.MqttError, ModbusException, OSError, TimeoutError) as error:
            raise ControlFailed(f"{type(error).__name__}: {error}"[:300]) from error

    # Modbus

    async def _write(
        self, control: SunSpecControl | ModbusControl, rating: Rating, following: NextSetPoint, told: Told
    ) -> None:
        address = await self._address(control.host, control.port, tls=False)
        client = AsyncModbusTcpClient(address, port=control.port, timeout=_PATIENCE_S / 2, retries=1)
        client.comm_params.reconnect_delay = 0.0
        if not await client.connect():
            raise ControlFailed(f"{control.host}:{control.port} does not answer")
        device: _Device | _Register
        try:
            if isinstance(control, SunSpecControl):
                device = await _device_of(client, control)
            else:
                device = _Register(client, control)
            try:
                while True:
                    power_w = await following()
                    if power_w is None:
                        await device.free()
                    else:
                        await device.hold(min(max(power_w, -rating.max_charge_w), rating.max_discharge_w))
                    told(power_w)
            except asyncio.CancelledError:
                # Best effort: what is not set free falls back by its own timer.
                with suppress(ControlFailed, ModbusException, OSError, TimeoutError):
                    async with asyncio.timeout(2):
                        await device.free()
                raise
        finally:
            client.close()

    # MQTT

    async def _publish(
        self, control: MqttControl, password: str, following: NextSetPoint, told: Told
    ) -> None:
        address = await self._address(control.host, control.port, tls=control.tls)
        context = None
        if control.tls:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
        client = aiomqtt.Client(
            # Over TLS the name proves itself, so it may be asked for again.
            control.host if control.tls else address,
            control.port,
            username=control.username or None,
            password=password or None,
            tls_context=context,
            timeout=_PATIENCE_S,
            keepalive=30,
        )
        async with client:
            try:
                while True:
                    power_w = await following()
                    await client.publish(control.topic, _payload(control, power_w), qos=0)
                    told(power_w)
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError, TimeoutError):
                    async with asyncio.timeout(2):
                        await client.publish(control.topic, _payload(control, None), qos=0)
                raise

    # HTTP

    async def _put(self, control: HttpControl, password: str, following: NextSetPoint, told: Told) -> None:
        async def ask(power_w: float | None) -> None:
            body = _fields(control, power_w)
            await self._asker.ask(control.method, control.url, token=password, body=body, wants_json=False)

        try:
            while True:
                power_w = await following()
                await ask(power_w)
                told(power_w)
        except asyncio.CancelledError:
            with suppress(AskFailed, TimeoutError):
                async with asyncio.timeout(2):
                    await ask(None)
            raise

    async def _address(self, host: str, port: int, *, tls: bool) -> str:
        """Check a host as if it were asked by HTTP: what is not encrypted is for private networks that are allowed."""
        name = f"[{host}]" if ":" in host else host
        parts = self._policy.check(f"{'https' if tls else 'http'}://{name}:{port}/")
        address, _ = await self._policy.resolve(parts)
        return str(address)


def _fields(control: MqttControl | HttpControl, power_w: float | None) -> dict[str, float | None]:
    """Say a set point; null sets free."""
    value = None if power_w is None else power_w / control.factor
    return {control.field: value, "valid_s": control.silent_after_s}


def _payload(control: MqttControl, power_w: float | None) -> bytes:
    if control.field:
        return msgspec.json.encode(_fields(control, power_w))
    # A bare number cannot say that nothing is wanted: 0 is the nearest to it.
    return f"{(power_w or 0.0) / control.factor:.0f}".encode()


async def _write_block(client: AsyncModbusTcpClient, unit: int, address: int, values: Sequence[int]) -> None:
    if len(values) == 1:
        answer = await client.write_register(address, values[0], device_id=unit)
    else:
        answer = await client.write_registers(address, list(values), device_id=unit)
    if answer.isError():
        raise ControlFailed(f"the device does not take registers from {address}: {answer}"[:300])


async def _device_of(client: AsyncModbusTcpClient, control: SunSpecControl) -> "_Device":
    models = {model.number: model for model in await list_models(client, control.unit)}
    if 124 in models:
        return _Storage(client, control, models[124])
    if 704 in models:
        return _ActivePower(client, control, models[704])
    seen = ", ".join(map(str, models)) or "none"
    raise ControlFailed(f"the device has neither the SunSpec model 124 nor 704, only {seen}")


@dataclass
class _Device(abc.ABC):
    """A device that takes set points by one of its models."""

    client: AsyncModbusTcpClient
    control: SunSpecControl
    model: Model

    @abc.abstractmethod
    async def hold(self, power_w: float) -> None:
        """Make it do what is wanted, for a time."""

    @abc.abstractmethod
    async def free(self) -> None:
        """Let it do as it likes."""

    async def write(self, place: int, *values: int) -> None:
        """Write points of the model."""
        await _write_block(self.client, self.control.unit, self.model.address + place, values)

    async def point(self, place: int) -> int:
        """Read a point of the model."""
        return (await read_block(self.client, self.control.unit, self.model.address + place, 1))[0]


class _Storage(_Device):
    """Model 124: the windows of charging and discharging are narrowed to one power, the lower edge by a negative rate."""

    async def hold(self, power_w: float) -> None:
        most, scale = await self.point(_MOST_124), await self.point(_MOST_SCALE_124)
        rate_scale = await self.point(_RATE_SCALE)
        if most in (0, _NONE_U) or _NONE_S in (scale, rate_scale):
            raise ControlFailed("model 124 does not tell what 100 % is (WChaMax and its scales)")
        full_w = most * 10.0 ** _signed(scale)
        rate = round(min(max(power_w / full_w * 100, -100.0), 100.0) / 10.0 ** _signed(rate_scale))
        if not -0x7FFF <= rate <= 0x7FFF:
            raise ControlFailed(f"a rate of {rate} does not fit the scale of model 124")
        # First the timer: an order without one must never stand alone.
        if await self.point(_REVERT_124) != _NONE_U:
            await self.write(_REVERT_124, math.ceil(self.control.silent_after_s))
        await self.write(_RATES, rate & 0xFFFF, -rate & 0xFFFF)
        await self.write(_MODE, _CHARGE_AND_DISCHARGE)

    async def free(self) -> None:
        await self.write(_MODE, 0)


class _ActivePower(_Device):
    """Model 704: the set point in W, off again when its timer has run out."""

    async def hold(self, power_w: float) -> None:
        scale = await self.point(_SET_SCALE)
        value = round(power_w / 10.0 ** (0 if scale == _NONE_S else _signed(scale)))
        high, low = struct.unpack(">HH", struct.pack(">i", value))
        seconds = math.ceil(self.control.silent_after_s)
        await self.write(_REVERT_ENABLE, 0)
        await self.write(_REVERT_704, seconds >> 16, seconds & 0xFFFF)
        await self.write(_SET_MODE, _WATTS, high, low)
        await self.write(_ENABLE, 1)

    async def free(self) -> None:
        await self.write(_ENABLE, 0)


@dataclass
class _Register:
    """A device that takes the set point in a register of its own; to set it free is to tell it 0."""

    client: AsyncModbusTcpClient
    control: ModbusControl

    async def hold(self, power_w: float) -> None:
        """Write the set point, after what is to be written ahead of it."""
        control, register = self.control, self.control.register
        for address, value in control.before.items():
            await _write_block(self.client, control.unit, int(address), [value])
        number = power_w / register.factor
        form, count = {"int16": (">h", 1), "int32": (">i", 2), "float32": (">f", 2)}[register.type]
        try:
            packed = struct.pack(form, number if register.type == "float32" else round(number))
        except struct.error as error:
            raise ControlFailed(f"{number:.0f} does not fit the register: {error}") from error
        words = list(struct.unpack(f">{count}H", packed))
        if register.words == "little":
            words.reverse()
        await _write_block(self.client, control.unit, register.address, words)

    async def free(self) -> None:
        """Tell it 0."""
        await self.hold(0.0)


def _signed(word: int) -> int:
    return int(decode([word], "int16"))
