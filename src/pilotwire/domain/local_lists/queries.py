"""Local lists in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.local_lists.tables import local_list, local_list_rule
from pilotwire.domain.stations.tables import site, station

__all__ = ["delete_rule", "forget_held", "keep_rule", "list_lists", "list_rules"]


def _kept(default: bool) -> Any:
    """Say by which rule a station's list is kept: its own wins over its site's, that over the one for all."""
    rule = local_list_rule
    everywhere = rule.c.site_id.is_(None) & rule.c.station_id.is_(None)
    chosen = (
        select(rule.c.kept)
        .where(or_(rule.c.station_id == station.c.id, rule.c.site_id == station.c.site_id, everywhere))
        .order_by(rule.c.station_id.is_(None), rule.c.site_id.is_(None))
        .limit(1)
        .correlate(station)
        .scalar_subquery()
    )
    return func.coalesce(chosen, literal(default))


async def list_lists(
    connection: AsyncConnection,
    *,
    default: bool,
    identity: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 1,
) -> Sequence[Row[Any]]:
    """List stations with their lists, by identity."""
    kept = _kept(default).label("kept")
    stands = func.coalesce(local_list.c.state, "unknown")
    columns: list[Any] = [station.c.identity, station.c.ocpp_version, kept, stands.label("state")]
    columns += [func.coalesce(local_list.c.detail, "").label("detail")]
    columns += [local_list.c.next_at, local_list.c.checked_at, local_list.c.sent_at]
    columns += [
        func.coalesce(column, literal(0)).label(column.name)
        for column in (
            local_list.c.version, local_list.c.entries, local_list.c.wanted_entries, local_list.c.left_out,
            local_list.c.most_entries, local_list.c.items_per_message, local_list.c.attempts,
        )
    ]  # fmt: skip
    query = (
        select(*columns)
        .outerjoin(local_list, local_list.c.station_id == station.c.id)
        .order_by(station.c.identity)
        .limit(limit)
    )  # fmt: skip
    if identity is not None:
        query = query.where(station.c.identity == identity)
    if state is not None:
        query = query.where(stands == state)
    if after is not None:
        query = query.where(station.c.identity > after)
    return (await connection.execute(query)).all()


async def forget_held(connection: AsyncConnection, tenant_id: int, station_id: int) -> None:
    """Forget what a station holds, so that it is sent whole, at once; until then a list in step is behind."""
    query = insert(local_list).values(station_id=station_id, tenant_id=tenant_id)
    state = case((local_list.c.state == "in_step", "behind"), else_=local_list.c.state)
    changes = {"digest": None, "next_at": None, "attempts": 0, "state": state}
    await connection.execute(query.on_conflict_do_update(index_elements=["station_id"], set_=changes))


async def list_rules(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """List the rules whose places can be seen: the one for all first, then sites, then stations."""
    rule = local_list_rule
    columns: list[Any] = [
        rule.c.kept,
        rule.c.site_id,
        station.c.identity,
        rule.c.changed_by,
        rule.c.changed_at,
    ]
    query = (
        select(*columns)
        .select_from(rule)
        .outerjoin(site, site.c.id == rule.c.site_id)
        .outerjoin(station, station.c.id == rule.c.station_id)
        .where(
            rule.c.site_id.is_(None) | site.c.id.is_not(None),
            rule.c.station_id.is_(None) | station.c.id.is_not(None),
        )
        .order_by(
            rule.c.station_id.is_not(None), rule.c.site_id.is_not(None), site.c.name, station.c.identity
        )
    )
    return (await connection.execute(query)).all()


def _at(site_id: UUID | None, station_id: int | None) -> Any:
    return local_list_rule.c.site_id.is_not_distinct_from(
        site_id
    ) & local_list_rule.c.station_id.is_not_distinct_from(station_id)


async def keep_rule(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Set the rule of a place, in the place of the one of before."""
    changes = {name: values[name] for name in ("kept", "changed_by", "changed_at")}
    changed = await connection.execute(
        update(local_list_rule).where(_at(values["site_id"], values["station_id"])).values(**changes)
    )
    if not changed.rowcount:
        await connection.execute(insert(local_list_rule).values(**values))


async def delete_rule(connection: AsyncConnection, site_id: UUID | None, station_id: int | None) -> bool:
    """Remove the rule of a place; whether there was one."""
    result = await connection.execute(delete(local_list_rule).where(_at(site_id, station_id)))
    return result.rowcount == 1
