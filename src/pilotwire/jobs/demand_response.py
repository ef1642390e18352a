"""Follows the VTNs of all sites: asks for events, makes limits and prices of them, and reports what came of them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy import outside_repository as rows
from pilotwire.domain.energy.demand_ports import EventResult, Used, Vtn, VtnDesk, VtnFailed
from pilotwire.domain.energy.demand_response import (
    Effect,
    asks_nothing,
    effects_of,
    intervals_of,
    span_of,
)
from pilotwire.domain.energy.events import OverridesChanged
from pilotwire.domain.energy.outside_repository import EventRow
from pilotwire.domain.energy.usecases.manage_demand_response import SEAL_PURPOSE

__all__ = ["DemandResponder"]

log = structlog.get_logger(__name__)

_LOOK_S = 1.0
_BASELINE_DAYS = 14
_MOST_LIKE_DAYS = 10


class DemandResponder:
    """The VEN of every site that has a VTN."""

    def __init__(
        self,
        database: Database,
        bus: LocalBus,
        clock: Clock,
        desk: VtnDesk,
        seal: Seal,
        *,
        report_after: timedelta = timedelta(minutes=2),
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._desk = desk
        self._seal = seal
        self._report_after = report_after

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await retry_while_away(self._pass, lambda: True)
            except Exception:
                log.exception("demand response could not be looked at; next try soon")
            await asyncio.sleep(_LOOK_S)

    async def _pass(self) -> None:
        async with self._database.service.acquire() as connection:
            due = await rows.list_due_vtns(connection, self._clock())
        await asyncio.gather(*(self._follow(row) for row in due))

    async def _follow(self, row: dict[str, Any]) -> None:
        """Ask one VTN; what is wrong with it is kept beside it and holds up no other."""
        now, problems = self._clock(), []
        try:
            vtn = self._vtn(row)
            found, takes_part = await self._take(row, await self._desk.events(vtn), now)
            problems += found
            await self._desk.answer(vtn, takes_part)
            await self._report(row, vtn, now)
        except VtnFailed as error:
            problems.append(str(error))
        except Exception as error:
            log.exception("a VTN could not be followed", vtn=str(row["id"]))
            problems.append(f"{type(error).__name__}: {error}")
        async with self._database.service.acquire() as connection:
            await rows.keep_poll(connection, row["id"], now, "; ".join(problems)[:500])

    def _vtn(self, row: Mapping[str, Any]) -> Vtn:
        secret = self._seal.open(row["client_secret"], SEAL_PURPOSE).decode()
        names = set(Vtn.__struct_fields__) - {"client_secret"}
        return Vtn(**{name: row[name] for name in names}, client_secret=secret)

    async def _take(
        self, row: Mapping[str, Any], events: list[Mapping[str, Any]], now: datetime
    ) -> tuple[list[str], dict[str, bool]]:
        """Keep a VTN's events and what they ask; return what could not be read, and in which events the site takes part.

        It takes part in what it can follow only.
        """
        async with self._database.service.acquire() as connection, connection.transaction():
            known = {each.event_id: each for each in await rows.list_events(connection, row["id"])}
            read, problems = [], []
            for each in events:
                received_at = getattr(known.get(str(each.get("id"))), "received_at", now)
                try:
                    read.append(_event_row(each, received_at))
                except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
                    problems.append(f"event {each.get('id')} cannot be read: {error}")
            await rows.keep_events(connection, row, read, now)
            effects: list[tuple[str, Effect]] = []
            takes_part: dict[str, bool] = {}
            for event in await rows.list_events(connection, row["id"]):
                takes_part[event.event_id] = False
                if not (row["opted_in"] if event.opted_in is None else event.opted_in):
                    continue
                intervals = intervals_of(event.content, event.received_at)
                try:
                    asked = effects_of(event.content, intervals, row["levels_w"])
                    found = [await _absolute(connection, row["site_id"], each) for each in asked]
                except ValueError as error:
                    problems.append(f"event {event.event_id} asks what cannot be done: {error}")
                    continue
                effects += [(event.name or event.event_id, effect) for effect in found]
                takes_part[event.event_id] = bool(found) or asks_nothing(intervals)
            changed = await rows.keep_effects(connection, row, effects, now)
        if changed:
            self._bus.publish(OverridesChanged(row["tenant_id"], row["site_id"]))
        return problems, takes_part

    async def _report(self, row: Mapping[str, Any], vtn: Vtn, now: datetime) -> None:
        async with self._database.service.acquire() as connection:
            ended = await rows.list_ended_events(connection, row["id"], now - self._report_after)
        for event in ended:
            if event.ends_at is None or event.ends_at <= event.starts_at:
                continue
            used = await self._used(row, event.starts_at, event.ends_at)
            taken_part = row["opted_in"] if event.opted_in is None else event.opted_in
            result = EventResult(
                event_id=event.event_id,
                name=event.name,
                program_id=event.program_id,
                used=used,
                taken_part=taken_part,
            )
            await self._desk.report(vtn, result)
            async with self._database.service.acquire() as connection:
                await rows.keep_result(
                    connection, row["id"], event.event_id, used.used_wh, used.baseline_wh, now
                )
        spans = self._desk.wanted_spans(vtn, now)
        if spans:
            await self._desk.tell_usage(vtn, [await self._used(row, *span) for span in spans])

    async def _used(self, row: Mapping[str, Any], starts_at: datetime, ends_at: datetime) -> Used:
        async with self._database.service.acquire() as connection:
            used = await rows.sum_energy(connection, row["site_id"], starts_at, ends_at)
            baseline = await _baseline(connection, row["site_id"], starts_at, ends_at)
        return Used(starts_at=starts_at, ends_at=ends_at, used_wh=used, baseline_wh=baseline)


def _event_row(event: Mapping[str, Any], received_at: datetime) -> EventRow:
    if "unreadable" in event:
        raise ValueError(event["unreadable"])
    intervals = intervals_of(event, received_at)
    span = span_of(intervals, received_at)
    name = str(event.get("eventName") or "")[:200]
    return EventRow(
        str(event["id"])[:200], name, str(event.get("programID", ""))[:200], dict(event),
        span.starts_at, span.ends_at, None, received_at,
    )  # fmt: skip


async def _absolute(connection: Any, site_id: Any, effect: Effect) -> Effect:
    """Make a limit of one that is told by what the site usually buys at these hours.

    Raises: ValueError when that is not known.
    """
    if effect.kind not in ("limit_delta_w", "limit_factor"):
        return effect
    usual_wh = None
    if effect.ends_at is not None and effect.ends_at > effect.starts_at:
        usual_wh = await _baseline(connection, site_id, effect.starts_at, effect.ends_at)
    if usual_wh is None or effect.ends_at is None:
        raise ValueError("what the site usually buys at these hours was not measured")
    usual_w = usual_wh * 3600 / (effect.ends_at - effect.starts_at).total_seconds()
    limit_w = usual_w + effect.value if effect.kind == "limit_delta_w" else usual_w * effect.value
    return Effect("limit_w", effect.starts_at, effect.ends_at, max(0.0, limit_w))


async def _baseline(connection: Any, site_id: Any, starts_at: datetime, ends_at: datetime) -> float | None:
    """The mean of the same hours on up to ten days before of the same kind (working day or weekend)."""
    found: list[float] = []
    for days in range(1, _BASELINE_DAYS + 1):
        back = timedelta(days=days)
        since, until = starts_at - back, ends_at - back
        if (since.weekday() < 5) != (starts_at.weekday() < 5):
            continue
        used = await rows.sum_energy(connection, site_id, since, until)
        if used is not None:
            found.append(used)
        if len(found) == _MOST_LIKE_DAYS:
            break
    return sum(found) / len(found) if found else None
