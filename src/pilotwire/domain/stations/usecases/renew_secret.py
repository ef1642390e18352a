"""Giving a station another secret without a visit."""

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import queries
from pilotwire.domain.stations.errors import SecretRefused
from pilotwire.domain.stations.ports import NotConnected, StationCaller

__all__ = ["renew_secret"]


async def renew_secret(db: Database, caller: StationCaller, principal: Principal, identity: str) -> None:
    """Give a connected station a new secret that nobody sees.

    Both are good until the station has used the new one, so that it comes back whatever happens in between.
    Raises: NotFound, NotConnected, SecretRefused.
    """
    require(principal, Right.CHANGE_STATIONS)
    async with db.tenant(principal.scope) as connection:
        station_id = await queries.find_station_id(connection, identity)
        if station_id is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        if caller.link(station_id) is None:
            raise NotConnected(
                say(
                    "secret_needs_connection",
                    "'{station}' is not connected; its secret is renewed while it is",
                    station=identity,
                )
            )
        await keep_audit(connection, principal, "station.secret_renewed", identity)
    if not await caller.renew_secret(station_id):
        raise SecretRefused(
            say(
                "secret_refused",
                "'{station}' did not take the new secret, and comes in with the present one as before;"
                " look at its messages for what it answered",
                station=identity,
            )
        )
