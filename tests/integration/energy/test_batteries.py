"""Batteries do what they are told over real Modbus TCP, MQTT and HTTP; what they do not deliver is not counted."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sunspec2
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from pilotwire.core.clock import utc_now
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.battery_controls import ControlFailed, Rating, read_control
from pilotwire.domain.energy.usecases.manage_batteries import set_control
from pilotwire.domain.energy.usecases.manage_meter_sources import set_source
from pilotwire.domain.identity.model import system_principal
from pilotwire.integrations.asking import HttpAsker
from pilotwire.integrations.batteries import BatteryDesk
from pilotwire.integrations.egress import read_policy
from pilotwire.integrations.meters import Fetcher
from pilotwire.jobs.batteries import BatterySteerer
from pilotwire.jobs.meter_sources import MeterReader
from pilotwire.simulator.storage import Storage, serve_storage
from tests.support.broker import small_broker
from tests.support.edge import migrated_database
from tests.support.energy import EnergySite, energy_site
from tests.support.operations import eventually
from tests.support.postgres import drop_database
from tests.support.receiver import receiver
from tests.support.site_plant import plant_at, site_plant

SEAL = Seal(b"for tests")
POLICY = read_policy("", "127.0.0.0/8")
RATING = Rating(11_000, 11_000)
FUSE_A = 16.0


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def tree(**battery: Any) -> dict[str, Any]:
    return {
        "nodes": [{"id": "main", "kind": "grid", "limit_a": FUSE_A, "metering": "total", "meter": "main"}],
        "evses": [
            {"station_id": "CP-A", "evse_id": number, "node_id": "main", "max_a": 16} for number in (1, 2)
        ],
        "batteries": [
            {
                "id": "store", "node_id": "main", "capacity_wh": 20_000, "max_charge_w": 11_000,
                "max_discharge_w": 11_000, "meter": "store", **battery,
            }
        ],
        "offline": {"share": 0.3},
    }  # fmt: skip


@asynccontextmanager
async def working(*jobs: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def steering(site: EnergySite, asker: HttpAsker) -> AsyncIterator[None]:
    """Read the site's meters and steer its batteries."""
    edge = site.system.edge.edge
    reader = MeterReader(edge.database, edge.bus, utc_now, Fetcher(POLICY, utc_now), SEAL)
    desk = BatteryDesk(POLICY, asker)
    steerer = BatterySteerer(edge.database, edge.bus, utc_now, desk, SEAL, edge.energy.sites)
    async with working(reader, steerer):
        yield


async def connect(site: EnergySite, port: int, **control: Any) -> None:
    database, principal, site_id = site.system.edge.edge.database, system_principal(), UUID(site.id)
    device = {"host": "127.0.0.1", "port": port}
    source = {"kind": "modbus", "sunspec": True, "interval_s": 0.3, **device}
    await set_source(database, SEAL, principal, site_id, "store", given=source)
    given = {"kind": "sunspec", "interval_s": 0.5, "silent_after_s": 4, **device, **control}
    await set_control(database, SEAL, principal, site_id, "store", given=given)


def the_battery(shown: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shown["batteries"][0]
    return found


async def test_a_battery_lets_cars_have_more_than_the_fuse_and_only_what_it_delivers_counts(dsn: str) -> None:
    storage = Storage(20_000, 11_000, soc_percent=60)
    port, asker = free_port(), HttpAsker(POLICY)
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site, serve_storage(storage, port):
        await site.put_tree(tree())
        plant = plant_at(site, FUSE_A, base_a=2.0, storage=storage)
        async with site_plant(plant), steering(site, asker):
            await connect(site, port)
            await site.until(lambda s: the_battery(s)["state"] in ("following", "free", "sending"))
            for number in (1, 2):
                await site.charge("CP-A", number)
            # 2 A besides two cars of 16 A: the fuse bears 16 A, the battery gives the rest.
            live = await site.until(lambda s: sum(max(e["drawn_a"] or [0]) for e in s["evses"]) > 24)
            assert the_battery(live)["why"] in ("buffer", "plan")
            live = await site.until(lambda s: the_battery(s)["state"] == "following")
            assert the_battery(live)["power_w"] > 5_000
            assert storage.revert_s == 4
            assert plant.peak_a <= FUSE_A * 1.1, plant.peak_a
            # It still says yes to every order, and does nothing: within ten seconds the fuse has what it bears.
            plant.forget()
            storage.ignores = True
            await site.until(lambda s: sum(max(e["drawn_a"] or [0]) for e in s["evses"]) < FUSE_A - 1.5)
            assert plant.longest_over_s < 10, plant.longest_over_s
            await site.until(lambda s: the_battery(s)["state"] == "ignoring")
            await site.until(lambda s: max(plant.now_a) <= FUSE_A * 1.005 + 0.05)
            assert plant.longest_over_s < 10, plant.longest_over_s
        # The server has gone: it set the battery free, and what it told holds no longer than it said.
        assert storage.commanded_w() is None
    await asker.close()


async def test_a_battery_charges_only_as_far_as_the_fuse_leaves_room_and_is_free_when_nobody_speaks(
    dsn: str,
) -> None:
    storage = Storage(20_000, 11_000, soc_percent=10)
    port, asker = free_port(), HttpAsker(POLICY)
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site, serve_storage(storage, port):
        described = tree()
        # So cheap for the next hours that the plan fills the battery.
        described["contract"] = {
            "price_per_kwh": 0.9, "hours": [{"price_per_kwh": 0.9}],
        }  # fmt: skip
        await site.put_tree(described)
        await site.system.edge.edge.database.service.execute(
            "INSERT INTO energy_series (tenant_id, site_id, kind, starts_at, ends_at, source, value)"
            " VALUES (1, $1, 'price', now() - interval '1 hour', now() + interval '2 hours', 'test', 0.01)",
            UUID(site.id),
        )
        plant = plant_at(site, FUSE_A, base_a=9.0, storage=storage)
        async with site_plant(plant), steering(site, asker):
            await connect(site, port)
            live = await site.until(lambda s: (the_battery(s)["power_w"] or 0) < -500)
            assert (the_battery(live)["planned_w"] or 0) < -1_000
            plant.disturb(base_a=13.0)
            await site.until(lambda s: (the_battery(s)["power_w"] or 0) > -2_200)
            assert plant.longest_over_s < 10, plant.longest_over_s
            # The battery's own meter falls silent: it is set free, and does nothing by itself.
            await site.ask("DELETE", "/meters/store/source", expect=204)
            plant.forget()
        assert storage.commanded_w() is None
        assert plant.peak_a <= FUSE_A * 1.1
    await asker.close()


@asynccontextmanager
async def told_by(
    control: dict[str, Any], *, password: str = ""
) -> AsyncIterator[asyncio.Queue[float | None]]:
    """Follow set points from a queue with the real desk."""
    wanted: asyncio.Queue[float | None] = asyncio.Queue()
    asker = HttpAsker(POLICY)
    desk = BatteryDesk(POLICY, asker)
    task = asyncio.create_task(
        desk.follow(read_control(control), RATING, password, wanted.get, lambda _: None)
    )
    try:
        yield wanted
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ControlFailed):
            await task
        await asker.close()


async def test_the_simulated_battery_is_what_sunspec_says_it_is() -> None:
    """The SunSpec Alliance's own client reads it by the official model definitions."""
    storage, port = Storage(20_000, 11_000, soc_percent=42.5), free_port()

    def look() -> tuple[dict[Any, Any], float, float, float]:
        device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=10)
        try:
            device.scan()
            store, inverter = device.models[124][0], device.models[103][0]
            return device.models, store.ChaState.cvalue, store.WChaMax.cvalue, inverter.W.cvalue
        finally:
            device.disconnect()

    storage.step(0.1, otherwise_w=4_000)
    async with serve_storage(storage, port):
        models, soc, most_w, power_w = await asyncio.to_thread(look)
    assert {1, 103, 124} <= models.keys()
    assert (round(soc, 1), most_w, power_w) == (42.5, 11_000, 4_000)


async def test_orders_over_sunspec_have_a_timer_and_end_with_the_conversation() -> None:
    storage, port = Storage(20_000, 22_000), free_port()
    control = {"kind": "sunspec", "host": "127.0.0.1", "port": port, "silent_after_s": 20}
    async with serve_storage(storage, port):
        async with told_by(control) as wanted:
            for power_w in (5_500.0, -7_700.0, 0.0):
                await wanted.put(power_w)
                await eventually(lambda power_w=power_w: storage.commanded_w() == pytest.approx(power_w))
            # The battery could give 22 kW; the site says that it may give 11.
            await wanted.put(20_000.0)
            await eventually(lambda: storage.commanded_w() == pytest.approx(11_000))
            assert storage.revert_s == 20
            await wanted.put(None)
            await eventually(lambda: storage.commanded_w() is None)
            await wanted.put(2_200.0)
            await eventually(lambda: storage.commanded_w() == pytest.approx(2_200))
        assert storage.commanded_w() is None


async def test_a_battery_that_hears_nothing_any_more_falls_back_by_itself() -> None:
    now = [0.0]
    storage, port = Storage(20_000, 10_000, monotonic=lambda: now[0]), free_port()
    control = {"kind": "sunspec", "host": "127.0.0.1", "port": port, "silent_after_s": 30}
    async with serve_storage(storage, port), told_by(control) as wanted:
        await wanted.put(5_000.0)
        await eventually(lambda: storage.commanded_w() == 5_000)
        now[0] = 29.0
        assert storage.commanded_w() == 5_000
        now[0] = 31.0
        assert storage.commanded_w() is None


async def test_the_active_power_set_point_of_model_704() -> None:
    """A device whose registers are laid out by the official definition of the model."""
    definition = json.loads((Path(sunspec2.__file__).parent / "models/json/model_704.json").read_text())
    place, places = 0, {}
    for point in definition["group"]["points"]:
        places[point["name"]] = (place, point["size"])
        place += point["size"]
    model = [0] * place
    model[0], model[1] = 704, place - 2
    model[places["WSet_SF"][0]] = 1
    port, base = free_port(), 40_000
    data = [SimData(base, values=[0x5375, 0x6E53, *model, 0xFFFF, 0], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(id=1, simdata=data), address=("127.0.0.1", port))

    async def read(name: str) -> int:
        at, size = places[name]
        words = await registers(port, 1, base + 2 + at, size)
        return int.from_bytes(b"".join(each.to_bytes(2, "big") for each in words), "big", signed=size == 2)

    async with serving(server):
        control = {"kind": "sunspec", "host": "127.0.0.1", "port": port, "silent_after_s": 90}
        async with told_by(control) as wanted:
            await wanted.put(-4_000.0)
            await wait_for(lambda: read("WSetEna"), 1)
            names = ("WSet", "WSetMod", "WSetRvrtTms", "WSetEnaRvrt")
            assert [await read(name) for name in names] == [-400, 1, 90, 0]
        assert await read("WSetEna") == 0


async def test_a_register_of_its_own() -> None:
    port = free_port()
    data = [SimData(100, values=[0] * 10, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(id=3, simdata=data), address=("127.0.0.1", port))
    control = {
        "kind": "modbus", "host": "127.0.0.1", "port": port, "unit": 3, "before": {"100": 7},
        "register": {"address": 104, "type": "int32", "words": "little", "factor": -1},
    }  # fmt: skip
    async with serving(server), told_by(control) as wanted:
        await wanted.put(1_500.0)
        await wait_for(lambda: registers(port, 3, 104, 2), [0x10000 - 1_500, 0xFFFF])
        assert await registers(port, 3, 100, 1) == [7]


async def test_set_points_over_mqtt() -> None:
    async with small_broker() as broker:
        broker.password = "secret"
        control = {
            "kind": "mqtt", "host": "127.0.0.1", "port": broker.port, "username": "pilotwire", "topic": "store/set",
            "field": "kw", "factor": 1000, "silent_after_s": 40,
        }  # fmt: skip
        async with told_by(control, password="secret") as wanted:
            await wanted.put(2_500.0)
            await eventually(lambda: broker.published)
            assert broker.published[0][0] == "store/set"
            assert json.loads(broker.published[0][1]) == {"kw": 2.5, "valid_s": 40}
        await eventually(lambda: len(broker.published) == 2)
        assert json.loads(broker.published[1][1]) == {"kw": None, "valid_s": 40}
        plain = {**control, "field": "", "factor": 1}
        async with told_by(plain, password="secret") as wanted:
            await wanted.put(-2_500.0)
            await eventually(lambda: len(broker.published) == 3)
            assert broker.published[2][1] == b"-2500"


async def test_set_points_over_http() -> None:
    async with receiver() as http:
        async with told_by({"kind": "http", "url": http.url}, password="token") as wanted:
            await wanted.put(-800.0)
            got = await http.wait_for(1)
            assert got[0].json == {"power_w": -800, "valid_s": 60}
            assert got[0].headers["authorization"] == "Bearer token"
        assert (await http.wait_for(2))[1].json["power_w"] is None


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ({"kind": "sunspec", "host": "192.168.1.1"}, "not allowed"),
        ({"kind": "sunspec", "host": "127.0.0.1", "port": 1}, "does not answer"),
        ({"kind": "http", "url": "http://127.0.0.1:1/x"}, "Connect"),
        ({"kind": "mqtt", "host": "127.0.0.1", "port": 1, "topic": "a"}, "Error"),
    ],
)
async def test_what_is_wrong_is_said(control: dict[str, Any], words: str) -> None:
    async def zero() -> float:
        return 0.0

    asker = HttpAsker(POLICY)
    with pytest.raises(ControlFailed, match=words):
        await BatteryDesk(POLICY, asker).follow(read_control(control), RATING, "", zero, lambda _: None)
    await asker.close()


async def test_controls_are_kept_and_those_with_faults_are_refused(dsn: str) -> None:
    faults: list[tuple[dict[str, Any], str]] = [
        ({"kind": "sunspec"}, "host"),
        ({"kind": "sunspec", "host": "a", "silent_after_s": 5}, "at least twice"),
        ({"kind": "mqtt", "host": "a", "topic": "a/#"}, "topic"),
        ({"kind": "http", "url": "http://a.example", "factor": 0}, "factor"),
    ]
    async with energy_site(dsn) as site:
        await site.put_tree({"nodes": tree()["nodes"], "batteries": tree()["batteries"]})
        path = "/energy/batteries/store/control"
        for control, words in faults:
            refused = await site.ask("PUT", path, {"control": control}, expect=422)
            assert words in refused["detail"], refused
        good = {"control": {"kind": "sunspec", "host": "10.0.0.9"}}
        await site.ask("PUT", "/energy/batteries/other/control", good, expect=404)
        made = await site.ask("PUT", path, good)
        assert (made["battery"], made["control"]["silent_after_s"]) == ("store", 60)
        assert len(await site.ask("GET", "/energy/batteries")) == 1
        await site.ask("DELETE", path, expect=204)
        assert await site.ask("GET", "/energy/batteries") == []


@asynccontextmanager
async def serving(server: ModbusTcpServer) -> AsyncIterator[None]:
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def registers(port: int, unit: int, at: int, count: int) -> list[int]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    answer = await client.read_holding_registers(at, count=count, device_id=unit)
    client.close()
    return list(answer.registers)


async def wait_for(look: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    found: Any = None
    async with asyncio.timeout(60):
        while found != wanted:
            await asyncio.sleep(0.1)
            found = await look()
