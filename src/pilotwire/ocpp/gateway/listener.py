"""The stations' front door: endpoints, housekeeping and drain.

One coarse timer serves everything that waits: handshakes, closing handshakes, pings and changed certificates.
"""

import asyncio
import logging
import math
import random
import ssl
from dataclasses import dataclass
from time import monotonic

from pilotwire.core.proxies import TrustedProxies
from pilotwire.ocpp.gateway.arrival import Arrival
from pilotwire.ocpp.gateway.connection import StationConnection, Wiring
from pilotwire.ocpp.gateway.endpoint import EndpointSocket
from pilotwire.ocpp.gateway.gate import Gate, limit_key
from pilotwire.ocpp.gateway.handshake_log import HandshakeLog
from pilotwire.ocpp.gateway.keepalive import KeepAliveWheel
from pilotwire.ocpp.gateway.limits import Limits
from pilotwire.ocpp.gateway.ports import ConnectionOwner, Doorkeeper
from pilotwire.ocpp.gateway.tls import TlsContext, TlsFiles

logger = logging.getLogger(__name__)

GOING_AWAY = 1001
SERVICE_RESTART = 1012

_DRAIN_STAGE = 50
_DRAIN_STAGES_MAX = 40
_DRAIN_PAUSE_S = 0.25
_TLS_WATCH_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a listener listens; `port` is the real one when 0 was asked for."""

    host: str
    port: int
    secure: bool


class Listener:
    """Accepts stations on one or more endpoints and keeps their sockets."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        owner: ConnectionOwner,
        limits: Limits | None = None,
        *,
        prefix: str = "/ocpp",
        handshake_log: HandshakeLog | None = None,
        tls_watch_s: float = _TLS_WATCH_S,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self.proxies = proxies or TrustedProxies()
        limits = limits or Limits()
        self.handshake_log = handshake_log if handshake_log is not None else HandshakeLog()
        self.gate = Gate(doorkeeper, limits, self.handshake_log, prefix, monotonic)
        self.wiring = Wiring(owner, self, limits)
        self._limits = limits
        self._tls_watch_s = tls_watch_s
        self._tls_looked_at = monotonic()
        self._endpoints: list[EndpointSocket] = []
        self._contexts: list[TlsContext] = []
        self._roots_pem = ""
        self._open: set[StationConnection] = set()
        self._arrivals: dict[Arrival, None] = {}
        self._closing: dict[StationConnection, float] = {}
        self._wheel = KeepAliveWheel(limits.ping_interval_s, monotonic())
        self._tick_s = min(
            1.0, self._wheel.tick_s, limits.close_timeout_s / 4, limits.handshake_timeout_s / 4
        )
        self._timer: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many stations are connected."""
        return self.gate.connected.total

    @property
    def pending(self) -> int:
        """How many sockets have not finished their handshake."""
        return self.gate.pending.total

    def recall_success(self, identity: str, remote_address: str) -> None:
        """Tell, after a start, from where a station was last admitted, so that guessing cannot hold it up."""
        self.gate.attempts.remember(identity, limit_key(remote_address), monotonic())

    async def start(self, host: str, port: int, tls: TlsFiles | None = None) -> Endpoint:
        """Listen on one more endpoint. Raises: OSError, ssl.SSLError (the certificate files)."""
        context = TlsContext(tls, self._roots_pem) if tls is not None else None
        endpoint = EndpointSocket(self, (host, port), context, self._arrived)
        self._endpoints.append(endpoint)
        if context is not None:
            self._contexts.append(context)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_s, self._tick)
        return Endpoint(host, endpoint.port, context is not None)

    def trust(self, roots_pem: str) -> None:
        """Let stations show certificates of these authorities (PEM) on every TLS endpoint, beside its client CA file.

        Raises: ssl.SSLError for text that is no PEM; what was trusted before then stays.
        """
        if roots_pem == self._roots_pem:
            return
        for context in self._contexts:
            context.trust(roots_pem)
        self._roots_pem = roots_pem

    def reload_tls(self) -> bool:
        """Read all certificate files again; new handshakes use them. On a fault the old ones stay in use."""
        outcomes = [self._reload(context) for context in self._contexts]
        return all(outcomes)

    async def drain(self, timeout_s: float, code: int = GOING_AWAY) -> None:
        """Stop accepting, ask all stations to leave in stages, wait, and drop those that stayed.

        The stages are apart by random pauses, so that the stations do not all come to the next gateway at
        once.
        """
        self.gate.draining = True
        deadline = monotonic() + timeout_s
        for endpoint in self._endpoints:
            endpoint.close()
        for arrival in tuple(self._arrivals):
            arrival.turn_away()
        waiting = list(self._open)
        random.shuffle(waiting)
        size = max(_DRAIN_STAGE, math.ceil(len(waiting) / _DRAIN_STAGES_MAX))
        stages = [waiting[i : i + size] for i in range(0, len(waiting), size)]
        pause_s = min(_DRAIN_PAUSE_S, timeout_s / 2 / max(1, len(stages)))
        for number, stage in enumerate(stages):
            if number:
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            for connection in stage:
                connection.close(code, "server stops")
        await self._wait_empty(deadline - monotonic())
        for connection in tuple(self._open):
            connection.abort("server stopped")
        await self._wait_empty(1.0)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._endpoints.clear()

    async def _wait_empty(self, timeout_s: float) -> None:
        if not self._open and not self._arrivals:
            return
        self._empty.clear()
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await self._empty.wait()
        except TimeoutError:
            return

    # ---- arrivals ------------------------------------------------------------------------------------------

    def _arrived(self, arrival: Arrival) -> None:
        self._arrivals[arrival] = None
        self.gate.pending.enter(arrival.limit_key)

    def departed(self, arrival: Arrival) -> None:
        """A handshake is decided, or its socket gone. Repeats: nothing happens."""
        if arrival in self._arrivals:
            del self._arrivals[arrival]
            self.gate.pending.leave(arrival.limit_key)
        self._notify_if_empty()

    # ---- connections ---------------------------------------------------------------------------------------

    def connection_opened(self, connection: StationConnection) -> None:
        """A station is in."""
        self._open.add(connection)
        self.gate.connected.enter(connection.limit_key)
        self._wheel.add(connection)
        if not connection.is_pinged:
            connection.enable_tcp_keepalive(self._limits.ping_interval_s)

    def connection_closing(self, connection: StationConnection) -> None:
        """Its closing handshake began."""
        self._closing[connection] = monotonic() + self._limits.close_timeout_s

    def connection_ended(self, connection: StationConnection) -> None:
        """Its socket is gone."""
        self._open.discard(connection)
        self._closing.pop(connection, None)
        self._wheel.remove(connection)
        self.gate.connected.leave(connection.limit_key)
        self._notify_if_empty()

    def _notify_if_empty(self) -> None:
        if not self._open and not self._arrivals:
            self._empty.set()

    # ---- housekeeping --------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick_s, self._tick)
        now = monotonic()
        # Both are in the order of their deadlines.
        for arrival in tuple(self._arrivals):
            if arrival.deadline > now:
                break
            arrival.expire()
        for connection, deadline in tuple(self._closing.items()):
            if deadline > now:
                break
            connection.abort()
        self._wheel.turn(now)
        if self._contexts and now - self._tls_looked_at >= self._tls_watch_s:
            self._tls_looked_at = now
            for context in self._contexts:
                if context.has_changed():
                    self._reload(context)

    def _reload(self, context: TlsContext) -> bool:
        try:
            context.reload()
        except (OSError, ssl.SSLError) as error:
            context.ignore_present_files()
            logger.error("the TLS files cannot be read; the old ones stay in use: %s", error)  # noqa: TRY400
            return False
        logger.info("TLS certificate files read again")
        return True
