"""A station that nobody has entered: from its first knock to a secret of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from websockets import ConnectionClosed, InvalidStatus

from pilotwire.core.clock import utc_now
from pilotwire.domain.configuration.usecases.manage_templates import TemplateDraft, create_template
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.usecases.change_station import change_station
from pilotwire.domain.stations.usecases.manage_enrolment import (
    EnrolmentDraft,
    create_enrolment_key,
    revoke_enrolment_key,
)
from tests.support.edge import RunningEdge, running_edge
from tests.support.stations import Refused, Station, station

NEWCOMER = "NEW-1"


async def make_key(edge: RunningEdge, **draft: Any) -> tuple[Any, str]:
    """Make an enrolment key that the doorkeeper knows; give its id and the key."""
    inner = edge.edge
    row, key = await create_enrolment_key(
        inner.database, inner.bus, inner.pepper, system_principal(), EnrolmentDraft("test", **draft)
    )
    async with asyncio.timeout(10):
        while row.id not in {known.id for known in inner.directory._keys.values()}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return row.id, key


async def admit(edge: RunningEdge, identity: str = NEWCOMER) -> None:
    """Let a waiting station in, as an operator does."""
    inner = edge.edge
    changes = {"admission": "accepted"}
    await change_station(inner.database, inner.bus, inner.pepper, system_principal(), identity, changes)


async def is_refused(edge: RunningEdge, identity: str, password: str) -> bool:
    """Whether a handshake gets its 401."""
    try:
        async with station(edge.url, identity, password=password):
            return False
    except InvalidStatus as refusal:
        return refusal.response.status_code == 401


class Newcomer:
    """What a new station remembers: its settings, the secret among them."""

    def __init__(self) -> None:
        self.secret: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.secrets: list[str] = []
        self.settings: list[tuple[str, str]] = []
        self.booting: list[asyncio.Task[Any]] = []
        self.boots: list[str] = []
        self.link: Station | None = None
        self.dies_when_told = False

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Follow the server's calls in 1.6 and 2.x."""
        match action:
            case "TriggerMessage":
                self.booting.append(asyncio.create_task(self.boot()))
                return {"status": "Accepted"}
            case "ChangeConfiguration":
                self._set(payload["key"], payload["value"])
                return {"status": "Accepted"}
            case "SetVariables":
                results = []
                for data in payload["setVariableData"]:
                    self._set(data["variable"]["name"], data["attributeValue"])
                    place = {"component": data["component"], "variable": data["variable"]}
                    results.append({"attributeStatus": "Accepted", **place})
                return {"setVariableResult": results}
        return None

    async def boot(self) -> None:
        assert self.link is not None
        self.boots.append((await self.link.boot())["status"])

    def _set(self, name: str, value: str) -> None:
        if name not in ("AuthorizationKey", "BasicAuthPassword"):
            self.settings.append((name, value))
            return
        self.secrets.append(value)
        if not self.secret.done():
            self.secret.set_result(value)
        if self.dies_when_told and self.link is not None:
            self.link.drop()


@pytest.fixture
async def newcomer() -> AsyncIterator[Newcomer]:
    made = Newcomer()
    yield made
    await asyncio.gather(*made.booting, return_exceptions=True)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@pytest.mark.covers("TC_073", "TC_A_09")
async def test_from_the_first_knock_to_its_own_secret(
    edge: RunningEdge, newcomer: Newcomer, version: str
) -> None:
    _, key = await make_key(edge)
    for vendor, model, entries in (
        ("Acme", "", [{"key": "HeartbeatInterval", "value": "60"}]),
        ("Acme", "One", [{"key": "Light", "value": "5"}]),
        ("Acme", "Two", [{"component": "Light", "variable": "Light", "value": "5"}]),
        ("Other", "", [{"key": "Wrong", "value": "9"}]),
    ):  # fmt: skip
        draft = TemplateDraft(vendor, model, entries=entries)
        await create_template(edge.edge.database, edge.edge.bus, system_principal(), draft)
    async with station(edge.url, NEWCOMER, version, password=key, answer=newcomer.answer) as cp:
        newcomer.link = cp
        waiting = await cp.boot()
        assert waiting["status"] == "Pending"
        assert waiting["interval"] >= 1
        with pytest.raises(Refused) as refused:
            await cp.call("Heartbeat", {})
        assert refused.value.code == "SecurityError"
        assert newcomer.secrets == []
        await admit(edge)
        async with asyncio.timeout(10):
            secret = await newcomer.secret
        assert newcomer.boots == ["Accepted"]
        assert len(secret) >= 16
        assert newcomer.settings == [("HeartbeatInterval", "60"), ("Light", "5")]
        assert "currentTime" in await cp.call("Heartbeat", {})
    async with station(edge.url, NEWCOMER, version, password=secret) as cp:
        assert (await cp.boot())["status"] == "Accepted"
    assert await is_refused(edge, NEWCOMER, key)
    row = (await edge.rows("SELECT * FROM station WHERE identity = $1", NEWCOMER))[0]
    assert (row["admission"], row["next_secret_digest"], row["enrolled_with"]) == ("accepted", None, None)
    text = str(await edge.rows("SELECT request, response FROM frame"))
    assert secret not in text
    assert key not in text


async def test_a_key_that_admits_lets_its_stations_charge_at_once(
    edge: RunningEdge, newcomer: Newcomer
) -> None:
    _, key = await make_key(edge, admit=True)
    async with station(edge.url, NEWCOMER, password=key, answer=newcomer.answer) as cp:
        newcomer.link = cp
        assert (await cp.boot())["status"] == "Accepted"
        async with asyncio.timeout(10):
            await newcomer.secret


@pytest.mark.parametrize("comes_with", ["old", "new"])
@pytest.mark.parametrize("server_restarts", [False, True])
@pytest.mark.covers("A01")
async def test_a_station_that_dies_between_being_told_and_using_it(
    database: str, newcomer: Newcomer, comes_with: str, server_restarts: bool
) -> None:
    async with running_edge(database) as edge:
        _, key = await make_key(edge, admit=True)
        newcomer.dies_when_told = True
        async with station(edge.url, NEWCOMER, "1.6", password=key, answer=newcomer.answer) as cp:
            newcomer.link = cp
            await cp.boot()
            async with asyncio.timeout(10):
                secret = await newcomer.secret
        newcomer.dies_when_told = False
        if not server_restarts:
            await comes_back(edge, newcomer, secret if comes_with == "new" else key)
            assert set(newcomer.secrets) == {secret}, "a second offer would lock out who took the first"
    if server_restarts:
        async with running_edge(database) as edge:
            await comes_back(edge, newcomer, secret if comes_with == "new" else key)


async def comes_back(edge: RunningEdge, newcomer: Newcomer, password: str) -> None:
    """Come back, be offered a secret if still needed, and come in with it."""
    told = len(newcomer.secrets)
    async with station(edge.url, NEWCOMER, "1.6", password=password, answer=newcomer.answer) as cp:
        newcomer.link = cp
        assert (await cp.boot())["status"] == "Accepted"
        if password != newcomer.secrets[-1]:
            async with asyncio.timeout(10):
                while len(newcomer.secrets) == told:  # noqa: ASYNC110 - the state of another task
                    await asyncio.sleep(0.01)
    async with station(edge.url, NEWCOMER, "1.6", password=newcomer.secrets[-1]) as cp:
        await cp.boot()
    if password != newcomer.secrets[-1]:
        assert await is_refused(edge, NEWCOMER, password)


async def test_two_boots_at_once_offer_one_secret(edge: RunningEdge, newcomer: Newcomer) -> None:
    _, key = await make_key(edge, admit=True)
    async with station(edge.url, NEWCOMER, password=key, answer=newcomer.answer) as cp:
        newcomer.link = cp
        await asyncio.gather(*(cp.boot() for _ in range(5)))
        await newcomer.secret
        await cp.boot()
        await asyncio.sleep(0.3)
    assert len(set(newcomer.secrets)) == 1
    async with station(edge.url, NEWCOMER, password=newcomer.secrets[0]) as cp:
        await cp.boot()


async def test_keys_that_are_no_good_open_nothing(edge: RunningEdge) -> None:
    revoked_id, revoked = await make_key(edge)
    _, expired = await make_key(edge, expires_at=utc_now() - timedelta(seconds=1))
    _, once = await make_key(edge, maximum_uses=1)
    async with station(edge.url, "FIRST", password=once) as cp:
        assert (await cp.boot())["status"] == "Pending"
    await revoke_enrolment_key(edge.edge.database, edge.edge.bus, system_principal(), revoked_id)
    await asyncio.sleep(0.2)  # the notices have arrived
    for number, key in enumerate((revoked, expired, once, "no-key-at-all-1234")):
        assert await is_refused(edge, f"LATER-{number}", key)
    assert await edge.value("SELECT count(*) FROM station WHERE identity LIKE 'LATER%'") == 0
    # Who came in with a key that is used up since stays in.
    async with station(edge.url, "FIRST", password=once) as cp:
        assert (await cp.boot())["status"] == "Pending"


async def test_the_last_use_of_a_key_is_one_stations(edge: RunningEdge) -> None:
    _, key = await make_key(edge, maximum_uses=1)

    async def come(identity: str) -> bool:
        try:
            async with station(edge.url, identity, password=key) as cp:
                return bool(await cp.boot())
        except (ConnectionError, ConnectionClosed, InvalidStatus):
            return False

    came = await asyncio.gather(*(come(f"RACE-{number}") for number in range(8)))
    assert sum(came) == 1
    assert await edge.value("SELECT count(*) FROM station WHERE identity LIKE 'RACE%'") == 1


async def test_a_key_does_not_open_a_station_that_was_added_meanwhile(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake saw no such station; when it is attached there is one, with a secret of its own."""
    _, key = await make_key(edge, admit=True)
    before = await edge.rows("SELECT * FROM station WHERE identity = 'CP-1'")
    monkeypatch.setattr(edge.edge.directory, "find", lambda candidates: None)
    async with station(edge.url, "CP-1", password=key) as cp:
        with pytest.raises((ConnectionError, ConnectionClosed)):
            await cp.boot()
        assert await cp.close_code() == 1008
    assert await edge.rows("SELECT * FROM station WHERE identity = 'CP-1'") == before


async def test_a_change_during_the_arrival_is_not_lost(edge: RunningEdge) -> None:
    """Admitted while the station was between its handshake and its attachment."""
    _, key = await make_key(edge)
    async with station(edge.url, NEWCOMER, password=key) as cp:
        assert (await cp.boot())["status"] == "Pending"
    for _ in range(10):
        await set_admission(edge, "pending")
        async with station(edge.url, NEWCOMER, password=key) as cp:
            await set_admission(edge, "accepted")
            assert (await cp.boot())["status"] == "Accepted"


async def set_admission(edge: RunningEdge, admission: str) -> None:
    inner = edge.edge
    changes = {"admission": admission}
    await change_station(inner.database, inner.bus, inner.pepper, system_principal(), NEWCOMER, changes)
