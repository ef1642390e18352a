"""The stations' edge, built and tied together: writer, switchboard, listener, and the jobs that work with stations."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import structlog

from pilotwire.app.addresses import from_stations_url
from pilotwire.app.opening import cancelled
from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock, utc_now
from pilotwire.core.proxies import TrustedProxies
from pilotwire.db.engine import Database
from pilotwire.db.lanes import WriterLanes
from pilotwire.db.sealing import Seal
from pilotwire.db.sole_name import SoleName
from pilotwire.domain.certificates.events import CertificateHeld
from pilotwire.domain.certificates.repository import SINKS as CERTIFICATE_SINKS
from pilotwire.domain.certificates.repository import list_held, list_issuers
from pilotwire.domain.energy.planning import Planner
from pilotwire.domain.energy.sinks import SINKS as ENERGY_SINKS
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.relays.sinks import SINKS as RELAY_SINKS
from pilotwire.domain.reservations.model import Policy
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
from pilotwire.domain.supervision.model import Rules
from pilotwire.domain.transfers.addresses import FileAddresses
from pilotwire.domain.webhooks.outbox import Outbox
from pilotwire.domain.webhooks.repository import list_wanted
from pilotwire.integrations.asking import HttpAsker
from pilotwire.integrations.back_ends import BackEndDialer
from pilotwire.integrations.batteries import BatteryDesk
from pilotwire.integrations.boosting import Fitter
from pilotwire.integrations.egress import read_policy
from pilotwire.integrations.meters import Fetcher
from pilotwire.integrations.openadr import VtnDesks
from pilotwire.integrations.openadr2 import OpenAdr2Desk
from pilotwire.integrations.openadr3 import OpenAdrDesk
from pilotwire.integrations.posting import HttpPoster
from pilotwire.integrations.revocation import RevocationChecker
from pilotwire.jobs.batteries import BatterySteerer
from pilotwire.jobs.commands import CommandRunner
from pilotwire.jobs.demand_response import DemandResponder
from pilotwire.jobs.device_model import DeviceModelKeeper
from pilotwire.jobs.energy import EnergyOptions, EnergyRunner
from pilotwire.jobs.forecasting import Forecaster
from pilotwire.jobs.local_lists import ListOptions, LocalListKeeper
from pilotwire.jobs.meter_sources import MeterReader
from pilotwire.jobs.origins import OriginKeeper
from pilotwire.jobs.outlook import SiteOutlook
from pilotwire.jobs.reservations import ReservationKeeper
from pilotwire.jobs.supervision import Supervisor
from pilotwire.jobs.targets import TargetKeeper
from pilotwire.jobs.webhooks import DeliveryRunner
from pilotwire.ocpp.desk import Desk
from pilotwire.ocpp.doorkeeper import StationDirectory, StationDoorkeeper
from pilotwire.ocpp.gateway import Limits, Listener
from pilotwire.ocpp.refresh import Refresher
from pilotwire.ocpp.relay import RelayBook
from pilotwire.ocpp.session_desk import SessionDesk
from pilotwire.ocpp.switchboard import Switchboard
from pilotwire.settings import Settings
from pilotwire.web.told import TOLD

__all__ = [
    "Edge",
    "look_ahead",
    "open_edge",
    "open_relays",
    "read_meters",
    "reservation_policy",
    "respond_to_demand",
    "steer_batteries",
]

log = structlog.get_logger(__name__)


def respond_to_demand(settings: Settings, means: Means, seal: Seal, stack: AsyncExitStack) -> None:
    """Follow the events of the servers that sites are signed up with."""
    policy = read_policy(settings.egress_hosts, settings.egress_private_networks)
    asker, second = HttpAsker(policy), OpenAdr2Desk(policy)
    stack.push_async_callback(asker.close)
    stack.push_async_callback(second.close)
    desk = VtnDesks(second, OpenAdrDesk(asker))
    responder = DemandResponder(means.db, means.bus, means.clock, desk, seal)
    responding = asyncio.create_task(responder.run(), name="demand response")
    stack.push_async_callback(cancelled, responding)


def read_meters(settings: Settings, means: Means, seal: Seal, stack: AsyncExitStack) -> None:
    """Read the sites' meters that do not send by themselves."""
    fetcher = Fetcher(read_policy(settings.egress_hosts, settings.egress_private_networks), means.clock)
    reader = MeterReader(means.db, means.bus, means.clock, fetcher, seal)
    stack.push_async_callback(cancelled, asyncio.create_task(reader.run(), name="meter sources"))


def look_ahead(settings: Settings, means: Means, stack: AsyncExitStack) -> None:
    """Keep forecasts of the sites, and write down where their energy came from."""
    forecaster = Forecaster(
        means.db,
        means.bus,
        means.clock,
        Fitter(),
        fit_every=timedelta(hours=settings.energy_forecast_fit_every_h),
        retention=timedelta(days=settings.energy_forecast_retention_days),
    )
    stack.push_async_callback(cancelled, asyncio.create_task(forecaster.run(), name="forecasts"))
    accountant = OriginKeeper(means.db, means.clock)
    stack.push_async_callback(cancelled, asyncio.create_task(accountant.run(), name="origins of energy"))


def steer_batteries(
    settings: Settings, means: Means, seal: Seal, runner: EnergyRunner, stack: AsyncExitStack
) -> None:
    """Tell the sites' batteries what the loops want of them."""
    policy = read_policy(settings.egress_hosts, settings.egress_private_networks)
    asker = HttpAsker(policy)
    stack.push_async_callback(asker.close)
    desk = BatteryDesk(policy, asker)
    steerer = BatterySteerer(means.db, means.bus, means.clock, desk, seal, runner.sites)
    stack.push_async_callback(cancelled, asyncio.create_task(steerer.run(), name="batteries"))


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
    session_desk: SessionDesk
    addresses: FileAddresses
    outbox: Outbox
    poster: HttpPoster
    energy: EnergyRunner


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
    sole = SoleName(database.dsn, name)
    stack.push_async_callback(sole.give_up)
    await sole.take()
    bus = LocalBus()
    outbox = Outbox(bus, TOLD, clock)
    sinks = {**STATION_SINKS, **CERTIFICATE_SINKS, **SESSION_SINKS, **ENERGY_SINKS, **RELAY_SINKS}
    writer = WriterLanes(database.dsn, name, outbox.around(sinks), bus.publish_all)
    stack.push_async_callback(writer.close)
    await writer.start()
    async with database.service.acquire() as connection:
        pepper = await pepper_of(connection)
        await close_presence(connection, name)
        addresses = await last_addresses(connection)
        outbox.wanted = await list_wanted(connection)
        directory = StationDirectory()
        directory.fill(await list_records(connection), await list_enrolment_keys(connection))
        directory.set_certificates(await list_held(connection))
    bus.subscribe(StationChanged, directory.changed)
    bus.subscribe(StationRemoved, directory.removed)
    bus.subscribe(CertificateHeld, directory.certificate_held)
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
    file_addresses = FileAddresses(settings.public_url or from_stations_url(settings.stations_url))
    runner = CommandRunner(database, bus, desk, clock, file_addresses)
    await runner.recover()
    running = asyncio.create_task(runner.run(), name="command runner")
    stack.push_async_callback(cancelled, running)
    _keep_device_models(settings, Means(database, bus, desk, clock), stack)
    energy = _balance_energy(settings, Means(database, bus, desk, clock), desk, stack)
    switchboard.services.manages_energy = energy.manages
    # What passes the writer is told with it; the rest when the bus tells it.
    outbox.listen([kind for kind in TOLD if kind not in sinks], writer.submit)
    _check_revocations(settings, database, switchboard, clock, stack)
    poster = await _open_webhooks(settings, database, bus, outbox, pepper, clock, stack)
    listener = Listener(
        StationDoorkeeper(directory, pepper, clock, strict=settings.ocpp_strict),
        switchboard,
        limits,
        proxies=TrustedProxies(settings.trusted_proxies),
    )
    for identity, address in addresses:
        # A guesser who is at work during a restart must not hold up the genuine station.
        listener.recall_success(identity, address)
    stack.push_async_callback(listener.drain, settings.drain_timeout_s)
    session_desk = SessionDesk(switchboard, database)
    _keep_local_lists(settings, Means(database, bus, desk, clock), stack)
    _watch_over(settings, Means(database, bus, desk, clock), session_desk, stack)
    return Edge(
        database,
        bus,
        writer,
        directory,
        switchboard,
        listener,
        pepper,
        desk,
        session_desk,
        file_addresses,
        outbox,
        poster,
        energy,
    )


def _balance_energy(settings: Settings, means: Means, desk: Desk, stack: AsyncExitStack) -> EnergyRunner:
    options = EnergyOptions(settings.energy_balance_interval_s, settings.energy_plan_interval_s)
    runner = EnergyRunner(
        means.db, means.bus, desk, means.clock, options, SiteOutlook(means.db), make_planner=Planner
    )
    balancing = asyncio.create_task(runner.run(), name="energy runner")
    stack.push_async_callback(cancelled, balancing)
    return runner


def _check_revocations(
    settings: Settings, database: Database, switchboard: Switchboard, clock: Clock, stack: AsyncExitStack
) -> None:
    """Answer stations' questions for the revocation of certificates by asking whom they name."""

    async def known() -> list[str]:
        async with database.service.acquire() as connection:
            return await list_issuers(connection)

    policy = read_policy(settings.egress_hosts, settings.egress_private_networks)
    checker = RevocationChecker(policy, clock, known)
    stack.push_async_callback(checker.close)
    switchboard.services.statuses.check = checker.check


async def _open_webhooks(
    settings: Settings,
    database: Database,
    bus: LocalBus,
    outbox: Outbox,
    pepper: bytes,
    clock: Clock,
    stack: AsyncExitStack,
) -> HttpPoster:
    poster = HttpPoster(read_policy(settings.egress_hosts, settings.egress_private_networks))
    stack.push_async_callback(poster.close)
    runner = DeliveryRunner(
        database,
        bus,
        poster,
        outbox,
        pepper,
        clock,
        disable_after=timedelta(hours=settings.webhook_disable_after_h),
        retention=timedelta(days=settings.webhook_retention_days),
    )
    delivering = asyncio.create_task(runner.run(), name="webhooks")
    stack.push_async_callback(cancelled, delivering)
    return poster


def _watch_over(settings: Settings, means: Means, session_desk: SessionDesk, stack: AsyncExitStack) -> None:
    """Start what follows targets and reservations, and what finds sessions that are over or never began."""
    supervisor = Supervisor(means, session_desk, _rules(settings), interval_s=settings.supervision_interval_s)
    reservations = ReservationKeeper(means, reservation_policy(settings))
    for work in (TargetKeeper(means).run(), supervisor.run(), reservations.run()):
        stack.push_async_callback(cancelled, asyncio.create_task(work))


def reservation_policy(settings: Settings) -> Policy:
    """Give the times by which reservations are placed and given up."""
    return Policy(lead_s=settings.reservation_lead_s, grace_s=settings.reservation_grace_s)


def _keep_device_models(settings: Settings, means: Means, stack: AsyncExitStack) -> None:
    keeper = DeviceModelKeeper(means, reads=settings.device_read, read_delay_s=settings.device_read_delay_s)
    keeping = asyncio.create_task(keeper.run(), name="device models")
    stack.push_async_callback(cancelled, keeping)


def _keep_local_lists(settings: Settings, means: Means, stack: AsyncExitStack) -> None:
    options = ListOptions(
        settings.local_lists, settings.local_list_debounce_s, settings.local_list_stations_per_s
    )
    keeping = asyncio.create_task(LocalListKeeper(means, options).run(), name="local lists")
    stack.push_async_callback(cancelled, keeping)


async def open_relays(settings: Settings, edge: Edge, seal: Seal, clock: Clock) -> None:
    """Let the stations' edge know which stations also speak to another back end."""
    dial = BackEndDialer(read_policy(settings.egress_hosts, settings.egress_private_networks))
    book = RelayBook(edge.database, edge.bus, seal, dial, clock, edge.writer)
    await book.fill()
    edge.switchboard.relays = book


def _rules(settings: Settings) -> Rules:
    return Rules(
        silent_after_s=settings.session_silent_after_s,
        free_after_s=settings.session_free_after_s,
        patience_s=settings.session_patience_s,
        gone_after_s=settings.session_gone_after_s,
        longest_s=settings.session_longest_s,
        full_after_s=settings.car_full_after_s,
        start_missing_after_s=settings.start_missing_after_s,
        settle=settings.session_settle,
    )
