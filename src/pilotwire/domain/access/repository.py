"""Tokens in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.access.tables import token

__all__ = ["delete_token", "find_token", "insert_token", "list_tokens", "update_token"]

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
