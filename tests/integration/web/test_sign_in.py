"""Every way to sign in, and one's own account."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.ports import SignOnRules
from pilotwire.domain.identity.totp import STEP_S, code_at, step_of
from pilotwire.domain.identity.usecases.manage_users import create_user
from pilotwire.integrations.oidc import OpenIdProvider
from tests.support.authenticator import Device, Provider, running_provider
from tests.support.web import Edge, open_edge

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"
ORIGIN = "http://pilotwire.test"
OURS = {"X-Pilotwire": "1"}


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def edge(web_database: str, clock: Clock) -> AsyncIterator[Edge]:
    async with open_edge(web_database, clock=clock) as edge:
        yield edge


@pytest.fixture
async def browser(edge: Edge) -> httpx.AsyncClient:
    """A browser in which Ada is signed in."""
    await create_user(
        edge.db, system_principal(), email=EMAIL, name="Ada", role=Role.OPERATOR, password=PASSWORD
    )
    return await _browser(edge)


async def _browser(edge: Edge, **more: str) -> httpx.AsyncClient:
    client = await edge.client(None, **OURS)
    signed_in = await _sign_in(client, **more)
    assert signed_in.status_code == 200, signed_in.text
    return client


async def _sign_in(client: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await client.post("/api/v1/login", json={"email": EMAIL, "password": PASSWORD, **more})


async def _owner(edge: Edge) -> httpx.AsyncClient:
    return await edge.client("owner")


async def _id(client: httpx.AsyncClient) -> str:
    found: str = (await client.get("/api/v1/me")).json()["id"]
    return found


# ---- codes


async def _set_up_codes(browser: httpx.AsyncClient, clock: Clock) -> tuple[bytes, list[str]]:
    import base64

    begun = (await browser.post("/api/v1/me/totp")).json()
    secret = base64.b32decode(begun["secret"] + "=" * (-len(begun["secret"]) % 8))
    assert begun["uri"].startswith("otpauth://totp/Pilotwire:ada%40example.com?secret=")
    code = code_at(secret, int(clock.now.timestamp()) // STEP_S)
    confirmed = await browser.post("/api/v1/me/totp/confirm", json={"code": code})
    assert confirmed.status_code == 200, confirmed.text
    clock.now += timedelta(seconds=STEP_S)
    return secret, confirmed.json()["recovery_codes"]


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, in six digits."""
    secret = b"12345678901234567890"
    for moment, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert code_at(secret, moment // STEP_S) == code
        at = datetime.fromtimestamp(moment, UTC)
        assert step_of(secret, f"{code[:3]} {code[3:]}", at) == moment // STEP_S
        assert step_of(secret, code, at + timedelta(seconds=STEP_S)) == moment // STEP_S
        assert step_of(secret, code, at + timedelta(seconds=3 * STEP_S)) is None
    assert step_of(secret, "not a code ü", datetime.fromtimestamp(59, UTC)) is None


async def test_with_an_app_a_code_is_needed_and_good_once(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    secret, _ = await _set_up_codes(browser, clock)
    client = await edge.client(None)
    without = await _sign_in(client)
    assert (without.status_code, without.json()["code"]) == (401, "code_needed")
    wrong = await _sign_in(client, code="000000")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    code = code_at(secret, int(clock.now.timestamp()) // STEP_S)
    assert (await _sign_in(client, code=code)).status_code == 200
    assert (await _sign_in(client, code=code)).json()["code"] == "wrong_credentials"
    assert "set-cookie" not in without.headers
    assert "set-cookie" not in wrong.headers


async def test_a_code_cannot_be_guessed_fast(edge: Edge, browser: httpx.AsyncClient, clock: Clock) -> None:
    await _set_up_codes(browser, clock)
    client = await edge.client(None, address="198.51.100.7")
    answers = [await _sign_in(client, code=f"{number:06}") for number in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2


async def test_a_recovery_code_is_good_once(edge: Edge, browser: httpx.AsyncClient, clock: Clock) -> None:
    _, codes = await _set_up_codes(browser, clock)
    assert len(set(codes)) == 10
    client = await edge.client(None)
    assert (await _sign_in(client, code=codes[3].upper().replace("-", " "))).status_code == 200
    assert (await _sign_in(client, code=codes[3])).status_code == 401
    assert (await _sign_in(client, code=codes[4])).status_code == 200


async def test_an_app_is_removed_with_a_last_code(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    secret, _ = await _set_up_codes(browser, clock)
    kept = await edge.db.service.fetchval(
        "SELECT totp_secret FROM user_account WHERE totp_secret IS NOT NULL"
    )
    assert secret not in kept, "it is sealed"
    assert (await browser.post("/api/v1/me/totp")).status_code == 409
    assert (await browser.post("/api/v1/me/totp/remove", json={"code": "000000"})).status_code == 422
    code = code_at(secret, int(clock.now.timestamp()) // STEP_S)
    assert (await browser.post("/api/v1/me/totp/remove", json={"code": code})).status_code == 204
    assert (await _sign_in(await edge.client(None))).status_code == 200


async def test_an_app_that_was_never_confirmed_asks_for_nothing(
    edge: Edge, browser: httpx.AsyncClient
) -> None:
    assert (await browser.post("/api/v1/me/totp")).status_code == 200
    assert (await browser.post("/api/v1/me/totp/confirm", json={"code": "12"})).status_code == 422
    assert (await _sign_in(await edge.client(None))).status_code == 200


async def test_an_owner_helps_somebody_who_lost_the_phone(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    await _set_up_codes(browser, clock)
    owner = await _owner(edge)
    helped = await owner.delete(f"/api/v1/users/{await _id(browser)}/second-factors")
    assert (helped.status_code, helped.json()["has_totp"]) == (200, False)
    assert (await _sign_in(await edge.client(None))).status_code == 200


# ---- passkeys


async def _add_passkey(browser: httpx.AsyncClient, device: Device, name: str = "Laptop") -> httpx.Response:
    begun = (await browser.post("/api/v1/me/passkeys/options")).json()
    body = {"step": begun["step"], "name": name, "credential": device.create(begun["options"])}
    return await browser.post("/api/v1/me/passkeys", json=body)


async def _use_passkey(client: httpx.AsyncClient, device: Device, **more: Any) -> httpx.Response:
    begun = (await client.post("/api/v1/login/passkey/options")).json()
    body = {"step": begun["step"], "credential": device.get(begun["options"]), **more}
    return await client.post("/api/v1/login/passkey", json=body)


async def test_a_passkey_signs_in_without_a_password(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    device = Device(ORIGIN)
    added = await _add_passkey(browser, device)
    assert added.status_code == 201, added.text
    assert (await _add_passkey(browser, device)).status_code == 409
    await _set_up_codes(browser, clock)
    client = await edge.client(None, **OURS)
    entered = await _use_passkey(client, device)
    assert entered.status_code == 200, entered.text
    assert (entered.json()["name"], entered.json()["role"]) == (EMAIL, "operator")
    [login] = [each for each in (await client.get("/api/v1/me/logins")).json()["items"] if each["current"]]
    assert login["method"] == "passkey"
    [passkey] = (await client.get("/api/v1/me/passkeys")).json()["items"]
    assert (passkey["name"], passkey["last_used_at"] is not None) == ("Laptop", True)
    assert (await client.delete(f"/api/v1/me/passkeys/{passkey['id']}")).status_code == 204
    assert (await client.delete(f"/api/v1/me/passkeys/{passkey['id']}")).status_code == 404
    gone = await _use_passkey(await edge.client(None), device)
    assert (gone.status_code, gone.json()["code"]) == (401, "wrong_credentials")


async def test_an_answer_of_a_passkey_is_good_once(edge: Edge, browser: httpx.AsyncClient) -> None:
    device = Device(ORIGIN)
    await _add_passkey(browser, device)
    client = await edge.client(None)
    begun = (await client.post("/api/v1/login/passkey/options")).json()
    body = {"step": begun["step"], "credential": device.get(begun["options"])}
    assert (await client.post("/api/v1/login/passkey", json=body)).status_code == 200
    again = await client.post("/api/v1/login/passkey", json=body)
    assert (again.status_code, again.json()["code"]) == (401, "sign_in_step_expired")


async def test_a_step_of_another_kind_or_too_late_is_none(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    device = Device(ORIGIN)
    await _add_passkey(browser, device)
    adding = (await browser.post("/api/v1/me/passkeys/options")).json()
    client = await edge.client(None)
    wrong = await _use_passkey(client, device, step=adding["step"])
    assert wrong.json()["code"] == "sign_in_step_expired"
    begun = (await client.post("/api/v1/login/passkey/options")).json()
    clock.now += timedelta(minutes=6)
    late = {"step": begun["step"], "credential": device.get(begun["options"])}
    assert (await client.post("/api/v1/login/passkey", json=late)).json()["code"] == "sign_in_step_expired"


async def test_a_passkey_of_another_site_or_device_does_not_fit(
    edge: Edge, browser: httpx.AsyncClient
) -> None:
    assert (await _add_passkey(browser, Device("https://evil.example"))).status_code == 422
    device = Device(ORIGIN)
    await _add_passkey(browser, device)
    client = await edge.client(None)
    device.origin = "https://evil.example"
    assert (await _use_passkey(client, device)).json()["code"] == "wrong_credentials"
    other = Device(ORIGIN)
    other._id = device._id
    assert (await _use_passkey(client, other)).json()["code"] == "wrong_credentials"
    for nonsense in ({}, {"id": "ü"}, {"id": "x", "response": {"clientDataJSON": 5}}):
        answer = await _use_passkey(
            await edge.client(None, address="192.0.2.99"), device, credential=nonsense
        )
        assert answer.json()["code"] == "wrong_credentials", nonsense


async def test_a_cloned_passkey_is_refused(edge: Edge, browser: httpx.AsyncClient) -> None:
    device = Device(ORIGIN)
    await _add_passkey(browser, device)
    client = await edge.client(None)
    device.sign_count = 10
    assert (await _use_passkey(client, device)).status_code == 200
    device.sign_count = 3
    assert (await _use_passkey(client, device)).status_code == 401


async def test_a_passkey_of_a_disabled_person_is_refused(edge: Edge, browser: httpx.AsyncClient) -> None:
    device = Device(ORIGIN)
    await _add_passkey(browser, device)
    owner = await _owner(edge)
    await owner.patch(f"/api/v1/users/{await _id(browser)}", json={"disabled": True})
    assert (await _use_passkey(await edge.client(None), device)).status_code == 401


async def test_steps_cannot_be_begun_without_end(edge: Edge) -> None:
    client = await edge.client(None, address="198.51.100.9")
    codes = [(await client.post("/api/v1/login/passkey/options")).status_code for _ in range(61)]
    assert codes == [200] * 60 + [429]


# ---- passwords and links


async def test_an_invited_person_chooses_a_password(edge: Edge, clock: Clock) -> None:
    owner = await _owner(edge)
    made = await owner.post("/api/v1/users", json={"email": EMAIL, "role": "support"})
    assert (made.status_code, made.json()["has_password"]) == (201, False)
    client = await edge.client(None)
    assert (await _sign_in(client, password="")).status_code == 401
    links = [(await owner.post(f"/api/v1/users/{made.json()['id']}/password-link")).json() for _ in range(2)]
    first, second = (link["token"] for link in links)
    body = {"token": first, "password": PASSWORD}
    assert (await client.post("/api/v1/password", json=body)).json()["code"] == "link_expired"
    body = {"token": second, "password": "short"}
    assert (await client.post("/api/v1/password", json=body)).status_code == 422
    body = {"token": second, "password": PASSWORD}
    assert (await client.post("/api/v1/password", json=body)).json() == {"email": EMAIL}
    assert (await client.post("/api/v1/password", json=body)).json()["code"] == "link_expired"
    assert (await _sign_in(client)).json()["role"] == "support"


async def test_a_link_ends_by_itself_and_a_reset_ends_logins(
    edge: Edge, browser: httpx.AsyncClient, clock: Clock
) -> None:
    owner, user = await _owner(edge), await _id(browser)
    late = (await owner.post(f"/api/v1/users/{user}/password-link")).json()["token"]
    clock.now += timedelta(days=3, seconds=1)
    client = await edge.client(None)
    new = "another good password"
    refused = await client.post("/api/v1/password", json={"token": late, "password": new})
    assert refused.json()["code"] == "link_expired"
    other = await _browser(edge)
    token = (await owner.post(f"/api/v1/users/{user}/password-link")).json()["token"]
    assert (await client.post("/api/v1/password", json={"token": token, "password": new})).status_code == 200
    assert (await other.get("/api/v1/me")).status_code == 401
    assert (await _sign_in(client)).status_code == 401
    assert (await _sign_in(client, password=new)).status_code == 200


async def test_ones_own_password_is_changed_with_the_current_one(
    edge: Edge, browser: httpx.AsyncClient
) -> None:
    other = await _browser(edge)
    new = "another good password"
    wrong = await browser.post("/api/v1/me/password", json={"current": "wrong", "password": new})
    assert wrong.json()["code"] == "wrong_credentials"
    right = await browser.post("/api/v1/me/password", json={"current": PASSWORD, "password": new})
    assert right.status_code == 204
    assert (await browser.get("/api/v1/me")).status_code == 200
    assert (await other.get("/api/v1/me")).status_code == 401
    assert (await _sign_in(await edge.client(None), password=new)).status_code == 200


# ---- logins


async def test_logins_are_listed_and_ended(edge: Edge, browser: httpx.AsyncClient) -> None:
    second, third = await _browser(edge), await _browser(edge)
    logins = (await browser.get("/api/v1/me/logins")).json()["items"]
    assert len(logins) == 3
    assert [login["current"] for login in logins].count(True) == 1
    assert {login["method"] for login in logins} == {"password"}
    assert {login["remote_address"] for login in logins} == {"192.0.2.7"}
    assert all(login["user_agent"].startswith("python-httpx") for login in logins)
    own = (await second.get("/api/v1/me/logins")).json()["items"]
    [mine] = [login["id"] for login in own if login["current"]]
    assert (await browser.delete(f"/api/v1/me/logins/{mine}")).status_code == 204
    assert (await second.get("/api/v1/me")).status_code == 401
    assert (await third.get("/api/v1/me")).status_code == 200
    assert (await browser.delete("/api/v1/me/logins")).status_code == 204
    assert (await third.get("/api/v1/me")).status_code == 401
    assert (await browser.get("/api/v1/me")).status_code == 200
    owner = await _owner(edge)
    user = await _id(browser)
    assert len((await owner.get(f"/api/v1/users/{user}/logins")).json()["items"]) == 1
    assert (await owner.delete(f"/api/v1/users/{user}/logins")).status_code == 204
    assert (await browser.get("/api/v1/me")).status_code == 401


async def test_the_trail_says_from_where_and_by_what(edge: Edge, browser: httpx.AsyncClient) -> None:
    await browser.post("/api/v1/stations", json={"id": "CP-1"})
    await browser.patch("/api/v1/stations/CP-1", json={"name": "Gate"})
    owner = await _owner(edge)
    trail = (await owner.get("/api/v1/audit", params={"object": "CP-1", "actor": EMAIL})).json()["items"]
    assert [entry["action"] for entry in trail] == ["station.changed", "station.created"]
    [login] = (await browser.get("/api/v1/me/logins")).json()["items"]
    assert {entry["via"] for entry in trail} == {f"login:{login['id']}"}
    assert {entry["remote_address"] for entry in trail} == {"192.0.2.7"}
    assert (trail[0]["before"], trail[0]["after"]) == ({"name": ""}, {"name": "Gate"})
    await owner.post("/api/v1/stations", json={"id": "CP-2"})
    by_key = (await owner.get("/api/v1/audit", params={"object": "CP-2"})).json()["items"]
    assert by_key[0]["via"].startswith("api_key:")
    about_users = (await owner.get("/api/v1/audit", params={"action": "user"})).json()["items"]
    assert {entry["action"] for entry in about_users} == {"user.signed_in", "user.created"}
    assert (await owner.get("/api/v1/audit", params={"until": "2001-01-01"})).json()["items"] == []


# ---- single sign-on


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running_provider() as provider:
        provider.claims = {"sub": "s-1", "email": EMAIL, "email_verified": True, "name": "Ada"}
        yield provider


@pytest.fixture
async def sso(web_database: str, provider: Provider) -> AsyncIterator[Edge]:
    client = OpenIdProvider(
        issuer=provider.issuer, client_id=provider.client_id, client_secret=provider.client_secret
    )
    rules = SignOnRules("realm.roles", {"desk": Role.SUPPORT, "boss": Role.OWNER})
    async with open_edge(web_database, provider=client, sign_on_rules=rules) as edge:
        yield edge


async def _sign_on(
    edge: Edge, provider: Provider, browser: httpx.AsyncClient | None = None
) -> httpx.Response:
    """Go to the provider and come back, as a browser does."""
    browser = browser or await edge.client(None, **OURS)
    begun = await browser.get("/api/v1/login/single-sign-on")
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as outside:
        back = await outside.get(begun.headers["location"])
    assert back.status_code == 302
    assert back.headers["location"].startswith(f"{ORIGIN}/api/v1/login/single-sign-on/callback?")
    return await browser.get(back.headers["location"])


async def test_the_provider_signs_a_known_person_in(sso: Edge, provider: Provider) -> None:
    await create_user(sso.db, system_principal(), email=EMAIL, name="", role=Role.VIEWER)
    methods = (await (await sso.client(None)).get("/api/v1/login/methods")).json()
    assert methods["single_sign_on"] == {
        "name": "Single sign-on",
        "address": "/api/v1/login/single-sign-on",
    }
    browser = await sso.client(None, **OURS)
    entered = await _sign_on(sso, provider, browser)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    me = (await browser.get("/api/v1/me")).json()
    assert (me["name"], me["role"]) == (EMAIL, "viewer")
    # From now on the provider's own name for the person counts, whatever the address.
    provider.claims |= {"email": "new@example.com", "email_verified": False}
    assert (await _sign_on(sso, provider)).headers["location"] == "/"


async def test_a_role_comes_from_a_claim_and_follows_it(sso: Edge, provider: Provider) -> None:
    provider.claims["realm"] = {"roles": ["other", "desk"]}
    browser = await sso.client(None, **OURS)
    assert (await _sign_on(sso, provider, browser)).headers["location"] == "/"
    assert (await browser.get("/api/v1/me")).json()["role"] == "support"
    provider.claims["realm"] = {"roles": ["desk", "boss"]}
    assert (await _sign_on(sso, provider, browser)).headers["location"] == "/"
    assert (await browser.get("/api/v1/me")).json()["role"] == "owner"
    [changed, created] = [
        entry
        for entry in (await browser.get("/api/v1/audit?action=user")).json()["items"]
        if entry["action"] != "user.signed_in"
    ]
    assert (created["action"], created["after"]["role"]) == ("user.created", "support")
    assert (changed["before"], changed["after"]) == ({"role": "support"}, {"role": "owner"})
    assert changed["via"] == "single_sign_on"


@pytest.mark.parametrize(
    "claims", [{"realm": {"roles": ["desk"]}, "email_verified": False}, {}, {"realm": {"roles": 7}}]
)
async def test_whom_nobody_has_added_gets_no_access(
    sso: Edge, provider: Provider, claims: dict[str, Any]
) -> None:
    if claims.get("email_verified") is False:
        await create_user(sso.db, system_principal(), email=EMAIL, name="", role=Role.OWNER)
    provider.claims |= claims
    refused = await _sign_on(sso, provider)
    assert refused.headers["location"] == "/?sign_in_error=no_account"
    assert "pilotwire_login" not in refused.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1000}, {"nonce": "x"}, {"sub": None}],
)
async def test_a_token_that_does_not_hold_is_refused(
    sso: Edge, provider: Provider, wrong: dict[str, Any]
) -> None:
    await create_user(sso.db, system_principal(), email=EMAIL, name="", role=Role.OWNER)
    provider.wrong = wrong
    assert (await _sign_on(sso, provider)).headers["location"] == "/?sign_in_error=provider_failed"


async def test_a_token_of_another_signer_is_refused(sso: Edge, provider: Provider) -> None:
    await create_user(sso.db, system_principal(), email=EMAIL, name="", role=Role.OWNER)
    provider.sign_with = RSAKey.generate_key(2048, {"kid": "k1"})
    assert (await _sign_on(sso, provider)).headers["location"] == "/?sign_in_error=provider_failed"


async def test_a_sign_on_is_finished_once_and_by_the_browser_that_began_it(
    sso: Edge, provider: Provider
) -> None:
    await create_user(sso.db, system_principal(), email=EMAIL, name="", role=Role.OWNER)
    attacker, victim = await sso.client(None), await sso.client(None)
    begun = await attacker.get("/api/v1/login/single-sign-on")
    async with httpx.AsyncClient() as outside:
        back = (await outside.get(begun.headers["location"])).headers["location"]
    assert (await victim.get(back)).headers["location"] == "/?sign_in_error=sign_in_step_expired"
    assert (await attacker.get(back)).headers["location"] == "/?sign_in_error=sign_in_step_expired"
    refused = await victim.get("/api/v1/login/single-sign-on/callback?error=access_denied&state=x")
    assert refused.headers["location"] == "/?sign_in_error=refused_by_provider"


async def test_a_provider_that_is_away_is_said_to_be(web_database: str) -> None:
    away = OpenIdProvider(issuer="http://127.0.0.1:9", client_id="x")
    async with open_edge(web_database, provider=away) as edge:
        answer = await (await edge.client(None)).get("/api/v1/login/single-sign-on")
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")
