"""Files over HTTP: bodies that come in as streams, answers of which a part may be asked for."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pilotwire.core.errors import Invalid
from pilotwire.domain.transfers.errors import FileTooLarge

__all__ = ["Body", "FileAnswer", "FormFile", "is_streamed", "stated_size", "wanted_range"]

_STREAMED = re.compile(r"/files/|/api/v1/firmware/[^/]+/content$")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FORM_EXTRA = 64 * 1024
_DRAIN_BYTES = 8 * 1024 * 1024
_DRAIN_S = 5.0


def is_streamed(scope: Scope) -> bool:
    """Tell whether a request's body is taken as a stream with a limit of its own."""
    return scope["method"] in ("PUT", "POST") and _STREAMED.match(scope["path"]) is not None


def stated_size(request: Request) -> int | None:
    """Give the size that a request announces for its body."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class Body:
    """The body of a request, part by part."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._complete = False

    async def parts(self) -> AsyncIterator[bytes]:
        """Give what comes. Raises: ClientDisconnect when it breaks off."""
        while not self._complete:
            if part := await self._next():
                yield part

    async def drain(self) -> None:
        """Read on a little after a refusal, so that the sender comes to read the answer."""
        if "expect" in self._request.headers:  # it has not sent the body yet
            return
        left = _DRAIN_BYTES
        with contextlib.suppress(ClientDisconnect, TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0 and not self._complete:
                    left -= len(await self._next())

    async def _next(self) -> bytes:
        message = await self._request.receive()
        if message["type"] == "http.disconnect":
            self._complete = True
            raise ClientDisconnect
        self._complete = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Give the part of a file that a Range header asks for; None for the whole file.

    A header with several ranges or in another unit may be ignored. Spec: RFC 9110 14.2.
    Raises: ValueError when no such part is there.
    """
    if not header:
        return None
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    if start >= size or end <= start:
        raise ValueError(f"the file has {size} bytes")
    return start, end


class Account(Protocol):
    """Keeps account of what was sent."""

    async def going_out(self, sent_bytes: int) -> None:
        """Take note of how much it will be with the part that is about to go out."""
        ...

    async def ended(self, scope: Scope, sent_bytes: int) -> None:
        """Take note of the end, good or bad."""
        ...


class FileAnswer(Response):
    """Sends a file or a part of it; stops reading it when the other side is gone.

    Its headers have the Content-Length. An `account` is told before each part goes out, and at the end.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        parts: AsyncIterator[bytes] | None,
        account: Account | None = None,
    ) -> None:
        super().__init__(status_code=status, headers=headers)
        self._parts = parts
        self._size_bytes = int(headers["Content-Length"])
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sent_bytes = 0
        gone = asyncio.Event()
        listening = asyncio.create_task(_listen(receive, gone))
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            if self._parts is not None:
                async with aclosing(self._parts) as parts:  # type: ignore[type-var]  # a generator
                    async for part in parts:
                        if self._account is not None:
                            await self._account.going_out(sent_bytes + len(part))
                        await send({"type": "http.response.body", "body": part, "more_body": True})
                        if gone.is_set():
                            return
                        sent_bytes += len(part)
            await send({"type": "http.response.body", "body": b""})
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            if self._account is not None:
                await self._account.ended(scope, sent_bytes)


async def _listen(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


class FormFile:
    """The file in a form (multipart/form-data): the first part that has a file name or a type."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes], maximum_bytes: int) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise Invalid("a form needs the boundary in its Content-Type")
        self._body = body
        self._maximum = maximum_bytes + _FORM_EXTRA
        self._headers: dict[bytes, bytes] = {}
        self._field = self._value = b""
        self._taking = self._taken = False
        self._ready: list[bytes] = []
        self.file_name = ""
        calls: dict[str, Callable[..., Any]] = {
            "on_part_begin": self._begin,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
        }
        self._parser = MultipartParser(boundary, calls)  # type: ignore[arg-type]  # a TypedDict of these names

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the file's bytes.

        Raises: Invalid when there is no file, FileTooLarge.
        """
        seen = 0
        async for chunk in self._body:
            seen += len(chunk)
            if seen > self._maximum:
                raise FileTooLarge(f"the form has more than {self._maximum} bytes")
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise Invalid("the body is not the form that its Content-Type announces") from error
            for part in self._ready:
                yield part
            self._ready.clear()
        if not self._taken:
            raise Invalid("there is no whole file in the form")

    def _begin(self) -> None:
        self._headers.clear()

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_headers(self) -> None:
        if self._taken:
            return
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"filename" in options or b"content-type" in self._headers:
            self._taking = True
            self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._taking:
            self._ready.append(data[start:end])

    def _end(self) -> None:
        if self._taking:
            self._taking, self._taken = False, True
