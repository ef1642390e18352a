"""Tasks and commands in SQL, for what carries them out; over all tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.operations.commands import Command
from pilotwire.domain.operations.events import CommandChanged, TaskChanged

__all__ = [
    "Following",
    "Head",
    "claim",
    "expire",
    "finish",
    "follow",
    "list_following",
    "list_heads",
    "list_ripe",
    "list_sent",
    "next_moment",
    "note_progress",
    "overdue",
    "release",
    "settle_tasks",
]


class Head(msgspec.Struct, frozen=True):
    """The oldest waiting command of a station, with what its task says of it."""

    id: int
    tenant_id: int
    task_id: UUID
    station_id: int
    identity: str
    command: Command
    concurrency: int
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    attempts: int


class Following(msgspec.Struct, frozen=True):
    """A command that was accepted, and whose end is to be told by later messages."""

    id: int
    tenant_id: int
    task_id: UUID
    station_id: int
    identity: str
    command: Command
    answered_at: datetime
    follow_until: datetime
    result: dict[str, Any]


_HEAD = (
    "c.id, c.tenant_id, c.task_id, c.station_id, s.identity, t.command::text AS command, t.concurrency,"
    " c.created_at, c.not_before, c.expires_at, c.attempts"
)
_FOLLOWING = (
    "c.id, c.tenant_id, c.task_id, c.station_id, s.identity, t.command::text AS command, c.answered_at,"
    " c.follow_until, coalesce(c.result, '{}')::text AS result"
)
_read_command = msgspec.json.Decoder(Command).decode


async def list_heads(connection: asyncpg.Connection, station_ids: Sequence[int], now: datetime) -> list[Head]:
    """Give the oldest waiting command of each station; those of paused tasks or for later hold up no others."""
    rows = await connection.fetch(
        f"SELECT {_HEAD} FROM unnest($1::int[]) AS w (id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT q.* FROM command q JOIN task k ON k.id = q.task_id"
        " WHERE q.station_id = w.id AND q.state = 'queued' AND k.state = 'running'"
        " AND (q.not_before IS NULL OR q.not_before <= $2) ORDER BY q.id LIMIT 1) AS c"
        " JOIN task t ON t.id = c.task_id JOIN station s ON s.id = c.station_id ORDER BY c.id",
        station_ids,
        now,
    )
    return [Head(**{**dict(row), "command": _read_command(row["command"])}) for row in rows]


async def claim(connection: asyncpg.Connection, command_id: int, now: datetime) -> bool:
    """Mark a command as sent, before it is; False when it was cancelled or paused meanwhile."""
    row = await connection.fetchrow(
        "UPDATE command c SET state = 'sent', sent_at = $2, attempts = attempts + 1 FROM task t"
        " WHERE c.id = $1 AND c.state = 'queued' AND c.expires_at > $2 AND t.id = c.task_id AND t.state = 'running'"
        " RETURNING c.id",
        command_id,
        now,
    )
    return row is not None


async def release(connection: asyncpg.Connection, command_id: int) -> bool:
    """Put a command back that did not reach its station; False when its task was cancelled meanwhile."""
    row = await connection.fetchrow(
        "UPDATE command c SET state = 'queued', sent_at = NULL FROM task t"
        " WHERE c.id = $1 AND c.state = 'sent' AND t.id = c.task_id AND t.state <> 'cancelled' RETURNING c.id",
        command_id,
    )
    return row is not None


async def follow(
    connection: asyncpg.Connection,
    command_id: int,
    *,
    outcome: str,
    result: dict[str, Any],
    epoch: int,
    until: datetime,
    now: datetime,
) -> None:
    """Keep that a station has accepted, and until when its later messages are waited for."""
    await connection.execute(
        "UPDATE command SET state = 'accepted', outcome = $2, result = $3, epoch = $4, follow_until = $5,"
        " answered_at = $6 WHERE id = $1 AND state = 'sent'",
        command_id,
        outcome,
        msgspec.json.encode(result).decode(),
        epoch,
        until,
        now,
    )


async def finish(
    connection: asyncpg.Connection,
    command_id: int,
    state: str,
    outcome: str,
    detail: str = "",
    *,
    result: dict[str, Any] | None = None,
    epoch: int = 0,
) -> tuple[CommandChanged, TaskChanged] | None:
    """End a command and count it in its task; None when it was over already.

    The task pauses by its stop rule, and is done when nothing of it is open.
    """
    async with connection.transaction():
        row = await connection.fetchrow(
            "UPDATE command c SET state = $2, outcome = $3, detail = $4, finished_at = now(),"
            " answered_at = coalesce(c.answered_at, now()), epoch = greatest(c.epoch, $6),"
            " result = coalesce(c.result, '{}') || coalesce($5::jsonb, '{}') FROM task t, station s"
            " WHERE c.id = $1 AND c.state IN ('queued', 'sent', 'accepted') AND t.id = c.task_id"
            " AND s.id = c.station_id RETURNING c.tenant_id, c.task_id, s.identity, t.name",
            command_id,
            state,
            outcome,
            detail[:2000],
            None if result is None else msgspec.json.encode(result).decode(),
            epoch,
        )
        if row is None:
            return None
        changed = CommandChanged(
            row["tenant_id"], row["task_id"], command_id, row["identity"], row["name"], state, outcome, detail
        )
        return changed, await _count(connection, row["task_id"], state)


_COUNT = """
UPDATE task SET succeeded = succeeded + $2, failed = failed + $3, cancelled = cancelled + $4 WHERE id = $1
"""
_RULE = """
UPDATE task t SET
    state = CASE
        WHEN NOT o.open THEN CASE WHEN t.state = 'cancelled' THEN t.state ELSE 'done' END
        WHEN t.state = 'running' AND $2 AND t.failed * 100.0 >= t.stop_when_failed_percent * t.total THEN 'paused'
        ELSE t.state END,
    finished_at = CASE WHEN NOT o.open THEN now() ELSE NULL END
FROM (SELECT EXISTS (
    SELECT FROM command WHERE task_id = $1 AND state IN ('queued', 'sent', 'accepted')) AS open) AS o
WHERE t.id = $1 RETURNING t.tenant_id, t.id, t.name, t.state, t.total, t.succeeded, t.failed
"""


async def _count(connection: asyncpg.Connection, task_id: UUID, state: str) -> TaskChanged:
    good, cancelled = state == "done", state == "cancelled"
    # The first statement takes the lock on the task, so that the second one sees what others have ended before.
    await connection.execute(_COUNT, task_id, int(good), int(not good and not cancelled), int(cancelled))
    row = await connection.fetchrow(_RULE, task_id, not good and not cancelled)
    return TaskChanged(*row.values())


async def note_progress(
    connection: asyncpg.Connection, command_id: int, outcome: str, result: dict[str, Any]
) -> None:
    """Keep an intermediate step of a command whose end is still to come."""
    await connection.execute(
        "UPDATE command SET outcome = $2, result = coalesce(result, '{}') || $3::jsonb"
        " WHERE id = $1 AND state = 'accepted'",
        command_id,
        outcome,
        msgspec.json.encode(result).decode(),
    )


async def list_following(connection: asyncpg.Connection, command_id: int | None = None) -> list[Following]:
    """List the commands whose end is waited for, or one of them."""
    rows = await connection.fetch(
        f"SELECT {_FOLLOWING} FROM command c JOIN task t ON t.id = c.task_id"  # noqa: S608
        " JOIN station s ON s.id = c.station_id WHERE c.state = 'accepted' AND ($1::bigint IS NULL OR c.id = $1)"
        " ORDER BY c.id",
        command_id,
    )
    return [
        Following(
            **{
                **dict(row),
                "command": _read_command(row["command"]),
                "result": msgspec.json.decode(row["result"]),
            }
        )
        for row in rows
    ]


async def expire(connection: asyncpg.Connection, now: datetime) -> list[int]:
    """Give the waiting commands whose time has passed."""
    rows = await connection.fetch(
        "SELECT id FROM command WHERE state = 'queued' AND expires_at <= $1 ORDER BY expires_at LIMIT 1000",
        now,
    )
    return [row["id"] for row in rows]


async def overdue(connection: asyncpg.Connection, now: datetime) -> list[int]:
    """Give the accepted commands whose end did not come in time."""
    rows = await connection.fetch(
        "SELECT id FROM command WHERE state = 'accepted' AND follow_until <= $1 LIMIT 1000", now
    )
    return [row["id"] for row in rows]


async def next_moment(connection: asyncpg.Connection, now: datetime) -> datetime | None:
    """Give the next moment at which a command expires, is overdue, or may be sent."""
    moment: datetime | None = await connection.fetchval(
        "SELECT least((SELECT min(expires_at) FROM command WHERE state = 'queued'),"
        " (SELECT min(follow_until) FROM command WHERE state = 'accepted'),"
        " (SELECT min(not_before) FROM command WHERE state = 'queued' AND not_before > $1))",
        now,
    )
    return moment


async def list_ripe(connection: asyncpg.Connection, since: datetime, now: datetime) -> list[int]:
    """Give the stations for which a command may be sent since a moment."""
    rows = await connection.fetch(
        "SELECT DISTINCT station_id FROM command WHERE state = 'queued' AND not_before > $1 AND not_before <= $2",
        since,
        now,
    )
    return [row["station_id"] for row in rows]


async def list_sent(connection: asyncpg.Connection) -> list[tuple[int, Command]]:
    """Give what was sent and not answered."""
    rows = await connection.fetch(
        "SELECT c.id, t.command::text AS command FROM command c JOIN task t ON t.id = c.task_id"
        " WHERE c.state = 'sent' ORDER BY c.id"
    )
    return [(row["id"], _read_command(row["command"])) for row in rows]


async def settle_tasks(connection: asyncpg.Connection) -> list[TaskChanged]:
    """End the tasks of which nothing is open; a removed station takes its commands with it."""
    rows = await connection.fetch(
        "UPDATE task t SET state = 'done', finished_at = now() WHERE t.state IN ('running', 'paused')"
        " AND NOT EXISTS (SELECT FROM command c WHERE c.task_id = t.id AND c.state IN ('queued', 'sent', 'accepted'))"
        " RETURNING t.tenant_id, t.id, t.name, t.state, t.total, t.succeeded, t.failed"
    )
    return [TaskChanged(*row.values()) for row in rows]
