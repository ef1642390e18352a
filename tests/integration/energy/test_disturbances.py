"""Whatever happens at a site, ten seconds later its fuse bears what it may: a real server, stations of all kinds."""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilotwire.core.clock import utc_now
from pilotwire.simulator.car import Car
from pilotwire.simulator.evse import Evse
from pilotwire.simulator.profiles import UNLIMITED, Limit
from pilotwire.simulator.station import Station
from tests.support.depot import Kind, depot
from tests.support.edge import migrated_database
from tests.support.modbus_meter import modbus_meter
from tests.support.operations import eventually
from tests.support.postgres import drop_database
from tests.support.simulator_rig import MODEL, TOKEN
from tests.support.site_plant import SitePlant, site_plant

FUSE_A = 63.0
BASE_A = 30.0
"""The most that is declared for other loads."""
STEPS_A = (0.0, 6.0, 10.0, 16.0)
SMALL = replace(MODEL, name="Small", ac_current_a=8.0)


def ignores(station: Station) -> None:
    """It accepts every profile and does nothing about it."""
    station.limit_for = lambda evse: UNLIMITED  # type: ignore[method-assign]


def rejects(station: Station) -> None:
    """It has no room for any profile."""
    station.device.set("profiles", "0")


def rounds(to_a: Callable[[float], float]) -> Callable[[Station], None]:
    """It does not take currents as they are given."""

    def change(station: Station) -> None:
        exactly = station.limit_for

        def limit_for(evse: Evse) -> Limit:
            limit = exactly(evse)
            current, power = limit.current_a, limit.power_w
            if current is None and power is not None:
                current = power / 690.0
            return limit if current is None else Limit(to_a(current), None, limit.phases)

        station.limit_for = limit_for  # type: ignore[method-assign]

    return change


def whole_amps(current: float) -> float:
    return float(math.ceil(current - 1e-6))


def next_step(current: float) -> float:
    return min((step for step in STEPS_A if step >= current - 1e-6), default=STEPS_A[-1])


KINDS = (
    Kind("PLAIN-201", "2.0.1", evses=2),
    Kind("PLAIN-16", "1.6"),
    Kind("PLAIN-21", "2.1"),
    Kind("WHOLE-16", "1.6", change=rounds(whole_amps)),
    Kind("STEPS-21", "2.1", change=rounds(next_step)),
    Kind("DEAF-201", "2.0.1", change=ignores),
    Kind("NO-21", "2.1", max_a=8, change=rejects),
)


def tree() -> dict[str, Any]:
    main = {
        "id": "main",
        "kind": "grid",
        "limit_a": FUSE_A,
        "metering": "total",
        "meter": "main",
        "base_a": BASE_A,
    }
    return {
        "nodes": [main],
        "evses": [
            {"station_id": kind.name, "evse_id": number, "node_id": "main", "max_a": kind.max_a}
            for kind in KINDS
            for number in range(1, kind.evses + 1)
        ],
        "offline": {"share": 0.4},
    }  # fmt: skip


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_fuse_bears_what_it_may_ten_seconds_after_whatever_happens(
    dsn: str, tmp_path: Path
) -> None:
    async with depot(dsn, tmp_path, KINDS, tree(), base_a=22.0, solar_a=20.0) as here:
        site, plant = here.site, here.plant
        await site.until(lambda s: all(e["drive"] in ("idle", "rejecting") for e in s["evses"]))
        assert (await site.live())["by_key"]["NO-21/1"]["drive"] == "rejecting"

        # Cars plug in until all want more than the fuse bears; the last but one where every limit is ignored.
        for name, model in (("PLAIN-201", MODEL), ("WHOLE-16", MODEL), ("PLAIN-16", MODEL), ("NO-21", SMALL)):
            await site.charge(name, 1, model=model)
        await here.within_the_fuse()
        plant.forget()
        await site.charge("STEPS-21", 1)
        await here.within_the_fuse()
        await here.is_used(19.0)
        plant.forget()
        await site.charge("DEAF-201", 1, model=replace(MODEL, ac_current_a=10.0))
        await eventually(lambda: "DEAF-201/1" in here.charging())
        await here.within_the_fuse()
        plant.forget()
        await site.charge("PLAIN-21", 1)
        await here.within_the_fuse()
        assert {"NO-21/1", "DEAF-201/1"} < here.charging(), here.charging()

        # The sun goes.
        await here.is_used(19.0)
        plant.disturb(solar_a=0.0)
        await here.within_the_fuse()
        assert plant.peak_a > FUSE_A
        await eventually(lambda: len(here.charging()) >= 3, 90)
        # Something else at the site is switched on.
        plant.disturb(base_a=BASE_A)
        await here.within_the_fuse()
        await eventually(lambda: len(here.charging()) >= 3, 90)

        # The idle place keeps what it may draw by itself, also from those that were found to take more than they are told.
        kept_a = (await site.live())["by_key"]["PLAIN-201/2"]["offline_bound_a"]
        assert kept_a >= 6
        await eventually(lambda: max(plant.now_a) <= FUSE_A - kept_a + 0.3, 60)
        # The server dies; stations go on with what they were told, and a car comes meanwhile.
        plant.forget()
        await here.server.kill()
        station = site.stations["PLAIN-201"]
        station.device.set("offline_unknown", "true")
        await eventually(lambda: not station.link.is_open)
        station.plug_in(2, Car(MODEL, soc_percent=20.0))
        assert await station.present_token(2, TOKEN)
        await eventually(lambda: "PLAIN-201/2" in here.charging())
        await here.within_the_fuse()
        await here.start_again()
        await site.until(lambda s: s["by_key"]["PLAIN-201/2"]["connected"])
        await here.within_the_fuse()

        # Better times: there is more for those who wait.
        before = len(here.charging())
        plant.disturb(base_a=2.0)
        await eventually(lambda: len(here.charging()) > before and max(plant.now_a) > 0.6 * FUSE_A, 120)
        await here.within_the_fuse()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_silent_meter_lets_nobody_take_more(dsn: str, tmp_path: Path) -> None:
    async with depot(dsn, tmp_path, KINDS, tree(), base_a=12.0, solar_a=0.0) as here:
        site, plant = here.site, here.plant
        await site.until(lambda s: all(e["drive"] in ("idle", "rejecting") for e in s["evses"]))
        for name in ("PLAIN-201", "PLAIN-16", "WHOLE-16"):
            await site.charge(name, 1)
        await here.is_used(17.0)
        plant.forget()
        plant.meter_speaks = False
        await site.until(lambda s: s["nodes"][0]["trust"] == "frozen")
        before = {e["key"]: e["limit_a"] for e in (await site.live())["evses"]}
        await site.charge("DEAF-201", 1, model=SMALL)
        await eventually(lambda: "DEAF-201/1" in here.charging())
        await here.within_the_fuse()
        live = await site.live()
        assert all(
            each["limit_a"] <= max(before[each["key"]], each["offline_bound_a"]) + 0.01
            for each in live["evses"]
            if each["key"] != "DEAF-201/1"
        ), (before, live["evses"])
        assert here.charging() >= {"PLAIN-201/1", "DEAF-201/1"}
        # It speaks again, and all goes on.
        plant.meter_speaks = True
        plant.disturb(base_a=2.0)
        await site.until(lambda s: s["nodes"][0]["trust"] == "fresh")
        await eventually(lambda: len(here.charging()) == 4, 120)
        await here.within_the_fuse()


FOLLOWING = (Kind("PLAIN-201", "2.0.1", evses=2), Kind("PLAIN-16", "1.6"), Kind("PLAIN-21", "2.1"))


def following_tree() -> dict[str, Any]:
    """The same fuse and places that all do what they are told."""
    names = {kind.name for kind in FOLLOWING}
    made = tree()
    return made | {"evses": [each for each in made["evses"] if each["station_id"] in names]}


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_of_a_meter_that_answers_no_more_nothing_is_believed(dsn: str, tmp_path: Path) -> None:
    """It is polled over Modbus; connected and silent, it is first not trusted to rise, then not believed at all."""
    networks = {"PILOTWIRE_EGRESS_PRIVATE_NETWORKS": "127.0.0.0/8"}
    async with (
        depot(dsn, tmp_path, FOLLOWING, following_tree(), base_a=12.0, environment=networks) as here,
        modbus_meter(lambda: here.plant.now_a) as meter,
    ):
        site, plant = here.site, here.plant
        plant.meter_speaks = False  # nobody brings readings any more: the server asks for them
        await site.ask("PUT", "/meters/main/source", {"source": meter.source})
        await site.until(lambda s: all(e["drive"] == "idle" for e in s["evses"]))
        await site.until(lambda s: s["nodes"][0]["trust"] == "fresh")
        for name in ("PLAIN-201", "PLAIN-16", "PLAIN-21"):
            await site.charge(name, 1)
        # With as much of other loads as is declared, the fuse would bear too much beside what is given now.
        await eventually(lambda: max(site.drawn()) + BASE_A > FUSE_A + 5, 150)

        meter.silent = True
        await site.until(lambda s: s["nodes"][0]["trust"] == "frozen", 60)
        held = await site.live()
        assert meter.asked > 0
        await asyncio.sleep(15)
        given_a = {each["key"]: each["limit_a"] for each in held["evses"]}
        frozen = await site.live()
        assert frozen["nodes"][0]["trust"] == "frozen"
        assert all(each["limit_a"] <= given_a[each["key"]] + 0.01 for each in frozen["evses"]), frozen[
            "evses"
        ]
        assert sum(given_a.values()) + BASE_A > FUSE_A + 5
        await site.until(lambda s: s["nodes"][0]["trust"] == "silent", 150)
        shown = await site.until(
            lambda s: all(
                each["limit_a"] <= each["offline_bound_a"] + 0.01 and each["drive"] in ("confirmed", "idle")
                for each in s["evses"]
            ),
            60,
        )
        assert {each["reason"] for each in shown["evses"] if each["session_id"]} <= {"stale", "fuse", "queue"}
        assert sum(e["limit_a"] for e in shown["evses"]) < sum(given_a.values()) - 5
        await eventually(lambda: max(site.drawn()) <= FUSE_A - BASE_A + 0.3, 30)
        # Nobody sees the other loads rise to what is declared, and the fuse bears them all the same. A car comes as well.
        plant.disturb(base_a=BASE_A)
        await site.charge("PLAIN-201", 2)
        await plant.settled()
        plant.check(0.0)
        silent_a = max(site.drawn())

        # It answers again, and all goes on; cars that were paused wait for some minutes.
        meter.silent = False
        plant.disturb(base_a=2.0)
        await site.until(lambda s: s["nodes"][0]["trust"] == "fresh", 60)
        await eventually(lambda: max(site.drawn()) > silent_a + 8, 150)
        await here.within_the_fuse()


ROW = (
    Kind("ROW-201", "2.0.1"),
    Kind("ROW-16", "1.6"),
    Kind("ROW-21", "2.1"),
    Kind("ROW-DEAF", "2.0.1", change=ignores),
)
ROW_A = 40.0


def row_tree() -> dict[str, Any]:
    """A row of chargers on a circuit of its own, which no meter sees; at the grid there is room for all."""
    main = {
        "id": "main",
        "kind": "grid",
        "limit_a": 125.0,
        "metering": "total",
        "meter": "main",
        "base_a": 20.0,
    }
    row = {"id": "row", "kind": "circuit", "parent_id": "main", "limit_a": ROW_A}
    return {
        "nodes": [main, row],
        "evses": [
            {"station_id": kind.name, "evse_id": 1, "node_id": "row", "max_a": kind.max_a} for kind in ROW
        ],
        "offline": {"share": 0.4},
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_circuit_without_a_meter_bears_what_it_may_ten_seconds_after_a_car_ignores_its_limit(
    dsn: str, tmp_path: Path
) -> None:
    async with depot(dsn, tmp_path, ROW, row_tree(), base_a=5.0) as here:
        site = here.site
        await site.until(lambda s: all(e["drive"] == "idle" for e in s["evses"]))
        for name in ("ROW-201", "ROW-16", "ROW-21"):
            await site.charge(name, 1)
        # All is given away but what the fourth place keeps.
        await eventually(lambda: len(here.charging()) == 3 and max(site.drawn()) > ROW_A - 8, 150)
        row = SitePlant(site.drawn, unheard, ROW_A, meter_speaks=False)
        async with site_plant(row):
            in_an_hour = (utc_now() + timedelta(hours=1)).isoformat()
            # Those that are told something now are told nothing else for a while, when nobody is in a hurry.
            for name in ("ROW-201", "ROW-16"):
                ceiling = {"station_id": name, "evse_id": 1, "limit_a": 14, "expires_at": in_an_hour}
                await site.ask("POST", "/energy/overrides", ceiling, expect=201)
            await site.until(lambda s: s["by_key"]["ROW-16/1"]["told_a"] <= 14, 30)
            site.stations["ROW-DEAF"].plug_in(1, Car(MODEL, soc_percent=20.0))
            assert await site.stations["ROW-DEAF"].present_token(1, TOKEN)
            await eventually(lambda: row.peak_a > ROW_A + 2)
            await row.settled()
            row.check()
            shown = await site.live()
            assert shown["by_key"]["ROW-DEAF/1"]["drawn_a"][0] > 15
            assert len(here.charging()) >= 2


async def unheard(_: tuple[float, float, float]) -> None:
    """No meter is there to tell."""
