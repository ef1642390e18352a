"""The console's live picture: `/live/snapshot` and `/live/stream`."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pilotwire.core.errors import PilotwireError
from pilotwire.domain.identity.model import Right, require
from pilotwire.web.api.fields import Reason, Shown
from pilotwire.web.auth import Asking, Services, identify
from pilotwire.web.connection import send_part
from pilotwire.web.network.feed import Reader
from pilotwire.web.network.hub import NetworkHub

__all__ = ["LiveStream", "router"]

router = APIRouter(prefix="/api/v1/live", tags=["live"])

_CHECKED_EVERY_S = 60.0


class LiveEvse(Shown):
    """An EVSE; `error_code`, `session_id`, `soc`, `token_uid` and `started_at` are left out when there is none."""

    id: int
    status: str
    connector_status: list[str]
    power_w: float
    energy_wh: int | float = Field(description="Delivered by the session that goes on.")
    error_code: str = ""
    session_id: UUID | None = None
    soc: float | None = Field(default=None, description="Percent.")
    token_uid: str | None = Field(default=None, description="Shortened for those who may not see tokens.")
    started_at: datetime | None = None


class LiveStation(Shown):
    """A station at a glance. `last_seen_at` is as of its last change: a connected station is being heard."""

    id: str
    name: str
    site_id: UUID | None
    site: str | None
    vendor: str
    model: str
    ocpp_version: str | None
    firmware_version: str
    connected: bool
    admission: str
    status: str
    last_seen_at: datetime | None
    power_w: float
    tags: list[str]
    evses: list[LiveEvse]


class LiveFigures(Shown):
    """The network in figures; `charging` counts EVSEs, `faulted` and `pending` stations. Today is the day in UTC."""

    power_w: float
    charging: int
    sessions_active: int
    energy_today_wh: int
    sessions_today: int
    online: int
    total: int
    faulted: int
    pending: int
    statuses: dict[str, int] = Field(description="Stations by status.")
    evse_statuses: dict[str, int] = Field(description="EVSEs by status; `offline` where the station is.")
    attention: dict[str, int] = Field(description="How many matters of each kind there are.")


class LiveMatter(Shown):
    """Something that needs a person."""

    kind: str = Field(examples=["faulted", "stuck_session", "offline", "pending"])
    station_id: str
    site_id: UUID | None
    since: datetime | None
    evse_id: int | None = None
    session_id: UUID | None = None
    detail: str = ""
    reason: Reason | None = Field(None, description="The detail by its code, to say it in another language.")


class LiveSnapshot(Shown):
    """The whole network at one moment; the stream goes on after `id`."""

    id: str
    at: datetime
    stations: list[LiveStation]
    kpi: LiveFigures
    attention: list[LiveMatter] = Field(description="The 200 most urgent; the newest first within a kind.")


class LiveStream(Response):
    """Server-sent ticks from a reader, until it ends, or the peer goes, stops reading or may not read on."""

    media_type = "text/event-stream"

    def __init__(self, reader: Reader, allowed: Callable[[], Awaitable[bool]]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-cache"
        self.headers["x-accel-buffering"] = "no"
        self._reader = reader
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(self._wait_for_goodbye(receive))
        sending = asyncio.create_task(self._send_ticks(scope, send))
        try:
            await asyncio.wait({sending})
            # A peer that stopped reading cannot be told that this is the end.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), 1)
        finally:
            self._reader.close()
            for task in (sending, gone):
                task.cancel()

    async def _send_ticks(self, scope: Scope, send: Send) -> None:
        check_at = time.monotonic() + _CHECKED_EVERY_S
        while (chunk := await self._reader.next_chunk()) is not None:
            await send_part(scope, chunk, send)
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + _CHECKED_EVERY_S
                if not await self._allowed():
                    return

    async def _wait_for_goodbye(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.close()


@router.get("/snapshot", response_model=LiveSnapshot)
async def get_snapshot(
    request: Request,
    asking: Asking,
    services: Services,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Get every station with its EVSEs and what goes on there, the figures, and what needs attention.

    Follow it with `GET /live/stream` and `Last-Event-ID: <id>`.
    """
    require(asking, Right.VIEW_NETWORK)
    hub: NetworkHub = request.app.state.network
    feed = await hub.feed(asking)
    compressed = "gzip" in accept_encoding.lower()
    body = await feed.snapshot(services.clock(), time.monotonic(), compressed=compressed)
    headers = {"Vary": "Accept-Encoding"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/stream",
    status_code=200,
    response_class=LiveStream,
    responses={200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}},
)
async def stream_ticks(
    request: Request,
    asking: Asking,
    last_event_id: Annotated[str | None, Header(description="The id after which to go on.")] = None,
    after: Annotated[
        str, Query(max_length=60, description="The same, for the first request of a page.")
    ] = "",
) -> LiveStream:
    """Follow the live picture: `tick` with what changed, four times a second at most; `ping` every two seconds
    when nothing does; `reset` when the id is too old: fetch the snapshot again.
    """
    require(asking, Right.VIEW_NETWORK)
    hub: NetworkHub = request.app.state.network

    async def allowed() -> bool:
        try:
            return await identify(request) == asking
        except PilotwireError:
            return False
        except Exception:
            return True  # the database is away: no reason to shut anybody out

    feed = await hub.feed(asking)
    return LiveStream(feed.open(last_event_id or after, time.monotonic()), allowed)
