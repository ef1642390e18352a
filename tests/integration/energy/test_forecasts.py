"""The job, the real library and the real database: models are fitted, what is expected is shown, and the plan uses it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from pilotwire.core.clock import utc_now
from pilotwire.core.ids import new_uuid
from pilotwire.domain.energy.events import ForecastMade
from pilotwire.domain.energy.repository import write_past
from pilotwire.jobs.forecasting import Forecaster
from pilotwire.jobs.origins import OriginKeeper
from pilotwire.jobs.outlook import SiteOutlook
from tests.support.edge import migrated_database
from tests.support.energy import SETTINGS, EnergySite
from tests.support.operations import eventually, operations_on
from tests.support.plainfitter import PlainFitter
from tests.support.postgres import drop_database

NOW = utc_now()
DAYS = 15
DAY = timedelta(days=1)
TREE: dict[str, Any] = {
    "nodes": [{"id": "main", "kind": "grid", "limit_a": 100, "metering": "total", "meter": "grid"}],
    "evses": [{"station_id": "CP-A", "evse_id": 1, "node_id": "main", "max_a": 16}],
    "generators": [
        {"id": "east", "node_id": "main", "peak_w": 3_000},
        {"id": "west", "node_id": "main", "peak_w": 1_000},
    ],
    "batteries": [
        {
            "id": "box",
            "node_id": "main",
            "capacity_wh": 10_000,
            "max_charge_w": 5_000,
            "max_discharge_w": 5_000,
        }
    ],
}


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def flows(at: datetime) -> tuple[float, float, float, float, float]:
    """Grid, sun, battery, chargers, other loads in W: the sun shines from 6 to 18 UTC, cars take 2 kW, the house 1 kW."""
    solar = 4_000.0 if 6 <= at.hour < 18 else 0.0
    battery = -1_000.0 if solar else 500.0
    return 3_000 - solar - battery, solar, battery, 2_000.0, 1_000.0


async def fill(connection: asyncpg.Connection, site_id: UUID, *, sessions: int = 0) -> list[UUID]:
    """Give a site two weeks of past, and some sessions of four hours at the place CP-A/1."""
    begin = (NOW - DAYS * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    quarters = [begin + timedelta(minutes=15 * number) for number in range((DAYS + 1) * 96)]
    rows = [
        (at + timedelta(minutes=15), *flows(at), 50.0) for at in quarters if at + timedelta(minutes=15) < NOW
    ]
    await write_past(connection, 1, site_id, 900.0, rows)
    station = await connection.fetchval("SELECT id FROM station WHERE identity = 'CP-A'")
    made = []
    for number in range(sessions):
        starts = begin + timedelta(hours=7 + 12 * number, minutes=7)
        session_id = new_uuid(starts)
        made.append(session_id)
        await connection.execute(
            "INSERT INTO session (id, tenant_id, station_id, evse_no, transaction_ref, token_uid, state, started_at,"
            " ended_at, first_received_at, last_received_at, meter_start_wh, meter_end_wh, energy_wh, offline, review,"
            " facts) VALUES ($1::uuid, 1, $2, 1, $1::uuid::text, 'CARD', 'ended', $3, $4, $3, $4, 100, 8100, 8000,"
            " false, '{}', '')",
            session_id,
            station,
            starts,
            starts + timedelta(hours=4),
        )
        await connection.executemany(
            "INSERT INTO sample (tenant_id, station_id, evse_no, session_id, at, received_at, energy_wh)"
            " VALUES (1, $1, 1, $2, $3, $3, $4)",
            [
                (station, session_id, starts + timedelta(minutes=10 * step), 100 + 8000 * step / 24)
                for step in range(1, 24)
            ],
        )
    return made


async def a_site(system: Any, **more: Any) -> EnergySite:
    made = await system.http.post("/api/v1/sites", json={"name": "Depot"})
    site = EnergySite(system, made.json()["id"])
    await system.edge.add_stations("CP-A")
    await system.http.patch("/api/v1/stations/CP-A", json={"site_id": site.id})
    await site.put_tree({**TREE, **more})
    return site


async def test_models_are_fitted_shown_and_used_by_the_plan(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        site = await a_site(system)
        database, bus = system.edge.edge.database, system.edge.edge.bus
        told: list[ForecastMade] = []
        bus.subscribe(ForecastMade, told.append)
        empty = await site.ask("GET", "/energy/forecast")
        assert (empty["made_at"], empty["bands"], empty["models"]) == (None, [], [])
        async with database.service.acquire() as connection:
            await fill(connection, UUID(site.id), sessions=10)
        forecaster = Forecaster(database, bus, utc_now, PlainFitter())
        await forecaster.look()
        shown = await site.ask("GET", "/energy/forecast")
        models = {model["target"]: model for model in shown["models"]}
        assert set(models) == {"base_w", "solar_w", "arrivals", "stay_h", "energy_wh"}
        assert models["solar_w"]["method"] == "plain"
        assert models["solar_w"]["samples"] > 300
        assert models["solar_w"]["errors"]["plain"]["mae"] == 0
        bands = {band["target"]: band for band in shown["bands"]}
        assert len(shown["starts_at"]) == 48
        for number, at in enumerate(shown["starts_at"]):
            low, middle, high = (values[number] for values in bands["solar_w"]["values"])
            assert 0 <= low <= middle <= high
            assert middle == (4_000 if 6 <= datetime.fromisoformat(at).hour < 18 else 0)
        assert len(shown["stays"]) == 24
        assert shown["stays"][7]["stay_h"][2] == pytest.approx(4, abs=0.01)
        assert [each.fitted for each in told] == [True, False]
        # What is fresh is not fitted again, unless somebody wants it.
        await forecaster.look()
        assert len(told) == 2
        await site.ask("POST", "/energy/forecast", expect=202)
        await forecaster.look()
        assert [each.fitted for each in told] == [True, False, True, False]
        # The plan has it, divided among the generators by their peaks.
        expected = await SiteOutlook(database).forecast(1, UUID(site.id), utc_now().timestamp())
        assert set(expected.base_w) == {"main"}
        assert max(expected.generation_w["east"].values) == 3_000
        assert max(expected.generation_w["west"].values) == 1_000
        sites = system.edge.edge.energy.sites
        await eventually(lambda: UUID(site.id) in sites and sites[UUID(site.id)].plan is not None)

        async def planned() -> bool:
            plan = await site.ask("GET", "/energy/plan")
            return max(plan["generation_w"]["east"]) > 2_900

        for _ in range(120):
            if await planned():
                break
            await eventually(
                lambda turns=system.edge.edge.energy.turns: system.edge.edge.energy.turns > turns
            )
        assert await planned()
        # A site that wants no forecast has none in its plan.
        await site.put_tree({**TREE, "forecast": {"load": False, "generation": False}})
        off = await SiteOutlook(database).forecast(1, UUID(site.id), utc_now().timestamp())
        assert (off.base_w, off.generation_w) == ({}, {})


async def test_old_forecasts_go_and_the_models_in_use_stay(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        site = await a_site(system)
        database, bus = system.edge.edge.database, system.edge.edge.bus
        async with database.service.acquire() as connection:
            await fill(connection, UUID(site.id))
        later = [NOW]
        forecaster = Forecaster(database, bus, lambda: later[0], PlainFitter(), retention=3 * DAY)
        for days in range(6):
            later[0] = NOW + days * DAY * 1.01
            await forecaster.look()
        async with database.service.acquire() as connection:
            kept = await connection.fetch("SELECT made_at FROM energy_forecast ORDER BY made_at")
            assert len(kept) == 3
            assert kept[0]["made_at"] > later[0] - 4 * DAY
            used = await connection.fetch("SELECT fitted_at FROM energy_model WHERE content <> ''")
            assert {row["fitted_at"] for row in used} == {later[0]}
            errors = await connection.fetchval("SELECT count(DISTINCT fitted_at) FROM energy_model")
            assert errors == 3


async def test_origins_add_up_for_sessions_and_site(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        site = await a_site(system)
        database = system.edge.edge.database
        async with database.service.acquire() as connection:
            made = await fill(connection, UUID(site.id), sessions=6)
        hours = [
            (NOW - 16 * DAY).replace(minute=0, second=0, microsecond=0) + timedelta(hours=number)
            for number in range(17 * 24)
        ]
        spans = [
            {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=1)).isoformat(), "value": 400.0}
            for at in hours
        ]
        given = {"source": "grid", "values": spans}
        answer = await system.http.put("/api/v1/energy/series/average_intensity", json=given)
        assert answer.json() == {"taken": len(hours)}, answer.text
        own = {"source": "meter", "values": [{**spans[0], "value": 100.0}]}
        assert await site.ask("PUT", "/energy/series/average_intensity", own) == {"taken": 1}
        twice = {"source": "grid", "values": [spans[0], spans[0]]}
        await site.ask("PUT", "/energy/series/average_intensity", twice, expect=422)
        refused = await system.http.put("/api/v1/energy/series/price", json=given)
        assert refused.status_code == 422, refused.text

        keeper = OriginKeeper(database, utc_now)
        await keeper.look()
        first = await origins(site, made)
        await OriginKeeper(database, utc_now).look()
        assert await origins(site, made) == first  # working it out again changes nothing
        sessions = [(await system.http.get(f"/api/v1/sessions/{session_id}")).json() for session_id in made]
        for session in sessions:
            origin = session["origin"]
            assert origin["energy_wh"] == session["energy_wh"] == 8000
            assert origin["unknown_wh"] == 0
            parts = ("solar_wh", "wind_wh", "battery_wh", "grid_wh")
            assert sum(origin[name] for name in parts) == pytest.approx(8000, abs=0.3)
        by_day = sessions[0]["origin"]  # it began at seven in the morning: all of it was sun
        assert (by_day["solar_wh"], by_day["renewable_percent"], by_day["co2_g"]) == (8000, 100, 0)
        by_night = sessions[1]["origin"]  # 500 W of 3 kW came out of the battery, which the sun had filled
        assert by_night["battery_wh"] == pytest.approx(8000 / 6, abs=1)
        assert by_night["grid_wh"] == pytest.approx(8000 * 5 / 6, abs=1)
        assert by_night["co2_g"] == pytest.approx(by_night["grid_wh"] * 0.4, rel=0.02)
        assert 0 < by_night["renewable_wh"] <= by_night["battery_wh"]
        assert by_night["marginal_co2_g"] is None


async def origins(site: EnergySite, made: list[UUID]) -> Any:
    """The site's origins, checked: what is used is what sessions took and the rest."""
    found = await site.ask("GET", f"/energy/origin?since={(NOW - 16 * DAY):%Y-%m-%dT%H:00:00Z}&step_s=3600")
    names = ("energy_wh", "solar_wh", "wind_wh", "battery_wh", "grid_wh", "renewable_wh", "co2_g")
    assert len(found["items"]) > 300
    taken = 0.0
    for step in found["items"]:
        for name in names:
            if step["site"][name] is not None:
                parts = (step["sessions"][name] or 0) + step["rest"][name]
                assert parts == pytest.approx(step["site"][name], abs=0.3), (name, step)
        assert step["rest"]["energy_wh"] >= 0
        taken += step["sessions"]["energy_wh"]
    assert taken == pytest.approx(8000 * len(made), abs=50)
    return found
