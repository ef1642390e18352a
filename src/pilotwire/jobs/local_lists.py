"""Keeps stations' lists of tokens in step with ours: after a change, at a reconnection, a few stations at a time.

The rows are the truth. In memory is only which stations are to be looked at, and which have told in their present
connection what version they hold.
"""

import asyncio
import contextlib
import heapq
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from pilotwire.db.retry import retry_while_away
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.configuration.events import DeviceModelRead
from pilotwire.domain.local_lists import repository as rows
from pilotwire.domain.local_lists.events import LocalListChanged, LocalListRulesChanged, LocalListWanted
from pilotwire.domain.local_lists.model import ListPlace, ListState
from pilotwire.domain.operations.events import CommandChanged, StationReady
from pilotwire.domain.operations.model import Readiness
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.relays.events import RelayChanged
from pilotwire.jobs.list_sending import Broken, ListSender
from pilotwire.jobs.list_wishes import ListWishes

__all__ = ["ListOptions", "LocalListKeeper"]

log = structlog.get_logger(__name__)

_SWEEP_S = 900.0
_LOOK_S = 30.0
_AT_ONCE = 20
_PAGE = 500
_SETTLING_S = 5.0
_LONGEST_DEBOUNCES = 6
_FIRST_RETRY_S = 60
_LONGEST_RETRY_S = 6 * 3600
_TOUCHES_LISTS = frozenset(
    {
        "send_local_list",
        "write_settings",
        "repair_settings",
        "set_configuration",
        "set_variables",
        "read_settings",
    }
)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How lists are kept. Units: s; stations per s."""

    kept: bool = True
    """What holds for stations for which no rule says anything."""
    debounce_s: float = 10.0
    stations_per_s: float = 20.0


class LocalListKeeper:
    """Brings one list after the other in step, never more than a few at once."""

    def __init__(self, means: Means, options: ListOptions) -> None:
        self._means = means
        self._options = options
        self._wishes = ListWishes(means.clock)
        self._sender = ListSender(means)
        self._tenants: dict[
            int, tuple[float, float]
        ] = {}  # by tenant: when it is looked at, and when at the latest
        self._stations: dict[int, float] = {}
        # The same by moment; an entry that is not the dictionary's any more is passed over. Ten thousand stations that
        # come back at once must not be sorted for each of them.
        self._queue: list[tuple[float, int]] = []
        self._sleeps_until = 0.0
        self._told: set[int] = set()  # stations whose version is known in their present connection
        self._named: set[tuple[int, str]] = set()
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        bus = means.bus
        bus.subscribe(TokenChanged, lambda notice: self._tenant_changed(notice.tenant_id))
        bus.subscribe(LocalListRulesChanged, lambda notice: self._tenant_changed(notice.tenant_id, 0.0))
        bus.subscribe(LocalListWanted, self._wanted)
        bus.subscribe(StationReady, self._ready)
        bus.subscribe(DeviceModelRead, lambda notice: self._look_at(notice.station_id, 0.0))
        bus.subscribe(RelayChanged, lambda notice: self._look_at(notice.station_id, _SETTLING_S))
        bus.subscribe(CommandChanged, self._commanded)

    async def run(self) -> None:
        """Work until cancelled."""
        sweep_at = self._now() + _SWEEP_S
        try:
            while True:
                if self._now() >= sweep_at:
                    sweep_at = self._now() + _SWEEP_S
                    await self._safely(self._sweep)
                await self._safely(self._pass)
                moments = [self._now() + _LOOK_S, sweep_at, *(due for due, _ in self._tenants.values())]
                if self._queue and len(self._busy) < _AT_ONCE:
                    moments.append(self._queue[0][0])
                self._sleeps_until = min(moments)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(0.02, self._sleeps_until - self._now()))
                self._wake.clear()
                self._sleeps_until = 0.0
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _safely(self, work: Any) -> None:
        try:
            await retry_while_away(work, lambda: True)
        except Exception:
            log.exception("local lists could not be looked at; next try soon")
            await asyncio.sleep(1)

    # What others say

    def _tenant_changed(self, tenant_id: int, wait_s: float | None = None) -> None:
        """Wait until nothing has changed for a while, but not for ever."""
        self._wishes.forget(tenant_id)
        wait_s = self._options.debounce_s if wait_s is None else wait_s
        now = self._now()
        _, latest = self._tenants.get(tenant_id, (0.0, now + wait_s * _LONGEST_DEBOUNCES))
        self._tenants[tenant_id] = (min(now + wait_s, latest), latest)
        self._wake.set()

    def _ready(self, notice: StationReady) -> None:
        self._told.discard(notice.station_id)
        self._look_at(notice.station_id, _SETTLING_S + self._turn(len(self._stations)))

    def _wanted(self, notice: LocalListWanted) -> None:
        self._look_at(notice.station_id, 0.0)

    def _commanded(self, notice: CommandChanged) -> None:
        if notice.command in _TOUCHES_LISTS and notice.state in ("done", "unknown", "timed_out"):
            self._named.add((notice.tenant_id, notice.identity))
            self._wake.set()

    def _look_at(self, station_id: int, wait_s: float) -> None:
        due = self._now() + wait_s
        if due < self._stations.get(station_id, due + 1):
            self._stations[station_id] = due
            heapq.heappush(self._queue, (due, station_id))
            if due < self._sleeps_until:
                self._wake.set()

    def _turn(self, others: int) -> float:
        """Give a moment among `others` that wait, so that never all begin at once. Unit: s."""
        return random.uniform(0, 1 + others / self._options.stations_per_s)  # noqa: S311

    # What is to be done

    async def _sweep(self) -> None:
        """Look at everything: tokens run out, drivers who charge here change, and a message may have been lost."""
        async with self._means.db.service.acquire() as connection:
            tenants = await rows.list_tenants(connection)
            await rows.drop_unused(connection)
        for tenant_id in tenants:
            self._tenant_changed(tenant_id)

    async def _pass(self) -> None:
        now = self._now()
        while self._named:
            tenant_id, identity = self._named.pop()
            async with self._means.db.service.acquire() as connection:
                station_id = await rows.number_of(connection, tenant_id, identity)
            if station_id is not None:
                self._told.discard(station_id)
                self._look_at(station_id, _SETTLING_S)
        for tenant_id, (due, _) in list(self._tenants.items()):
            if due <= now:
                del self._tenants[tenant_id]
                await self._compare(tenant_id)
        while self._queue and self._queue[0][0] <= now and len(self._busy) < _AT_ONCE:
            due, station_id = heapq.heappop(self._queue)
            if self._stations.get(station_id) != due:
                continue
            del self._stations[station_id]
            if station_id in self._busy:  # looked at right now: again when that is done
                self._look_at(station_id, 1.0)
                continue
            self._busy.add(station_id)
            task = asyncio.create_task(self._bring(station_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _compare(self, tenant_id: int) -> None:
        """See which lists of a tenant are not what they should be, and give each station its turn."""
        after, behind = 0, []
        while True:
            async with self._means.db.service.acquire() as connection:
                station_ids = await rows.list_stations(connection, tenant_id, after, _PAGE)
                if not station_ids:
                    break
                after = station_ids[-1]
                places = await rows.list_places(connection, station_ids, kept_by_default=self._options.kept)
                wishes = await self._wishes.of(connection, places)
                await rows.note_wanted(connection, wishes.wanted, self._means.clock())
                for place in places:
                    await self._settle(connection, place, wishes.reasons.get(place.station_id))
            behind += [
                place.station_id
                for place in places
                if place.station_id in wishes.wanted
                and wishes.wanted[place.station_id][1].digest != place.digest
                and self._means.desk.readiness(place.station_id) is Readiness.READY
            ]
        random.shuffle(behind)
        for number, station_id in enumerate(behind):
            self._look_at(station_id, number / self._options.stations_per_s)

    async def _settle(self, connection: Any, place: ListPlace, reason: tuple[ListState, str] | None) -> None:
        """Keep why a station has no list of ours, if it has none."""
        if reason is None or reason == (place.state, place.detail):
            return
        if place.state is ListState.UNKNOWN and not place.kept:
            return  # nothing was ever kept of it, and nothing has to be
        if await rows.note_state(connection, place.station_id, *reason):
            self._tell(place, reason[0], 0, reason[1])

    async def _bring(self, station_id: int) -> None:
        try:
            await retry_while_away(lambda: self._bring_one(station_id), lambda: True)
        except Exception:
            log.exception("a local list could not be kept", station=station_id)
        finally:
            self._busy.discard(station_id)
            if self._queue and self._queue[0][0] <= self._now():
                self._wake.set()

    async def _bring_one(self, station_id: int) -> None:
        if self._means.desk.readiness(station_id) is not Readiness.READY:
            return
        async with self._means.db.service.acquire() as connection:
            places = await rows.list_places(connection, [station_id], kept_by_default=self._options.kept)
            if not places:
                return
            place = places[0]
            wishes = await self._wishes.of(connection, places)
            await self._settle(connection, place, wishes.reasons.get(station_id))
            if station_id not in wishes.wanted:
                return
            await rows.note_wanted(connection, wishes.wanted, self._means.clock())
        if place.next_at is not None and place.next_at > self._means.clock():
            self._look_at(station_id, (place.next_at - self._means.clock()).total_seconds())
            return
        able, wanted = wishes.wanted[station_id]
        try:
            version = await self._sender.bring(
                place, able, wanted, told=station_id in self._told and place.digest is not None
            )
        except Broken as broken:
            self._told.discard(station_id)
            await self._give_up(place, broken)
            return
        self._told.add(station_id)
        if version is not None:
            self._tell(place, ListState.IN_STEP, version, "", len(wanted.entries))

    async def _give_up(self, place: ListPlace, broken: Broken) -> None:
        """Keep what went wrong; a station that is connected is tried again, each time later."""
        if broken.away:  # then its return brings it up again
            return
        wait_s = min(_FIRST_RETRY_S * 4**place.attempts, _LONGEST_RETRY_S)
        next_at = self._means.clock() + timedelta(seconds=wait_s)
        state = ListState.UNSUPPORTED if broken.unsupported else ListState.FAILED
        async with self._means.db.service.acquire() as connection:
            news = await rows.note_state(
                connection, place.station_id, state, str(broken), next_at=next_at, attempts=place.attempts + 1
            )
        self._look_at(place.station_id, wait_s)
        if news:
            self._tell(place, state, place.version, str(broken))

    def _tell(self, place: ListPlace, state: ListState, version: int, detail: str, entries: int = 0) -> None:
        self._means.bus.publish(
            LocalListChanged(
                place.tenant_id, place.station_id, place.identity, state.value, version, entries, detail,
                self._means.clock(),
            )
        )  # fmt: skip
