"""Signing in, people, API keys, audit."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import ensure_bootstrap_key
from pilotwire.domain.identity.usecases.manage_users import create_user
from tests.support.web import Edge, open_edge

PASSWORD = "correct horse battery"
OURS = {"X-Pilotwire": "1"}


async def _ada(edge: Edge, role: Role = Role.OPERATOR) -> None:
    await create_user(
        edge.db, system_principal(), email="Ada@Example.com", name="", role=role, password=PASSWORD
    )


async def _sign_in(
    client: httpx.AsyncClient, password: str = PASSWORD, email: str = "ada@example.com"
) -> httpx.Response:
    return await client.post("/api/v1/login", json={"email": email, "password": password})


async def test_a_person_signs_in_works_and_signs_out(edge: Edge) -> None:
    await _ada(edge)
    browser = await edge.client(None)
    answer = await _sign_in(browser)
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == "operator"
    assert "call_stations" in answer.json()["permissions"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie
    assert (await browser.get("/api/v1/me")).json()["name"] == "Ada@Example.com"
    assert (await browser.post("/api/v1/stations", json={"id": "CP-1"}, headers=OURS)).status_code == 201
    token = browser.cookies["pilotwire_login"]
    assert (await browser.post("/api/v1/logout", headers=OURS)).status_code == 204
    again = await edge.client(None, Cookie=f"pilotwire_login={token}")
    assert (await again.get("/api/v1/me")).status_code == 401


async def test_over_https_the_cookie_is_for_https_only(edge: Edge) -> None:
    await _ada(edge)
    transport = httpx.ASGITransport(edge.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://pilotwire.test") as browser:
        assert "Secure" in (await _sign_in(browser)).headers["set-cookie"]


async def test_a_page_of_another_site_cannot_use_the_cookie(edge: Edge) -> None:
    await _ada(edge)
    browser = await edge.client(None)
    await _sign_in(browser)

    async def add(identity: str, **headers: str) -> int:
        answer = await browser.post("/api/v1/stations", json={"id": identity}, headers=headers)
        return answer.status_code

    assert await add("CP-1") == 403
    assert await add("CP-1", Origin="https://evil.example", **OURS) == 403
    assert await add("CP-1", Origin="null") == 403
    assert await add("CP-1", Origin="http://pilotwire.test") == 201
    assert await add("CP-2", **OURS) == 201
    refused = await browser.post(
        "/api/v1/login", json={"email": "x@y.z", "password": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert refused.status_code == 403
    assert (await browser.post("/api/v1/logout")).status_code == 403


async def test_a_wrong_password_and_an_unknown_account_look_the_same(edge: Edge) -> None:
    await _ada(edge)
    client = await edge.client(None)
    wrong = await _sign_in(client, "wrong")
    unknown = await _sign_in(client, email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_guessing_is_slowed_down_without_locking_the_owner_out(edge: Edge) -> None:
    await _ada(edge)
    attacker = await edge.client(None, address="198.51.100.1")
    answers = [await _sign_in(attacker, f"guess {i}") for i in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 200
    assert (await _sign_in(attacker)).status_code == 429
    owner = await edge.client(None, address="192.0.2.1")
    assert (await _sign_in(owner)).status_code == 200


async def test_many_guesses_at_once_are_counted_before_they_are_looked_at(edge: Edge) -> None:
    await _ada(edge)
    attacker = await edge.client(None, address="198.51.100.1")
    answers = await asyncio.gather(*(_sign_in(attacker, f"guess {i}") for i in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_a_login_ends_by_itself(web_database: str) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with open_edge(web_database, clock=lambda: now) as edge:
        await _ada(edge)
        browser = await edge.client(None)
        await _sign_in(browser)
        now += timedelta(hours=11, minutes=59)
        assert (await browser.get("/api/v1/me")).status_code == 200
        now += timedelta(minutes=2)
        assert (await browser.get("/api/v1/me")).status_code == 401


async def test_a_new_password_or_a_disabling_ends_every_login(edge: Edge, admin: httpx.AsyncClient) -> None:
    await _ada(edge)
    user = (await admin.get("/api/v1/users")).json()["items"][0]
    browser = await edge.client(None)
    await _sign_in(browser)
    changed = await admin.patch(f"/api/v1/users/{user['id']}", json={"password": PASSWORD + "2"})
    assert changed.status_code == 200
    assert (await browser.get("/api/v1/me")).status_code == 401
    assert (await _sign_in(browser)).status_code == 401
    assert (await _sign_in(browser, PASSWORD + "2")).status_code == 200
    await admin.patch(f"/api/v1/users/{user['id']}", json={"disabled": True})
    assert (await browser.get("/api/v1/me")).status_code == 401
    assert (await _sign_in(browser, PASSWORD + "2")).status_code == 401


async def test_administrators_cannot_shut_themselves_out(edge: Edge, admin: httpx.AsyncClient) -> None:
    await _ada(edge, Role.OWNER)
    user = (await admin.get("/api/v1/users")).json()["items"][0]
    browser = await edge.client(None)
    await _sign_in(browser)
    for change in ({"disabled": True}, {"role": "viewer"}):
        refused = await browser.patch(f"/api/v1/users/{user['id']}", json=change, headers=OURS)
        assert refused.status_code == 409
    renamed = await browser.patch(f"/api/v1/users/{user['id']}", json={"name": "Ada"}, headers=OURS)
    assert renamed.json()["name"] == "Ada"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"email": "no-address"}, 422),
        ({"password": "short"}, 422),
        ({"role": "emperor"}, 422),
        ({"email": "ADA@example.com"}, 409),
    ],
)
async def test_a_person_who_cannot_be_added(
    edge: Edge, admin: httpx.AsyncClient, change: dict[str, str], status: int
) -> None:
    await _ada(edge)
    body = {"email": "new@example.com", "role": "viewer", "password": PASSWORD, **change}
    refused = await admin.post("/api/v1/users", json=body)
    assert refused.status_code == status
    assert body["password"] not in refused.text


async def test_an_api_key_is_shown_once_works_and_is_revoked_at_once(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    created = await admin.post("/api/v1/api-keys", json={"name": "export", "role": "viewer"})
    key = created.json()["key"]
    assert key.startswith("pw_")
    program = await edge.client(None, Authorization=f"Bearer {key}")
    assert (await program.get("/api/v1/me")).json()["name"] == "key:export"
    for path in ("api-keys", "audit"):
        assert key not in (await admin.get(f"/api/v1/{path}")).text
    stored = await edge.db.service.fetch("SELECT * FROM api_key")
    assert key not in repr(stored)
    assert (await admin.delete(f"/api/v1/api-keys/{created.json()['id']}")).json()["revoked_at"] is not None
    assert (await program.get("/api/v1/me")).status_code == 401


async def test_an_api_key_expires(web_database: str) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with open_edge(web_database, clock=lambda: now) as edge:
        admin = await edge.client("admin")
        body = {"name": "export", "role": "viewer", "expires_at": "2026-05-02T00:00:00Z"}
        key = (await admin.post("/api/v1/api-keys", json=body)).json()["key"]
        program = await edge.client(None, Authorization=f"Bearer {key}")
        assert (await program.get("/api/v1/me")).status_code == 200
        now += timedelta(days=1)
        assert (await program.get("/api/v1/me")).status_code == 401


async def test_the_bootstrap_key_is_made_once_and_stays_revoked(edge: Edge, admin: httpx.AsyncClient) -> None:
    key = "a key that the owner chose"
    await ensure_bootstrap_key(edge.db, key)
    await ensure_bootstrap_key(edge.db, key)
    program = await edge.client(None, Authorization=f"Bearer {key}")
    assert (await program.get("/api/v1/me")).json() | {"permissions": []} == {
        "id": None,
        "name": "key:bootstrap",
        "role": "owner",
        "roles": ["owner"],
        "permissions": [],
        "sites": None,
    }
    [found] = [k for k in (await admin.get("/api/v1/api-keys")).json()["items"] if k["name"] == "bootstrap"]
    await admin.delete(f"/api/v1/api-keys/{found['id']}")
    await ensure_bootstrap_key(edge.db, key)
    assert (await program.get("/api/v1/me")).status_code == 401
    with pytest.raises(Invalid):
        await ensure_bootstrap_key(edge.db, "short")


async def test_the_audit_trail_says_who_did_what(admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/stations", json={"id": "CP-1"})
    await admin.patch("/api/v1/stations/CP-1", json={"name": "Gate", "password": "another-good-password"})
    page = (await admin.get("/api/v1/audit?limit=1")).json()
    [entry] = page["items"]
    assert (entry["actor"], entry["action"], entry["object"]) == ("key:test owner", "station.changed", "CP-1")
    assert entry["before"] == {"name": "", "secret_digest": "(changed)"}
    assert entry["after"] == {"name": "Gate", "secret_digest": "(changed)"}
    older = (await admin.get("/api/v1/audit", params={"cursor": page["next"]})).json()["items"]
    assert older[0]["action"] == "station.created"
