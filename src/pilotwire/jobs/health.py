"""Keep the days of health counted, and what they are told from no older than the retention."""

import asyncio
from datetime import timedelta

import structlog

from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.domain.health.counting import count_day, delete_old

__all__ = ["count_days", "keep_days_for_ever"]

log = structlog.get_logger(__name__)

_PAUSE_S = 900
_LATE_H = 6
_LOCK = 7_045_320  # one process at a time


async def count_days(database: Database, clock: Clock, *, back: int, retention_days: int) -> None:
    """Count today and so many days before it again: offline stations tell late.

    Repeats: counts again.
    """
    now = clock()
    async with database.service.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return
        for offset in range(back, -1, -1):
            await count_day(connection, now.date() - timedelta(days=offset))
        await delete_old(connection, now - timedelta(days=retention_days))


async def keep_days_for_ever(database: Database, clock: Clock, retention_days: int) -> None:
    """Do so every quarter of an hour: the last three days at first, later yesterday only in the morning."""
    back = 3
    while True:
        pause_s = _PAUSE_S
        try:
            await count_days(database, clock, back=back, retention_days=retention_days)
            back = 1 if clock().hour < _LATE_H else 0
        except Exception as error:
            log.warning("days of health could not be counted; next try in a minute", error=repr(error))
            pause_s = 60
        await asyncio.sleep(pause_s)
