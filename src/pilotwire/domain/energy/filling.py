"""Progressive filling: a common level rises for all, and stops for those whose limit is reached, until nobody can rise.

The result is the weighted max-min fair point of a packing problem (Bertsekas and Gallager, Data Networks, 6.5.2, here
with several rows per user and coefficients): nobody can get more without somebody worse off getting less.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Floats", "Ints", "Pairs", "fill"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rows and who is on them, as triples sorted by row: `coef[k]` is what 1 A of `user[k]` takes of `row[k]`."""

    row: Ints
    user: Ints
    coef: Floats
    rows: int
    users: int

    def use(self, current: Floats) -> Floats:
        """Return what every row carries. Shapes: (users,) -> (rows,)."""
        used: Floats = np.bincount(self.row, self.coef * current[self.user], self.rows).astype(float)
        return used

    def of(self, keep: Ints | Flags) -> "Pairs":
        """Return the same with only some of the triples. `keep` is a mask or an index."""
        return Pairs(self.row[keep], self.user[keep], self.coef[keep], self.rows, self.users)


def fill(pairs: Pairs, room: Floats, least: Floats, most: Floats, weight: Floats) -> Floats:
    """Share the room of all rows among users, each between `least` and `most`, in proportion to `weight`.

    `least` must fit (what does not is kept at `least`). Shapes: room (rows,), the rest and the result (users,).
    """
    most = np.maximum(most, least)
    current = least.copy()
    left = room - pairs.use(least)
    rising = (most > least + _LEAST) & (weight > 0)
    triples = pairs.of(rising[pairs.user] & (pairs.coef > 0))
    starts = least / np.maximum(weight, _LEAST)
    ends = most / np.maximum(weight, _LEAST)
    for _ in range(len(room) + 1):
        if not rising.any():
            break
        if not len(triples.row):
            current[rising] = most[rising]
            break
        level = _levels(triples, left, starts, ends, weight)
        own = np.full(pairs.users, np.inf)
        np.minimum.at(own, triples.user, level[triples.row])
        capped = rising & (own >= ends)
        bound = np.bincount(
            triples.row, ~capped[triples.user] & (own[triples.user] < level[triples.row]), pairs.rows
        )
        final = (bound == 0) & np.isfinite(level)
        stopped = np.zeros(pairs.users, bool)
        stopped[triples.user[final[triples.row]]] = True
        stopped &= rising & ~capped
        risen = np.clip(own * weight, least, most)
        done = capped | stopped
        gained = np.where(done, np.where(capped, most, risen) - least, 0.0)
        current = np.where(done, least + gained, current)
        left = left - triples.use(gained)
        rising &= ~done
        triples = triples.of(rising[triples.user])
    return current


def _levels(triples: Pairs, left: Floats, starts: Floats, ends: Floats, weight: Floats) -> Floats:
    """The level at which each row is used up: a piecewise linear, rising function per row, inverted exactly."""
    count = len(triples.row)
    slope = triples.coef * weight[triples.user]
    at = np.concatenate((starts[triples.user], ends[triples.user]))
    row = np.concatenate((triples.row, triples.row))
    change = np.concatenate((slope, -slope))
    order = np.lexsort((at, row))
    at, row, change = at[order], row[order], change[order]
    first = np.empty(2 * count, bool)
    first[0] = True
    np.not_equal(row[1:], row[:-1], out=first[1:])
    begin = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    slopes = np.cumsum(change)
    slopes -= (slopes[begin] - change[begin])[group]
    widths = np.empty(2 * count)
    widths[0] = 0.0
    widths[1:] = np.where(first[1:], 0.0, at[1:] - at[:-1])
    before = np.where(first, 0.0, np.concatenate(([0.0], slopes[:-1])))
    value = np.cumsum(np.maximum(before, 0.0) * widths)
    value -= value[begin][group]
    room = np.maximum(left[row], 0.0)
    over = value > room + _LEAST
    hits = np.full(triples.rows, 2 * count, np.int64)
    np.minimum.at(hits, row[over], np.flatnonzero(over))
    level = np.full(triples.rows, np.inf)
    hit = np.flatnonzero(hits < 2 * count)
    where = hits[hit]
    level[hit] = at[where] - (value[where] - room[where]) / np.maximum(before[where], _LEAST)
    return level
