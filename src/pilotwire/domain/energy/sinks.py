"""The writer's sinks of energy management."""

from collections.abc import Mapping

import msgspec

from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Sink
from pilotwire.domain.energy.records import ChargingNeedsKept, ExternalLimitCleared, ExternalLimitKept

__all__ = ["SINKS"]


async def _write_limits(target: Writing, records: list[ExternalLimitKept]) -> None:
    newest = {(r.station_id, r.evse_no, r.source): r for r in records}
    await target.executemany(
        "INSERT INTO energy_external_limit (station_id, evse_no, source, tenant_id, grid_critical, schedules,"
        " received_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (station_id, evse_no, source) DO UPDATE SET"
        " grid_critical = excluded.grid_critical, schedules = excluded.schedules, received_at = excluded.received_at",
        [
            (
                r.station_id, r.evse_no, r.source, r.tenant_id, r.grid_critical,
                msgspec.json.encode(r.schedules).decode(), r.received_at,
            )
            for r in newest.values()
        ],
    )  # fmt: skip


async def _clear_limits(target: Writing, records: list[ExternalLimitCleared]) -> None:
    await target.executemany(
        "DELETE FROM energy_external_limit WHERE station_id = $1 AND evse_no = $2 AND source = $3",
        [(r.station_id, r.evse_no, r.source) for r in records],
    )


async def _write_needs(target: Writing, records: list[ChargingNeedsKept]) -> None:
    newest = {r.session_id: r for r in records}
    await target.executemany(
        "INSERT INTO energy_wish (session_id, source, tenant_id, energy_wh, departure_at, details, changed_by)"
        " VALUES ($1, 'car', $2, $3, $4, $5, $6) ON CONFLICT (session_id, source) DO UPDATE SET"
        " energy_wh = excluded.energy_wh, departure_at = excluded.departure_at, details = excluded.details,"
        " changed_at = now()",
        [
            (
                r.session_id, r.tenant_id, r.energy_wh, r.departure_at, msgspec.json.encode(r.details).decode(),
                r.identity,
            )
            for r in newest.values()
        ],
    )  # fmt: skip


SINKS: Mapping[type, Sink] = {
    ExternalLimitKept: _write_limits,
    ExternalLimitCleared: _clear_limits,
    ChargingNeedsKept: _write_needs,
}
