"""Stations for tests: plain frames over `websockets`, in any version, right or wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from tests.support.edge import PASSWORD, basic_header

__all__ = ["SILENCE", "Refused", "Station", "moment", "station"]

PATIENCE_S = 60.0
SILENCE: dict[str, Any] = {"says": "nothing"}
"""What a station answers that does not answer at all."""
Answer = Callable[[str, dict[str, Any]], dict[str, Any] | None]
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def moment(seconds: float = 0) -> str:
    """A time of the tests' day, as stations write it."""
    return (T0 + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Refused(Exception):
    """The server answered with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


class Station:
    """One connection of a station. It answers the server's calls by `answer` (None: NotSupported)."""

    def __init__(self, socket: ClientConnection, answer: Answer | None = None) -> None:
        self.socket = socket
        self.answer = answer or (lambda action, payload: None)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._said = 0
        self._reader = asyncio.create_task(self._read())

    async def call(self, action: str, payload: Any, *, message_id: str | None = None) -> Any:
        """Call the server and return the payload of its answer.

        Raises: Refused, ConnectionClosed, TimeoutError.
        """
        self._said += 1
        message_id = message_id or f"m{id(self):x}-{self._said}"
        return await self.exchange(
            json.dumps([2, message_id, action, payload], ensure_ascii=False), message_id
        )

    async def exchange(self, text: str | bytes, message_id: str) -> Any:
        """Send any text and wait for the answer to a message id."""
        waiting = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(text, text=True)
            async with asyncio.timeout(PATIENCE_S):
                return await waiting
        finally:
            self._waiting.pop(message_id, None)

    async def send(self, text: str | bytes) -> None:
        """Send any text and wait for nothing."""
        await self.socket.send(text, text=True)

    async def boot(self) -> dict[str, Any]:
        """Boot in the words of the connection's version."""
        if self.socket.subprotocol == "ocpp1.6":
            payload: dict[str, Any] = {"chargePointVendor": "Acme", "chargePointModel": "One"}
        else:
            payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
        answer: dict[str, Any] = await self.call("BootNotification", payload)
        return answer

    async def close_code(self) -> int | None:
        """Wait until the server has closed the socket, and give the code."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code

    async def close(self) -> None:
        """Leave."""
        await self.socket.close()
        await asyncio.gather(self._reader, return_exceptions=True)

    def drop(self) -> None:
        """Vanish without a word."""
        self.socket.transport.abort()

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("the server closed the socket"))

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] == 2:
            self.calls.append((frame[2], frame[3]))
            payload = self.answer(frame[2], frame[3])
            if payload is SILENCE:
                return
            answer = [3, frame[1], payload] if payload is not None else [4, frame[1], "NotSupported", "", {}]
            await self.socket.send(json.dumps(answer))
            return
        waiting = self._waiting.get(frame[1])
        if waiting is None or waiting.done():
            return
        if frame[0] == 3:
            waiting.set_result(frame[2])
        else:
            waiting.set_exception(Refused(frame[2], frame[3]))


@asynccontextmanager
async def station(
    url: str,
    identity: str,
    version: str = "2.0.1",
    *,
    password: str = PASSWORD,
    answer: Answer | None = None,
    address: str = "127.0.0.1",
) -> AsyncIterator[Station]:
    """Connect a station from one of this machine's addresses, and disconnect it at the end."""
    socket = await connect(
        f"{url}/{identity}",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": basic_header(identity, password)},
        ping_interval=None,
        compression=None,
        proxy=None,
        max_size=None,
        open_timeout=PATIENCE_S,
        local_addr=(address, 0),
    )
    made = Station(socket, answer)
    try:
        yield made
    finally:
        await made.close()
