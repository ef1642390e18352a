"""All connected stations: newest connection wins, state read in batches, calls of people and jobs."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.db.lanes import WriterLanes
from pilotwire.db.retry import retry_while_away
from pilotwire.db.writer import Entry
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.lookup import find_token
from pilotwire.domain.certificates.events import CertificateHeld
from pilotwire.domain.certificates.status import StatusLookup
from pilotwire.domain.lookups import LookupNeeded, NumberLookup, SessionLookup, StartLookup, TokenLookup
from pilotwire.domain.relays.events import RelayChanged
from pilotwire.domain.sessions.repository import look_up_ref, look_up_start, next_transaction_block
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
from pilotwire.ocpp.arrivals import Arrivals
from pilotwire.ocpp.codec.errors import PayloadError, UnknownAction
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import decode_request, direction
from pilotwire.ocpp.doorkeeper import Entrant
from pilotwire.ocpp.gateway import Connection
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.link import StationLink
from pilotwire.ocpp.onboarding import Onboarding
from pilotwire.ocpp.relay import RelayBook, RelayedConnection
from pilotwire.ocpp.tokens import TokenCache
from pilotwire.ocpp.turns import Turns

__all__ = ["Switchboard"]

log = structlog.get_logger(__name__)

_VERSIONS = {version.subprotocol: version for version in OcppVersion}


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
        if not self._numbers:
            raise NumberLookup
        return self._numbers.popleft()

    def __len__(self) -> int:
        return len(self._numbers)


class Switchboard:
    """The owner of every connection of this process."""

    def __init__(  # noqa: PLR0913 - it is built in one place, by name
        self,
        database: Database,
        writer: WriterLanes,
        bus: LocalBus,
        clock: Clock,
        *,
        name: str,
        pepper: bytes,
        boot_policy: BootPolicy,
        maximum_power_w: float,
        strict: bool = False,
    ) -> None:
        self._database = database
        self.writer = writer
        self._bus = bus
        self._clock = clock
        self.now = clock
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
            strict=strict,
        )
        self._onboarding = Onboarding(self, database, pepper)
        self.links: dict[int, StationLink] = {}
        self._by_connection: dict[Connection, StationLink] = {}
        self._arrivals = Arrivals(self, database, name)
        self._deviations: Counter[tuple[int, int, str, str, str]] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.turns = Turns()
        self.frames_in = 0
        self.relays: RelayBook | None = None
        bus.subscribe(TokenChanged, self.tokens.changed)
        bus.subscribe(StationChanged, self._station_changed)
        bus.subscribe(StationRemoved, self._station_removed)
        bus.subscribe(CertificateHeld, self._certificate_held)
        bus.subscribe(RelayChanged, self._relay_changed)

    async def start(self) -> None:
        """Reserve transaction numbers and start the background work."""
        await self._reserve_numbers()
        self.run(self._arrivals.work())
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

    def opened(self, connection: Connection) -> Callable[[bytes], None]:
        """A station is connected: the older connection of the same station ends, this one is attached soon."""
        entrant = connection.station
        assert isinstance(entrant, Entrant)  # noqa: S101 - our own doorkeeper put it there
        relay = self._relay_of(connection, entrant)
        link = StationLink(self, relay or connection, _VERSIONS[connection.subprotocol], entrant.identity)
        link.used_next_secret = entrant.used_next_secret
        link.security_profile = entrant.security_profile
        link.certificate_sha256 = entrant.certificate_sha256
        self._by_connection[connection] = link
        if relay is not None:
            link.relay = relay
            relay.begin(link)
        self._arrivals.add(link, entrant)
        return link.text_received if relay is None else relay.from_station

    def closed(self, connection: Connection, code: int, reason: str) -> None:
        """A socket is gone: only its own link ends, never a newer one of the same station."""
        link = self._by_connection.pop(connection, None)
        if link is None:
            return
        if link.ready:
            link.work_off()  # what it had said before it hung up
        link.end(reason)
        if link.relay is not None:
            link.relay.end()
        if not link.ready:
            return
        record = link.station.record
        if self.links.get(record.id) is link:
            del self.links[record.id]
            gone = StationDisconnected(
                record.tenant_id,
                record.id,
                link.identity,
                link.epoch,
                self._clock(),
                reason or f"closed with {code}",
            )
            self.tell([gone])

    def _relay_of(self, connection: Connection, entrant: Entrant) -> RelayedConnection | None:
        relay = None
        if self.relays is not None and entrant.record is not None:
            relay = self.relays.find(entrant.record.id)
        if relay is None or self.relays is None:
            return None
        return RelayedConnection(connection, self.relays, relay, entrant.record)

    # LinkHost

    def publish(self, records: list[Any]) -> None:
        """Tell the bus what was committed."""
        self._bus.publish_all(records)

    def tell(self, records: list[Any]) -> None:
        """Keep records that belong to no message of a station, and tell the bus when they are committed."""
        self.writer.submit(Entry(0, 0, records, told=records))

    def counted(self, link: StationLink, code: str) -> None:
        """Count a repair for the station's model."""
        station = link.station
        self._deviations[
            station.record.tenant_id, station.record.id, station.vendor, station.model, code
        ] += 1

    def secret_used(self, station_id: int) -> None:
        """A station came in with the secret that it had been given."""
        self._onboarding.secret_used(station_id)

    def boot_accepted(self, link: StationLink) -> None:
        """A station may work from now on: give it its own secret and configuration if it is new."""
        if link.station.record.enrolled:
            self.run(self._onboarding.welcome(link))

    async def look_up(self, link: StationLink, needed: LookupNeeded) -> None:
        """Read a fact that a decision needs into memory; waits while the database is away."""
        if isinstance(needed, StatusLookup):
            await self.services.statuses.look_up(needed.queries, self._clock)
            return
        record = link.station.record
        await retry_while_away(lambda: self._look_up(link, record, needed), lambda: link.alive)

    async def _look_up(self, link: StationLink, record: StationRecord, needed: LookupNeeded) -> None:
        changes = self.tokens.changes
        # What this very connection said before may still be on its way to the disk.
        if isinstance(needed, (SessionLookup, StartLookup)):
            await self.writer.settled()
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
                case NumberLookup():
                    self._numbers.add(await next_transaction_block(connection))
                case _:
                    raise TypeError(f"no way to look up {needed!r}")

    # StationCaller

    async def call(self, station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> CallAnswer:
        """Send a CALL to a station after checking it against the station's version.

        Raises: NotConnected, InvalidPayload (nothing is sent), NoAnswer.
        """
        link = self.links.get(station_id)
        if link is None:
            raise NotConnected(say("not_connected_now", "the station is not connected now"))
        try:
            if direction(link.version, action) == "cs":
                raise InvalidPayload(f"{action} is sent by stations only (OCPP {link.version})")
            decode_request(link.version, action, payload)
        except UnknownAction as error:
            raise InvalidPayload(str(error)) from error
        except PayloadError as error:
            raise InvalidPayload(f"{action} of OCPP {link.version}: {error}") from error
        return await link.call(action, payload, timeout_s)

    async def renew_secret(self, station_id: int) -> bool:
        """Give a station a new secret; the old one stays good until the new one was used. Raises: NotConnected."""
        link = self.links.get(station_id)
        if link is None:
            raise NotConnected(say("not_connected_now", "the station is not connected now"))
        return await self._onboarding.renew(link)

    def link(self, station_id: int) -> LinkInfo | None:
        """Tell of a station's live connection."""
        link = self.links.get(station_id)
        if link is None:
            return None
        return LinkInfo(link.version.value, link.arrived_at, link.seen_at, link.connection.remote_address)

    @property
    def connected(self) -> int:
        """How many stations are connected and attached."""
        return len(self.links)

    # ArrivalHost

    def attached(self, link: StationLink, former: StationLink | None) -> None:
        """A station's link works from now on; `former` is the one that it replaced."""
        record = link.station.record
        now = self._clock()
        address = link.connection.remote_address
        self._bus.publish(
            StationConnected(
                record.tenant_id,
                record.id,
                record.identity,
                link.version.value,
                link.epoch,
                now,
                address,
                link.security_profile,
                link.certificate_sha256,
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
            self.tell([event])
        if record.admission is Admission.ACCEPTED and not record.vendor and link.behaviour.boot_trigger:
            self.run(self._onboarding.ask_for_boot(link, after_s=5))

    def _station_changed(self, notice: StationChanged) -> None:
        record = notice.record
        self._arrivals.changed(record)
        link = self.links.get(record.id)
        if link is None:
            return
        before = link.station.record
        link.station.record = record
        if before.admission is not record.admission and link.behaviour.boot_trigger:
            self.run(self._onboarding.ask_for_boot(link, after_s=0))

    def _station_removed(self, notice: StationRemoved) -> None:
        link = self.links.pop(notice.station_id, None)
        if link is not None:
            link.end("the station was removed")
            link.connection.close(1008, "unknown station")

    def _relay_changed(self, notice: RelayChanged) -> None:
        """A relay begins and ends with a connection."""
        link = self.links.get(notice.station_id)
        if link is not None:
            link.connection.close(1012, "the relay was changed")

    def _certificate_held(self, notice: CertificateHeld) -> None:
        """A connection does not outlive its certificate's revocation."""
        link = self.links.get(notice.station_id)
        if notice.revoked and link is not None and link.certificate_sha256 == notice.sha256:
            link.connection.close(1008, "certificate revoked")

    # Background work

    async def _reserve_numbers(self) -> None:
        async with self._database.service.acquire() as connection:
            while len(self._numbers) < 2048:
                self._numbers.add(await next_transaction_block(connection))
        self._numbers.low.clear()

    async def _keep_numbers(self) -> None:
        while True:
            await self._numbers.low.wait()
            await retry_while_away(self._reserve_numbers, lambda: True)

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(15)
            self._flush()

    def _flush(self) -> None:
        """Keep when stations were last heard of, and which repairs they needed."""
        links = list(self.links.values())
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
