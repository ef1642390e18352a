"""Reading a site's state from the database into memory: at the start, and after changes."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg

from pilotwire.domain.energy import repository as rows
from pilotwire.domain.energy.definition import evse_key
from pilotwire.domain.energy.drive import Drive
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.forecast_repository import list_models
from pilotwire.domain.energy.grid_limits import windows_of_limits
from pilotwire.domain.energy.wishes import merge_wishes
from pilotwire.jobs.energy.ears import ocpp_meter
from pilotwire.jobs.energy.limiters import Limiter, read_schedules, windows_of
from pilotwire.jobs.energy.site import Plugged, SiteLoop

__all__ = ["load_site", "read_overrides", "read_wishes"]

_FAR_S = 100 * 365 * 86_400.0


async def load_site(connection: asyncpg.Connection, site: SiteLoop, now: datetime, *, fresh: bool) -> None:
    """Read stations, sessions, drives, meters and limits of a site; what is in memory and newer stays."""
    identities = {each.station_id for each in site.tree.evses}
    for node in site.tree.nodes:
        if node.meter is not None and (place := ocpp_meter(node.meter)) is not None:
            identities.add(place[0])
    site.station_ids = await rows.list_stations(connection, sorted(identities))
    names = {number: identity for identity, number in site.station_ids.items()}
    numbers = list(names)
    drives = await rows.list_drives(connection, numbers)
    for (station_id, evse_no), drive in drives.items():
        key = evse_key(names[station_id], evse_no)
        if key in site.given and (fresh or site.drives[key] == Drive()):
            site.drives[key] = drive
    for row in await rows.list_open_sessions(connection, numbers):
        key = evse_key(names[row["station_id"]], row["evse_no"])
        if key not in site.given or (key in site.plugged and not fresh):
            continue
        site.plugged[key] = Plugged(
            row["id"],
            row["started_at"],
            float(row["energy_wh"] or 0),
            row["soc_percent"],
            row["charging_state"],
            token_uid=row["token_uid"],
        )
    for key, drive in site.drives.items():
        car = site.plugged.get(key)
        drive.begin(None if car is None else str(car.session_id))
    await _read_heard(connection, site, names)
    site.stays = await list_models(connection, site.site_id, stays_only=True)
    for car in site.plugged.values():
        car.expected = None
    await read_overrides(connection, site, now)
    await read_wishes(connection, [site], {car.session_id for car in site.plugged.values()})


async def _read_heard(connection: asyncpg.Connection, site: SiteLoop, names: dict[int, str]) -> None:
    """Read the limits of others and the newest readings of meters."""
    for row in await rows.list_external_limits(connection, list(names)):
        limit = (names[row["station_id"]], row["evse_no"], row["source"])
        site.external[limit] = (row["received_at"].timestamp(), read_schedules(row["schedules"]))
    for row in await rows.list_readings(connection, site.site_id):
        current = (row["current_l1_a"], row["current_l2_a"], row["current_l3_a"])
        reading = Reading(
            row["at"], None if current[0] is None else current, row["power_w"], row["soc_percent"]
        )
        site.readings.setdefault(row["name"], (min(row["at"], row["received_at"]).timestamp(), reading))


async def read_overrides(connection: asyncpg.Connection, site: SiteLoop, now: datetime) -> None:
    """Read the limits that people have set for a time."""
    found = await rows.list_overrides(connection, site.site_id, now)
    overrides: dict[str, Limiter] = {}
    for row in found:
        if row["identity"] is None:
            continue
        key = evse_key(row["identity"], row["evse_no"])
        if key in site.given:
            overrides[key] = Limiter(
                row["limit_a"], row["limit_w"], row["expires_at"].timestamp(), row["reason"]
            )
    site.overrides = overrides
    windows = windows_of(found, now)
    limits = await rows.list_grid_limits(connection, site.site_id)
    far_s = now.timestamp() + _FAR_S
    for node_id, more in windows_of_limits(limits, now.timestamp(), far_s).items():
        windows[node_id] = (*windows.get(node_id, ()), *more)
    if windows != site.node_windows:
        site.node_windows = windows
        site.compile(now.timestamp())


async def read_wishes(
    connection: asyncpg.Connection, sites: Iterable[SiteLoop], session_ids: set[UUID]
) -> set[UUID]:
    """Read what some sessions want; give the sites of those that are there."""
    if not session_ids:
        return set()
    said = await rows.list_wishes(connection, list(session_ids))
    changed = set()
    for site in sites:
        for car in site.plugged.values():
            if car.session_id in session_ids:
                given = said.get(car.session_id, ())
                car.wish = merge_wishes(given)
                firm = {name for source, fields in given if source == "operator" for name in fields}
                car.fixed_departure, car.fixed_energy = "departure_at" in firm, "energy_wh" in firm
                changed.add(site.site_id)
    return changed
