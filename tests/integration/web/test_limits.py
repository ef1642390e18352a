"""Whoever is limited to sites: what stands elsewhere does not exist for them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pilotwire.domain.stations.records import ConnectorStatusChanged
from tests.support.web import Edge, add_station, connected_since, keep_frame, keep_session

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def here(admin: httpx.AsyncClient) -> str:
    return str((await admin.post("/api/v1/sites", json={"name": "Here"})).json()["id"])


@pytest.fixture
async def elsewhere(admin: httpx.AsyncClient) -> str:
    return str((await admin.post("/api/v1/sites", json={"name": "Elsewhere"})).json()["id"])


@pytest.fixture
async def numbers(edge: Edge, admin: httpx.AsyncClient, here: str, elsewhere: str) -> dict[str, int]:
    """Three stations: here, elsewhere, and nowhere."""
    found = {}
    for identity, site in (("HERE", here), ("THERE", elsewhere), ("NOWHERE", None)):
        found[identity] = await add_station(admin, identity, edge)
        if site:
            await admin.patch(f"/api/v1/stations/{identity}", json={"site_id": site})
        edge.caller.links[found[identity]] = connected_since(NOON)
    return found


async def _limited(edge: Edge, admin: httpx.AsyncClient, role: str, sites: list[str]) -> httpx.AsyncClient:
    body = {"name": f"limited {role}", "role": role, "sites": sites}
    made = await admin.post("/api/v1/api-keys", json=body)
    assert made.status_code == 201, made.text
    return await edge.client(None, Authorization=f"Bearer {made.json()['key']}")


async def test_only_what_stands_there_is_seen(
    edge: Edge, admin: httpx.AsyncClient, here: str, numbers: dict[str, int]
) -> None:
    for identity, number in numbers.items():
        await keep_session(edge, number, identity, NOON)
        await keep_frame(edge, number, NOON, 0, "m1", "Heartbeat", ('[2,"m1","Heartbeat",{}]', None))
    installer = await _limited(edge, admin, "installer", [here])
    assert (await installer.get("/api/v1/me")).json()["sites"] == [here]

    async def listed(path: str, key: str) -> list[Any]:
        return [item[key] for item in (await installer.get(f"/api/v1/{path}")).json()["items"]]

    assert await listed("stations", "id") == ["HERE"]
    assert await listed("sites", "name") == ["Here"]
    assert await listed("sessions", "station_id") == ["HERE"]
    overview = (await installer.get("/api/v1/overview")).json()
    assert (overview["stations"], overview["active_sessions"]) == (1, 1)
    assert len(await listed("stations/HERE/messages", "action")) == 1
    for path in ("stations/THERE", "stations/NOWHERE", "stations/THERE/messages"):
        assert (await installer.get(f"/api/v1/{path}")).status_code == 404
    snapshot = (await installer.get("/api/v1/live/snapshot")).json()
    assert [station["id"] for station in snapshot["stations"]] == ["HERE"]
    assert (snapshot["kpi"]["total"], snapshot["kpi"]["sessions_active"]) == (1, 1)


async def test_only_what_stands_there_is_changed(
    edge: Edge, admin: httpx.AsyncClient, here: str, elsewhere: str, numbers: dict[str, int]
) -> None:
    installer = await _limited(edge, admin, "installer", [here])
    assert (await installer.patch("/api/v1/stations/HERE", json={"name": "Gate"})).status_code == 200
    assert (await installer.patch("/api/v1/stations/THERE", json={"name": "Gate"})).status_code == 404
    reset = {"command": "reset"}
    assert (await installer.post("/api/v1/stations/HERE/commands", json=reset)).status_code == 202
    assert (await installer.post("/api/v1/stations/THERE/commands", json=reset)).status_code == 404
    assert (
        await installer.post("/api/v1/stations/THERE/call/Reset", json={"type": "Soft"})
    ).status_code == 404
    assert edge.caller.calls == []
    added = await installer.post("/api/v1/stations", json={"id": "NEW", "site_id": here})
    assert added.status_code == 201, added.text
    for body in ({"id": "NEW-2"}, {"id": "NEW-2", "site_id": elsewhere}):
        refused = await installer.post("/api/v1/stations", json=body)
        assert refused.status_code in (403, 404), refused.text
    moved = await installer.patch("/api/v1/stations/HERE", json={"site_id": elsewhere})
    assert moved.status_code in (403, 404), moved.text
    assert (await installer.post("/api/v1/sites", json={"name": "Mine"})).status_code == 403
    assert (await installer.post("/api/v1/groups", json={"name": "Mine"})).status_code == 403


async def test_tasks_of_others_are_not_seen(
    edge: Edge, admin: httpx.AsyncClient, here: str, numbers: dict[str, int]
) -> None:
    installer = await _limited(edge, admin, "installer", [here])
    theirs = (await admin.post("/api/v1/stations/HERE/commands", json={"command": "reset"})).json()["task_id"]
    own = (await installer.post("/api/v1/stations/HERE/commands", json={"command": "reset"})).json()[
        "task_id"
    ]
    assert [task["id"] for task in (await installer.get("/api/v1/tasks")).json()["items"]] == [own]
    assert (await installer.post(f"/api/v1/tasks/{theirs}/cancel")).status_code == 404
    assert (await installer.post(f"/api/v1/tasks/{own}/cancel")).status_code == 200


async def test_what_shows_the_whole_network_is_refused(
    edge: Edge, admin: httpx.AsyncClient, here: str
) -> None:
    installer = await _limited(edge, admin, "installer", [here])
    for path in ("events", "handshakes"):
        assert (await installer.get(f"/api/v1/{path}")).status_code == 403
    nobody = await _limited(edge, admin, "partner", [])
    assert (await nobody.get("/api/v1/stations")).json()["items"] == []


async def test_ticks_tell_of_these_sites_only(
    edge: Edge, admin: httpx.AsyncClient, here: str, elsewhere: str, numbers: dict[str, int]
) -> None:
    partner = await _limited(edge, admin, "partner", [here])
    position = (await partner.get("/api/v1/live/snapshot")).json()["id"]
    network = edge.app.state.network
    [feed] = network._networks[1].feeds.values()
    reader = feed.open(position, 0.0)
    assert b"reset" not in (await reader.next_chunk() or b"")
    for identity, number in numbers.items():
        edge.bus.publish(
            ConnectorStatusChanged(
                1, number, identity, 1, 1, "available", "Available", "", "", NOON, NOON, current=True
            )
        )
    tick = await reader.next_chunk() or b""
    assert b'"HERE"' in tick
    assert b"THERE" not in tick
    assert b"NOWHERE" not in tick
    # One that moves here appears whole, one that moves away is gone.
    for identity, site, wanted in (
        ("THERE", here, b'"THERE":{"id":"THERE"'),
        ("HERE", elsewhere, b'"removed":["HERE"]'),
    ):
        await admin.patch(f"/api/v1/stations/{identity}", json={"site_id": site})
        async with asyncio.timeout(10):
            while wanted not in (await reader.next_chunk() or b""):
                pass


async def test_an_owner_cannot_be_limited(edge: Edge, admin: httpx.AsyncClient, here: str) -> None:
    for path, more in (("api-keys", {"name": "x"}), ("users", {"email": "a@example.com"})):
        refused = await admin.post(f"/api/v1/{path}", json={"role": "owner", "sites": [here], **more})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    body = {"email": "a@example.com", "role": "partner", "sites": [here]}
    user = (await admin.post("/api/v1/users", json=body)).json()
    assert user["sites"] == [here]
    assert (await admin.patch(f"/api/v1/users/{user['id']}", json={"role": "owner"})).status_code == 422
    freed = await admin.patch(f"/api/v1/users/{user['id']}", json={"role": "owner", "sites": None})
    assert (freed.status_code, freed.json()["sites"]) == (200, None)
