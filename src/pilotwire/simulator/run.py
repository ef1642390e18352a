"""The way in: run a simulation against a server, from a command or from a program."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.demo import generated_network
from pilotwire.simulator.drivers import Mishaps
from pilotwire.simulator.keeping import SAVE_EVERY_S, Memory
from pilotwire.simulator.model import NetworkSpec, OcppVersion
from pilotwire.simulator.network import Network, NetworkOptions
from pilotwire.simulator.plant import PLANT_STEP_S, OnPlant, Plant, PlantSpec
from pilotwire.simulator.station import StationOptions
from pilotwire.simulator.storage import serve_storage

MANY_STATIONS = 200
"""Beyond it physics is looked at every five seconds instead of every second, to spare the processor."""


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """What to simulate and how.

    Units: rates are per station and day of life; a day of life takes 86,400 / `speed` real seconds.
    """

    url: str
    """Base address of the server, `ws://HOST:PORT/ocpp` or `wss://...`; the identity is added to its path."""
    network: NetworkSpec | None = None
    """The sites and stations; None generates `stations` of them."""
    stations: int = 10
    """How many stations to generate."""
    versions: tuple[OcppVersion, ...] = ("1.6", "2.0.1", "2.1")
    """OCPP versions of the generated stations, in turn."""
    id_prefix: str = "SIM-"
    """Generated identities are this and a number of four digits from 0001."""
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Password by identity. A station that the server gave another one keeps that (`state_path`)."""
    password: str | None = field(default=None, repr=False)
    """Password, or enrolment key, of stations not in `passwords`; None connects without authentication."""
    speed: float = 1.0
    """How many times as fast life goes. Batteries, stays and gaps are divided by it; powers, registers and
    timestamps on the wire stay true (see `clock`)."""
    seed: int = 1
    """The same seed gives the same stations, arrivals and cars."""
    duration_s: float | None = None
    """Real seconds until it ends by itself; None runs until `stop`."""
    busyness: float = 1.0
    """Multiplies the arrivals of cars; 0 brings none but those after a remote start."""
    least_occupied: float | None = 0.0
    """Cars are there from the beginning as the hour and the site suggest, at this share of the EVSEs at
    least; None begins with empty places."""
    life_begins_at: datetime | None = None
    """The moment in people's lives at the start, which decides how busy the sites are; None is now."""
    come_after_remote_start: bool = True
    """A remote start on a free EVSE brings a car that plugs in."""
    offline_rate: float = 0.0
    """Losses of the network connection; transactions go on and are told later."""
    offline_min: float = 15.0
    """Their mean length in minutes of life."""
    fault_rate: float = 0.0
    """Connector faults."""
    fault_min: float = 20.0
    """Their mean length in minutes of life."""
    reboot_rate: float = 0.0
    """Power cuts, also in the middle of a transaction."""
    reboot_min: float = 2.0
    """Their mean length in minutes of life."""
    sample_interval_s: int = 60
    """Real seconds between periodic meter samples, until the server sets another interval."""
    tick_s: float | None = None
    """Real seconds between two looks at the physics; None chooses 1, or 5 for more than 200 stations."""
    connect_rate: float = 50.0
    """Stations switched on per real second."""
    call_timeout_s: float = 30.0
    """Real seconds to wait for an answer or a handshake."""
    reconnect_most_s: float = 60.0
    """Longest pause in real seconds between two attempts to connect."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings of every station, by their names in `device.SETTINGS`."""
    registers_wh: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """Lifetime registers (station identity, EVSE number) at the start, where not kept in `state_path`."""
    state_path: Path | None = None
    """A file (mode 0600) that keeps what stations keep without power: passwords, registers, and transactions
    that were going on, which they end by `PowerLoss` when they are back."""
    ca_file: Path | None = None
    """PEM file of the authorities to trust for `wss`; None takes the system's."""
    client_certificate: Path | None = None
    """PEM chain for security profile 3."""
    client_key: Path | None = None
    """Its key."""
    tls_verify: bool = True
    """False accepts any certificate of the server: for trials alone."""
    plants: tuple[PlantSpec, ...] = ()
    """What stands at sites besides stations; their meters are told to `on_plant` every two seconds."""
    finish_sessions: bool = True
    """At the end drivers leave and the stops are told, so that the server keeps no open session."""
    finish_s: float = 10.0
    """Real seconds to wait for that."""


@dataclass(frozen=True, slots=True)
class SimulatorEvent:
    """Something that happened at a station.

    `kind` is `connected`, `refused`, `booted`, `disconnected`, `session_started`, `session_ended`,
    `remote_start`, `fault`, `recovered`, `offline`, `power_cut`, `rebooted`, `password_changed` (with the
    password in `detail`), `called`, `cost`, `unsaid` or `unsent`.
    """

    at: datetime
    station: str
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a simulation. `unsent` counts transaction messages that the server did not take."""

    stations: int
    accepted: int
    connections: int
    handshakes_refused: int
    messages_sent: int
    messages_received: int
    errors_sent: int
    errors_received: int
    timeouts: int
    sessions_started: int
    sessions_ended: int
    energy_wh: int
    faults: int
    outages: int
    power_cuts: int
    unsent: int
    duration_s: float
    registers_wh: Mapping[tuple[str, int], float]
    passwords: Mapping[str, str] = field(repr=False)


OnEvent = Callable[[SimulatorEvent], None]


async def simulate(
    options: SimulatorOptions,
    on_event: OnEvent | None = None,
    stop: asyncio.Event | None = None,
    on_plant: OnPlant | None = None,
) -> Summary:
    """Run a simulation until `stop` is set or its duration is over.

    Raises: OSError when a file of certificates cannot be read; any fault of the simulator itself. A server
    that is away or refuses is no fault: the stations try again.
    """
    spec = options.network or generated_network(
        options.stations, options.versions, options.id_prefix, options.seed
    )
    memory = Memory(options.state_path)
    clock = SimClock(options.speed, options.life_begins_at)

    def heard(kind: str, identity: str, detail: dict[str, Any]) -> None:
        if kind == "password_changed":
            memory.passwords[identity] = detail["password"]
            memory.save()
        if on_event is not None:
            on_event(SimulatorEvent(datetime.now(UTC), identity, kind, detail))

    network = Network(spec, _network_options(options, memory, len(spec.stations)), clock, heard)
    memory.restore(network.stations)
    begun = asyncio.get_running_loop().time()
    life = asyncio.create_task(network.run())
    plants = [Plant(each, network, clock, options.seed) for each in options.plants]
    keeping = asyncio.create_task(_keep_saving(network, memory))
    metering = asyncio.create_task(_run_plants(plants, on_plant))
    stopped = asyncio.create_task((stop or asyncio.Event()).wait())
    unsent = 0
    try:
        await asyncio.wait(
            {life, stopped, keeping, metering},
            timeout=options.duration_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if options.finish_sessions and not life.done():
            unsent = await network.finish(options.finish_s)
    finally:
        stopped.cancel()
        memory.take(network.stations)
        for task in (life, keeping, metering):
            task.cancel()
        for task in (life, keeping, metering):
            with suppress(asyncio.CancelledError):
                await task
        memory.save()
    return _summary(network, memory, unsent, asyncio.get_running_loop().time() - begun)


async def _keep_saving(network: Network, memory: Memory) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        memory.take(network.stations)
        memory.save()


async def _run_plants(plants: list[Plant], on_plant: OnPlant | None) -> None:
    async with AsyncExitStack() as stack:
        for plant in plants:
            if plant.spec.storage_port:
                await stack.enter_async_context(serve_storage(plant.storage, plant.spec.storage_port))
        while True:
            await asyncio.sleep(PLANT_STEP_S)
            for plant in plants:
                reading = plant.step(PLANT_STEP_S)
                if on_plant is not None:
                    on_plant(plant.spec.site_id, reading)


def _network_options(options: SimulatorOptions, memory: Memory, count: int) -> NetworkOptions:
    tick_s = options.tick_s or (5.0 if count > MANY_STATIONS else 1.0)
    return NetworkOptions(
        station=StationOptions(
            url=options.url,
            password=options.password,
            ssl_context=_ssl_context(options),
            tick_s=tick_s,
            sample_interval_s=options.sample_interval_s,
            call_timeout_s=options.call_timeout_s,
            reconnect_most_s=options.reconnect_most_s,
            settings=tuple(options.settings.items()),
        ),
        passwords={**options.passwords, **memory.passwords},
        registers_wh={**options.registers_wh, **memory.registers},
        mishaps=Mishaps(
            options.offline_rate,
            options.offline_min,
            options.fault_rate,
            options.fault_min,
            options.reboot_rate,
            options.reboot_min,
        ),
        seed=options.seed,
        busyness=options.busyness,
        least_occupied=options.least_occupied,
        come_after_remote_start=options.come_after_remote_start,
        connect_rate=options.connect_rate,
    )


def _ssl_context(options: SimulatorOptions) -> ssl.SSLContext | None:
    if not options.url.startswith("wss"):
        return None
    context = ssl.create_default_context(cafile=options.ca_file)
    if not options.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_certificate is not None:
        context.load_cert_chain(options.client_certificate, options.client_key)
    return context


def _summary(network: Network, memory: Memory, unsent: int, duration_s: float) -> Summary:
    counts, traffic = network.counts, network.traffic
    return Summary(
        stations=len(network.stations),
        accepted=sum(1 for station in network.stations.values() if station.lifecycle.ready.is_set()),
        connections=traffic.connections,
        handshakes_refused=traffic.handshakes_refused,
        messages_sent=traffic.sent,
        messages_received=traffic.received,
        errors_sent=traffic.errors_sent,
        errors_received=traffic.errors_received,
        timeouts=traffic.timeouts,
        sessions_started=counts["session_started"],
        sessions_ended=counts["session_ended"],
        energy_wh=network.energy_wh,
        faults=counts["fault"],
        outages=counts["offline"],
        power_cuts=counts["power_cut"],
        unsent=unsent,
        duration_s=duration_s,
        registers_wh=memory.registers,
        passwords=memory.passwords,
    )
