"""Moving a station to a safer security profile without losing it.

The profile that it has is good until it has come back with the new one. Spec: 1.6 security whitepaper A05;
2.0.1 A05, B09, B10.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.certificates import queries
from pilotwire.domain.certificates.events import UpgradeChanged
from pilotwire.domain.certificates.model import UpgradeStep
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["get_upgrade", "list_upgrades", "start_upgrade", "stop_upgrade"]


async def start_upgrade(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, identity: str, profile: int, url: str
) -> None:
    """Begin to move a station; `url` is where stations find this server over TLS, without the identity.

    Raises: NotFound, Invalid, Conflict when it is there already, never booted, or is being moved.
    """
    require(principal, Right.CHANGE_STATIONS)
    if not url.startswith("wss://"):
        raise Invalid(
            say(
                "profile_needs_tls",
                "url: profiles 2 and 3 need an address with wss://; start the server with --ocpp-tls"
                " (and set PILOTWIRE_STATIONS_TLS_URL to the address that stations reach), or give the url",
            )
        )
    now = clock()
    async with db.tenant(principal.scope) as connection:
        station = await _station(connection, identity)
        if station.minimum_security_profile >= profile:
            raise Conflict(
                say(
                    "profile_there",
                    "'{station}' has to use profile {profile} already",
                    station=identity,
                    profile=station.minimum_security_profile,
                )
            )
        if station.ocpp_version is None:
            raise Conflict(
                say(
                    "profile_needs_boot",
                    "'{station}' has never been connected: it can be moved once it has booted",
                    station=identity,
                )
            )
        values = {
            "station_id": station.id,
            "tenant_id": principal.tenant_id,
            "profile": profile,
            "step": UpgradeStep.ROOT.value,
            "detail": "",
            "url": url,
            "slot": -1,
            "created_by": principal.name,
            "started_at": now,
            "step_at": now,
        }
        if not await queries.start_upgrade(connection, values):
            raise Conflict(
                say(
                    "profile_under_way",
                    "'{station}' is being moved already; look at it, or cancel that first",
                    station=identity,
                )
            )
        await keep_audit(
            connection,
            principal,
            "security_profile.raising",
            identity,
            before={"security_profile": station.minimum_security_profile},
            after={"security_profile": profile},
        )
    bus.publish(UpgradeChanged(principal.tenant_id, station.id, identity, profile, "root", "", now))


async def stop_upgrade(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, identity: str
) -> None:
    """Give a move up. What the station was told already stays with it; the old profile holds here.

    Raises: NotFound, Conflict when none is under way.
    """
    require(principal, Right.CHANGE_STATIONS)
    now = clock()
    detail = f"cancelled by {principal.name}"
    async with db.tenant(principal.scope) as connection:
        station = await _station(connection, identity)
        if not await queries.stop_upgrade(connection, station.id, detail, now):
            raise Conflict(say("profile_not_moved", "'{station}' is not being moved", station=identity))
        await keep_audit(connection, principal, "security_profile.cancelled", identity)
    bus.publish(UpgradeChanged(principal.tenant_id, station.id, identity, 0, "failed", detail, now))


async def get_upgrade(db: Database, principal: Principal, identity: str) -> Row[Any]:
    """Get a station's newest move.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        station = await _station(connection, identity)
        row = await queries.find_upgrade(connection, station.id)
        if row is None:
            raise NotFound(f"'{identity}' has never been moved to another profile")
        return row


async def list_upgrades(db: Database, principal: Principal, *, open_only: bool) -> Sequence[Row[Any]]:
    """List moves, the newest first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_upgrades(connection, open_only=open_only)


async def _station(connection: Any, identity: str) -> Row[Any]:
    station: Row[Any] | None = await queries.find_station(connection, identity)
    if station is None:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return station
