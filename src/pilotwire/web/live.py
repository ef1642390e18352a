"""The live page at `/`: stations, what they do, and what it adds up to."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_FILES = {
    "index.html": "text/html; charset=utf-8",
    "live.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_CONTENT = {name: (files("pilotwire.web") / "static_live" / name).read_bytes() for name in _FILES}


def _give(name: str) -> Response:
    headers = {"Content-Security-Policy": _CSP, "Cache-Control": "no-cache"}
    return Response(_CONTENT[name], media_type=_FILES[name], headers=headers)


@router.get("/")
async def live_page() -> Response:
    """Give the page."""
    return _give("index.html")


@router.get("/live/live.css")
async def live_style() -> Response:
    """Give the page's looks."""
    return _give("live.css")


@router.get("/live/live.js")
async def live_script() -> Response:
    """Give the page's behaviour."""
    return _give("live.js")


@router.get("/live/icon.svg")
async def live_icon() -> Response:
    """Give the page's icon."""
    return _give("icon.svg")
