"""The features of the boosted models. The order of the columns is part of a kept model."""

import math
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from pilotwire.domain.energy.forecasts.calendar import days_before_s, is_weekend, local_time, sun_height
from pilotwire.domain.energy.forecasts.plain import plain_at
from pilotwire.domain.energy.forecasts.shapes import STEP_S, Place, PlainTable, SeriesPast, StayPast
from pilotwire.domain.energy.forecasts.trees import Floats

__all__ = ["Drivers", "driver_stats", "series_row", "stay_row", "stay_rows", "value_at"]

Drivers = Mapping[str, tuple[float, float, int]]
"""By digest: median stay in h, median energy in Wh, how many sessions."""


def value_at(past: SeriesPast, at_s: float) -> float:
    """Give the mean of an hour, NaN where it is not known."""
    number = round((at_s - past.starts_s) / STEP_S)
    if not 0 <= number < len(past.values):
        return math.nan
    value = past.values[number]
    return math.nan if value is None else value


def series_row(
    past: SeriesPast, place: Place, zone: ZoneInfo, at_s: float, made_s: float, plain: PlainTable
) -> list[float]:
    """Give the features of the hour that begins at `at_s`, as known at the beginning of the hour `made_s`.

    Local hour, day of the week, weekend, the sun's height in the middle of the hour, hours ahead; what is usual at this hour
    and how much it varies; and how far off the usual the hour before the forecast was, the same hour of the newest day that
    is known then, and of a week before.
    """
    ahead = round((at_s - made_s) / STEP_S) + 1
    local = local_time(at_s, zone)
    days = max(0, ahead - 1) // 24 + 1
    before_s, week_s = days_before_s(at_s, days, zone), days_before_s(at_s, 7, zone)
    if before_s >= made_s:  # a day of 23 hours lies between
        before_s = days_before_s(at_s, days + 1, zone)
    usual = plain_at(plain, at_s, zone)

    def off(moment_s: float) -> float:
        if moment_s >= made_s:
            return math.nan
        return value_at(past, moment_s) - _middle(plain_at(plain, moment_s, zone))

    return [
        local.hour + local.minute / 60,
        float(local.weekday()),
        float(is_weekend(local)),
        sun_height(at_s + STEP_S / 2, place),
        float(ahead),
        _middle(usual),
        usual[-1] - usual[0],
        off(made_s - STEP_S),
        off(before_s),
        off(week_s),
    ]


def _middle(quantiles: Sequence[float]) -> float:
    return quantiles[len(quantiles) // 2]


def stay_row(
    began_s: float, zone: ZoneInfo, power_w: float, known: tuple[float, float, int] | None
) -> list[float]:
    """Give the features of a session as known at its beginning: hour, day, its EVSE's power, its driver's habits."""
    local = local_time(began_s, zone)
    stay_h, energy_wh, count = known or (math.nan, math.nan, 0)
    return [
        local.hour + local.minute / 60,
        float(local.weekday()),
        float(is_weekend(local)),
        power_w,
        stay_h,
        energy_wh,
        float(count),
    ]


def stay_rows(stays: Sequence[StayPast], zone: ZoneInfo) -> Floats:
    """Give the features of past sessions in their order, each with what was known of its driver before it began."""
    habits: dict[str, list[StayPast]] = {}
    rows = []
    for stay in stays:
        seen = habits.setdefault(stay.driver, []) if stay.driver else []
        over = [each for each in seen if each.began_s + each.stay_h * 3600 <= stay.began_s]
        rows.append(stay_row(stay.began_s, zone, stay.power_w, _habit(over)))
        seen.append(stay)
    return np.array(rows, float).reshape(len(rows), 7)


def driver_stats(stays: Iterable[StayPast], most: int = 500) -> dict[str, tuple[float, float, int]]:
    """Give the habits of the drivers who come most often."""
    habits: dict[str, list[StayPast]] = {}
    for stay in stays:
        if stay.driver:
            habits.setdefault(stay.driver, []).append(stay)
    often = sorted(habits, key=lambda driver: (-len(habits[driver]), driver))[:most]
    return {driver: found for driver in often if (found := _habit(habits[driver])) is not None}


def _habit(stays: Sequence[StayPast]) -> tuple[float, float, int] | None:
    if not stays:
        return None
    newest = stays[-20:]
    return (
        float(np.median([each.stay_h for each in newest])),
        float(np.median([each.energy_wh for each in newest])),
        len(stays),
    )
