"""Commands that are held back: until a maintenance window opens, or until a session has ended."""

from collections.abc import Callable
from datetime import datetime

from pilotwire.db.engine import Database
from pilotwire.domain.operations import repository as rows
from pilotwire.domain.operations.holding import WAITS_FOR_IDLE, find_hold
from pilotwire.domain.operations.repository import Head
from pilotwire.domain.sessions.records import SessionKept

__all__ = ["Holds"]


class Holds:
    """Puts commands off; `on_free` is called with a station at which a session has ended that was waited for."""

    def __init__(self, database: Database, on_free: Callable[[int], None]) -> None:
        self._database = database
        self._on_free = on_free
        self._wait_for_idle: set[int] = set()

    async def held_until(self, head: Head, now: datetime) -> datetime | None:
        """Put a command off that its task does not want to be sent now, and tell until when."""
        if head.window is None and not head.only_idle:
            return None
        async with self._database.service.acquire() as connection:
            hold = await find_hold(connection, head, now)
            if hold is None:
                return None
            await rows.put_off(connection, head.id, hold.until, hold.outcome, hold.detail)
        if hold.outcome == WAITS_FOR_IDLE:
            self._wait_for_idle.add(head.station_id)
        return hold.until

    def session_kept(self, notice: SessionKept) -> None:
        """Hear of sessions."""
        if notice.station_id in self._wait_for_idle and notice.facts.ended:
            self._wait_for_idle.discard(notice.station_id)
            self._on_free(notice.station_id)

    async def release(self, station_id: int) -> None:
        """Let the commands of a station go that waited for its session's end."""
        async with self._database.service.acquire() as connection:
            await rows.hurry(connection, station_id, WAITS_FOR_IDLE)
