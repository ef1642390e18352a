"""The network in figures: `/overview`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Query
from pydantic import Field

from pilotwire.core.errors import Invalid
from pilotwire.domain.sessions.usecases import view_sessions
from pilotwire.domain.stations.usecases import view_stations
from pilotwire.web.api.fields import Shown, exact
from pilotwire.web.auth import Asking, Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["overview"])


class Overview(Shown):
    """The network in figures."""

    stations: int
    connected: int
    connectors: int
    charging: int = Field(description="Connectors of connected stations that charge.")
    active_sessions: int
    power_w: float
    energy_today_wh: int | float = Field(description="Energy of the sessions that began since midnight.")
    stations_url: str = Field(description="Where stations connect, without their identity.")
    stations_tls_url: str = Field(description="The same over TLS; empty when there is no such port.")


class PowerPoint(Shown):
    """The network's power at a moment."""

    at: datetime
    power_w: float


class PowerHistory(Shown):
    """The network's power over the last while, from meter samples."""

    step_s: int
    points: list[PowerPoint]


@router.get("/overview")
async def get_overview(
    asking: Asking,
    services: Services,
    time_zone: Annotated[str, Query(max_length=60, description="Where 'today' is; IANA name.")] = "UTC",
) -> Overview:
    """Get the network's sums: what a wall display shows."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"'{time_zone}' is no time zone of the IANA database") from error
    midnight = services.clock().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = await view_stations.count_network(services.db, asking)
    sums = await view_sessions.sum_sessions(services.db, asking, midnight.astimezone(UTC))
    return Overview(
        stations=counts.stations,
        connected=counts.connected,
        connectors=counts.connectors,
        charging=counts.charging,
        active_sessions=sums.active,
        power_w=round(sums.power_w, 1),
        energy_today_wh=exact(sums.energy_wh) or 0,
        stations_url=services.stations_url,
        stations_tls_url=services.stations_tls_url,
    )


@router.get("/overview/power")
async def get_power_history(
    asking: Asking,
    services: Services,
    minutes: Annotated[int, Query(ge=5, le=1440, description="How far back.")] = 60,
) -> PowerHistory:
    """Get the power of all sessions, added up once a minute; once in ten minutes beyond six hours."""
    step = timedelta(minutes=1 if minutes <= 360 else 10)
    now = services.clock()
    points = await view_sessions.sum_power(services.db, asking, now - timedelta(minutes=minutes), now, step)
    return PowerHistory(
        step_s=int(step.total_seconds()),
        points=[PowerPoint(at=at, power_w=round(power_w, 1)) for at, power_w in points],
    )
