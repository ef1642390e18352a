"""The writer's sinks of stations: records of a batch into their tables by set-based SQL."""

from collections.abc import Mapping

import msgspec

from pilotwire.db.bulk import copy_rows, run_with_rows
from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Sink
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    DeviationsCounted,
    FrameKept,
    PresenceSeen,
    ReportKept,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
    StationProgressKept,
)

__all__ = ["SINKS"]


async def _write_boots(target: Writing, records: list[StationBootKept]) -> None:
    newest = {record.station_id: record for record in records}
    await run_with_rows(
        target,
        "UPDATE station SET vendor = n.vendor, model = n.model, serial_number = n.serial_number,"
        " firmware_version = n.firmware_version, iccid = n.iccid, imsi = n.imsi, boot_reason = n.reason,"
        " booted_at = n.booted_at FROM json_to_recordset($1) AS n (station_id int, vendor text, model text,"
        " serial_number text, firmware_version text, iccid text, imsi text, reason text, booted_at timestamptz)"
        " WHERE station.id = n.station_id",
        list(newest.values()),
    )


_STATUSES = """
WITH said AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1) AS n (
        tenant_id int, station_id int, evse_no int, connector_no int, status text, reported_status text,
        error_code text, info text, status_at timestamptz, received_at timestamptz, current bool)
), history AS (
    INSERT INTO connector_status (
        tenant_id, station_id, evse_no, connector_no, status, error_code, status_at, received_at)
    SELECT tenant_id, station_id, evse_no, connector_no, status, error_code, status_at, received_at FROM said
)
INSERT INTO connector (
    station_id, tenant_id, evse_no, connector_no, status, reported_status, error_code, info, status_at, received_at)
SELECT station_id, tenant_id, evse_no, connector_no, status, reported_status, error_code, info, status_at, received_at
FROM said WHERE current
ON CONFLICT (station_id, evse_no, connector_no) DO UPDATE SET
    status = excluded.status, reported_status = excluded.reported_status, error_code = excluded.error_code,
    info = excluded.info, status_at = excluded.status_at, received_at = excluded.received_at
"""


async def _write_statuses(target: Writing, records: list[ConnectorStatusChanged]) -> None:
    newest = {(r.station_id, r.evse_no, r.connector_no): r for r in records if r.current}
    if len(newest) < len(records):  # only one of a connector's may be the one that holds
        records = [
            r
            if not r.current or newest[r.station_id, r.evse_no, r.connector_no] is r
            else msgspec.structs.replace(r, current=False)
            for r in records
        ]
    await run_with_rows(target, _STATUSES, records)


async def _write_security_events(target: Writing, records: list[SecurityEventKept]) -> None:
    await copy_rows(
        target,
        "security_event",
        ("tenant_id", "station_id", "type", "at", "received_at", "technical_info"),
        [(r.tenant_id, r.station_id, r.type, r.at, r.received_at, r.technical_info) for r in records],
    )


async def _write_progress(target: Writing, records: list[StationProgressKept]) -> None:
    for subject in ("firmware", "log"):
        newest = {r.station_id: r.status for r in records if r.subject == subject}
        if newest:
            await target.execute(
                f"UPDATE station SET {subject}_status = n.status"  # noqa: S608 - one of the two words above
                " FROM unnest($1::int[], $2::text[]) AS n (id, status) WHERE station.id = n.id",
                list(newest.keys()),
                list(newest.values()),
            )


async def _write_reports(target: Writing, records: list[ReportKept]) -> None:
    await target.executemany(
        "INSERT INTO station_report (tenant_id, station_id, kind, received_at, content) VALUES ($1, $2, $3, $4, $5)",
        [(r.tenant_id, r.station_id, r.kind, r.received_at, r.content) for r in records],
    )


async def _write_frames(target: Writing, records: list[FrameKept]) -> None:
    await copy_rows(target, "frame", FrameKept.__struct_fields__, records)


async def _write_deviations(target: Writing, records: list[DeviationsCounted]) -> None:
    sums: dict[tuple[int, str, str, str], DeviationsCounted] = {}
    counts: dict[tuple[int, str, str, str], int] = {}
    for r in records:
        key = (r.tenant_id, r.vendor, r.model, r.code)
        sums[key] = r
        counts[key] = counts.get(key, 0) + r.count
    rows = [(*key, counts[key], r.last_at, r.station_id) for key, r in sorted(sums.items())]
    await target.execute(
        "INSERT INTO deviation_count AS d (tenant_id, vendor, model, code, count, last_at, last_station_id)"
        " SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::int[])"
        " ON CONFLICT (tenant_id, vendor, model, code) DO UPDATE SET count = d.count + excluded.count,"
        " last_at = excluded.last_at, last_station_id = excluded.last_station_id",
        *map(list, zip(*rows, strict=True)),
    )


async def _write_seen(target: Writing, records: list[PresenceSeen]) -> None:
    newest = {r.station_id: r.last_seen_at for r in records}
    await target.execute(
        "UPDATE station_presence p SET last_seen_at = n.at FROM unnest($1::int[], $2::timestamptz[]) AS n (id, at)"
        " WHERE p.station_id = n.id",
        list(newest.keys()),
        list(newest.values()),
    )


async def _write_disconnects(target: Writing, records: list[StationDisconnected]) -> None:
    rows = [(r.station_id, r.epoch, r.at) for r in records]
    await target.execute(
        "UPDATE station_presence p SET connected = false, disconnected_at = n.at, last_seen_at = n.at"
        " FROM unnest($1::int[], $2::bigint[], $3::timestamptz[]) AS n (id, epoch, at)"
        " WHERE p.station_id = n.id AND p.connection_epoch = n.epoch",
        *map(list, zip(*rows, strict=True)),
    )


SINKS: Mapping[type, Sink] = {
    StationBootKept: _write_boots,
    ConnectorStatusChanged: _write_statuses,
    SecurityEventKept: _write_security_events,
    StationProgressKept: _write_progress,
    ReportKept: _write_reports,
    DeviationsCounted: _write_deviations,
    PresenceSeen: _write_seen,
    StationDisconnected: _write_disconnects,
    FrameKept: _write_frames,
}
