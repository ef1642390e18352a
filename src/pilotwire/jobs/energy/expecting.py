"""What forecasts say of the cars and the flows that a site's loops have before them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from pilotwire.domain.energy.exchange import Car, Series
from pilotwire.domain.energy.forecast_policy import ForecastGiven
from pilotwire.domain.energy.forecast_repository import driver_digest
from pilotwire.domain.energy.forecasts.predicting import conditional, predict_stay
from pilotwire.domain.energy.model import Metering
from pilotwire.domain.energy.ports import SiteForecast
from pilotwire.jobs.energy.flows import asset_w

if TYPE_CHECKING:
    from pilotwire.jobs.energy.site import Plugged, SiteLoop

__all__ = ["Expected", "anchored_generation", "anchored_load", "departure_s", "expect_all", "with_energy"]

_STEP_S = 900.0
_FADES_S = 3600.0
"""What differs now from the forecast counts less and less: after an hour by a factor of e."""
_MOST_TIMES = 3.0
_MOST_FRESH = 25


@dataclass(slots=True)
class Expected:
    """What is expected of a car, as quantiles at its arrival and as numbers now. `energy_wh` is in all."""

    stay_h: tuple[float, ...] = ()
    energies_wh: tuple[float, ...] = ()
    departs_s: float | None = None
    energy_wh: float | None = None


def expect_all(site: "SiteLoop", now_s: float) -> None:
    """Note of every car when it leaves and how much it takes in all: that it is still there, and what it has taken, counts.

    Of a crowd that has just arrived some have to wait until the next time, so that the loops are not held up.
    """
    fresh = 0
    for key, car in site.plugged.items():
        if not site.stays:
            car.expected = None
            continue
        if car.expected is None:
            fresh += 1
            if fresh > _MOST_FRESH:
                continue
            car.expected = _arrival(site, key, car)
        _now(site, car, car.expected, now_s)


def _arrival(site: "SiteLoop", key: str, car: "Plugged") -> Expected:
    evse, began_s = site.evses[key], car.began_at.timestamp()
    driver = driver_digest(site.site_id, car.token_uid)
    power_w = evse.max_a * evse.watts_per_amp()
    said = {
        target: predict_stay(model, began_s, site.zone, driver, power_w)
        for target, model in site.stays.items()
    }
    return Expected(said.get("stay_h", ()), said.get("energy_wh", ()))


def _now(site: "SiteLoop", car: "Plugged", found: Expected, now_s: float) -> None:
    policy, began_s = site.tree.forecast, car.began_at.timestamp()
    if found.stay_h:
        gone_h = max(0.0, now_s - began_s) / 3600
        levels = site.stays["stay_h"].quantiles
        stay_h = conditional(levels, found.stay_h, gone_h, policy.departure_quantile)
        found.departs_s = began_s + stay_h * 3600
    if found.energies_wh:
        levels = site.stays["energy_wh"].quantiles
        found.energy_wh = conditional(levels, found.energies_wh, car.energy_wh, policy.energy_quantile)


def departure_s(policy: ForecastGiven, car: "Plugged") -> float | None:
    """Give the deadline that the loops reckon with: what was said, or what is expected where the site wants that."""
    said = None if car.wish.departure_at is None else car.wish.departure_at.timestamp()
    expected = None if car.expected is None else car.expected.departs_s
    if expected is None or policy.departures == "off":
        return said
    if said is not None and (policy.departures == "missing" or car.fixed_departure):
        return said
    return expected


def with_energy(policy: ForecastGiven, car: "Plugged", shown: Car) -> Car:
    """Give a car with the energy that the plan reckons with. The safety loop never holds a car to an expectation."""
    found = car.expected
    if found is None or found.energy_wh is None or policy.energies == "off":
        return shown
    if shown.energy_wh is not None and (policy.energies == "missing" or car.fixed_energy):
        return shown
    return msgspec.structs.replace(shown, energy_wh=max(0.0, found.energy_wh - car.energy_wh))


def anchored_load(site: "SiteLoop", forecast: SiteForecast, now_s: float) -> Mapping[str, Series]:
    """Give the forecast of other loads, begun at what they are now."""
    root = next((node for node in site.tree.nodes if node.parent_id is None), None)
    if root is None or root.metering is Metering.NONE or root.id not in forecast.base_w:
        return {}
    series = forecast.base_w[root.id]
    off = 0.0 if site.flows.base_w is None else site.flows.base_w - _value(series, now_s)
    found = {node.id: Series(now_s, 3600.0, (0.0,)) for node in site.tree.nodes}
    found[root.id] = _stepped(series, now_s, lambda value, left: max(0.0, value + off * left))
    return found


def anchored_generation(site: "SiteLoop", forecast: SiteForecast, now_s: float) -> Mapping[str, Series]:
    """Give the forecast of each generator, begun at what it makes now: a dark cloud goes on for a while."""
    found = {}
    for generator in site.tree.generators:
        series = forecast.generation_w.get(generator.id)
        if series is None:
            continue
        expected = _value(series, now_s)
        times = 1.0
        if expected > 0.02 * generator.peak_w and generator.meter in site.readings:
            times = min(_MOST_TIMES, max(0.0, asset_w(site, generator.meter, now_s)) / expected)
        change = partial(_scaled, times=times, top_w=generator.peak_w)
        found[generator.id] = _stepped(series, now_s, change)
    return found


def _scaled(value: float, left: float, *, times: float, top_w: float) -> float:
    return min(top_w, max(0.0, value * (1 + (times - 1) * left)))


def _stepped(series: Series, now_s: float, change: Callable[[float, float], float]) -> Series:
    """Give a series in quarters of an hour from now to its end; `change` gets the value and how much of now is left."""
    ends_s = series.starts_s + len(series.values) * series.step_s
    count = max(1, math.ceil((ends_s - now_s) / _STEP_S))
    moments = [now_s + (number + 0.5) * _STEP_S for number in range(count)]
    return Series(
        now_s,
        _STEP_S,
        tuple(change(_value(series, each), math.exp(-(each - now_s) / _FADES_S)) for each in moments),
    )


def _value(series: Series, at_s: float) -> float:
    number = int((at_s - series.starts_s) // series.step_s)
    return series.values[min(max(number, 0), len(series.values) - 1)]
