"""The application of the people's edge, and the server that runs it inside our own loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.web import live, operations
from pilotwire.web.api import events, onboarding, people, sessions, sites, stations, tasks, tokens
from pilotwire.web.auth import refuse_unknown_parameters
from pilotwire.web.events import EventHub
from pilotwire.web.guard import Guard
from pilotwire.web.problems import PROBLEM_SCHEMA, install_problems
from pilotwire.web.services import Measure, WebServices

__all__ = ["WebServer", "create_web_app"]

_TAGS = [
    {"name": "stations", "description": "Charging stations: add, look at, change, call."},
    {"name": "tasks", "description": "Commands to stations, one or ten thousand."},
    {"name": "sessions", "description": "Charging sessions and their meter samples."},
    {"name": "tokens", "description": "Who may charge."},
    {"name": "sites", "description": "Where stations stand."},
    {"name": "onboarding", "description": "How stations come in, and why some do not."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "overview", "description": "The network in figures."},
    {"name": "people", "description": "Signing in, people, API keys, audit trail."},
    {"name": "operations", "description": "For machines that watch over machines."},
]
_DESCRIPTION = """\
Everything is JSON in snake_case, with units in the names and moments in UTC. Errors are problem details
(RFC 9457) with a stable `code`. Lists are `{"items": [...], "next": cursor}`; unknown query parameters and
unknown fields of a body are refused. Programs send `Authorization: Bearer <API key>`; pages use the cookie of
`POST /api/v1/login` and send the header `X-Pilotwire: 1` with everything that changes something."""


def create_web_app(services: WebServices) -> FastAPI:
    """Make the application. Its event hub listens to the bus from now on, until `app.state.hub.close()`."""
    app = FastAPI(
        title="Pilotwire",
        version=version("pilotwire"),
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        openapi_tags=_TAGS,
        # The framework's pages load scripts from a third party.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        dependencies=[Depends(refuse_unknown_parameters)],
        responses={
            "default": {
                "description": "A problem.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    )
    app.state.services = services
    app.state.hub = hub = EventHub(services.bus, capacity=services.event_capacity)
    app.state.attempts = LoginAttempts()
    for module in (stations, tasks, sessions, tokens, sites, onboarding, events, people, live, operations):
        app.include_router(module.router)
    streams = Measure("event_streams", "Open event streams.", "gauge", lambda: hub.readers)
    app.include_router(operations.metrics_route(operations.make_registry((*services.measures, streams))))
    install_problems(app)
    app.add_middleware(Guard)
    _describe_problems(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _describe_problems(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = dict(PROBLEM_SCHEMA)
        schema["components"]["schemas"] |= tasks.command_schemas()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the schema


class _Server(uvicorn.Server):
    """Leaves signals to the process that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves the people's edge in the running loop."""

    def __init__(self, services: WebServices, host: str, port: int) -> None:
        self.app = create_web_app(services)
        self._address = (host, port)
        self._server = _Server(
            uvicorn.Config(
                self.app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=3,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self.port = port

    @property
    def url(self) -> str:
        """Where people find it, once it is started."""
        host = self._address[0]
        shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}"

    async def start(self) -> None:
        """Take the port and answer.

        Raises: OSError when the port is taken.
        """
        listening = _bind(*self._address)
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="web server")
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the web server has ended before it began")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End event streams, let running requests finish for a moment, and free the port."""
        self.app.state.hub.close()
        if self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
