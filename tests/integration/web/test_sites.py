"""Sites in full, tags and groups over HTTP."""

from typing import Any

import httpx
import pytest

from tests.support.web import Edge, add_station

HOURS = {
    "always_open": False,
    "weekdays": {"monday": [{"opens": "08:00", "closes": "20:00"}]},
    "exceptions": [{"date": "2026-12-24", "hours": [], "note": "Christmas Eve"}],
}
GRID = {
    "limit_l1_a": 250.0,
    "limit_l2_a": 250.0,
    "limit_l3_a": 200.0,
    "limit_kw": 160.0,
    "voltage_v": 230.0,
    "metering_point": "DE0001",
}
UNKNOWN = "0190c0de-0000-7000-8000-000000000000"
NO_SITE = (404, {"code": "site_unknown", "values": {"site": UNKNOWN}})
CONTACT = {"role": "emergency", "name": "Ada", "phone": "+49 30 1", "email": "ada@example.com", "note": ""}


async def test_a_site_keeps_all_that_is_said_of_it(admin: httpx.AsyncClient) -> None:
    body = {
        "name": "Harbour",
        "time_zone": "Europe/Berlin",
        "opening_hours": HOURS,
        "contacts": [CONTACT],
        "grid_connection": GRID,
        "access_notes": "Key at the kiosk.\nAsk for Jo.",
        "tags": ["public", "harbour", "public"],
    }
    made = await admin.post("/api/v1/sites", json=body)
    assert made.status_code == 201, made.text
    site = made.json()
    assert {key: site[key] for key in body} == {**body, "tags": ["harbour", "public"]}
    assert isinstance(site["open_now"], bool)
    path = f"/api/v1/sites/{site['id']}"
    changed = await admin.patch(path, json={"grid_connection": {"limit_kw": 50}, "opening_hours": None})
    assert changed.status_code == 200, changed.text
    nothing = dict.fromkeys(GRID) | {"metering_point": "", "limit_kw": 50}
    assert changed.json()["grid_connection"] == nothing
    assert (changed.json()["opening_hours"], changed.json()["open_now"]) == (None, None)
    assert changed.json()["contacts"] == [CONTACT]
    assert (await admin.get(path)).json() == changed.json()


@pytest.mark.parametrize(
    "body",
    [
        {"opening_hours": {"weekdays": {"monday": [{"opens": "20:00", "closes": "08:00"}]}}},
        {"opening_hours": {"weekdays": {"monday": [{"opens": "25:00", "closes": "26:00"}]}}},
        {"grid_connection": {"limit_l1_a": 0}},
        {"grid_connection": {"limit_l4_a": 10}},
        {"contacts": [{"name": "without a role"}]},
        {"tags": ["x" * 41]},
        {"tags": ["a;b"]},
        {"access_notes": "a\x00b"},
    ],
)
async def test_what_cannot_be_true_of_a_site_is_refused(
    admin: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    refused = await admin.post("/api/v1/sites", json={"name": "Harbour", **body})
    assert refused.status_code == 422, refused.text
    assert (await admin.get("/api/v1/sites")).json()["items"] == []


async def test_sites_are_found_by_tag_country_and_words(admin: httpx.AsyncClient) -> None:
    for name, country, tags in (("A 50%", "DE", ["x"]), ("B", "FR", ["x", "y"]), ("C", "DE", [])):
        body = {"name": name, "country": country, "tags": tags, "city": f"{name}-ville"}
        await admin.post("/api/v1/sites", json=body)

    async def found(query: str) -> list[str]:
        answer = await admin.get(f"/api/v1/sites?{query}")
        return [site["name"] for site in answer.json()["items"]]

    assert await found("tag=x") == ["A 50%", "B"]
    assert await found("tag=y&country=FR") == ["B"]
    assert await found("country=DE") == ["A 50%", "C"]
    assert await found("q=50%25") == ["A 50%"]
    assert await found("q=ville") == ["A 50%", "B", "C"]


async def test_stations_are_found_by_tag_and_group(edge: Edge, admin: httpx.AsyncClient) -> None:
    for identity in ("CP-1", "CP-2", "CP-3"):
        await add_station(admin, identity, edge)
    tagged = await admin.patch("/api/v1/stations/CP-1", json={"tags": ["pilot", "fast"]})
    assert tagged.json()["tags"] == ["fast", "pilot"]
    made = await admin.post("/api/v1/stations", json={"id": "CP-4", "tags": ["pilot"]})
    assert made.json()["tags"] == ["pilot"]
    group = (await admin.post("/api/v1/groups", json={"name": "Night", "note": "n"})).json()
    path = f"/api/v1/groups/{group['id']}"
    changed = await admin.post(f"{path}/stations", json={"add": ["CP-1", "CP-3", "CP-1"]})
    assert (changed.status_code, changed.json()["stations"]) == (200, 2)
    refused = await admin.post(f"{path}/stations", json={"add": ["CP-2"], "remove": ["NOBODY"]})
    assert refused.status_code == 404
    assert (await admin.get(path)).json()["stations"] == 2

    async def found(query: str) -> list[str]:
        answer = await admin.get(f"/api/v1/stations?{query}")
        assert answer.status_code == 200, answer.text
        return [station["id"] for station in answer.json()["items"]]

    assert await found("tag=pilot") == ["CP-1", "CP-4"]
    assert await found(f"group_id={group['id']}") == ["CP-1", "CP-3"]
    assert await found(f"group_id={group['id']}&tag=fast") == ["CP-1"]
    assert (await admin.get("/api/v1/stations/CP-3")).json()["group_ids"] == [group["id"]]

    task = await admin.post(
        "/api/v1/commands",
        json={"command": "clear_cache", "filter": {"group_id": group["id"], "tag": "fast"}},
    )
    assert task.status_code == 202, task.text
    results = (await admin.get(f"/api/v1/tasks/{task.json()['task_id']}")).json()["results"]["items"]
    assert [each["station_id"] for each in results] == ["CP-1"]

    await admin.post(f"{path}/stations", json={"remove": ["CP-1", "CP-3"]})
    assert await found(f"group_id={group['id']}") == []
    twice = await admin.post("/api/v1/groups", json={"name": "Night"})
    assert (twice.status_code, twice.json()["code"]) == (409, "group_exists")
    assert (await admin.patch(path, json={"name": "Day"})).json()["name"] == "Day"
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get("/api/v1/groups")).json()["items"] == []


async def test_every_reading_of_a_site_says_in_the_same_words_that_there_is_none(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    span = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z"}
    asked = {
        path: {
            each["name"]: span[each["name"]]
            for each in operations["get"]["parameters"]
            if each["name"] in span
        }
        for path, operations in edge.app.openapi()["paths"].items()
        if "{site_id}" in path and "get" in operations and path.count("{") == 1
    }
    assert len(asked) > 8, asked
    said = {}
    for path, parameters in asked.items():
        answer = await admin.get(path.replace("{site_id}", UNKNOWN), params=parameters)
        said[path] = (answer.status_code, answer.json().get("reason"))
    assert said == dict.fromkeys(asked, NO_SITE)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/stations", {"id": "CP-1"}),
        ("/enrolment-keys", {"name": "Harbour"}),
        ("/configuration-templates", {"name": "Harbour", "entries": []}),
    ],
)
async def test_nothing_is_put_at_a_site_that_is_not_there(
    admin: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await admin.post(f"/api/v1{path}", json=body | {"site_id": UNKNOWN})
    assert (answer.status_code, answer.json().get("reason")) == NO_SITE, answer.text
    assert (await admin.get(f"/api/v1{path}")).json()["items"] == []
