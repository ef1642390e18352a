"""A linear program as arrays, straight into HiGHS, which solves it again and again as its figures change."""

from dataclasses import dataclass, field

import highspy
import numpy as np

from pilotwire.domain.energy.filling import Floats, Ints

__all__ = ["INFINITE", "Blocks", "Figures", "Solver"]

INFINITE = float(highspy.kHighsInf)
_OPTIONS = (
    ("output_flag", False),
    ("threads", 1),
    # Cars are much alike, so the program is degenerate: without presolve and with its costs shaken more, the dual simplex
    # needs a fifth of the time, and the next solution can begin at this basis.
    ("presolve", "off"),
    ("dual_simplex_cost_perturbation_multiplier", 10.0),
    # Amperes and kilowatt-hours of cars are of one size: from an old basis scaling costs a fifth of the time and gains
    # nothing. (The first plan takes half as long again without; to change it in between loses the basis.)
    ("simplex_scale_strategy", 0),
)
_DEVEX = 1
"""Edge weights that cost nothing at the start: from an old basis only some tens of steps are needed."""


@dataclass(slots=True)
class Blocks:
    """What a program consists of: how many columns and rows, and its coefficients as triples."""

    columns: int = 0
    rows: int = 0
    triples: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)

    def add_columns(self, *shape: int) -> Ints:
        """Add a block of columns and return their numbers in that shape."""
        count = int(np.prod(shape))
        self.columns += count
        return np.arange(self.columns - count, self.columns).reshape(shape)

    def add_rows(self, *shape: int) -> Ints:
        """Add a block of rows and return their numbers in that shape."""
        count = int(np.prod(shape))
        self.rows += count
        return np.arange(self.rows - count, self.rows).reshape(shape)

    def add(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        """Add coefficients, broadcast against one another; a pair of row and column may come only once."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, float))
        self.triples.append((row.ravel(), column.ravel(), value.ravel()))

    def entries(self) -> tuple[Ints, Ints, Floats]:
        """Return all coefficients: rows, columns, values."""
        rows, columns, values = (np.concatenate(part) for part in zip(*self.triples, strict=True))
        return rows, columns, values


@dataclass(slots=True, eq=False)
class Figures:
    """The numbers of a program that differ from plan to plan: costs and bounds of columns, bounds of rows."""

    cost: Floats
    low: Floats
    high: Floats
    row_low: Floats
    row_high: Floats

    @classmethod
    def of(cls, columns: int, rows: int) -> "Figures":
        """Return figures of a program whose columns are 0 and whose rows bound nothing."""
        cost, low, high = (np.zeros(columns) for _ in range(3))
        return cls(cost, low, high, np.full(rows, -INFINITE), np.full(rows, INFINITE))


def _highs() -> highspy.Highs:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in _OPTIONS:
        highs.setOptionValue(name, value)
    return highs


@dataclass(slots=True)
class Solver:
    """HiGHS with one program, begun from the last basis each time. What did not change is not touched."""

    highs: highspy.Highs = field(default_factory=_highs)
    figures: Figures = field(default_factory=lambda: Figures.of(0, 0))
    warm: bool = False

    def load(self, entries: tuple[Ints, Ints, Floats], figures: Figures) -> None:
        """Take another program; what was known of the one before is forgotten."""
        rows, columns, values = entries
        order = np.lexsort((rows, columns))
        count = len(figures.cost)
        self.highs = _highs()
        self.highs.passModel(
            count,
            len(figures.row_low),
            len(values),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            figures.cost,
            figures.low,
            figures.high,
            figures.row_low,
            figures.row_high,
            np.searchsorted(columns[order], np.arange(count + 1)).astype(np.int32),
            rows[order].astype(np.int32),
            values[order],
            np.zeros(count, np.int32),
        )
        self.figures, self.warm = figures, False

    def change_entry(self, row: int, column: int, value: float) -> None:
        """Change one coefficient, at the price of a slower start of the next solution."""
        self.highs.changeCoeff(row, column, value)

    def change(self, new: Figures) -> None:
        """Take other costs and bounds for the program that is loaded."""
        old, highs = self.figures, self.highs
        dearer = np.flatnonzero(new.cost != old.cost).astype(np.int32)
        if len(dearer):
            highs.changeColsCost(len(dearer), dearer, new.cost[dearer])
        moved = np.flatnonzero((new.low != old.low) | (new.high != old.high)).astype(np.int32)
        if len(moved):
            highs.changeColsBounds(len(moved), moved, new.low[moved], new.high[moved])
        bounded = np.flatnonzero((new.row_low != old.row_low) | (new.row_high != old.row_high))
        rows = bounded.astype(np.int32)
        if len(rows):
            highs.changeRowsBounds(  # type: ignore[attr-defined]
                len(rows), rows, new.row_low[rows], new.row_high[rows]
            )
        highs.setOptionValue("simplex_dual_edge_weight_strategy", _DEVEX)
        self.figures, self.warm = new, True

    def solve(self) -> tuple[Floats, bool]:
        """Return the values of all columns and whether they are optimal."""
        self.highs.run()
        optimal = self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        if not optimal and self.warm:
            self.highs.clearSolver()
            self.highs.run()
            optimal = self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        found = np.array(self.highs.getSolution().col_value, float)
        if len(found) != len(self.figures.cost):
            found = np.zeros(len(self.figures.cost))
        return found, optimal
