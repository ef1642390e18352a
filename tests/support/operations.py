"""An edge with the REST API beside it: commands given over HTTP reach stations over the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.domain.transfers.ports import FileStore
from pilotwire.integrations.directory import DirectoryStore
from pilotwire.web.server import WebServer
from pilotwire.web.services import WebServices
from tests.support.edge import RunningEdge, migrated_database, running_edge
from tests.support.postgres import drop_database
from tests.support.stations import PATIENCE_S

__all__ = ["FINAL", "Commanding", "Operations", "eventually", "operations", "operations_on"]

FINAL = {"done", "rejected", "failed", "timed_out", "expired", "cancelled", "unknown"}


async def eventually(
    condition: Callable[[], Any], patience_s: float = PATIENCE_S, pause_s: float = 0.02
) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(patience_s):
        while True:
            if condition():
                return
            await asyncio.sleep(pause_s)


@dataclass
class Commanding:
    """Commands over the REST API of a server, wherever it runs."""

    http: httpx.AsyncClient

    async def give(self, identity: str, command: str, **parameters: Any) -> str:
        """Give a command to a station; return the id of its task."""
        body = {"command": command, **parameters}
        answer = await self.http.post(f"/api/v1/stations/{identity}/commands", json=body)
        assert answer.status_code == 202, answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    async def give_many(self, command: str, **more: Any) -> str:
        """Give a command to many stations."""
        answer = await self.http.post("/api/v1/commands", json={"command": command, **more})
        assert answer.status_code == 202, answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    async def task(self, task_id: str) -> dict[str, Any]:
        """A task with its first thousand results."""
        answer = await self.http.get(f"/api/v1/tasks/{task_id}", params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    async def until(
        self, task_id: str, condition: Callable[[dict[str, Any]], bool], patience_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Wait until a task is as it should be."""
        async with asyncio.timeout(patience_s):
            while True:
                task = await self.task(task_id)
                if condition(task):
                    return task
                await asyncio.sleep(0.02)

    async def result(self, task_id: str, *states: str) -> dict[str, Any]:
        """Wait until the only command of a task is in one of the states (or over)."""
        wanted = set(states) or FINAL
        task = await self.until(task_id, lambda task: task["results"]["items"][0]["state"] in wanted)
        found: dict[str, Any] = task["results"]["items"][0]
        return found

    async def run(self, identity: str, command: str, **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its end."""
        return await self.result(await self.give(identity, command, **parameters))


@dataclass
class Operations(Commanding):
    """The same of an edge in this process."""

    edge: RunningEdge
    app: FastAPI


@asynccontextmanager
async def _directory() -> AsyncIterator[Path]:
    with TemporaryDirectory(prefix="pilotwire-files-") as name:
        yield Path(name)


@asynccontextmanager
async def operations_on(
    dsn: str, *, store: FileStore | None = None, **settings: Any
) -> AsyncIterator[Operations]:
    """Start on a database; what an earlier start left is found again."""
    async with running_edge(dsn, **settings) as edge, _directory() as directory:
        inner = edge.edge
        inner.desk._grace_s = 0.3
        web = WebServer(
            WebServices(
                db=inner.database,
                bus=inner.bus,
                caller=inner.switchboard,
                pepper=inner.pepper,
                desk=inner.desk,
                energy=inner.energy,
                session_desk=inner.session_desk,
                store=store or DirectoryStore(directory),
                maximum_firmware_bytes=4 * 1024 * 1024,
                maximum_log_bytes=2 * 1024 * 1024,
            ),
            "127.0.0.1",
            0,
        )
        await web.start()
        try:
            inner.addresses.base_url = web.url
            _, key = await create_api_key(inner.database, system_principal(), "operator", Role.OPERATOR)
            transport = httpx.ASGITransport(web.app)
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://pilotwire.test", headers=headers
            ) as http:
                yield Operations(http, edge, web.app)
        finally:
            await web.stop()


@asynccontextmanager
async def operations(postgres_server: str, **settings: Any) -> AsyncIterator[Operations]:
    """Start on a database of one's own."""
    dsn = migrated_database(postgres_server)
    try:
        async with operations_on(dsn, **settings) as made:
            yield made
    finally:
        drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))
