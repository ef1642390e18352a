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
from pilotwire.web import files, operations
from pilotwire.web.api import (
    batteries,
    certificates,
    configuration,
    demand_response,
    energy,
    events,
    firmware,
    forecasts,
    grid_limits,
    groups,
    health,
    local_lists,
    login,
    logs,
    meter_sources,
    network,
    onboarding,
    overview,
    people,
    relays,
    reservations,
    schemas,
    sessions,
    sites,
    station_records,
    stations,
    tasks,
    templates,
    tokens,
    transfer,
    webhooks,
)
from pilotwire.web.auth import refuse_unknown_parameters
from pilotwire.web.connection import WatchedProtocol
from pilotwire.web.console import read_console
from pilotwire.web.events import EventHub
from pilotwire.web.file_streams import is_streamed
from pilotwire.web.guard import Guard
from pilotwire.web.network.hub import NetworkHub
from pilotwire.web.problems import PROBLEM_SCHEMA, install_problems
from pilotwire.web.rights import ACCESS
from pilotwire.web.services import Measure, WebServices

__all__ = ["WebServer", "create_web_app"]

_TAGS = [
    {"name": "stations", "description": "Charging stations: add, look at, change, call."},
    {"name": "tasks", "description": "Commands to stations, one or ten thousand."},
    {"name": "firmware", "description": "Firmware for stations, and the logs that they deliver."},
    {"name": "configuration", "description": "What stations are set to, and what they should be."},
    {"name": "sessions", "description": "Charging sessions and their meter samples."},
    {"name": "reservations", "description": "Places kept for drivers."},
    {"name": "tokens", "description": "Who may charge."},
    {"name": "sites", "description": "Where stations stand, and groups of them."},
    {"name": "transfer", "description": "Stations, tokens and sites as tables."},
    {
        "name": "certificates",
        "description": "Stations' certificates, who signs them, and safer security profiles.",
    },
    {"name": "relays", "description": "Stations whose frames also go to another back end."},
    {"name": "onboarding", "description": "How stations come in, and why some do not."},
    {"name": "energy", "description": "Fuses, loads and who may draw how much."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "live", "description": "The console's picture of the network, kept up by ticks."},
    {"name": "webhooks", "description": "Events told to other programs, signed, until they arrive."},
    {"name": "health", "description": "Uptime, success and connections of stations, sites and models."},
    {"name": "overview", "description": "The network in figures."},
    {"name": "login", "description": "Signing in, and one's own account."},
    {"name": "people", "description": "People, API keys, audit trail."},
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
    app.state.network = network_hub = NetworkHub(services.db, services.bus, services.clock)
    app.state.attempts = LoginAttempts()
    for module in (
        stations,
        station_records,
        configuration,
        templates,
        tasks,
        firmware,
        logs,
        files,
        schemas,
        sessions,
        reservations,
        overview,
        tokens,
        sites,
        certificates,
        relays,
        local_lists,
        groups,
        transfer,
        health,
        energy,
        forecasts,
        grid_limits,
        demand_response,
        batteries,
        meter_sources,
        webhooks,
        onboarding,
        events,
        network,
        login,
        people,
        operations,
    ):
        app.include_router(module.router)
    streams = Measure("event_streams", "Open event streams.", "gauge", lambda: hub.readers)
    live_streams = Measure("live_streams", "Open live streams.", "gauge", lambda: network_hub.readers)
    measures = (*services.measures, streams, live_streams)
    app.include_router(operations.metrics_route(operations.make_registry(measures)))
    install_problems(app)
    larger = {transfer.IMPORT_PREFIX: transfer.IMPORT_BYTES, energy.PREFIX: energy.MOST_BYTES}
    app.add_middleware(Guard, larger=larger, is_streamed=is_streamed)
    _describe_problems(app)
    app.router.default = read_console()(app.router.default)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _describe_problems(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = dict(PROBLEM_SCHEMA)
        schema["components"]["schemas"] |= tasks.command_schemas() | energy.energy_schemas()
        schema["components"]["schemas"] |= meter_sources.source_schemas()
        schema["components"]["schemas"] |= batteries.control_schemas()
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                needed = ACCESS.get(f"{method.upper()} {path}")
                if needed is not None:
                    operation["x-access"] = needed
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
                http=WatchedProtocol,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=services.trusted_proxies,
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
        self.app.state.network.close()
        self.app.state.network.close()
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
