"""The planning loop: a day ahead on a variable grid, as one linear program.

It minimises what energy, the rise of the month's peak and wear of the battery cost, plus a price far above these for
every Wh that a car will be missing when it leaves. Energy is never demanded, only wished, so there is always a solution.
Among equal plans the earlier one is taken: what is charged now cannot be prevented later.
"""

from dataclasses import dataclass, field

import numpy as np

from pilotwire.domain.energy.drafting import Draft, PlanSettings
from pilotwire.domain.energy.exchange import CarPlan, Plan, PlanRequest
from pilotwire.domain.energy.filling import Floats, Ints
from pilotwire.domain.energy.layout import BACK, Layout, Reach
from pilotwire.domain.energy.network import Network
from pilotwire.domain.energy.program import Solver

__all__ = ["PlanSettings", "Planner"]

_NONE = np.zeros(0, np.int64)


@dataclass(slots=True)
class Planner:
    """The loop for one compiled site. It keeps the layout and the solver's last basis; the plan does not depend on them."""

    network: Network
    settings: PlanSettings = field(default_factory=PlanSettings)
    solver: Solver = field(default_factory=Solver)
    reach: Reach | None = None
    layout: Layout | None = None
    entries: tuple[Ints, Ints, Floats] = (_NONE, _NONE, np.zeros(0))
    used: bytes = b""
    first_h: float = 0.0

    def solve(self, request: PlanRequest) -> Plan:
        """Plan from `request.at_s` on, for the cars that are connected."""
        draft = Draft(self.network, self.settings, request)
        layout = self._prepared(draft)
        values, optimal = self.solver.solve() if layout.blocks.columns else (np.zeros(0), True)
        return _read(draft, layout, values, optimal)

    def _prepared(self, draft: Draft) -> Layout:
        """Bring the solver's program up to date: its figures, single coefficients, or all of it where the layout changes."""
        if self.reach is None:
            self.reach = Reach.of(self.network)
        assets = draft.assets(self.reach)
        layout = self.layout
        fits = layout is not None and layout.assets.covers(assets)
        if layout is None or not fits:
            assets = assets if layout is None else assets.joined(layout.assets)
            layout = self.layout = Layout.of(self.network, self.reach, assets, len(draft.horizon))
        figures = draft.figures(layout)
        used = draft.wanted.used.tobytes()
        if not fits:
            self.entries = layout.entries(draft.wanted.used, draft.hours)
            if layout.blocks.columns:
                self.solver.load(self.entries, figures)
        elif layout.blocks.columns:
            # Rows may be there without a column: limits of a site at which nothing can be planned yet.
            self.solver.change(figures)
            if used != self.used:
                self._change_entries(layout.entries(draft.wanted.used, draft.hours))
            elif len(layout.tops) and draft.hours[0] != self.first_h:
                # The demand is that of whole steps, and only the first one's length ever differs.
                self.solver.change_entry(int(layout.tops[0]), int(layout.peak[0]), -float(draft.hours[0]))
        self.used, self.first_h = used, float(draft.hours[0])
        return layout

    def _change_entries(self, entries: tuple[Ints, Ints, Floats]) -> None:
        """Change what cars take of the rows, where they use other conductors than those before them."""
        rows, columns, values = entries
        for place in np.flatnonzero(values != self.entries[2]).tolist():
            self.solver.change_entry(int(rows[place]), int(columns[place]), float(values[place]))
        self.entries = entries


def _read(draft: Draft, layout: Layout, values: Floats, optimal: bool) -> Plan:
    """Lay the values of the columns out as a plan."""
    wanted, hours, at = draft.wanted, draft.hours, draft.wanted.at
    kw = layout.kw_per_amp(wanted.used)
    charge, back = (np.zeros((len(kw), len(hours))) for _ in range(2))
    charge[:, : layout.assets.steps] = values[layout.currents]
    back[layout.giving, : layout.assets.steps] = values[layout.releases]
    given = charge.sum(axis=1) * kw * layout.gain - back.sum(axis=1) * kw / BACK
    missing = np.maximum(wanted.energy_kwh - given, 0.0) * 1e3
    net = charge - back
    net[np.abs(net) < 1e-6 * hours] = 0.0
    chargers = kw @ net
    contract, request = draft.site.contract, draft.request
    peak = request.peak_w
    if len(layout.bought):
        bought, sold = values[layout.bought], values[layout.sold]
        energy = bought - sold
        feed = np.minimum(contract.feed_in_price_per_kwh, draft.prices)
        cost = float(draft.prices @ bought - feed @ sold)
        if contract.demand_price_per_kw > 0:
            peak = max(peak, float(values[layout.peak[0]]) * 1e3)
        cost += contract.demand_price_per_kw * (peak - request.peak_w) / 1e3
    else:
        energy = chargers + draft.base_kw.sum(axis=0) * hours
        cost = float(draft.prices @ chargers)
    cars = zip(wanted.cars.values(), (net[at] / hours).tolist(), missing[at].tolist(), strict=True)
    batteries = zip(draft.site.batteries, layout.charges, layout.discharges, strict=True)
    generators = zip(draft.site.generators, layout.sources, strict=True)
    return Plan(
        at_s=request.at_s,
        starts_s=tuple(draft.horizon.starts_s.tolist()),
        steps_s=tuple((hours * 3600.0).tolist()),
        cars=tuple(CarPlan(car.evse_id, car.session_id, tuple(row), unmet) for car, row, unmet in cars),
        grid_w=tuple((energy / hours * 1e3).tolist()),
        battery_w={b.id: _watts(values[c] - values[r], hours) for b, c, r in batteries},
        generation_w={g.id: _watts(values[s], hours) for g, s in generators},
        peak_w=peak,
        cost=cost,
        optimal=optimal,
    )


def _watts(energy_kwh: Floats, hours: Floats) -> tuple[float, ...]:
    return tuple((energy_kwh / hours * 1e3).tolist())
