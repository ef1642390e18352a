"""Waves of tasks in SQL, for what carries tasks out: counting, judging, opening the next."""

from datetime import datetime
from uuid import UUID

import asyncpg

__all__ = ["count_in_wave", "open_waves", "recount_waves"]

_JUDGE = """
SELECT t.state, w.number, w.total, w.succeeded, w.failed, w.success_percent, w.wait_s,
    w.number < (SELECT max(number) FROM task_wave WHERE task_id = $1) AS more
FROM task t JOIN task_wave w ON w.task_id = t.id AND w.number = t.wave
WHERE t.id = $1 AND t.state = 'running' AND w.passed_at IS NULL
"""


async def count_in_wave(connection: asyncpg.Connection, task_id: UUID, number: int, *, good: bool) -> None:
    """Count the end of a command in its wave, and judge the wave. The caller holds the task's row."""
    await connection.execute(
        "UPDATE task_wave SET succeeded = succeeded + $3, failed = failed + $4 WHERE task_id = $1 AND number = $2",
        task_id,
        number,
        int(good),
        int(not good),
    )
    await _judge(connection, task_id)


async def _judge(connection: asyncpg.Connection, task_id: UUID) -> None:
    """Let the current wave pass, or pause the task when it cannot pass any more."""
    row = await connection.fetchrow(_JUDGE, task_id)
    if row is None:
        return
    needed = row["success_percent"] * row["total"]
    if row["succeeded"] * 100 >= needed - 1e-6:
        await connection.execute(
            "UPDATE task_wave SET passed_at = now() WHERE task_id = $1 AND number = $2",
            task_id,
            row["number"],
        )
        if row["more"]:
            await connection.execute(
                "UPDATE task SET next_wave_at = now() + make_interval(secs => $2) WHERE id = $1",
                task_id,
                float(row["wait_s"]),
            )
    elif (row["total"] - row["failed"]) * 100 < needed - 1e-6:
        reason = (
            f"wave {row['number']}: {row['failed']} of {row['total']} failed, and"
            f" {row['success_percent']:g} % are to succeed"
        )
        await connection.execute(
            "UPDATE task SET state = 'paused', pause_reason = $2 WHERE id = $1", task_id, reason
        )


async def open_waves(connection: asyncpg.Connection, now: datetime) -> list[int]:
    """Open the waves whose time has come; give the stations for which commands may be sent now."""
    stations: list[int] = []
    async with connection.transaction():
        tasks = await connection.fetch(
            "UPDATE task SET wave = wave + 1, next_wave_at = NULL WHERE state = 'running' AND next_wave_at <= $1"
            " RETURNING id, wave, expires_in_s, random_delay_s",
            now,
        )
        for task in tasks:
            await connection.execute(
                "UPDATE task_wave SET opened_at = $3 WHERE task_id = $1 AND number = $2",
                task["id"],
                task["wave"],
                now,
            )
            rows = await connection.fetch(
                "UPDATE command SET expires_at = $3::timestamptz + make_interval(secs => $4), not_before ="
                " CASE WHEN $5 > 0 THEN $3 + random() * make_interval(secs => $5) END"
                " WHERE task_id = $1 AND wave = $2 AND state = 'queued' RETURNING station_id",
                task["id"],
                task["wave"],
                now,
                float(task["expires_in_s"]),
                float(task["random_delay_s"]),
            )
            stations += [row["station_id"] for row in rows]
    return stations


async def recount_waves(connection: asyncpg.Connection) -> None:
    """Count the waves of open tasks anew; a removed station takes its commands with it."""
    async with connection.transaction():
        tasks = await connection.fetch(
            "SELECT id FROM task WHERE state IN ('running', 'paused') AND wave > 0 ORDER BY id FOR UPDATE"
        )
        await connection.execute(
            "UPDATE task_wave w SET total = c.total, succeeded = c.succeeded, failed = c.failed"
            " FROM (SELECT v.task_id, v.number, count(q.id) AS total,"
            " count(q.id) FILTER (WHERE q.state = 'done') AS succeeded, count(q.id) FILTER (WHERE q.state NOT IN"
            " ('done', 'cancelled', 'queued', 'sent', 'accepted')) AS failed FROM task_wave v"
            " LEFT JOIN command q ON q.task_id = v.task_id AND q.wave = v.number"
            " WHERE v.task_id = ANY($1) GROUP BY v.task_id, v.number) AS c"
            " WHERE w.task_id = c.task_id AND w.number = c.number",
            [row["id"] for row in tasks],
        )
        for row in tasks:
            await _judge(connection, row["id"])
