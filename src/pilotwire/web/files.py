"""The stations' door to files: `/files`. Who knows an address may use it; a command makes it, for one transfer."""

import base64
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from pilotwire.core.errors import Invalid, PilotwireError, Unavailable
from pilotwire.domain.transfers.errors import UnknownAddress
from pilotwire.domain.transfers.model import TOKEN_LENGTH, Delivery
from pilotwire.domain.transfers.usecases import serve_stations
from pilotwire.domain.transfers.usecases.serve_stations import Counter, Uploaded
from pilotwire.web.connection import has_arrived
from pilotwire.web.file_streams import Body, FileAnswer, FormFile, stated_size, wanted_range
from pilotwire.web.problems import problem
from pilotwire.web.services import WebServices

__all__ = ["counter_of", "router"]

router = APIRouter()

_AHEAD_BYTES = 1024 * 1024


def counter_of(services: WebServices) -> Counter:
    """Give what files are served with. Raises: Unavailable in a process without a store."""
    if services.store is None:
        raise Unavailable("this process keeps no files")
    return Counter(services.db, services.store, services.bus, services.clock)


@router.api_route(
    "/files/firmware/{token}/{name}", methods=["GET", "HEAD"], include_in_schema=False, response_model=None
)
async def fetch_firmware(request: Request, token: str) -> FileAnswer | Response:
    """Give a station its firmware, or the part that it still needs."""
    counter = counter_of(request.app.state.services)
    from_head = request.method == "HEAD"
    delivery = await serve_stations.look_up_firmware(counter, token, _address(request), start=not from_head)
    headers = _headers(delivery)
    asked = None if from_head else request.headers.get("range")
    if request.headers.get("if-range") not in (None, headers["ETag"]):
        asked = None
    try:
        part = wanted_range(asked, delivery.size_bytes)
    except ValueError as error:
        answer = problem("invalid", str(error), headers={"Content-Range": f"bytes */{delivery.size_bytes}"})
        answer.status_code = 416
        return answer
    start, end = part or (0, delivery.size_bytes)
    headers["Content-Length"] = str(end - start)
    if from_head:
        return FileAnswer(200, headers, None)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{delivery.size_bytes}"

    parts = serve_stations.read_firmware(counter, delivery, start, end)
    account = _Account(counter, delivery, end - start, to_the_end=end == delivery.size_bytes)
    return FileAnswer(200 if part is None else 206, headers, parts, account)


class _Account:
    """Counts the uses of an address: one is over before the last byte goes out, and given back if it does not arrive.

    A station that reads slowly, or whose network has gone, may try again after a few seconds. What goes out is counted
    before it does, some of it ahead: of a process that dies in between too much may be counted and not too little, so
    that a download which goes on afterwards comes to its end.
    """

    def __init__(self, counter: Counter, delivery: Delivery, size_bytes: int, *, to_the_end: bool) -> None:
        self._counter = counter
        self._delivery = delivery
        self._size_bytes = size_bytes
        self._to_the_end = to_the_end
        self._counted_bytes = 0
        self._used = False

    async def going_out(self, sent_bytes: int) -> None:
        """Count ahead; with the last part, the use that it makes."""
        if sent_bytes >= self._size_bytes:
            self._used = await self._count(sent_bytes, to_the_end=self._to_the_end)
        elif sent_bytes > self._counted_bytes:
            await self._count(min(sent_bytes + _AHEAD_BYTES, self._size_bytes - 1))

    async def ended(self, scope: Scope, sent_bytes: int) -> None:
        """Count what went out; settle the use, or give it back."""
        if not self._used:
            await self._count(sent_bytes)
        elif sent_bytes == self._size_bytes and await has_arrived(scope):
            await serve_stations.settle(self._counter, self._delivery)
        else:
            await serve_stations.give_back(self._counter, self._delivery)

    async def _count(self, sent_bytes: int, *, to_the_end: bool = False) -> bool:
        if sent_bytes == self._counted_bytes and not to_the_end:
            return False
        more, self._counted_bytes = sent_bytes - self._counted_bytes, sent_bytes
        return await serve_stations.note_sent(self._counter, self._delivery, more, to_the_end=to_the_end)


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{delivery.file_name}"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{delivery.sha256.hex()}"',
        # Of the whole file, also in the answer to a range. Spec: RFC 9530 3.
        "Repr-Digest": f"sha-256=:{base64.b64encode(delivery.sha256).decode()}:",
    }


@router.api_route(
    "/files/logs/{address:path}", methods=["PUT", "POST"], include_in_schema=False, response_model=None
)
async def deliver_log(request: Request, address: str) -> Response:
    """Take a station's log: as the body of PUT or POST, or as a file in a form.

    The address is a directory to 1.6 stations: some put their file's name behind it, with a slash of their own or none.
    """
    services: WebServices = request.app.state.services
    counter = counter_of(services)
    body = Body(request)
    token, name = address[:TOKEN_LENGTH], address[TOKEN_LENGTH:].strip("/")
    try:
        if len(token) < TOKEN_LENGTH:
            raise UnknownAddress("a command makes the address")
        reception = await serve_stations.find_reception(counter, token)
        uploaded = _uploaded(request, body.parts(), name, services.maximum_log_bytes)
        await serve_stations.deliver_log(counter, reception, uploaded, services.maximum_log_bytes)
    except PilotwireError:
        await body.drain()
        raise
    except ClientDisconnect as error:
        raise Invalid("the delivery broke off") from error
    return Response(status_code=201)


def _uploaded(request: Request, body: AsyncIterator[bytes], name: str, maximum_bytes: int) -> Uploaded:
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return Uploaded(body, lambda: name, stated_size(request), _address(request))
    form = FormFile(kind, body, maximum_bytes)
    # The form around the file counts too, so that its size is not the file's.
    return Uploaded(form.parts(), lambda: name or form.file_name, None, _address(request))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
