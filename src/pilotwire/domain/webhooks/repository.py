"""Deliveries in SQL, for the job that makes them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.webhooks.model import PING, Answer, PostFailed, delay_after

__all__ = ["Due", "claim", "delete_old", "due_of", "keep_outcome", "list_wanted", "next_moment"]

_LEASE = timedelta(minutes=2)
"""After this a delivery whose process was lost is made again; longer than an attempt can take."""

_REST_AFTER = 3


class Due(msgspec.Struct, frozen=True):
    """A delivery to be made now, with all that it takes."""

    id: int
    webhook_id: UUID
    url: str
    generation: int
    previous_until: datetime | None
    failing_since: datetime | None
    failures: int
    attempts: int
    event_id: UUID
    type: str
    at: datetime
    data: str


_DUE = (
    "d.id, d.webhook_id, w.url, w.generation, w.previous_until, w.failing_since, w.failures, d.attempts, d.event_id,"
    " e.type, e.at, e.data"
)

# A receiver that fails is asked with one delivery at a time; one that works gets several side by side.
_CLAIM = f"""
WITH due AS (
    SELECT d.id FROM webhook w CROSS JOIN LATERAL (
        SELECT id FROM webhook_delivery WHERE webhook_id = w.id AND state = 'waiting' AND next_at <= $1
        ORDER BY next_at, id LIMIT CASE WHEN w.failures > 0 THEN 1 ELSE $4::int END FOR UPDATE SKIP LOCKED) AS d
    WHERE w.disabled_at IS NULL AND (w.resting_until IS NULL OR w.resting_until <= $1) AND w.id <> ALL ($3::uuid[])),
claimed AS (
    UPDATE webhook_delivery d SET next_at = $2, attempts = attempts + 1 FROM due WHERE d.id = due.id RETURNING d.*)
SELECT {_DUE} FROM claimed d JOIN webhook w ON w.id = d.webhook_id JOIN webhook_event e ON e.id = d.event_id
ORDER BY d.id
"""  # noqa: S608 - a constant of this module


async def claim(
    connection: asyncpg.Connection, now: datetime, busy: Sequence[UUID], side_by_side: int
) -> list[Due]:
    """Take deliveries that are due, of webhooks that are not busy, for as long as the lease."""
    rows = await connection.fetch(_CLAIM, now, now + _LEASE, list(busy), side_by_side)
    return [Due(*row) for row in rows]


async def due_of(connection: asyncpg.Connection, delivery_id: int, now: datetime) -> Due:
    """Take one delivery that is known to exist, whether or not its time has come."""
    row = await connection.fetchrow(
        f"WITH d AS (UPDATE webhook_delivery SET next_at = $2, attempts = attempts + 1 WHERE id = $1 RETURNING *)"  # noqa: S608
        f" SELECT {_DUE} FROM d JOIN webhook w ON w.id = d.webhook_id JOIN webhook_event e ON e.id = d.event_id",
        delivery_id,
        now + _LEASE,
    )
    return Due(*row)


async def next_moment(connection: asyncpg.Connection) -> datetime | None:
    """Tell when the next delivery is due; None when none waits."""
    moment: datetime | None = await connection.fetchval(
        "SELECT min(greatest(d.next_at, coalesce(w.resting_until, d.next_at))) FROM webhook w CROSS JOIN LATERAL ("
        " SELECT next_at FROM webhook_delivery WHERE webhook_id = w.id AND state = 'waiting'"
        " ORDER BY next_at LIMIT 1) AS d WHERE w.disabled_at IS NULL"
    )
    return moment


async def keep_outcome(
    connection: asyncpg.Connection,
    due: Due,
    outcome: Answer | PostFailed,
    now: datetime,
    disable_after: timedelta,
) -> bool:
    """Keep what came of an attempt; True when the webhook was disabled because of it."""
    answer = outcome if isinstance(outcome, Answer) else None
    taken = answer is not None and answer.taken
    pause = None if due.type == PING else delay_after(due.attempts)
    state = "delivered" if taken else "failed" if pause is None else "waiting"
    error = (
        ""
        if taken
        else outcome.detail
        if isinstance(outcome, PostFailed)
        else f"status {outcome.status_code}"
    )
    async with connection.transaction():
        await connection.execute(
            "UPDATE webhook_delivery SET state = $2, next_at = $3, last_at = $4, status_code = $5, latency_ms = $6,"
            " response = $7, error = $8 WHERE id = $1",
            due.id,
            state,
            now + (pause or timedelta(0)),
            now,
            None if answer is None else answer.status_code,
            outcome.latency_ms,
            "" if answer is None else answer.excerpt,
            error[:500],
        )
        if due.type == PING:
            return False
        if taken:
            await connection.execute(
                "UPDATE webhook SET delivered_at = $2, failures = 0, failing_since = NULL, resting_until = NULL"
                " WHERE id = $1",
                due.webhook_id,
                now,
            )
            return False
        return await _keep_failure(connection, due, error, now, disable_after)


async def _keep_failure(
    connection: asyncpg.Connection, due: Due, error: str, now: datetime, disable_after: timedelta
) -> bool:
    row = await connection.fetchrow(
        "UPDATE webhook SET failures = failures + 1, failing_since = coalesce(failing_since, $2) WHERE id = $1"
        " RETURNING failures, failing_since, disabled_at",
        due.webhook_id,
        now,
    )
    if row is None or row["disabled_at"] is not None:
        return False
    gone = error == "status 410"
    if gone or now - row["failing_since"] >= disable_after:
        reason = (
            "the receiver answered 410: it wants no more"
            if gone
            else f"no delivery since {row['failing_since']:%Y-%m-%d %H:%M} UTC came through; the last one: {error}"
        )
        await connection.execute(
            "UPDATE webhook SET disabled_at = $2, disabled_reason = $3 WHERE id = $1",
            due.webhook_id,
            now,
            reason[:500],
        )
        return True
    if row["failures"] >= _REST_AFTER:
        rest = delay_after(min(row["failures"] - _REST_AFTER + 1, 5)) or timedelta(0)
        await connection.execute(
            "UPDATE webhook SET resting_until = $2 WHERE id = $1", due.webhook_id, now + rest
        )
    return False


async def list_wanted(connection: asyncpg.Connection) -> frozenset[tuple[int, str]]:
    """Give tenant and name of every event that some webhook asks for."""
    rows = await connection.fetch(
        "SELECT DISTINCT tenant_id, unnest(events) AS type FROM webhook WHERE disabled_at IS NULL"
    )
    return frozenset((row["tenant_id"], row["type"]) for row in rows)


async def delete_old(connection: asyncpg.Connection, before: datetime) -> None:
    """Remove events of before a moment with their deliveries."""
    await connection.execute("DELETE FROM webhook_event WHERE at < $1", before)
