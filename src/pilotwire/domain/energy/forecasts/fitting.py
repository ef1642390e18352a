"""Fitting the models of a site: both on the earlier part of the past, judged on the later, the better on all of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from pilotwire.domain.energy.forecasts.features import driver_stats, series_row, stay_rows
from pilotwire.domain.energy.forecasts.plain import fit_plain
from pilotwire.domain.energy.forecasts.predicting import predict_rows, usual_of, widened
from pilotwire.domain.energy.forecasts.shapes import (
    SERIES_QUANTILES,
    SERIES_TARGETS,
    STAY_QUANTILES,
    STAY_TARGETS,
    STEP_S,
    Errors,
    Model,
    Place,
    PlainTable,
    SeriesPast,
    SitePast,
    StayPast,
    Target,
)
from pilotwire.domain.energy.forecasts.trees import Ensemble, Floats

__all__ = ["Booster", "errors_of", "fit_site", "fit_table"]

_TEST_PART = 0.25
_PLAIN_NEEDS = {"series": 24, "stay": 8}
_BOOSTED_NEEDS = {"series": 7 * 24, "stay": 80}
_AHEADS = (1, 2, 4, 8, 14, 20, 26, 34, 44)
"""Hours ahead at which the past is looked at, in turn."""
_MARGIN = 1.15
_CALIBRATION_NEEDS = 20
_BLOCK = 24
_LEAST_WIDTH = 1e-3
_MOST_WIDENED = 2.0
_HIGHEST = 1e12


class Booster(Protocol):
    """Fits boosted trees for quantiles."""

    def fit(self, rows: Floats, values: Floats, quantiles: Sequence[float]) -> list[Ensemble]:
        """Give one ensemble for each quantile. Raises: ValueError where it cannot."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What is fitted on, in the order of time; the features depend on the plain model."""

    target: Target
    at_s: list[float]
    values: Floats
    rows_with: Callable[[PlainTable], Floats]

    def rows(self, model: Model) -> Floats:
        """Give the features of all samples."""
        assert model.plain is not None  # noqa: S101 - the plain model is always fitted first
        return self.rows_with(model.plain)


def fit_site(past: SitePast, booster: Booster | None) -> list[Model]:
    """Fit every model of a site for which there is a past; without a booster only plain ones."""
    zone = ZoneInfo(past.place.time_zone)
    models = [
        fit_table(_series_table(target, past.series[target], past.place, zone), zone, "series", booster)
        for target in SERIES_TARGETS
        if target in past.series
    ]
    stays = sorted(past.stays, key=lambda each: each.began_s)
    drivers = driver_stats(stays)
    for target in STAY_TARGETS:
        model = fit_table(_stay_table(target, stays, zone), zone, "stay", booster)
        models.append(msgspec.structs.replace(model, drivers=drivers))
    return models


def fit_table(table: _Table, zone: ZoneInfo, kind: str, booster: Booster | None) -> Model:
    """Fit one target: the plain model, the boosted one where there is enough past, and take the better."""
    quantiles = SERIES_QUANTILES if kind == "series" else STAY_QUANTILES
    values = table.values
    samples = len(values)
    model = Model(
        target=table.target,
        method="none",
        quantiles=quantiles,
        samples=samples,
        needed=_BOOSTED_NEEDS[kind],
        since_s=table.at_s[0] if samples else 0.0,
        until_s=table.at_s[-1] if samples else 0.0,
        most=min(float(values.max()) * _MARGIN, _HIGHEST) if samples else 0.0,
    )
    if samples < _PLAIN_NEEDS[kind]:
        return model
    cut = min(samples - 1, math.ceil(samples * (1 - _TEST_PART)))
    early, late = slice(0, cut), slice(cut, samples)
    tried = {"plain": _plain(model, table, early, zone)}
    if booster is not None and samples >= _BOOSTED_NEEDS[kind] and np.ptp(values[early]) > 0:
        tried["boosted"] = _boosted(tried["plain"], table, early, zone, booster)
    found = {
        name: predict_rows(each, table.rows(each)[late], table.at_s[late], zone)
        for name, each in tried.items()
    }
    errors = {
        name: errors_of(model, _judged(model, each, values[late]), values[late])
        for name, each in found.items()
    }
    best = min(errors, key=lambda name: errors[name].pinball)
    widen = _share_missing(model, found[best], values[late])
    whole = _plain(model, table, slice(0, samples), zone)
    if best == "boosted" and booster is not None:
        whole = _boosted(whole, table, slice(0, samples), zone, booster)
    return msgspec.structs.replace(whole, errors=errors, widen=widen)


def _share_missing(model: Model, found: Floats, true: Floats) -> float:
    """Give by how much of its width the band has to grow to hold as much of what was not seen as it says.

    Split conformal prediction with scores relative to the width (Romano, Patterson and Candès 2019; Sesia and Candès 2020).
    Shapes: found (N, Q), true (N,).
    """
    if len(true) < _CALIBRATION_NEEDS:
        return 0.0
    low, high = found[:, 0], found[:, -1]
    width = np.maximum(high - low, _LEAST_WIDTH * max(model.most, 1.0))
    scores = np.maximum(low - true, true - high) / width
    level = (model.quantiles[-1] - model.quantiles[0]) * (1 + 1 / len(true))
    return min(max(float(np.quantile(scores, min(1.0, level), method="higher")), 0.0), _MOST_WIDENED)


def _judged(model: Model, found: Floats, true: Floats) -> Floats:
    """Widen each half of the days by what the other half needed, so that no value is judged by itself. Shapes: as above."""
    odd = np.arange(len(true)) // _BLOCK % 2 == 1
    judged = found.copy()
    for half in (odd, ~odd):
        judged[half] = widened(found[half], _share_missing(model, found[~half], true[~half]))
    return np.clip(judged, model.least, model.most)


def _plain(model: Model, table: _Table, part: slice, zone: ZoneInfo) -> Model:
    fitted = fit_plain(table.at_s[part], table.values[part].tolist(), zone, model.quantiles)
    return msgspec.structs.replace(model, method="plain", plain=fitted)


def _boosted(model: Model, table: _Table, part: slice, zone: ZoneInfo, booster: Booster) -> Model:
    usual = usual_of(model, table.at_s[part], zone)
    ensembles = booster.fit(table.rows(model)[part], table.values[part] - usual, model.quantiles)
    return msgspec.structs.replace(model, method="boosted", ensembles=ensembles)


def errors_of(model: Model, found: Floats, true: Floats) -> Errors:
    """Measure predictions against what came. Shapes: found (N, Q), true (N,)."""
    quantiles = np.array(model.quantiles)[None, :]
    miss = true[:, None] - found
    pinball = np.maximum(quantiles * miss, (quantiles - 1.0) * miss).mean()
    median = found[:, model.quantiles.index(0.5)]
    inside = ((true >= found[:, 0]) & (true <= found[:, -1])).mean()
    return Errors(float(pinball), float(np.abs(true - median).mean()), float(inside))


def _series_table(target: Target, past: SeriesPast, place: Place, zone: ZoneInfo) -> _Table:
    """Every hour that is known, once, each as seen from another distance; lags tell what was known then."""
    hours = [(number, value) for number, value in enumerate(past.values) if value is not None]
    at_s = [past.starts_s + number * STEP_S for number, _ in hours]
    made_s = [
        moment - (_AHEADS[number % len(_AHEADS)] - 1) * STEP_S
        for moment, (number, _) in zip(at_s, hours, strict=True)
    ]

    def rows(plain: PlainTable) -> Floats:
        found = [
            series_row(past, place, zone, moment, made, plain)
            for moment, made in zip(at_s, made_s, strict=True)
        ]
        return np.array(found, float)

    return _Table(target, at_s, np.array([value for _, value in hours], float), rows)


def _stay_table(target: Target, stays: Sequence[StayPast], zone: ZoneInfo) -> _Table:
    values = np.array([each.stay_h if target == "stay_h" else each.energy_wh for each in stays], float)
    found = stay_rows(stays, zone)
    return _Table(target, [each.began_s for each in stays], values, lambda _: found)
