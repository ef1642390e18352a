"""Whose lists are kept, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require, require_no_limit
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.local_lists import queries
from pilotwire.domain.local_lists.events import LocalListRulesChanged, LocalListWanted
from pilotwire.domain.local_lists.model import ListState
from pilotwire.domain.stations import queries as stations
from pilotwire.domain.stations import setup_queries as sites

__all__ = [
    "RulePlace",
    "get_local_list",
    "list_local_lists",
    "list_rules",
    "remove_rule",
    "send_local_list",
    "set_rule",
]


@dataclass(frozen=True, slots=True)
class RulePlace:
    """For what a rule holds: a station, a site, or with neither everything."""

    site_id: UUID | None = None
    station_id: str | None = None


async def list_local_lists(
    db: Database,
    principal: Principal,
    *,
    kept_by_default: bool,
    state: ListState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List stations with their lists; `after` is the last identity of the previous page."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_lists(
            connection, default=kept_by_default, state=state, after=after, limit=limit
        )


async def get_local_list(
    db: Database, principal: Principal, identity: str, *, kept_by_default: bool
) -> Row[Any]:
    """Get where a station's list stands.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        rows = await queries.list_lists(connection, default=kept_by_default, identity=identity)
    if not rows:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return rows[0]


async def send_local_list(
    db: Database, bus: LocalBus, principal: Principal, identity: str, *, kept_by_default: bool
) -> Row[Any]:
    """Send a station its list whole, at once or when it is back.

    Raises: NotFound; Conflict when its list is not kept.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station(connection, identity)
        rows = await queries.list_lists(connection, default=kept_by_default, identity=identity)
        if not rows[0].kept:
            raise Conflict(
                say(
                    "list_not_kept",
                    "the list of '{station}' is not kept in step: switch that on first, or use the command send_local_list",
                    station=identity,
                )
            )
        await queries.forget_held(connection, principal.tenant_id, station_id)
        await keep_audit(connection, principal, "local_list.sent", identity)
        rows = await queries.list_lists(connection, default=kept_by_default, identity=identity)
    bus.publish(LocalListWanted(principal.tenant_id, station_id))
    return rows[0]


async def list_rules(db: Database, principal: Principal) -> Sequence[Row[Any]]:
    """List the rules that say for which stations lists are kept."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_rules(connection)


async def set_rule(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, place: RulePlace, *, kept: bool
) -> None:
    """Say whether lists are kept at a place. What stations hold stays there when they are not kept any more.

    Raises: Invalid, NotFound for site or station, Forbidden.
    """
    require(principal, Right.CHANGE_TOKENS)
    async with db.tenant(principal.scope) as connection:
        station_id = await _place(connection, principal, place)
        await queries.keep_rule(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "site_id": place.site_id,
                "station_id": station_id,
                "kept": kept,
                "changed_by": principal.name,
                "changed_at": clock(),
            },
        )
        await keep_audit(connection, principal, "local_list.rule_set", _name(place), after={"kept": kept})
    bus.publish(LocalListRulesChanged(principal.tenant_id))


async def remove_rule(db: Database, bus: LocalBus, principal: Principal, place: RulePlace) -> None:
    """Remove the rule of a place: what holds around it holds there again.

    Raises: NotFound.
    """
    require(principal, Right.CHANGE_TOKENS)
    async with db.tenant(principal.scope) as connection:
        station_id = await _place(connection, principal, place)
        if not await queries.delete_rule(connection, place.site_id, station_id):
            raise NotFound(f"there is no rule for {_name(place)}")
        await keep_audit(connection, principal, "local_list.rule_removed", _name(place))
    bus.publish(LocalListRulesChanged(principal.tenant_id))


def _name(place: RulePlace) -> str:
    if place.station_id is not None:
        return f"station {place.station_id}"
    return "all stations" if place.site_id is None else f"site {place.site_id}"


async def _place(connection: AsyncConnection, principal: Principal, place: RulePlace) -> int | None:
    if place.site_id is not None and place.station_id is not None:
        raise Invalid(
            say(
                "list_rule_place",
                "give a site_id or a station_id, not both: a station's rule wins over its site's anyway",
            )
        )
    if place.station_id is not None:
        return await _station(connection, place.station_id)
    if place.site_id is None:
        require_no_limit(principal)
    else:
        await sites.get_site(connection, place.site_id)
    return None


async def _station(connection: AsyncConnection, identity: str) -> int:
    station_id = await stations.find_station_id(connection, identity)
    if station_id is None:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return station_id
