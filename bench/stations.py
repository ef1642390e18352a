"""The load generator's stations: one WebSocket each, one outstanding CALL each, every answer checked."""

import asyncio
import base64
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec
from picows import WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from bench.frames import BOOT, CYCLE, DIALECTS, KIND_NAMES, START, STATUS, STOP, answer_to

_decode = msgspec.json.Decoder(list[Any]).decode
_encode = msgspec.json.encode
_TEXT = WSMsgType.TEXT


class Run:
    """What the stations of one run share: counters, latencies, faults, the clock, what a free one does."""

    def __init__(self, on_free: Callable[["Station", float], None], *, reconnect: bool = False) -> None:
        self.on_free = on_free
        self.reconnect = reconnect
        self.salt = f"{time.time_ns() // 1_000_000:x}"
        self.answered = [0] * len(KIND_NAMES)
        self.latencies_s: array[float] = array("d")
        self.lags_s: array[float] = array("d")
        self.faults: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.refused: Counter[int] = Counter()
        self.server_calls = 0
        self.connected = 0
        self.ready = 0
        self.expected_ready = 0
        self.all_ready = asyncio.Event()
        self.flowing = False
        self.closing = False
        self.now_ms = 0
        self._second = 0
        self._second_text = ""

    async def keep_time(self) -> None:
        """Refresh the clock of the frames' timestamps every 5 ms."""
        while True:
            self.now_ms = time.time_ns() // 1_000_000
            await asyncio.sleep(0.005)

    def stamp(self, at_ms: int) -> str:
        second, millisecond = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{millisecond:03d}Z"

    def fault(self, what: str, example: str) -> None:
        self.faults[what] += 1
        self.examples.setdefault(what, example[:300])

    def became_ready(self) -> None:
        self.ready += 1
        if self.ready == self.expected_ready:
            self.all_ready.set()


class Station(WSListener):
    """A simulated station: it boots, plays its plan, reports ready, then does what the run's mode says."""

    def __init__(self, run: Run, number: int, identity: str, version: str) -> None:
        self.run = run
        self.identity = identity
        self.token_uid = f"BENCHTAG{number % 1_000_000:06d}"
        self.dialect = DIALECTS[version]
        self.build = self.dialect.build
        self.check = self.dialect.check
        self.transport: WSTransport | None = None
        self.transaction_id: int | str = 0
        self.meter_wh = 1000 * (number % 1000)
        self.sequence = 0
        self.status_step = 0
        self.position = 0
        self.plan: list[int] = []
        self.ready = False
        self.backlog: deque[float] = deque()
        self.pending_id = ""
        self._pending_kind = BOOT
        self._due = 0.0
        self._said = 0
        self._prefix = f"{run.salt}-{number}-"
        self._last_ms = 0

    def plan_cycle_from(self, position: int) -> None:
        """Be somewhere inside the charging cycle when ready, so that not all stations start at once."""
        self.position = position
        self.status_step = sum(kind == STATUS for kind in CYCLE[:position]) % 6
        if CYCLE.index(START) < position <= CYCLE.index(STOP):
            self.plan = [START]

    def advance(self, due: float) -> None:
        """Say the next message of the cycle."""
        position = self.position
        self.position = (position + 1) % len(CYCLE)
        self.say(CYCLE[position], due)

    def offer(self, due: float) -> None:
        """Say the next message as soon as the one before is answered; its latency counts from `due`."""
        if self.pending_id:
            self.backlog.append(due)
        else:
            self.run.lags_s.append(time.perf_counter() - due)
            self.advance(due)

    def say(self, kind: int, due: float) -> None:
        run = self.run
        at_ms = run.now_ms
        if at_ms <= self._last_ms:  # a station never gives two messages the same time
            at_ms = self._last_ms + 1
        self._last_ms = at_ms
        self._said += 1
        message_id = f"{self._prefix}{self._said}"
        self.pending_id = message_id
        self._pending_kind = kind
        self._due = due
        assert self.transport is not None
        self.transport.send(_TEXT, self.build[kind](self, message_id, run.stamp(at_ms)))

    def on_ws_connected(self, transport: WSTransport) -> None:
        chosen = transport.response.headers.get("Sec-WebSocket-Protocol")
        if chosen != self.dialect.subprotocol:
            self.run.fault("wrong subprotocol", f"{self.identity}: {chosen} for {self.dialect.subprotocol}")
        self.transport = transport
        self.run.connected += 1
        self.say(BOOT, time.perf_counter())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != _TEXT:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()
            return
        now = time.perf_counter()
        try:
            message = _decode(frame.get_payload_as_memoryview())
        except msgspec.DecodeError:
            self.run.fault("answer is no JSON array", frame.get_payload_as_bytes().decode(errors="replace"))
            return
        if message[0] == 3 and message[1] == self.pending_id:
            self._accept_answer(message[2], now)
        else:
            self._accept_other(message)

    def _accept_answer(self, payload: Any, now: float) -> None:
        run = self.run
        kind = self._pending_kind
        self.pending_id = ""
        fault = self.check[kind](self, payload)
        if fault is None:
            run.answered[kind] += 1
            run.latencies_s.append(now - self._due)
        else:
            run.fault(f"wrong answer to {KIND_NAMES[kind]}", f"{self.identity}: {fault}")
        if self.ready:
            run.on_free(self, now)
        else:
            self._prepare(kind, payload)

    def _prepare(self, kind: int, payload: Any) -> None:
        """Boot until accepted, play the plan, be ready."""
        if kind == BOOT and payload.get("status") != "Accepted":
            self.run.refused[0] += 1
            delay_s = max(float(payload.get("interval", 0)), 0.2)
            asyncio.get_running_loop().call_later(delay_s, self._boot_again)
        elif self.plan:
            self.say(self.plan.pop(0), time.perf_counter())
        else:
            self.ready = True
            self.run.became_ready()

    def _boot_again(self) -> None:
        if self.transport is not None and not self.pending_id:
            self.say(BOOT, time.perf_counter())

    def _accept_other(self, message: list[Any]) -> None:
        run = self.run
        if message[0] == 2 and self.transport is not None:
            run.server_calls += 1
            payload = answer_to(message[2], message[3])
            answer = [4, message[1], "NotSupported", "", {}] if payload is None else [3, message[1], payload]
            self.transport.send(_TEXT, _encode(answer))
        elif message[0] == 4:
            kind = KIND_NAMES[self._pending_kind]
            run.fault(f"CALLERROR to {kind}", f"{self.identity}: {message}")
            if message[1] == self.pending_id:
                self.pending_id = ""
                if self.ready:
                    run.on_free(self, time.perf_counter())
        elif message[0] != 6:
            run.fault("answer to nothing that was asked", f"{self.identity}: {message}")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        run = self.run
        run.connected -= 1
        if run.closing:
            return
        if not self.ready and run.reconnect:
            run.refused[-1] += 1
            self.pending_id = ""
            return
        close = transport.close_handshake
        run.fault(
            "connection lost",
            f"{self.identity}: {close.recv.code if close and close.recv else 'no close frame'}",
        )


class Connector:
    """Connects stations as fast as the server lets it, honouring 429 and 503 with Retry-After."""

    def __init__(
        self, url: str, password: str, window: int, *, sources: int = 1, give_up_s: float = 120
    ) -> None:
        """`sources`: how many loopback addresses the stations are spread over."""
        self._url = url.rstrip("/")
        self._password = password
        self._gate = asyncio.Semaphore(window)
        self._sources = sources
        self._given_sources = 0
        self._give_up_s = give_up_s

    async def connect(self, station: Station) -> None:
        """Return when the station is connected; with `run.reconnect`, when it is ready."""
        run = station.run
        until = time.monotonic() + self._give_up_s
        while time.monotonic() < until:
            wait_s = await self._attempt(station)
            if wait_s == 0:
                if not run.reconnect or await self._booted(station, until):
                    return
                wait_s = 0.5
            await asyncio.sleep(wait_s)
        run.fault("could not connect", station.identity)

    async def connect_all(self, stations: list[Station]) -> None:
        async with asyncio.TaskGroup() as group:
            for station in stations:
                group.create_task(self.connect(station))

    async def _attempt(self, station: Station) -> float:
        """Try once; give 0 on success, else the seconds to wait."""
        secret = base64.b64encode(f"{station.identity}:{self._password}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Sec-WebSocket-Protocol": station.dialect.subprotocol}
        run = station.run
        source: dict[str, Any] = {} if self._sources == 1 else {"local_addr": (self._next_source(), 0)}
        async with self._gate:
            try:
                await ws_connect(
                    lambda: station,
                    f"{self._url}/{station.identity}",
                    extra_headers=headers,
                    websocket_handshake_timeout=60,
                    read_buffer_init_size=1024,
                    use_aiofastnet=False,  # measured: uvloop's own transport costs a tenth less per message
                    **source,
                )
            except WSInvalidStatusError as error:
                status = int(error.response.status) if error.response else 0
                if status not in (429, 503) or error.response is None:
                    run.fault(f"handshake answered {status}", station.identity)
                    return 5.0
                run.refused[status] += 1
                retry_after = str(error.response.headers.get("Retry-After", "1"))
                return max(float(retry_after) if retry_after.isdigit() else 1.0, 0.1)
            except (WSError, OSError, TimeoutError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError):
                    raise
                run.refused[-1] += 1
                return 1.0
        return 0

    def _next_source(self) -> str:
        number = self._given_sources % self._sources
        self._given_sources += 1
        return f"127.0.{number // 250}.{number % 250 + 1}"

    @staticmethod
    async def _booted(station: Station, until: float) -> bool:
        while time.monotonic() < until:
            if station.ready:
                return True
            if station.transport is None:
                return False
            await asyncio.sleep(0.05)
        return False
