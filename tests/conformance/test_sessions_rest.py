"""From a generated password to the energy of a session, all by the public contract: REST and the wire."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from websockets import ConnectionClosed

from pilotwire.app.server import Server
from pilotwire.settings import Settings
from tests.support.edge import migrated_database
from tests.support.fuzz import POISON_TIME, fuzzed_frames
from tests.support.postgres import drop_database
from tests.support.stations import moment, station

KEY = "an-administrators-key-for-the-test"


@dataclass
class Public:
    """The whole server as the world sees it."""

    api: httpx.AsyncClient
    stations_url: str

    async def get(self, path: str) -> Any:
        answer = await self.api.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def add(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.api.post(path, json=body)
        assert answer.status_code == 201, (path, answer.text)
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture
async def public(postgres_server: str, tmp_path: Path) -> AsyncIterator[Public]:
    dsn = migrated_database(postgres_server)
    settings = Settings(
        data_dir=tmp_path,
        database_url=SecretStr(dsn),
        http="127.0.0.1:0",
        ocpp="127.0.0.1:0",
        bootstrap_api_key=SecretStr(KEY),
        drain_timeout_s=1,
    )
    server = Server(settings)
    await server.start()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=f"{server.web.url}/api/v1", headers=headers, timeout=30) as api:
        yield Public(api, server.stations_url)
    await server.stop()
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


def event(kind: str, number: int, register: float) -> dict[str, Any]:
    reading = {"value": register, "measurand": "Energy.Active.Import.Register"}
    made: dict[str, Any] = {
        "eventType": kind,
        "timestamp": moment(600 * number),
        "triggerReason": "Authorized" if kind == "Started" else "StopAuthorized",
        "seqNo": number,
        "transactionInfo": {"transactionId": "tx-1"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": moment(600 * number), "sampledValue": [reading]}],
    }
    if kind == "Started":
        made["idToken"] = {"idToken": "04AABBCC", "type": "ISO14443"}
    return made


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_sessions_energy_by_rest(public: Public, version: str) -> None:
    password = (await public.add("/stations", {"id": "REST-1"}))["password"]
    await public.add("/tokens", {"uid": "04AABBCC", "kind": "rfid", "status": "accepted"})
    async with station(public.stations_url, "REST-1", version, password=password) as cp:
        assert (await cp.boot())["status"] == "Accepted"
        if version == "1.6":
            start = {"connectorId": 1, "idTag": "04AABBCC", "meterStart": 1200, "timestamp": moment()}
            number = (await cp.call("StartTransaction", start))["transactionId"]
            stop = {"transactionId": number, "meterStop": 8761, "timestamp": moment(600)}
            await cp.call("StopTransaction", stop)
        else:
            await cp.call("TransactionEvent", event("Started", 0, 1200.25))
            await cp.call("TransactionEvent", event("Ended", 1, 8761.35))
        assert (await public.get("/stations/REST-1"))["connected"] is True
    listed = (await public.get("/sessions?station_id=REST-1"))["items"]
    assert len(listed) == 1
    session = await public.get(f"/sessions/{listed[0]['id']}")
    assert session["station_id"] == "REST-1"
    assert session["state"] == "ended"
    assert session["token_uid"] == "04AABBCC"
    assert Decimal(str(session["energy_wh"])) == (7561 if version == "1.6" else Decimal("7561.1"))


async def test_after_every_kind_of_poison_every_list_answers(public: Public) -> None:
    """What was accepted once can be shown: no row makes a page fail."""
    passwords = {}
    for version in ("1.6", "2.0.1", "2.1"):
        identity = f"WILD-{version}"
        passwords[identity] = (await public.add("/stations", {"id": identity}))["password"]
        async with station(public.stations_url, identity, version, password=passwords[identity]) as wild:
            await wild.boot()
            start = {"connectorId": 1, "idTag": "x", "meterStart": 0, "timestamp": POISON_TIME}
            if version == "1.6":
                await wild.call("StartTransaction", start)
            for frame in fuzzed_frames(version, 9, 300):
                with suppress(ConnectionClosed):
                    await wild.send(frame)
            assert "currentTime" in await wild.call("Heartbeat", {})
    document = await public.get("/openapi.json")
    shown = 0
    for path, operations in document["paths"].items():
        if (
            "get" in operations
            and path.startswith("/api/v1/")
            and "{" not in path
            and path not in ("/api/v1/events", "/api/v1/live/stream")  # they never end
            # A browser's way to somewhere else, and what is a person's own.
            and not path.startswith(("/api/v1/login/single-sign-on", "/api/v1/me/"))
        ):
            await public.get(path.removeprefix("/api/v1"))
            shown += 1
    assert shown > 5
    for identity in passwords:
        await public.get(f"/stations/{identity}")
        await public.get(f"/stations/{identity}/messages?limit=200")
    for session in (await public.get("/sessions?limit=200"))["items"]:
        await public.get(f"/sessions/{session['id']}")
        await public.get(f"/sessions/{session['id']}/samples")
