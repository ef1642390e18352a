"""Looking at what stations are set to, how that came, and where it differs from what is wanted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.configuration import queries
from pilotwire.domain.configuration.keys import variable_of
from pilotwire.domain.configuration.model import Variable, read_name
from pilotwire.domain.configuration.queries import VariableFilter
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.stations import queries as stations

__all__ = ["list_drift", "list_drifting", "list_history", "list_variables", "named"]


def named(name: str) -> Variable:
    """Read a name as people write it: a variable of a component, or a key of 1.6 in its standard meaning."""
    variable = read_name(name)
    return variable if variable.component else variable_of(name)


async def list_variables(
    db: Database,
    principal: Principal,
    identity: str,
    wanted: VariableFilter,
    *,
    after: tuple[str, str] | None,
    limit: int,
) -> tuple[Sequence[Row[Any]], Row[Any] | None]:
    """List a station's variables, and tell how far their reading has come.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station(connection, identity)
        # First the state: 'complete' must never stand beside variables of before.
        model = await queries.find_model(connection, station_id)
        return await queries.list_variables(connection, station_id, wanted, after, limit), model


async def list_history(
    db: Database,
    principal: Principal,
    identity: str,
    name: str | None,
    *,
    before: tuple[datetime, str, str] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List the values that a station's variables have had, the newest first.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station(connection, identity)
        path = None if name is None else named(name).path
        return await queries.list_history(connection, station_id, path, before, limit)


async def list_drifting(
    db: Database, principal: Principal, *, site_id: UUID | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """List the stations that differ from their templates, without what differs."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_drifting(connection, site_id, after, limit)


async def list_drift(db: Database, principal: Principal, identity: str) -> Sequence[Row[Any]]:
    """List where a station differs from its templates.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_drift(connection, await _station(connection, identity))


async def _station(connection: AsyncConnection, identity: str) -> int:
    station_id = await stations.find_station_id(connection, identity)
    if station_id is None:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return station_id
