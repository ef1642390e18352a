"""Opening the database, and ending what runs beside."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from pilotwire.db.embedded import EmbeddedPostgres
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.settings import Settings

__all__ = ["cancelled", "open_database"]

_TOLD_AGAIN_S = 1.0


async def open_database(
    settings: Settings, stack: AsyncExitStack, progress: Callable[[str], None] | None = None
) -> Database:
    """Open the operator's PostgreSQL, or start the embedded one; bring its schema up to date.

    The embedded server is watched: if it dies it is started again.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        postgres = EmbeddedPostgres(settings.data_dir / "postgres")
        url = await postgres.start(progress)
        stack.push_async_callback(postgres.stop)
        watching = asyncio.create_task(postgres.watch())
        stack.push_async_callback(cancelled, watching)
    database = Database(url)
    stack.push_async_callback(database.close)
    await migrate(database.engine)
    await database.open()
    return database


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel what runs beside, and wait for its end.

    It is told again each second: in Python 3.11 `asyncio.wait_for` forgets that it was cancelled when what it waited for
    came in the same moment, and its task would go on for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_TOLD_AGAIN_S)
    await asyncio.gather(task, return_exceptions=True)
