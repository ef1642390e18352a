"""Errors are problem details, whatever goes wrong; faults tell nothing of the inside."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pilotwire.domain.stations.ports import CallAnswer
from pilotwire.web.services import Measure
from tests.support.web import Edge, add_station, connected_since, open_edge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROBLEM = "application/problem+json"


def _is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:pilotwire:problem:{code}"
    assert body["title"]
    return body


async def test_an_unknown_address_and_method_answer_in_the_same_form(admin: httpx.AsyncClient) -> None:
    _is_problem(await admin.get("/api/v1/nothing"), 404, "not_found")
    _is_problem(await admin.get("/nothing/at/all"), 404, "not_found")
    refused = await admin.put("/api/v1/stations", json={})
    _is_problem(refused, 405, "method_not_allowed")
    assert "GET" in refused.headers["allow"] or "POST" in refused.headers["allow"]


async def test_wrong_values_are_explained_in_words_without_repeating_them(admin: httpx.AsyncClient) -> None:
    body = {"id": "CP-1", "security_profile": "canary", "site_id": "canary"}
    problem = _is_problem(await admin.post("/api/v1/stations", json=body), 422, "invalid")
    assert {error["field"] for error in problem["errors"]} == {"security_profile", "site_id"}
    assert all(error["in"] == "body" and error["message"] for error in problem["errors"])
    assert "canary" not in json.dumps(problem)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[]", b"null", b'"x"', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(admin: httpx.AsyncClient, content: bytes) -> None:
    answer = await admin.post(
        "/api/v1/stations", content=content, headers={"Content-Type": "application/json"}
    )
    _is_problem(answer, 422, "invalid")


async def test_a_body_without_its_type_is_refused(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/v1/stations", content=b'{"id":"CP-1"}')
    problem = _is_problem(answer, 422, "invalid")
    assert "Content-Type" in problem["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/stations?colour=red", "/sessions?stationid=CP-1", "/me?x=1", "/stations?limit=0", "/stations?limit=1001",
        "/stations?limit=many", "/stations?cursor=nonsense", "/stations?cursor=WyJhIiwiYiJd", "/stations?q=%00",
        "/sessions?cursor=WyJub3QtYS11dWlkIl0", "/sessions?state=gone", "/stations?status=gone", "/stations/%00",
        "/stations/x/messages?cursor=WyJub3QtYS1kYXRlIiwiYSJd", "/tokens/%00", "/overview?time_zone=%00",
        "/stations?cursor=WzFd", "/stations?cursor=" + "W1" * 400,
    ],
)  # fmt: skip
async def test_wrong_parameters_are_refused(admin: httpx.AsyncClient, path: str) -> None:
    _is_problem(await admin.get("/api/v1" + path), 422, "invalid")


async def test_a_large_body_is_refused_before_it_is_read(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    edge.caller.links[number] = connected_since(NOON)
    headers = {"Content-Type": "application/json"}
    just_right = b'{"data":"' + b"x" * (1024 * 1024 - 11) + b'"}'
    address = "/api/v1/stations/CP-1/call/DataTransfer"
    assert (await admin.post(address, content=just_right, headers=headers)).status_code == 200
    _is_problem(await admin.post(address, content=just_right + b" ", headers=headers), 413, "too_large")

    async def in_pieces() -> Any:
        for _ in range(17):
            yield b"x" * 65536

    _is_problem(await admin.post(address, content=in_pieces(), headers=headers), 413, "too_large")
    assert len(edge.caller.calls) == 1


async def test_a_fault_tells_nothing_of_the_inside(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    edge.caller.links[number] = connected_since(NOON)

    def fail(action: str, payload: bytes) -> CallAnswer:
        raise RuntimeError("the inside with its secret")

    edge.caller.answer = fail
    answer = await admin.post("/api/v1/stations/CP-1/call/Reset", json={})
    _is_problem(answer, 500, "error")
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_database_that_is_away_is_said_to_be_away(edge: Edge, admin: httpx.AsyncClient) -> None:
    edge.db.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    await edge.db.engine.dispose()
    answer = await admin.get("/api/v1/stations")
    _is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    ready = await admin.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    assert ready.json()["warnings"] == []
    assert (await admin.get("/health/live")).json() == {"status": "alive"}


async def test_that_none_of_several_hosts_takes_writes_is_said_as_away(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    separator = "&" if "?" in edge.db.dsn else "?"
    edge.db.dsn += f"{separator}target_session_attrs=standby"  # what this database is not
    await edge.db.engine.dispose()
    _is_problem(await admin.get("/api/v1/stations"), 503, "unavailable")


async def test_every_answer_has_careful_headers(admin: httpx.AsyncClient) -> None:
    for path in ("/api/v1/stations", "/api/v1/nothing", "/health/live", "/"):
        headers = (await admin.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
    assert (await admin.get("/api/v1/stations")).headers["cache-control"] == "no-store"


async def test_the_description_of_the_api_is_complete(edge: Edge) -> None:
    anybody = await edge.client(None)
    schema = (await anybody.get("/api/v1/openapi.json")).json()
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    tags = {tag["name"] for tag in schema["tags"]}
    ids = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            ids.append(operation["operationId"])
            assert operation["tags"][0] in tags, where
            assert operation["description"], where
            assert PROBLEM in operation["responses"]["default"]["content"], where
            assert "422" not in operation["responses"], where
    assert len(ids) == len(set(ids))
    assert "Problem" in schema["components"]["schemas"]
    assert (await anybody.get("/docs")).status_code == 404


async def test_health_and_metrics(web_database: str) -> None:
    measures = (
        Measure("stations_connected", "Stations connected now.", "gauge", lambda: 3),
        Measure("frames_total", "Frames.", "counter", lambda: {"in": 5, "out": 6}, label="direction"),
    )
    state = {"writer": "ok"}
    async with open_edge(web_database, measures=measures, health=lambda: state) as edge:
        client = await edge.client(None)
        ready = await client.get("/health/ready")
        found = ready.json()
        warnings = found.pop("warnings")
        assert (ready.status_code, found) == (
            200,
            {"status": "ready", "components": {"writer": "ok", "queries": "ok"}},
        )
        # The tests' database is set to be fast and not to be safe.
        assert [warning.split(" is off")[0] for warning in warnings] == ["fsync", "synchronous_commit"]
        state["writer"] = "away"
        assert (await client.get("/health/ready")).status_code == 503
        await (await edge.client("admin")).post("/api/v1/stations", json={"id": "CANARY-IDENTITY"})
        text = (await client.get("/metrics")).text
    assert "pilotwire_stations_connected 3.0" in text
    assert 'pilotwire_frames_total{direction="in"} 5.0' in text
    assert "pilotwire_event_streams 0.0" in text
    assert "process_cpu_seconds_total" in text
    assert "CANARY" not in text


async def test_values_that_a_station_can_send_never_break_a_list(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    """Trust T7: after anything that a station sent, every list and detail answers."""
    number = await add_station(admin, "CP-1", edge)
    odd = "<script>alert(1)</script>' OR 1=1 --\u202e\ufffd" + "x" * 3000
    await edge.db.service.execute(
        "UPDATE station SET vendor = $1, model = $1, serial_number = $1, firmware_version = $1,"
        " boot_reason = $1, booted_at = '9999-12-31T23:59:59Z'",
        odd,
    )
    await edge.db.service.execute(
        "INSERT INTO security_event (tenant_id, station_id, type, at, received_at, technical_info)"
        " VALUES (1, $1, $2, '0001-01-01T00:00:00Z', now(), $2)",
        number,
        odd,
    )
    for path in ("/stations", "/stations/CP-1", "/stations/CP-1/security-events", "/stations?q=script"):
        answer = await admin.get("/api/v1" + path)
        assert answer.status_code == 200, (path, answer.text)
        assert "script" in answer.text
