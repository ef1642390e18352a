"""The plain model: quantiles by hour of the day, of working days and of weekends. It needs little past and no library."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from pilotwire.domain.energy.forecasts.calendar import is_weekend, local_time
from pilotwire.domain.energy.forecasts.shapes import PlainTable
from pilotwire.domain.energy.forecasts.trees import Floats

__all__ = ["fit_plain", "plain_at", "predict_plain"]

_ENOUGH = 4
"""With fewer values an hour borrows from its neighbours and from the other kind of day."""


def fit_plain(
    at_s: Sequence[float], values: Sequence[float], zone: ZoneInfo, quantiles: Sequence[float]
) -> PlainTable:
    """Take the quantiles of each hour and kind of day; where too little is known, those of the hours around, then of all."""
    cells: dict[tuple[int, int], list[float]] = {}
    for moment_s, value in zip(at_s, values, strict=True):
        local = local_time(moment_s, zone)
        cells.setdefault((int(is_weekend(local)), local.hour), []).append(value)
    rows = []
    for kind in (0, 1):
        hours = []
        for hour in range(24):
            found = _gather(cells, kind, hour) or list(values)
            hours.append([float(each) for each in np.quantile(found, quantiles)])
        rows.append(hours)
    return PlainTable(rows)


def _gather(cells: dict[tuple[int, int], list[float]], kind: int, hour: int) -> list[float]:
    for reach in range(4):
        for kinds in ((kind,), (0, 1)):
            found = [
                value
                for each in kinds
                for step in range(-reach, reach + 1)
                for value in cells.get((each, (hour + step) % 24), ())
            ]
            if len(found) >= _ENOUGH:
                return found
    return []


def predict_plain(table: PlainTable, at_s: Sequence[float], zone: ZoneInfo) -> Floats:
    """Give the quantiles of moments. Shapes: (N, Q)."""
    return np.array([plain_at(table, each, zone) for each in at_s], float).reshape(len(at_s), -1)


def plain_at(table: PlainTable, at_s: float, zone: ZoneInfo) -> list[float]:
    """Give the quantiles of one moment."""
    local = local_time(at_s, zone)
    return table.rows[int(is_weekend(local))][local.hour]
