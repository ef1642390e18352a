"""What is asked of one balancing step, as arrays over the EVSEs of a site."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.exchange import Car, Moment
from pilotwire.domain.energy.filling import Flags, Floats, Ints
from pilotwire.domain.energy.network import Network
from pilotwire.domain.energy.stepping import stepped_over

__all__ = ["Asking", "read_moment"]

_CAR = np.dtype(
    [
        ("least", "f8"),
        ("most", "f8"),
        ("tier", "i8"),
        ("weight", "f8"),
        ("since", "f8"),
        ("leaves", "f8"),
        ("energy", "f8"),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """One entry per EVSE, in the order of the site. Missing numbers are NaN.

    `movable`: a car is there and its station can be told. `drawn_a` is per conductor, `largest_a` its maximum, `seen`
    whether it is fresh. `may_draw_a` is NaN where the caller did not say. `excess_a` is 0 and `stuck` false without a car.
    """

    sessions: tuple[str, ...]
    has_car: Flags
    movable: Flags
    away: Flags
    wants: Flags
    least_a: Floats
    most_a: Floats
    override_a: Floats
    planned_a: Floats
    tier: Ints
    weight: Floats
    since_s: Floats
    laxity_s: Floats
    drawn_a: Floats
    largest_a: Floats
    seen: Flags
    used: Flags
    may_draw_a: Floats
    excess_a: Floats
    stuck: Flags


def read_moment(
    network: Network, moment: Moment, *, fresh_s: float, stay_s: float, energy_wh: float
) -> Asking:
    """Lay out cars and orders as arrays; cars at EVSEs that the site does not know are left out.

    Laxity is the time a car could still do nothing and yet be ready: until it leaves, less what its energy takes at full
    power; `stay_s` and `energy_wh` stand in for what is not known.
    """
    size, index, now = network.size, network.evse_index, moment.at_s
    placed = [(index[car.evse_id], car) for car in moment.cars if car.evse_id in index]
    at = np.array([number for number, _ in placed], np.int64)
    has = np.zeros(size, bool)
    has[at] = True
    numbers = np.array([_numbers(car, stay_s, energy_wh) for _, car in placed], _CAR)
    sessions = [""] * size
    for number, car in placed:
        sessions[number] = car.session_id
    drawn, seen = _drawn(network, placed, now, fresh_s)
    used = network.legs_mask.copy()
    wants = np.zeros(size, bool)
    for number, car in placed:
        wants[number] = car.wants_power
        if car.phases_used is not None:
            mask = np.zeros(3, bool)
            mask[: len(car.phases_used)] = car.phases_used[:3]
            mask &= network.legs_mask[number]
            if mask.any():
                used[number] = mask
    most = _placed(size, at, numbers["most"], 0.0)
    most = np.where(has, np.fmin(network.max_a, np.where(np.isnan(most), math.inf, most)), 0.0)
    most = stepped_over(network, most)
    power = np.maximum(most * network.watts_per_amp, 1.0)
    leaves = _placed(size, at, numbers["leaves"], math.inf)
    energy = _placed(size, at, numbers["energy"], 0.0)
    away = _flags(network, moment.offline)
    return Asking(
        sessions=tuple(sessions),
        has_car=has,
        movable=has & ~away & network.sheddable,
        away=away,
        wants=wants,
        least_a=np.fmax(network.min_a, _placed(size, at, numbers["least"], 0.0)),
        most_a=most,
        override_a=_mapped(network, moment.overrides_a, math.inf),
        planned_a=_mapped(network, moment.planned_a, math.nan),
        tier=_placed(size, at, numbers["tier"], 0).astype(np.int64),
        weight=np.maximum(_placed(size, at, numbers["weight"], 1.0), 1e-3),
        since_s=_placed(size, at, numbers["since"], 0.0),
        laxity_s=leaves - now - np.maximum(energy, 0.0) / power * 3600.0,
        drawn_a=drawn,
        largest_a=drawn.max(axis=1, initial=0.0),
        seen=seen,
        used=used,
        may_draw_a=_mapped(network, moment.may_draw_a, math.nan),
        excess_a=np.where(has, _mapped(network, moment.excess_a, 0.0), 0.0),
        stuck=has & ~away & network.sheddable & _flags(network, moment.stuck),
    )


def _numbers(car: Car, stay_s: float, energy_wh: float) -> tuple[float, ...]:
    return (
        math.nan if car.min_a is None else car.min_a,
        math.nan if car.max_a is None else car.max_a,
        car.tier,
        car.weight,
        car.connected_s,
        car.connected_s + stay_s if car.departs_s is None else car.departs_s,
        energy_wh if car.energy_wh is None else car.energy_wh,
    )


def _drawn(
    network: Network, placed: list[tuple[int, Car]], now: float, fresh_s: float
) -> tuple[Floats, Flags]:
    drawn = np.zeros((network.size, 3))
    seen = np.zeros(network.size, bool)
    for number, car in placed:
        if car.drawn_a is None or car.drawn_at_s is None or not abs(now - car.drawn_at_s) <= fresh_s:
            continue
        drawn[number, : len(car.drawn_a)] = car.drawn_a[:3]
        seen[number] = True
    bad = ~np.isfinite(drawn).all(axis=1)
    drawn[bad], seen[bad] = 0.0, False
    return np.maximum(drawn, 0.0) * network.legs_mask, seen


def _placed(size: int, at: Ints, values: Floats, empty: float) -> Floats:
    found = np.full(size, float(empty))
    found[at] = values
    return found


def _mapped(network: Network, values: Mapping[str, float], empty: float) -> Floats:
    found = np.full(network.size, empty)
    for name, value in values.items():
        number = network.evse_index.get(name)
        if number is not None and not math.isnan(value):
            found[number] = max(value, 0.0)
    return found


def _flags(network: Network, names: frozenset[str]) -> Flags:
    found = np.zeros(network.size, bool)
    found[[network.evse_index[name] for name in names if name in network.evse_index]] = True
    return found
