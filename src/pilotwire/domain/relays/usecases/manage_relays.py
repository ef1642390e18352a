"""Setting up relays: a station's frames go to another back end as well."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.relays import repository
from pilotwire.domain.relays.events import RelayChanged
from pilotwire.domain.relays.model import Authority, Relay
from pilotwire.domain.stations import queries as stations

__all__ = ["SEALED_FOR", "get_relay", "list_relays", "remove_relay", "set_relay"]

SEALED_FOR = "relay password"


async def set_relay(
    db: Database,
    bus: LocalBus,
    seal: Seal,
    clock: Clock,
    principal: Principal,
    identity: str,
    relay: tuple[str, str, Authority],
) -> None:
    """Send a station's frames to another back end too; `relay` is its address, the password there and whose answers hold.

    It holds from the station's next connection on; a present one ends for it. Who may is who may lower security:
    everything that the station says, tokens too, leaves this system.
    Raises: NotFound, Invalid.
    """
    require(principal, Right.LOWER_SECURITY)
    url, password, authority = relay
    _check(url)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station(connection, identity)
        values = {
            "station_id": station_id,
            "tenant_id": principal.tenant_id,
            "url": url,
            "sealed_password": seal.close(password.encode(), SEALED_FOR),
            "authority": authority.value,
            "created_by": principal.name,
            "created_at": clock(),
        }
        before = await repository.find_relay(connection, station_id)
        await repository.keep_relay(connection, values)
        if before is not None and before.url != url:  # what waits is for the one before
            await repository.forget_messages(connection, station_id)
        await keep_audit(
            connection,
            principal,
            "relay.set",
            identity,
            before=None if before is None else {"url": before.url, "authority": before.authority},
            after={"url": url, "authority": authority.value},
        )
    made = Relay(station_id, identity, url, password.encode(), authority)
    bus.publish(RelayChanged(station_id, made))


async def remove_relay(db: Database, bus: LocalBus, principal: Principal, identity: str) -> None:
    """End a station's relay: from now on it speaks to this system alone.

    Raises: NotFound.
    """
    require(principal, Right.LOWER_SECURITY)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station(connection, identity)
        if not await repository.delete_relay(connection, station_id):
            raise NotFound(f"'{identity}' has no relay")
        await keep_audit(connection, principal, "relay.removed", identity)
    bus.publish(RelayChanged(station_id, None))


async def get_relay(db: Database, principal: Principal, identity: str) -> Row[Any]:
    """Get a station's relay.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        row = await repository.find_relay(connection, await _station(connection, identity))
    if row is None:
        raise NotFound(f"'{identity}' has no relay")
    return row


async def list_relays(db: Database, principal: Principal) -> Sequence[Row[Any]]:
    """List all relays by station."""
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_relays(connection)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.fragment or parts.query:
        raise Invalid(
            "url: the other back end's address for stations, without the identity: wss://cpms.example.com/ocpp"
        )


async def _station(connection: Any, identity: str) -> int:
    found = await stations.lock_record(connection, identity)
    if found is None:
        raise NotFound(f"there is no station '{identity}'")
    return found[0].id
