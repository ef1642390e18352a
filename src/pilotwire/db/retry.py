"""Work with the database that has to be done, however long the database is away."""

import asyncio
from collections.abc import Awaitable, Callable

from pilotwire.db.writer import is_transient

__all__ = ["retry_while_away"]

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0


async def retry_while_away(work: Callable[[], Awaitable[None]], wanted: Callable[[], bool]) -> None:
    """Do something, again and again while the database is away, as long as it is `wanted`.

    Raises: whatever `work` raises for a reason other than a database that is away.
    """
    delay_s = _FIRST_DELAY_S
    while wanted():
        try:
            await work()
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)
        else:
            return
