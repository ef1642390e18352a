"""The whole server: database, stations' edge, people's edge and jobs, built and tied together."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack

import asyncpg
import structlog

from pilotwire.app.addresses import own_host
from pilotwire.app.certificates import Trust, open_certificates, tls_names
from pilotwire.app.edge import (
    Edge,
    look_ahead,
    open_edge,
    open_relays,
    read_meters,
    reservation_policy,
    respond_to_demand,
    steer_batteries,
)
from pilotwire.app.files import open_store
from pilotwire.app.opening import cancelled, open_database
from pilotwire.app.people import (
    described,
    identity_provider,
    known_quirks,
    measures,
    relay_state,
    sign_on_rules,
)
from pilotwire.core.clock import Clock, utc_now
from pilotwire.db.durability import find_risks
from pilotwire.domain.identity.usecases.manage_api_keys import ensure_bootstrap_key
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.transfers.ports import FileStore
from pilotwire.domain.transfers.usecases.serve_stations import give_back_interrupted
from pilotwire.jobs.files import keep_files_for_ever
from pilotwire.jobs.health import keep_days_for_ever
from pilotwire.jobs.partitions import keep_partitions, keep_partitions_for_ever
from pilotwire.ocpp.codec.schemas import request_schema, sendable_actions
from pilotwire.ocpp.gateway import Endpoint, Limits
from pilotwire.settings import Settings, host_and_port
from pilotwire.web.server import WebServer
from pilotwire.web.services import OcppSchemas, WebServices

__all__ = ["Edge", "Server", "open_database"]

log = structlog.get_logger(__name__)


class Server:
    """The whole server in one process."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now, limits: Limits | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._limits = limits
        self._stack = AsyncExitStack()
        self.edge: Edge
        self.trust: Trust
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
        async with database.system() as connection:
            for risk in await find_risks(connection, database.dsn):
                log.warning("the database may lose what stations were answered for", reason=risk)
        retention = {
            "frame": settings.frame_retention_days,
            "station_report": settings.frame_retention_days,
            "connector_status": settings.sample_retention_days,
            "sample": settings.sample_retention_days,
            "energy_history": settings.sample_retention_days,
            "device_value": settings.sample_retention_days,
        }
        with contextlib.suppress(asyncpg.LockNotAvailableError):  # then the task below tries again
            await keep_partitions(database, self._clock, retention)
        upkeep = asyncio.create_task(keep_partitions_for_ever(database, self._clock, retention))
        self._stack.push_async_callback(cancelled, upkeep)
        counting = asyncio.create_task(
            keep_days_for_ever(database, self._clock, settings.sample_retention_days), name="health"
        )
        self._stack.push_async_callback(cancelled, counting)
        self.edge = await open_edge(settings, database, self._stack, clock=self._clock, limits=self._limits)
        if key := settings.bootstrap_api_key.get_secret_value():
            await ensure_bootstrap_key(database, key)
        edge = self.edge
        means = Means(database, edge.bus, edge.desk, self._clock)
        self.trust = await open_certificates(settings, means, edge.listener, self._stack, self._clock)
        await open_relays(settings, edge, self.trust.seal, self._clock)
        respond_to_demand(settings, means, self.trust.seal, self._stack)
        read_meters(settings, means, self.trust.seal, self._stack)
        look_ahead(settings, means, self._stack)
        steer_batteries(settings, means, self.trust.seal, self.edge.energy, self._stack)
        host, port = host_and_port(settings.ocpp)
        self.ocpp = await self.edge.listener.start(host, port)
        if settings.ocpp_tls:
            host, port = host_and_port(settings.ocpp_tls)
            self.ocpp_tls = await self.edge.listener.start(host, port, self.trust.tls)
        store = await open_store(settings)
        await give_back_interrupted(database)
        sweeping = asyncio.create_task(
            keep_files_for_ever(database, store, self._clock, settings.log_retention_days)
        )
        self._stack.push_async_callback(cancelled, sweeping)
        host, port = host_and_port(settings.http)
        self.web = WebServer(self._web_services(store), host, port)
        await self.web.start()
        self._stack.push_async_callback(self.web.stop)
        if not self.edge.addresses.base_url:
            self.edge.addresses.base_url = f"http://{own_host(host)}:{self.web.port}"

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

    @property
    def stations_tls_url(self) -> str:
        """Where stations connect over TLS, without their identity; empty when there is no such port."""
        if self._settings.stations_tls_url or self.ocpp_tls is None:
            return self._settings.stations_tls_url
        return f"wss://{tls_names(self._settings)[0]}:{self.ocpp_tls.port}/ocpp"

    def _web_services(self, store: FileStore) -> WebServices:
        edge = self.edge
        return WebServices(
            db=edge.database,
            bus=edge.bus,
            caller=edge.switchboard,
            pepper=edge.pepper,
            handshakes=lambda: [described(entry) for entry in edge.listener.handshake_log.entries()],
            health=lambda: {
                "database": "ok" if edge.writer.available else "away: stations wait for their answers"
            },
            measures=measures(edge),
            ocpp=OcppSchemas(sendable_actions, request_schema),
            clock=self._clock,
            desk=edge.desk,
            energy=edge.energy,
            poster=edge.poster,
            session_desk=edge.session_desk,
            reservation_policy=reservation_policy(self._settings),
            store=store,
            maximum_firmware_bytes=self._settings.maximum_firmware_mb * 1024 * 1024,
            maximum_log_bytes=self._settings.maximum_log_mb * 1024 * 1024,
            stations_url=self._settings.stations_url or self.stations_url,
            stations_tls_url=self.stations_tls_url,
            seal=self.trust.seal,
            trusted_proxies=self._settings.trusted_proxies or "127.0.0.1",
            keeps_local_lists=self._settings.local_lists,
            relay_state=relay_state(edge),
            quirks=known_quirks,
            console_url=self._settings.console_url,
            provider=identity_provider(self._settings),
            sign_on_rules=sign_on_rules(self._settings),
        )

    async def stop(self) -> None:
        """Drain the stations, write what waits, and stop everything that `start` started."""
        await self._stack.aclose()


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
