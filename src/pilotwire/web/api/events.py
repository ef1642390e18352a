"""Live events: `/events`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pilotwire.core.errors import PilotwireError
from pilotwire.domain.identity.model import Right, require, require_no_limit
from pilotwire.web.auth import Asking, identify
from pilotwire.web.events import EventHub, EventReader

__all__ = ["EventStream", "router"]

router = APIRouter(prefix="/api/v1", tags=["events"])

_KEEP_ALIVE_S = 15.0
_SLOWEST_SEND_S = 20.0
_CHECKED_EVERY_S = 60.0


class EventStream(Response):
    """Server-sent events from a reader, until it ends, or the peer goes, stops reading or may not read on."""

    media_type = "text/event-stream"

    def __init__(self, reader: EventReader, allowed: Callable[[], Awaitable[bool]]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-cache"
        self.headers["x-accel-buffering"] = "no"
        self._reader = reader
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Serve the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(self._wait_for_goodbye(receive))
        try:
            await self._send_events(send)
            # A peer that stopped reading cannot be told that this is the end.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), 1)
        finally:
            self._reader.close()
            gone.cancel()

    async def _send_events(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + _CHECKED_EVERY_S
        while (chunk := await self._reader.next_chunk(_KEEP_ALIVE_S)) is not None:
            body = chunk or b": keep-alive\n\n"
            try:
                message = {"type": "http.response.body", "body": body, "more_body": True}
                await asyncio.wait_for(send(message), _SLOWEST_SEND_S)
            except TimeoutError:
                return
            if loop.time() >= check_at:
                check_at = loop.time() + _CHECKED_EVERY_S
                if not await self._allowed():
                    return

    async def _wait_for_goodbye(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.close()


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    responses={200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}},
)
async def stream_events(
    request: Request,
    asking: Asking,
    last_event_id: Annotated[str | None, Header(description="The id after which to go on.")] = None,
) -> EventStream:
    """Follow what happens: `station.connected`, `station.disconnected`, `station.booted`, `station.changed`,
    `station.removed`, `station.security`, `station.progress`, `connector.status`, `session.started`,
    `session.updated` (once a second for each session at most), `session.ended`.

    With `Last-Event-ID` the stream goes on where it broke off. If that is too long ago, `reset` comes first:
    fetch a fresh picture, then go on from here.
    """
    require(asking, Right.VIEW_NETWORK)
    require_no_limit(asking)  # the live stream knows of sites
    hub: EventHub = request.app.state.hub

    async def allowed() -> bool:
        try:
            return await identify(request) == asking
        except PilotwireError:
            return False
        except Exception:
            return True  # the database is away: no reason to shut anybody out

    return EventStream(hub.open(asking.tenant_id, last_event_id), allowed)
