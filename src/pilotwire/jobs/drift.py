"""Finds where stations differ from their templates: again whenever one of the two has changed."""

import asyncpg

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.domain.configuration import repository as rows
from pilotwire.domain.configuration.compare import Make, Template, find_drift, wanted_settings
from pilotwire.domain.configuration.events import DriftChanged
from pilotwire.domain.configuration.reading_repository import list_compared

__all__ = ["DriftFinder"]

_AT_ONCE = 200


class DriftFinder:
    """Compares the stations that were added, some at a time."""

    def __init__(self, database: Database, bus: LocalBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._changed: dict[int, None] = {}

    def add(self, station_id: int) -> None:
        """Have a station compared soon."""
        self._changed[station_id] = None

    async def add_tenant(self, tenant_id: int) -> None:
        """Have every station of a tenant compared soon."""
        after = 0
        while True:
            async with self._database.service.acquire() as connection:
                found = await list_compared(connection, tenant_id, after, 1000)
            self._changed.update(dict.fromkeys(found))
            if len(found) < 1000:
                return
            after = found[-1]

    async def work(self) -> None:
        """Compare some of the stations that wait."""
        chosen = list(self._changed)[:_AT_ONCE]
        if not chosen:
            return
        for station_id in chosen:
            del self._changed[station_id]
        try:
            await self._compare(chosen)
        except BaseException:
            self._changed.update(dict.fromkeys(chosen))
            raise

    async def _compare(self, station_ids: list[int]) -> None:
        templates: dict[int, list[Template]] = {}
        async with self._database.service.acquire() as connection:
            for tenant_id, identity, make, complete, before in await rows.list_makes(connection, station_ids):
                if tenant_id not in templates:
                    templates[tenant_id] = await rows.list_templates(connection, tenant_id)
                after = await self._compare_one(
                    connection, tenant_id, make, templates[tenant_id], complete=complete, before=before
                )
                if after != before:
                    self._bus.publish(DriftChanged(tenant_id, make.station_id, identity, after))

    async def _compare_one(
        self, connection: asyncpg.Connection, tenant_id: int, make: Make, templates: list[Template], *,
        complete: bool, before: int,
    ) -> int:  # fmt: skip
        wanted = wanted_settings(templates, make)
        if not wanted and not before:
            return 0
        actual = await rows.list_actual(connection, make.station_id, wanted)
        found = find_drift(wanted, actual, make.ocpp_version, complete=complete)
        async with connection.transaction():
            await rows.keep_drift(connection, tenant_id, make.station_id, found, self._clock())
        return len(found)
