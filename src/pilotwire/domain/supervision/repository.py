"""What is watched of sessions, in SQL, for what carries it out; over all tenants."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.stored import read_facts
from pilotwire.domain.sessions.target import Target
from pilotwire.domain.supervision.full import Fullness
from pilotwire.domain.supervision.model import Case, Cause, NewerSession, Rules, Said

__all__ = [
    "Suspect",
    "Unstarted",
    "Watched",
    "add_target",
    "change_target",
    "keep_answer",
    "keep_full",
    "keep_report",
    "list_full",
    "list_suspects",
    "list_targets",
    "list_unstarted",
    "take_back_full",
]

_target = msgspec.json.Decoder(Target).decode


class Watched(msgspec.Struct):
    """A session with a target that is not done with."""

    session_id: UUID
    tenant_id: int
    station_id: int
    identity: str
    target: Target
    state: str
    facts: SessionFacts
    begun_at: datetime
    heard_at: datetime
    task_id: UUID | None
    attempts: int
    next_at: datetime | None


class Suspect(msgspec.Struct, frozen=True):
    """A session that may be over, or whose car may be full."""

    session_id: UUID
    tenant_id: int
    station_id: int
    identity: str
    ocpp_version: str
    evse_no: int | None
    case: Case
    full: bool


class Unstarted(msgspec.Struct, frozen=True):
    """A connector that charges without a session."""

    tenant_id: int
    station_id: int
    identity: str
    evse_no: int
    since: datetime


_TARGETS = """
SELECT w.session_id, w.tenant_id, w.station_id, st.identity, w.target::text AS target, w.target_state AS state,
    s.facts, s.progress, s.first_received_at, s.last_received_at, s.started_at, w.task_id, w.attempts, w.next_at
FROM session_watch w JOIN session s ON s.id = w.session_id JOIN station st ON st.id = w.station_id
WHERE w.target_state IN ('waiting', 'stopping') AND ($1::uuid[] IS NULL OR w.session_id = ANY ($1))
"""


async def list_targets(
    connection: asyncpg.Connection, session_ids: Sequence[UUID] | None = None
) -> list[Watched]:
    """List the sessions whose targets are not done with, or those of some."""
    return [
        Watched(
            row["session_id"],
            row["tenant_id"],
            row["station_id"],
            row["identity"],
            _target(row["target"]),
            row["state"],
            read_facts(row["facts"], row["progress"]),
            # The start by the station's clock unless that is in the future: duration is not to depend on it.
            min(row["started_at"], row["first_received_at"]),
            row["last_received_at"],
            row["task_id"],
            row["attempts"],
            row["next_at"],
        )
        for row in await connection.fetch(_TARGETS, session_ids)
    ]


async def add_target(
    connection: asyncpg.Connection, session_id: UUID, target: dict[str, Any], by: str
) -> bool:
    """Give a session the target that it was started with, unless it has or had one."""
    row = await connection.fetchrow(
        "INSERT INTO session_watch AS w (session_id, tenant_id, station_id, target, target_state, target_by)"
        " SELECT id, tenant_id, station_id, $2::jsonb, 'waiting', $3 FROM session WHERE id = $1"
        " ON CONFLICT (session_id) DO UPDATE SET target = excluded.target, target_state = 'waiting',"
        " target_by = excluded.target_by WHERE w.target_state IS NULL RETURNING w.session_id",
        session_id,
        msgspec.json.encode(target).decode(),
        by,
    )
    return row is not None


_CHANGEABLE = frozenset(
    {
        "target_state",
        "target_reached",
        "target_reached_at",
        "target_detail",
        "task_id",
        "attempts",
        "next_at",
    }
)


async def change_target(connection: asyncpg.Connection, watched: Watched, **values: Any) -> bool:
    """Change where a target stands, unless somebody has changed it since it was read; tell whether it was done."""
    if unknown := values.keys() - _CHANGEABLE:
        raise TypeError(f"no such columns: {unknown}")
    places = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await connection.fetchrow(
        f"UPDATE session_watch SET {places} WHERE session_id = $1 AND target_state = $2"  # noqa: S608
        " AND target = $3::jsonb RETURNING session_id",
        watched.session_id,
        watched.state,
        msgspec.json.encode(watched.target).decode(),
        *values.values(),
    )
    return row is not None


_SUSPECTS = """
SELECT s.id, s.tenant_id, s.station_id, st.identity, coalesce(st.ocpp_version, '') AS ocpp_version, s.evse_no,
    s.facts, s.progress, s.first_received_at, s.last_received_at, coalesce(p.connected, false) AS connected,
    p.disconnected_at, c.status, c.status_at, c.received_at AS status_received_at, n.first_received_at AS newer_at,
    n.meter_start_wh AS newer_start_wh, w.asked_at, w.said, w.reported, w.full_since IS NOT NULL AS full
FROM session s JOIN station st ON st.id = s.station_id
LEFT JOIN station_presence p ON p.station_id = s.station_id
LEFT JOIN LATERAL (SELECT * FROM connector k WHERE k.station_id = s.station_id AND k.evse_no = s.evse_no
    AND (s.connector_no IS NULL OR k.connector_no = s.connector_no) ORDER BY k.received_at DESC LIMIT 1) c ON true
LEFT JOIN session_watch w ON w.session_id = s.id
LEFT JOIN LATERAL (SELECT * FROM session m WHERE m.station_id = s.station_id AND m.evse_no = s.evse_no AND m.id > s.id
    AND m.started_at > s.started_at ORDER BY m.id LIMIT 1) n ON true
WHERE s.ended_at IS NULL AND (
    s.last_received_at < $1::timestamptz - make_interval(secs => $2)
    OR s.first_received_at < $1::timestamptz - make_interval(secs => $3)
    OR c.status = 'available' OR n.id IS NOT NULL OR NOT coalesce(p.connected, false)
    OR (w.full_since IS NULL AND (s.charging_state = 'SuspendedEV' OR c.status = 'suspended_ev')))
ORDER BY w.checked_at NULLS FIRST, s.id LIMIT $4
"""


async def list_suspects(
    connection: asyncpg.Connection, rules: Rules, now: datetime, limit: int
) -> list[Suspect]:
    """List open sessions that need a look, those first that had none for the longest; note that they have it."""
    rows = await connection.fetch(_SUSPECTS, now, rules.silent_after_s, rules.longest_s, limit)
    if rows:
        await connection.execute(
            "INSERT INTO session_watch (session_id, tenant_id, station_id, checked_at)"
            " SELECT id, tenant_id, station_id, $2 FROM session WHERE id = ANY ($1::uuid[])"
            " ON CONFLICT (session_id) DO UPDATE SET checked_at = excluded.checked_at",
            [row["id"] for row in rows],
            now,
        )
    return [_suspect(row) for row in rows]


def _suspect(row: asyncpg.Record) -> Suspect:
    newer = None if row["newer_at"] is None else NewerSession(row["newer_at"], row["newer_start_wh"])
    case = Case(
        facts=read_facts(row["facts"], row["progress"]),
        first_received_at=row["first_received_at"],
        last_received_at=row["last_received_at"],
        connected=row["connected"],
        away_since=row["disconnected_at"],
        status=row["status"],
        status_at=row["status_at"],
        status_received_at=row["status_received_at"],
        newer=newer,
        asked_at=row["asked_at"],
        said=None if row["said"] is None else Said(row["said"]),
        reported=None if row["reported"] is None else Cause(row["reported"]),
    )
    return Suspect(
        row["id"], row["tenant_id"], row["station_id"], row["identity"], row["ocpp_version"], row["evse_no"], case,
        row["full"],
    )  # fmt: skip


async def keep_answer(connection: asyncpg.Connection, session_id: UUID, said: Said, now: datetime) -> None:
    """Keep what a station said of a session."""
    await connection.execute(
        "UPDATE session_watch SET asked_at = $2, said = $3 WHERE session_id = $1", session_id, now, said.value
    )


async def keep_report(connection: asyncpg.Connection, session_id: UUID, cause: Cause) -> None:
    """Keep that people were told of a session."""
    await connection.execute(
        "UPDATE session_watch SET reported = $2 WHERE session_id = $1", session_id, cause.value
    )


async def keep_full(
    connection: asyncpg.Connection, session_id: UUID, tenant_id: int, station_id: int, full: Fullness
) -> bool:
    """Keep since when a car is full; tell whether that is new."""
    row = await connection.fetchrow(
        "INSERT INTO session_watch AS w (session_id, tenant_id, station_id, full_since, full_evidence)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session_id) DO UPDATE SET full_since = excluded.full_since,"
        " full_evidence = excluded.full_evidence WHERE w.full_since IS NULL RETURNING w.session_id",
        session_id,
        tenant_id,
        station_id,
        full.since,
        full.evidence,
    )
    return row is not None


async def list_full(connection: asyncpg.Connection) -> dict[UUID, datetime]:
    """Give the open sessions whose cars are full, and since when."""
    rows = await connection.fetch(
        "SELECT w.session_id, w.full_since FROM session s JOIN session_watch w ON w.session_id = s.id"
        " WHERE s.ended_at IS NULL AND w.full_since IS NOT NULL"
    )
    return dict(rows)


async def take_back_full(connection: asyncpg.Connection, session_id: UUID) -> None:
    """The car charges again."""
    await connection.execute(
        "UPDATE session_watch SET full_since = NULL, full_evidence = NULL WHERE session_id = $1", session_id
    )


_UNSTARTED = """
SELECT k.tenant_id, k.station_id, st.identity, k.evse_no, k.received_at AS since FROM connector k
JOIN station_presence p ON p.station_id = k.station_id AND p.connected JOIN station st ON st.id = k.station_id
WHERE k.status = 'charging' AND k.evse_no > 0 AND k.received_at < $1::timestamptz
AND k.received_at > $1::timestamptz - interval '1 day' AND NOT EXISTS (
    SELECT FROM session s WHERE s.station_id = k.station_id AND s.evse_no = k.evse_no
    AND (s.ended_at IS NULL OR s.last_received_at >= k.received_at)) LIMIT $2
"""


async def list_unstarted(
    connection: asyncpg.Connection, rules: Rules, now: datetime, limit: int
) -> list[Unstarted]:
    """List the connectors of connected stations that have charged for long without a session."""
    before = now - timedelta(seconds=rules.start_missing_after_s)
    return [Unstarted(**row) for row in await connection.fetch(_UNSTARTED, before, limit)]
