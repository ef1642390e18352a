"""Health over HTTP: what triggers keep, what days count, what is excluded, and what it adds up to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from pilotwire.core.clock import utc_now
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.stations.records import ConnectorStatusChanged, StationDisconnected
from pilotwire.domain.stations.repository import attach, close_presence
from pilotwire.domain.stations.sinks import SINKS
from pilotwire.jobs.health import count_days
from tests.support.web import Edge, add_station, keep_frame, keep_session

HOUR = timedelta(hours=1)
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
DAYS = "from=2026-05-10&to=2026-05-10"


async def status(
    edge: Edge,
    station_id: int,
    at: datetime,
    word: str,
    *,
    connector: int = 1,
    evse: int = 1,
    late: float = 0,
) -> None:
    received = at + timedelta(seconds=late)
    record = ConnectorStatusChanged(
        1, station_id, "CP-1", evse, connector, word, word, "", "", at, received, current=True
    )
    async with edge.db.service.acquire() as connection:
        await SINKS[ConnectorStatusChanged](connection, [record])


async def connected(edge: Edge, station_id: int, *spans: tuple[datetime, datetime | None]) -> None:
    """Connections at moments of the past: the trigger keeps them, the test says when they were."""
    async with edge.db.service.acquire() as connection:
        for start, end in spans:
            epoch = (await attach(connection, "g", [(station_id, "2.0.1", "192.0.2.1", 1)]))[station_id].epoch
            await connection.execute(
                "UPDATE station_connection SET connected_at = $3 WHERE station_id = $1 AND epoch = $2",
                station_id,
                epoch,
                start,
            )
            if end is not None:
                gone = StationDisconnected(1, station_id, "CP-1", epoch, end, "closed")
                await SINKS[StationDisconnected](connection, [gone])


async def health(client: httpx.AsyncClient, query: str = DAYS, station: str = "CP-1") -> dict[str, Any]:
    answer = await client.get(f"/api/v1/stations/{station}/health?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_uptime_of_an_evse_from_what_its_station_did(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    midnight = NOON.replace(hour=0)
    # Known for a day; two hours offline at noon.
    await connected(edge, number, (midnight - 24 * HOUR, NOON), (NOON + 2 * HOUR, None))
    await status(edge, number, midnight, "available")
    await status(edge, number, midnight, "available", connector=2)
    # One connector of two is faulted: the EVSE still serves. Then both: it does not.
    await status(edge, number, midnight + HOUR, "faulted")
    await status(edge, number, midnight + 2 * HOUR, "faulted", connector=2)
    await status(edge, number, midnight + 3 * HOUR, "available", connector=2)
    await status(edge, number, midnight + 4 * HOUR, "available")
    found = await health(admin)
    assert (found["window_s"], found["outage_s"], found["excluded_s"]) == (86_400, 3 * 3600, 0)
    assert found["nevi_percent"] == pytest.approx(87.5)
    assert found["operational_percent"] == pytest.approx(87.5)
    (evse,) = found["evses"]
    assert [(outage["cause"], outage["from"]) for outage in evse["outages"]] == [
        ("offline", "2026-05-10T12:00:00Z"),
        ("faulted", "2026-05-10T02:00:00Z"),
    ]

    excluded = {
        "station_id": "CP-1",
        "evse_id": 1,
        "from": "2026-05-10T12:30:00Z",
        "to": "2026-05-10T18:00:00Z",
        "reason": "utility_outage",
        "note": "storm",
    }
    made = await admin.post("/api/v1/downtime", json=excluded)
    assert made.status_code == 201, made.text
    assert {key: made.json()[key] for key in excluded} == excluded
    found = await health(admin)
    assert (found["outage_s"], found["excluded_s"]) == (3 * 3600, 1.5 * 3600)
    assert found["nevi_percent"] == pytest.approx(93.75)
    assert found["operational_percent"] == pytest.approx(87.5)
    listed = (await admin.get("/api/v1/downtime")).json()["items"]
    assert [each["id"] for each in listed] == [made.json()["id"]]
    assert (await admin.delete(f"/api/v1/downtime/{made.json()['id']}")).status_code == 204
    assert (await health(admin))["excluded_s"] == 0


async def test_what_is_outside_of_the_opening_hours_is_excluded(edge: Edge, admin: httpx.AsyncClient) -> None:
    hours = {"weekdays": {"sunday": [{"opens": "08:00", "closes": "20:00"}]}}
    body = {"name": "Harbour", "time_zone": "Europe/Berlin", "opening_hours": hours}
    site = (await admin.post("/api/v1/sites", json=body)).json()["id"]
    number = await add_station(admin, "CP-1", edge)
    await admin.patch("/api/v1/stations/CP-1", json={"site_id": site})
    midnight = NOON.replace(hour=0)
    await connected(edge, number, (midnight - HOUR, None))
    await status(edge, number, midnight - HOUR, "available")
    # Out from 05:00 to 07:00 UTC of a Sunday; the site opens at 06:00 UTC.
    await status(edge, number, midnight + 5 * HOUR, "unavailable")
    await status(edge, number, midnight + 7 * HOUR, "available")
    found = await health(admin)
    assert (found["outage_s"], found["excluded_s"]) == (7200, 3600)


async def test_a_station_is_measured_from_its_first_connection_on(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    number = await add_station(admin, "CP-1", edge)
    assert (await health(admin))["nevi_percent"] is None
    await connected(edge, number, (NOON, None))
    await status(edge, number, NOON, "available")
    found = await health(admin)
    assert (found["window_s"], found["nevi_percent"]) == (12 * 3600, 100)


async def test_a_server_that_died_held_its_stations_until_it_last_heard_them(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    number = await add_station(admin, "CP-1", edge)
    await connected(edge, number, (NOON, None))
    async with edge.db.service.acquire() as connection:
        await connection.execute("UPDATE station_presence SET last_seen_at = $1", NOON + HOUR)
        await close_presence(connection, "g")
    row = await edge.db.service.fetchrow("SELECT * FROM station_connection")
    assert row["disconnected_at"] == NOON + HOUR


async def test_plug_ins_and_sessions_and_messages_of_a_day(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    await status(edge, number, NOON - HOUR, "available")
    # Plugged, charged, unplugged; then plugged in vain; then one that is still there.
    for word, minutes in (
        ("preparing", 0), ("charging", 2), ("faulted", 20), ("charging", 21), ("finishing", 60), ("available", 65),
        ("preparing", 120), ("available", 125), ("preparing", 180),
    ):  # fmt: skip
        await status(edge, number, NOON + timedelta(minutes=minutes), word)
    for start, end_wh, reason, reference in (
        (NOON + timedelta(minutes=1), 9000, "Local", "a"),
        (NOON + timedelta(minutes=300), 1010, "Local", "b"),
        (NOON + timedelta(minutes=400), 9000, "EmergencyStop", "c"),
    ):
        await keep_session(
            edge, number, "CP-1", start, transaction_ref=reference, stated_end_wh=Decimal(end_wh),
            ended_at=start + HOUR, stop_reason=reason, change=Phase.ENDED,
        )  # fmt: skip
    for offset, repairs in ((0, None), (1, "bad_time")):
        moment = NOON + timedelta(minutes=offset)
        await keep_frame(edge, number, moment, 0, f"m{offset}", "Heartbeat", ("{}", "{}"), repairs)
    await count_days(edge.db, lambda: NOON + 11 * HOUR, back=1, retention_days=400)
    found = await health(admin)
    assert (found["plug_ins"], found["plug_ins_charged"], found["plug_in_success_percent"]) == (2, 1, 50)
    assert (found["sessions"], found["sessions_successful"]) == (3, 1)
    assert found["session_success_percent"] == pytest.approx(33.33)
    assert (found["messages"], found["repaired"], found["energy_wh"]) == (2, 1, 16_010)
    before = await edge.db.service.fetch("SELECT * FROM station_day")
    await count_days(edge.db, lambda: NOON + 11 * HOUR, back=1, retention_days=400)
    assert await edge.db.service.fetch("SELECT * FROM station_day") == before
    await edge.db.service.execute("DELETE FROM frame")
    await count_days(edge.db, lambda: NOON + 11 * HOUR, back=1, retention_days=400)
    assert await edge.db.service.fetch("SELECT * FROM station_day") == before


async def test_the_connection_now(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    now = utc_now()
    spans = [(now - timedelta(minutes=10 - i), now - timedelta(minutes=10 - i, seconds=-5)) for i in range(4)]
    await connected(edge, number, *spans)
    quiet = await health(admin, "")
    assert (quiet["connects_last_hour"], quiet["flapping"], quiet["connects"]) == (4, False, 4)
    await connected(edge, number, (now - timedelta(minutes=1), None))
    # Its clock is ahead by a minute; what came late looks older and does not count.
    await status(edge, number, now - HOUR, "available", late=-60)
    await status(edge, number, now - HOUR / 2, "preparing", late=600)
    found = await health(admin, "")
    assert (found["flapping"], found["connected"]) == (True, True)
    assert found["clock_offset_s"] == pytest.approx(60)


async def test_reports_by_site_model_and_station(edge: Edge, admin: httpx.AsyncClient) -> None:
    site = (await admin.post("/api/v1/sites", json={"name": "Harbour"})).json()["id"]
    midnight = NOON.replace(hour=0)
    for identity, model, down_h in (("CP-1", "One", 6), ("CP-2", "One", 0), ("CP-3", "Two", 0)):
        number = await add_station(admin, identity, edge)
        await edge.db.service.execute(
            "UPDATE station SET vendor = 'ACME', model = $2 WHERE id = $1", number, model
        )
        await connected(edge, number, (midnight - HOUR, None))
        await status(edge, number, midnight - HOUR, "available")
        if down_h:
            await status(edge, number, midnight, "faulted")
            await status(edge, number, midnight + down_h * HOUR, "available")
    await admin.patch("/api/v1/stations/CP-1", json={"site_id": site})

    async def report(by: str, query: str = DAYS) -> dict[str, Any]:
        answer = await admin.get(f"/api/v1/health-report?by={by}&{query}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    sites = (await report("site"))["items"]
    assert [(each["key"], each["stations"], each["nevi_percent"]) for each in sites] == [
        ("", 2, 100),
        (site, 1, 75),
    ]
    models = (await report("model"))["items"]
    assert [
        (each["name"], each["evses"], each["nevi_percent"], each["worst_evse_percent"]) for each in models
    ] == [
        ("ACME One", 2, 87.5, 75),
        ("ACME Two", 1, 100, 100),
    ]
    first = await report("station", f"{DAYS}&limit=2")
    assert [each["key"] for each in first["items"]] == ["CP-1", "CP-2"]
    rest = await report("station", f"{DAYS}&limit=2&cursor={first['next']}")
    assert ([each["key"] for each in rest["items"]], rest["next"]) == (["CP-3"], None)
    one = await report("model", f"{DAYS}&limit=1")
    rest = await report("model", f"{DAYS}&limit=1&cursor={one['next']}")
    assert [each["name"] for each in rest["items"]] == ["ACME Two"]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-05-10&to=2026-05-09",
        "from=2020-01-01&to=2026-01-01",
        "from=yesterday",
        "from=2999-01-01&to=2999-01-02",
    ],
)
async def test_days_that_cannot_be_are_refused(admin: httpx.AsyncClient, query: str) -> None:
    for path in ("health-report", "stations/CP-1/health"):
        answer = await admin.get(f"/api/v1/{path}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_downtime_that_cannot_be_is_refused(edge: Edge, admin: httpx.AsyncClient) -> None:
    await add_station(admin, "CP-1", edge)
    good = {
        "station_id": "CP-1",
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-02T00:00:00Z",
        "reason": "vandalism",
    }
    for changes, expected in (
        ({"reason": "bad luck"}, 422),
        ({"to": "2026-01-01T00:00:00Z"}, 422),
        ({"station_id": None}, 422),
        ({"station_id": "CP-9"}, 404),
    ):
        assert (await admin.post("/api/v1/downtime", json=good | changes)).status_code == expected
    assert (await admin.get("/api/v1/downtime")).json()["items"] == []
