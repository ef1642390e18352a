"""Tokens in SQL, for the stations' edge."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from pilotwire.domain.access.model import Token, TokenStatus, fold_uid

__all__ = ["find_token", "list_for_lists", "list_for_stations"]

# An app or the server itself cannot be held to a reader: such a token comes with a command, never to an offline station.
_NEVER_PRESENTED = ["app", "central"]


async def find_token(connection: asyncpg.Connection, tenant_id: int, uid: str) -> Token | None:
    """Find a token by its uid, whatever the letter case."""
    row = await connection.fetchrow(
        "SELECT uid, status, group_id, valid_until FROM token WHERE tenant_id = $1 AND folded_uid = $2",
        tenant_id,
        fold_uid(uid),
    )
    if row is None:
        return None
    return Token(row["uid"], TokenStatus(row["status"]), row["group_id"], row["valid_until"])


async def list_for_stations(
    connection: asyncpg.Connection, tenant_id: int, uids: Sequence[str] | None, limit: int
) -> list[asyncpg.Record]:
    """Give the tokens named, or all that may charge: uid, folded_uid, kind, status, group_id, valid_until."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT uid, folded_uid, kind, status, group_id, valid_until FROM token WHERE tenant_id = $1"
        " AND CASE WHEN $2::text[] IS NULL THEN status = 'accepted' AND (valid_until IS NULL OR valid_until > now())"
        " ELSE folded_uid = ANY($2::text[]) END ORDER BY folded_uid LIMIT $3",
        tenant_id,
        None if uids is None else [fold_uid(uid) for uid in uids],
        limit,
    )
    return rows


async def list_for_lists(
    connection: asyncpg.Connection, tenant_id: int, now: datetime
) -> list[asyncpg.Record]:
    """Give the tokens that stations may hold by themselves, blocked ones too; those added last first."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT uid, folded_uid, kind, status, group_id, valid_until FROM token WHERE tenant_id = $1"
        " AND kind <> ALL ($2) AND (status = 'blocked' OR status = 'accepted'"
        " AND (valid_until IS NULL OR valid_until > $3)) ORDER BY created_at DESC, folded_uid",
        tenant_id,
        _NEVER_PRESENTED,
        now,
    )
    return rows
