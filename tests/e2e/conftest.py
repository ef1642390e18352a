"""A running server and a real browser."""

import asyncio
import shutil
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr

from pilotwire.app.server import Server
from pilotwire.domain.access.usecases.manage_tokens import TokenDraft, create_token
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_users import create_user
from pilotwire.domain.stations.usecases.add_stations import create_stations
from pilotwire.settings import Settings
from pilotwire.simulator.demo import generated_network
from pilotwire.simulator.run import SimulatorOptions, simulate
from tests.support.postgres import create_database, drop_database

EMAIL = "tester@pilotwire.example"
PASSWORD = "a long enough password"
STATIONS = [f"SIM-{number:04d}" for number in range(1, 7)]


@dataclass(frozen=True)
class Site:
    """Where the pages are, where stations connect, and the loop in which further stations can live."""

    url: str
    stations_url: str = ""
    loop: asyncio.AbstractEventLoop | None = None

    def start(self, job: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Run something beside the server; a test cannot run a loop while its browser does."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(job, self.loop)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window.

    It is closed with the module: while it is there its own event loop runs, and other tests could not run theirs.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A whole server in a thread of its own, with six simulated stations at which cars charge."""
    if not (files("pilotwire.web") / "static" / "index.html").is_file():
        pytest.skip("the console is not built: run `make setup`")
    name = f"pages_{uuid4().hex[:12]}"
    dsn = create_database(postgres_server, name)
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("e2e"),
        database_url=SecretStr(dsn),
        http="127.0.0.1:0",
        ocpp="127.0.0.1:0",
        drain_timeout_s=1,
    )
    ready = threading.Event()
    found: list[Site] = []
    stops: list[asyncio.Event] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        server = Server(settings)
        stop = asyncio.Event()
        stops.append(stop)
        loops.append(asyncio.get_running_loop())
        await server.start()
        try:
            edge, principal = server.edge, system_principal()
            await create_user(
                edge.database, principal, email=EMAIL, name="T", role=Role.OWNER, password=PASSWORD
            )
            made = await create_stations(edge.database, edge.bus, edge.pepper, principal, STATIONS)
            network = generated_network(len(STATIONS), ("1.6", "2.0.1", "2.1"))
            for token in network.tokens:
                await create_token(edge.database, edge.bus, principal, TokenDraft(uid=token.uid))
            found.append(Site(server.web.url, server.stations_url, loops[0]))
            ready.set()
            await simulate(
                SimulatorOptions(
                    url=server.stations_url,
                    network=network,
                    passwords=dict(made),
                    least_occupied=1.0,
                    speed=10,
                    sample_interval_s=2,
                    finish_sessions=False,
                    state_path=Path(settings.data_dir) / "simulator.json",
                ),
                stop=stop,
            )
        finally:
            ready.set()
            await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="server under test")
    thread.start()
    try:
        assert ready.wait(60)
        assert found, "the server did not start"
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(stops[0].set)
        thread.join(30)
        drop_database(postgres_server, name)
