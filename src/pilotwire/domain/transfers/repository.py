"""Files in SQL, for what serves stations; over all tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from pilotwire.core.ids import new_uuid
from pilotwire.domain.transfers.errors import AddressUsed, UnknownAddress
from pilotwire.domain.transfers.model import Delivery, FirmwareImage, LogReceived, Reception, digest_of

__all__ = [
    "MOST_STARTS",
    "delete_old_grants",
    "delete_old_logs",
    "end_grant",
    "find_image",
    "find_log_of",
    "give_back_interrupted",
    "give_back_use",
    "insert_grant",
    "insert_log",
    "known_files",
    "note_sent",
    "redeem_delivery",
    "redeem_reception",
    "settle_use",
]

MOST_STARTS = 500
"""How often one download may be begun or continued."""

_IMAGE = "id, vendor, model, version, file_name, size_bytes, sha256, signature, signing_certificate"


async def find_image(connection: asyncpg.Connection, tenant_id: int, image_id: UUID) -> FirmwareImage | None:
    """Find firmware that has its file."""
    row = await connection.fetchrow(
        f"SELECT {_IMAGE} FROM firmware_image WHERE id = $1 AND tenant_id = $2 AND uploaded_at IS NOT NULL",  # noqa: S608
        image_id,
        tenant_id,
    )
    return None if row is None else FirmwareImage(**dict(row))


async def insert_grant(
    connection: asyncpg.Connection,
    place: tuple[int, int, int],
    kind: str,
    token: str,
    expires_at: datetime,
    *,
    uses: int = 1,
    image_id: UUID | None = None,
) -> None:
    """Grant a station one transfer for a command; `place` is tenant, station and command.

    Repeats: the newest grant for a command replaces the one before, which has not reached its station.
    """
    await connection.execute(
        "INSERT INTO file_grant (id, tenant_id, station_id, command_id, kind, digest, expires_at, uses_left, image_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (command_id) DO UPDATE SET"
        " digest = excluded.digest, expires_at = excluded.expires_at, uses_left = excluded.uses_left",
        new_uuid(),
        *place,
        kind,
        digest_of(token),
        expires_at,
        uses,
        image_id,
    )


async def end_grant(connection: asyncpg.Connection, command_id: int) -> None:
    """End the grant of a command that is over; what is under way may finish."""
    await connection.execute(
        "UPDATE file_grant SET expires_at = least(expires_at, now()) WHERE command_id = $1", command_id
    )


async def redeem_delivery(
    connection: asyncpg.Connection, token: str, now: datetime, remote_address: str, *, start: bool
) -> Delivery:
    """Give what a grant for firmware is for; `start` counts a transfer that begins.

    Raises: UnknownAddress; AddressUsed when its time or its uses are over.
    """
    row = await connection.fetchrow(
        "SELECT g.id AS grant_id, g.expires_at, g.uses_left, g.starts, i.file_id, i.file_name, i.size_bytes,"
        " i.sha256, i.signature IS NOT NULL AS signed FROM file_grant g JOIN firmware_image i ON i.id = g.image_id"
        " WHERE g.digest = $1 AND g.kind = 'firmware'",
        digest_of(token),
    )
    _check(row, now)
    if row["starts"] >= MOST_STARTS:
        raise AddressUsed(f"the download was begun {MOST_STARTS} times; give the command again")
    if start:
        await connection.execute(
            "UPDATE file_grant SET starts = starts + 1, first_used_at = coalesce(first_used_at, $2),"
            " remote_address = $3 WHERE id = $1",
            row["grant_id"],
            now,
            remote_address,
        )
    fields = ("grant_id", "file_id", "file_name", "size_bytes", "sha256", "signed")
    return Delivery(*(row[name] for name in fields))


async def note_sent(
    connection: asyncpg.Connection, grant_id: UUID, sent_bytes: int, now: datetime, *, to_the_end: bool
) -> bool:
    """Count what was sent; True when with the whole file up to its end one use of the grant is over.

    It is settling then: until `settle_use` nobody knows that the last part has arrived. `sent_bytes` may be less than
    nothing, when more was counted than went out.
    """
    whole: bool | None = await connection.fetchval(
        "UPDATE file_grant g SET sent_bytes = CASE WHEN f.whole THEN 0 ELSE greatest(0, g.sent_bytes + $2) END,"
        " uses_left = g.uses_left - f.whole::int, used_at = CASE WHEN f.whole THEN $4 ELSE g.used_at END,"
        " settling_since = CASE WHEN f.whole THEN $4 ELSE g.settling_since END"
        " FROM (SELECT d.id, $3 AND d.sent_bytes + $2 >= i.size_bytes AS whole FROM file_grant d"
        " JOIN firmware_image i ON i.id = d.image_id WHERE d.id = $1 FOR UPDATE OF d) AS f WHERE g.id = f.id"
        " RETURNING f.whole",
        grant_id,
        sent_bytes,
        to_the_end,
        now,
    )
    return bool(whole)


async def settle_use(connection: asyncpg.Connection, grant_id: UUID) -> None:
    """Take note that the last part of a file has arrived: the use of the grant stays over."""
    await connection.execute("UPDATE file_grant SET settling_since = NULL WHERE id = $1", grant_id)


_GIVE_BACK = (
    "UPDATE file_grant g SET uses_left = uses_left + 1, used_at = NULL, settling_since = NULL,"
    " sent_bytes = i.size_bytes FROM firmware_image i WHERE i.id = g.image_id"
)


async def give_back_use(connection: asyncpg.Connection, grant_id: UUID) -> None:
    """Take back that one use of a grant was over; the file counts as sent, so that its rest is enough.

    Repeats: nothing happens.
    """
    await connection.execute(f"{_GIVE_BACK} AND g.id = $1 AND g.settling_since IS NOT NULL", grant_id)


async def give_back_interrupted(connection: asyncpg.Connection) -> int:
    """Take back all uses of which a process that is gone did not learn whether the last part arrived. Return how many."""
    done: str = await connection.execute(f"{_GIVE_BACK} AND g.settling_since IS NOT NULL")
    return int(done.rpartition(" ")[2])


async def redeem_reception(connection: asyncpg.Connection, token: str, now: datetime) -> Reception:
    """Give what a grant for a log is for.

    Raises: UnknownAddress; AddressUsed when its time is over or its log is there.
    """
    row = await connection.fetchrow(
        "SELECT g.id AS grant_id, g.tenant_id, g.station_id, s.identity, g.command_id, g.kind, g.expires_at,"
        " g.uses_left FROM file_grant g JOIN station s ON s.id = g.station_id"
        " WHERE g.digest = $1 AND g.kind <> 'firmware'",
        digest_of(token),
    )
    _check(row, now)
    return Reception(*(row[name] for name in Reception.__struct_fields__))


def _check(row: Any, now: datetime) -> None:
    if row is None:
        raise UnknownAddress("no file is to be had or delivered here: a command makes the address")
    if row["uses_left"] <= 0:
        raise AddressUsed(
            "the file has been transferred already; give the command again for another transfer"
        )
    if row["expires_at"] <= now:
        raise AddressUsed("the time of this address is over; give the command again")


async def insert_log(
    connection: asyncpg.Connection,
    reception: Reception,
    log_id: UUID,
    file: tuple[str, int, bytes],
    now: datetime,
    remote_address: str,
) -> None:
    """Keep a log whose file is in the store; `file` is its name, size and checksum.

    Raises: AddressUsed when another delivery was quicker.
    """
    async with connection.transaction():
        taken = await connection.fetchval(
            "UPDATE file_grant SET uses_left = uses_left - 1, used_at = $2, first_used_at = coalesce(first_used_at, $2),"
            " remote_address = $3 WHERE id = $1 AND uses_left > 0 RETURNING id",
            reception.grant_id,
            now,
            remote_address,
        )
        if taken is None:
            raise AddressUsed("the log has been delivered already")
        await connection.execute(
            "INSERT INTO station_log (id, tenant_id, station_id, command_id, kind, file_name, size_bytes, sha256,"
            " remote_address, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            log_id,
            reception.tenant_id,
            reception.station_id,
            reception.command_id,
            reception.kind,
            *file,
            remote_address,
            now,
        )


async def find_log_of(
    connection: asyncpg.Connection, tenant_id: int, station_id: int, identity: str, command_id: int
) -> LogReceived | None:
    """Find the log that a station has delivered for a command."""
    row = await connection.fetchrow(
        "SELECT id, kind, file_name, size_bytes FROM station_log WHERE station_id = $1 AND command_id = $2",
        station_id,
        command_id,
    )
    return None if row is None else LogReceived(tenant_id, station_id, identity, command_id, *row.values())


async def delete_old_logs(connection: asyncpg.Connection, before: datetime) -> int:
    """Forget logs past retention; their files are swept afterwards. Return how many."""
    rows = await connection.fetch("DELETE FROM station_log WHERE received_at < $1 RETURNING id", before)
    return len(rows)


async def delete_old_grants(connection: asyncpg.Connection, before: datetime) -> None:
    """Forget grants whose time was over before a moment."""
    await connection.execute("DELETE FROM file_grant WHERE expires_at < $1", before)


async def known_files(connection: asyncpg.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Give those of these files that an image or a log has."""
    rows = await connection.fetch(
        "SELECT file_id AS id FROM firmware_image WHERE file_id = ANY($1) UNION ALL"
        " SELECT id FROM station_log WHERE id = ANY($1)",
        ids,
    )
    return {row["id"] for row in rows}
