"""Stations that write down every answer, and deliver again what was not answered, as real stations do."""

import asyncio
import base64
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from bench.frames import BOOT, DIALECTS, HEARTBEAT, KIND_NAMES, SAMPLES, START, STATUS, STOP, answer_to

_decode = msgspec.json.Decoder(list[Any]).decode
ANSWER_PATIENCE_S = 120.0


@dataclass
class Charge:
    """A charging session as its station knows it; `samples`: the register in Wh, and whether answered."""

    identity: str
    started_at: datetime
    meter_start_wh: int
    transaction_id: int | str = ""
    start_answered: bool = False
    stop_answered: bool = False
    meter_stop_wh: int = 0
    samples: dict[datetime, tuple[int, bool]] = field(default_factory=dict)


@dataclass
class Journal:
    """What the stations of one round know for certain."""

    answered: set[tuple[str, str]] = field(default_factory=set)
    """(identity, message id) of every CALL that got its CALLRESULT"""
    charges: list[Charge] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    disconnects: int = 0
    repeats: int = 0


class CrashStation:
    """A station that charges again and again until it is told to stop; a `bench.frames.Speaker`."""

    def __init__(self, url: str, identity: str, password: str, version: str, journal: Journal) -> None:
        self.identity = identity
        self.token_uid = f"BENCHTAG{int(identity[-5:]) - 1:06d}"
        self.transaction_id: int | str = 0
        self.meter_wh = 0
        self.sequence = 0
        self.status_step = 0
        self.stopping = False
        self._journal = journal
        self._dialect = DIALECTS[version]
        self._url = f"{url.rstrip('/')}/{identity}"
        secret = base64.b64encode(f"{identity}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}
        self._socket: ClientConnection | None = None
        self._random = random.Random(identity)
        self._salt = f"{time.time_ns() // 1000:x}"
        self._said = 0
        self._last_ms = 0

    async def run(self) -> None:
        """Boot and charge until `stopping`; the session that is open then is still brought to its end."""
        await self._say(BOOT)
        while not self.stopping:
            await self._charge()
        if self._socket is not None:
            await self._socket.close()

    async def _charge(self) -> None:
        await self._say(STATUS)
        charge = Charge(self.identity, self._now(), self.meter_wh)
        self._journal.charges.append(charge)
        charge.start_answered = await self._say(START, charge.started_at)
        charge.transaction_id = self.transaction_id
        await self._say(STATUS)
        for _ in range(self._random.randint(2, 12)):
            if self.stopping:
                break
            if self._random.random() < 0.25:
                await self._say(HEARTBEAT)
            at = self._now()
            charge.samples[at] = (self.meter_wh + 15, False)
            charge.samples[at] = (self.meter_wh + 15, await self._say(SAMPLES, at))
        charge.meter_stop_wh = self.meter_wh
        charge.stop_answered = await self._say(STOP)
        await self._say(STATUS)

    def _now(self) -> datetime:
        """Return a time in whole milliseconds that this station has not used before."""
        self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + 1)
        return datetime.fromtimestamp(self._last_ms / 1000, UTC)

    def _next_id(self) -> str:
        self._said += 1
        return f"{self._salt}-{self._said}"

    async def _say(self, kind: int, at: datetime | None = None) -> bool:
        """Say it until it is answered; what concerns no session is said once. True when rightly answered."""
        await asyncio.sleep(self._random.random() * 0.03)
        message_id = self._next_id()
        stamp = (at or self._now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = self._dialect.build[kind](self, message_id, stamp)
        while True:
            socket = await self._connected()
            try:
                await socket.send(text)
                payload = await asyncio.wait_for(self._answer(socket, message_id), ANSWER_PATIENCE_S)
            except ConnectionClosed:
                self._socket = None
                self._journal.disconnects += 1
                if kind not in (START, SAMPLES, STOP):
                    return False
                self._journal.repeats += 1
                if self._random.random() < 0.5:  # some stations give a repetition a new id, some keep the old
                    new_id = self._next_id()
                    text = text.replace(f'"{message_id}"', f'"{new_id}"', 1)
                    message_id = new_id
                continue
            except TimeoutError:
                return self._fault(f"no answer to {KIND_NAMES[kind]} in {ANSWER_PATIENCE_S:.0f} s: {text}")
            if payload is None:
                return False
            self._journal.answered.add((self.identity, message_id))
            fault = self._dialect.check[kind](self, payload)
            return self._fault(fault) if fault else True

    async def _answer(self, socket: ClientConnection, message_id: str) -> Any:
        """Return the answer's payload, or None for a CALLERROR; answer the server's calls meanwhile."""
        while True:
            message = _decode(await socket.recv())
            if message[0] == 2:
                payload = answer_to(message[2], message[3])
                refusal = [4, message[1], "NotSupported", "", {}]
                answer = refusal if payload is None else [3, message[1], payload]
                await socket.send(msgspec.json.encode(answer).decode())
            elif message[0] == 3 and message[1] == message_id:
                return message[2]
            elif message[0] == 4:
                self._fault(f"CALLERROR {message}")
                return None
            elif message[0] != 6:
                self._fault(f"answer to nothing that was asked: {message}")

    def _fault(self, text: str) -> bool:
        self._journal.faults.append(f"{self.identity}: {text}")
        return False

    async def _connected(self) -> ClientConnection:
        """Return the open connection, or open one, however long the server needs to come back."""
        while self._socket is None:
            try:
                self._socket = await connect(
                    self._url,
                    subprotocols=[Subprotocol(self._dialect.subprotocol)],
                    additional_headers=self._headers,
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                    open_timeout=30,
                )
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
                await asyncio.sleep(0.05 + self._random.random() * 0.2)
        return self._socket
