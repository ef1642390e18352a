"""A proxy before PostgreSQL that cuts connections at the worst moment: when a COMMIT is on its way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import parse_qs, urlsplit

__all__ = ["CommitProxy", "Cut", "commit_proxy"]


class Cut(Enum):
    """What happens to the connection that carries the next COMMIT; its client sees a lost connection each time."""

    BEFORE = "the server never gets it"
    AFTER = "the server has committed"
    LATE = "the server gets it when the client has long come back on another connection"


class CommitProxy:
    """Passes bytes between a client and PostgreSQL's socket; `cut` says what the next COMMIT meets."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self.cut: Cut | None = None
        self.cuts = 0
        self.refuse = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._late: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.refuse:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self._socket_path)
        self._writers |= {writer, server_writer}
        back = asyncio.create_task(self._pass(server_reader, writer))
        needed_later = False
        try:
            while data := await reader.read(65536):
                if self.cut is not None and b"COMMIT\0" in data and b"writer_position" in data:
                    cut, self.cut = self.cut, None
                    self.cuts += 1
                    back.cancel()
                    needed_later = cut is Cut.LATE
                    await self._cut(cut, data, server_reader, server_writer, writer)
                    return
                server_writer.write(data)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            writer.close()
            if not needed_later:
                server_writer.close()

    async def _cut(
        self,
        cut: Cut,
        data: bytes,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        if cut is Cut.AFTER:
            server_writer.write(data)
            answer = b""
            while b"COMMIT\0" not in answer:
                answer += await server_reader.read(65536)
        elif cut is Cut.LATE:
            self._late.add(asyncio.create_task(self._send_later(data, server_writer)))
        writer.transport.abort()

    async def _send_later(self, data: bytes, server_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1.0)
        server_writer.write(data)
        await asyncio.sleep(0.5)
        server_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def settle(self) -> None:
        """Wait until late COMMITs have gone out."""
        await asyncio.gather(*self._late, return_exceptions=True)
        self._late.clear()

    def close(self) -> None:
        """Drop all connections."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def commit_proxy(dsn: str) -> AsyncIterator[tuple[CommitProxy, str]]:
    """Put a proxy before the server of a DSN with a Unix socket; give it and the DSN that leads through it."""
    parts = urlsplit(dsn)
    options = parse_qs(parts.query)
    proxy = CommitProxy(f"{options['host'][0]}/.s.PGSQL.{options['port'][0]}")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}?sslmode=disable"
    finally:
        await proxy.settle()
        proxy.close()
        server.close()
