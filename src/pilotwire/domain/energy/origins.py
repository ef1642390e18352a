"""Where the energy that is used at a site comes from, and what it emits: pure arithmetic over steps of time.

Method: proportional sharing (Bialek 1996, "Tracing the flow of electricity"): whatever flows out of the site's bus in a step
is made of what flows into it, in equal proportions for every user. A battery is a tank: what goes in mixes with what is
there, and what comes out has the mixture of the moment before. Energy of the grid counts with the average intensity of its
hour (GHG Protocol Scope 2, location-based, by the hour) or, beside it, the marginal one; sun and wind of the site with none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

__all__ = ["STEP_S", "Mix", "StepFlows", "Store", "energy_by_step", "mean_over", "mix_of"]

STEP_S = 900.0
_HALF = 0.5


class Store(msgspec.Struct, frozen=True):
    """What is in the site's batteries: the part that was renewable, and g/kWh; None where no intensity is known.

    A battery that nobody has watched yet counts as not renewable.
    """

    renewable: float = 0.0
    average_g_per_kwh: float | None = None
    marginal_g_per_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class StepFlows:
    """Energy in a step, in Wh, none negative; `stored_wh` is what the batteries held, None where nobody knows."""

    bought_wh: float
    sold_wh: float
    solar_wh: float
    wind_wh: float
    given_wh: float
    """Out of batteries."""
    filled_wh: float
    """Into batteries."""
    stored_wh: float | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """What a Wh that was used in a step was made of; the four shares are 1 together."""

    used_wh: float
    solar: float
    wind: float
    battery: float
    grid: float
    renewable: float
    """Sun and wind, also by way of the battery. What the grid has of them is in its intensity, not here."""
    average_g_per_kwh: float | None
    marginal_g_per_kwh: float | None


def mix_of(
    flows: StepFlows,
    store: Store,
    intensities: tuple[float | None, float | None],
    *,
    capacity_wh: float = 0.0,
    efficiencies: tuple[float, float] = (1.0, 1.0),
) -> tuple[Mix | None, Store]:
    """Give the mix of a step, and the store after it; no mix where nothing flowed.

    `intensities` are the grid's average and marginal ones, `efficiencies` the batteries' of charging and discharging.
    """
    supply = flows.bought_wh + flows.solar_wh + flows.wind_wh + flows.given_wh
    if supply <= 0:
        return None, store
    solar, wind = flows.solar_wh / supply, flows.wind_wh / supply
    battery, grid = flows.given_wh / supply, flows.bought_wh / supply
    renewable = min(1.0, solar + wind + battery * store.renewable)
    average, marginal = (
        _emitted(grid, of_grid, battery, of_store)
        for of_grid, of_store in zip(
            intensities, (store.average_g_per_kwh, store.marginal_g_per_kwh), strict=True
        )
    )
    used = max(0.0, supply - flows.sold_wh - flows.filled_wh)
    mix = Mix(used, solar, wind, battery, grid, renewable, average, marginal)
    return mix, _filled(store, mix, flows, capacity_wh, efficiencies)


def _emitted(grid: float, of_grid: float | None, battery: float, of_store: float | None) -> float | None:
    if (grid > 0 and of_grid is None) or (battery > 0 and of_store is None):
        return None
    return grid * (of_grid or 0.0) + battery * (of_store or 0.0)


def _filled(
    store: Store, mix: Mix, flows: StepFlows, capacity_wh: float, efficiencies: tuple[float, float]
) -> Store:
    """Mix what went into the battery with what was there. Emissions of its losses come out with what comes out."""
    if flows.filled_wh <= 0:
        return store
    held = flows.stored_wh if flows.stored_wh is not None else capacity_wh * _HALF
    kept = flows.filled_wh * efficiencies[0]
    whole = held + kept
    if whole <= 0:
        return store

    def mixed(old: float | None, new: float | None) -> float | None:
        if new is None:
            return old
        # `new` is per kWh taken out of the site's bus; what is delivered back is less by both losses.
        arriving = new / (efficiencies[0] * efficiencies[1])
        return arriving if old is None else (held * old + kept * arriving) / whole

    return Store(
        renewable=(held * store.renewable + kept * mix.renewable) / whole,
        average_g_per_kwh=mixed(store.average_g_per_kwh, mix.average_g_per_kwh),
        marginal_g_per_kwh=mixed(store.marginal_g_per_kwh, mix.marginal_g_per_kwh),
    )


def mean_over(spans: Iterable[tuple[float, float, float]], since_s: float, until_s: float) -> float | None:
    """Give the mean of what holds in a span, over the part of it in which something is known: (from, until, value)."""
    total = weight = 0.0
    for starts_s, ends_s, value in spans:
        part = min(ends_s, until_s) - max(starts_s, since_s)
        if part > 0:
            total += value * part
            weight += part
    return total / weight if weight > 0 else None


def energy_by_step(points: Sequence[tuple[float, float]], step_s: float = STEP_S) -> dict[float, float]:
    """Divide what a register counted over steps: (moment, Wh) in the order of time; straight between two readings.

    The sum is what the register has risen by; a register that falls is taken as standing still.
    """
    found: dict[float, float] = {}
    risen = _rising(points)
    for (since_s, since_wh), (until_s, until_wh) in pairwise(risen):
        energy = until_wh - since_wh
        if energy <= 0:
            continue
        if until_s <= since_s:
            step = since_s // step_s * step_s
            found[step] = found.get(step, 0.0) + energy
            continue
        step = since_s // step_s * step_s
        while step < until_s:
            part = (min(step + step_s, until_s) - max(step, since_s)) / (until_s - since_s)
            if part > 0:
                found[step] = found.get(step, 0.0) + energy * part
            step += step_s
    return found


def _rising(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for at_s, value in points:
        found.append((at_s, max(value, found[-1][1]) if found else value))
    return found
