"""What the fitted models say: bands of hours to come, and when a car leaves and how much it takes."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from pilotwire.domain.energy.forecasts.features import series_row, stay_row
from pilotwire.domain.energy.forecasts.plain import predict_plain
from pilotwire.domain.energy.forecasts.shapes import SERIES_TARGETS, STEP_S, Model, Place, SeriesPast
from pilotwire.domain.energy.forecasts.trees import Floats, evaluate

__all__ = ["conditional", "predict_rows", "predict_series", "predict_stay", "usual_of", "widened"]

_TAIL = 1.5
"""The longest that is reckoned with, as a part of the highest quantile."""


def predict_rows(model: Model, rows: Floats, at_s: Sequence[float], zone: ZoneInfo) -> Floats:
    """Give the quantiles for rows of features: rising, and within the bounds of the model. Shapes: (N, F) -> (N, Q)."""
    if model.plain is None:
        raise ValueError(f"there is no model of {model.target} yet")
    found = predict_plain(model.plain, at_s, zone)
    if model.method == "boosted":
        grown = np.stack([evaluate(each, rows) for each in model.ensembles], axis=1)
        found = usual_of(model, at_s, zone)[:, None] + grown
    # Quantiles are fitted one by one and may cross: sorted ones lose less by the pinball loss (Chernozhukov et al. 2010).
    bounded: Floats = np.clip(widened(np.sort(found, axis=1), model.widen), model.least, model.most)
    return bounded


def widened(found: Floats, share: float) -> Floats:
    """Move the outer quantiles apart by a share of their distance on either side. Shapes: (N, Q) -> (N, Q)."""
    wider = found.copy()
    more = share * (found[:, -1] - found[:, 0])
    wider[:, 0] -= more
    wider[:, -1] += more
    return wider


def usual_of(model: Model, at_s: Sequence[float], zone: ZoneInfo) -> Floats:
    """Give what the trees of a model add to: of series the usual median, for there is less to learn of what it misses.

    The hours of sessions are too few for that. Shapes: (N,).
    """
    if model.plain is None or model.target not in SERIES_TARGETS:
        return np.zeros(len(at_s))
    return predict_plain(model.plain, at_s, zone)[:, model.quantiles.index(0.5)]


def predict_series(model: Model, past: SeriesPast, place: Place, made_s: float, steps: int) -> Floats:
    """Give the quantiles of the hours from the beginning of the hour `made_s` on. Shapes: (steps, Q)."""
    zone = ZoneInfo(place.time_zone)
    at_s = [made_s + number * STEP_S for number in range(steps)]
    if model.plain is None:
        raise ValueError(f"there is no model of {model.target} yet")
    rows = np.array([series_row(past, place, zone, each, made_s, model.plain) for each in at_s], float)
    return predict_rows(model, rows, at_s, zone)


def predict_stay(
    model: Model, began_s: float, zone: ZoneInfo, driver: str, power_w: float
) -> tuple[float, ...]:
    """Give the quantiles of a session's stay or energy, as expected at its beginning."""
    rows = np.array([stay_row(began_s, zone, power_w, model.drivers.get(driver))], float)
    return tuple(predict_rows(model, rows, [began_s], zone)[0].tolist())


def conditional(quantiles: Sequence[float], values: Sequence[float], beyond: float, quantile: float) -> float:
    """Give a quantile of a quantity that is known to be more than `beyond`: a car that is still there has not left early.

    Between the quantiles the distribution is taken as even, below them down to 0 and above them up to half more.
    """
    levels = np.array([0.0, *quantiles, 1.0])
    # Steps between points must not be so small that nothing can be divided by them.
    known = np.round(np.maximum.accumulate([0.0, *values]), 6)
    points = np.append(known, max(known[-1] * _TAIL, known[-1] + 1e-6))
    if beyond >= points[-1]:
        return float(beyond)
    gone = float(np.interp(beyond, points, levels)) if beyond > 0 else 0.0
    return max(float(np.interp(gone + quantile * (1.0 - gone), levels, points)), float(beyond))
