"""The stations' edge on a database of its own, for tests that stations talk to."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
from pydantic import SecretStr

from pilotwire.app.edge import Edge, open_edge
from pilotwire.app.opening import open_database
from pilotwire.core.clock import Clock, utc_now
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.domain.access.model import TokenStatus
from pilotwire.domain.access.usecases.manage_tokens import TokenDraft, create_token
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.usecases.add_stations import create_stations
from pilotwire.ocpp.gateway import Endpoint, Limits
from pilotwire.settings import Settings
from tests.support.postgres import create_database, ensure_template, run_blocking

__all__ = ["PASSWORD", "RunningEdge", "basic_header", "migrated_database", "running_edge"]

PASSWORD = "correct-horse-battery"
_TEMPLATE = "edge_template"


def migrated_database(server_dsn: str, name: str = "") -> str:
    """Make a database with the newest schema and return its DSN."""
    ensure_template(server_dsn, _TEMPLATE, lambda dsn: run_blocking(_migrate(dsn)))
    return create_database(server_dsn, name or f"test_{uuid4().hex[:12]}", _TEMPLATE)


async def _migrate(dsn: str) -> None:
    database = Database(dsn)
    try:
        await migrate(database.engine)
    finally:
        await database.close()


def basic_header(identity: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()


@dataclass
class RunningEdge:
    """An edge that listens, and short ways to what tests ask of it."""

    edge: Edge
    endpoint: Endpoint

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.endpoint.port}/ocpp"

    async def add_stations(self, *identities: str, password: str = PASSWORD) -> None:
        edge = self.edge
        await create_stations(
            edge.database, edge.bus, edge.pepper, system_principal(), identities, password=password
        )

    async def add_token(self, uid: str, status: TokenStatus = TokenStatus.ACCEPTED, **more: Any) -> None:
        draft = TokenDraft(uid, status=status, **more)
        await create_token(self.edge.database, self.edge.bus, system_principal(), draft)

    async def rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        rows: Sequence[asyncpg.Record] = await self.edge.database.service.fetch(query, *arguments)
        return rows

    async def value(self, query: str, *arguments: Any) -> Any:
        return await self.edge.database.service.fetchval(query, *arguments)

    async def station_id(self, identity: str) -> int:
        number: int = await self.value("SELECT id FROM station WHERE identity = $1", identity)
        return number

    async def sessions(self, identity: str) -> Sequence[asyncpg.Record]:
        """A station's sessions, the oldest first."""
        return await self.rows(
            "SELECT s.* FROM session s JOIN station st ON st.id = s.station_id WHERE st.identity = $1 ORDER BY s.id",
            identity,
        )

    async def session(self, identity: str) -> asyncpg.Record:
        """The only session of a station."""
        sessions = await self.sessions(identity)
        assert len(sessions) == 1, sessions
        return sessions[0]

    async def received_since(self, identity: str, moment: datetime) -> int:
        """How many calls of a station are on record since a moment."""
        count: int = await self.value(
            "SELECT count(*) FROM frame JOIN station ON station.id = frame.station_id"
            " WHERE identity = $1 AND frame.received_at >= $2 AND direction = 0",
            identity,
            moment,
        )
        return count


@asynccontextmanager
async def running_edge(
    dsn: str,
    gateway_name: str = "test",
    *,
    limits: Limits | None = None,
    clock: Clock = utc_now,
    **settings: Any,
) -> AsyncIterator[RunningEdge]:
    """Open an edge on a database and listen on any port."""
    async with AsyncExitStack() as stack:
        made = Settings(database_url=SecretStr(dsn), gateway_name=gateway_name, drain_timeout_s=1, **settings)
        database = await open_database(made, stack)
        edge = await open_edge(made, database, stack, clock=clock, limits=limits)
        endpoint = await edge.listener.start("127.0.0.1", 0)
        yield RunningEdge(edge, endpoint)
