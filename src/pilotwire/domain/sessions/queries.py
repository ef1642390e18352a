"""Sums over sessions in SQL, for people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.sessions.tables import session

__all__ = ["SessionSums", "sum_power_by_step", "sum_sessions"]


@dataclass(frozen=True, slots=True)
class SessionSums:
    """What goes on now, and what was delivered by the sessions that began since a moment."""

    active: int
    power_w: float
    energy_wh: Decimal


async def sum_sessions(connection: AsyncConnection, since: datetime) -> SessionSums:
    """Add up the open sessions' power, and the energy of the sessions that began since `since`."""
    now = select(func.count(), func.sum(session.c.power_w)).where(session.c.ended_at.is_(None))
    active, power_w = (await connection.execute(now)).one()
    # Ids are ordered by the time of their making, which is no earlier than the start: the index finds them.
    first_id = UUID(int=(int(since.timestamp() * 1000) << 80))
    begun = select(func.sum(session.c.energy_wh)).where(
        session.c.id >= first_id, session.c.started_at >= since
    )
    energy_wh = await connection.scalar(begun)
    return SessionSums(active, power_w or 0.0, energy_wh or Decimal(0))


# A sample holds until the session's next one, its end, or a quarter of an hour: what it adds comes with it and goes
# with that moment. Running sums of the changes are the network's power.
_POWER_CHANGES = text("""
    WITH measured AS (
        SELECT sample.session_id, sample.at, sample.power_w,
               lead(sample.at) OVER (PARTITION BY sample.session_id ORDER BY sample.at) AS next_at
        FROM sample
        WHERE sample.received_at >= :begin AND sample.at >= :begin
          AND sample.power_w IS NOT NULL AND sample.session_id IS NOT NULL
    ), held AS (
        SELECT measured.at, measured.power_w,
               least(measured.next_at, session.ended_at, measured.at + interval '15 minutes') AS until
        FROM measured JOIN session ON session.id = measured.session_id
    ), changes AS (
        SELECT at, power_w AS change FROM held WHERE until > at
        UNION ALL
        SELECT until, -power_w FROM held WHERE until > at
    )
    SELECT date_bin(:step, at, :begin) AS step_at, sum(change) AS change
    FROM changes WHERE at <= :now GROUP BY step_at ORDER BY step_at
""")
_HELD = timedelta(minutes=15)


async def sum_power_by_step(
    connection: AsyncConnection, since: datetime, now: datetime, step: timedelta
) -> list[tuple[datetime, float]]:
    """Add up the power of all sessions at the end of each step from `since` to `now`, from their samples."""
    begin = since - _HELD
    rows = await connection.execute(_POWER_CHANGES, {"begin": begin, "now": now, "step": step})
    changes = {row.step_at: row.change for row in rows}
    points: list[tuple[datetime, float]] = []
    power_w, step_at = 0.0, begin
    while step_at + step <= now:
        power_w += changes.get(step_at, 0.0)
        step_at += step
        if step_at >= since:
            points.append((step_at, max(power_w, 0.0)))
    return points
