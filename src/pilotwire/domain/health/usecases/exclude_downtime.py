"""Downtime that does not count against uptime: entered by people, with the reason that the rule asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.health import queries
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import setup_queries
from pilotwire.domain.stations.queries import find_station_id

__all__ = ["Exclusion", "ExclusionReason", "exclude_downtime", "list_downtime", "remove_downtime"]


class ExclusionReason(StrEnum):
    """What the rule lets be taken out. Spec: 23 CFR 680.116(b)(3), T_excluded."""

    UTILITY_OUTAGE = "utility_outage"
    VEHICLE_FAULT = "vehicle_fault"
    SCHEDULED_MAINTENANCE = "scheduled_maintenance"
    VANDALISM = "vandalism"
    NATURAL_DISASTER = "natural_disaster"


async def list_downtime(
    db: Database, principal: Principal, before: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List downtime that does not count, the newest entry first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_downtime(connection, before=before, limit=limit)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A time, of a station, one of its EVSEs, or all stations of a site."""

    reason: ExclusionReason
    started_at: datetime
    ended_at: datetime
    station_id: str | None = None
    evse_id: int | None = None
    site_id: UUID | None = None
    note: str = ""


async def exclude_downtime(db: Database, principal: Principal, wanted: Exclusion) -> Row[Any]:
    """Take a time out of the outages that count.

    Raises: NotFound for station or site; Invalid for a time that ends before it begins.
    """
    require(principal, Right.CHANGE_STATIONS)
    if (wanted.station_id is None) == (wanted.site_id is None):
        raise Invalid("name exactly one of station_id and site_id")
    if wanted.evse_id is not None and wanted.station_id is None:
        raise Invalid("evse_id is of a station: name its station_id")
    if wanted.started_at >= wanted.ended_at:
        raise Invalid("the downtime ends before it begins")
    downtime_id = new_uuid()
    async with db.tenant(principal.scope) as connection:
        values = {
            "station_id": await _place(connection, wanted),
            "site_id": wanted.site_id,
            "evse_no": wanted.evse_id,
            "started_at": wanted.started_at,
            "ended_at": wanted.ended_at,
            "reason": wanted.reason.value,
            "note": wanted.note,
        }
        await queries.insert_downtime(
            connection,
            {"id": downtime_id, "tenant_id": principal.tenant_id, "created_by": principal.name, **values},
        )
        subject = wanted.station_id or str(wanted.site_id)
        await keep_audit(connection, principal, "downtime.excluded", subject, after=values)
        return await _downtime(connection, downtime_id)


async def _place(connection: Any, wanted: Exclusion) -> int | None:
    """Give the station's number; foreign keys would accept another tenant's things."""
    if wanted.station_id is not None:
        number = await find_station_id(connection, wanted.station_id)
        if number is None:
            raise NotFound(
                say("station_unknown", "there is no station '{station}'", station=wanted.station_id)
            )
        return number
    if wanted.site_id is not None:
        await setup_queries.get_site(connection, wanted.site_id)
    return None


async def remove_downtime(db: Database, principal: Principal, downtime_id: UUID) -> None:
    """Let a time count again.

    Raises: NotFound.
    """
    require(principal, Right.CHANGE_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = await _downtime(connection, downtime_id)
        await queries.delete_downtime(connection, downtime_id)
        before = {"reason": row.reason, "started_at": row.started_at, "ended_at": row.ended_at}
        subject = row.station_identity or str(row.site_id)
        await keep_audit(connection, principal, "downtime.included", subject, before=before)


async def _downtime(connection: Any, downtime_id: UUID) -> Row[Any]:
    row = await queries.find_downtime(connection, downtime_id)
    if row is None:
        raise NotFound(f"there is no entry of downtime {downtime_id}")
    return row
