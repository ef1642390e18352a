"""The people at the stations and the mishaps of a network.

Drivers plug, hold their cards to the reader, wait, lose patience and leave.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from pilotwire.simulator.arrivals import Arrivals, Visit
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.evse import Evse
from pilotwire.simulator.lifecycle import go_offline, power_cut
from pilotwire.simulator.states import Fault
from pilotwire.simulator.station import Station

LOOK_EVERY_S = 20.0
"""Life seconds between two looks of a driver at the charging car."""
FAULTS = (
    Fault("GroundFailure", "residual current detected"),
    Fault("OverCurrentFailure", "over-current on L2"),
    Fault("EVCommunicationError", "no answer of the car on the control pilot"),
    Fault("HighTemperature", "temperature of the outlet above 85 C", ends_session=False),
    Fault("ConnectorLockFailure", "plug could not be locked"),
    Fault("PowerMeterFailure", "no answer of the meter"),
    Fault("UnderVoltage", "L1 below 184 V", ends_session=False),
    Fault("InternalError", "watchdog of the power stage"),
)


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How often things go wrong. Units: `_rate` per station and day of life; `_min` mean minutes of life."""

    offline_rate: float = 0.0
    offline_min: float = 15.0
    fault_rate: float = 0.0
    fault_min: float = 20.0
    reboot_rate: float = 0.0
    reboot_min: float = 2.0


async def keep_visiting(
    station: Station, evse: Evse, arrivals: Arrivals, rng: random.Random, *, least_occupied: float | None
) -> None:
    """Cars come to one EVSE for ever. Whoever finds it taken or broken drives on.

    One may be there from the beginning, at least with the probability given; with None, none is.
    """
    clock = station.clock
    await station.lifecycle.ready.wait()
    if least_occupied is not None and arrivals.likely_occupied(clock.life_now(), least_occupied):
        await asyncio.sleep(rng.uniform(0.2, 6.0))
        if evse.free:
            await visit(station, evse, arrivals.draw())
    while True:
        arrival = arrivals.next_after(clock.life_now())
        await clock.sleep_life((arrival - clock.life_now()).total_seconds())
        if evse.free and station.reset_when_idle is None:
            await visit(station, evse, arrivals.draw())


async def visit(station: Station, evse: Evse, who: Visit) -> None:
    """One driver's stay from arrival to departure."""
    clock = station.clock
    if who.card_first:
        if not await station.present_token(evse.id, who.token):
            return
        await clock.sleep_life(15.0)
        if evse.car is not None or evse.authorisation is None:
            return
        station.plug_in(evse.id, who.make_car(clock.speed), who.connector_id)
    else:
        if not evse.free:
            return
        station.plug_in(evse.id, who.make_car(clock.speed), who.connector_id)
        await clock.sleep_life(12.0)
        if evse.authorisation is None and not await station.present_token(evse.id, who.token):
            await clock.sleep_life(who.gives_up_s)
            station.unplug(evse.id)
            return
    await stay(station, evse, who)


async def stay(station: Station, evse: Evse, who: Visit) -> None:
    """From the plugged car to the departure."""
    clock, car = station.clock, evse.car
    left_s = who.stay_s
    while left_s > 0 and evse.car is car:
        nap_s = min(left_s, LOOK_EVERY_S * max(1.0, 0.25 * clock.speed))
        await clock.sleep_life(nap_s)
        left_s -= nap_s
        ended = evse.tx is None or evse.authorisation is None
        if ended or (who.leaves_when_full and car is not None and car.full):
            # On the way back to the car.
            await clock.sleep_life(min(left_s, 240.0) if left_s > 0 else 0.0)
            break
    if evse.car is not car:
        return
    if who.stops_with_card and evse.authorisation is not None and evse.fault is None:
        await station.present_token(evse.id, who.token)
        await clock.sleep_life(10.0)
    if evse.car is car:
        station.unplug(evse.id)


async def come_after_remote_start(station: Station, evse: Evse, who: Visit, rng: random.Random) -> None:
    """The driver who pressed the button in an app plugs the car in."""
    await asyncio.sleep(rng.uniform(0.5, 3.0))
    if evse.car is None and evse.authorisation is not None:
        station.plug_in(evse.id, who.make_car(station.clock.speed), who.connector_id)
        await stay(station, evse, who)


async def keep_failing(station: Station, mishaps: Mishaps, rng: random.Random) -> None:
    """Outages, power cuts and faults of one station for ever, as often as `mishaps` says."""
    total = mishaps.offline_rate + mishaps.fault_rate + mishaps.reboot_rate
    if total <= 0:
        return
    await station.lifecycle.ready.wait()
    clock: SimClock = station.clock
    while True:
        await clock.sleep_life(rng.expovariate(total) * 86_400.0)
        kind = rng.random() * total
        if kind < mishaps.offline_rate:
            go_offline(station, clock.real_s(60.0 * rng.expovariate(1.0 / mishaps.offline_min)))
        elif kind < mishaps.offline_rate + mishaps.reboot_rate:
            power_cut(station, clock.real_s(60.0 * rng.expovariate(1.0 / mishaps.reboot_min)))
        else:
            await _fault(station, mishaps, rng)


async def _fault(station: Station, mishaps: Mishaps, rng: random.Random) -> None:
    evse = rng.choice(station.evses)
    if evse.fault is not None:
        return
    station.fail(evse.id, rng.choice(FAULTS))
    await station.clock.sleep_life(60.0 * rng.expovariate(1.0 / mishaps.fault_min))
    station.recover(evse.id)
