"""The operator console: the built application at `/` and at every address that nothing else has.

It is built from `console/` into `static/` by the package build (scripts/build_console.py).
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Console", "read_console"]

_NONCE = b"__NONCE__"
_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'nonce-{nonce}'; font-src 'self';"
    " img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".geojson": "application/json",
    ".pbf": "application/x-protobuf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOREVER = "public, max-age=31536000, immutable"
_PROGRAMS = ("/api/", "/files/", "/health/", "/metrics", "/ocpp/")

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pilotwire</title>
<h1>The console is not built</h1>
<p>The server runs, but the operator console is not among its files. Build it and start the server again:</p>
<pre>{command}</pre>
<p>It needs Node.js 20.19 or newer, or takes one from PyPI by itself. The REST API is there meanwhile:
<a href="/api/v1/openapi.json">its description</a>.</p>
</html>"""


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    cache: str
    brotli: bytes | None = None
    gzipped: bytes | None = None


class Console:
    """Answers requests for the console; gives everything else on to what says that it does not exist."""

    def __init__(self, content: Mapping[str, _File], otherwise: ASGIApp) -> None:
        self._content = content
        self._index = content.get("/index.html")
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._otherwise(scope, receive, send)
            return
        path: str = scope["path"]
        found = self._content.get(path)
        if found is not None and path != "/index.html":
            await _give(found, Request(scope))(scope, receive, send)
        elif path in ("/", "/index.html") or (self._is_page(path) and _wants_page(Request(scope))):
            await self._page()(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    def _is_page(self, path: str) -> bool:
        """Tell whether an address may be one of the console's own: it has no file's ending and is no program's."""
        if path.startswith(_PROGRAMS) or path in ("/api", "/health"):
            return False
        last = path.rpartition("/")[2]
        return path.startswith("/stations/") or "." not in last

    def _page(self) -> Response:
        if self._index is None:
            page = _NOT_BUILT.format(command=escape("python scripts/build_console.py"))
            return HTMLResponse(page, 503, {"Cache-Control": "no-store"})
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(
            self._index.content.replace(_NONCE, nonce.encode()),
            headers={"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY.format(nonce=nonce)},
        )


def _wants_page(request: Request) -> bool:
    """Tell whether a browser goes to the address; a program gets its problem details."""
    return "text/html" in request.headers.get("accept", "")


def _give(file: _File, request: Request) -> Response:
    headers = {"Cache-Control": file.cache, "Vary": "Accept-Encoding"}
    accepted = request.headers.get("accept-encoding", "")
    content = file.content
    if file.brotli is not None and "br" in accepted:
        content, headers["Content-Encoding"] = file.brotli, "br"
    elif file.gzipped is not None and "gzip" in accepted:
        content, headers["Content-Encoding"] = file.gzipped, "gzip"
    # A worker has the policy of its own script.
    headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'; script-src 'self'"
    return Response(content, media_type=file.media_type, headers=headers)


def read_console(root: Traversable | None = None) -> Callable[[ASGIApp], Console]:
    """Read the built console into memory; give what makes it from the application that it hands the rest to."""
    folder = root if root is not None else files("pilotwire.web") / "static"
    raw: dict[str, bytes] = {}
    if folder.is_dir():
        _read(folder, "", raw)
    content = {
        path: _File(
            data,
            _TYPES.get("." + path.rpartition(".")[2], "application/octet-stream"),
            _FOREVER if path.startswith("/assets/") else "no-cache",
            raw.get(path + ".br"),
            raw.get(path + ".gz"),
        )
        for path, data in raw.items()
        if not path.endswith((".br", ".gz"))
    }
    return lambda otherwise: Console(content, otherwise)


def _read(folder: Traversable, path: str, into: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            _read(entry, f"{path}/{entry.name}", into)
        else:
            into[f"{path}/{entry.name}"] = entry.read_bytes()
