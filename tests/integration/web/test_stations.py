"""Stations over HTTP: the shapes that tools outside rely on."""

from datetime import UTC, datetime

import httpx

from tests.support.web import Edge, connected_since


async def test_a_new_station_has_a_generated_password_and_the_shape_of_the_contract(
    admin: httpx.AsyncClient,
) -> None:
    created = await admin.post("/api/v1/stations", json={"id": "CP-1"})
    assert created.status_code == 201, created.text
    body = created.json()
    assert len(body["password"]) >= 16
    shown = (await admin.get("/api/v1/stations/CP-1")).json()
    assert "password" not in shown
    wanted = {
        "id": "CP-1",
        "connected": False,
        "ocpp_version": None,
        "vendor": "",
        "model": "",
        "serial_number": "",
        "firmware_version": "",
        "last_seen_at": None,
        "status": "offline",
        "evses": [],
        "admission": "accepted",
        "security_profile": 1,
    }
    assert {key: shown[key] for key in wanted} == wanted
    assert {key: value for key, value in body.items() if key != "password"} == shown


async def test_a_live_link_is_shown(edge: Edge, admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/stations", json={"id": "CP-1", "password": "a-good-password-of-mine"})
    number = await edge.db.service.fetchval("SELECT id FROM station")
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    edge.caller.links[number] = connected_since(now, "2.1")
    shown = (await admin.get("/api/v1/stations/CP-1")).json()
    assert (shown["connected"], shown["ocpp_version"], shown["last_seen_at"], shown["status"]) == (
        True,
        "2.1",
        "2026-05-01T12:00:00Z",
        "unknown",
    )
