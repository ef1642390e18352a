"""A real server and real sockets: streams, shutting down, the live page."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from pilotwire.domain.stations.ports import StationConnected
from pilotwire.web.server import WebServer
from tests.support.web import Edge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def server(edge: Edge) -> AsyncIterator[WebServer]:
    server = WebServer(edge.services, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(edge: Edge, server: WebServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {edge.keys['viewer']}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10) as client:
        yield client


def _connected(identity: str) -> StationConnected:
    return StationConnected(1, 7, identity, "1.6", 1, NOON, "192.0.2.1")


async def _until(lines: AsyncIterator[str], wanted: str, most: int = 40) -> list[str]:
    """Read lines until one starts with `wanted`."""
    found: list[str] = []
    async for line in lines:
        found.append(line)
        if line.startswith(wanted) or len(found) >= most:
            return found
    return found


async def test_a_stream_is_followed_broken_and_taken_up_again(edge: Edge, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/api/v1/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        head = await _until(lines, "id:")
        edge.bus.publish(_connected("CP-1"))
        event = await asyncio.wait_for(_until(lines, "data:"), 5)
    assert head[0] == "retry: 2000"
    assert 'data: {"station_id":"CP-1"' in event[-1]
    [last] = [line.removeprefix("id: ") for line in event if line.startswith("id:")]
    edge.bus.publish(_connected("CP-2"))
    async with client.stream("GET", "/api/v1/events", headers={"Last-Event-ID": last}) as answer:
        again = await asyncio.wait_for(_until(answer.aiter_lines(), "data:"), 5)
    assert '"CP-2"' in again[-1]
    async with client.stream("GET", "/api/v1/events", headers={"Last-Event-ID": "ffffffff-7"}) as answer:
        reset = await asyncio.wait_for(_until(answer.aiter_lines(), "data:"), 5)
    assert reset[-2:] == ["event: reset", "data: {}"]


async def test_a_reader_that_goes_away_is_forgotten(server: WebServer, client: httpx.AsyncClient) -> None:
    hub = server.app.state.hub
    async with client.stream("GET", "/api/v1/events") as answer:
        await _until(answer.aiter_lines(), "id:")
        assert hub.readers == 1
    async with asyncio.timeout(5):
        while hub.readers:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)


async def test_stopping_ends_streams_and_frees_the_port(
    edge: Edge, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    server = WebServer(edge.services, "127.0.0.1", 0)
    await server.start()
    async with client.stream("GET", server.url + "/api/v1/events") as answer:
        lines = answer.aiter_lines()
        await _until(lines, "id:")
        await server.stop()
        assert [line async for line in lines if line] == []
    assert "timeout" not in caplog.text, "streams have to end by themselves"
    again = WebServer(edge.services, "127.0.0.1", server.port)
    await again.start()
    await again.stop()


async def test_a_taken_port_is_said_to_be_taken(edge: Edge, server: WebServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await WebServer(edge.services, "127.0.0.1", server.port).start()


async def test_a_stream_without_a_right_is_refused(server: WebServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as anybody:
        assert (await anybody.get("/api/v1/events")).status_code == 401


async def test_the_console_asks_no_third_party(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    if page.status_code == 503:
        pytest.skip("the console is not built: run `make setup`")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text
    wanted = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert len(wanted) >= 3
    for address in wanted:
        assert address.startswith("/")
        assert not address.startswith("//")
        part = await client.get(address)
        assert part.status_code == 200, address
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//", part.text), address
