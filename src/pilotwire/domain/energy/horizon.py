"""The variable grid of the plan, and forecasts laid onto it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.exchange import Series
from pilotwire.domain.energy.filling import Floats
from pilotwire.domain.energy.model import PriceWindow

__all__ = ["GRID", "Horizon"]

GRID = ((12, 300.0), (12, 900.0), (20, 3600.0))
"""Steps and their lengths: an hour by five minutes, three by quarters, twenty by hours: 24 hours in 44 steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """Step k runs from `edges_s[k]` to `edges_s[k + 1]`. The first is cut so that the rest begin on full five minutes."""

    edges_s: Floats
    waited_hours: Floats
    """How long each step lets wait. The same for all grids, so that costs stay the same from plan to plan."""

    @classmethod
    def of(cls, at_s: float, grid: tuple[tuple[int, float], ...] = GRID) -> "Horizon":
        """Return the grid that begins at a moment."""
        lengths = np.concatenate([np.full(count, length) for count, length in grid])
        begin = math.floor(at_s / lengths[0]) * lengths[0]
        past = np.concatenate(([0.0], np.cumsum(lengths)))
        edges = begin + past
        edges[0] = at_s
        return cls(edges, past[:-1] / 3600.0)

    @property
    def starts_s(self) -> Floats:
        """When each step begins."""
        return self.edges_s[:-1]

    @property
    def hours(self) -> Floats:
        """How long each step is, in hours."""
        hours: Floats = np.diff(self.edges_s) / 3600.0
        return hours

    def __len__(self) -> int:
        return len(self.edges_s) - 1

    def share(self, starts_s: float, ends_s: float) -> Floats:
        """Return the part of every step that lies between two moments."""
        inside = np.minimum(self.edges_s[1:], ends_s) - np.maximum(self.edges_s[:-1], starts_s)
        share: Floats = np.clip(inside / np.diff(self.edges_s), 0.0, 1.0)
        return share

    def means(self, series: Series) -> Floats:
        """Return the mean of a series over every step; its first and last values hold beyond its ends."""
        values = np.array(series.values, float)
        if not len(values):
            return np.zeros(len(self))
        total = np.concatenate(([0.0], np.cumsum(values)))

        place = (self.edges_s - series.starts_s) / series.step_s
        reached = np.interp(place, np.arange(len(total)), total)
        reached += np.minimum(place, 0.0) * values[0] + np.maximum(place - len(values), 0.0) * values[-1]
        means: Floats = np.diff(reached) * series.step_s / np.diff(self.edges_s)
        return means

    def prices(self, usual: float, windows: Iterable[PriceWindow]) -> Floats:
        """Return the mean price of every step; where windows overlap the last one wins."""
        found = np.full(len(self), usual)
        first, last = self.edges_s[0], self.edges_s[-1]
        for window in windows:
            if window.starts_s < last and window.ends_s > first:
                share = self.share(window.starts_s, window.ends_s)
                found += share * (window.price_per_kwh - found)
        return found
