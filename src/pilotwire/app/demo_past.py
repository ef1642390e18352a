"""The past of the demo's energy site: what flowed in the last weeks, and what the grid emitted. Forecasts are made of it."""

import math
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from pilotwire.app.server import Server
from pilotwire.domain.energy.origins import STEP_S, energy_by_step
from pilotwire.domain.energy.repository import write_past
from pilotwire.domain.energy.usecases.manage_series import Kind, SeriesValue, push_series
from pilotwire.domain.energy.usecases.view_forecasts import want_forecast
from pilotwire.domain.identity.model import system_principal
from pilotwire.simulator.history import PastSession
from pilotwire.simulator.plant import PlantSpec, clear_solar_w, usual_base_w

__all__ = ["bring_intensities", "write_flows"]

_STEP = timedelta(seconds=STEP_S)
_SEED = 7


async def write_flows(
    connection: asyncpg.Connection,
    site_id: UUID,
    tenant_id: int,
    spec: PlantSpec,
    sessions: Iterable[PastSession],
    span: tuple[datetime, datetime],
) -> None:
    """Write what flowed at the site, quarter by quarter; `span` is from when to when."""
    cars = _taken(sessions)
    rng = random.Random(_SEED)  # noqa: S311 - a simulation
    at = datetime.fromtimestamp(span[0].timestamp() // STEP_S * STEP_S, UTC)
    stored_wh, day, cloud, drift = spec.battery_wh / 2, -1, 0.7, 0.0
    rows = []
    while at + _STEP <= span[1]:
        if at.toordinal() != day:
            day, cloud = at.toordinal(), rng.uniform(0.3, 1.0)
        drift += rng.uniform(-0.02, 0.02) - 0.1 * drift
        solar_w = clear_solar_w(spec, at + _STEP / 2) * min(1.0, max(0.1, cloud + rng.uniform(-0.12, 0.12)))
        base_w = usual_base_w(spec, at + _STEP / 2, drift)
        chargers_w = cars.get(at.timestamp(), 0.0) * 3600 / STEP_S
        battery_w = _battery_w(spec, chargers_w + base_w - solar_w, stored_wh)
        stored_wh -= battery_w * STEP_S / 3600
        grid_w = chargers_w + base_w - solar_w - battery_w
        soc_percent = stored_wh / spec.battery_wh * 100
        rows.append((at + _STEP, grid_w, solar_w, battery_w, chargers_w, base_w, soc_percent))
        at += _STEP
    await write_past(connection, tenant_id, site_id, STEP_S, rows)


def _taken(sessions: Iterable[PastSession]) -> dict[float, float]:
    """What all cars took in each quarter of an hour, in Wh."""
    found: dict[float, float] = {}
    for session in sessions:
        points = [(sample.at.timestamp(), float(sample.energy_wh)) for sample in session.samples]
        for at_s, energy in energy_by_step(points).items():
            found[at_s] = found.get(at_s, 0.0) + energy
    return found


def _battery_w(spec: PlantSpec, wanted_w: float, stored_wh: float) -> float:
    """As the live one does: it takes what the sun leaves over, and gives when the grid would have to give too much."""
    hours = STEP_S / 3600
    if wanted_w < 0:
        return max(wanted_w, -spec.battery_w, -(spec.battery_wh - stored_wh) / hours)
    if wanted_w > spec.import_above_w:
        return min(
            wanted_w - spec.import_above_w, spec.battery_w, (stored_wh - 0.05 * spec.battery_wh) / hours
        )
    return 0.0


async def bring_intensities(server: Server, site_id: UUID, span: tuple[datetime, datetime]) -> None:
    """Bring what a kWh of the grid emits, hour by hour, and have the site's models fitted."""
    edge, principal = server.edge, system_principal()
    begin = span[0].replace(minute=0, second=0, microsecond=0)
    hours = [begin + timedelta(hours=number) for number in range(int((span[1] - begin) / timedelta(hours=1)))]
    curves: tuple[tuple[Kind, float, float], ...] = (
        ("average_intensity", 290.0, 90.0),
        ("marginal_intensity", 430.0, 60.0),
    )
    for kind, mean, swing in curves:
        values = [
            SeriesValue(at, at + timedelta(hours=1), round(mean - swing * _noon(at), 1)) for at in hours
        ]
        await push_series(edge.database, edge.bus, principal, site_id, kind, "demo", values)
    await want_forecast(edge.database, edge.bus, principal, site_id)


def _noon(at: datetime) -> float:
    """1 at noon, when the sun of the whole country shines, and -1 at midnight."""
    return -math.cos(at.hour / 24 * 2 * math.pi)
