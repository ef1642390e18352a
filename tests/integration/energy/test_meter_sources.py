"""Meters are read over MQTT and Modbus TCP, by real connections, into the picture of the site."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from pilotwire.core.clock import utc_now
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.usecases.manage_meter_sources import set_source
from pilotwire.domain.identity.model import system_principal
from pilotwire.integrations.egress import read_policy
from pilotwire.integrations.meters import Fetcher
from pilotwire.jobs.meter_sources import MeterReader
from tests.support.broker import small_broker
from tests.support.edge import migrated_database
from tests.support.energy import EnergySite, energy_site
from tests.support.postgres import drop_database

SEAL = Seal(b"for tests")
TREE: dict[str, Any] = {
    "nodes": [
        {"id": "grid", "kind": "grid", "limit_a": 63, "metering": "total", "meter": "main", "base_a": 10}
    ],
    "generators": [{"id": "roof", "node_id": "grid", "peak_w": 20000, "meter": "sun"}],
    "offline": {"share": 0.3},
}


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@asynccontextmanager
async def reading(site: EnergySite, networks: str = "127.0.0.0/8") -> AsyncIterator[None]:
    edge = site.system.edge.edge
    fetcher = Fetcher(read_policy("", networks), utc_now)
    task = asyncio.create_task(MeterReader(edge.database, edge.bus, utc_now, fetcher, SEAL).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def fetch(site: EnergySite, meter: str, source: dict[str, Any], password: str = "") -> None:
    db = site.system.edge.edge.database
    await set_source(db, SEAL, system_principal(), UUID(site.id), meter, given=source, password=password)


async def meter(site: EnergySite, name: str, condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(90):
            while True:
                found = next(each for each in await site.ask("GET", "/meters") if each["name"] == name)
                if condition(found):
                    return found
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError((found, await site.ask("GET", "/meter-sources"))) from None


async def problem(site: EnergySite, word: str) -> None:
    shown: Any = None
    try:
        async with asyncio.timeout(90):
            while not any(word in each["error"] for each in shown or ()):
                shown = await site.ask("GET", "/meter-sources")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(shown) from None


async def test_mqtt_brings_readings_new_ones_only_and_comes_back(dsn: str) -> None:
    async with energy_site(dsn) as site, small_broker("pass word") as broker, reading(site):
        await site.put_tree(TREE)
        broker.retained["em/0"] = json.dumps({"a": [9, 9, 9]}).encode()
        phases = {f"current_l{n + 1}_a": {"path": f"em.a.{n}", "factor": 0.001} for n in range(3)}
        source = {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port, "username": "u", "topic": "em/0",
                  "values": phases}  # fmt: skip
        await fetch(site, "main", source, "wrong")
        await problem(site, "Not authorized")
        await fetch(site, "main", source, "pass word")
        await asyncio.wait_for(_listening(broker), 20)
        assert (await meter(site, "main", lambda _: True))["at"] is None, "a retained message has no age"
        await broker.publish("em/0", json.dumps({"em": {"a": [12000, 8000, -1000]}}).encode())
        found = await meter(site, "main", lambda each: each["at"] is not None)
        assert found["current_a"] == [12, 8, -1]
        await site.until(
            lambda s: s["nodes"][0]["phases"][0]["measured_a"] == 12 and s["nodes"][0]["trust"] == "fresh"
        )
        await broker.publish("em/0", b"no JSON")
        await problem(site, "no JSON")
        await asyncio.wait_for(_listening(broker), 20)
        broker.drop()
        await asyncio.sleep(0.5)
        await asyncio.wait_for(_listening(broker), 20)
        await broker.publish("em/0", json.dumps({"em": {"a": [5000, 0, 0]}}).encode())
        await meter(site, "main", lambda each: each["current_a"] == [5, 0, 0])
        await site.ask("DELETE", "/meters/main/source", expect=204)
        async with asyncio.timeout(90):
            while broker.listeners:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.05)


async def _listening(broker: Any) -> None:
    while not broker.listeners:  # noqa: ASYNC110 - the state of another task
        await asyncio.sleep(0.05)


def words(kind: str, value: float) -> list[int]:
    packed = struct.pack(f">{kind}", value)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


@asynccontextmanager
async def modbus_device(blocks: dict[int, list[int]]) -> AsyncIterator[int]:
    """A real Modbus TCP server with these holding registers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    data = [SimData(at, values=values, datatype=DataType.REGISTERS) for at, values in sorted(blocks.items())]
    server = ModbusTcpServer(SimDevice(id=1, simdata=data), address=("127.0.0.1", port))
    task = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0.3)
    try:
        yield port
    finally:
        await server.shutdown()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_modbus_registers_are_polled(dsn: str) -> None:
    blocks = {100: words("f", 3450.5), 200: list(reversed(words("i", -12_345))), 300: words("h", 51)}
    async with energy_site(dsn) as site, modbus_device(blocks) as port, reading(site):
        await site.put_tree(TREE)
        registers = {
            "power_w": {"address": 100, "type": "float32"},
            "current_l1_a": {"address": 200, "type": "int32", "words": "little", "factor": -0.001},
            "soc_percent": {"address": 300, "type": "int16"},
        }
        source = {"kind": "modbus", "host": "127.0.0.1", "port": port, "interval_s": 0.2}
        await fetch(site, "sun", {**source, "registers": registers})
        found = await meter(site, "sun", lambda each: each["at"] is not None)
        assert (found["power_w"], found["soc_percent"]) == (3450.5, 51)
        assert found["current_a"] == pytest.approx([12.35, 0, 0])
        await site.until(lambda s: s["flows"]["solar_w"] == 3450.5)
        await fetch(site, "sun", {**source, "registers": {"power_w": {"address": 9000}}})
        await problem(site, "does not give 1 holding registers from 9000")


async def test_a_sunspec_inverter_says_itself_where_its_power_is(dsn: str) -> None:
    points = [0xFFFF] * 50
    points[1:5] = [105, 104, 0xFFFF, 0xFFFF]  # A, with a scale of 0.1; phase C is not there
    points[12:14] = [7420, 0]
    common = [1, 66, *([0x2020] * 66)]
    blocks = {40_000: [0x5375, 0x6E53, *common, 103, 50, *points, 0xFFFF, 0]}
    async with energy_site(dsn) as site, modbus_device(blocks) as port, reading(site):
        await site.put_tree(TREE)
        await fetch(
            site,
            "sun",
            {"kind": "modbus", "host": "127.0.0.1", "port": port, "interval_s": 0.2, "sunspec": True},
        )
        found = await meter(site, "sun", lambda each: each["at"] is not None)
        assert found["power_w"] == 7420
        assert found["current_a"] == pytest.approx([10.5, 10.4, 0])


async def test_addresses_that_may_not_be_asked_are_not(dsn: str) -> None:
    async with energy_site(dsn) as site, small_broker() as broker, reading(site, networks="10.0.0.0/8"):
        await site.put_tree(TREE)
        values = {"power_w": {"path": "p"}}
        given = {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port, "topic": "x", "values": values}
        await fetch(site, "main", given)
        await problem(site, "not a public address")
        assert broker.seen == []


async def test_sources_that_make_no_sense_are_refused(dsn: str) -> None:
    async with energy_site(dsn) as site:
        await site.put_tree(TREE)
        mqtt = {"kind": "mqtt", "host": "h", "topic": "t", "values": {"power_w": {}}}
        for wrong in (
            {"kind": "telepathy"}, {**mqtt, "values": {}}, {**mqtt, "values": {"volts": {}}}, {**mqtt, "topic": "#/x"},
            {"kind": "modbus", "host": "h"}, {"kind": "modbus", "host": "a b", "sunspec": True},
        ):  # fmt: skip
            await site.ask("PUT", "/meters/main/source", {"source": wrong}, expect=422)
        await site.ask("PUT", "/meters/attic/source", {"source": mqtt}, expect=404)
        await site.ask("DELETE", "/meters/main/source", expect=404)
