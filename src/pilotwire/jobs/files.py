"""Keep the store of files: logs no older than the retention, nothing that nobody knows."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.domain.transfers import repository
from pilotwire.domain.transfers.ports import FileStore

__all__ = ["keep_files", "keep_files_for_ever"]

log = structlog.get_logger(__name__)

_GRACE = timedelta(days=1)
_GRANTS = timedelta(days=90)


async def keep_files(database: Database, store: FileStore, clock: Clock, log_days: int) -> int:
    """Remove logs past retention, and files a day old that no image and no log has; return how many files.

    Repeats: does nothing.
    """
    now = clock()
    async with database.service.acquire() as connection:
        await repository.delete_old_logs(connection, now - timedelta(days=log_days))
        await repository.delete_old_grants(connection, now - _GRANTS)
    old = [key async for key, written_at in store.list() if written_at < now - _GRACE]
    removed = 0
    for start in range(0, len(old), 1000):
        keys = {key: _id_of(key) for key in old[start : start + 1000]}
        async with database.service.acquire() as connection:
            known = await repository.known_files(connection, [each for each in keys.values() if each])
        for key, file_id in keys.items():
            if file_id not in known:
                await store.delete(key)
                removed += 1
    if removed:
        log.info("removed files past retention", files=removed)
    return removed


async def keep_files_for_ever(database: Database, store: FileStore, clock: Clock, log_days: int) -> None:
    """Do so once an hour; what is away is tried again."""
    while True:
        pause_s = 3600
        try:
            await keep_files(database, store, clock, log_days)
        except Exception as error:
            log.warning("files could not be kept; next try in ten minutes", error=repr(error))
            pause_s = 600
        await asyncio.sleep(pause_s)


def _id_of(key: str) -> UUID | None:
    """Give the id in a key; what was not written to its end has none."""
    try:
        return UUID(key.rpartition("/")[2])
    except ValueError:
        return None
