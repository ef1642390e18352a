"""Sums over sessions in SQL, for people."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.sessions.tables import session

__all__ = ["SessionSums", "sum_sessions"]


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
