"""Webhooks on a running server: told with the event, signed, retried, replayed, and lost by no crash."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from pilotwire.app.server import Server
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.usecases.add_stations import create_stations
from pilotwire.domain.webhooks.model import PostFailed
from pilotwire.integrations.egress import read_policy
from pilotwire.integrations.posting import HttpPoster
from pilotwire.settings import Settings
from tests.support.certificates import Authority
from tests.support.edge import PASSWORD, migrated_database
from tests.support.postgres import drop_database
from tests.support.receiver import Receiver, receiver
from tests.support.stations import moment, station

KEY = "pw_test-key-of-the-webhooks-0000001"


class Clock:
    """The time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@asynccontextmanager
async def running(dsn: str, directory: Path, clock: Clock, **more: Any) -> AsyncIterator[Server]:
    settings = Settings(
        data_dir=directory,
        database_url=SecretStr(dsn),
        bootstrap_api_key=SecretStr(KEY),
        http="127.0.0.1:0",
        ocpp="127.0.0.1:0",
        drain_timeout_s=1,
        egress_private_networks="127.0.0.0/8",
        **more,
    )
    server = Server(settings, clock=clock)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def dsn(postgres_server: str) -> AsyncIterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(dsn: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Server]:
    async with running(dsn, tmp_path, clock) as made:
        await add_station(made)
        yield made


async def add_station(server: Server) -> None:
    edge = server.edge
    await create_stations(
        edge.database, edge.bus, edge.pepper, system_principal(), ["CP-1"], password=PASSWORD
    )


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=f"{server.web.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


async def hooked(client: httpx.AsyncClient, url: str, *events: str) -> dict[str, Any]:
    answer = await client.post("/webhooks", json={"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def wait_until_wanted(server: Server, kind: str) -> None:
    """The edge learns of a new webhook within moments."""
    async with asyncio.timeout(20):
        while not any(name == kind for _, name in server.edge.outbox.wanted):  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.02)


async def deliveries(
    client: httpx.AsyncClient, hook: dict[str, Any], query: str = ""
) -> list[dict[str, Any]]:
    answer = await client.get(f"/webhooks/{hook['id']}/deliveries?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def settled(
    client: httpx.AsyncClient, hook: dict[str, Any], state: str, count: int = 1
) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while len(found := await deliveries(client, hook, f"state={state}")) < count:  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.05)
    return found


async def charge(server: Server) -> None:
    """One whole session of a 1.6 station."""
    async with station(server.stations_url, "CP-1", "1.6") as cp:
        await cp.boot()
        start = {"connectorId": 1, "idTag": "CARD", "meterStart": 100, "timestamp": moment(0)}
        begun = await cp.call("StartTransaction", start)
        stop = {"transactionId": begun["transactionId"], "meterStop": 5100, "timestamp": moment(600)}
        await cp.call("StopTransaction", stop)


async def test_a_session_is_told_signed_and_logged(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        hook = await hooked(client, there.url, "session.started", "session.ended", "station.connected")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        got = await there.wait_for(3)
        by_type = {each.json["type"]: each for each in got}
        assert set(by_type) == {"session.started", "session.ended", "station.connected"}
        ended = by_type["session.ended"]
        assert ended.json["data"]["energy_wh"] == 5000
        assert ended.json["data"]["station_id"] == "CP-1"
        assert ended.json["id"] == ended.headers["webhook-id"]
        assert all(each.signed_by(hook["secret"]) for each in got)
        assert not ended.signed_by("whsec_AAAA")
        log = await settled(client, hook, "delivered", 3)
        assert {(each["status_code"], each["attempts"], each["response"]) for each in log} == {
            (200, 1, "thanks")
        }
        assert all(each["latency_ms"] >= 0 and each["next_at"] is None for each in log)
        shown = (await client.get(f"/webhooks/{hook['id']}")).json()
        assert (shown["waiting"], shown["failures"], "secret" in shown) == (0, 0, False)
        one = (await client.get(f"/webhooks/{hook['id']}/deliveries/{log[0]['id']}")).json()
        assert one["body"] in [each.json for each in got]
        only = await deliveries(client, hook, "type=session.ended")
        assert [each["type"] for each in only] == ["session.ended"]


async def test_nobody_is_told_what_he_did_not_ask_for(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        await hooked(client, there.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        await there.wait_for(1)
        assert await server.edge.database.service.fetchval(
            "SELECT array_agg(DISTINCT type) FROM webhook_event"
        ) == ["session.ended"]


async def test_what_fails_is_tried_again_until_it_arrives(server: Server, clock: Clock) -> None:
    async with receiver() as there, asking(server) as client:
        there.reply = lambda _: (500, {}, b"out of order \x00\x1b[31m" + b"x" * 5000)
        hook = await hooked(client, there.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        await there.wait_for(1)
        async with asyncio.timeout(20):
            while (waiting := (await deliveries(client, hook))[0])["last_at"] is None:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.05)
        assert (waiting["state"], waiting["status_code"], waiting["error"]) == ("waiting", 500, "status 500")
        assert waiting["response"].startswith("out of order")
        assert len(waiting["response"]) <= 1000
        assert "\x00" not in waiting["response"]
        assert "\x1b" not in waiting["response"]
        shown = (await client.get(f"/webhooks/{hook['id']}")).json()
        assert (shown["failures"], shown["waiting"]) == (1, 1)
        there.reply = lambda _: (204, {}, b"")
        clock.ahead += timedelta(minutes=1)
        done = await settled(client, hook, "delivered")
        assert done[0]["attempts"] == 2
        one, other = there.got
        assert (one.body, one.headers["webhook-id"]) == (other.body, other.headers["webhook-id"])
        assert other.signed_by(hook["secret"])
        assert (await client.get(f"/webhooks/{hook['id']}")).json()["failing_since"] is None


async def test_a_lost_process_loses_no_delivery(dsn: str, tmp_path: Path, clock: Clock) -> None:
    """The event is on the disk with the session; whoever starts next delivers it."""
    async with receiver() as there:
        there.reply = lambda _: None
        async with running(dsn, tmp_path, clock) as first, asking(first) as client:
            await add_station(first)
            hook = await hooked(client, there.url, "session.ended")
            await wait_until_wanted(first, "session.ended")
            await charge(first)
            await there.wait_for(1)  # sent, and the process ends before there is an answer
        there.reply = lambda _: (200, {}, b"")
        clock.ahead += timedelta(minutes=5)
        async with running(dsn, tmp_path, clock) as second, asking(second) as client:
            await settled(client, hook, "delivered")
        assert len({each.headers["webhook-id"] for each in there.got}) == 1


async def test_an_event_is_kept_if_and_only_if_its_record_is(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        await hooked(client, there.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        pool = server.edge.database.service
        # The outbox refuses: then the session cannot be kept either, and the station gets no answer that says so.
        await pool.execute("ALTER TABLE webhook_event ADD CONSTRAINT never CHECK (type <> 'session.ended')")
        with pytest.raises(Exception, match=r".*"):
            await charge(server)
        assert await pool.fetchval("SELECT count(*) FROM session WHERE ended_at IS NOT NULL") == 0
        assert there.got == []


async def test_a_webhook_that_fails_for_long_is_disabled_with_its_reason(
    server: Server, clock: Clock
) -> None:
    async with receiver() as there, asking(server) as client:
        there.reply = lambda _: (503, {}, b"")
        hook = await hooked(client, there.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        await there.wait_for(1)
        path = f"/webhooks/{hook['id']}"
        async with asyncio.timeout(20):
            while (await client.get(path)).json()["failures"] < 1:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.05)
        clock.ahead += timedelta(hours=73)
        async with asyncio.timeout(20):
            while (shown := (await client.get(path)).json())["enabled"]:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.05)
        assert "the last one: status 503" in shown["disabled_reason"]
        assert shown["waiting"] == 1
        there.reply = lambda _: (200, {}, b"")
        enabled = (await client.patch(path, json={"enabled": True})).json()
        assert (enabled["enabled"], enabled["disabled_reason"], enabled["failures"]) == (True, "", 0)
        clock.ahead += timedelta(hours=1)
        await settled(client, hook, "delivered")


async def test_a_receiver_that_is_gone_for_good_is_not_asked_again(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        there.reply = lambda _: (410, {}, b"")
        hook = await hooked(client, there.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        async with asyncio.timeout(20):
            while (shown := (await client.get(f"/webhooks/{hook['id']}")).json())["enabled"]:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.05)
        assert "410" in shown["disabled_reason"]


async def test_a_slow_receiver_holds_up_nobody_else(server: Server) -> None:
    async with receiver() as slow, receiver() as quick, asking(server) as client:
        slow.reply = lambda _: None
        await hooked(client, slow.url, "session.ended")
        await hooked(client, quick.url, "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        await slow.wait_for(1)
        await quick.wait_for(1)
        await charge(server)
        await quick.wait_for(1)


async def test_ping_tells_what_the_receiver_says(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        hook = await hooked(client, there.url, "session.ended")
        path = f"/webhooks/{hook['id']}/ping"
        answer = (await client.post(path)).json()
        assert (answer["state"], answer["status_code"], answer["type"]) == ("delivered", 200, "ping")
        assert there.got[0].signed_by(hook["secret"])
        there.reply = lambda _: (302, {"location": "http://169.254.169.254/"}, b"")
        answer = (await client.post(path)).json()
        assert (answer["state"], answer["error"]) == ("failed", "status 302")
        assert there.connections == 2
        shown = (await client.get(f"/webhooks/{hook['id']}")).json()
        assert (shown["failures"], shown["enabled"]) == (0, True)
    async with asking(server) as client:
        answer = (await client.post(path)).json()
        assert (answer["state"], answer["status_code"]) == ("failed", None)
        assert answer["error"]


async def test_the_secret_changes_without_a_gap(server: Server, clock: Clock) -> None:
    async with receiver() as there, asking(server) as client:
        hook = await hooked(client, there.url, "session.ended")
        path = f"/webhooks/{hook['id']}"
        turned = (await client.post(f"{path}/rotate-secret", json={"keep_previous_s": 3600})).json()
        assert turned["secret"] != hook["secret"]
        await client.post(f"{path}/ping")
        assert there.got[0].signed_by(hook["secret"])
        assert there.got[0].signed_by(turned["secret"])
        clock.ahead += timedelta(hours=2)
        await client.post(f"{path}/ping")
        assert not there.got[1].signed_by(hook["secret"])
        assert there.got[1].signed_by(turned["secret"])


async def test_one_delivery_or_a_time_is_replayed(server: Server) -> None:
    async with receiver() as there, asking(server) as client:
        hook = await hooked(client, there.url, "session.started", "session.ended")
        await wait_until_wanted(server, "session.ended")
        await charge(server)
        first = (await settled(client, hook, "delivered", 2))[0]
        path = f"/webhooks/{hook['id']}"
        again = await client.post(f"{path}/deliveries/{first['id']}/replay")
        assert (again.status_code, again.json()["replay_of"]) == (202, first["id"])
        await there.wait_for(3)
        assert there.got[2].headers["webhook-id"] == first["event_id"]
        await settled(client, hook, "delivered", 3)
        hour = {"from": "2020-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z"}
        nothing = await client.post(f"{path}/replay", json=hour)
        assert nothing.json() == {"deliveries": 0}
        everything = await client.post(f"{path}/replay", json={**hour, "failed_only": False})
        assert everything.json() == {"deliveries": 2}
        await there.wait_for(5)
        wrong = await client.post(f"{path}/replay", json={"from": hour["to"], "to": hour["from"]})
        assert wrong.status_code == 422


async def test_impossible_webhooks_are_refused_with_what_to_do(server: Server) -> None:
    async with asking(server) as client:
        for body, words in (
            ({"url": "https://10.0.0.1/", "events": ["session.ended"]}, "egress_private_networks"),
            ({"url": "http://1.1.1.1/", "events": ["session.ended"]}, "use https"),
            (
                {"url": "https://example.com/", "events": ["session.eaten"]},
                "there are certificate.changed, command.changed",
            ),
        ):
            answer = await client.post("/webhooks", json=body)
            assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
        catalogue = (await client.get("/webhook-events")).json()["items"]
        assert "session.ended" in [each["type"] for each in catalogue]


async def test_the_certificate_must_be_of_the_name_although_the_address_is_asked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue_server()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    trusted = ssl.create_default_context(cafile=str(authority.file))
    poster = HttpPoster(read_policy("", "127.0.0.0/8,::1/128"), trusted=trusted)
    async with receiver(tls) as there:
        answer = await poster.post(f"https://localhost:{there.port}/a?b=c", b"{}", {})
        assert (answer.status_code, there.got[0].path) == (200, "/a?b=c")
        assert there.got[0].headers["host"] == f"localhost:{there.port}"
        with pytest.raises(PostFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await HttpPoster(read_policy("", "127.0.0.0/8,::1/128")).post(
                f"https://localhost:{there.port}/", b"{}", {}
            )
    await poster.close()


async def test_a_receiver_that_sends_without_end_is_cut_off() -> None:
    poster = HttpPoster(read_policy("", "127.0.0.0/8"), patience_s=1.0)
    there = Receiver()
    cut_off = asyncio.Event()

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 ok\r\ncontent-type: text/plain\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 200)
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            cut_off.set()
        finally:
            writer.close()

    listening = await asyncio.start_server(endless, "127.0.0.1", 0)
    there.port = listening.sockets[0].getsockname()[1]
    answer = await poster.post(there.url, b"{}", {})
    assert (answer.status_code, len(answer.excerpt)) == (200, 1000)
    await poster.close()
    async with asyncio.timeout(10):
        await cut_off.wait()
    listening.close()
    await listening.wait_closed()
