"""Device models, templates and drift in SQL, for the stations' edge and jobs; over all tenants."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.db.bulk import run_with_rows
from pilotwire.domain.configuration.compare import Actual, Make, Template, wanted_settings
from pilotwire.domain.configuration.keys import find_key
from pilotwire.domain.configuration.model import (
    HIDDEN,
    Drift,
    DriftState,
    Reported,
    Setting,
    Source,
    Variable,
    is_secret,
    read_name,
)

__all__ = [
    "drop_unreported",
    "find_wanted",
    "keep_drift",
    "keep_values",
    "list_actual",
    "list_makes",
    "list_repairs",
    "list_spellings",
    "list_templates",
    "note_outcomes",
]

_ROW = (
    "json_to_recordset($1) AS n (tenant_id int, station_id int, path text, attribute text, name text, key text,"
    " component text, component_instance text, evse_no int, connector_no int, variable text, variable_instance text,"
    " value text, has_value boolean, secret boolean, mutability text, data_type text, unit text, min_limit double precision,"
    " max_limit double precision, values_list text, persistent boolean, constant boolean, source text,"
    " changed_by text, at timestamptz)"
)
# What came late must not undo what is known to be newer.
_NEWER = "(v.station_id IS NULL OR v.reported_at <= n.at)"
_HISTORY = f"""
INSERT INTO device_value (tenant_id, station_id, path, attribute, name, received_at, value, source, changed_by)
SELECT n.tenant_id, n.station_id, n.path, n.attribute, n.name, n.at, n.value, n.source, n.changed_by FROM {_ROW}
LEFT JOIN device_variable v USING (station_id, path, attribute)
WHERE n.has_value AND v.value IS DISTINCT FROM n.value AND {_NEWER}
"""  # noqa: S608
_VALUES = f"""
INSERT INTO device_variable AS v (tenant_id, station_id, path, attribute, key, component, component_instance, evse_no,
    connector_no, variable, variable_instance, value, secret, mutability, data_type, unit, min_limit, max_limit,
    values_list, persistent, constant, source, changed_by, changed_at, reported_at)
SELECT n.tenant_id, n.station_id, n.path, n.attribute, n.key, n.component, n.component_instance, n.evse_no,
    n.connector_no, n.variable, n.variable_instance, CASE WHEN n.has_value THEN n.value ELSE v.value END, n.secret,
    n.mutability, n.data_type, n.unit, n.min_limit, n.max_limit, n.values_list, n.persistent, n.constant, n.source,
    n.changed_by, n.at, n.at
FROM {_ROW} JOIN station ON station.id = n.station_id
LEFT JOIN device_variable v ON (v.station_id, v.path, v.attribute) = (n.station_id, n.path, n.attribute)
WHERE {_NEWER}
ON CONFLICT (station_id, path, attribute) DO UPDATE SET
    key = coalesce(nullif(excluded.key, ''), v.key),
    secret = excluded.secret,
    mutability = coalesce(nullif(excluded.mutability, ''), v.mutability),
    data_type = coalesce(nullif(excluded.data_type, ''), v.data_type),
    unit = coalesce(nullif(excluded.unit, ''), v.unit),
    min_limit = coalesce(excluded.min_limit, v.min_limit), max_limit = coalesce(excluded.max_limit, v.max_limit),
    values_list = coalesce(excluded.values_list, v.values_list),
    persistent = coalesce(excluded.persistent, v.persistent), constant = coalesce(excluded.constant, v.constant),
    source = CASE WHEN excluded.value IS DISTINCT FROM v.value THEN excluded.source ELSE v.source END,
    changed_by = CASE WHEN excluded.value IS DISTINCT FROM v.value THEN excluded.changed_by ELSE v.changed_by END,
    changed_at = CASE WHEN excluded.value IS DISTINCT FROM v.value THEN excluded.changed_at ELSE v.changed_at END,
    value = excluded.value, reported_at = excluded.reported_at
"""  # noqa: S608


async def keep_values(
    connection: asyncpg.Connection,
    tenant_id: int,
    station_id: int,
    entries: Iterable[Reported],
    *,
    source: Source,
    at: datetime,
    by: str = "",
) -> None:
    """Keep what a station gave; a value that differs from the one before goes to the history too.

    Secrets are taken out here, whatever way they came. Call it in a transaction.
    Repeats: changes nothing but the time at which it was last said.
    """
    rows = {}
    for entry in entries:
        row = _row(tenant_id, station_id, entry) | {"source": source.value, "changed_by": by, "at": at}
        rows[row["path"], row["attribute"]] = row
    if not rows:
        return
    listed = list(rows.values())
    await run_with_rows(connection, _HISTORY, listed)
    await run_with_rows(connection, _VALUES, listed)


def _row(tenant_id: int, station_id: int, entry: Reported) -> dict[str, Any]:
    variable = entry.variable
    standard = find_key(entry.key) if entry.key else None
    secret = (
        entry.mutability == "write_only"
        or is_secret(variable.name)
        or is_secret(entry.key)
        or entry.value == HIDDEN
    )
    value = None if secret or entry.value is None else entry.value.replace("\0", "")
    return {
        "tenant_id": tenant_id,
        "station_id": station_id,
        "path": variable.path,
        "attribute": entry.attribute,
        "name": variable.name,
        "key": entry.key,
        "component": variable.component,
        "component_instance": variable.component_instance,
        "evse_no": variable.evse_id,
        "connector_no": variable.connector_id,
        "variable": variable.variable,
        "variable_instance": variable.variable_instance,
        "value": value,
        "has_value": entry.has_value,
        "secret": secret,
        "mutability": entry.mutability,
        "data_type": entry.data_type or ("" if standard is None else standard.data_type),
        "unit": entry.unit or ("" if standard is None else standard.unit),
        "min_limit": entry.min_limit,
        "max_limit": entry.max_limit,
        "values_list": entry.values_list,
        "persistent": entry.persistent,
        "constant": entry.constant,
    }


async def drop_unreported(connection: asyncpg.Connection, station_id: int, since: datetime) -> int:
    """Remove the variables that a whole report, asked for at `since`, did not name; their history stays."""
    status = await connection.execute(
        "DELETE FROM device_variable WHERE station_id = $1 AND reported_at < $2", station_id, since
    )
    return int(status.split()[-1])


async def list_makes(
    connection: asyncpg.Connection, station_ids: Sequence[int]
) -> list[tuple[int, str, Make, bool, int]]:
    """Give tenant, identity, make, whether all variables are known, and the drift so far of stations that were read."""
    rows = await connection.fetch(
        "SELECT s.id, s.tenant_id, s.identity, s.vendor, s.model, s.firmware_version, s.site_id,"
        " coalesce(nullif(m.ocpp_version, ''), s.ocpp_version, '') AS ocpp_version, m.state = 'complete' AS complete,"
        " m.drifting FROM device_model m JOIN station s ON s.id = m.station_id"
        " WHERE m.station_id = ANY($1::int[]) AND m.read_at IS NOT NULL",
        station_ids,
    )
    return [
        (
            row["tenant_id"],
            row["identity"],
            Make(
                row["id"],
                row["vendor"],
                row["model"],
                row["firmware_version"],
                row["site_id"],
                row["ocpp_version"],
            ),
            row["complete"],
            row["drifting"],
        )
        for row in rows
    ]


async def list_templates(connection: asyncpg.Connection, tenant_id: int) -> list[Template]:
    """Give all templates of a tenant."""
    rows = await connection.fetch(
        "SELECT id, vendor, model, firmware_version, site_id, station_id, entries::text AS entries"
        " FROM configuration_template WHERE tenant_id = $1",
        tenant_id,
    )
    return [Template(**{**dict(row), "entries": tuple(msgspec.json.decode(row["entries"]))}) for row in rows]


async def find_wanted(connection: asyncpg.Connection, tenant_id: int, make: Make) -> list[Setting]:
    """Give the settings that the templates give a station of this make."""
    templates = await list_templates(connection, tenant_id)
    return [want.setting for want in wanted_settings(templates, make).values()]


async def list_actual(
    connection: asyncpg.Connection, station_id: int, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Actual]:
    """Give what a station last said, by path and attribute."""
    listed = list(places)
    rows = await connection.fetch(
        "SELECT v.path, v.attribute, value, mutability, data_type, values_list, min_limit, max_limit"
        " FROM device_variable v JOIN unnest($2::text[], $3::text[]) AS n (path, attribute)"
        " ON n.path = v.path AND n.attribute = v.attribute WHERE v.station_id = $1",
        station_id,
        [path for path, _ in listed],
        [attribute for _, attribute in listed],
    )
    return {
        (row["path"], row["attribute"]): Actual(
            row["value"],
            row["mutability"],
            row["data_type"],
            row["values_list"],
            row["min_limit"],
            row["max_limit"],
        )
        for row in rows
    }


async def list_spellings(
    connection: asyncpg.Connection, station_id: int, paths: Iterable[str]
) -> Mapping[str, tuple[Variable, str]]:
    """Give variables and keys as the station itself spells them, by path."""
    rows = await connection.fetch(
        "SELECT path, key, component, component_instance, evse_no, connector_no, variable, variable_instance"
        " FROM device_variable WHERE station_id = $1 AND path = ANY($2::text[])",
        station_id,
        list(paths),
    )
    return {
        row["path"]: (
            Variable(
                row["variable"],
                row["component"],
                row["component_instance"],
                row["variable_instance"],
                row["evse_no"],
                row["connector_no"],
            ),
            row["key"],
        )
        for row in rows
    }


async def keep_drift(
    connection: asyncpg.Connection, tenant_id: int, station_id: int, found: Sequence[Drift], now: datetime
) -> None:
    """Keep where a station differs; what differs as before keeps its moment and the outcome of its last repair.

    Call it in a transaction.
    """
    rows = [
        {
            "tenant_id": tenant_id,
            "station_id": station_id,
            "path": drift.setting.variable.path,
            "attribute": drift.setting.attribute,
            "name": drift.setting.variable.name,
            "key": drift.setting.key,
            "state": drift.state.value,
            "wanted": drift.setting.value,
            "actual": drift.actual,
            "template_id": drift.template_id,
            "since": now,
        }
        for drift in found
    ]
    await connection.execute(
        "DELETE FROM device_drift WHERE station_id = $1 AND NOT (path || ' ' || attribute = ANY($2::text[]))",
        station_id,
        [f"{row['path']} {row['attribute']}" for row in rows],
    )
    await run_with_rows(
        connection,
        "INSERT INTO device_drift AS d (tenant_id, station_id, path, attribute, name, key, state, wanted, actual,"
        " template_id, since) SELECT * FROM json_to_recordset($1) AS n (tenant_id int, station_id int, path text,"
        " attribute text, name text, key text, state text, wanted text, actual text, template_id uuid, since timestamptz)"
        " ON CONFLICT (station_id, path, attribute) DO UPDATE SET name = excluded.name, key = excluded.key,"
        " state = excluded.state, wanted = excluded.wanted, actual = excluded.actual, template_id = excluded.template_id,"
        " outcome = CASE WHEN d.wanted = excluded.wanted THEN d.outcome ELSE '' END,"
        " since = CASE WHEN d.wanted = excluded.wanted THEN d.since ELSE excluded.since END",
        rows,
    )
    await connection.execute(
        "UPDATE device_model SET drifting = $2, compared_at = $3 WHERE station_id = $1",
        station_id,
        len(rows),
        now,
    )


async def list_repairs(connection: asyncpg.Connection, station_id: int) -> list[tuple[Setting, UUID]]:
    """Give the settings that a repair of a station writes, each with its template."""
    rows = await connection.fetch(
        "SELECT path, attribute, name, key, wanted, template_id FROM device_drift"
        " WHERE station_id = $1 AND state = $2 ORDER BY path, attribute",
        station_id,
        DriftState.DIFFERENT.value,
    )
    spelt = await list_spellings(connection, station_id, [row["path"] for row in rows])
    found = []
    for row in rows:
        variable, key = spelt.get(row["path"], (read_name(row["name"]), ""))
        found.append(
            (Setting(variable, row["wanted"], row["attribute"], key or row["key"]), row["template_id"])
        )
    return found


async def note_outcomes(
    connection: asyncpg.Connection, station_id: int, outcomes: Sequence[tuple[str, str, str]]
) -> None:
    """Keep what came of writing settings that differ: (path, attribute, outcome)."""
    await connection.executemany(
        "UPDATE device_drift SET outcome = $4 WHERE station_id = $1 AND path = $2 AND attribute = $3",
        [(station_id, *each) for each in outcomes],
    )
