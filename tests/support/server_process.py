"""The server in a process of its own, so that it can be killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pilotwire.bus import LocalBus
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.repository import pepper_of
from pilotwire.domain.stations.usecases.add_stations import create_stations
from tests.support.edge import PASSWORD

__all__ = ["ServerProcess", "add_stations"]


async def add_stations(dsn: str, identities: Sequence[str]) -> None:
    """Add stations to a database before its server starts."""
    database = Database(dsn)
    await database.open()
    pepper = await pepper_of(database.service)
    await create_stations(database, LocalBus(), pepper, system_principal(), identities, password=PASSWORD)
    await database.close()


class ServerProcess:
    """`pilotwire serve` in a process of its own."""

    def __init__(self, process: Process, http: str, ocpp: str) -> None:
        self.process = process
        self.url = http
        self.stations_url = ocpp
        self.http_port = urlsplit(http).port
        self.ocpp_port = urlsplit(ocpp).port

    @classmethod
    async def start(
        cls,
        dsn: str,
        directory: Path,
        key: str,
        ports: tuple[int | None, int | None] = (0, 0),
        environment: Mapping[str, str] | None = None,
    ) -> "ServerProcess":
        """Start on a database and wait until it is ready; `key` is an API key that may do everything."""
        settings = os.environ | {
            "PILOTWIRE_DATABASE_URL": dsn,
            "PILOTWIRE_BOOTSTRAP_API_KEY": key,
            "PILOTWIRE_DRAIN_TIMEOUT_S": "1",
            "PILOTWIRE_LOG_LEVEL": "warning",
            **(environment or {}),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pilotwire", "serve", "--data-dir", str(directory), "--http",
            f"127.0.0.1:{ports[0]}", "--ocpp", f"127.0.0.1:{ports[1]}", env=settings, stdout=PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("pilotwire ready"), line
        words = dict(word.split("=", 1) for word in line.split()[2:])
        return cls(process, words["http"], words["ocpp"])

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
