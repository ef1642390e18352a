"""A charging station management system in a page, for tests of the simulator.

It accepts, records and calls. Every frame that a station sends is validated against the official schema of
its version, and so is every answer to a call: a test that runs to its end has shown schema-exact messages.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from itertools import count
from typing import Any

import jsonschema_rs
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}
Payload = dict[str, Any]


@cache
def schema(subprotocol: str, action: str, *, response: bool) -> jsonschema_rs.Validator:
    """The official schema of a message."""
    suffix = (
        ("Response" if response else "")
        if subprotocol == "ocpp1.6"
        else ("Response" if response else "Request")
    )
    path = files("ocpp") / FOLDERS[subprotocol] / "schemas" / f"{action}{suffix}.json"
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8-sig")))


def check(subprotocol: str, action: str, payload: Payload, *, response: bool = False) -> None:
    """Fail when a payload is not what the official schema accepts."""
    errors = [
        f"{subprotocol} {action}: {error.message} at {list(error.instance_path)}"
        for error in schema(subprotocol, action, response=response).iter_errors(payload)
    ]
    assert not errors, errors


def protocol_of(connection: ServerConnection) -> str:
    """What is spoken; a station that offers nothing speaks 1.6."""
    return str(connection.subprotocol or "ocpp1.6")


class CallError(Exception):
    """The station answered a call with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


@dataclass
class TinyCsms:
    """The server's memory and its hand."""

    passwords: dict[str, str] = field(default_factory=dict)
    boot_answers: list[tuple[str, int]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    refuse: dict[str, int] = field(default_factory=dict)
    """How many handshakes of an identity are answered 503."""
    fail: dict[str, int] = field(default_factory=dict)
    """How many calls of an action are answered with a CALLERROR."""
    ssl_context: ssl.SSLContext | None = None
    messages: dict[str, list[tuple[str, Payload]]] = field(default_factory=lambda: defaultdict(list))
    connections: dict[str, ServerConnection] = field(default_factory=dict)
    used_passwords: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    port: int = 0
    transaction_ids: Any = field(default_factory=lambda: count(1001))
    _message_ids: Any = field(default_factory=count)
    _pending: dict[str, asyncio.Future[Payload]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where stations connect to."""
        scheme = "ws" if self.ssl_context is None else "wss"
        return f"{scheme}://127.0.0.1:{self.port}/ocpp"

    def sent(self, identity: str, action: str) -> list[Payload]:
        """What a station said, by action."""
        return [payload for name, payload in self.messages[identity] if name == action]

    def events(self, identity: str) -> list[Payload]:
        """The transaction events of a 2.x station."""
        return self.sent(identity, "TransactionEvent")

    async def until(self, condition: Callable[[], Any], timeout_s: float = 15.0) -> Any:
        """Wait for something to become true."""
        async with asyncio.timeout(timeout_s):
            while not (result := condition()):
                assert not self.problems, self.problems
                await asyncio.sleep(0.01)
        return result

    async def call(self, identity: str, action: str, payload: Payload) -> Payload:
        """Call a station; the question and the answer are checked against their schemas."""
        connection = self.connections[identity]
        subprotocol = protocol_of(connection)
        check(subprotocol, action, payload)
        result = await self.raw_call(identity, action, payload)
        check(subprotocol, action, result, response=True)
        return result

    async def raw_call(self, identity: str, action: str, payload: object) -> Payload:
        """Call a station with whatever."""
        message_id = f"c{next(self._message_ids)}"
        future = self._pending[message_id] = asyncio.get_running_loop().create_future()
        await self.connections[identity].send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(10):
            return await future

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Basic authentication."""
        identity = request.path.rpartition("/")[2]
        header = request.headers.get("Authorization", "")
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        if self.refuse.get(identity, 0) > 0:
            self.refuse[identity] -= 1
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n")
        if user != identity or self.passwords.get(identity, password) != password:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no\n")
        self.used_passwords.append(password)
        return None

    async def serve_station(self, connection: ServerConnection) -> None:
        """One connection from its beginning to its end."""
        assert connection.request is not None
        identity = connection.request.path.rpartition("/")[2]
        self.connections[identity] = connection
        try:
            async for text in connection:
                await self._take(connection, identity, json.loads(text))
        except ConnectionClosed:
            return
        except AssertionError as error:
            self.problems.append(str(error))

    async def _take(self, connection: ServerConnection, identity: str, frame: list[Any]) -> None:
        if frame[0] == 2:
            _, message_id, action, payload = frame
            check(protocol_of(connection), action, payload)
            self.messages[identity].append((action, payload))
            if self.fail.get(action, 0) > 0:
                self.fail[action] -= 1
                await connection.send(json.dumps([4, message_id, "InternalError", "on purpose", {}]))
                return
            result = self.answer(protocol_of(connection), action, payload)
            check(protocol_of(connection), action, result, response=True)
            await connection.send(json.dumps([3, message_id, result]))
            return
        future = self._pending.pop(frame[1])
        if frame[0] == 3:
            future.set_result(frame[2])
        else:
            future.set_exception(CallError(frame[2], frame[3]))

    def answer(self, subprotocol: str, action: str, payload: Payload) -> Payload:
        """What the server says to a station."""
        now = datetime.now(UTC).isoformat()
        if action == "BootNotification":
            status, interval = self.boot_answers.pop(0) if self.boot_answers else ("Accepted", 300)
            return {"status": status, "currentTime": now, "interval": interval}
        if action == "Heartbeat":
            return {"currentTime": now}
        if action == "StartTransaction":
            info = {"status": "Blocked" if payload["idTag"] in self.blocked else "Accepted"}
            return {"transactionId": next(self.transaction_ids), "idTagInfo": info}
        if action == "Authorize" or (action == "TransactionEvent" and "idToken" in payload):
            uid = payload["idTag"] if subprotocol == "ocpp1.6" else payload["idToken"]["idToken"]
            info = {"status": "Blocked" if uid in self.blocked else "Accepted"}
            return {"idTagInfo" if subprotocol == "ocpp1.6" else "idTokenInfo": info}
        if action == "SignCertificate":
            return {"status": "Accepted"}
        return {}


def choose(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The newest subprotocol offered; none is 1.6 too."""
    known = [protocol for protocol in ("ocpp2.1", "ocpp2.0.1", "ocpp1.6") if protocol in offered]
    return Subprotocol(known[0]) if known else None


@asynccontextmanager
async def tiny_csms(**options: Any) -> AsyncIterator[TinyCsms]:
    """Run a server on a free port; what it found wrong fails the test at the end."""
    csms = TinyCsms(**options)
    async with serve(
        csms.serve_station,
        "127.0.0.1",
        csms.port,
        select_subprotocol=choose,
        process_request=csms.admit,
        compression=None,
        ssl=csms.ssl_context,
    ) as server:
        csms.port = server.sockets[0].getsockname()[1]
        yield csms
    assert not csms.problems, csms.problems
