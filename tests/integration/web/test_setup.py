"""Tokens, sites, enrolment keys, templates, handshakes and deviations over HTTP."""

from datetime import UTC, datetime

import httpx
import pytest

from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.model import Token, TokenStatus
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.events import EnrolmentKeysChanged
from tests.support.web import PEPPER, Edge, add_station, open_edge


async def test_the_life_of_a_token(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[TokenChanged] = []
    edge.bus.subscribe(TokenChanged, told.append)
    body = {
        "uid": "04A2b3",
        "kind": "rfid",
        "status": "accepted",
        "group_id": "fleet",
        "valid_until": "2030-01-01T00:00:00+01:00",
    }
    created = await admin.post("/api/v1/tokens", json=body)
    assert created.status_code == 201, created.text
    shown = {**body, "valid_until": "2029-12-31T23:00:00Z", "holder": ""}
    assert {key: created.json()[key] for key in shown} == shown
    again = await admin.post("/api/v1/tokens", json={"uid": "04a2B3"})
    assert (again.status_code, again.json()["code"]) == (409, "token_exists")
    assert (await admin.get("/api/v1/tokens/04a2b3")).json() == created.json()
    changed = await admin.patch("/api/v1/tokens/04A2B3", json={"status": "blocked", "group_id": None})
    assert (changed.json()["status"], changed.json()["group_id"]) == ("blocked", None)
    assert (await admin.delete("/api/v1/tokens/04A2B3")).status_code == 204
    assert (await admin.get("/api/v1/tokens/04A2B3")).status_code == 404
    assert (await admin.delete("/api/v1/tokens/04A2B3")).status_code == 404
    until = datetime(2029, 12, 31, 23, tzinfo=UTC)
    assert told == [
        TokenChanged(1, "04a2b3", Token("04A2b3", TokenStatus.ACCEPTED, "fleet", until)),
        TokenChanged(1, "04a2b3", Token("04A2b3", TokenStatus.BLOCKED, None, until)),
        TokenChanged(1, "04a2b3", None),
    ]
    assert await edge.db.service.fetchval("SELECT count(*) FROM token") == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"uid": ""},
        {"uid": "   "},
        {"uid": "a\x00b"},
        {"uid": "x" * 256},
        {"uid": "1", "status": "fine"},
        {"uid": "1", "kind": "seal"},
        {"uid": "1", "valid_until": "tomorrow"},
        {"uid": "1", "valid_until": 1},
        {"uid": "1", "valid_until": "9999-12-31T23:59:59-01:00"},
    ],
)
async def test_a_token_that_cannot_be_is_refused(admin: httpx.AsyncClient, body: dict[str, object]) -> None:
    refused = await admin.post("/api/v1/tokens", json=body)
    assert refused.status_code == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"


async def test_tokens_with_odd_uids_are_found_and_listed(admin: httpx.AsyncClient) -> None:
    for uid in ("DE*8AA*1/2", "über-uid", "a b", "zz"):
        assert (await admin.post("/api/v1/tokens", json={"uid": uid})).status_code == 201
        assert (await admin.get("/api/v1/tokens/" + uid.replace("/", "%2F"))).json()["uid"] == uid
    seen, cursor = [], None
    while True:
        page = (
            await admin.get("/api/v1/tokens", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [token["uid"] for token in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(["DE*8AA*1/2", "über-uid", "a b", "zz"])


async def test_the_life_of_a_site(admin: httpx.AsyncClient) -> None:
    body = {
        "name": "Harbour",
        "address": "Quay 1",
        "city": "Hamburg",
        "country": "DE",
        "latitude": 53.54,
        "longitude": 9.98,
        "time_zone": "Europe/Berlin",
    }
    created = await admin.post("/api/v1/sites", json=body)
    assert created.status_code == 201
    site = created.json()
    assert {key: site[key] for key in body} == body
    assert (await admin.post("/api/v1/sites", json={"name": "Harbour"})).json()["code"] == "site_exists"
    address = f"/api/v1/sites/{site['id']}"
    assert (await admin.get(address)).json() == site
    changed = await admin.patch(address, json={"city": "Altona", "latitude": None})
    assert (changed.json()["city"], changed.json()["latitude"]) == ("Altona", None)
    await add_station(admin, "CP-1")
    await admin.patch("/api/v1/stations/CP-1", json={"site_id": site["id"]})
    assert (await admin.delete(address)).json()["code"] == "site_in_use"
    await admin.patch("/api/v1/stations/CP-1", json={"site_id": None})
    assert (await admin.delete(address)).status_code == 204
    assert (await admin.get(address)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x", "time_zone": "Mars/Olympus"},
        {"name": "x", "time_zone": "../etc/passwd"},
        {"name": "x", "latitude": 91},
        {"name": "x", "country": "Germany"},
        {"name": "line\nbreak"},
    ],
)
async def test_a_site_that_cannot_be_is_refused(admin: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await admin.post("/api/v1/sites", json=body)).status_code == 422


async def test_the_life_of_an_enrolment_key(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[EnrolmentKeysChanged] = []
    edge.bus.subscribe(EnrolmentKeysChanged, told.append)
    site = (await admin.post("/api/v1/sites", json={"name": "Harbour"})).json()["id"]
    created = await admin.post(
        "/api/v1/enrolment-keys", json={"name": "phase 2", "site_id": site, "maximum_uses": 5, "admit": True}
    )
    assert created.status_code == 201, created.text
    key = created.json()["key"]
    assert len(key) == 20, "OCPP 1.6 stations take no more as a password"
    kept = await edge.db.service.fetchrow("SELECT digest, admit, maximum_uses, uses FROM enrolment_key")
    assert tuple(kept) == (digest_secret(PEPPER, key.encode()), True, 5, 0)
    listed = await admin.get("/api/v1/enrolment-keys")
    assert key not in listed.text
    assert [each["name"] for each in listed.json()["items"]] == ["phase 2"]
    revoked = await admin.delete(f"/api/v1/enrolment-keys/{created.json()['id']}")
    again = await admin.delete(f"/api/v1/enrolment-keys/{created.json()['id']}")
    assert revoked.json()["revoked_at"] == again.json()["revoked_at"] is not None
    assert told == [EnrolmentKeysChanged(1)] * 3
    assert key not in (await admin.get("/api/v1/audit")).text


async def test_the_life_of_a_configuration_template(admin: httpx.AsyncClient) -> None:
    entries = [
        {"key": "HeartbeatInterval", "value": "300"},
        {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"},
    ]
    created = await admin.post(
        "/api/v1/configuration-templates", json={"vendor": "ACME", "model": "", "entries": entries}
    )
    assert created.status_code == 201, created.text
    again = await admin.post("/api/v1/configuration-templates", json={"vendor": "ACME", "entries": []})
    assert again.json()["code"] == "template_exists"
    address = f"/api/v1/configuration-templates/{created.json()['id']}"
    changed = await admin.patch(address, json={"entries": entries[:1]})
    assert [entry["key"] for entry in changed.json()["entries"]] == ["HeartbeatInterval"]
    nameless = await admin.patch(address, json={"entries": [{"value": "300"}]})
    assert nameless.status_code == 422
    assert len((await admin.get("/api/v1/configuration-templates")).json()["items"]) == 1
    assert (await admin.delete(address)).status_code == 204
    assert (await admin.delete(address)).status_code == 404


async def test_deviations_are_counted_per_model(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    for code in ("a", "b", "c"):
        await edge.db.service.execute(
            "INSERT INTO deviation_count (tenant_id, vendor, model, code, count, last_at, last_station_id)"
            " VALUES (1, 'ACME', 'One', $1, 7, now(), $2)",
            code,
            number,
        )
    first = (await admin.get("/api/v1/deviations?limit=2")).json()
    assert [(d["code"], d["count"], d["last_station_id"]) for d in first["items"]] == [
        ("a", 7, "CP-1"),
        ("b", 7, "CP-1"),
    ]
    rest = (await admin.get("/api/v1/deviations", params={"cursor": first["next"]})).json()
    assert [d["code"] for d in rest["items"]] == ["c"]


async def test_handshakes_are_shown_as_the_gateway_tells_them(web_database: str) -> None:
    entry = {
        "subject": "CP-9",
        "remote_address": "192.0.2.1",
        "problem": "wrong_password",
        "count": 3,
        "first_at": datetime(2026, 5, 1, tzinfo=UTC),
        "last_at": datetime(2026, 5, 2, tzinfo=UTC),
        "detail": "",
        "explanation": "The password is wrong.",
    }
    async with open_edge(web_database, handshakes=lambda: [entry]) as edge:
        admin = await edge.client("admin")
        shown = (await admin.get("/api/v1/handshakes")).json()
        assert shown["items"] == [
            {**entry, "first_at": "2026-05-01T00:00:00Z", "last_at": "2026-05-02T00:00:00Z"}
        ]
