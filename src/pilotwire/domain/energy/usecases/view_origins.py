"""Looking at where the energy of sessions and sites came from, and what it emitted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.forecast_tables import energy_mix as mix
from pilotwire.domain.energy.forecast_tables import energy_session_step as step
from pilotwire.domain.identity.model import Principal, Right, require

__all__ = ["SOURCES", "get_site_origin", "list_session_origins"]

SOURCES = ("solar", "wind", "battery", "grid")
_MOST_STEPS = 5_000


async def list_session_origins(
    db: Database, principal: Principal, session_ids: Sequence[UUID]
) -> Mapping[UUID, Any]:
    """Give where the energy of sessions came from, of those for which something is known."""
    require(principal, Right.VIEW_NETWORK)
    if not session_ids:
        return {}
    query = (
        select(
            step.c.session_id,
            func.max(step.c.starts_at).label("last_step_at"),
            *_sums(step.c.energy_wh),
        )
        .select_from(step.outerjoin(mix, _same()))
        .where(step.c.session_id.in_(session_ids))
        .group_by(step.c.session_id)
    )
    async with db.tenant(principal.scope) as connection:
        return {row.session_id: row for row in await connection.execute(query)}


async def get_site_origin(
    db: Database, principal: Principal, site_id: UUID, since: datetime, until: datetime, step_s: int
) -> Sequence[tuple[datetime, Any, Any]]:
    """Give in steps what a site used in all, and what of it its sessions took; both by where it came from.

    The site's use is at least that of its sessions, so that what is left is never negative.
    Raises: NotFound, Invalid.
    """
    require(principal, Right.VIEW_NETWORK)
    if until <= since:
        raise Invalid("until lies before since")
    if (until - since).total_seconds() / step_s > _MOST_STEPS:
        raise Invalid(f"more than {_MOST_STEPS} steps: give a longer step_s or a shorter time")
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        taken = await _taken(connection, site_id, (since, until), step_s)
        used = await _used(connection, site_id, (since, until), step_s)
    moments = sorted({*taken, *used})
    return [(at, used.get(at), taken.get(at)) for at in moments]


async def _taken(
    connection: AsyncConnection, site_id: UUID, span: tuple[datetime, datetime], step_s: int
) -> dict[datetime, Any]:
    start = _binned(step.c.starts_at, step_s, span[0])
    query = (
        select(start.label("at"), *_sums(step.c.energy_wh))
        .select_from(step.outerjoin(mix, _same()))
        .where(step.c.site_id == site_id, step.c.starts_at >= span[0], step.c.starts_at < span[1])
        .group_by(start)
    )
    return {row.at: row for row in await connection.execute(query)}


async def _used(
    connection: AsyncConnection, site_id: UUID, span: tuple[datetime, datetime], step_s: int
) -> dict[datetime, Any]:
    """What the site used, quarter by quarter not less than its sessions took."""
    of_sessions = (
        select(step.c.starts_at, func.sum(step.c.energy_wh).label("taken_wh"))
        .where(step.c.site_id == site_id, step.c.starts_at >= span[0], step.c.starts_at < span[1])
        .group_by(step.c.starts_at)
        .subquery()
    )
    whole = func.greatest(mix.c.used_wh, func.coalesce(of_sessions.c.taken_wh, 0.0))
    start = _binned(mix.c.starts_at, step_s, span[0])
    query = (
        select(start.label("at"), *_sums(whole))
        .select_from(mix.outerjoin(of_sessions, of_sessions.c.starts_at == mix.c.starts_at))
        .where(mix.c.site_id == site_id, mix.c.starts_at >= span[0], mix.c.starts_at < span[1])
        .group_by(start)
    )
    return {row.at: row for row in await connection.execute(query)}


def _same() -> ColumnElement[bool]:
    return and_(mix.c.site_id == step.c.site_id, mix.c.starts_at == step.c.starts_at)


def _binned(column: Any, step_s: int, origin: datetime) -> Any:
    return func.date_bin(func.make_interval(0, 0, 0, 0, 0, 0, step_s), column, origin)


def _sums(energy: Any) -> list[Any]:
    """The columns of a sum over energies, each Wh made of what its quarter's mix was made of."""

    def total(value: Any, name: str) -> Any:
        return cast(func.coalesce(func.sum(value), 0.0), Float(53)).label(name)

    def emitted(intensity: Any, name: str) -> list[Any]:
        known = case((intensity.is_not(None), energy))
        grams = cast(func.sum(energy * intensity / 1000.0), Float(53)).label(f"{name}_g")
        return [grams, total(known, f"{name}_wh")]

    return [
        total(energy, "energy_wh"),
        total(case((mix.c.site_id.is_(None), energy)), "unknown_wh"),
        *(total(energy * mix.c[f"{source}_share"], f"{source}_wh") for source in SOURCES),
        total(energy * mix.c.renewable_share, "renewable_wh"),
        *emitted(mix.c.average_g_per_kwh, "average"),
        *emitted(mix.c.marginal_g_per_kwh, "marginal"),
    ]
