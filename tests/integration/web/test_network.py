"""The live picture: what the snapshot shows, what ticks tell, and who gets them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from pilotwire.domain.local_lists.events import LocalListChanged
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.stations.ports import StationChanged, StationConnected
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
)
from pilotwire.domain.stations.repository import list_records
from pilotwire.web.network import feed as feed_module
from pilotwire.web.network.hub import NetworkHub
from pilotwire.web.server import WebServer
from tests.support.web import Edge, add_station, keep_connector, keep_session, session_kept

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def server(edge: Edge) -> AsyncIterator[WebServer]:
    server = WebServer(edge.services, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()


class Stream:
    """One reader of the stream, as a browser reads it."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    async def next(self, *names: str) -> dict[str, Any]:
        """Give the next event of one of these names (of any without one) as its data with `event`."""
        async with asyncio.timeout(10):
            name, data = "", ""
            async for line in self._lines:
                key, _, value = line.partition(": ")
                if key == "id":
                    self.last_id = value
                elif key == "event":
                    name = value
                elif key == "data":
                    data = value
                elif not line and name:
                    if not names or name in names:
                        return {"event": name, **json.loads(data)}
                    name = ""
        raise AssertionError("the stream has ended")

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Give the first tick that fits."""
        while True:
            tick = await self.next("tick")
            if fits(tick):
                return tick


@asynccontextmanager
async def _stream(server: WebServer, edge: Edge, who: str, last_id: str = "") -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {edge.keys[who]}"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    async with (
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client,
        client.stream("GET", "/api/v1/live/stream") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


async def _snapshot(server: WebServer, edge: Edge, who: str = "operator") -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.get(
            "/api/v1/live/snapshot", headers={"Authorization": f"Bearer {edge.keys[who]}"}
        )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _status(number: int, identity: str, status: str, *, tenant_id: int = 1, evse: int = 1) -> Any:
    error = "GroundFailure" if status == "faulted" else ""
    return ConnectorStatusChanged(
        tenant_id, number, identity, evse, 1, status, status, error, "", NOW, NOW, current=True
    )


async def _connect(edge: Edge, number: int) -> None:
    await edge.db.service.execute(
        "UPDATE station_presence SET connected = true, last_seen_at = $2 WHERE station_id = $1", number, NOW
    )


async def test_the_snapshot_shows_what_is_kept(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    site = (await admin.post("/api/v1/sites", json={"name": "Harbour"})).json()["id"]
    number = await add_station(admin, "CP-1", edge)
    await admin.patch(
        "/api/v1/stations/CP-1", json={"site_id": site, "name": "By the crane", "tags": ["fast"]}
    )
    await add_station(admin, "CP-2", edge)
    await keep_connector(edge, number, 1, 1, "charging")
    await keep_connector(edge, number, 2, 1, "faulted")
    await _connect(edge, number)
    begun = NOW - timedelta(minutes=1)
    session = await keep_session(
        edge, number, "CP-1", begun, last_power=((0, NOW), 11_000.0), stated_end_wh=Decimal(3500)
    )
    shown = await _snapshot(server, edge)
    first, second = shown["stations"]
    assert (first["id"], first["name"], first["site"]) == ("CP-1", "By the crane", "Harbour")
    assert first["tags"] == ["fast"]
    assert (first["connected"], first["status"], first["power_w"]) == (True, "faulted", 11_000.0)
    one, two = first["evses"]
    assert one == {
        "id": 1,
        "status": "charging",
        "connector_status": ["charging"],
        "power_w": 11_000.0,
        "energy_wh": 2500,
        "session_id": str(session),
        "token_uid": "04A2B3C4D5E6F7",
        "started_at": begun.isoformat().replace("+00:00", "Z"),
    }
    assert (two["status"], two["power_w"]) == ("faulted", 0)
    assert (second["id"], second["connected"], second["status"], second["evses"]) == (
        "CP-2", False, "offline", [],
    )  # fmt: skip
    figures = shown["kpi"]
    assert (figures["total"], figures["online"], figures["charging"], figures["faulted"]) == (2, 1, 1, 1)
    assert (figures["power_w"], figures["sessions_active"]) == (11_000.0, 1)
    assert figures["statuses"] == {"faulted": 1, "offline": 1}
    assert [(each["kind"], each["station_id"], each["evse_id"]) for each in shown["attention"]] == [
        ("faulted", "CP-1", 2)
    ]
    assert figures["attention"] == {"faulted": 1}


async def test_energy_and_sessions_of_today_are_added_up(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    old = NOW - timedelta(days=2)
    await keep_session(
        edge, number, "CP-1", old, transaction_ref="old", stated_end_wh=Decimal(90_000), ended_at=old
    )
    await keep_session(
        edge, number, "CP-1", NOW, transaction_ref="a", stated_end_wh=Decimal(3000), ended_at=NOW
    )
    figures = (await _snapshot(server, edge))["kpi"]
    assert (figures["sessions_today"], figures["energy_today_wh"]) == (1, 2000)
    async with _stream(server, edge, "operator") as stream:
        going = session_kept(number, "CP-1", NOW, transaction_ref="b", stated_end_wh=Decimal(1500))
        edge.bus.publish(going)
        tick = await stream.until(lambda tick: "kpi" in tick)
        assert (tick["kpi"]["sessions_today"], tick["kpi"]["energy_today_wh"]) == (2, 2500)
        assert [event["type"] for event in tick["events"]] == ["session.started"]
        ended = session_kept(
            number, "CP-1", NOW, change=Phase.ENDED, new=False, transaction_ref="b",
            stated_end_wh=Decimal(2000), ended_at=NOW,
        )  # fmt: skip
        edge.bus.publish(ended)
        tick = await stream.until(lambda tick: "kpi" in tick)
    assert tick["kpi"]["energy_today_wh"] == 3000
    assert tick["kpi"]["sessions_active"] == 0
    assert "sessions_today" not in tick["kpi"], "it has not changed"


async def test_ticks_tell_what_changed_and_only_that(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    await add_station(admin, "CP-2", edge)
    position = (await _snapshot(server, edge))["id"]
    async with _stream(server, edge, "operator", position) as stream:
        edge.bus.publish_all(
            [StationConnected(1, number, "CP-1", "2.0.1", 1, NOW, ""), _status(number, "CP-1", "available")]
        )
        tick = await stream.next("tick")
        assert tick["stations"].keys() == {"CP-1"}
        changed = tick["stations"]["CP-1"]
        assert changed.keys() == {"connected", "ocpp_version", "status", "last_seen_at", "evses"}
        assert (changed["connected"], changed["status"]) == (True, "available")
        assert [event["type"] for event in tick["events"]] == ["station.connected", "connector.status"]
        assert tick["kpi"]["online"] == 1
        edge.bus.publish(
            StationBootKept(1, number, "CP-1", "ACME", "One", "", "1.2", "", "", "", NOW, "accepted")
        )
        tick = await stream.next("tick")
        assert tick["stations"] == {"CP-1": {"vendor": "ACME", "model": "One", "firmware_version": "1.2"}}
        edge.bus.publish(StationDisconnected(1, number, "CP-1", 1, NOW, "bye"))
        tick = await stream.next("tick")
        assert tick["stations"]["CP-1"] == {"connected": False, "status": "offline"}
        edge.bus.publish(SecurityEventKept(1, number, "CP-1", "TamperDetected", NOW, NOW, "lid"))
        tick = await stream.next("tick")
    assert "stations" not in tick
    assert tick["events"] == [
        {
            "station_id": "CP-1",
            "what": "TamperDetected",
            "technical_info": "lid",
            "at": NOW.isoformat().replace("+00:00", "Z"),
            "type": "station.security",
        }
    ]


async def test_a_list_of_tokens_that_came_in_step_is_news_and_no_change_of_the_station(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    position = (await _snapshot(server, edge))["id"]
    async with _stream(server, edge, "operator", position) as stream:
        edge.bus.publish(LocalListChanged(1, number, "CP-1", "in_step", 3, 12, "", NOW))
        tick = await stream.next("tick")
    assert "stations" not in tick
    (event,) = tick["events"]
    assert (event["type"], event["station_id"]) == ("station.local_list", "CP-1")
    assert (event["state"], event["version"], event["entries"]) == ("in_step", 3, 12)


async def test_nothing_is_told_when_nothing_changes_but_that_all_is_well(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    edge.bus.publish(_status(number, "CP-1", "available"))
    async with _stream(server, edge, "operator") as stream:
        first = await stream.next()
        edge.bus.publish(_status(number, "CP-1", "available"))
        second = await stream.next("ping")
    assert first["event"] == "ping"
    assert (datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"])).total_seconds() > 0


async def test_stations_come_change_and_go(edge: Edge, admin: httpx.AsyncClient, server: WebServer) -> None:
    async with _stream(server, edge, "operator") as stream:
        number = await add_station(admin, "CP-1", edge)
        tick = await stream.until(lambda tick: "stations" in tick)
        assert tick["stations"]["CP-1"]["admission"] == "accepted"
        assert tick["kpi"]["total"] == 1
        # What comes before the station has been read is not lost.
        edge.bus.publish(_status(number, "CP-1", "reserved"))
        await admin.patch("/api/v1/stations/CP-1", json={"admission": "pending"})
        tick = await stream.until(lambda tick: "admission" in tick.get("stations", {}).get("CP-1", {}))
        assert tick["stations"]["CP-1"]["admission"] == "pending"
        await admin.delete("/api/v1/stations/CP-1")
        tick = await stream.until(lambda tick: "removed" in tick)
        assert tick["removed"] == ["CP-1"]
        assert tick["events"][-1]["type"] == "station.removed"
    assert (await _snapshot(server, edge))["stations"] == []


async def test_a_reader_comes_back_to_where_it_was(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    async with _stream(server, edge, "operator") as stream:
        edge.bus.publish(_status(number, "CP-1", "reserved"))
        await stream.next("tick")
        last = stream.last_id
        watcher = stream
        for status in ("available", "charging"):
            edge.bus.publish(_status(number, "CP-1", status))
            await watcher.next("tick")
    async with _stream(server, edge, "operator", last) as stream:
        statuses = [(await stream.next("tick"))["stations"]["CP-1"]["evses"][0]["status"] for _ in "12"]
    assert statuses == ["available", "charging"]


@pytest.mark.parametrize("last", ["ffffffff-3", "nonsense", "{run}-99999", "{run}-x"])
async def test_a_reader_with_an_id_that_is_not_known_is_told_to_begin_again(
    edge: Edge, server: WebServer, last: str
) -> None:
    run = (await _snapshot(server, edge))["id"].partition("-")[0]
    async with _stream(server, edge, "operator", last.format(run=run)) as stream:
        assert (await stream.next())["event"] == "reset"


async def test_a_reader_that_was_away_too_long_is_told_to_begin_again(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_RING", 2)
    number = await add_station(admin, "CP-1", edge)
    position = (await _snapshot(server, edge))["id"]
    async with _stream(server, edge, "operator", position) as stream:
        for status in ("available", "charging", "finishing"):
            edge.bus.publish(_status(number, "CP-1", status))
            await stream.next("tick")
    async with _stream(server, edge, "operator", position) as stream:
        assert (await stream.next())["event"] == "reset"


async def test_a_tenant_sees_its_own_network_only(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    stranger = await edge.client("stranger")
    theirs = await add_station(stranger, "X-1", edge)
    assert [each["id"] for each in (await _snapshot(server, edge, "stranger"))["stations"]] == ["X-1"]
    async with (
        _stream(server, edge, "stranger") as foreign,
        _stream(server, edge, "operator") as own,
    ):
        edge.bus.publish(_status(number, "CP-1", "charging"))
        assert (await own.next("tick"))["stations"].keys() == {"CP-1"}
        edge.bus.publish(_status(theirs, "X-1", "charging", tenant_id=2))
        assert (await foreign.next("tick"))["stations"].keys() == {"X-1"}
        await admin.delete("/api/v1/stations/CP-1")
        assert (await own.next("tick"))["removed"] == ["CP-1"]
        edge.bus.publish(_status(theirs, "X-1", "available", tenant_id=2))
        assert "removed" not in await foreign.next("tick")


async def test_tokens_are_whole_only_for_those_who_may_see_them(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    await keep_session(edge, number, "CP-1", NOW)
    shown = {who: await _snapshot(server, edge, who) for who in ("operator", "viewer")}
    uids = {who: body["stations"][0]["evses"][0]["token_uid"] for who, body in shown.items()}
    assert uids == {"operator": "04A2B3C4D5E6F7", "viewer": "…E6F7"}
    async with _stream(server, edge, "viewer") as viewer, _stream(server, edge, "operator") as operator:
        edge.bus.publish(session_kept(number, "CP-1", NOW, transaction_ref="b", evse_no=2))
        ticks = [await stream.next("tick") for stream in (viewer, operator)]
    assert [tick["stations"]["CP-1"]["evses"][1]["token_uid"] for tick in ticks] == [
        "…E6F7",
        "04A2B3C4D5E6F7",
    ]


async def test_the_snapshot_is_compressed_for_those_who_take_it(edge: Edge, admin: httpx.AsyncClient) -> None:
    await add_station(admin, "CP-1", edge)
    plain = await admin.get("/api/v1/live/snapshot", headers={"Accept-Encoding": "identity"})
    packed = await admin.get("/api/v1/live/snapshot", headers={"Accept-Encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()


async def test_without_a_right_nothing_is_shown(server: WebServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as anybody:
        for path in ("snapshot", "stream"):
            assert (await anybody.get(f"/api/v1/live/{path}")).status_code == 401


async def test_a_reader_that_goes_away_is_forgotten(edge: Edge, server: WebServer) -> None:
    hub: NetworkHub = server.app.state.network
    async with _stream(server, edge, "operator") as stream:
        await stream.next("ping")
        assert hub.readers == 1
    async with asyncio.timeout(5):
        while hub.readers:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)


async def test_a_reader_that_does_not_take_its_ticks_is_dropped(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_SLOWEST_SEND_S", 0.5)
    numbers = {f"CP-{i}": await add_station(admin, f"CP-{i}", edge) for i in range(1, 4)}
    hub: NetworkHub = server.app.state.network
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    request = f"GET /api/v1/live/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {edge.keys['operator']}\r\n\r\n"
    writer.write(request.encode())
    assert b"200" in await reader.readline()
    async with asyncio.timeout(5):
        while hub.readers != 1:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
    # Nothing more is read; events fill the socket's buffers until the server can send no more.
    text = "x" * 20_000
    async with asyncio.timeout(30):
        while hub.readers:
            for identity, number in numbers.items():
                edge.bus.publish_all(
                    [SecurityEventKept(1, number, identity, "T", NOW, NOW, text) for _ in range(30)]
                )
            await asyncio.sleep(0.05)
    writer.close()


async def test_changes_of_other_processes_arrive_too(
    edge: Edge, admin: httpx.AsyncClient, server: WebServer
) -> None:
    number = await add_station(admin, "CP-1", edge)
    async with _stream(server, edge, "operator") as stream:
        await edge.db.service.execute("UPDATE station SET name = 'Renamed' WHERE id = $1", number)
        async with edge.db.service.acquire() as connection:
            [changed] = await list_records(connection, [number])
        edge.bus.publish(StationChanged(changed))
        tick = await stream.until(lambda tick: "stations" in tick)
    assert tick["stations"] == {"CP-1": {"name": "Renamed"}}
