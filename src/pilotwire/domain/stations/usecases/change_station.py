"""Changing and removing stations."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from pilotwire.bus import LocalBus
from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import queries, setup_queries
from pilotwire.domain.stations.credentials import checked_secret, digest_secret
from pilotwire.domain.stations.errors import StationHasSessions
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.domain.stations.site import checked_tags

__all__ = ["change_station", "raise_security_profile", "remove_station"]


async def change_station(
    db: Database,
    bus: LocalBus,
    pepper: bytes,
    principal: Principal,
    identity: str,
    changes: Mapping[str, Any],
) -> None:
    """Change a station's `admission`, `password`, `security_profile`, `name`, `site_id`, `tags` or `quirk_switches`.

    A new password holds from now on and ends a change of password that was under way. Lowering the security
    profile needs a right of its own.
    Raises: NotFound for station or site, Forbidden, Invalid.
    """
    require(principal, Right.CHANGE_STATIONS)
    values = _values(pepper, changes)
    async with db.tenant(principal.scope) as connection:
        found = await queries.lock_record(connection, identity)
        if found is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        record, name, tags = found
        if values.get("minimum_security_profile", 3) < record.minimum_security_profile:
            require(principal, Right.LOWER_SECURITY)
        site_id = values.get("site_id")
        if site_id is not None:
            await setup_queries.get_site(connection, site_id)
        if not values:
            return
        changed = await queries.update_station(connection, record.id, values)
        await keep_audit(
            connection,
            principal,
            "station.changed",
            identity,
            before=_facts(record, name, tags, values),
            after={key: value for key, value in values.items() if key != "next_secret_digest"},
        )
    bus.publish(StationChanged(changed))


async def raise_security_profile(
    db: Database, bus: LocalBus, principal: Principal, identity: str, profile: int
) -> None:
    """Let a station in with no lower profile from now on; one that is as high already stays. A removed one is no fault."""
    require(principal, Right.CHANGE_STATIONS)
    async with db.tenant(principal.scope) as connection:
        found = await queries.lock_record(connection, identity)
        if found is None or found[0].minimum_security_profile >= profile:
            return
        record = found[0]
        changed = await queries.update_station(connection, record.id, {"minimum_security_profile": profile})
        await keep_audit(
            connection,
            principal,
            "station.changed",
            identity,
            before={"minimum_security_profile": record.minimum_security_profile},
            after={"minimum_security_profile": profile},
        )
    bus.publish(StationChanged(changed))


def _values(pepper: bytes, changes: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: changes[key] for key in ("name", "site_id", "quirk_switches") if key in changes}
    if "tags" in changes:
        values["tags"] = checked_tags(changes["tags"])
    if "admission" in changes:
        values["admission"] = str(changes["admission"])
    if "security_profile" in changes:
        values["minimum_security_profile"] = changes["security_profile"]
    if "password" in changes:
        values["secret_digest"] = digest_secret(pepper, checked_secret(changes["password"]).encode())
        values["next_secret_digest"] = None
    return values


def _facts(record: StationRecord, name: str, tags: list[str], values: Mapping[str, Any]) -> dict[str, Any]:
    before = {
        "name": name,
        "tags": tags,
        "site_id": record.site_id,
        "quirk_switches": record.quirk_switches,
        "admission": record.admission,
        "minimum_security_profile": record.minimum_security_profile,
        "secret_digest": None,
    }
    return {key: value for key, value in before.items() if key in values}


async def remove_station(db: Database, bus: LocalBus, principal: Principal, identity: str) -> None:
    """Remove a station that has never charged; history is not removed.

    Raises: NotFound, StationHasSessions.
    """
    require(principal, Right.REMOVE_STATIONS)
    try:
        async with db.tenant(principal.scope) as connection:
            found = await queries.lock_record(connection, identity)
            if found is None:
                raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
            record, name, _ = found
            await queries.delete_station(connection, record.id)
            await keep_audit(
                connection,
                principal,
                "station.removed",
                identity,
                before={
                    "name": name,
                    "vendor": record.vendor,
                    "model": record.model,
                    "site_id": record.site_id,
                },
            )
    except IntegrityError as error:
        raise StationHasSessions(
            say(
                "station_has_sessions",
                "'{station}' has charging sessions, which are kept; to bar it, set its admission to 'rejected'",
                station=identity,
            )
        ) from error
    bus.publish(StationRemoved(record.id, identity))
