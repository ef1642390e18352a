"""The tree of a site as arrays: one linear row per thing that must not be exceeded, all coefficients >= 0.

A row says `sum of coef * current of conductor <= room`. Because no coefficient is negative, whatever satisfies all rows
still does when any car draws less, on any of its conductors, or leaves: the set of safe allocations is closed downwards.

Shapes: E EVSEs, N nodes, R rows, K entries (row, EVSE, conductor), three lines.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotwire.domain.energy.filling import Flags, Floats, Ints, Pairs
from pilotwire.domain.energy.model import LimitWindow, Node, Site

__all__ = ["POWER", "PRIMARY", "UNBALANCE", "Network", "Row", "limit_of"]

PRIMARY, POWER, UNBALANCE = 1, 2, 3
"""Values of `Network.row_kind`; 0 is a line of the node itself."""


_PAIRS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Row:
    """What a row stands for: a node, its line (None for power), and where: the node itself, above its transformer, or the
    difference of line `line` over line `other` (unbalance). `aligned`: all that chargers draw there lies in line with the
    voltage of the line."""

    node: int
    line: int | None
    primary: bool = False
    other: int | None = None
    aligned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A compiled site. `entry_*` are sorted by row; `levels` are the nodes by depth, deepest first.
    `base_a` (N, 3) is the declared base load of each node itself, `metered` says which have a meter, `windowed` names those
    with limits that hold in some hours.

    `vectors[e, leg, line]` is
    the line current at the EVSE's node when its conductor `leg` carries 1 A.
    """

    site: Site
    node_index: dict[str, int]
    evse_index: dict[str, int]
    parent: Ints
    levels: tuple[Ints, ...]
    ratio: Floats
    voltage_v: Floats
    base_a: Floats
    metered: Flags
    windowed: Ints
    evse_node: Ints
    rows: tuple[Row, ...]
    row_node: Ints
    row_line: Ints
    row_kind: Ints
    row_limit: Floats
    row_fit: Floats
    row_aligned: Flags
    entry_row: Ints
    entry_evse: Ints
    entry_leg: Ints
    entry_coef: Floats
    entry_uneven: Ints
    vectors: NDArray[np.complex128]
    legs_mask: Flags
    max_a: Floats
    min_a: Floats
    watts_per_amp: Floats
    sheddable: Flags
    step_groups: tuple[tuple[Floats, Ints], ...]
    _pairs: dict[tuple[bytes, bool], Pairs] = field(default_factory=dict, repr=False)
    """The newest answers of `pairs`: cars stay for hours, and are asked about every few seconds."""

    @property
    def size(self) -> int:
        """The number of EVSEs."""
        return len(self.site.evses)

    def use(self, leg_a: Floats) -> Floats:
        """Return what every row carries when the EVSEs' conductors carry `leg_a`. Shapes: (E, 3) -> (R,)."""
        carried = self.entry_coef * leg_a[self.entry_evse, self.entry_leg]
        carried[self.entry_uneven] = self._uneven(leg_a)
        used: Floats = np.bincount(self.entry_row, carried, len(self.rows)).astype(float)
        return used

    def _uneven(self, leg_a: Floats) -> Floats:
        """What counts towards unbalance: of a load on three conductors only what exceeds its least loaded one."""
        even = np.where(self.legs_mask.all(axis=1), leg_a.min(axis=1), 0.0)
        who = self.entry_evse[self.entry_uneven]
        part: Floats = leg_a[who, self.entry_leg[self.entry_uneven]] - even[who]
        return part * self.entry_coef[self.entry_uneven]

    def pairs(self, used: Flags, *, even: bool = True) -> Pairs:
        """Return what 1 A on all conductors that each EVSE's car uses takes of every row. Shapes: used (E, 3).

        With `even`, three conductors in use do not count towards unbalance; without, any of them may be used alone.
        """
        key = (used.tobytes(), even)
        found = self._pairs.get(key)
        if found is None:
            if len(self._pairs) >= _PAIRS_KEPT:
                self._pairs.clear()
            found = self._pairs[key] = self._found_pairs(used, even=even)
        return found

    def _found_pairs(self, used: Flags, *, even: bool) -> Pairs:
        coef = self.entry_coef * used[self.entry_evse, self.entry_leg]
        pulling: Flags = np.logical_and(used.all(axis=1), even)
        coef[self.entry_uneven[pulling[self.entry_evse[self.entry_uneven]]]] = 0.0
        if not len(coef):
            return Pairs(self.entry_row, self.entry_evse, coef, len(self.rows), self.size)
        change = np.diff(self.entry_row, prepend=-1) != 0
        change |= np.diff(self.entry_evse, prepend=-1) != 0
        first = np.flatnonzero(change)
        total = np.add.reduceat(coef, first)
        keep = np.flatnonzero(total > 0)
        first = first[keep]
        return Pairs(self.entry_row[first], self.entry_evse[first], total[keep], len(self.rows), self.size)

    def spread(self, current_a: Floats, used: Flags | None = None) -> Floats:
        """Return the currents of the conductors of EVSEs that carry `current_a` on each that they use. (E,) -> (E, 3)."""
        return np.where(self.legs_mask if used is None else used, current_a[:, None], 0.0)

    def limits_at(self, at_s: float) -> Floats:
        """Return the limit of every row at a moment, after margins, before base load. Infinite where there is none. (R,)"""
        return self._limits(lambda window: window.starts_s <= at_s < window.ends_s)

    def tightest_limits(self) -> Floats:
        """Return the limits that hold while every window of every node does. Shapes: (R,)."""
        return self._limits(lambda _: True)

    def _limits(self, holds: Callable[[LimitWindow], bool]) -> Floats:
        found = self.row_limit.copy()
        for number in self.windowed.tolist():
            node = self.site.nodes[number]
            holding = [window for window in node.windows if holds(window)]
            if holding:
                first, last = np.searchsorted(self.row_node, [number, number + 1])
                for index in range(int(first), int(last)):
                    found[index] = limit_of(node, self.rows[index], holding)
        return found

    def room(self, limits: Floats, base_a: Floats, base_w: Floats, rest_a: Floats | None = None) -> Floats:
        """Return what every row leaves to the chargers. Shapes: limits (R,), base_a and rest_a (N, 3), base_w (N,) -> (R,).

        Base load on phasor rows is subtracted as a magnitude, since its angle is not known. Negative rooms are kept.
        Unbalance counts chargers alone. `rest_a` is the base load without what batteries give: it counts on rows where that
        does not lie in line with what chargers draw, for there it takes less off than it is.
        """
        line = np.maximum(self.row_line, 0)
        rest_a = base_a if rest_a is None else rest_a
        above = (rest_a + np.roll(rest_a, 1, axis=1)) / (self.ratio[:, None] * math.sqrt(3))
        choices = [
            np.where(self.row_aligned, base_a[self.row_node, line], rest_a[self.row_node, line]),
            above[self.row_node, line],
            base_w[self.row_node],
            np.zeros(len(self.rows)),
        ]
        left: Floats = (limits - np.choose(self.row_kind, choices)) * self.row_fit
        return left

    def gather(self, own: NDArray[Any]) -> NDArray[Any]:
        """Return the line currents through every node, given what hangs on each itself. Shapes: (N, 3) -> (N, 3).

        Complex currents are carried over transformers as phasors, real ones as magnitudes that may add up.
        """
        total = own.copy()
        for level in self.levels[:-1]:
            np.add.at(total, self.parent[level], self.lifted(level, total[level]))
        return total

    def lifted(self, level: Ints, current: NDArray[Any]) -> NDArray[Any]:
        """Return line currents of some nodes as their parents see them: through the transformer, if there is one."""
        stepped = np.isfinite(self.ratio[level])
        if not stepped.any():
            return current
        up: NDArray[Any] = current.copy()
        below, ratio = up[stepped], self.ratio[level][stepped][:, None]
        if np.iscomplexobj(current):
            up[stepped] = (below - np.roll(below, 1, axis=1)) / (ratio * math.sqrt(3))
        else:
            up[stepped] = _stepped(below, ratio)
        return up

    def charger_current(self, leg_a: Floats) -> Floats:
        """Return the current of all chargers through every node, in A per line. Shapes: (E, 3) -> (N, 3)."""
        own = np.zeros((len(self.site.nodes), 3), complex)
        np.add.at(own, self.evse_node, np.einsum("el,elk->ek", leg_a, self.vectors))
        through: Floats = np.abs(self.gather(own))
        return through

    def base_power(self, base_a: Floats) -> Floats:
        """Return the power of base loads. Shapes: (N, 3) -> (N,)."""
        power: Floats = base_a.sum(axis=1) * self.voltage_v
        return power

    def declared_base(self) -> Floats:
        """Return the declared base load through every node: its own and that of all below it. Shapes: (N, 3)."""
        return self.gather(self.base_a)


def _stepped(base_a: Floats, ratio: Floats) -> Floats:
    """Return magnitudes as they appear above a delta-star transformer: they may add up, but what is given back by all three
    lines does so in balance, and no line makes up for another. Shapes: (N, 3), (N, 1) -> (N, 3)."""
    given = np.minimum(base_a.max(axis=1, keepdims=True), 0.0)
    drawn = np.maximum(base_a, 0.0)
    above: Floats = (drawn + np.roll(drawn, 1, axis=1)) / (ratio * math.sqrt(3)) + given / ratio
    return above


def limit_of(node: Node, row: Row, holding: Sequence[LimitWindow] = ()) -> float:
    """Return the limit of a row of a node while `holding` windows hold, after the margin."""
    if row.other is not None:
        return node.unbalance_a if node.unbalance_a is not None else math.inf
    if row.primary:
        primary = node.transformer.primary_limit_a if node.transformer else None
        return primary[row.line] if primary is not None and row.line is not None else math.inf
    if row.line is None:
        powers = [node.limit_w, *(window.limit_w for window in holding)]
        return min((power for power in powers if power is not None), default=math.inf) - node.margin_w
    currents = [node.limit_a, *(window.limit_a for window in holding)]
    return min((c[row.line] for c in currents if c is not None), default=math.inf) - node.margin_a
