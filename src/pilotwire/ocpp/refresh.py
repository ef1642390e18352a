"""Changes made by other processes (the command line, an administrator's SQL) reach the memory of this one.

PostgreSQL tells of them by NOTIFY; what changed is read again and told to the bus. After a lost connection
everything is read again, because notices may have been missed.
"""

import asyncio

import asyncpg
import structlog

from pilotwire.bus import LocalBus
from pilotwire.db.connection import connect
from pilotwire.db.engine import Database
from pilotwire.db.writer import is_transient
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.lookup import find_token
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.domain.stations.repository import list_enrolment_keys, list_records
from pilotwire.ocpp.doorkeeper import StationDirectory
from pilotwire.ocpp.tokens import TokenCache

__all__ = ["Refresher"]

log = structlog.get_logger(__name__)

_CHANNEL = "pilotwire"
_GATHER_S = 0.05
_RETRY_S = 1.0


class Refresher:
    """Listens for notices and keeps directory and tokens as the database has them."""

    def __init__(
        self, database: Database, bus: LocalBus, directory: StationDirectory, tokens: TokenCache
    ) -> None:
        self._database = database
        self._bus = bus
        self._directory = directory
        self._tokens = tokens
        self._notices: set[str] = set()
        self._some = asyncio.Event()
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled; a lost database is waited for."""
        first = True
        while True:
            try:
                connection = await connect(
                    self._database.dsn, server_settings={"application_name": "pilotwire refresh"}
                )
                try:
                    await connection.add_listener(_CHANNEL, self._heard)
                    connection.add_termination_listener(lambda _: self._some.set())
                    if not first:
                        await self._read_everything()
                    self.listening.set()
                    first = False
                    await self._follow(connection)
                finally:
                    connection.terminate()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.debug("not listening for changes", error=repr(error))
            await asyncio.sleep(_RETRY_S)

    def _heard(self, *notice: object) -> None:
        self._notices.add(str(notice[-1]))
        self._some.set()

    async def _follow(self, connection: asyncpg.Connection) -> None:
        while not connection.is_closed():
            await self._some.wait()
            await asyncio.sleep(_GATHER_S)
            self._some.clear()
            notices, self._notices = self._notices, set()
            await self._take(notices)

    async def _take(self, notices: set[str]) -> None:
        stations = [int(notice.split()[1]) for notice in notices if notice.startswith("station ")]
        async with self._database.service.acquire() as connection:
            if stations:
                records = {record.id: record for record in await list_records(connection, stations)}
                for station_id in stations:
                    record = records.get(station_id)
                    known = self._directory.by_id(station_id)
                    if record is not None and record != known:
                        self._bus.publish(StationChanged(record))
                    elif record is None and known is not None:
                        self._bus.publish(StationRemoved(station_id, known.identity))
            if "enrolment_key" in notices:
                self._directory.set_keys(await list_enrolment_keys(connection))
            for notice in notices:
                if notice.startswith("token "):
                    _, tenant_id, folded_uid = notice.split(" ", 2)
                    token = await find_token(connection, int(tenant_id), folded_uid)
                    self._bus.publish(TokenChanged(int(tenant_id), folded_uid, token))

    async def _read_everything(self) -> None:
        async with self._database.service.acquire() as connection:
            records = await list_records(connection)
            keys = await list_enrolment_keys(connection)
        present = {record.id for record in records}
        for known in self._directory.records():
            if known.id not in present:
                self._bus.publish(StationRemoved(known.id, known.identity))
        for record in records:
            if record != self._directory.by_id(record.id):
                self._bus.publish(StationChanged(record))
        self._directory.set_keys(keys)
        self._tokens.forget()
