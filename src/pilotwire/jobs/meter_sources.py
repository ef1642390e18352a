"""Fetches readings of sites' meters: a task for each source, started again after a pause when it fails."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import PilotwireError
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.meter_sources import MeterFetcher, SourceFailed, read_source
from pilotwire.domain.energy.outside_repository import SourceRow, keep_fetched, list_sources
from pilotwire.domain.energy.usecases.manage_meter_sources import SEAL_PURPOSE
from pilotwire.domain.energy.usecases.push_readings import push_readings
from pilotwire.domain.identity.model import system_principal

__all__ = ["MeterReader"]

log = structlog.get_logger(__name__)

_LOOK_S = 2.0
_PAUSE_S = 5.0
_NOTE_S = 15.0


class MeterReader:
    """Follows every source; what is wrong with one is kept beside it."""

    def __init__(
        self, database: Database, bus: LocalBus, clock: Clock, fetcher: MeterFetcher, seal: Seal
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._fetcher = fetcher
        self._seal = seal
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._noted: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                try:
                    await retry_while_away(self._look, lambda: True)
                except Exception:
                    log.exception("sources of readings could not be looked at; next try soon")
                await asyncio.sleep(_LOOK_S)
        finally:
            await self._stop(list(self._tasks))

    async def _look(self) -> None:
        """Start what is new, stop what is gone. A source that was changed has another id."""
        async with self._database.service.acquire() as connection:
            wanted = {row.id: row for row in await list_sources(connection)}
        await self._stop([each for each in self._tasks if each not in wanted])
        for source_id in wanted.keys() - self._tasks.keys():
            self._tasks[source_id] = asyncio.create_task(self._follow(wanted[source_id]), name="meter source")

    async def _stop(self, gone: list[UUID]) -> None:
        tasks = [self._tasks.pop(each) for each in gone]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in gone:
            self._noted.pop(each, None)

    async def _follow(self, row: SourceRow) -> None:
        async def take(reading: Reading) -> None:
            await self._push(row, reading)

        while True:
            try:
                sealed = row.password
                password = "" if sealed is None else self._seal.open(sealed, SEAL_PURPOSE).decode()
                await self._fetcher.follow(read_source(row.source), password, take)
                problem = "the connection ended"
            except (SourceFailed, PilotwireError) as error:
                problem = str(error)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                problem = f"{type(error).__name__}: {error}"
            except Exception as error:
                log.exception("a meter could not be read", site=str(row.site_id), meter=row.meter)
                problem = f"{type(error).__name__}: {error}"
            await self._note(row, None, problem[:500])
            await asyncio.sleep(_PAUSE_S)

    async def _push(self, row: SourceRow, reading: Reading) -> None:
        principal: Any = system_principal(row.tenant_id)
        await push_readings(
            self._database, self._bus, self._clock, principal, row.site_id, row.meter, [reading]
        )
        now, noted = self._clock(), self._noted.get(row.id)
        if noted is None or (now - noted).total_seconds() >= _NOTE_S:
            await self._note(row, now, "")
            self._noted[row.id] = now

    async def _note(self, row: SourceRow, read_at: datetime | None, problem: str) -> None:
        if problem:
            self._noted.pop(row.id, None)

        async def keep() -> None:
            async with self._database.service.acquire() as connection:
                await keep_fetched(connection, row.id, read_at, problem)

        await retry_while_away(keep, lambda: True)
