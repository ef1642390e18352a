"""What tests of the people's edge need: a database, the application, clients of every role."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from pilotwire.bus import LocalBus
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.domain.identity.model import Principal, Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.domain.stations.ports import CallAnswer, LinkInfo, NotConnected
from pilotwire.web.server import create_web_app
from pilotwire.web.services import WebServices
from tests.support.postgres import create_database, drop_database, ensure_template, run_blocking

__all__ = ["Edge", "StationsByHand", "connected_since", "migrated_database", "open_edge"]

PEPPER = b"pepper of the tests, 32 bytes..."
_TEMPLATE = "migrated_template"


@dataclass
class StationsByHand:
    """Stands in for the stations' edge: links and answers are what the test says."""

    links: dict[int, LinkInfo] = field(default_factory=dict)
    answer: Callable[[str, bytes], CallAnswer] = lambda action, payload: CallAnswer(b'{"status":"Accepted"}')
    calls: list[tuple[int, str, bytes, float]] = field(default_factory=list)

    async def call(self, station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> CallAnswer:
        if station_id not in self.links:
            raise NotConnected
        self.calls.append((station_id, action, payload, timeout_s))
        return self.answer(action, payload)

    def link(self, station_id: int) -> LinkInfo | None:
        return self.links.get(station_id)


@dataclass
class Edge:
    """The application with its surroundings; `client(role)` asks as somebody of the default tenant."""

    db: Database
    bus: LocalBus
    caller: StationsByHand
    services: WebServices
    app: FastAPI
    keys: dict[str, str]
    _stack: AsyncExitStack

    async def client(
        self, who: str | None, *, address: str = "192.0.2.7", **headers: str
    ) -> httpx.AsyncClient:
        """Make a client: a role, `stranger` (administrator of another tenant) or None."""
        if who is not None:
            headers["Authorization"] = f"Bearer {self.keys[who]}"
        transport = httpx.ASGITransport(self.app, client=(address, 4711))
        client = httpx.AsyncClient(transport=transport, base_url="http://pilotwire.test", headers=headers)
        return await self._stack.enter_async_context(client)


def connected_since(moment: datetime, version: str = "2.0.1") -> LinkInfo:
    return LinkInfo(version, moment, moment, "192.0.2.99")


def migrated_database(server_dsn: str, name: str) -> str:
    """Make a database with the newest schema."""
    ensure_template(server_dsn, _TEMPLATE, lambda dsn: run_blocking(_migrate(dsn)))
    return create_database(server_dsn, name, _TEMPLATE)


async def _migrate(dsn: str) -> None:
    db = Database(dsn)
    try:
        await migrate(db.engine)
    finally:
        await db.close()


@asynccontextmanager
async def open_edge(dsn: str, **more: Any) -> AsyncIterator[Edge]:
    """Put the application together on a database with the schema."""
    db = Database(dsn)
    await db.open()
    caller = StationsByHand()
    services = WebServices(db=db, bus=LocalBus(), caller=caller, pepper=PEPPER, **more)
    app = create_web_app(services)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(db.close)
        stack.callback(app.state.hub.close)
        await db.service.execute("INSERT INTO tenant (id, name) VALUES (2, 'other')")
        keys = {}
        for role in Role:
            _, keys[role.value] = await create_api_key(db, system_principal(), f"test {role}", role)
        _, keys["stranger"] = await create_api_key(db, system_principal(2), "stranger", Role.ADMIN)
        yield Edge(db, services.bus, caller, services, app, keys, stack)


def tenant_principal(tenant_id: int = 1) -> Principal:
    return system_principal(tenant_id)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


__all__ += ["PEPPER", "at", "drop_database", "tenant_principal"]
