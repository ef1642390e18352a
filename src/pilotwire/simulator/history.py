"""The past: plausible sessions of the days before now. Pure.

Made by the same habits and the same cars as the live network.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from pilotwire.simulator.arrivals import Arrivals, Visit
from pilotwire.simulator.car import Offer
from pilotwire.simulator.model import EvseSpec, NetworkSpec, SiteSpec, StationSpec

SAMPLE_EVERY = timedelta(minutes=15)
AC_STEP_S = 300.0
DC_STEP_S = 60.0
IDLE_AFTER_FULL = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class PastSample:
    """What the meter showed. `energy_wh` is the lifetime register; `soc_percent` is known for DC only."""

    at: datetime
    energy_wh: int
    power_w: int
    soc_percent: float | None


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session that is over.

    Samples include the begin and the end; `stop_reason` is `local` or `ev_disconnected`.
    """

    station: str
    evse: int
    connector: int
    token_uid: str
    started_at: datetime
    ended_at: datetime
    meter_start_wh: int
    meter_end_wh: int
    stop_reason: str
    samples: tuple[PastSample, ...]


def past_sessions(
    network: NetworkSpec, until: datetime, *, days: float = 30, seed: int = 1
) -> Iterator[PastSession]:
    """The sessions of the last `days` that ended before `until`, by their start.

    They never overlap on an EVSE, and its register goes on where the session before left it;
    `registers_after` gives the registers to begin the live simulation with. Deterministic by the arguments.
    """
    until = until.astimezone(UTC)
    streams = [
        _evse_sessions(site, station, evse, network, (until - timedelta(days=days), until, seed))
        for site in network.sites
        for station in site.stations
        for evse in station.evses
    ]
    return heapq.merge(*streams, key=attrgetter("started_at"))


def registers_after(network: NetworkSpec, sessions: list[PastSession]) -> dict[tuple[str, int], int]:
    """The register of every EVSE (station identity, EVSE number) after these sessions, in Wh."""
    registers = {
        (station.identity, evse.id): evse.register_wh
        for station in network.stations
        for evse in station.evses
    }
    for session in sessions:
        key = (session.station, session.evse)
        registers[key] = max(registers[key], session.meter_end_wh)
    return registers


def _evse_sessions(
    site: SiteSpec,
    station: StationSpec,
    evse: EvseSpec,
    network: NetworkSpec,
    span: tuple[datetime, datetime, int],
) -> Iterator[PastSession]:
    since, until, seed = span
    name = f"{seed}/past/{station.identity}/{evse.id}"
    arrivals = Arrivals(name, site, evse, network.tokens)
    register = evse.register_wh
    at = since
    while (at := arrivals.next_after(at)) < until:
        session = _session(station, evse, arrivals.draw(), at.replace(microsecond=0), register)
        if session.ended_at >= until:
            return
        yield session
        register = session.meter_end_wh
        at = session.ended_at + timedelta(minutes=3)


def _session(
    station: StationSpec, evse: EvseSpec, visit: Visit, begin: datetime, register: int
) -> PastSession:
    car = visit.make_car()
    offer = Offer(evse.current, evse.max_current_a, float(evse.max_power_w), evse.phases)
    is_dc = evse.current == "DC"
    step_s = DC_STEP_S if is_dc else AC_STEP_S
    leave_at = begin + timedelta(seconds=int(visit.stay_s))
    at, next_sample, energy_wh = begin, begin + SAMPLE_EVERY, 0.0
    samples = [_sample(begin, register, 0.0, car.soc_percent, is_dc=is_dc)]
    flow_w, full_at = 0.0, None
    while at < leave_at:
        dt_s = min(step_s, (leave_at - at).total_seconds(), (next_sample - at).total_seconds())
        if car.full:
            # Nothing changes any more: jump to the next sample.
            dt_s, flow_w = min((leave_at - at).total_seconds(), (next_sample - at).total_seconds()), 0.0
        else:
            flow = car.step(dt_s, offer)
            energy_wh += flow.energy_wh
            flow_w = flow.power_w
        at += timedelta(seconds=dt_s)
        if car.full and full_at is None:
            full_at = at
            if visit.leaves_when_full:
                leave_at = min(leave_at, at + IDLE_AFTER_FULL)
        if at >= next_sample and at < leave_at:
            samples.append(_sample(at, register + int(energy_wh), flow_w, car.soc_percent, is_dc=is_dc))
            next_sample += SAMPLE_EVERY
    end_register = register + int(energy_wh)
    samples.append(_sample(leave_at, end_register, 0.0, car.soc_percent, is_dc=is_dc))
    return PastSession(
        station=station.identity,
        evse=evse.id,
        connector=visit.connector_id,
        token_uid=visit.token.uid,
        started_at=begin,
        ended_at=leave_at,
        meter_start_wh=register,
        meter_end_wh=end_register,
        stop_reason="local" if visit.stops_with_card else "ev_disconnected",
        samples=tuple(samples),
    )


def _sample(at: datetime, register: int, power_w: float, soc: float, *, is_dc: bool) -> PastSample:
    return PastSample(at, register, round(power_w), round(soc, 1) if is_dc else None)
