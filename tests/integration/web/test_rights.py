"""Who may do what: every address of the API for every role, and for another tenant's administrator."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.web import Edge, add_station, connected_since, keep_session, open_edge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANYBODY, VIEWER, OPERATOR, ADMIN = "anybody", "viewer", "operator", "admin"
PROBLEM = "application/problem+json"
RANK = {ANYBODY: 0, VIEWER: 1, OPERATOR: 2, ADMIN: 3}


@dataclass(frozen=True)
class Rule:
    """The least role that may, the body to send, and whether the address names one thing of one tenant."""

    least: str
    body: dict[str, Any] | None = None
    owned: bool = False


TEMPLATE = {"vendor": "ACME", "model": "Two", "entries": []}
RULES = {
    "POST /api/v1/stations": Rule(OPERATOR, {"id": "CP-NEW"}),
    "GET /api/v1/stations": Rule(VIEWER),
    "GET /api/v1/stations/{station_id}": Rule(VIEWER, owned=True),
    "PATCH /api/v1/stations/{station_id}": Rule(OPERATOR, {"name": "x"}, owned=True),
    "DELETE /api/v1/stations/{station_id}": Rule(ADMIN, owned=True),
    "GET /api/v1/stations/{station_id}/messages": Rule(OPERATOR, owned=True),
    "GET /api/v1/stations/{station_id}/reports": Rule(OPERATOR, owned=True),
    "POST /api/v1/stations/{station_id}/call/{action}": Rule(OPERATOR, {"type": "Soft"}, owned=True),
    "POST /api/v1/stations/{station_id}/commands": Rule(OPERATOR, {"command": "clear_cache"}, owned=True),
    "POST /api/v1/commands": Rule(OPERATOR, {"command": "clear_cache", "stations": ["CP-1"]}),
    "GET /api/v1/tasks": Rule(VIEWER),
    "GET /api/v1/tasks/{task_id}": Rule(VIEWER, owned=True),
    "POST /api/v1/tasks/{task_id}/resume": Rule(OPERATOR, owned=True),
    "POST /api/v1/tasks/{task_id}/cancel": Rule(OPERATOR, owned=True),
    "POST /api/v1/tasks/{task_id}/retry": Rule(OPERATOR, owned=True),
    "GET /api/v1/stations/{station_id}/security-events": Rule(VIEWER, owned=True),
    "GET /api/v1/sessions": Rule(VIEWER),
    "GET /api/v1/sessions/{session_id}": Rule(VIEWER, owned=True),
    "GET /api/v1/sessions/{session_id}/samples": Rule(VIEWER, owned=True),
    "GET /api/v1/overview": Rule(VIEWER),
    "POST /api/v1/tokens": Rule(OPERATOR, {"uid": "NEW"}),
    "GET /api/v1/tokens": Rule(OPERATOR),
    "GET /api/v1/tokens/{uid}": Rule(OPERATOR, owned=True),
    "PATCH /api/v1/tokens/{uid}": Rule(OPERATOR, {"status": "blocked"}, owned=True),
    "DELETE /api/v1/tokens/{uid}": Rule(OPERATOR, owned=True),
    "POST /api/v1/sites": Rule(OPERATOR, {"name": "New"}),
    "GET /api/v1/sites": Rule(VIEWER),
    "GET /api/v1/sites/{site_id}": Rule(VIEWER, owned=True),
    "PATCH /api/v1/sites/{site_id}": Rule(OPERATOR, {"city": "x"}, owned=True),
    "DELETE /api/v1/sites/{site_id}": Rule(ADMIN, owned=True),
    "POST /api/v1/enrolment-keys": Rule(OPERATOR, {"name": "new"}),
    "GET /api/v1/enrolment-keys": Rule(OPERATOR),
    "DELETE /api/v1/enrolment-keys/{key_id}": Rule(OPERATOR, owned=True),
    "POST /api/v1/configuration-templates": Rule(OPERATOR, TEMPLATE),
    "GET /api/v1/configuration-templates": Rule(OPERATOR),
    "PATCH /api/v1/configuration-templates/{template_id}": Rule(OPERATOR, {"entries": []}, owned=True),
    "DELETE /api/v1/configuration-templates/{template_id}": Rule(OPERATOR, owned=True),
    "GET /api/v1/handshakes": Rule(OPERATOR),
    "GET /api/v1/deviations": Rule(OPERATOR),
    "GET /api/v1/events": Rule(VIEWER),
    "POST /api/v1/login": Rule(ANYBODY, {"email": "nobody@example.com", "password": "wrong"}),
    "POST /api/v1/logout": Rule(ANYBODY),
    "GET /api/v1/me": Rule(VIEWER),
    "POST /api/v1/api-keys": Rule(ADMIN, {"name": "new", "role": "viewer"}),
    "GET /api/v1/api-keys": Rule(ADMIN),
    "DELETE /api/v1/api-keys/{key_id}": Rule(ADMIN, owned=True),
    "POST /api/v1/users": Rule(
        ADMIN, {"email": "new@example.com", "role": "viewer", "password": "a long enough password"}
    ),
    "GET /api/v1/users": Rule(ADMIN),
    "PATCH /api/v1/users/{user_id}": Rule(ADMIN, {"name": "x"}, owned=True),
    "GET /api/v1/audit": Rule(ADMIN),
    "GET /health/live": Rule(ANYBODY),
    "GET /health/ready": Rule(ANYBODY),
    "GET /metrics": Rule(ANYBODY),
}


@dataclass
class Network:
    """A network with one thing of each kind, all of the default tenant, and their names in addresses."""

    edge: Edge
    names: dict[str, str]

    def address(self, route: str) -> str:
        path = route.partition(" ")[2]
        prefix = path.split("/")[3] if path.startswith("/api") else ""
        for name, value in self.names.items():
            for pattern in (name, f"{prefix}:{name}"):
                path = path.replace("{" + pattern + "}", value)
        if "{key_id}" in path:
            path = path.replace("{key_id}", self.names[f"{prefix}:key_id"])
        return path


@pytest.fixture
async def network(web_database: str) -> AsyncIterator[Network]:
    async with open_edge(web_database) as edge:
        admin = await edge.client("admin")
        number = await add_station(admin, "CP-1", edge)
        edge.caller.links[number] = connected_since(NOON)
        charged = await add_station(admin, "CP-2", edge)

        async def made(path: str, body: dict[str, Any]) -> str:
            answer = await admin.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        await admin.post("/api/v1/tokens", json={"uid": "CARD"})
        given = await admin.post("/api/v1/stations/CP-1/commands", json={"command": "clear_cache"})
        names = {
            "task_id": given.json()["task_id"],
            "station_id": "CP-1",
            "action": "Reset",
            "uid": "CARD",
            "session_id": str(await keep_session(edge, charged, "CP-2", NOON)),
            "site_id": await made("sites", {"name": "Harbour"}),
            "enrolment-keys:key_id": await made("enrolment-keys", {"name": "one"}),
            "api-keys:key_id": await made("api-keys", {"name": "one", "role": "viewer"}),
            "template_id": await made("configuration-templates", {"vendor": "ACME", "entries": []}),
            "user_id": await made(
                "users", {"email": "a@example.com", "role": "viewer", "password": "a long enough password"}
            ),
        }
        yield Network(edge, names)


async def test_there_is_a_rule_for_every_address(web_database: str) -> None:
    async with open_edge(web_database) as edge:
        routes = {
            f"{method.upper()} {path}"
            for path, methods in edge.app.openapi()["paths"].items()
            for method in methods
        }
    assert routes == set(RULES)


async def test_whoever_may_not_is_refused(network: Network) -> None:
    before = await _everything(network.edge)
    wrong = []
    for who, rank in RANK.items():
        client = await network.edge.client(None if who == ANYBODY else who)
        for route, rule in RULES.items():
            if rank >= RANK[rule.least]:
                continue
            answer = await client.request(route.partition(" ")[0], network.address(route), json=rule.body)
            expected = 401 if who == ANYBODY else 403
            if answer.status_code != expected or answer.headers["content-type"] != PROBLEM:
                wrong.append((who, route, answer.status_code))
    assert wrong == []
    assert await _everything(network.edge) == before
    assert network.edge.caller.calls == []


async def test_whoever_may_can(network: Network) -> None:
    wrong = []
    # What removes things comes last; what changes something is done by the least role alone.
    for route, rule in sorted(RULES.items(), key=lambda item: item[0].startswith("DELETE")):
        method, _, path = route.partition(" ")
        if path == "/api/v1/events":
            continue  # a stream without end: see test_events
        able = [who for who, rank in RANK.items() if rank >= RANK[rule.least]]
        for who in able if method == "GET" else able[:1]:
            client = await network.edge.client(None if who == ANYBODY else who)
            answer = await client.request(method, network.address(route), json=rule.body)
            expected = answer.status_code == 401 if path == "/api/v1/login" else answer.is_success
            if path.endswith("/resume"):
                expected = answer.json().get("code") == "task_over"  # allowed, and not paused
            if not expected:
                wrong.append((who, route, answer.status_code, answer.text))
    assert wrong == []


async def test_another_tenants_things_are_not_found_and_not_changed(network: Network) -> None:
    before = await _everything(network.edge)
    stranger = await network.edge.client("stranger")
    wrong = []
    for route, rule in RULES.items():
        if not rule.owned:
            continue
        answer = await stranger.request(route.partition(" ")[0], network.address(route), json=rule.body)
        if (answer.status_code, answer.json()["code"]) != (404, "not_found"):
            wrong.append((route, answer.status_code))
    assert wrong == []
    assert await _everything(network.edge) == before
    assert network.edge.caller.calls == []


async def test_another_tenants_lists_are_empty(network: Network) -> None:
    stranger = await network.edge.client("stranger")
    for path in (
        "stations", "sessions", "tokens", "sites", "enrolment-keys", "configuration-templates", "deviations",
        "users", "tasks",
    ):  # fmt: skip
        assert (await stranger.get(f"/api/v1/{path}")).json() == {"items": [], "next": None}, path


async def test_another_tenants_site_cannot_be_used(network: Network) -> None:
    """Foreign keys see every tenant: the use case must look first."""
    stranger = await network.edge.client("stranger")
    site = network.names["site_id"]
    refused = await stranger.post("/api/v1/stations", json={"id": "S-1", "site_id": site})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await stranger.post("/api/v1/stations", json={"id": "S-1"})).status_code == 201
    refused = await stranger.patch("/api/v1/stations/S-1", json={"site_id": site})
    assert refused.status_code == 404
    refused = await stranger.post("/api/v1/enrolment-keys", json={"name": "x", "site_id": site})
    assert refused.status_code == 404


async def test_another_tenants_audit_trail_and_keys_are_its_own(network: Network) -> None:
    stranger = await network.edge.client("stranger")
    trail = (await stranger.get("/api/v1/audit")).json()["items"]
    assert [entry["actor"] for entry in trail] == ["system"]
    keys = (await stranger.get("/api/v1/api-keys")).json()["items"]
    assert [key["name"] for key in keys] == ["stranger"]


async def _everything(edge: Edge) -> list[tuple[Any, ...]]:
    tables = (
        "station",
        "token",
        "site",
        "enrolment_key",
        "api_key",
        "user_account",
        "configuration_template",
        "task",
        "command",
    )
    found: list[tuple[Any, ...]] = []
    for table in tables:
        found += [tuple(row) for row in await edge.db.service.fetch(f"SELECT * FROM {table} ORDER BY id")]
    return found


async def test_a_key_of_nobody_is_refused(network: Network) -> None:
    client: httpx.AsyncClient = await network.edge.client(None)
    for value in ("Bearer pw_wrong", f"Bearer {uuid4()}", "Basic YTpi", "Bearer ", "Bearer \u00fc"):
        answer = await client.get("/api/v1/me", headers={"Authorization": value.encode("utf-8")})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
