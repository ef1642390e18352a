"""From an open socket to a working link: many stations at once, the newest connection of each wins."""

import asyncio
import hmac
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import asyncpg
import structlog

from pilotwire.db.engine import Database
from pilotwire.db.lanes import WriterLanes
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.sessions.repository import load_views
from pilotwire.domain.stations.events import EnrolmentKeysChanged
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.records import StationDisconnected
from pilotwire.domain.stations.repository import attach, insert_enrolled, list_records, promote_secret
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.doorkeeper import Entrant
from pilotwire.ocpp.link import StationLink

__all__ = ["Arrivals"]

log = structlog.get_logger(__name__)

_ATTACH_AT_ONCE = 500
_SWAPS_KEPT = 20
_SWAP_WINDOW_S = 60.0

Arrival = tuple[StationLink, Entrant]


class ArrivalHost(Protocol):
    """What arrivals ask of the switchboard. `links` are the attached ones by station."""

    links: dict[int, StationLink]
    writer: WriterLanes

    def now(self) -> datetime: ...
    def publish(self, records: list[Any]) -> None: ...
    def tell(self, records: list[Any]) -> None: ...
    def attached(self, link: StationLink, former: StationLink | None) -> None: ...
    def secret_used(self, station_id: int) -> None: ...


class Arrivals:
    """Attaches the links of new connections: each gets its epoch and its station's state from the database."""

    def __init__(self, host: ArrivalHost, database: Database, name: str) -> None:
        self._host = host
        self._database = database
        self._name = name
        self._waiting: deque[Arrival] = deque()
        self._arrived = asyncio.Event()
        self._swaps: dict[int, deque[float]] = {}
        self._changed: dict[int, StationRecord] = {}

    def add(self, link: StationLink, entrant: Entrant) -> None:
        """Take a new connection; it is attached soon, unless its station's connections push each other out."""
        if entrant.record is not None and self._swapped_too_often(entrant.record.id):
            link.end("connections replace each other too often")
            link.connection.close(1013, "connected elsewhere")
            return
        self._waiting.append((link, entrant))
        self._arrived.set()

    def changed(self, record: StationRecord) -> None:
        """Somebody changed a station: what a running attachment has read of it may be older."""
        self._changed[record.id] = record

    async def work(self) -> None:
        """Attach what arrives, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                count = min(len(self._waiting), _ATTACH_AT_ONCE)
                await self._attach_all(self._newest(self._waiting.popleft() for _ in range(count)))

    def _newest(self, arriving: Iterable[Arrival]) -> list[Arrival]:
        newest: dict[str, Arrival] = {}
        for link, entrant in arriving:
            if entrant.identity in newest:
                _supersede(newest[entrant.identity][0])
            newest[entrant.identity] = (link, entrant)
        return list(newest.values())

    async def _attach_all(self, arriving: list[Arrival]) -> None:
        """Attach a batch; when that fails for another reason than the database being away, one by one."""
        try:
            await retry_while_away(partial(self._attach, arriving), lambda: True)
        except Exception as error:
            if len(arriving) == 1:
                link = arriving[0][0]
                log.exception("attaching a station failed", station=link.identity, error=repr(error))
                link.end("attaching failed")
                link.connection.close(1011, "try again")
                return
            for one in arriving:
                await self._attach_all([one])

    async def _attach(self, arriving: list[Arrival]) -> None:
        self._changed.clear()
        links = self._host.links
        async with self._database.service.acquire() as connection:
            known = await self._admitted(connection, arriving)
            if not known:
                return
            formers = {station_id: links.pop(station_id, None) for station_id in known}
            if any(formers.values()):
                for former in filter(None, formers.values()):
                    _supersede(former)
                # What the former connections said is on the disk before it is read for the new ones.
                await self._host.writer.settled()
            attached = await attach(
                connection,
                self._name,
                [
                    (id_, link.version.value, link.connection.remote_address, link.security_profile)
                    for id_, link in known.items()
                ],
            )
            records = {record.id: record for record in await list_records(connection, list(known))}
            views = await load_views(connection, list(known))
        for station_id, link in known.items():
            state, record = attached.get(station_id), records.get(station_id)
            if state is None or record is None:  # deleted in this very moment
                link.end("removed")
                link.connection.close(1008, "unknown station")
            elif not link.alive:
                self._gone_meanwhile(record, state.epoch)
            else:
                links[station_id] = link
                record = self._changed.get(station_id, record)
                link.attach(StationView(record, state.connectors), views[station_id], state.epoch)
                self._host.attached(link, formers[station_id])

    def _gone_meanwhile(self, record: StationRecord, epoch: int) -> None:
        """The database took the station for connected when its socket had gone already."""
        gone = StationDisconnected(
            record.tenant_id, record.id, record.identity, epoch, self._host.now(), "gone at once"
        )
        self._host.tell([gone])

    async def _admitted(
        self, connection: asyncpg.Connection, arriving: list[Arrival]
    ) -> dict[int, StationLink]:
        """Give the arriving links by their station, newcomers by now included."""
        known: dict[int, StationLink] = {}
        for link, entrant in arriving:
            if not link.alive:
                continue
            if entrant.record is None:
                record = await self._enrol(connection, link, entrant)
                if record is None:
                    continue
                known[record.id] = link
                continue
            if link.used_next_secret:
                await self._promote(connection, link, entrant, entrant.record.id)
            known[entrant.record.id] = link
        return known

    async def _enrol(
        self, connection: asyncpg.Connection, link: StationLink, entrant: Entrant
    ) -> StationRecord | None:
        assert entrant.key is not None  # noqa: S101 - who has no record came with a key
        record = await insert_enrolled(connection, entrant.key, entrant.identity, entrant.secret_digest)
        if record is None:
            link.end("the enrolment key is used up")
            link.connection.close(1008, "not enrolled")
        elif not hmac.compare_digest(record.secret_digest, entrant.secret_digest):
            # Somebody added a station of this identity since the handshake; a key does not open that one.
            link.end("the identity is taken")
            link.connection.close(1008, "not enrolled")
            record = None
        else:
            self._host.publish([StationChanged(record)])
        self._host.publish([EnrolmentKeysChanged(entrant.key.tenant_id)])
        return record

    async def _promote(
        self, connection: asyncpg.Connection, link: StationLink, entrant: Entrant, station_id: int
    ) -> None:
        await promote_secret(connection, station_id, entrant.secret_digest)
        link.used_next_secret = False
        self._host.secret_used(station_id)
        for record in await list_records(connection, [station_id]):
            self._host.publish([StationChanged(record)])

    def _swapped_too_often(self, station_id: int) -> bool:
        """Two sockets that push each other out for ever: the newcomer is held off, the connected one stays."""
        if station_id not in self._host.links:
            return False
        swaps = self._swaps.setdefault(station_id, deque(maxlen=_SWAPS_KEPT))
        now = asyncio.get_running_loop().time()
        if len(swaps) == _SWAPS_KEPT and now - swaps[0] < _SWAP_WINDOW_S:
            return True
        swaps.append(now)
        return False


def _supersede(link: StationLink) -> None:
    link.end("replaced by a newer connection")
    link.connection.close(1000, "replaced by a newer connection")
