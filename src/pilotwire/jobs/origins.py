"""Writes down where the energy of sites and sessions came from, quarter by quarter of an hour, from what was recorded."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.domain.energy import origin_repository as rows
from pilotwire.domain.energy import repository as sites
from pilotwire.domain.energy.definition import EnergyTree, read_tree
from pilotwire.domain.energy.origins import STEP_S, Mix, Store, energy_by_step, mean_over, mix_of
from pilotwire.domain.energy.repository import SiteRow

__all__ = ["OriginKeeper"]

log = structlog.get_logger(__name__)

_LOOK_S = 60.0
_STEP = timedelta(seconds=STEP_S)
_LATE = timedelta(minutes=2)
"""The history of a step is complete so long after its end."""
_AGAIN = timedelta(hours=1)
"""What was worked out last is worked out again: samples come late."""
_CHUNK = timedelta(days=1)
_SPACE = timedelta(hours=2)
"""A reading before the span is looked for so far back."""


class OriginKeeper:
    """The job that keeps the origins of energy of all sites at which energy management runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._done: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("origins of energy could not be kept; next try in a minute")
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Work out the steps that are over by now. Repeats: the last hour is worked out again, with the same result."""
        until = _step_of(self._clock() - _LATE)
        async with self._database.service.acquire() as connection:
            found = await sites.list_sites(connection)
        for row in found:
            if self._done.get(row.site_id) != until:
                await self._catch_up(row, until)

    async def _catch_up(self, row: SiteRow, until: datetime) -> None:
        async with self._database.service.acquire() as connection:
            begins = await rows.find_beginning(connection, row.site_id)
        if begins is None:
            return
        since = begins - _AGAIN
        tree = read_tree(row.tree)
        while since < until:
            end = min(until, since + _CHUNK)
            async with self._database.service.acquire() as connection, connection.transaction():
                await _keep_mixes(connection, row, tree, since, end)
                await _keep_sessions(connection, row, since, end)
            since = end
        self._done[row.site_id] = until


async def _keep_mixes(
    connection: asyncpg.Connection, row: SiteRow, tree: EnergyTree, since: datetime, until: datetime
) -> None:
    capacity_wh = sum(each.capacity_wh for each in tree.batteries)
    flows = await rows.read_flows(connection, row.site_id, since, until, capacity_wh)
    series = [
        await rows.list_intensities(connection, row.tenant_id, row.site_id, kind, since, until)
        for kind in ("average_intensity", "marginal_intensity")
    ]
    store = await rows.find_store(connection, row.site_id, since)
    kept: list[tuple[datetime, Mix, Store]] = []
    for at, step in flows.items():
        begins_s = at.timestamp()
        known = [
            value if (value := mean_over(own, begins_s, begins_s + STEP_S)) is not None
            else mean_over(common, begins_s, begins_s + STEP_S)
            for own, common in series
        ]  # fmt: skip
        mix, store = mix_of(
            step, store, (known[0], known[1]), capacity_wh=capacity_wh, efficiencies=_efficiencies(tree)
        )
        if mix is not None:
            kept.append((at, mix, store))
    await rows.keep_mixes(connection, row.tenant_id, row.site_id, kept)


def _efficiencies(tree: EnergyTree) -> tuple[float, float]:
    """Give those of all batteries together, by their size."""
    total = sum(each.capacity_wh for each in tree.batteries)
    if total <= 0:
        return 1.0, 1.0
    return (
        sum(each.charge_efficiency * each.capacity_wh for each in tree.batteries) / total,
        sum(each.discharge_efficiency * each.capacity_wh for each in tree.batteries) / total,
    )


async def _keep_sessions(
    connection: asyncpg.Connection, row: SiteRow, since: datetime, until: datetime
) -> None:
    """Work out sessions that are over as a whole, and of those that go on what they took in the span."""
    found = {each["id"]: each for each in await rows.list_sessions(connection, row.site_id, since, until)}
    if not found:
        return
    anew = {
        name: _step_of(each["started_at"])
        if each["ended_at"] is not None
        else max(since, _step_of(each["started_at"]))
        for name, each in found.items()
    }
    registers = await rows.list_registers(connection, {name: at - _SPACE for name, at in anew.items()}, until)
    steps = {
        name: _steps_of(each, registers.get(name, []), anew[name], until) for name, each in found.items()
    }
    await rows.keep_session_steps(connection, row.tenant_id, row.site_id, steps, anew)


def _steps_of(
    session: Mapping[str, Any], readings: list[tuple[float, float]], since: datetime, until: datetime
) -> dict[datetime, float]:
    start = None if session["meter_start_wh"] is None else float(session["meter_start_wh"])
    end = None if session["meter_end_wh"] is None else float(session["meter_end_wh"])
    starts_s = session["started_at"].timestamp()
    ended = session["ended_at"]
    points = [
        (at_s, value)
        for at_s, value in readings
        if (start is None or value >= start) and (end is None or value <= end)
    ]
    if start is not None and (not points or points[0][0] >= starts_s):
        points.insert(0, (starts_s, start))
    if ended is not None and end is not None:
        points.append((max(ended.timestamp(), points[-1][0] if points else 0.0), end))
    found = {datetime.fromtimestamp(at_s, UTC): energy for at_s, energy in energy_by_step(points).items()}
    last = until if ended is None else max(until, ended + _STEP)
    return {at: energy for at, energy in found.items() if since <= at < last}


def _step_of(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.timestamp() // STEP_S * STEP_S, UTC)
