"""Why every EVSE got what it got: the limit that binds, and who else uses it."""

import numpy as np

from pilotwire.domain.energy.deciding import Decision
from pilotwire.domain.energy.exchange import Allocation, Binding, Reason
from pilotwire.domain.energy.filling import Floats, Ints
from pilotwire.domain.energy.model import Phase
from pilotwire.domain.energy.network import POWER

__all__ = ["explain"]

_EPS = 1e-3
_NAMED = 8
_OF_THE_TREE = (Reason.FUSE, Reason.QUEUE)


def explain(decision: Decision, base_a: Floats) -> tuple[Allocation, ...]:
    """Return the allocations in the order of the site, each with its reason."""
    case = decision.case
    network, asking = case.network, case.asking
    bindings: dict[int, Binding] = {}
    reasons = _reasons(decision)
    tightest = _tightest(decision, [reason in _OF_THE_TREE for reason in reasons])
    found = []
    limits = decision.limit_a.tolist()
    planned = asking.planned_a.tolist()
    watts = network.watts_per_amp.tolist()
    for number, evse in enumerate(network.site.evses):
        reason = reasons[number]
        binding = None
        row = int(tightest[number])
        if row >= 0:
            if row not in bindings:
                bindings[row] = _binding(decision, row, base_a)
            binding = bindings[row]
        power = limits[number] * watts[number] * (evse.efficiency if evse.dc else 1.0)
        plan = planned[number]
        found.append(
            Allocation(evse.id, limits[number], power, reason, binding, None if plan != plan else plan)  # noqa: PLR0124
        )
    return tuple(found)


def _tightest(decision: Decision, asked: list[bool]) -> Ints:
    """Of the rows an EVSE is on, the one with the least left for it: the first that would stop it.

    -1 for none, and for those of whom it is not asked. Shapes: asked (E,), the result (E,).
    """
    case = decision.case
    if not any(asked):
        return np.full(len(asked), -1, np.int64)
    pairs = case.network.pairs(case.asking.used)
    pairs = pairs.of(np.array(asked)[pairs.user])
    left = (case.room - decision.use)[pairs.row] / np.maximum(pairs.coef, 1e-9)
    order = np.lexsort((left, pairs.user))
    users = pairs.user[order]
    first = np.flatnonzero(np.diff(users, prepend=-1))
    found = np.full(pairs.users, -1, np.int64)
    found[users[first]] = pairs.row[order[first]]
    return found


def _reasons(decision: Decision) -> list[Reason]:
    case = decision.case
    asking, limit = case.asking, decision.limit_a
    have_all = limit >= np.minimum(case.most_a, asking.override_a) - _EPS
    choices: list[tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Reason]] = [
        (~asking.has_car, Reason.NO_CAR),
        (asking.away | ~case.network.sheddable, Reason.OFFLINE),
        (have_all & (asking.override_a <= asking.most_a - _EPS), Reason.OVERRIDE),
        (have_all, Reason.EVSE),
        (~case.wants, Reason.FULL),
        (case.trust > 0, Reason.STALE),
        (case.barred & ~decision.planned_off, Reason.PAUSE),
        (decision.planned_off, Reason.PLAN),
        (limit < decision.target_a - _EPS, Reason.RAMP),
        (~decision.on, Reason.QUEUE),
        (limit >= np.minimum(case.hard_a, case.most_a) - _EPS, Reason.RAMP),
        ((limit >= case.ceiling_a - _EPS), Reason.CAR),
        (~np.isnan(asking.planned_a) & (limit >= decision.wish_a - _EPS), Reason.PLAN),
    ]
    code = np.full(case.network.size, len(choices), np.int64)
    for rank in range(len(choices) - 1, -1, -1):
        code[np.asarray(choices[rank][0])] = rank
    names = [reason for _, reason in choices] + [Reason.FUSE]
    return [names[rank] for rank in code.tolist()]


def _binding(decision: Decision, row: int, base_a: Floats) -> Binding:
    case = decision.case
    network = case.network
    what = network.rows[row]
    node = network.site.nodes[what.node]
    fit = float(network.row_fit[row])
    first, last = np.searchsorted(network.entry_row, [row, row + 1])
    members = np.unique(network.entry_evse[first:last])
    sharing = members[(decision.limit_a[members] > 0) & case.asking.has_car[members]]
    largest = sharing[np.argsort(-decision.limit_a[sharing], kind="stable")][:_NAMED]
    base = base_a[what.node]
    load = float((base * network.voltage_v[what.node]).sum() if what.line is None else base[what.line])
    power = network.row_kind[row] == POWER
    return Binding(
        node_id=node.id,
        phase=None if power or what.line is None else Phase(what.line),
        limit=float(case.room[row]) / fit + load,
        base=load,
        used=float(decision.use[row]) / fit + load,
        others=tuple((network.site.evses[k].id, float(decision.limit_a[k])) for k in largest.tolist()),
    )
