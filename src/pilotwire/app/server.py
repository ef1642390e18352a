"""The whole server: database, stations' edge, people's edge and jobs, built and tied together."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock, utc_now
from pilotwire.db.embedded import EmbeddedPostgres
from pilotwire.db.engine import Database
from pilotwire.db.lanes import WriterLanes
from pilotwire.db.migrate import migrate
from pilotwire.domain.identity.usecases.manage_api_keys import ensure_bootstrap_key
from pilotwire.domain.sessions.repository import SINKS as SESSION_SINKS
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.events import EnrolmentKeysChanged
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.domain.stations.repository import (
    close_presence,
    last_addresses,
    list_enrolment_keys,
    list_records,
    pepper_of,
)
from pilotwire.domain.stations.sinks import SINKS as STATION_SINKS
from pilotwire.jobs.commands import CommandRunner
from pilotwire.jobs.partitions import keep_partitions, keep_partitions_for_ever
from pilotwire.ocpp.desk import Desk
from pilotwire.ocpp.doorkeeper import StationDirectory, StationDoorkeeper
from pilotwire.ocpp.gateway import Endpoint, HandshakeFailure, Limits, Listener, TlsFiles
from pilotwire.ocpp.refresh import Refresher
from pilotwire.ocpp.switchboard import Switchboard
from pilotwire.settings import Settings, host_and_port
from pilotwire.web.server import WebServer
from pilotwire.web.services import Measure, WebServices

__all__ = ["Edge", "Server", "open_database"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Edge:
    """The stations' edge, running."""

    database: Database
    bus: LocalBus
    writer: WriterLanes
    directory: StationDirectory
    switchboard: Switchboard
    listener: Listener
    pepper: bytes
    desk: Desk


async def open_database(
    settings: Settings, stack: AsyncExitStack, progress: Callable[[str], None] | None = None
) -> Database:
    """Open the operator's PostgreSQL, or start the embedded one; bring its schema up to date.

    The embedded server is watched: if it dies it is started again.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        postgres = EmbeddedPostgres(settings.data_dir / "postgres")
        url = await postgres.start(progress)
        stack.push_async_callback(postgres.stop)
        watching = asyncio.create_task(postgres.watch())
        stack.push_async_callback(_cancelled, watching)
    database = Database(url)
    stack.push_async_callback(database.close)
    await migrate(database.engine)
    await database.open()
    return database


async def open_edge(
    settings: Settings,
    database: Database,
    stack: AsyncExitStack,
    *,
    clock: Clock = utc_now,
    limits: Limits | None = None,
) -> Edge:
    """Start the writer and the switchboard, and make a listener that does not listen yet."""
    name = f"pilotwire {settings.gateway_name}"
    bus = LocalBus()
    writer = WriterLanes(database.dsn, name, {**STATION_SINKS, **SESSION_SINKS})
    stack.push_async_callback(writer.close)
    await writer.start()
    async with database.service.acquire() as connection:
        pepper = await pepper_of(connection)
        await close_presence(connection, name)
        addresses = await last_addresses(connection)
        directory = StationDirectory()
        directory.fill(await list_records(connection), await list_enrolment_keys(connection))
    bus.subscribe(StationChanged, directory.changed)
    bus.subscribe(StationRemoved, directory.removed)
    switchboard = Switchboard(
        database,
        writer,
        bus,
        clock,
        name=name,
        pepper=pepper,
        boot_policy=BootPolicy(
            heartbeat_interval_s=settings.heartbeat_interval_s,
            retry_interval_s=settings.pending_retry_interval_s,
        ),
        maximum_power_w=settings.maximum_session_power_w,
        strict=settings.ocpp_strict,
    )
    await switchboard.start()

    async def read_keys() -> None:
        async with database.service.acquire() as connection:
            directory.set_keys(await list_enrolment_keys(connection))

    def keys_changed(_: EnrolmentKeysChanged) -> None:
        switchboard.run(read_keys())

    bus.subscribe(EnrolmentKeysChanged, keys_changed)
    switchboard.run(Refresher(database, bus, directory, switchboard.tokens).run())
    stack.push_async_callback(switchboard.stop)
    desk = Desk(switchboard, bus)
    running = asyncio.create_task(CommandRunner(database, bus, desk, clock).run(), name="command runner")
    stack.push_async_callback(_cancelled, running)
    listener = Listener(
        StationDoorkeeper(directory, pepper, clock, strict=settings.ocpp_strict), switchboard, limits
    )
    for identity, address in addresses:
        # A guesser who is at work during a restart must not hold up the genuine station.
        listener.recall_success(identity, address)
    stack.push_async_callback(listener.drain, settings.drain_timeout_s)
    return Edge(database, bus, writer, directory, switchboard, listener, pepper, desk)


class Server:
    """The whole server in one process."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now, limits: Limits | None = None) -> None:
        self._settings = settings
        self._tls = _tls_files(settings) if settings.ocpp_tls else None
        self._clock = clock
        self._limits = limits
        self._stack = AsyncExitStack()
        self.edge: Edge
        self.web: WebServer
        self.ocpp: Endpoint
        self.ocpp_tls: Endpoint | None = None

    async def start(self, progress: Callable[[str], None] | None = None) -> None:
        """Start everything; when this returns, all ports accept connections."""
        try:
            await self._start(progress)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, progress: Callable[[str], None] | None) -> None:
        settings = self._settings
        database = await open_database(settings, self._stack, progress)
        retention = {
            "frame": settings.frame_retention_days,
            "station_report": settings.frame_retention_days,
            "connector_status": settings.sample_retention_days,
            "sample": settings.sample_retention_days,
        }
        with contextlib.suppress(asyncpg.LockNotAvailableError):  # then the task below tries again
            await keep_partitions(database, self._clock, retention)
        upkeep = asyncio.create_task(keep_partitions_for_ever(database, self._clock, retention))
        self._stack.push_async_callback(_cancelled, upkeep)
        self.edge = await open_edge(settings, database, self._stack, clock=self._clock, limits=self._limits)
        if key := settings.bootstrap_api_key.get_secret_value():
            await ensure_bootstrap_key(database, key)
        host, port = host_and_port(settings.ocpp)
        self.ocpp = await self.edge.listener.start(host, port)
        if settings.ocpp_tls:
            host, port = host_and_port(settings.ocpp_tls)
            self.ocpp_tls = await self.edge.listener.start(host, port, self._tls)
        self.web = WebServer(self._web_services(), *host_and_port(settings.http))
        await self.web.start()
        self._stack.push_async_callback(self.web.stop)

    @property
    def stations_url(self) -> str:
        """Where stations connect, without their identity."""
        return f"ws://{_shown(host_and_port(self._settings.ocpp)[0])}:{self.ocpp.port}/ocpp"

    @property
    def ready_line(self) -> str:
        """The line that says to people and programs that everything accepts connections."""
        line = f"pilotwire ready http={self.web.url} ocpp={self.stations_url}"
        if self.ocpp_tls is not None:
            host = _shown(host_and_port(self._settings.ocpp_tls)[0])
            line += f" ocpp_tls=wss://{host}:{self.ocpp_tls.port}/ocpp"
        return line

    def _web_services(self) -> WebServices:
        edge = self.edge
        return WebServices(
            db=edge.database,
            bus=edge.bus,
            caller=edge.switchboard,
            pepper=edge.pepper,
            handshakes=lambda: [_described(entry) for entry in edge.listener.handshake_log.entries()],
            health=lambda: {
                "database": "ok" if edge.writer.available else "away: stations wait for their answers"
            },
            measures=_measures(edge),
            clock=self._clock,
            desk=edge.desk,
            stations_url=self._settings.stations_url or self.stations_url,
        )

    async def stop(self) -> None:
        """Drain the stations, write what waits, and stop everything that `start` started."""
        await self._stack.aclose()


def _measures(edge: Edge) -> tuple[Measure, ...]:
    writer, board = edge.writer, edge.switchboard
    return (
        Measure("stations_known", "Stations that may connect.", "gauge", lambda: len(edge.directory)),
        Measure("stations_connected", "Stations connected now.", "gauge", lambda: board.connected),
        Measure(
            "frames_received_total", "Frames received from stations.", "counter", lambda: board.frames_in
        ),
        Measure("writer_batches_total", "Group commits.", "counter", lambda: writer.batches),
        Measure("writer_entries_total", "Messages kept by group commits.", "counter", lambda: writer.entries),
        Measure(
            "writer_poisoned_total", "Messages refused by the database.", "counter", lambda: writer.poisoned
        ),
        Measure(
            "writer_waiting", "Messages that wait for the next group commit.", "gauge", lambda: writer.waiting
        ),
        Measure(
            "database_available",
            "Whether the last group commit came through.",
            "gauge",
            lambda: writer.available,
        ),
    )


def _described(entry: HandshakeFailure) -> dict[str, Any]:
    return {
        "subject": entry.subject,
        "remote_address": entry.remote_address,
        "problem": entry.problem.value,
        "count": entry.count,
        "first_at": entry.first_at,
        "last_at": entry.last_at,
        "detail": entry.detail,
        "explanation": entry.explanation,
    }


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host


def _tls_files(settings: Settings) -> TlsFiles:
    if settings.tls_cert is None or settings.tls_key is None:
        raise ValueError(
            "--ocpp-tls needs --tls-cert and --tls-key: the PEM files of the server's certificate"
        )
    return TlsFiles(settings.tls_cert, settings.tls_key, settings.client_ca)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
