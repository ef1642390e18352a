"""Tokens in SQL, for the stations' edge."""

import asyncpg

from pilotwire.domain.access.model import Token, TokenStatus, fold_uid

__all__ = ["find_token"]


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
