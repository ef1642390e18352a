"""Adding stations, so that they may connect."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Invalid
from pilotwire.core.ids import new_secret
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import queries, setup_queries
from pilotwire.domain.stations.credentials import checked_secret, digest_secret
from pilotwire.domain.stations.errors import StationExists
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.site import checked_tags

__all__ = ["IDENTITY_PATTERN", "StationDraft", "checked_identity", "create_station", "create_stations"]

IDENTITY_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._\-=+|@*]{0,47}"
"""What OCPP allows in an identity (2.0.1 identifierString, 48 characters), without the colon: it ends the
user name of Basic authentication (RFC 7617, 2)."""

_IDENTITY = re.compile(IDENTITY_PATTERN)


@dataclass(frozen=True, slots=True)
class StationDraft:
    """A station to be added; without a password one is generated."""

    identity: str
    password: str | None = None
    security_profile: int = 1
    site_id: UUID | None = None
    name: str = ""
    admission: Admission = Admission.ACCEPTED
    tags: tuple[str, ...] = ()


async def create_station(
    db: Database, bus: LocalBus, pepper: bytes, principal: Principal, draft: StationDraft
) -> tuple[StationRecord, str | None]:
    """Add a station; return its record, and its password if it was generated, which nobody can read again.

    Raises: StationExists; Invalid for an identity or password that will not do; NotFound for the site.
    """
    require(principal, Right.CHANGE_STATIONS)
    identity = checked_identity(draft.identity)
    password = new_secret() if draft.password is None else checked_secret(draft.password)
    try:
        async with db.tenant(principal.scope) as connection:
            # The foreign key would accept another tenant's site.
            if draft.site_id is not None:
                await setup_queries.get_site(connection, draft.site_id)
            record = await queries.insert_station(
                connection,
                {
                    "tenant_id": principal.tenant_id,
                    "identity": identity,
                    "name": draft.name,
                    "site_id": draft.site_id,
                    "admission": draft.admission.value,
                    "secret_digest": digest_secret(pepper, password.encode()),
                    "minimum_security_profile": draft.security_profile,
                    "tags": checked_tags(draft.tags),
                },
            )
            await keep_audit(
                connection,
                principal,
                "station.created",
                identity,
                after={
                    "security_profile": draft.security_profile,
                    "site_id": draft.site_id,
                    "name": draft.name,
                },
            )
    except IntegrityError as error:
        raise StationExists(
            say("station_exists", "there is a station '{station}' already", station=identity)
        ) from error
    bus.publish(StationChanged(record))
    return record, password if draft.password is None else None


async def create_stations(
    db: Database,
    bus: LocalBus,
    pepper: bytes,
    principal: Principal,
    identities: Sequence[str],
    *,
    password: str | None = None,
    security_profile: int = 1,
) -> list[tuple[str, str]]:
    """Add many stations in one transaction, all or none; return identity and password of each.

    With a `password` all of them share it: for load tests only. Without one each has its own.
    Raises: StationExists, Invalid.
    """
    require(principal, Right.CHANGE_STATIONS)
    shared = None if password is None else checked_secret(password)
    passwords = {checked_identity(identity): shared or new_secret() for identity in identities}
    if len(passwords) != len(identities):
        raise Invalid(say("identity_twice", "an identity is there twice"))
    digests = {identity: digest_secret(pepper, secret.encode()) for identity, secret in passwords.items()}
    try:
        async with db.tenant(principal.scope) as connection:
            records = await queries.insert_stations(
                connection, principal.tenant_id, digests, security_profile
            )
            await keep_audit(
                connection,
                principal,
                "stations.created",
                f"{len(records)} stations",
                after={"identities": list(identities[:100]), "count": len(records)},
            )
    except IntegrityError as error:
        raise StationExists(
            say("stations_exist", "a station of one of these identities exists already; none was added")
        ) from error
    for record in records:
        bus.publish(StationChanged(record))
    return list(passwords.items())


def checked_identity(identity: str) -> str:
    """Return an identity that a station can have.

    Raises: Invalid.
    """
    if not _IDENTITY.fullmatch(identity):
        raise Invalid(
            say(
                "identity_characters",
                "'{station}' cannot be a station's identity: 1 to 48 letters, digits and . _ - = + | @ *,"
                " a letter or digit first",
                station=identity[:60],
            )
        )
    return identity
