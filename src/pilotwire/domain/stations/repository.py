"""Stations in SQL, for the stations' edge: who may connect, and what is known of one that does."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.stations.model import (
    Admission,
    ConnectorKey,
    ConnectorState,
    ConnectorStatus,
    StationRecord,
)

__all__ = [
    "Attached",
    "EnrolmentKey",
    "Presence",
    "StationMake",
    "StationTold",
    "attach",
    "clear_progress",
    "close_presence",
    "find_answer",
    "find_make",
    "find_told",
    "insert_enrolled",
    "keep_next_secret",
    "last_addresses",
    "list_enrolment_keys",
    "list_records",
    "pepper_of",
    "presence_of",
    "promote_secret",
]

_RECORD = (
    "id, tenant_id, identity, admission, secret_digest, next_secret_digest, minimum_security_profile, site_id,"
    " vendor, model, firmware_version, quirk_switches::text AS quirk_switches, enrolled_with, serial_number"
)


class Attached(msgspec.Struct):
    """A station's new connection in the database: its epoch, and the connectors as last reported."""

    epoch: int
    connectors: dict[ConnectorKey, ConnectorState]


class Presence(msgspec.Struct, frozen=True):
    """Whether the database takes a station for connected, and by which connection."""

    epoch: int
    connected: bool


class EnrolmentKey(msgspec.Struct, frozen=True):
    """A key with which unknown stations may introduce themselves."""

    id: UUID
    tenant_id: int
    site_id: UUID | None
    digest: bytes
    admit: bool
    maximum_uses: int
    uses: int
    expires_at: datetime | None


def record_of(row: Any) -> StationRecord:
    """Make a station's record of a row."""
    return StationRecord(
        id=row["id"],
        tenant_id=row["tenant_id"],
        identity=row["identity"],
        admission=Admission(row["admission"]),
        secret_digest=row["secret_digest"],
        next_secret_digest=row["next_secret_digest"],
        minimum_security_profile=row["minimum_security_profile"],
        site_id=row["site_id"],
        vendor=row["vendor"],
        model=row["model"],
        firmware_version=row["firmware_version"],
        quirk_switches=msgspec.json.decode(row["quirk_switches"]),
        enrolled=row["enrolled_with"] is not None,
        serial_number=row["serial_number"],
    )


async def list_records(
    connection: asyncpg.Connection, station_ids: Sequence[int] | None = None
) -> list[StationRecord]:
    """Read every station, or the ones named."""
    query = f"SELECT {_RECORD} FROM station WHERE $1::int[] IS NULL OR id = ANY($1::int[])"  # noqa: S608
    return [record_of(row) for row in await connection.fetch(query, station_ids)]


async def list_enrolment_keys(connection: asyncpg.Connection) -> list[EnrolmentKey]:
    """Read the enrolment keys that are not revoked."""
    rows = await connection.fetch(
        "SELECT id, tenant_id, site_id, digest, admit, maximum_uses, uses, expires_at FROM enrolment_key"
        " WHERE revoked_at IS NULL"
    )
    return [EnrolmentKey(**dict(row)) for row in rows]


async def insert_enrolled(
    connection: asyncpg.Connection, key: EnrolmentKey, identity: str, digest: bytes
) -> StationRecord | None:
    """Add a station that introduced itself with an enrolment key; None when the key is used up or revoked.

    Repeats: a station that is there already is returned as it is.
    """
    async with connection.transaction():
        row = await connection.fetchrow(f"SELECT {_RECORD} FROM station WHERE identity = $1", identity)  # noqa: S608
        if row is not None:
            return record_of(row)
        used = await connection.fetchval(
            "UPDATE enrolment_key SET uses = uses + 1 WHERE id = $1 AND revoked_at IS NULL AND uses < maximum_uses"
            " AND (expires_at IS NULL OR expires_at > now()) RETURNING uses",
            key.id,
        )
        if used is None:
            return None
        row = await connection.fetchrow(
            "INSERT INTO station (tenant_id, identity, site_id, admission, secret_digest, enrolled_with)"  # noqa: S608
            f" VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_RECORD}",
            key.tenant_id,
            identity,
            key.site_id,
            "accepted" if key.admit else "pending",
            digest,
            key.id,
        )
        await connection.execute(
            "INSERT INTO station_presence (station_id, tenant_id) VALUES ($1, $2)", row["id"], key.tenant_id
        )
        return record_of(row)


async def attach(
    connection: asyncpg.Connection, gateway: str, arrivals: Sequence[tuple[int, str, str, int]]
) -> dict[int, Attached]:
    """Give each arriving station the next epoch.

    `arrivals` are (station id, OCPP version, remote address, security profile).

    From the commit on, records of earlier epochs are refused. A gateway that owned one of the stations before is
    waited for, so that what it is just committing is seen here.
    """
    ids = [arrival[0] for arrival in arrivals]
    async with connection.transaction():
        others = await connection.fetch(
            "SELECT DISTINCT gateway FROM station_presence WHERE station_id = ANY($1::int[]) AND gateway <> ''"
            " AND gateway <> $2 ORDER BY gateway",
            ids,
            gateway,
        )
        for row in others:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", row["gateway"])
        epochs = await connection.fetch(
            "UPDATE station_presence p SET connection_epoch = connection_epoch + 1, gateway = $2, connected = true,"
            " connected_at = now(), last_seen_at = now(), remote_address = n.address, security_profile = n.profile"
            " FROM unnest($1::int[], $3::text[], $4::smallint[]) AS n (id, address, profile) WHERE p.station_id = n.id"
            " RETURNING p.station_id, p.connection_epoch",
            ids,
            gateway,
            [arrival[2] for arrival in arrivals],
            [arrival[3] for arrival in arrivals],
        )
        await connection.execute(
            "UPDATE station SET ocpp_version = n.version FROM unnest($1::int[], $2::text[]) AS n (id, version)"
            " WHERE station.id = n.id AND station.ocpp_version IS DISTINCT FROM n.version",
            ids,
            [arrival[1] for arrival in arrivals],
        )
        connectors = await connection.fetch(
            "SELECT station_id, evse_no, connector_no, status, error_code, status_at FROM connector"
            " WHERE station_id = ANY($1::int[])",
            ids,
        )
    attached = {row["station_id"]: Attached(row["connection_epoch"], {}) for row in epochs}
    for row in connectors:
        attached[row["station_id"]].connectors[row["evse_no"], row["connector_no"]] = ConnectorState(
            ConnectorStatus(row["status"]), row["error_code"], row["status_at"]
        )
    return attached


async def close_presence(connection: asyncpg.Connection, gateway: str) -> int:
    """Say of every station that this gateway held before it died that it is not connected; return how many."""
    status = await connection.execute(
        "UPDATE station_presence SET connected = false, disconnected_at = coalesce(last_seen_at, now())"
        " WHERE gateway = $1 AND connected",
        gateway,
    )
    return int(status.split()[-1])


class StationMake(msgspec.Struct, frozen=True):
    """What a station said of its make when it booted last, and the time zone where it stands."""

    vendor: str
    model: str
    firmware_version: str
    time_zone: str


async def find_answer(
    connection: asyncpg.Connection, station_id: int, message_id: str, received_at: datetime
) -> str | None:
    """Find the frame with which a station's call was answered that came at about a moment."""
    answer: str | None = await connection.fetchval(
        "SELECT response FROM frame WHERE station_id = $1 AND received_at BETWEEN $3::timestamptz - interval '5 minutes'"
        " AND $3 + interval '5 minutes' AND message_id = $2 AND direction = 0 AND response IS NOT NULL LIMIT 1",
        station_id,
        message_id,
        received_at,
    )
    return answer


async def find_make(connection: asyncpg.Connection, station_id: int) -> StationMake:
    """Give the make of a station; nothing is known of one that is gone."""
    row = await connection.fetchrow(
        "SELECT s.vendor, s.model, s.firmware_version, coalesce(i.time_zone, 'UTC') AS time_zone"
        " FROM station s LEFT JOIN site i ON i.id = s.site_id WHERE s.id = $1",
        station_id,
    )
    return StationMake("", "", "", "UTC") if row is None else StationMake(*row.values())


class StationTold(msgspec.Struct, frozen=True):
    """What a station told last of its boot, its firmware update and its log upload."""

    vendor: str
    model: str
    firmware_version: str
    booted_at: datetime | None
    firmware_status: str
    log_status: str


async def find_told(connection: asyncpg.Connection, station_id: int) -> StationTold | None:
    """Find what a station told last."""
    row = await connection.fetchrow(
        "SELECT vendor, model, firmware_version, booted_at, firmware_status, log_status FROM station WHERE id = $1",
        station_id,
    )
    return None if row is None else StationTold(*row.values())


async def clear_progress(
    connection: asyncpg.Connection, station_id: int, subject: Literal["firmware", "log"]
) -> None:
    """Forget the state of an earlier update or upload, as a new one is to begin."""
    column = "firmware_status" if subject == "firmware" else "log_status"
    await connection.execute(f"UPDATE station SET {column} = '' WHERE id = $1", station_id)  # noqa: S608


async def last_addresses(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """Give identity and address of the stations that were connected in the last week."""
    rows = await connection.fetch(
        "SELECT s.identity, p.remote_address FROM station_presence p JOIN station s ON s.id = p.station_id"
        " WHERE p.remote_address <> '' AND p.last_seen_at > now() - interval '7 days'"
    )
    return [(row["identity"], row["remote_address"]) for row in rows]


async def keep_next_secret(connection: asyncpg.Connection, station_id: int, digest: bytes) -> None:
    """Keep the digest of a secret that the station is about to be given; the present one stays good."""
    await connection.execute("UPDATE station SET next_secret_digest = $2 WHERE id = $1", station_id, digest)


async def promote_secret(connection: asyncpg.Connection, station_id: int, digest: bytes) -> None:
    """Make the next secret the only one: the station has used it."""
    await connection.execute(
        "UPDATE station SET secret_digest = $2, next_secret_digest = NULL, enrolled_with = NULL"
        " WHERE id = $1 AND next_secret_digest = $2",
        station_id,
        digest,
    )


async def server_secret(connection: asyncpg.Connection, name: str, fresh: bytes) -> bytes:
    """Give a secret of the server itself; `fresh` becomes it at the first start."""
    await connection.execute(
        "INSERT INTO server_secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, fresh
    )
    value: bytes = await connection.fetchval("SELECT value FROM server_secret WHERE name = $1", name)
    return value


async def pepper_of(connection: asyncpg.Connection) -> bytes:
    """Give the key of the stations' digests; the first start makes it."""
    return await server_secret(connection, "pepper", os.urandom(32))


async def presence_of(connection: asyncpg.Connection, station_id: int) -> Presence | None:
    """Tell of a station's newest connection; None when it has never connected."""
    row = await connection.fetchrow(
        "SELECT connection_epoch AS epoch, connected FROM station_presence WHERE station_id = $1", station_id
    )
    return None if row is None else Presence(**row)
