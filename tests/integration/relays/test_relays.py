"""A station speaks to this system and to another back end at once."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from pilotwire.app.edge import open_relays
from pilotwire.core.clock import utc_now
from pilotwire.db.sealing import Seal
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.ocpp.relay import queue
from pilotwire.settings import Settings
from pilotwire.web.server import create_web_app
from pilotwire.web.services import WebServices
from tests.support.edge import PASSWORD, RunningEdge, basic_header, migrated_database, running_edge
from tests.support.operations import eventually
from tests.support.stations import Station, moment, station

SEAL = Seal(b"key of the tests")
LOCAL = Settings(egress_private_networks="127.0.0.0/8")


@dataclass
class OtherBackEnd:
    """Another system: it accepts, numbers 1.6 transactions from 9001 on, and can call."""

    port: int = 0
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sockets: list[ServerConnection] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    silent: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    number: int = 9000

    def actions(self) -> list[str]:
        return [action for action, _ in self.heard]

    async def serve_station(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        assert socket.request is not None
        self.authorizations.append(socket.request.headers.get("Authorization", ""))
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame[0] != 2:
                    self.answers[frame[1]] = frame
                    continue
                self.heard.append((frame[2], frame[3]))
                if not self.silent:
                    await socket.send(json.dumps([3, frame[1], self.answer(frame[2])]))
        except ConnectionClosed:
            return

    def answer(self, action: str) -> dict[str, Any]:
        accepted = {"idTagInfo": {"status": "Accepted"}}
        match action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": "2026-03-01T12:00:00Z", "interval": 777}
            case "StartTransaction":
                self.number += 1
                return {**accepted, "transactionId": self.number}
            case "Authorize":
                return {"idTagInfo": {"status": "Blocked"}}
            case "StopTransaction":
                return accepted
            case "Heartbeat":
                return {"currentTime": "2026-03-01T12:00:00Z"}
            case _:
                return {}

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        await self.sockets[-1].send(json.dumps([2, f"other-{action}", action, payload]))
        await until(lambda: f"other-{action}" in self.answers)
        return self.answers.pop(f"other-{action}")


async def until(condition: Callable[[], Any]) -> None:
    await eventually(condition, patience_s=20)


@asynccontextmanager
async def other_back_end(port: int = 0) -> AsyncIterator[OtherBackEnd]:
    made = OtherBackEnd()
    protocols = [Subprotocol(f"ocpp{version}") for version in ("1.6", "2.0.1", "2.1")]
    async with serve(made.serve_station, "127.0.0.1", port, subprotocols=protocols) as server:
        made.port = next(iter(server.sockets)).getsockname()[1]
        yield made


@dataclass
class Both:
    """This system with its API."""

    edge: RunningEdge
    http: httpx.AsyncClient

    async def relay(self, port: int, authority: str, identity: str = "CP-1") -> dict[str, Any]:
        body = {"url": f"ws://127.0.0.1:{port}/ocpp", "password": "pass at the other", "authority": authority}
        answer = await self.http.put(f"/api/v1/stations/{identity}/relay", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/api/v1/stations/CP-1/relay")).json()
        return found


@asynccontextmanager
async def both_on(dsn: str) -> AsyncIterator[Both]:
    async with running_edge(dsn) as edge:
        inner = edge.edge
        await open_relays(LOCAL, inner, SEAL, utc_now)
        book = inner.switchboard.relays
        assert book is not None
        app = create_web_app(
            WebServices(
                db=inner.database, bus=inner.bus, caller=inner.switchboard, pepper=inner.pepper, desk=inner.desk,
                seal=SEAL, relay_state=book.state,
            )
        )  # fmt: skip
        _, key = await create_api_key(inner.database, system_principal(), "owner", Role.OWNER)
        try:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://pilotwire.test",
                headers={"Authorization": f"Bearer {key}"},
            ) as http:
                yield Both(edge, http)
        finally:
            app.state.hub.close()
            app.state.network.close()


@pytest.fixture
async def both(postgres_server: str) -> AsyncIterator[Both]:
    async with both_on(migrated_database(postgres_server)) as made:
        await made.edge.add_stations("CP-1")
        await made.edge.add_token("TAG1")
        yield made


async def connected(both: Both) -> None:
    book = both.edge.edge.switchboard.relays
    assert book is not None
    number = await both.edge.station_id("CP-1")
    await until(lambda: book.state(number)[0])
    assert (await both.state())["connected"]


async def charge(charger: Station, start: int = 1000, stop: int = 4000) -> int:
    """A whole 1.6 session; return the number that the station was given."""
    began = {"connectorId": 1, "idTag": "TAG1", "meterStart": start, "timestamp": moment(0)}
    number: int = (await charger.call("StartTransaction", began))["transactionId"]
    reading = {"timestamp": moment(60), "sampledValue": [{"value": str(start + 500)}]}
    await charger.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [reading]})
    await charger.call(
        "StopTransaction", {"transactionId": number, "meterStop": stop, "timestamp": moment(120)}
    )
    return number


async def test_the_other_back_end_listens(both: Both) -> None:
    async with other_back_end() as other:
        await both.relay(other.port, "pilotwire")
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            assert (await charger.boot())["interval"] != 777
            await connected(both)
            verdict = await charger.call("Authorize", {"idTag": "TAG1"})
            assert verdict["idTagInfo"]["status"] == "Accepted"
            number = await charge(charger)
            await until(lambda: "StopTransaction" in other.actions())
            refused = await other.call("Reset", {"type": "Soft"})
            assert refused[:3] == [4, "other-Reset", "NotSupported"]
            assert charger.calls == []
        pair = base64.b64decode(other.authorizations[0].removeprefix("Basic ")).decode()
        assert pair == "CP-1:pass at the other"
        assert other.actions()[0] == "BootNotification"
        heard = dict(other.heard)
        assert heard["MeterValues"]["transactionId"] == 9001 == heard["StopTransaction"]["transactionId"]
        session = await both.edge.session("CP-1")
        assert (session["energy_wh"], number) == (3000, int(session["transaction_ref"]))


async def test_the_other_back_ends_word_counts(both: Both) -> None:
    async with other_back_end() as other:
        await both.relay(other.port, "other")
        accept: dict[str, Any] = {"status": "Accepted"}
        async with station(both.edge.url, "CP-1", "1.6", answer=lambda *_: accept) as charger:
            await charger.boot()
            await connected(both)
            assert (await charger.boot())["interval"] == 777
            verdict = await charger.call("Authorize", {"idTag": "TAG1"})
            assert verdict["idTagInfo"]["status"] == "Blocked"
            assert await charge(charger) == 9001
            session = await both.edge.session("CP-1")
            assert (session["state"], session["energy_wh"]) == ("ended", 3000)
            assert session["transaction_ref"] != "9001"
            # Its calls reach the station, and ours name a transaction as the station knows it.
            started = await charger.call(
                "StartTransaction",
                {"connectorId": 1, "idTag": "TAG1", "meterStart": 4000, "timestamp": moment(300)},
            )
            assert started["transactionId"] == 9002
            answer = await other.call("RemoteStopTransaction", {"transactionId": 9002})
            assert answer[2] == {"status": "Accepted"}
            ours = (await both.edge.sessions("CP-1"))[-1]["transaction_ref"]
            given = {"command": "stop_charging", "transaction_id": ours}
            await both.http.post("/api/v1/stations/CP-1/commands", json=given)
            await until(lambda: len(charger.calls) == 2)
            assert charger.calls == [("RemoteStopTransaction", {"transactionId": 9002})] * 2


async def test_while_the_other_is_away_the_station_is_answered_here(both: Both) -> None:
    async with other_back_end() as other:
        port = other.port
        await both.relay(port, "other")
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            await charger.boot()
            await connected(both)
            await charger.call("Heartbeat", {})
            for socket in other.sockets:
                await socket.close()
            other.silent = True
            # In flight when it fell silent, or after it was gone: the station gets an answer either way.
            started = await charger.call(
                "StartTransaction",
                {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": moment(0)},
            )
            number = started["transactionId"]
            assert number < 9000
            other.silent = False
            await until(lambda: len(other.sockets) > 1)
            await until(lambda: "StartTransaction" in other.actions())
            await charger.call(
                "StopTransaction", {"transactionId": number, "meterStop": 500, "timestamp": moment(60)}
            )
            await until(lambda: "StopTransaction" in other.actions())
            assert dict(other.heard)["StopTransaction"]["transactionId"] >= 9001
        session = await both.edge.session("CP-1")
        assert (session["state"], session["energy_wh"]) == ("ended", 500)


async def test_the_numbers_outlive_a_restart(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with other_back_end() as other:
        async with both_on(dsn) as both:
            await both.edge.add_stations("CP-1")
            await both.edge.add_token("TAG1")
            await both.relay(other.port, "other")
            async with station(both.edge.url, "CP-1", "1.6") as charger:
                await charger.boot()
                await connected(both)
                start = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": moment(0)}
                assert (await charger.call("StartTransaction", start))["transactionId"] == 9001
        async with both_on(dsn) as both:
            async with station(both.edge.url, "CP-1", "1.6") as charger:
                await charger.boot()
                stop = {"transactionId": 9001, "meterStop": 700, "timestamp": moment(60)}
                await charger.call("StopTransaction", stop)
            session = await both.edge.session("CP-1")
            assert (session["state"], session["energy_wh"]) == ("ended", 700)


def closed_port() -> int:
    """A port on which the other back end is not there yet."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


async def waiting(both: Both) -> list[str]:
    """What is on disk for the other back end."""
    await both.edge.edge.writer.settled()
    return [row["action"] for row in await both.edge.rows("SELECT action FROM relay_message ORDER BY seq")]


async def nothing_waits(both: Both) -> None:
    async with asyncio.timeout(20):
        while await waiting(both):  # noqa: ASYNC110 - the state of the database
            await asyncio.sleep(0.05)


START = {"connectorId": 1, "idTag": "TAG1", "meterStart": 1000, "timestamp": moment(0)}


@pytest.mark.parametrize("authority", ["other", "pilotwire"])
async def test_what_waits_for_the_other_outlives_a_restart(postgres_server: str, authority: str) -> None:
    dsn = migrated_database(postgres_server)
    port = closed_port()
    async with both_on(dsn) as both:
        await both.edge.add_stations("CP-1")
        await both.edge.add_token("TAG1")
        await both.relay(port, authority)
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            await charger.boot()
            await charger.call("Heartbeat", {})
            number = (await charger.call("StartTransaction", START))["transactionId"]
            # On disk by the time of the answer, seen by another connection.
            assert [row["action"] for row in await both.edge.rows("SELECT action FROM relay_message")] == [
                "StartTransaction"
            ]
            reading = {"timestamp": moment(60), "sampledValue": [{"value": "1500"}]}
            values = {"connectorId": 1, "transactionId": number, "meterValue": [reading]}
            await charger.call("MeterValues", values)
        # The station comes again and says again what it takes for unanswered, and more.
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            await charger.call("MeterValues", values)
            assert await waiting(both) == ["StartTransaction", "MeterValues"]
    async with both_on(dsn) as both, other_back_end(port) as other:
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            await charger.boot()
            await until(lambda: "MeterValues" in other.actions())
            await nothing_waits(both)
            await charger.call(
                "StopTransaction", {"transactionId": number, "meterStop": 4000, "timestamp": moment(120)}
            )
            await until(lambda: "StopTransaction" in other.actions())
        told = [action for action in other.actions() if action != "BootNotification"]
        assert told == ["StartTransaction", "MeterValues", "StopTransaction"]
        assert other.actions()[0] == "BootNotification"
        assert dict(other.heard)["StartTransaction"] == START
        assert dict(other.heard)["StopTransaction"]["transactionId"] == 9001
        session = await both.edge.session("CP-1")
        assert (session["state"], session["energy_wh"]) == ("ended", 3000)


async def test_a_listener_that_was_away_at_the_start_knows_the_stop(both: Both) -> None:
    port = closed_port()
    await both.relay(port, "pilotwire")
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()
        number = (await charger.call("StartTransaction", START))["transactionId"]
        async with other_back_end(port) as other:
            await until(lambda: "StartTransaction" in other.actions())
            await charger.call(
                "StopTransaction", {"transactionId": number, "meterStop": 4000, "timestamp": moment(120)}
            )
            await until(lambda: "StopTransaction" in other.actions())
            assert dict(other.heard)["StopTransaction"]["transactionId"] == 9001


async def test_what_had_not_been_answered_there_is_told_again(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with other_back_end() as other:
        async with both_on(dsn) as both:
            await both.edge.add_stations("CP-1")
            await both.edge.add_token("TAG1")
            await both.relay(other.port, "pilotwire")
            async with station(both.edge.url, "CP-1", "1.6") as charger:
                await charger.boot()
                await connected(both)
                await until(lambda: "BootNotification" in other.actions())
                other.silent = True
                number = (await charger.call("StartTransaction", START))["transactionId"]
                await until(lambda: "StartTransaction" in other.actions())
        other.silent = False
        async with both_on(dsn) as both, station(both.edge.url, "CP-1", "1.6") as charger:
            await until(lambda: other.actions().count("StartTransaction") == 2)
            await nothing_waits(both)
            await charger.call(
                "StopTransaction", {"transactionId": number, "meterStop": 4000, "timestamp": moment(120)}
            )
            await until(lambda: "StopTransaction" in other.actions())
            assert dict(other.heard)["StopTransaction"]["transactionId"] == other.number


async def test_of_too_much_the_oldest_is_given_up(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_LONGEST", 2)
    port = closed_port()
    await both.relay(port, "pilotwire")
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()
        number = await charge(charger)
        assert await waiting(both) == ["MeterValues", "StopTransaction"]
        async with other_back_end(port) as other:
            await until(lambda: "StopTransaction" in other.actions())
            assert "StartTransaction" not in other.actions()
            assert dict(other.heard)["StopTransaction"]["transactionId"] == number
            await nothing_waits(both)


@pytest.mark.parametrize("way", ["another address", "no relay"])
async def test_what_waits_is_for_the_back_end_of_then(both: Both, way: str) -> None:
    await both.relay(closed_port(), "pilotwire")
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()
        await charge(charger)
        assert len(await waiting(both)) == 3
        await both.relay(closed_port(), "pilotwire") if way == "another address" else await both.http.delete(
            "/api/v1/stations/CP-1/relay"
        )
    assert await waiting(both) == []


async def test_a_listener_that_hangs_up_does_not_have_the_station_answered_twice(both: Both) -> None:
    async with other_back_end() as other:
        await both.relay(other.port, "pilotwire")
        async with connect(
            f"{both.edge.url}/CP-1",
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers={"Authorization": basic_header("CP-1", PASSWORD)},
        ) as charger:
            await connected(both)
            other.silent = True
            make = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            await charger.send(json.dumps([2, "boot", "BootNotification", make]))
            answers = [json.loads(await charger.recv())]
            await until(lambda: "BootNotification" in other.actions())
            for there in other.sockets:
                await there.close()
            await until(lambda: len(other.sockets) > 1)
            await charger.send(json.dumps([2, "beat", "Heartbeat", {}]))
            while answers[-1][1] != "beat":
                answers.append(json.loads(await charger.recv()))
        assert [answer[1] for answer in answers if answer[0] == 3] == ["boot", "beat"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_2x_station_is_relayed_as_it_speaks(both: Both, version: str) -> None:
    async with other_back_end() as other:
        await both.relay(other.port, "pilotwire")
        async with station(both.edge.url, "CP-1", version) as charger:
            await charger.boot()
            await connected(both)
            for number, kind in enumerate(("Started", "Ended")):
                event = {
                    "eventType": kind, "timestamp": moment(number), "triggerReason": "CablePluggedIn", "seqNo": number,
                    "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1, "connectorId": 1},
                }  # fmt: skip
                await charger.call("TransactionEvent", event)
            await until(lambda: other.actions().count("TransactionEvent") == 2)
        assert other.sockets[0].subprotocol == f"ocpp{version}"


async def test_a_relay_is_set_and_removed(both: Both) -> None:
    nowhere = {"url": "http://example.com/ocpp"}
    refused = await both.http.put("/api/v1/stations/CP-1/relay", json=nowhere)
    assert (refused.status_code, "wss://" in refused.json()["detail"]) == (422, True)
    assert (await both.http.get("/api/v1/stations/CP-1/relay")).status_code == 404
    assert (await both.http.delete("/api/v1/stations/CP-1/relay")).status_code == 404
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()
        await both.relay(1, "pilotwire")
        assert await charger.close_code() == 1012
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()
        await charger.call("Heartbeat", {})
        book = both.edge.edge.switchboard.relays
        assert book is not None
        number = await both.edge.station_id("CP-1")
        await until(lambda: "did not take" in book.state(number)[1])
    listed = (await both.http.get("/api/v1/relays")).json()["items"]
    assert [each["station_id"] for each in listed] == ["CP-1"]
    assert "pass at the other" not in json.dumps(listed)
    assert (await both.http.delete("/api/v1/stations/CP-1/relay")).status_code == 204
    async with station(both.edge.url, "CP-1", "1.6") as charger:
        await charger.boot()


async def test_private_networks_are_not_reached_unless_allowed(both: Both) -> None:
    await open_relays(Settings(), both.edge.edge, SEAL, utc_now)
    async with other_back_end() as other:
        await both.relay(other.port, "pilotwire")
        async with station(both.edge.url, "CP-1", "1.6") as charger:
            await charger.boot()
            book = both.edge.edge.switchboard.relays
            assert book is not None
            number = await both.edge.station_id("CP-1")
            await until(lambda: "not a public address" in book.state(number)[1])
        assert other.sockets == []
