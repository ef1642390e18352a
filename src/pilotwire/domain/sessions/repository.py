"""Sessions in SQL: the writer's sinks, what a connecting station's sessions are, and what people ask for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.db.bulk import copy_rows, run_with_columns, run_with_rows
from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Sink
from pilotwire.domain.sessions import tables
from pilotwire.domain.sessions.decide import SessionsView
from pilotwire.domain.sessions.messages import Sample
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.records import SampleKept, SessionEventKept, SessionKept
from pilotwire.domain.sessions.stored import is_progress, progress_of, read_facts
from pilotwire.domain.stations.tables import station

__all__ = [
    "SINKS",
    "append_note",
    "find_session",
    "has_open_session",
    "list_events",
    "list_samples",
    "list_sessions",
    "load_views",
    "look_up_ref",
    "look_up_start",
    "next_transaction_block",
    "note",
]

_encode = msgspec.json.Encoder(decimal_format="number").encode

# Written at every event of a session; the newest facts of a batch win.
_UPSERT = """
INSERT INTO session AS s (
    id, tenant_id, station_id, evse_no, connector_no, transaction_ref, start_key, token_uid, token_verdict,
    remote_start_id, reservation_id, state, charging_state, started_at, ended_at, first_received_at,
    last_received_at, meter_start_wh, meter_end_wh, energy_wh, power_w, soc_percent, last_sample_at, stop_reason,
    offline, review, settled_at, settled_by, settled_reason, facts)
SELECT id, tenant_id, station_id, evse_no, connector_no, transaction_ref, start_key, token_uid, token_verdict,
    remote_start_id, reservation_id, state, charging_state, started_at, ended_at, received_at,
    received_at, meter_start_wh, meter_end_wh, energy_wh, power_w, soc_percent, last_sample_at, stop_reason,
    offline, coalesce(string_to_array(nullif(review, ''), ','), '{}'), settled_at, settled_by, settled_reason, facts
FROM json_to_recordset($1) AS n (
    id uuid, tenant_id int, station_id int, evse_no int, connector_no int, transaction_ref text, start_key text,
    token_uid text, token_verdict text, remote_start_id int, reservation_id int, state text, charging_state text,
    started_at timestamptz, ended_at timestamptz, received_at timestamptz, meter_start_wh numeric,
    meter_end_wh numeric, energy_wh numeric, power_w float4, soc_percent float4, last_sample_at timestamptz,
    stop_reason text, offline bool, review text, settled_at timestamptz, settled_by text, settled_reason text,
    facts text)
ON CONFLICT (id) DO UPDATE SET
    evse_no = excluded.evse_no, connector_no = excluded.connector_no, token_uid = excluded.token_uid,
    token_verdict = excluded.token_verdict, remote_start_id = excluded.remote_start_id,
    reservation_id = excluded.reservation_id, state = excluded.state, charging_state = excluded.charging_state,
    started_at = excluded.started_at, ended_at = excluded.ended_at, last_received_at = excluded.last_received_at,
    meter_start_wh = excluded.meter_start_wh, meter_end_wh = excluded.meter_end_wh, energy_wh = excluded.energy_wh,
    power_w = excluded.power_w, soc_percent = excluded.soc_percent, last_sample_at = excluded.last_sample_at,
    stop_reason = excluded.stop_reason, offline = excluded.offline, review = excluded.review,
    settled_at = excluded.settled_at, settled_by = excluded.settled_by, settled_reason = excluded.settled_reason,
    facts = excluded.facts, progress = NULL
"""

# The way of nearly every message: only the meter has moved.
_ADVANCE = """
UPDATE session AS s SET
    last_received_at = n.received_at, meter_start_wh = n.meter_start_wh, meter_end_wh = n.meter_end_wh,
    energy_wh = n.energy_wh, power_w = n.power_w, soc_percent = n.soc_percent, last_sample_at = n.last_sample_at,
    charging_state = n.charging_state, review = '{}', progress = n.progress
FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::numeric[], $4::numeric[], $5::numeric[], $6::float4[], $7::float4[],
    $8::timestamptz[], $9::text[], $10::text[]) AS n (
    id, received_at, meter_start_wh, meter_end_wh, energy_wh, power_w, soc_percent, last_sample_at, charging_state, progress)
WHERE s.id = n.id
"""

_SAMPLE_COLUMNS = (*SampleKept.__struct_fields__[:-1], *Sample.__struct_fields__)


async def _write_sessions(target: Writing, records: list[SessionKept]) -> None:
    # By station and reference, which identify a session too: a UUID's hash is slow.
    newest: dict[tuple[int, str], SessionKept] = {}
    whole: set[tuple[int, str]] = set()
    for record in records:
        session_id = (record.station_id, record.facts.transaction_ref)
        newest[session_id] = record
        if not is_progress(record):
            whole.add(session_id)
    if whole:
        await run_with_rows(target, _UPSERT, [_whole_row(newest[session_id]) for session_id in whole])
    if len(whole) < len(newest):
        rows = [
            (*_moving(record), _encode(progress_of(record.facts)).decode())
            for session_id, record in newest.items()
            if session_id not in whole
        ]
        await run_with_columns(target, _ADVANCE, rows)


class _Row(msgspec.Struct, frozen=True, gc=False):
    """What every message of a session changes in its row."""

    id: UUID
    received_at: datetime
    meter_start_wh: Decimal | None
    meter_end_wh: Decimal | None
    energy_wh: Decimal | None
    power_w: float | None
    soc_percent: float | None
    last_sample_at: datetime | None
    charging_state: str | None


class _WholeRow(_Row, frozen=True, gc=False, kw_only=True):
    """Every column of a session's row."""

    facts: SessionFacts
    tenant_id: int
    station_id: int
    evse_no: int | None
    connector_no: int | None
    transaction_ref: str
    start_key: str | None
    token_uid: str | None
    token_verdict: str | None
    remote_start_id: int | None
    reservation_id: int | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    stop_reason: str | None
    offline: bool
    review: str
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None


def _whole_row(record: SessionKept) -> _WholeRow:
    facts = record.facts
    settlement = facts.settlement if facts.settled else None
    return _WholeRow(
        *_moving(record),
        facts=facts,
        tenant_id=record.tenant_id,
        station_id=record.station_id,
        evse_no=facts.evse_no,
        connector_no=facts.connector_no,
        transaction_ref=facts.transaction_ref,
        start_key=facts.start_key,
        token_uid=facts.token_uid,
        token_verdict=facts.token_verdict,
        remote_start_id=facts.remote_start_id,
        reservation_id=facts.reservation_id,
        state=record.state,
        started_at=facts.started_at or facts.first_at,
        ended_at=facts.closed_at,
        stop_reason=facts.stop_reason,
        offline=facts.offline,
        review=",".join(record.review),
        settled_at=None if settlement is None else settlement.made_at,
        settled_by=None if settlement is None else settlement.by,
        settled_reason=None if settlement is None else settlement.reason,
    )


def _moving(record: SessionKept) -> tuple[Any, ...]:
    # Written for nearly every message: what the facts' properties would work out twice is worked out once here.
    facts = record.facts
    last = facts.last_meter
    start = facts.meter_start_wh
    if facts.settlement is not None:
        end = facts.meter_end_wh
    else:
        end = facts.stated_end_wh if facts.stated_end_wh is not None or last is None else last.energy_wh
    return (
        facts.id,
        record.received_at,
        start,
        end,
        None if start is None or end is None or end < start else end - start,
        None if facts.last_power is None or facts.over else facts.last_power[1],
        None if facts.last_soc is None else facts.last_soc[1],
        None if last is None else last.key[1],
        None if facts.charging_state is None else facts.charging_state[1],
    )


async def _write_events(target: Writing, records: list[SessionEventKept]) -> None:
    await run_with_rows(
        target,
        "INSERT INTO session_event (session_id, tenant_id, kind, seq_no, at, received_at, trigger, charging_state,"
        " offline, detail) SELECT * FROM json_to_recordset($1) AS n (session_id uuid, tenant_id int, kind text, seq_no int,"
        " at timestamptz, received_at timestamptz, trigger text, charging_state text, offline bool,"
        " detail jsonb)"
        " ON CONFLICT DO NOTHING",
        records,
    )


async def _write_samples(target: Writing, records: list[SampleKept]) -> None:
    await copy_rows(target, "sample", _SAMPLE_COLUMNS, records)


SINKS: Mapping[type, Sink] = {
    SessionKept: _write_sessions,
    SessionEventKept: _write_events,
    SampleKept: _write_samples,
}


async def load_views(
    connection: asyncpg.Connection, station_ids: Sequence[int], keep: int = 20
) -> dict[int, SessionsView]:
    """Give each station's sessions view: its open sessions and its `keep` newest."""
    rows = await connection.fetch(
        "SELECT st.id AS station_id, s.facts, s.progress, s.total FROM unnest($1::int[]) AS st (id) CROSS JOIN LATERAL ("
        " (SELECT facts, progress, id, NULL::bigint AS total FROM session WHERE station_id = st.id"
        "  ORDER BY id DESC LIMIT $2)"
        " UNION (SELECT facts, progress, id, NULL FROM session WHERE station_id = st.id AND ended_at IS NULL)"
        " UNION (SELECT facts, progress, id, NULL FROM session WHERE station_id = st.id AND settled_at IS NOT NULL"
        "  ORDER BY id DESC LIMIT 50)"
        ") AS s",
        list(station_ids),
        keep + 1,
    )
    views = {station_id: SessionsView() for station_id in station_ids}
    counts = dict.fromkeys(station_ids, 0)
    for row in rows:
        views[row["station_id"]].remember(read_facts(row["facts"], row["progress"]))
        counts[row["station_id"]] += 1
    for station_id, view in views.items():
        view.complete = counts[station_id] <= keep
    incomplete = [station_id for station_id, view in views.items() if not view.complete]
    if incomplete:
        # The newest start of a station is not always among its newest sessions: late deliveries, wrong clocks.
        starts = await connection.fetch(
            "SELECT st.id, s.started_at FROM unnest($1::int[]) AS st (id) CROSS JOIN LATERAL ("
            "SELECT started_at FROM session WHERE station_id = st.id ORDER BY started_at DESC LIMIT 1) AS s",
            incomplete,
        )
        for row in starts:
            views[row["id"]].seen_start(row["started_at"])
    return views


async def look_up_ref(
    connection: asyncpg.Connection, station_id: int, transaction_ref: str
) -> SessionFacts | None:
    """Find a session of a station by its reference."""
    row = await connection.fetchrow(
        "SELECT facts, progress FROM session WHERE station_id = $1 AND transaction_ref = $2",
        station_id,
        transaction_ref,
    )
    return None if row is None else read_facts(row["facts"], row["progress"])


async def look_up_start(
    connection: asyncpg.Connection, station_id: int, start_key: str
) -> SessionFacts | None:
    """Find a session of a station by the content of its start."""
    row = await connection.fetchrow(
        "SELECT facts, progress FROM session WHERE station_id = $1 AND start_key = $2", station_id, start_key
    )
    return None if row is None else read_facts(row["facts"], row["progress"])


async def next_transaction_block(connection: asyncpg.Connection) -> range:
    """Reserve 64 transaction numbers: one int32 sequence for the whole system."""
    last = await connection.fetchval("SELECT nextval('transaction_number_seq')")
    return range(last - 63, last + 1)


_LISTED = (tables.session, station.c.identity)


async def list_sessions(
    connection: AsyncConnection,
    *,
    station_identity: str | None = None,
    state: str | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List sessions, the newest first; `before` is the id of the last one of the previous page."""
    query = select(*_LISTED).join(station, station.c.id == tables.session.c.station_id)
    if station_identity is not None:
        query = query.where(station.c.identity == station_identity)
    if state is not None:
        query = query.where(tables.session.c.state == state)
    if before is not None:
        query = query.where(tables.session.c.id < before)
    return (await connection.execute(query.order_by(tables.session.c.id.desc()).limit(limit))).all()


async def find_session(connection: AsyncConnection, session_id: UUID) -> Row[Any] | None:
    """Find one session."""
    query = select(*_LISTED).join(station, station.c.id == tables.session.c.station_id)
    return (await connection.execute(query.where(tables.session.c.id == session_id))).one_or_none()


async def list_samples(
    connection: AsyncConnection, session_id: UUID, *, after: Any = None, limit: int = 1000
) -> Sequence[Row[Any]]:
    """List the samples of a session in the order of their moments."""
    query = select(tables.sample).where(tables.sample.c.session_id == session_id)
    if after is not None:
        query = query.where(tables.sample.c.at > after)
    return (await connection.execute(query.order_by(tables.sample.c.at).limit(limit))).all()


async def list_events(connection: AsyncConnection, session_id: UUID, limit: int = 1000) -> Sequence[Row[Any]]:
    """List the newest events of a session in the order of their receipt."""
    event = tables.session_event
    newest = (
        select(event)
        .where(event.c.session_id == session_id)
        .order_by(event.c.received_at.desc(), event.c.seq_no.desc())
        .limit(limit)
    )
    return list(reversed((await connection.execute(newest)).all()))


async def append_note(
    connection: asyncpg.Connection, session_id: UUID, kind: str, at: datetime, detail: Mapping[str, Any]
) -> None:
    """Append an event of ours to a session that changes none of its facts: a target, a full car."""
    await connection.execute(
        "INSERT INTO session_event (session_id, tenant_id, kind, seq_no, at, received_at, detail)"
        " SELECT s.id, s.tenant_id, $2, 1 + coalesce((SELECT max(seq_no) FROM session_event"
        " WHERE session_id = s.id AND kind = $2), 0), $3, now(), $4::jsonb FROM session s WHERE s.id = $1"
        " ON CONFLICT DO NOTHING",
        session_id,
        kind,
        at,
        _encode(detail).decode(),
    )


async def note(
    connection: AsyncConnection,
    session_id: UUID,
    tenant_id: int,
    kind: str,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    """Append such an event in a person's transaction."""
    event = tables.session_event
    newest = select(func.coalesce(func.max(event.c.seq_no), 0) + 1).where(
        event.c.session_id == session_id, event.c.kind == kind
    )
    await connection.execute(
        insert(event).values(
            session_id=session_id,
            tenant_id=tenant_id,
            kind=kind,
            seq_no=newest.scalar_subquery(),
            at=at,
            received_at=at,
            offline=False,
            detail=detail,
        )
    )


async def has_open_session(connection: asyncpg.Connection, station_id: int) -> bool:
    """Tell whether a session runs at a station."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM session WHERE station_id = $1 AND ended_at IS NULL)", station_id
    )
    return found
