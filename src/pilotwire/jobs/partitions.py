"""Keep the daily partitions: some days ahead, and no older than the retention."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.partitions import drop_old_partitions, make_partitions

__all__ = ["keep_partitions", "keep_partitions_for_ever"]

log = structlog.get_logger(__name__)

_AHEAD = timedelta(days=7)
_LOCK = 7_045_319  # one process at a time


async def keep_partitions(database: Database, clock: Clock, retention_days: Mapping[str, int]) -> list[str]:
    """Make the partitions of the coming week and drop those past retention; return the names of the dropped.

    Repeats: does nothing.
    Raises: asyncpg.LockNotAvailableError when a table is in use for longer than a moment; nothing was done then.
    """
    today = clock().date()
    async with database.service.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return []
        await make_partitions(connection, today, today + _AHEAD)
        dropped: list[str] = []
        for table, days in retention_days.items():
            dropped += await drop_old_partitions(connection, table, today - timedelta(days=days))
    if dropped:
        log.info("dropped partitions past retention", partitions=dropped)
    return dropped


async def keep_partitions_for_ever(
    database: Database, clock: Clock, retention_days: Mapping[str, int]
) -> None:
    """Do so once an hour; a database that is away or busy is tried again."""
    while True:
        pause_s = 3600
        try:
            await keep_partitions(database, clock, retention_days)
        except Exception as error:
            log.warning("partitions could not be kept; next try in a minute", error=repr(error))
            pause_s = 60
        await asyncio.sleep(pause_s)
