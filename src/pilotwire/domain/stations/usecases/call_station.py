"""Calling a station with an OCPP payload of one's own."""

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import queries
from pilotwire.domain.stations.ports import CallAnswer, NotConnected, StationCaller

__all__ = ["call_station"]


async def call_station(
    db: Database,
    caller: StationCaller,
    principal: Principal,
    identity: str,
    action: str,
    payload: bytes,
    timeout_s: float = 30,
) -> CallAnswer:
    """Send an action to a station and wait for its answer.

    The audit trail says who sent which action before it is sent; not the payload: it may hold secrets.
    Raises: NotFound, NotConnected, InvalidPayload, NoAnswer.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        station_id = await queries.find_station_id(connection, identity)
        if station_id is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        if caller.link(station_id) is None:
            raise NotConnected(say("station_not_connected", "'{station}' is not connected", station=identity))
        await keep_audit(connection, principal, "station.called", identity, after={"action": action})
    return await caller.call(station_id, action, payload, timeout_s)
