"""Forecasts, their models and the past they are made from in SQL, for the jobs; over all tenants."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.energy.forecasts.shapes import STAY_TARGETS, STEP_S, Model, Place, SeriesPast, StayPast

__all__ = [
    "delete_old",
    "driver_digest",
    "find_place",
    "keep_forecast",
    "keep_models",
    "list_models",
    "list_stale",
    "list_stays",
    "newest_forecast",
    "read_arrivals",
    "read_hours",
]

_FLOWS = ("base_w", "solar_w", "wind_w")
_LEAST_S = 1200.0
"""An hour counts as known when so much of it was recorded."""
_MOST_STAYS = 5_000


async def find_place(connection: asyncpg.Connection, site_id: UUID) -> Place | None:
    """Find where a site is."""
    row = await connection.fetchrow("SELECT time_zone, latitude, longitude FROM site WHERE id = $1", site_id)
    return None if row is None else Place(row["time_zone"], row["latitude"], row["longitude"])


async def read_hours(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, until: datetime
) -> dict[str, SeriesPast]:
    """Give the hourly means of other loads, sun and wind; both ends are whole hours."""
    means = ", ".join(
        f"sum({name} * interval_s) / nullif(sum(interval_s) FILTER (WHERE {name} IS NOT NULL), 0) AS {name}"
        for name in _FLOWS
    )
    rows = await connection.fetch(
        "SELECT date_bin('1 hour', received_at - make_interval(secs => interval_s / 2), 'epoch'::timestamptz) AS at,"  # noqa: S608
        f" {means} FROM energy_history WHERE site_id = $1 AND received_at > $2 AND received_at <= $3"
        " GROUP BY 1 HAVING sum(interval_s) >= $4 ORDER BY 1",
        site_id,
        since,
        until,
        _LEAST_S,
    )
    found: dict[str, SeriesPast] = {}
    for name in _FLOWS:
        known = {row["at"]: float(row[name]) for row in rows if row[name] is not None}
        if known:
            found[name] = _hourly(known, min(known), until)
    return found


def _hourly(known: Mapping[datetime, float], since: datetime, until: datetime) -> SeriesPast:
    count = max(0, round((until - since).total_seconds() / STEP_S))
    values = [known.get(since + timedelta(seconds=STEP_S * number)) for number in range(count)]
    return SeriesPast(since.timestamp(), values)


async def read_arrivals(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, until: datetime
) -> SeriesPast | None:
    """Give how many sessions began in each hour, from the first known one on."""
    rows = await connection.fetch(
        "SELECT date_trunc('hour', s.started_at, 'UTC') AS at, count(*) AS arrivals FROM session s"
        " JOIN station t ON t.id = s.station_id WHERE t.site_id = $1 AND s.started_at >= $2 AND s.started_at < $3"
        " GROUP BY 1 ORDER BY 1",
        site_id,
        since,
        until,
    )
    if not rows:
        return None
    known = {row["at"]: float(row["arrivals"]) for row in rows}
    past = _hourly(known, rows[0]["at"], until)
    return SeriesPast(past.starts_s, [each or 0.0 for each in past.values])


async def list_stays(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, power_w: Mapping[tuple[str, int], float]
) -> list[StayPast]:
    """List the newest sessions that are over. `power_w` is what EVSEs give, by station and number."""
    rows = await connection.fetch(
        "SELECT s.started_at, s.ended_at, s.energy_wh, s.token_uid, s.evse_no, t.identity FROM session s"
        " JOIN station t ON t.id = s.station_id WHERE t.site_id = $1 AND s.started_at >= $2 AND s.ended_at IS NOT NULL"
        " AND s.energy_wh >= 0 AND s.state = 'ended' AND s.ended_at - s.started_at > interval '1 minute'"
        " ORDER BY s.started_at DESC LIMIT $3",
        site_id,
        since,
        _MOST_STAYS,
    )
    return [
        StayPast(
            row["started_at"].timestamp(),
            (row["ended_at"] - row["started_at"]).total_seconds() / 3600,
            float(row["energy_wh"]),
            driver_digest(site_id, row["token_uid"]),
            power_w.get((row["identity"], row["evse_no"] or 1), 0.0),
        )
        for row in reversed(rows)
    ]


def driver_digest(site_id: UUID, token_uid: str | None) -> str:
    """Name a driver within a site without naming the token."""
    if token_uid is None:
        return ""
    return hashlib.blake2b(token_uid.encode(), key=site_id.bytes, digest_size=8).hexdigest()


async def list_stale(
    connection: asyncpg.Connection, before: datetime, too_little_before: datetime
) -> set[UUID]:
    """List the sites at which energy management runs and whose models were not fitted since a moment.

    Where too little was known for one of them, `too_little_before` is that moment.
    """
    rows = await connection.fetch(
        "SELECT e.site_id FROM energy_site e LEFT JOIN (SELECT site_id, max(fitted_at) AS at,"
        " bool_or(method = 'none') AS short FROM energy_model WHERE content <> '' GROUP BY 1) m USING (site_id)"
        " WHERE e.enabled AND (m.at IS NULL OR m.at < $1 OR (m.short AND m.at < $2))",
        before,
        too_little_before,
    )
    return {row["site_id"] for row in rows}


async def keep_models(
    connection: asyncpg.Connection, tenant_id: int, site_id: UUID, models: Sequence[Model], at: datetime
) -> None:
    """Keep newly fitted models; of older ones only the errors stay."""
    await connection.execute(
        "UPDATE energy_model SET content = '' WHERE site_id = $1 AND content <> ''", site_id
    )
    for model in models:
        await connection.execute(
            "INSERT INTO energy_model (site_id, target, fitted_at, tenant_id, method, samples, needed, since, until,"
            " errors, content) VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8), to_timestamp($9), $10, $11)",
            site_id, model.target, at, tenant_id, model.method, model.samples, model.needed,
            model.since_s if model.samples else None, model.until_s if model.samples else None,
            msgspec.json.encode(model.errors).decode(), zlib.compress(msgspec.msgpack.encode(model)),
        )  # fmt: skip


async def list_models(
    connection: asyncpg.Connection, site_id: UUID, *, stays_only: bool = False
) -> dict[str, Model]:
    """Give the models of a site that can say something, by target."""
    rows = await connection.fetch(
        "SELECT target, content FROM energy_model WHERE site_id = $1 AND content <> '' AND method <> 'none'"
        " AND ($2::text[] IS NULL OR target = ANY($2))",
        site_id,
        list(STAY_TARGETS) if stays_only else None,
    )
    return {
        row["target"]: msgspec.msgpack.decode(zlib.decompress(row["content"]), type=Model) for row in rows
    }


async def keep_forecast(
    connection: asyncpg.Connection, tenant_id: int, site_id: UUID, at: datetime, content: Mapping[str, Any]
) -> None:
    """Keep what is expected at a site, as of a moment."""
    await connection.execute(
        "INSERT INTO energy_forecast (site_id, made_at, tenant_id, content) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (site_id, made_at) DO UPDATE SET content = excluded.content",
        site_id,
        at,
        tenant_id,
        msgspec.json.encode(content).decode(),
    )


async def newest_forecast(
    connection: asyncpg.Connection, site_id: UUID, since: datetime
) -> dict[str, Any] | None:
    """Find what is expected at a site, unless it was made before a moment."""
    found = await connection.fetchval(
        "SELECT content::text FROM energy_forecast WHERE site_id = $1 AND made_at >= $2 ORDER BY made_at DESC LIMIT 1",
        site_id,
        since,
    )
    return None if found is None else msgspec.json.decode(found)


async def delete_old(connection: asyncpg.Connection, before: datetime) -> None:
    """Forget forecasts, and the errors of models, from before a moment; the models in use stay."""
    await connection.execute("DELETE FROM energy_forecast WHERE made_at < $1", before)
    await connection.execute("DELETE FROM energy_model WHERE fitted_at < $1 AND content = ''", before)
