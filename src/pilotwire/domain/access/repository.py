"""Tokens in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.access.tables import token

__all__ = [
    "delete_token",
    "find_token",
    "insert_token",
    "insert_tokens",
    "list_tokens",
    "lock_tokens",
    "update_token",
    "update_tokens",
]

_LISTED = tuple(column for column in token.c if column.name not in ("id", "tenant_id"))


async def list_tokens(connection: AsyncConnection, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """List tokens by uid; `after` is the folded uid of the last one of the previous page."""
    query = select(*_LISTED).order_by(token.c.folded_uid).limit(limit)
    if after is not None:
        query = query.where(token.c.folded_uid > after)
    return (await connection.execute(query)).all()


async def find_token(connection: AsyncConnection, folded_uid: str) -> Row[Any] | None:
    """Find a token."""
    return (await connection.execute(select(*_LISTED).where(token.c.folded_uid == folded_uid))).one_or_none()


async def insert_token(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a token."""
    return (await connection.execute(insert(token).values(**values).returning(*_LISTED))).one()


async def update_token(connection: AsyncConnection, folded_uid: str, values: Mapping[str, Any]) -> Row[Any]:
    """Change a token that is known to exist."""
    query = update(token).where(token.c.folded_uid == folded_uid).values(**values).returning(*_LISTED)
    return (await connection.execute(query)).one()


async def delete_token(connection: AsyncConnection, folded_uid: str) -> Row[Any] | None:
    """Remove a token; None when there was none."""
    query = delete(token).where(token.c.folded_uid == folded_uid).returning(*_LISTED)
    return (await connection.execute(query)).one_or_none()


async def lock_tokens(connection: AsyncConnection, folded_uids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the tokens named and hold them until the end of the transaction."""
    query = select(*_LISTED).where(token.c.folded_uid == func.any(list(folded_uids)))
    rows = await connection.execute(query.order_by(token.c.folded_uid).with_for_update())
    return {row.folded_uid: dict(row._mapping) for row in rows}


async def insert_tokens(
    connection: AsyncConnection, tenant_id: int, rows: Sequence[Mapping[str, Any]]
) -> set[str]:
    """Add tokens; give the folded uids of those that were added."""
    if not rows:
        return set()
    found = await connection.execute(
        text(
            "INSERT INTO token (id, tenant_id, uid, folded_uid, kind, status, group_id, valid_until, holder)"
            " SELECT n.id, :tenant_id, n.uid, n.folded_uid, n.kind, n.status, n.group_id, n.valid_until, n.holder"
            " FROM json_to_recordset(CAST(:rows AS json)) AS n (id uuid, uid text, folded_uid text, kind text,"
            " status text, group_id text, valid_until timestamptz, holder text)"
            " ON CONFLICT (tenant_id, folded_uid) DO NOTHING RETURNING folded_uid"
        ),
        {"tenant_id": tenant_id, "rows": msgspec.json.encode(rows).decode()},
    )
    return {row.folded_uid for row in found}


async def update_tokens(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change tokens; a row has every column."""
    if rows:
        await connection.execute(
            text(
                "UPDATE token SET kind = n.kind, status = n.status, group_id = n.group_id,"
                " valid_until = n.valid_until, holder = n.holder"
                " FROM json_to_recordset(CAST(:rows AS json)) AS n (folded_uid text, kind text, status text,"
                " group_id text, valid_until timestamptz, holder text) WHERE token.folded_uid = n.folded_uid"
            ),
            {"rows": msgspec.json.encode(rows).decode()},
        )
