"""What happened at a station, in one order, in SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["KINDS", "list_happenings"]

# kind: the table, the moment, what, its detail, by whom, the EVSE, the task, the session.
_SOURCES = {
    "status": (
        "connector_status AS t",
        "t.received_at",
        "t.status",
        "t.error_code",
        "''",
        "t.evse_no",
        "NULL::uuid",
        "NULL::uuid",
    ),
    "connected": (
        "station_connection AS t",
        "t.connected_at",
        "'connected'",
        "''",
        "''",
        "NULL",
        "NULL::uuid",
        "NULL::uuid",
    ),
    "disconnected": (
        "station_connection AS t",
        "t.disconnected_at",
        "'disconnected'",
        "''",
        "''",
        "NULL",
        "NULL::uuid",
        "NULL::uuid",
    ),
    "security": (
        "security_event AS t",
        "t.received_at",
        "t.type",
        "t.technical_info",
        "''",
        "NULL",
        "NULL::uuid",
        "NULL::uuid",
    ),
    "command": (
        "command AS t JOIN task ON task.id = t.task_id",
        "t.created_at",
        "task.name",
        "t.state",
        "task.created_by",
        "NULL",
        "t.task_id",
        "NULL::uuid",
    ),
    "session_started": (
        "session AS t",
        "t.started_at",
        "'session_started'",
        "''",
        "''",
        "t.evse_no",
        "NULL::uuid",
        "t.id",
    ),
    "session_ended": (
        "session AS t",
        "t.ended_at",
        "'session_ended'",
        "coalesce(t.stop_reason, '')",
        "''",
        "t.evse_no",
        "NULL::uuid",
        "t.id",
    ),
}
KINDS = tuple(_SOURCES)
"""What may happen at a station."""


def _source(kind: str) -> str:
    table, at, what, detail, by, evse, task, session = _SOURCES[kind]
    key = f"'{kind}' || coalesce({evse}::text, '') || {what} || coalesce({task}::text, {session}::text, '')"
    return f"""(
        SELECT {at} AS at, '{kind}' AS kind, {what} AS what, {detail} AS detail, {by} AS by,
            {evse}::integer AS evse_no, {task} AS task_id, {session} AS session_id, {key} AS key
        FROM {table}
        WHERE t.station_id = :station_id AND {at} <= :at AND ({at}, {key}) < (:at, :key)
        ORDER BY {at} DESC, key DESC LIMIT :limit
    )"""  # noqa: S608 - of the constants above


async def list_happenings(
    connection: AsyncConnection,
    station_id: int,
    kinds: Collection[str],
    before: tuple[datetime, str],
    limit: int,
) -> Sequence[Row[Any]]:
    """List what happened at a station before a moment (and the key of what was seen last), the newest first."""
    sources = " UNION ALL ".join(_source(kind) for kind in KINDS if kind in kinds)
    query = f"SELECT * FROM ({sources}) AS happening ORDER BY at DESC, key DESC LIMIT :limit"  # noqa: S608
    rows: Sequence[Row[Any]] = (
        await connection.execute(
            text(query), {"station_id": station_id, "at": before[0], "key": before[1], "limit": limit}
        )
    ).all()
    return rows
