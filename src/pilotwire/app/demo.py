"""The demo: the whole server with a simulated charging network and a month of its past."""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from pilotwire.app.demo_energy import ENERGY_SITE, MeterPosts, give_energy_tree, plant_of, steer_battery
from pilotwire.app.demo_past import bring_intensities, write_flows
from pilotwire.app.demo_sites import about, fast_stations
from pilotwire.app.server import Server
from pilotwire.core.errors import Conflict
from pilotwire.core.ids import new_secret, new_uuid
from pilotwire.db.partitions import make_partitions
from pilotwire.domain.access.usecases.manage_tokens import TokenDraft, create_token
from pilotwire.domain.health.counting import count_day
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_users import create_user
from pilotwire.domain.sessions.messages import Phase, Sample
from pilotwire.domain.sessions.model import Meter, SessionFacts
from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.sessions.repository import SINKS
from pilotwire.domain.stations.usecases.add_stations import StationDraft, create_station
from pilotwire.domain.stations.usecases.manage_groups import change_members, create_group
from pilotwire.domain.stations.usecases.manage_sites import create_site
from pilotwire.settings import host_and_port
from pilotwire.simulator.demo import demo_network
from pilotwire.simulator.history import PastSession, past_sessions, registers_after
from pilotwire.simulator.model import NetworkSpec
from pilotwire.simulator.plant import PlantSpec
from pilotwire.simulator.run import SimulatorEvent, SimulatorOptions, simulate

__all__ = ["Demo", "DemoLogin", "free_or_any"]

_DAYS = 30
_EMAIL = "demo@pilotwire.example"


@dataclass(frozen=True)
class DemoLogin:
    """How to sign in to the demo's console."""

    email: str
    password: str


class Demo:
    """Fills an empty system once, then brings its stations to life."""

    def __init__(self, data_dir: Path, *, speed: float) -> None:
        self._path = data_dir / "demo.json"
        self._state = data_dir / "simulator.json"
        self._speed = speed
        self._network: NetworkSpec = demo_network()
        self._passwords: dict[str, str] = {}
        self._registers: dict[tuple[str, int], float] = {}
        self._energy_site: UUID | None = None
        self._meter_key = ""
        self.login = DemoLogin(_EMAIL, "")

    async def prepare(self, server: Server, progress: Callable[[str], None]) -> None:
        """Make the sites, stations, tokens, the past and a user, unless an earlier demo has."""
        if self._path.exists():
            kept = json.loads(self._path.read_text())
            self._passwords = kept["passwords"]
            self.login = DemoLogin(_EMAIL, kept["login"])
            if kept.get("energy_site"):
                self._energy_site, self._meter_key = UUID(kept["energy_site"]), kept["meter_key"]
            return
        if len(server.edge.directory):
            raise Conflict(
                f"{self._path.parent} holds stations that no demo has made (or a demo that was interrupted while it was"
                " being set up): remove the directory, or give another with --data-dir"
            )
        progress("making 4 sites with 24 stations")
        principal = system_principal()
        database = server.edge.database
        password = new_secret(12)
        await create_user(
            database, principal, email=_EMAIL, name="Demo operator", role=Role.OWNER, password=password
        )
        for token in self._network.tokens:
            draft = TokenDraft(uid=token.uid, group_id=token.group, holder=token.holder)
            await create_token(database, server.edge.bus, principal, draft)
        for site in self._network.sites:
            row = await create_site(
                database,
                principal,
                {
                    "name": site.name,
                    "address": f"{site.address}, {site.postal_code}",
                    "city": site.city,
                    "country": site.country,
                    "latitude": site.latitude,
                    "longitude": site.longitude,
                    "time_zone": site.time_zone,
                    **about(site),
                },
            )
            for station in site.stations:
                place = StationDraft(
                    station.identity, name=f"{site.name} {station.identity[-2:]}", site_id=row.id
                )
                record, secret = await create_station(
                    database, server.edge.bus, server.edge.pepper, principal, place
                )
                self._passwords[record.identity] = secret or ""
            if site.id == ENERGY_SITE:
                self._meter_key = await give_energy_tree(server, site, row.id)
                self._energy_site = row.id
        group = await create_group(database, principal, "Fast chargers", "direct current, at whichever site")
        await change_members(database, principal, group.id, fast_stations(self._network.sites), [])
        progress(f"making {_DAYS} days of past sessions")
        await self._write_past(server)
        self.login = DemoLogin(_EMAIL, password)
        self._keep()

    async def live(
        self, server: Server, stop: asyncio.Event, heard: Callable[[SimulatorEvent], None]
    ) -> None:
        """Run the simulated stations until the stop."""
        posts = None if self._energy_site is None else MeterPosts(self._energy_site, self._meter_key)
        posting = None if posts is None else asyncio.create_task(posts.run(server), name="meters of the demo")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        plants = [plant_of(site, port) for site in self._network.sites if site.id == ENERGY_SITE]
        if self._energy_site is not None:
            await steer_battery(server, self._energy_site, port)
        try:
            await self._simulate(server, stop, heard, () if posts is None else tuple(plants), posts)
        finally:
            if posting is not None:
                posting.cancel()
                await asyncio.gather(posting, return_exceptions=True)

    async def _simulate(
        self,
        server: Server,
        stop: asyncio.Event,
        heard: Callable[[SimulatorEvent], None],
        plants: tuple[PlantSpec, ...],
        posts: MeterPosts | None,
    ) -> None:
        await simulate(
            SimulatorOptions(
                url=server.stations_url,
                network=self._network,
                passwords=self._passwords,
                speed=self._speed,
                least_occupied=0.4,
                fault_rate=0.05,
                offline_rate=0.1,
                sample_interval_s=5,
                registers_wh=self._registers,
                state_path=self._state,
                finish_sessions=False,
                plants=plants,
            ),
            heard,
            stop,
            None if posts is None else posts.heard,
        )

    async def _write_past(self, server: Server) -> None:
        until = datetime.now(UTC)
        sessions = await asyncio.to_thread(lambda: list(past_sessions(self._network, until, days=_DAYS)))
        self._registers = dict(registers_after(self._network, sessions))
        async with server.edge.database.service.acquire() as connection, connection.transaction():
            await make_partitions(connection, (until - timedelta(days=_DAYS + 1)).date(), until.date())
            rows = await connection.fetch("SELECT id, tenant_id, identity FROM station")
            stations = {row["identity"]: (row["id"], row["tenant_id"]) for row in rows}
            for part in _parts(sessions, 500):
                kept, samples = [], []
                for past in part:
                    record = _past_session(past, *stations[past.station])
                    kept.append(record)
                    samples += _past_samples(past, record.facts.id, *stations[past.station])
                await SINKS[SessionKept](connection, kept)
                await SINKS[SampleKept](connection, samples)
            await self._write_energy_past(connection, sessions, (until - timedelta(days=_DAYS), until))
            for days in range(_DAYS, -1, -1):
                await count_day(connection, (until - timedelta(days=days)).date())
        if self._energy_site is not None:
            ahead = (until - timedelta(days=_DAYS), until + timedelta(days=3))
            await bring_intensities(server, self._energy_site, ahead)

    async def _write_energy_past(
        self, connection: Any, sessions: list[PastSession], span: tuple[datetime, datetime]
    ) -> None:
        site = next((each for each in self._network.sites if each.id == ENERGY_SITE), None)
        if site is None or self._energy_site is None:
            return
        here = {station.identity for station in site.stations}
        own = [session for session in sessions if session.station in here]
        tenant_id = system_principal().tenant_id
        await write_flows(connection, self._energy_site, tenant_id, plant_of(site), own, span)

    def _keep(self) -> None:
        kept = {
            "passwords": self._passwords,
            "login": self.login.password,
            "energy_site": str(self._energy_site or ""),
            "meter_key": self._meter_key,
        }
        text = json.dumps(kept)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)


def _parts(sessions: list[PastSession], size: int) -> Iterable[list[PastSession]]:
    return (sessions[start : start + size] for start in range(0, len(sessions), size))


def _past_session(past: PastSession, station_id: int, tenant_id: int) -> SessionKept:
    session_id = new_uuid(past.started_at)
    last = past.samples[-1] if past.samples else None
    facts = SessionFacts(
        id=session_id,
        transaction_ref=f"past-{session_id}",
        first_at=past.started_at,
        last_at=past.ended_at,
        evse_no=past.evse,
        connector_no=past.connector,
        token=((0, past.started_at), past.token_uid),
        token_verdict="accepted",  # noqa: S106 - a verdict
        started_at=past.started_at,
        ended_at=past.ended_at,
        stated_start_wh=Decimal(past.meter_start_wh),
        stated_end_wh=Decimal(past.meter_end_wh),
        last_meter=None if last is None else Meter((0, last.at), Decimal(last.energy_wh)),
        last_soc=None if last is None or last.soc_percent is None else ((0, last.at), last.soc_percent),
        stop_reason="Local" if past.stop_reason == "local" else "EVDisconnected",
    )
    return SessionKept(
        tenant_id, station_id, past.station, Phase.ENDED, new=True, received_at=past.ended_at, facts=facts,
        state="ended", review=(),
    )  # fmt: skip


def _past_samples(past: PastSession, session_id: UUID, station_id: int, tenant_id: int) -> list[SampleKept]:
    return [
        SampleKept(
            tenant_id,
            station_id,
            past.evse,
            past.connector,
            session_id,
            sample.at,
            Sample(
                sample.at,
                "Sample.Periodic",
                Decimal(sample.energy_wh),
                float(sample.power_w),
                soc_percent=sample.soc_percent,
            ),
        )
        for sample in past.samples
    ]


def free_or_any(address: str) -> str:
    """Keep an address whose port is free; else take any port of the same host."""
    host, port = host_and_port(address)
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return f"{host}:0"
    return address
