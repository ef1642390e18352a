"""What every request passes first: a limit on its size, a net for faults, headers for careful browsers."""

from collections.abc import Callable, Mapping

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilotwire.web.problems import problem

__all__ = ["Guard"]

log = structlog.get_logger(__name__)

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


_NO_LIMIT = 2**62


class _TooLarge(Exception):
    """More came than a request may have."""


class Guard:
    """Refuses large bodies, answers faults without a word of their inside, and sets careful headers.

    `is_streamed` tells which requests have a limit of their own, as they are taken part by part.
    """

    def __init__(
        self,
        app: ASGIApp,
        maximum_body_bytes: int = 1024 * 1024,
        larger: Mapping[str, int] | None = None,
        is_streamed: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._maximum = maximum_body_bytes
        self._larger = larger or {}  # by the beginning of the path
        self._is_streamed = is_streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        maximum = next(
            (most for prefix, most in self._larger.items() if scope["path"].startswith(prefix)), self._maximum
        )
        if self._is_streamed(scope):
            maximum = _NO_LIMIT
        request = _Request(receive, send, maximum)
        if _stated_length(scope) > maximum:
            await problem("too_large", f"at most {maximum} bytes")(scope, receive, request.send)
            return
        try:
            await self._app(scope, request.receive, request.send)
        except _TooLarge:
            pass  # answered below
        except Exception:
            if request.started:
                raise
            log.exception("a request failed", method=scope["method"], path=scope["path"])
            await problem("error")(scope, receive, request.send)
        if request.too_large and not request.started:
            request.too_large = False
            await problem("too_large", f"at most {maximum} bytes")(scope, receive, request.send)


class _Request:
    """The two ways of one request, watched."""

    def __init__(self, receive: Receive, send: Send, maximum: int) -> None:
        self._receive = receive
        self._send = send
        self._left = maximum
        self.started = False
        self.too_large = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.too_large = True
                raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.started:
            return  # the framework's guess at why the body could not be read; Guard says it better
        if message["type"] == "http.response.start":
            self.started = True
            headers = message.setdefault("headers", [])
            present = {name.lower() for name, _ in headers}
            message["headers"] = [*headers, *(pair for pair in _HEADERS if pair[0] not in present)]
        await self._send(message)


def _stated_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
