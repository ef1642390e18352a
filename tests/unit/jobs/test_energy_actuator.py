"""Limits on their way: falls of one station do not wait for each other, rises do, and nobody is told twice at a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pilotwire.bus import LocalBus
from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.drive import is_stuck, told
from pilotwire.domain.energy.ports import ChargingAbilities
from pilotwire.domain.energy.repository import SiteRow
from pilotwire.domain.operations.model import CommandState, Order, Readiness, Reply
from pilotwire.domain.stations.ports import NoAnswer
from pilotwire.jobs.energy.actuator import Actuator
from pilotwire.jobs.energy.site import Plugged, SiteLoop

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()


class Desk:
    """Stations that take every profile, one after the other, or say nothing."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int, float]] = []
        self.open: set[int] = set()
        self.mute = False

    def readiness(self, station_id: int) -> Readiness:
        return Readiness.READY

    def abilities(self, station_id: int) -> ChargingAbilities | None:
        return ChargingAbilities()

    async def send(self, station_id: int, order: Order) -> Reply:
        assert station_id not in self.open
        self.open.add(station_id)
        command: Any = order.command
        self.said.append((station_id, command.evse_id, command.profile.periods[0].limit))
        await asyncio.sleep(0)
        self.open.discard(station_id)
        if self.mute:
            raise NoAnswer("nothing in 30 s")
        return Reply(CommandState.DONE, "accepted")


def charging(told_a: float) -> SiteLoop:
    """Two stations, one of them with two EVSEs, on which cars charge with what they were told a while ago."""
    evses = [
        {"station_id": name, "evse_id": number, "node_id": "main"}
        for name, number in (("A", 1), ("A", 2), ("B", 1))
    ]
    tree = read_tree(
        {"nodes": [{"id": "main", "kind": "grid", "limit_a": 63}], "evses": evses, "offline": {"share": 0}}
    )
    site = SiteLoop(SiteRow(uuid4(), 1, "UTC", {}, 1), tree, NOW_S)
    site.station_ids = {"A": 1, "B": 2}
    for key, drive in site.drives.items():
        told(drive, "bound", 0.0, NOW_S - 200, outcome="taken")
        car = site.plugged[key] = Plugged(uuid4(), NOW - timedelta(minutes=5))
        drive.begin(str(car.session_id))
        told(drive, "session", told_a, NOW_S - 100, outcome="taken")
    return site  # fmt: skip


async def drive(site: SiteLoop, desk: Desk, limits: dict[str, float]) -> list[str]:
    """Let one turn send what is due; give what was written down."""
    kept: list[str] = []

    async def keep(_: SiteLoop, keys: list[str]) -> None:
        kept.extend(keys)

    actuator = Actuator(desk, LocalBus(), lambda: NOW, keep)
    await actuator.drive(site, limits)
    await asyncio.gather(*actuator._tasks)
    return kept


async def test_falls_of_a_station_go_out_in_the_same_turn_one_after_the_other() -> None:
    site, desk = charging(20), Desk()
    kept = await drive(site, desk, {"A/1": 10, "A/2": 8, "B/1": 9})
    assert sorted(desk.said) == [(1, 1, 10), (1, 2, 8), (2, 1, 9)]
    assert [drive.told_a for drive in site.drives.values()] == [10, 8, 9]
    assert set(kept[:3]) == set(site.drives)  # all of them before the first was sent


async def test_a_rise_waits_for_the_next_turn() -> None:
    site, desk = charging(10), Desk()
    await drive(site, desk, {"A/1": 16, "A/2": 16, "B/1": 16})
    assert [(station, limit) for station, _, limit in sorted(desk.said)] == [(1, 16), (2, 16)]
    mixed, desk = charging(10), Desk()
    await drive(mixed, desk, {"A/1": 16, "A/2": 6, "B/1": 10})
    assert desk.said == [(1, 2, 6)]  # the fall, which the rise may need


async def test_who_does_not_answer_is_not_asked_the_next_thing() -> None:
    site, desk = charging(20), Desk()
    desk.mute = True
    await drive(site, desk, {"A/1": 10, "A/2": 8, "B/1": 20})
    assert desk.said == [(1, 1, 10)]
    assert [site.drives[key].told_a for key in ("A/1", "A/2")] == [20, 20]
    # Of the second nobody knows whether it was told, soon it counts with what it had.
    assert is_stuck(site.drives["A/1"], NOW_S)
    assert not is_stuck(site.drives["A/2"], NOW_S + 4)
    assert is_stuck(site.drives["A/2"], NOW_S + 6)
