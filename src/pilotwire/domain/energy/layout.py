"""Which columns and rows the plan of a site has. It holds for all its plans: cars come and go, and only figures change.

Columns are amounts, not rates: Ah per conductor for cars, kWh for the rest. So the coefficients do not depend on how long
the steps are, and the solver keeps what it knows of the matrix from plan to plan.
"""

from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.filling import Flags, Floats, Ints
from pilotwire.domain.energy.network import POWER, PRIMARY, UNBALANCE, Network
from pilotwire.domain.energy.program import Blocks

__all__ = ["BACK", "Assets", "Layout", "Reach"]

BACK = 0.95
"""What comes out of a car's battery of what is taken from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Who counts in which row of the network: `pair_*` name row and EVSE, each the sum of a span of `coef` from `first` on.

    Unbalance rows have both signs here: in a plan, what is charged on the other line counts to the credit of this one, and
    a car on both lines counts on neither.
    """

    pair_row: Ints
    pair_evse: Ints
    first: Ints
    evse: Ints
    leg: Ints
    coef: Floats

    @classmethod
    def of(cls, network: Network) -> "Reach":
        """Return the pairs of a network."""
        where = {(row.node, row.line, row.other): number for number, row in enumerate(network.rows)}
        mirror = np.array(
            [where[r.node, r.other, r.line] if r.other is not None else -1 for r in network.rows], np.int64
        )
        uneven = network.entry_uneven
        row = np.concatenate((network.entry_row, mirror[network.entry_row[uneven]]))
        evse = np.concatenate((network.entry_evse, network.entry_evse[uneven]))
        leg = np.concatenate((network.entry_leg, network.entry_leg[uneven]))
        coef = np.concatenate((network.entry_coef, -network.entry_coef[uneven]))
        order = np.lexsort((evse, row))
        row, evse, leg, coef = row[order], evse[order], leg[order], coef[order]
        first = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(evse, prepend=-1) != 0))
        return cls(row[first], evse[first], first, evse, leg, coef)

    def coefficients(self, used: Flags) -> Floats:
        """Return what 1 A on all conductors in use takes of each pair's row. Shapes: (E, 3) -> (pairs,)."""
        if not len(self.first):
            return np.zeros(0)
        values: Floats = np.add.reduceat(self.coef * used[self.evse, self.leg], self.first)
        return values

    def most(self, network: Network) -> Floats:
        """Return the most that the chargers can draw on every row. Shapes: (R,)."""
        taking = np.maximum(self.coef, 0.0) * network.max_a[self.evse]
        per_pair = np.add.reduceat(taking, self.first) if len(self.first) else taking
        found: Floats = np.bincount(self.pair_row, per_pair, len(network.rows)).astype(float)
        return found


@dataclass(frozen=True, slots=True)
class Assets:
    """What decides about the layout: in how many steps some car is still there, whether the connection has columns of its
    own, the EVSEs whose cars give back, and the rows of the network that could be reached."""

    steps: int
    metered: bool
    giving: frozenset[int]
    limits: frozenset[int]

    def covers(self, other: "Assets") -> bool:
        """Whether a layout for these does for the others too."""
        enough = self.steps >= other.steps and self.metered >= other.metered
        return enough and self.giving >= other.giving and self.limits >= other.limits

    def joined(self, other: "Assets") -> "Assets":
        """Return what covers both."""
        return Assets(
            max(self.steps, other.steps),
            self.metered or other.metered,
            self.giving | other.giving,
            self.limits | other.limits,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Numbers of columns and rows. E EVSEs, G of which give back, B batteries, S generators, L limits, T steps, in the first
    C of which cars are planned. `pairs` are those of the network's pairs that count.
    """

    network: Network
    assets: Assets
    reach: Reach
    gain: Floats
    giving: Ints
    limits: Ints
    pairs: Ints
    blocks: Blocks
    currents: Ints
    releases: Ints
    states: Ints
    charges: Ints
    discharges: Ints
    stores: Ints
    sources: Ints
    bought: Ints
    sold: Ints
    peak: Ints
    energy: Ints
    moved: Ints
    stored: Ints
    balance: Ints
    tops: Ints
    bounds: Ints

    @classmethod
    def of(cls, network: Network, reach: Reach, assets: Assets, steps: int) -> "Layout":
        """Number all columns and rows; coefficients are added by `entries`."""
        site, blocks = network.site, Blocks()
        giving = np.array(sorted(assets.giving), np.int64)
        limits = np.array(sorted(assets.limits), np.int64)
        connection = steps if assets.metered else 0
        demand = connection if site.contract.demand_price_per_kw > 0 else 0
        stores, sources = len(site.batteries), len(site.generators)
        here = assets.steps
        bounded = steps if stores or sources else here
        return cls(
            network=network,
            assets=assets,
            reach=reach,
            gain=np.array([evse.efficiency if evse.dc else 1.0 for evse in site.evses]),
            giving=giving,
            limits=limits,
            pairs=np.flatnonzero(np.isin(reach.pair_row, limits)),
            blocks=blocks,
            currents=blocks.add_columns(network.size, here),
            releases=blocks.add_columns(len(giving), here),
            states=blocks.add_columns(len(giving), here),
            charges=blocks.add_columns(stores, steps),
            discharges=blocks.add_columns(stores, steps),
            stores=blocks.add_columns(stores, steps),
            sources=blocks.add_columns(sources, steps),
            bought=blocks.add_columns(connection),
            sold=blocks.add_columns(connection),
            peak=blocks.add_columns(1 if connection else 0),
            energy=blocks.add_rows(network.size),
            moved=blocks.add_rows(len(giving), here),
            stored=blocks.add_rows(stores, steps),
            balance=blocks.add_rows(connection),
            tops=blocks.add_rows(demand),
            bounds=blocks.add_rows(len(limits), bounded),
        )

    def entries(self, used: Flags, hours: Floats) -> tuple[Ints, Ints, Floats]:
        """Return all coefficients, for cars that use some conductors. Shapes: used (E, 3), hours (T,)."""
        blocks = self.blocks
        blocks.triples.clear()
        kw = self.kw_per_amp(used)
        blocks.add(self.energy[:, None], self.currents, (self.gain * kw)[:, None])
        self._add_cars_that_give(blocks, kw)
        for charge, release, store, rows, battery in zip(
            self.charges, self.discharges, self.stores, self.stored, self.network.site.batteries, strict=True
        ):
            blocks.add(rows, store, 1.0)
            blocks.add(rows[1:], store[:-1], -1.0)
            blocks.add(rows, charge, -battery.charge_efficiency)
            blocks.add(rows, release, 1.0 / battery.discharge_efficiency)
        if len(self.balance):
            self._add_connection(blocks, kw, hours)
        self._add_limits(blocks, used)
        return blocks.entries()

    def kw_per_amp(self, used: Flags) -> Floats:
        """Return the power of 1 A on each conductor in use, in kW. Shapes: (E, 3) -> (E,)."""
        network = self.network
        kw: Floats = network.watts_per_amp / 1e3 * used.sum(axis=1)
        kw /= np.maximum(network.legs_mask.sum(axis=1), 1)
        return kw

    def _add_cars_that_give(self, blocks: Blocks, kw: Floats) -> None:
        if not len(self.giving):
            return
        power, gain = kw[self.giving][:, None], self.gain[self.giving][:, None]
        blocks.add(self.energy[self.giving][:, None], self.releases, -power / BACK)
        blocks.add(self.moved, self.states, 1.0)
        blocks.add(self.moved[:, 1:], self.states[:, :-1], -1.0)
        blocks.add(self.moved, self.currents[self.giving], -gain * power)
        blocks.add(self.moved, self.releases, power / BACK)

    def _add_connection(self, blocks: Blocks, kw: Floats, hours: Floats) -> None:
        rows = self.balance
        blocks.add(rows, self.bought, 1.0)
        blocks.add(rows, self.sold, -1.0)
        blocks.add(rows, self.charges, -1.0)
        blocks.add(rows, self.discharges, 1.0)
        blocks.add(rows, self.sources, 1.0)
        planned = rows[: self.assets.steps]
        blocks.add(planned, self.currents, -kw[:, None])
        blocks.add(planned, self.releases, kw[self.giving][:, None])
        if len(self.tops):
            blocks.add(self.tops, self.bought, 1.0)
            blocks.add(self.tops, self.peak, -hours)

    def _add_limits(self, blocks: Blocks, used: Flags) -> None:
        network, reach = self.network, self.reach
        row: Ints = np.full(len(network.rows), -1, np.int64)
        row[self.limits] = np.arange(len(self.limits))
        rows = self.bounds[row[reach.pair_row[self.pairs]], : self.assets.steps]
        evse = reach.pair_evse[self.pairs]
        coef = reach.coefficients(used)[self.pairs][:, None]
        blocks.add(rows, self.currents[evse], coef)
        place: Ints = np.full(network.size, -1, np.int64)
        place[self.giving] = np.arange(len(self.giving))
        back = np.flatnonzero(place[evse] >= 0)
        blocks.add(rows[back], self.releases[place[evse[back]]], -coef[back])
        site = network.site
        for battery, charge, release in zip(site.batteries, self.charges, self.discharges, strict=True):
            taking = self.per_kw(battery.node_id)
            here = np.flatnonzero(taking)
            blocks.add(self.bounds[here], charge, taking[here][:, None])
            blocks.add(self.bounds[here], release, -taking[here][:, None])
        for generator, source in zip(site.generators, self.sources, strict=True):
            taking = self.per_kw(generator.node_id)
            here = np.flatnonzero(taking)
            blocks.add(self.bounds[here], source, -taking[here][:, None])

    def per_kw(self, node_id: str) -> Floats:
        """Return what 1 kW at a node takes of every limit, evenly over three phases. Shapes: (L,)."""
        return row_share(self.network, node_id)[self.limits]


def row_share(network: Network, node_id: str) -> Floats:
    """Return what 1 kW at a node takes of every row, evenly over three phases. Shapes: (R,)."""
    taking = np.zeros(len(network.rows))
    number = network.node_index[node_id]
    kind = network.row_kind
    while number >= 0:
        amps = 1e3 / (3.0 * network.voltage_v[number])
        here = network.row_node == number
        per = np.where(kind == POWER, 1e3, np.where(kind == PRIMARY, amps / network.ratio[number], amps))
        taking = np.where(here & (kind != UNBALANCE), per * network.row_fit, taking)
        number = int(network.parent[number])
    return taking
