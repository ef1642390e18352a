"""What holds a command back although its station would take it: the maintenance window, a running session."""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from pilotwire.core.texts import Text, say
from pilotwire.domain.operations.repository import Head
from pilotwire.domain.operations.rollout import next_opening
from pilotwire.domain.sessions.repository import has_open_session
from pilotwire.domain.stations.repository import find_make

__all__ = ["WAITS_FOR_IDLE", "Hold", "find_hold"]

WAITS_FOR_IDLE = "waits_for_idle"
_LOOK_AGAIN = timedelta(seconds=60)


class Hold(msgspec.Struct, frozen=True):
    """Until when a command is held back, and why."""

    until: datetime
    outcome: str
    detail: Text


async def find_hold(connection: asyncpg.Connection, head: Head, now: datetime) -> Hold | None:
    """Find what holds a command back now."""
    if head.window is not None:
        make = await find_make(connection, head.station_id)
        opens = next_opening(head.window, make.time_zone, now)
        if opens is not None:
            return Hold(
                opens, "waits_for_window", say("waits_for_window", "waits for the maintenance window")
            )
    if head.only_idle and await has_open_session(connection, head.station_id):
        return Hold(
            now + _LOOK_AGAIN,
            WAITS_FOR_IDLE,
            say("waits_for_idle", "waits for the end of the session that runs"),
        )
    return None
