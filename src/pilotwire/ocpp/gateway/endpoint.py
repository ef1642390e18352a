"""One listening socket: accepting, admission before TLS, the TLS handshake.

Sockets are accepted here and not by `loop.create_server`, so that a flood is turned away before a transport
or a TLS handshake is paid for, a failed TLS handshake can be told with its address, and a renewed certificate
holds for the next socket. (`loop.start_tls` on an accepted transport is no way: uvloop may read the client's
first bytes before TLS is in place.)
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from time import monotonic

from pilotwire.ocpp.gateway.arrival import BEFORE_REQUEST, Arrival, Reception
from pilotwire.ocpp.gateway.gate import limit_key
from pilotwire.ocpp.gateway.handshake import refusal_bytes
from pilotwire.ocpp.gateway.tls import TlsContext, explain

logger = logging.getLogger(__name__)

_BACKLOG = 4096
_ACCEPTS_PER_WAKE = 64
_PAUSE_WITHOUT_DESCRIPTORS_S = 1.0
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class EndpointSocket:
    """Accepts on one address and brings the sockets to their `Arrival`."""

    def __init__(
        self,
        reception: Reception,
        address: tuple[str, int],
        tls: TlsContext | None,
        arrived: Callable[[Arrival], None],
    ) -> None:
        self._reception = reception
        self._tls = tls
        self._arrived = arrived
        self._socket = _listen(*address)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepted: dict[Arrival, socket.socket] = {}
        """Sockets whose task has not begun: cancelled now it would run nothing, and close nothing."""
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._socket, self._accept)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening and drop the sockets whose TLS handshake is not finished."""
        if self._pause is not None:
            self._pause.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        for task in self._tasks:
            task.cancel()
        while self._accepted:
            arrival, client = self._accepted.popitem()
            client.close()
            self._reception.departed(arrival)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_PER_WAKE):
            try:
                client, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_DESCRIPTORS:
                    raise
                logger.error("no stations are accepted for the moment: %s", error)  # noqa: TRY400
                self._loop.remove_reader(self._socket)
                self._pause = self._loop.call_later(_PAUSE_WITHOUT_DESCRIPTORS_S, self._resume)
                return
            self._receive(client, str(peer[0]))

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)

    def _receive(self, client: socket.socket, address: str) -> None:
        client.setblocking(False)
        # Without these the flights of the TLS handshake wait 40 ms for delayed acknowledgements.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_QUICKACK"):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        gate = self._reception.gate
        refusal = gate.refusal_at_accept(limit_key(address), tls=self._tls is not None)
        if refusal is not None:
            gate.log.record(BEFORE_REQUEST, address, refusal.reason)
            if self._tls is None:
                # A fresh socket has room for it; one that has not is closed without an answer.
                _try_send(client, refusal_bytes(refusal))
            client.close()
            return
        deadline = monotonic() + self._reception.wiring.limits.handshake_timeout_s
        arrival = Arrival(self._reception, address, secure=self._tls is not None, deadline=deadline)
        self._arrived(arrival)
        self._accepted[arrival] = client
        task = self._loop.create_task(self._connect(client, arrival))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: socket.socket, arrival: Arrival) -> None:
        del self._accepted[arrival]
        limits = self._reception.wiring.limits
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(lambda: arrival, client)
            else:
                await self._loop.connect_accepted_socket(
                    lambda: arrival,
                    client,
                    ssl=self._tls.current,
                    ssl_handshake_timeout=limits.handshake_timeout_s,
                    ssl_shutdown_timeout=limits.close_timeout_s,
                )
        except (OSError, EOFError) as error:
            if self._tls is not None:
                self._reception.gate.log.record(BEFORE_REQUEST, arrival.address, *explain(error))
            self._reception.departed(arrival)
        except asyncio.CancelledError:
            self._reception.departed(arrival)
            raise


def _try_send(client: socket.socket, data: bytes) -> bool:
    try:
        return client.send(data) == len(data)
    except OSError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    if host in ("", "*") and socket.has_dualstack_ipv6():
        listening = socket.create_server(
            ("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    elif ":" in host:
        listening = socket.create_server((host, port), family=socket.AF_INET6, backlog=_BACKLOG)
    else:
        listening = socket.create_server(("" if host == "*" else host, port), backlog=_BACKLOG)
    listening.setblocking(False)
    return listening
