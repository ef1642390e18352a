"""Groups of stations: named sets, to find and command stations by."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from pilotwire.core.errors import NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require, require_no_limit
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import group_queries
from pilotwire.domain.stations.errors import GroupExists

__all__ = ["change_group", "change_members", "create_group", "get_group", "list_groups", "remove_group"]


async def list_groups(
    db: Database, principal: Principal, after: tuple[str, UUID] | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List groups by name."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await group_queries.list_groups(connection, after, limit)


async def get_group(db: Database, principal: Principal, group_id: UUID) -> Row[Any]:
    """Get a group.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await _group(connection, group_id)


async def create_group(db: Database, principal: Principal, name: str, note: str = "") -> Row[Any]:
    """Add a group without stations.

    Raises: GroupExists.
    """
    require(principal, Right.CHANGE_STATIONS)
    require_no_limit(principal)  # a group may reach over all sites
    group_id = new_uuid()
    try:
        async with db.tenant(principal.scope) as connection:
            await group_queries.insert_group(
                connection, {"id": group_id, "tenant_id": principal.tenant_id, "name": name, "note": note}
            )
            await keep_audit(connection, principal, "group.created", str(group_id), after={"name": name})
            return await _group(connection, group_id)
    except IntegrityError as error:
        raise GroupExists(say("group_exists", "there is a group '{name}' already", name=name)) from error


async def change_group(
    db: Database, principal: Principal, group_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a group's `name` or `note`.

    Raises: NotFound, GroupExists.
    """
    require(principal, Right.CHANGE_STATIONS)
    require_no_limit(principal)  # a group may reach over all sites
    try:
        async with db.tenant(principal.scope) as connection:
            before = await _group(connection, group_id)
            if not changes:
                return before
            await group_queries.update_group(connection, group_id, changes)
            await keep_audit(
                connection,
                principal,
                "group.changed",
                str(group_id),
                before={key: getattr(before, key) for key in changes},
                after=changes,
            )
            return await _group(connection, group_id)
    except IntegrityError as error:
        raise GroupExists(
            say("group_exists", "there is a group '{name}' already", name=changes.get("name"))
        ) from error


async def remove_group(db: Database, principal: Principal, group_id: UUID) -> None:
    """Remove a group; its stations stay.

    Raises: NotFound.
    """
    require(principal, Right.CHANGE_STATIONS)
    require_no_limit(principal)  # a group may reach over all sites
    async with db.tenant(principal.scope) as connection:
        before = await _group(connection, group_id)
        await group_queries.delete_group(connection, group_id)
        await keep_audit(connection, principal, "group.removed", str(group_id), before={"name": before.name})


async def change_members(
    db: Database, principal: Principal, group_id: UUID, add: Sequence[str], remove: Sequence[str]
) -> Row[Any]:
    """Put stations into a group and take others out; all or none.

    Repeats: does nothing.
    Raises: NotFound for the group or a station.
    """
    require(principal, Right.CHANGE_STATIONS)
    require_no_limit(principal)  # a group may reach over all sites
    async with db.tenant(principal.scope) as connection:
        await _group(connection, group_id)
        numbers = await group_queries.station_numbers(connection, [*add, *remove])
        missing = [identity for identity in (*add, *remove) if identity not in numbers]
        if missing:
            raise NotFound(
                say(
                    "station_unknown_unchanged",
                    "there is no station '{station}'; nothing was changed",
                    station=missing[0],
                )
            )
        await group_queries.remove_members(connection, group_id, [numbers[each] for each in remove])
        await group_queries.add_members(
            connection, principal.tenant_id, group_id, sorted({numbers[each] for each in add})
        )
        await keep_audit(
            connection,
            principal,
            "group.members_changed",
            str(group_id),
            after={"added": list(add[:100]), "removed": list(remove[:100])},
        )
        return await _group(connection, group_id)


async def _group(connection: Any, group_id: UUID) -> Row[Any]:
    row = await group_queries.find_group(connection, group_id)
    if row is None:
        raise NotFound(say("group_unknown", "there is no group {group}", group=group_id))
    return row
