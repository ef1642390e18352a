"""All connected stations: newest connection wins, state read in batches, calls of people and jobs."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.writer import Entry, GroupWriter, is_transient
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.lookup import find_token
from pilotwire.domain.lookups import LookupNeeded, SessionLookup, StartLookup, TokenLookup
from pilotwire.domain.sessions.repository import (
    load_views,
    look_up_ref,
    look_up_start,
    next_transaction_block,
)
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.domain.stations.ports import (
    CallAnswer,
    InvalidPayload,
    LinkInfo,
    NotConnected,
    StationChanged,
    StationConnected,
    StationRemoved,
)
from pilotwire.domain.stations.records import (
    DeviationsCounted,
    PresenceSeen,
    SecurityEventKept,
    StationDisconnected,
)
from pilotwire.domain.stations.repository import attach, insert_enrolled, list_records, promote_secret
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.codec.errors import PayloadError, UnknownAction
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import decode_request, direction
from pilotwire.ocpp.doorkeeper import Entrant
from pilotwire.ocpp.gateway import Connection
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.link import StationLink
from pilotwire.ocpp.onboarding import Onboarding
from pilotwire.ocpp.tokens import TokenCache

__all__ = ["Switchboard"]

log = structlog.get_logger(__name__)

_VERSIONS = {version.subprotocol: version for version in OcppVersion}
_ATTACH_AT_ONCE = 500
_SWAPS_KEPT = 20
_SWAP_WINDOW_S = 60.0


class _Barrier(Entry):
    """Says when everything submitted before it is settled."""

    __slots__ = ("passed",)

    def __init__(self) -> None:
        super().__init__(0, 0, ())
        self.passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kept(self) -> None:
        if not self.passed.done():
            self.passed.set_result(None)

    def failed(self, error: BaseException) -> None:
        del error
        self.kept()


class _TransactionNumbers:
    """Numbers for 1.6 transactions from blocks reserved ahead, so that none is waited for."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque()
        self.low = asyncio.Event()
        self.low.set()

    def add(self, block: range) -> None:
        self._numbers.extend(block)

    def next(self) -> int:
        if len(self._numbers) < 512:
            self.low.set()
        return self._numbers.popleft()

    def __len__(self) -> int:
        return len(self._numbers)


class Switchboard:
    """The owner of every connection of this process."""

    def __init__(
        self,
        database: Database,
        writer: GroupWriter,
        bus: LocalBus,
        clock: Clock,
        *,
        name: str,
        pepper: bytes,
        boot_policy: BootPolicy,
        maximum_power_w: float,
    ) -> None:
        self._database = database
        self.writer = writer
        self._bus = bus
        self._clock = clock
        self._name = name
        self._numbers = _TransactionNumbers()
        self.tokens = TokenCache()
        self.vendors = VendorRegistry()
        self.services = Services(
            boot_policy=boot_policy,
            tokens=self.tokens,
            vendors=self.vendors,
            new_session_id=new_uuid,
            next_transaction_number=self._numbers.next,
            maximum_power_w=maximum_power_w,
        )
        self._onboarding = Onboarding(self, database, pepper)
        self._links: dict[int, StationLink] = {}
        self._by_connection: dict[Connection, StationLink] = {}
        self._arrivals: deque[tuple[StationLink, Entrant]] = deque()
        self._arrived = asyncio.Event()
        self._swaps: dict[int, deque[float]] = {}
        self._deviations: Counter[tuple[int, int, str, str, str]] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.frames_in = 0
        bus.subscribe(TokenChanged, self.tokens.changed)
        bus.subscribe(StationChanged, self._station_changed)
        bus.subscribe(StationRemoved, self._station_removed)

    async def start(self) -> None:
        """Reserve transaction numbers and start the background work."""
        await self._reserve_numbers()
        self.run(self._attach_arrivals())
        self.run(self._keep_numbers())
        self.run(self._flush_for_ever())

    async def stop(self) -> None:
        """Stop the background work; the listener has closed the connections before."""
        self._flush()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def run(self, work: Any) -> "asyncio.Task[Any]":
        """Run something beside, until it ends or the switchboard stops; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", error=repr(error), exc_info=error)

    # ConnectionOwner

    def opened(self, connection: Connection) -> None:
        """A station is connected: the older connection of the same station ends, this one is attached soon."""
        entrant = connection.station
        assert isinstance(entrant, Entrant)  # noqa: S101 - our own doorkeeper put it there
        link = StationLink(self, connection, _VERSIONS[connection.subprotocol], entrant.identity)
        link.used_next_secret = entrant.used_next_secret
        self._by_connection[connection] = link
        if entrant.record is not None and self._swapped_too_often(entrant.record, link):
            return
        self._arrivals.append((link, entrant))
        self._arrived.set()

    def text_received(self, connection: Connection, text: bytes) -> None:
        """Pass a frame to its link."""
        self.frames_in += 1
        self._by_connection[connection].text_received(text)

    def closed(self, connection: Connection, code: int, reason: str) -> None:
        """A socket is gone: only its own link ends, never a newer one of the same station."""
        link = self._by_connection.pop(connection, None)
        if link is None:
            return
        link.end(reason)
        if not link.ready:
            return
        record = link.station.record
        if self._links.get(record.id) is link:
            del self._links[record.id]
            gone = StationDisconnected(
                record.tenant_id,
                record.id,
                link.identity,
                link.epoch,
                self._clock(),
                reason or f"closed with {code}",
            )
            self.writer.submit(_Told(self, [gone]))

    # LinkHost

    def now(self) -> datetime:
        """The present moment."""
        return self._clock()

    def publish(self, records: list[Any]) -> None:
        """Tell the bus what was committed."""
        for record in records:
            self._bus.publish(record)

    def counted(self, link: StationLink, code: str) -> None:
        """Count a repair for the station's model."""
        station = link.station
        self._deviations[
            station.record.tenant_id, station.record.id, station.vendor, station.model, code
        ] += 1

    def boot_accepted(self, link: StationLink) -> None:
        """A station may work from now on: give it its own secret and configuration if it is new."""
        if link.station.record.enrolled:
            self.run(self._onboarding.welcome(link))

    async def look_up(self, link: StationLink, needed: LookupNeeded) -> None:
        """Read a fact that a decision needs into memory; waits while the database is away."""
        record = link.station.record
        await self._retrying(lambda: self._look_up(link, record, needed), link)

    async def _look_up(self, link: StationLink, record: StationRecord, needed: LookupNeeded) -> None:
        changes = self.tokens.changes
        # What this very connection said before may still be on its way to the disk.
        if not isinstance(needed, TokenLookup):
            await self._barrier()
        async with self._database.service.acquire() as connection:
            match needed:
                case TokenLookup(uid=uid):
                    token = await find_token(connection, record.tenant_id, uid)
                    self.tokens.keep(record.tenant_id, uid, token, as_of=changes)
                case SessionLookup(transaction_ref=ref):
                    facts = await look_up_ref(connection, record.id, ref)
                    if facts is None:
                        link.sessions.by_ref.setdefault(ref, None)
                    else:
                        link.sessions.remember(facts)
                case StartLookup(start_key=key):
                    facts = await look_up_start(connection, record.id, key)
                    if facts is None:
                        link.sessions.starts.setdefault(key, None)
                    else:
                        link.sessions.remember(facts)
                case _:
                    raise TypeError(f"no way to look up {needed!r}")

    # StationCaller

    async def call(self, station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> CallAnswer:
        """Send a CALL to a station after checking it against the station's version.

        Raises: NotConnected, InvalidPayload (nothing is sent), NoAnswer.
        """
        link = self._links.get(station_id)
        if link is None:
            raise NotConnected("the station is not connected now")
        try:
            if direction(link.version, action) == "cs":
                raise InvalidPayload(f"{action} is sent by stations only (OCPP {link.version})")
            decode_request(link.version, action, payload)
        except UnknownAction as error:
            raise InvalidPayload(str(error)) from error
        except PayloadError as error:
            raise InvalidPayload(f"{action} of OCPP {link.version}: {error}") from error
        return await link.call(action, payload, timeout_s)

    def link(self, station_id: int) -> LinkInfo | None:
        """Tell of a station's live connection."""
        link = self._links.get(station_id)
        if link is None:
            return None
        return LinkInfo(link.version.value, link.arrived_at, link.seen_at, link.connection.remote_address)

    @property
    def connected(self) -> int:
        """How many stations are connected and attached."""
        return len(self._links)

    # Arrivals

    def _swapped_too_often(self, record: StationRecord, link: StationLink) -> bool:
        """Two sockets that push each other out for ever: the newcomer is held off, the connected one stays."""
        if record.id not in self._links:
            return False
        swaps = self._swaps.setdefault(record.id, deque(maxlen=_SWAPS_KEPT))
        now = asyncio.get_running_loop().time()
        if len(swaps) == _SWAPS_KEPT and now - swaps[0] < _SWAP_WINDOW_S:
            link.end("connections replace each other too often")
            link.connection.close(1013, "connected elsewhere")
            return True
        swaps.append(now)
        return False

    async def _attach_arrivals(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._arrivals:
                batch = [self._arrivals.popleft() for _ in range(min(len(self._arrivals), _ATTACH_AT_ONCE))]
                newest: dict[str, tuple[StationLink, Entrant]] = {}
                for link, entrant in batch:
                    older = newest.get(entrant.identity)
                    if older is not None:
                        self._supersede(older[0])
                    newest[entrant.identity] = (link, entrant)
                await self._retrying(partial(self._attach, list(newest.values())), None)

    async def _attach(self, arriving: list[tuple[StationLink, Entrant]]) -> None:
        async with self._database.service.acquire() as connection:
            known = await self._admitted(connection, arriving)
            if not known:
                return
            older = [self._links.pop(record.id, None) for _, record in known]
            for former in older:
                if former is not None:
                    self._supersede(former)
            if any(older):
                await self._barrier()
            attached = await attach(
                connection,
                self._name,
                [(record.id, link.version.value, link.connection.remote_address) for link, record in known],
            )
            views = await load_views(connection, [record.id for _, record in known])
        for (link, record), former in zip(known, older, strict=True):
            state = attached.get(record.id)
            if state is None:  # deleted in this very moment
                link.end("removed")
                link.connection.close(1008, "unknown station")
            elif link.alive:
                self._links[record.id] = link
                link.attach(StationView(record, state.connectors), views[record.id], state.epoch)
                self._tell_connected(link, record, former)

    async def _admitted(
        self, connection: Any, arriving: list[tuple[StationLink, Entrant]]
    ) -> list[tuple[StationLink, StationRecord]]:
        """Give the arriving links whose station is in the database, newcomers by now included."""
        known: list[tuple[StationLink, StationRecord]] = []
        for link, entrant in arriving:
            if not link.alive:
                continue
            record = await self._record_of(connection, entrant, link)
            if record is None:
                link.end("the enrolment key is used up")
                link.connection.close(1008, "not enrolled")
            else:
                known.append((link, record))
        return known

    async def _record_of(self, connection: Any, entrant: Entrant, link: StationLink) -> StationRecord | None:
        record = entrant.record
        if record is None:
            assert entrant.key is not None  # noqa: S101 - one of the two is always there
            record = await insert_enrolled(connection, entrant.key, entrant.identity, entrant.secret_digest)
            if record is not None:
                self._bus.publish(StationChanged(record))
        elif link.used_next_secret:
            await promote_secret(connection, record.id, entrant.secret_digest)
            link.used_next_secret = False
            for fresh in await list_records(connection, [record.id]):
                record = fresh
                self._bus.publish(StationChanged(fresh))
        return record

    def _tell_connected(self, link: StationLink, record: StationRecord, former: StationLink | None) -> None:
        now = self._clock()
        address = link.connection.remote_address
        self._bus.publish(
            StationConnected(
                record.tenant_id, record.id, record.identity, link.version.value, link.epoch, now, address
            )
        )
        if former is not None and former.connection.remote_address != address:
            event = SecurityEventKept(
                record.tenant_id,
                record.id,
                record.identity,
                "ConnectionReplaced",
                now,
                now,
                f"a connection from {address} replaced one from {former.connection.remote_address}",
            )
            self.writer.submit(_Told(self, [event]))
        if record.admission is Admission.ACCEPTED and not record.vendor and link.behaviour.boot_trigger:
            self.run(self._onboarding.ask_for_boot(link, after_s=5))

    def _supersede(self, link: StationLink) -> None:
        link.end("replaced by a newer connection")
        link.connection.close(1000, "replaced by a newer connection")

    def _station_changed(self, notice: StationChanged) -> None:
        record = notice.record
        link = self._links.get(record.id)
        if link is None:
            return
        before = link.station.record
        link.station.record = record
        if before.admission is not record.admission and link.behaviour.boot_trigger:
            self.run(self._onboarding.ask_for_boot(link, after_s=0))

    def _station_removed(self, notice: StationRemoved) -> None:
        link = self._links.pop(notice.station_id, None)
        if link is not None:
            link.end("the station was removed")
            link.connection.close(1008, "unknown station")

    # Background work

    async def _retrying(self, work: Callable[[], Any], link: StationLink | None) -> None:
        """Do something with the database, again and again while it is away."""
        delay_s = 0.1
        while link is None or link.alive:
            try:
                await work()
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 2.0)
            else:
                return

    async def _barrier(self) -> None:
        barrier = _Barrier()
        self.writer.submit(barrier)
        await barrier.passed

    async def _reserve_numbers(self) -> None:
        async with self._database.service.acquire() as connection:
            while len(self._numbers) < 2048:
                self._numbers.add(await next_transaction_block(connection))
        self._numbers.low.clear()

    async def _keep_numbers(self) -> None:
        while True:
            await self._numbers.low.wait()
            await self._retrying(self._reserve_numbers, None)

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(15)
            self._flush()

    def _flush(self) -> None:
        """Keep when stations were last heard of, and which repairs they needed."""
        links = list(self._links.values())
        for start in range(0, len(links), 1000):
            seen: list[Any] = [
                PresenceSeen(link.station.record.id, link.seen_at) for link in links[start : start + 1000]
            ]
            self.writer.submit(Entry(0, 0, seen))
        if self._deviations:
            now = self._clock()
            counts: list[Any] = [
                DeviationsCounted(tenant_id, station_id, vendor, model, code, count, now)
                for (tenant_id, station_id, vendor, model, code), count in self._deviations.items()
            ]
            self._deviations.clear()
            self.writer.submit(Entry(0, 0, counts))


class _Told(Entry):
    """Records that are told to the bus once they are kept."""

    __slots__ = ("_board",)

    def __init__(self, board: Switchboard, records: list[Any]) -> None:
        super().__init__(0, 0, records)
        self._board = board

    def kept(self) -> None:
        self._board.publish(list(self.records))
