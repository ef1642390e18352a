"""Tasks and commands in SQL, for what carries them out; over all tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.core.texts import Text
from pilotwire.domain.operations.commands import Command
from pilotwire.domain.operations.events import CommandChanged, TaskChanged
from pilotwire.domain.operations.model import SAID
from pilotwire.domain.operations.rollout import Window
from pilotwire.domain.operations.waves import count_in_wave
from pilotwire.domain.transfers.repository import end_grant

__all__ = [
    "Following",
    "Head",
    "Outcome",
    "claim",
    "expire",
    "find_answer",
    "find_given",
    "find_state",
    "finish",
    "follow",
    "hurry",
    "list_following",
    "list_heads",
    "list_ripe",
    "list_sent",
    "list_started_with_target",
    "next_moment",
    "note_progress",
    "outcome_of",
    "overdue",
    "put_off",
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
    window: Window | None
    only_idle: bool
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    attempts: int


class Outcome(msgspec.Struct, frozen=True):
    """Where the command to one station stands, for whoever gave it."""

    state: str
    outcome: str
    detail: str
    result: dict[str, Any]


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
    outcome: str = ""
    sent_at: datetime | None = None


_MOVE_FILES = frozenset({"update_firmware", "get_logs"})
_HEAD = (
    "c.id, c.tenant_id, c.task_id, c.station_id, s.identity, t.command::text AS command, t.concurrency,"
    " t.maintenance_window::text AS window, t.only_idle,"
    " c.created_at, c.not_before, c.expires_at, c.attempts"
)
_FOLLOWING = (
    "c.id, c.tenant_id, c.task_id, c.station_id, s.identity, t.command::text AS command, c.answered_at,"
    " c.follow_until, coalesce(c.result, '{}')::text AS result, c.outcome, c.sent_at"
)
_read_window = msgspec.json.Decoder(Window).decode
_read_command = msgspec.json.Decoder(Command).decode


async def list_heads(connection: asyncpg.Connection, station_ids: Sequence[int], now: datetime) -> list[Head]:
    """Give the oldest waiting command of each station; those of paused tasks or for later hold up no others."""
    rows = await connection.fetch(
        f"SELECT {_HEAD} FROM unnest($1::int[]) AS w (id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT q.* FROM command q JOIN task k ON k.id = q.task_id"
        " WHERE q.station_id = w.id AND q.state = 'queued' AND k.state = 'running'"
        " AND q.wave <= k.wave AND (q.not_before IS NULL OR q.not_before <= $2) ORDER BY q.id LIMIT 1) AS c"
        " JOIN task t ON t.id = c.task_id JOIN station s ON s.id = c.station_id ORDER BY c.id",
        station_ids,
        now,
    )
    return [
        Head(
            **{
                **dict(row),
                "command": _read_command(row["command"]),
                "window": None if row["window"] is None else _read_window(row["window"]),
            }
        )
        for row in rows
    ]


async def claim(
    connection: asyncpg.Connection, command_id: int, now: datetime, about: dict[str, Any] | None = None
) -> bool:
    """Mark a command as sent, before it is, with what is known `about` it; False when it may not go out any more."""
    row = await connection.fetchrow(
        "UPDATE command c SET state = 'sent', sent_at = $2, attempts = attempts + 1, outcome = '', detail = '',"
        " result = coalesce($3::jsonb, c.result) FROM task t"
        " WHERE c.id = $1 AND c.state = 'queued' AND c.expires_at > $2 AND t.id = c.task_id AND t.state = 'running'"
        " RETURNING c.id",
        command_id,
        now,
        msgspec.json.encode(about).decode() if about else None,
    )
    return row is not None


async def put_off(
    connection: asyncpg.Connection, command_id: int, until: datetime, outcome: str, detail: Text
) -> None:
    """Hold a waiting command back until a moment, and say why."""
    await connection.execute(
        "UPDATE command SET not_before = $2, outcome = $3, detail = $4, result = coalesce(result, '{}') || $5::jsonb"
        " WHERE id = $1 AND state = 'queued'",
        command_id,
        until,
        outcome,
        str(detail),
        msgspec.json.encode({SAID: detail.reason()}).decode(),
    )


async def hurry(connection: asyncpg.Connection, station_id: int, outcome: str) -> None:
    """Hold a station's commands back no longer that were put off with an outcome."""
    await connection.execute(
        "UPDATE command SET not_before = NULL WHERE station_id = $1 AND state = 'queued' AND outcome = $2",
        station_id,
        outcome,
    )


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
        "UPDATE command SET state = 'accepted', outcome = $2, result = coalesce(result, '{}') || $3::jsonb, epoch = $4,"
        " follow_until = $5, answered_at = $6 WHERE id = $1 AND state = 'sent'",
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
    detail: str | Text = "",
    *,
    result: dict[str, Any] | None = None,
    epoch: int = 0,
) -> tuple[CommandChanged, TaskChanged] | None:
    """End a command and count it in its task; None when it was over already.

    The task pauses by its stop rule, and is done when nothing of it is open.
    """
    english = str(detail)
    if isinstance(detail, Text):  # with the code, so that it can be said in the reader's language
        result = {**(result or {}), SAID: detail.reason()}
    async with connection.transaction():
        row = await connection.fetchrow(
            "UPDATE command c SET state = $2, outcome = $3, detail = $4, finished_at = now(),"
            " answered_at = coalesce(c.answered_at, now()), epoch = greatest(c.epoch, $6),"
            " result = (coalesce(c.result, '{}') - 'said') || coalesce($5::jsonb, '{}') FROM task t, station s"
            " WHERE c.id = $1 AND c.state IN ('queued', 'sent', 'accepted') AND t.id = c.task_id"
            " AND s.id = c.station_id RETURNING c.tenant_id, c.task_id, s.identity, t.name, c.wave",
            command_id,
            state,
            outcome,
            english[:2000],
            None if result is None else msgspec.json.encode(result).decode(),
            epoch,
        )
        if row is None:
            return None
        if row["name"] in _MOVE_FILES:
            await end_grant(connection, command_id)
        changed = CommandChanged(
            row["tenant_id"],
            row["task_id"],
            command_id,
            row["identity"],
            row["name"],
            state,
            outcome,
            english,
        )
        return changed, await _count(connection, row["task_id"], row["wave"], state)


_COUNT = """
UPDATE task SET succeeded = succeeded + $2, failed = failed + $3, cancelled = cancelled + $4 WHERE id = $1
"""
_RULE = """
UPDATE task t SET
    state = CASE
        WHEN NOT o.open THEN CASE WHEN t.state = 'cancelled' THEN t.state ELSE 'done' END
        WHEN t.state = 'running' AND $2 AND t.failed * 100.0 >= t.stop_when_failed_percent * t.total THEN 'paused'
        ELSE t.state END,
    pause_reason = CASE
        WHEN t.state = 'running' AND o.open AND $2 AND t.failed * 100.0 >= t.stop_when_failed_percent * t.total
        THEN format('%s of %s failed, and %s %% are the limit', t.failed, t.total, t.stop_when_failed_percent)
        ELSE t.pause_reason END,
    finished_at = CASE WHEN NOT o.open THEN now() ELSE NULL END
FROM (SELECT EXISTS (
    SELECT FROM command WHERE task_id = $1 AND state IN ('queued', 'sent', 'accepted')) AS open) AS o
WHERE t.id = $1 RETURNING t.tenant_id, t.id, t.name, t.state, t.total, t.succeeded, t.failed, t.wave, t.next_wave_at
"""


async def _count(connection: asyncpg.Connection, task_id: UUID, wave: int, state: str) -> TaskChanged:
    good, cancelled = state == "done", state == "cancelled"
    # The first statement takes the lock on the task, so that the second one sees what others have ended before.
    await connection.execute(_COUNT, task_id, int(good), int(not good and not cancelled), int(cancelled))
    if wave and not cancelled:
        await count_in_wave(connection, task_id, wave, good=good)
    row = await connection.fetchrow(_RULE, task_id, not good and not cancelled)
    return TaskChanged(*row.values())


async def note_progress(
    connection: asyncpg.Connection,
    command_id: int,
    outcome: str,
    result: dict[str, Any],
    until: datetime | None = None,
) -> None:
    """Keep an intermediate step of a command whose end is still to come, and `until` when if that is new."""
    await connection.execute(
        "UPDATE command SET outcome = $2, result = coalesce(result, '{}') || $3::jsonb,"
        " follow_until = coalesce($4, follow_until)"
        " WHERE id = $1 AND state = 'accepted'",
        command_id,
        outcome,
        msgspec.json.encode(result).decode(),
        until,
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
    """Give the next moment at which a command expires, is overdue, or may be sent, or a wave opens."""
    moment: datetime | None = await connection.fetchval(
        "SELECT least((SELECT min(expires_at) FROM command WHERE state = 'queued'),"
        " (SELECT min(follow_until) FROM command WHERE state = 'accepted'),"
        " (SELECT min(not_before) FROM command WHERE state = 'queued' AND not_before > $1),"
        " (SELECT min(next_wave_at) FROM task WHERE state = 'running' AND next_wave_at IS NOT NULL))",
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


async def find_answer(
    connection: asyncpg.Connection, command_id: int
) -> tuple[int, Command, dict[str, Any], str] | None:
    """Give station, command, result and giver of a command."""
    row = await connection.fetchrow(
        "SELECT c.station_id, t.command::text AS command, coalesce(c.result, '{}')::text AS result, t.created_by"
        " FROM command c JOIN task t ON t.id = c.task_id WHERE c.id = $1",
        command_id,
    )
    if row is None:
        return None
    return (
        row["station_id"],
        _read_command(row["command"]),
        msgspec.json.decode(row["result"]),
        row["created_by"],
    )


async def settle_tasks(connection: asyncpg.Connection) -> list[TaskChanged]:
    """End the tasks of which nothing is open; a removed station takes its commands with it."""
    rows = await connection.fetch(
        "UPDATE task t SET state = 'done', finished_at = now() WHERE t.state IN ('running', 'paused')"
        " AND NOT EXISTS (SELECT FROM command c WHERE c.task_id = t.id AND c.state IN ('queued', 'sent', 'accepted'))"
        " RETURNING t.tenant_id, t.id, t.name, t.state, t.total, t.succeeded, t.failed, t.wave, t.next_wave_at"
    )
    return [TaskChanged(*row.values()) for row in rows]


_STARTED_WITH_TARGET = """
SELECT s.id, (t.command -> 'target')::text AS target, t.created_by FROM task t JOIN command c ON c.task_id = t.id
JOIN session s ON s.station_id = c.station_id
    AND (s.remote_start_id = c.id OR (c.outcome = 'started' AND s.id = (c.result ->> 'session_id')::uuid))
WHERE t.name = 'start_charging' AND (t.command -> 'target') <> 'null'::jsonb AND t.created_at > $1
"""


async def list_started_with_target(
    connection: asyncpg.Connection, since: datetime
) -> list[tuple[UUID, dict[str, Any], str]]:
    """List the sessions that began by a command with a target given since a moment: session, target, who gave it."""
    rows = await connection.fetch(_STARTED_WITH_TARGET, since)
    return [(row["id"], msgspec.json.decode(row["target"]), row["created_by"]) for row in rows]


async def find_state(connection: asyncpg.Connection, task_id: UUID) -> tuple[str, str, str] | None:
    """Find state, outcome and detail of the only command of a task."""
    row = await connection.fetchrow("SELECT state, outcome, detail FROM command WHERE task_id = $1", task_id)
    return None if row is None else (row["state"], row["outcome"], row["detail"])


async def find_given(connection: asyncpg.Connection, command_id: int) -> tuple[int, Command] | None:
    """Find to which station a command went, and what it was."""
    row = await connection.fetchrow(
        "SELECT c.station_id, t.command::text AS command FROM command c JOIN task t ON t.id = c.task_id"
        " WHERE c.id = $1",
        command_id,
    )
    return None if row is None else (row["station_id"], _read_command(row["command"]))


async def outcome_of(connection: asyncpg.Connection, task_id: UUID) -> Outcome | None:
    """Tell how the command of a task to one station stands, None when the task is gone."""
    row = await connection.fetchrow(
        "SELECT state, outcome, detail, coalesce(result, '{}')::text AS result FROM command WHERE task_id = $1 LIMIT 1",
        task_id,
    )
    if row is None:
        return None
    return Outcome(row["state"], row["outcome"], row["detail"], msgspec.json.decode(row["result"]))
