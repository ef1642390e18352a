"""A receiver of webhooks: a small HTTP server that keeps what it gets and answers what the test says."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Received", "Receiver", "receiver"]

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def signed_by(self, secret: str) -> bool:
        """Check the signature as a receiver would, by the text of Standard Webhooks alone."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        proof = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return proof in self.headers["webhook-signature"].split(" ")


Reply = tuple[int, dict[str, str], bytes] | None
"""Status, headers and body; None: no answer at all."""


@dataclass
class Receiver:
    """What came, and what is answered."""

    port: int = 0
    scheme: str = "http"
    reply: Callable[[Received], Reply] = lambda _: (200, {}, b"thanks")
    got: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def wait_for(self, count: int) -> list[Received]:
        """Wait until so many requests have come."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.got) < count:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.02)
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Received(head[0].split(" ")[1], headers, body)
            self.got.append(request)
            reply = self.reply(request)
            if reply is None:
                await asyncio.sleep(PATIENCE_S)
                return
            status, more, answer = reply
            lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in more.items())]
            lines += [f"content-length: {len(answer)}", "connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen on any port of this machine."""
    made = Receiver(scheme="https" if tls else "http")
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
