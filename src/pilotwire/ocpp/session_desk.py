"""Sessions ended by us: in the order of the station's messages when it is connected, fenced by its epoch when not."""

import asyncio
from typing import Any
from uuid import UUID

from pilotwire.core.errors import NotFound, Unavailable
from pilotwire.db.engine import Database
from pilotwire.db.writer import Entry, Fenced
from pilotwire.domain.lookups import LookupNeeded, SessionLookup
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.repository import look_up_ref
from pilotwire.domain.sessions.settle import Settling, decide_settlement
from pilotwire.domain.sessions.view import SessionsView
from pilotwire.domain.stations.repository import list_records, presence_of
from pilotwire.ocpp.handlers.context import deciding
from pilotwire.ocpp.link import StationLink
from pilotwire.ocpp.switchboard import Switchboard

__all__ = ["SessionDesk"]

_PATIENCE_S = 15.0
_PAUSE_S = 0.05


class _Settled(Entry):
    """A settlement on its way to the disk. `link` is the connection whose memory it has changed already."""

    __slots__ = ("_link", "done")

    def __init__(self, link: StationLink | None, station_id: int, epoch: int, records: list[Any]) -> None:
        super().__init__(station_id, epoch, records, told=records)
        self._link = link
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kept(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def failed(self, error: BaseException) -> None:
        if self._link is not None and self._link.alive:
            # What is in memory has gone past what is on disk: the station connects again and is read anew.
            self._link.end("a settlement could not be kept")
            self._link.connection.close(1011, "state is read again")
        if not self.done.done():
            self.done.set_exception(error)


class SessionDesk:
    """Ends sessions of connected, absent and vanished stations alike."""

    def __init__(self, board: Switchboard, database: Database) -> None:
        self._board = board
        self._database = database
        self._locks: dict[int, tuple[asyncio.Lock, int]] = {}

    async def settle(self, station_id: int, settling: Settling) -> UUID:
        """End a session. Raises: see the protocol."""
        lock, users = self._locks.get(station_id, (asyncio.Lock(), 0))
        self._locks[station_id] = (lock, users + 1)
        try:
            async with asyncio.timeout(_PATIENCE_S), lock:
                return await self._settle(station_id, settling)
        except TimeoutError:
            raise Unavailable("the session could not be ended now; try again in a moment") from None
        finally:
            lock, users = self._locks[station_id]
            if users == 1:
                del self._locks[station_id]
            else:
                self._locks[station_id] = (lock, users - 1)

    async def _settle(self, station_id: int, settling: Settling) -> UUID:
        while True:
            link = self._board.links.get(station_id)
            entry, facts = (
                await self._through_link(link, settling)
                if link is not None
                else await self._at_rest(station_id, settling)
            )
            if entry is None or facts is None:
                await asyncio.sleep(_PAUSE_S)
                continue
            self._board.writer.submit(entry)
            try:
                await asyncio.shield(entry.done)
            except Fenced:  # it has connected anew since: what it says there comes first
                await asyncio.sleep(_PAUSE_S)
                continue
            return facts.id

    async def _through_link(
        self, link: StationLink, settling: Settling
    ) -> tuple[_Settled | None, SessionFacts | None]:
        while link.alive:
            state = deciding(self._board.services, link.station.record, self._board.now())
            try:
                facts, records = decide_settlement(link.sessions, settling, state)
            except LookupNeeded as needed:
                await self._board.look_up(link, needed)
                continue
            return _Settled(link, link.station.record.id, link.epoch, records), facts
        return None, None

    async def _at_rest(
        self, station_id: int, settling: Settling
    ) -> tuple[_Settled | None, SessionFacts | None]:
        """Decide from the disk. Who connects meanwhile raises the epoch, and this is not written then."""
        await self._board.writer.settled()
        async with self._database.service.acquire() as connection:
            records_of = await list_records(connection, [station_id])
            presence = await presence_of(connection, station_id)
            facts = await look_up_ref(connection, station_id, settling.transaction_ref)
        if not records_of or facts is None:
            raise NotFound("the session does not exist any more")
        if presence is None or presence.connected:
            return None, None  # about to be attached, or its end is about to be written
        view = SessionsView()
        view.remember(facts)
        state = deciding(self._board.services, records_of[0], self._board.now())
        try:
            facts, records = decide_settlement(view, settling, state)
        except SessionLookup:
            raise NotFound("the session does not exist any more") from None
        return _Settled(None, station_id, presence.epoch, records), facts
