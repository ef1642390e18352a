"""Series that others bring: what a kWh of the grid emits, hour by hour, at a site or for all; prices of a site."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Forbidden, Invalid
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.events import ForecastMade
from pilotwire.domain.energy.forecast_tables import energy_tenant_series
from pilotwire.domain.energy.outside_tables import energy_series
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["Kind", "SeriesValue", "list_series", "push_series"]

Kind = Literal["price", "average_intensity", "marginal_intensity"]
_MOST_ROWS = 10_000


class SeriesValue(msgspec.Struct, frozen=True):
    """What holds from a moment to another."""

    starts_at: datetime
    ends_at: datetime
    value: float


async def push_series(
    db: Database,
    bus: LocalBus,
    principal: Principal,
    site_id: UUID | None,
    kind: Kind,
    source: str,
    values: Sequence[SeriesValue],
) -> int:
    """Keep values of a site, or (`site_id` None) of all sites of the tenant; return how many.

    Repeats: what was said before of the same span gives way.
    Raises: NotFound, Invalid, Forbidden.
    """
    require(principal, Right.PUSH_READINGS)
    ordered = sorted(values, key=lambda each: each.starts_at)
    for number, each in enumerate(ordered):
        if each.ends_at <= each.starts_at:
            raise Invalid(f"the value from {each.starts_at.isoformat()} on ends before it begins")
        if number and ordered[number - 1].ends_at > each.starts_at:
            raise Invalid(f"two values hold at {each.starts_at.isoformat()}")
    if site_id is None and principal.sites is not None:
        raise Forbidden("who is limited to sites brings series of these sites, not of all")
    async with db.tenant(principal.scope) as connection:
        table, whose = await _place(connection, principal, site_id)
        where = [
            table.c[name] == value for name, value in whose.items() if name != "tenant_id" or site_id is None
        ]
        since, until = ordered[0].starts_at, ordered[-1].ends_at
        await connection.execute(
            delete(table).where(
                *where, table.c.kind == kind, table.c.starts_at >= since, table.c.starts_at < until
            )
        )
        rows = [{**whose, "kind": kind, "source": source, **msgspec.structs.asdict(each)} for each in ordered]
        await connection.execute(insert(table).values(received_at=func.now()), rows)
        what = {"kind": kind, "source": source, "since": since, "until": until, "values": len(rows)}
        await keep_audit(
            connection, principal, "energy.series_brought", str(site_id or "all sites"), after=what
        )
    if site_id is not None and kind == "price":
        bus.publish(ForecastMade(principal.tenant_id, site_id, fitted=False))
    return len(ordered)


async def list_series(
    db: Database, principal: Principal, site_id: UUID | None, kind: Kind, since: datetime, until: datetime
) -> Sequence[Any]:
    """List the values that hold in a span, in order. Raises: NotFound, Invalid."""
    require(principal, Right.VIEW_NETWORK)
    if until <= since:
        raise Invalid("until lies before since")
    async with db.tenant(principal.scope) as connection:
        table, whose = await _place(connection, principal, site_id)
        query = (
            select(table)
            .where(
                *(table.c[name] == value for name, value in whose.items()),
                table.c.kind == kind,
                table.c.ends_at > since,
                table.c.starts_at < until,
            )
            .order_by(table.c.starts_at)
            .limit(_MOST_ROWS)
        )
        return (await connection.execute(query)).all()


async def _place(connection: Any, principal: Principal, site_id: UUID | None) -> tuple[Table, dict[str, Any]]:
    if site_id is None:
        return energy_tenant_series, {"tenant_id": principal.tenant_id}
    await queries.get_site_with_tree(connection, site_id)
    return energy_series, {"site_id": site_id, "tenant_id": principal.tenant_id}
