"""Logs that stations have delivered."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.core.errors import NotFound
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.transfers import queries
from pilotwire.domain.transfers.model import log_key
from pilotwire.domain.transfers.ports import FileStore

__all__ = ["get_log", "get_log_file", "list_logs", "remove_log"]


async def list_logs(
    db: Database, principal: Principal, *, station_identity: str | None, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List logs, the newest first."""
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_logs(connection, station_identity, before, limit)


async def get_log(db: Database, principal: Principal, log_id: UUID) -> Row[Any]:
    """Get a log. Raises: NotFound."""
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        return _there(await queries.find_log(connection, log_id), log_id)


async def get_log_file(
    db: Database, store: FileStore, principal: Principal, log_id: UUID
) -> tuple[Row[Any], AsyncIterator[bytes]]:
    """Get a log and its file's bytes; who reads one is in the audit trail. Raises: NotFound."""
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.find_log(connection, log_id), log_id)
        await keep_audit(
            connection, principal, "log.fetched", str(log_id), after={"station_id": row.identity}
        )
    return row, store.read(log_key(log_id), 0, row.size_bytes)


async def remove_log(db: Database, store: FileStore, principal: Principal, log_id: UUID) -> None:
    """Remove a log and its file. Raises: NotFound."""
    require(principal, Right.CHANGE_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.find_log(connection, log_id), log_id)
        await queries.delete_log(connection, log_id)
        await keep_audit(
            connection, principal, "log.removed", str(log_id), before={"station_id": row.identity}
        )
    with contextlib.suppress(OSError):  # the sweep takes what is left
        await store.delete(log_key(log_id))


def _there(row: Row[Any] | None, log_id: UUID) -> Row[Any]:
    if row is None:
        raise NotFound(f"there is no log {log_id}")
    return row
