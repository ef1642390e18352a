"""What tests of the people's edge need: a database, the application, clients of every role."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from pilotwire.bus import LocalBus
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.db.sealing import Seal
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.domain.operations.model import Order, Readiness, Reply
from pilotwire.domain.sessions.decide import Deciding, SessionsView
from pilotwire.domain.sessions.messages import Phase, Sample
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.sessions.repository import SINKS as SESSION_SINKS
from pilotwire.domain.sessions.repository import look_up_ref
from pilotwire.domain.sessions.settle import Settling, decide_settlement
from pilotwire.domain.stations.ports import CallAnswer, LinkInfo, NotConnected
from pilotwire.domain.stations.records import FrameKept
from pilotwire.domain.stations.sinks import SINKS as STATION_SINKS
from pilotwire.domain.transfers.model import log_key
from pilotwire.domain.webhooks.model import Answer
from pilotwire.integrations.directory import DirectoryStore
from pilotwire.ocpp.codec.schemas import request_schema, sendable_actions
from pilotwire.web.server import create_web_app
from pilotwire.web.services import OcppSchemas, WebServices
from tests.support.postgres import create_database, drop_database, ensure_template, run_blocking

__all__ = [
    "PEPPER",
    "Edge",
    "StationsByHand",
    "add_station",
    "connected_since",
    "drop_database",
    "keep_connector",
    "keep_frame",
    "keep_log",
    "keep_samples",
    "keep_session",
    "migrated_database",
    "open_edge",
    "session_kept",
]

PEPPER = b"pepper of the tests, 32 bytes..."
_TEMPLATE = "migrated_template"


@dataclass
class StationsByHand:
    """Stands in for the stations' edge: links and answers are what the test says."""

    links: dict[int, LinkInfo] = field(default_factory=dict)
    answer: Callable[[str, bytes], CallAnswer] = lambda action, payload: CallAnswer(b'{"status":"Accepted"}')
    calls: list[tuple[int, str, bytes, float]] = field(default_factory=list)
    db: Database | None = None

    async def call(self, station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> CallAnswer:
        if station_id not in self.links:
            raise NotConnected
        self.calls.append((station_id, action, payload, timeout_s))
        return self.answer(action, payload)

    async def renew_secret(self, station_id: int) -> bool:
        return station_id in self.links

    def link(self, station_id: int) -> LinkInfo | None:
        return self.links.get(station_id)

    def readiness(self, station_id: int) -> Readiness:
        return Readiness.READY if station_id in self.links else Readiness.OFFLINE

    def check(self, ocpp_version: str, order: Order) -> None:
        """Every command fits: what does not is the codec's to say."""

    async def send(self, station_id: int, order: Order) -> Reply:
        raise NotConnected

    async def settle(self, station_id: int, settling: Settling) -> UUID:
        assert self.db is not None
        async with self.db.service.acquire() as connection:
            facts = await look_up_ref(connection, station_id, settling.transaction_ref)
            row = await connection.fetchrow(
                "SELECT tenant_id, identity FROM station WHERE id = $1", station_id
            )
            assert facts is not None
            view = SessionsView()
            view.remember(facts)
            deciding = Deciding(
                row["tenant_id"], station_id, row["identity"], facts.last_at, new_uuid, lambda: 1, 22_000.0
            )
            facts, records = decide_settlement(view, settling, deciding)
            for record in records:
                await SESSION_SINKS[type(record)](connection, [record])
        return facts.id


class PostsByHand:
    """Stands in for the outside: whatever is posted is taken."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []

    def refusal(self, url: str) -> str | None:
        return None if url.startswith("https://") else "use https"

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        self.posted.append((url, body))
        return Answer(200, 1, "taken")


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
    caller = StationsByHand(db=db)
    async with AsyncExitStack() as stack:
        store = DirectoryStore(Path(stack.enter_context(TemporaryDirectory(prefix="pilotwire-files-"))))
        services = WebServices(
            db=db,
            bus=LocalBus(),
            caller=caller,
            pepper=PEPPER,
            desk=caller,
            session_desk=caller,
            store=store,
            poster=PostsByHand(),
            seal=Seal(PEPPER),
            ocpp=OcppSchemas(sendable_actions, request_schema),
            **more,
        )
        app = create_web_app(services)
        stack.push_async_callback(db.close)
        stack.callback(app.state.hub.close)
        stack.callback(app.state.network.close)
        await db.service.execute("INSERT INTO tenant (id, name) VALUES (2, 'other')")
        keys = {}
        for role in Role:
            _, keys[role.value] = await create_api_key(db, system_principal(), f"test {role}", role)
        keys["admin"] = keys["owner"]  # what the owner was called at first
        _, keys["stranger"] = await create_api_key(db, system_principal(2), "stranger", Role.OWNER)
        yield Edge(db, services.bus, caller, services, app, keys, stack)


async def add_station(client: httpx.AsyncClient, identity: str, edge: Edge | None = None) -> int:
    """Add a station; give its number if an `edge` is given to look it up in."""
    added = await client.post("/api/v1/stations", json={"id": identity})
    assert added.status_code == 201, added.text
    if edge is None:
        return 0
    number: int = await edge.db.service.fetchval("SELECT id FROM station WHERE identity = $1", identity)
    return number


async def keep_connector(edge: Edge, station_id: int, evse: int, connector: int, status: str) -> None:
    await edge.db.service.execute(
        "INSERT INTO connector (station_id, tenant_id, evse_no, connector_no, status, status_at, received_at)"
        " VALUES ($1, 1, $2, $3, $4, now(), now())",
        station_id,
        evse,
        connector,
        status,
    )


async def keep_frame(
    edge: Edge,
    station_id: int,
    moment: datetime,
    direction: int,
    message_id: str,
    action: str,
    frames: tuple[str, str | None],
    deviations: str | None = None,
) -> None:
    answered_at = moment + timedelta(milliseconds=5)
    record = FrameKept(
        1, station_id, moment, answered_at, direction, message_id, action, *frames, deviations=deviations
    )
    async with edge.db.service.acquire() as connection:
        await STATION_SINKS[FrameKept](connection, [record])


def session_kept(
    station_id: int,
    identity: str,
    started_at: datetime,
    *,
    change: Phase = Phase.STARTED,
    new: bool = True,
    tenant_id: int = 1,
    **facts: Any,
) -> SessionKept:
    """Make the record of a session; `facts` replace or add to the usual ones."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "transaction_ref": "tx-1",
        "first_at": started_at,
        "last_at": started_at,
        "started_at": started_at,
        "evse_no": 1,
        "connector_no": 1,
        "token": ((0, started_at), "04A2B3C4D5E6F7"),
        "stated_start_wh": Decimal(1000),
    }
    whole = SessionFacts(**{**usual, **facts})
    reviews = whole.reviews(400_000)
    return SessionKept(
        tenant_id,
        station_id,
        identity,
        change,
        new,
        started_at,
        whole,
        whole.state(reviews).value,
        tuple(review.value for review in reviews),
    )


async def keep_session(
    edge: Edge, station_id: int, identity: str, started_at: datetime, *, tenant_id: int = 1, **facts: Any
) -> UUID:
    record = session_kept(station_id, identity, started_at, tenant_id=tenant_id, **facts)
    async with edge.db.service.acquire() as connection:
        await SESSION_SINKS[SessionKept](connection, [record])
    return record.facts.id


async def keep_log(edge: Edge, station_id: int) -> UUID:
    """Keep a log of a station with its file."""

    async def content() -> AsyncIterator[bytes]:
        yield b"log"

    log_id = new_uuid()
    assert edge.services.store is not None
    await edge.services.store.write(log_key(log_id), content())
    await edge.db.service.execute(
        "INSERT INTO station_log (id, tenant_id, station_id, command_id, kind, file_name, size_bytes, sha256)"
        " VALUES ($1, 1, $2, 1, 'diagnostics', 'diagnostics.log', 3, $3)",
        log_id,
        station_id,
        b"0" * 32,
    )
    return log_id


async def keep_samples(edge: Edge, station_id: int, session_id: UUID, samples: list[Sample]) -> None:
    records = [SampleKept(1, station_id, 1, 1, session_id, sample.at, sample) for sample in samples]
    async with edge.db.service.acquire() as connection:
        await SESSION_SINKS[SampleKept](connection, records)
