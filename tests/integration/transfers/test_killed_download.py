"""A download that the end of the server cut off: to be continued, or begun anew, and whole only once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from tests.support.edge import migrated_database
from tests.support.operations import eventually
from tests.support.postgres import drop_database
from tests.support.server_process import ServerProcess, add_stations
from tests.support.stations import Station, station

KEY = "pw_test-key-of-the-downloads-00001"
CONTENT = bytes(range(256)) * 32_768  # 8 MiB
HEADERS = {"Authorization": f"Bearer {KEY}"}


class SlowReader:
    """A download of which no more is taken than asked for; little of it waits in between."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begin(cls, location: str) -> "SlowReader":
        parts = urlsplit(location)
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, (parts.hostname, parts.port))
        reader, writer = await asyncio.open_connection(sock=wire, limit=16_384)
        writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return cls(reader, writer)

    async def take(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    def vanish(self) -> None:
        self._writer.transport.abort()


class Downloads:
    """A server that may be killed, and the address that it gave to a station."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self.dsn = dsn
        self._directory = directory
        self.server: ServerProcess

    async def start(self) -> None:
        ports = (self.server.http_port, self.server.ocpp_port) if hasattr(self, "server") else (0, 0)
        self.server = await ServerProcess.start(self.dsn, self._directory, KEY, ports)

    async def order(self, cp: Station) -> str:
        """Have the station told where its firmware is."""
        await cp.boot()
        async with httpx.AsyncClient(base_url=self.server.url, headers=HEADERS, timeout=30) as http:
            body = {"vendor": "Acme", "version": "2.1.0", "file_name": "fw.bin"}
            image = (await http.post("/api/v1/firmware", json=body)).json()["id"]
            stored = await http.put(f"/api/v1/firmware/{image}/content", content=CONTENT)
            assert stored.status_code == 200, stored.text
            order = {"command": "update_firmware", "image_id": image, "any_make": True}
            given = await http.post("/api/v1/stations/CP-1/commands", json=order)
            assert given.status_code == 202, given.text
        await eventually(lambda: [each for each in cp.calls if each[0] == "UpdateFirmware"])
        location: str = next(payload for action, payload in cp.calls if action == "UpdateFirmware")[
            "firmware"
        ]["location"]
        return location

    async def uses_left(self) -> int:
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(await connection.fetchval("SELECT uses_left FROM file_grant"))
        finally:
            await connection.close()


@pytest.fixture
async def downloads(postgres_server: str, tmp_path: Path) -> AsyncIterator[Downloads]:
    dsn = migrated_database(postgres_server)
    await add_stations(dsn, ["CP-1"])
    made = Downloads(dsn, tmp_path)
    await made.start()
    yield made
    await made.server.kill()
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


@asynccontextmanager
async def ordered(downloads: Downloads) -> AsyncIterator[str]:
    async with station(
        downloads.server.stations_url, "CP-1", "2.0.1", answer=lambda *_: {"status": "Accepted"}
    ) as cp:
        yield await downloads.order(cp)


async def test_killed_before_the_last_bytes_have_arrived(downloads: Downloads) -> None:
    async with ordered(downloads) as location:
        reader = await SlowReader.begin(location)
        got = b""
        async with asyncio.timeout(20):
            # Of what is not read little is under way; when the last part is, its use is counted already.
            while await downloads.uses_left():
                got += await reader.take(32_768)
        assert len(got) < len(CONTENT)
        await downloads.server.kill()
        reader.vanish()
    await downloads.start()
    async with httpx.AsyncClient(timeout=30) as http:
        rest = await http.get(location, headers={"Range": f"bytes={len(got)}-"})
        assert (rest.status_code, got + rest.content) == (206, CONTENT)
        for headers in ({}, {"Range": f"bytes={len(got)}-"}):
            assert (await http.get(location, headers=headers)).status_code == 410


async def test_killed_in_the_middle_it_is_continued_and_then_over(downloads: Downloads) -> None:
    async with ordered(downloads) as location:
        reader = await SlowReader.begin(location)
        got = await reader.take(len(CONTENT) // 2)
        await downloads.server.kill()
        reader.vanish()
    await downloads.start()
    async with httpx.AsyncClient(timeout=30) as http:
        rest = await http.get(location, headers={"Range": f"bytes={len(got)}-"})
        assert (rest.status_code, got + rest.content) == (206, CONTENT)
        assert (await http.get(location)).status_code == 410


async def test_killed_in_the_middle_it_is_begun_anew_and_then_over(downloads: Downloads) -> None:
    async with ordered(downloads) as location:
        reader = await SlowReader.begin(location)
        await reader.take(len(CONTENT) // 2)
        await downloads.server.kill()
        reader.vanish()
    await downloads.start()
    async with httpx.AsyncClient(timeout=30) as http:
        assert (await http.get(location)).content == CONTENT
        assert (await http.get(location)).status_code == 410


async def test_what_had_arrived_stays_over_after_a_kill(downloads: Downloads) -> None:
    async with ordered(downloads) as location:
        async with httpx.AsyncClient(timeout=30) as http:
            assert (await http.get(location)).content == CONTENT
        async with asyncio.timeout(20):
            while await is_settling(downloads):  # noqa: ASYNC110 - the state of another process
                await asyncio.sleep(0.05)
        await downloads.server.kill()
    await downloads.start()
    async with httpx.AsyncClient(timeout=30) as http:
        assert (await http.get(location)).status_code == 410


async def is_settling(downloads: Downloads) -> bool:
    connection = await asyncpg.connect(downloads.dsn)
    try:
        return bool(await connection.fetchval("SELECT settling_since IS NOT NULL FROM file_grant"))
    finally:
        await connection.close()
