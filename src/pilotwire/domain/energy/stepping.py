"""Currents that stations can really be set to: nothing, or one of their steps."""

import math

import numpy as np

from pilotwire.domain.energy.filling import Flags, Floats, Ints, Pairs
from pilotwire.domain.energy.network import Network

__all__ = ["admit", "step_up", "stepped_down", "stepped_over"]


def stepped_down(network: Network, current: Floats) -> Floats:
    """Return the nearest current below that each EVSE can be set to, 0 below its least. Shapes: (E,) -> (E,)."""
    found = np.where(current >= network.min_a - 1e-6, current, 0.0)
    for steps, members in network.step_groups:
        choices = np.concatenate(([0.0], steps))
        found[members] = choices[np.searchsorted(choices, current[members] + 1e-6, side="right") - 1]
    return found


def stepped_over(network: Network, current: Floats) -> Floats:
    """Return the least current at or above that each EVSE can be set to, its highest at most: a car may take less."""
    found = current.copy()
    for steps, members in network.step_groups:
        here = np.searchsorted(steps, current[members] - 1e-6)
        found[members] = np.where(current[members] > 0, steps[np.minimum(here, len(steps) - 1)], 0.0)
    return found


def step_up(
    network: Network, pairs: Pairs, room: Floats, current: Floats, most: Floats, wished: Floats
) -> Floats:
    """Give EVSEs with steps one step more where rounding down left room, those that lost most first. Shapes: (E,)."""
    above = current.copy()
    for steps, members in network.step_groups:
        here = np.searchsorted(steps, current[members] + 1e-6, side="right")
        above[members] = np.where(
            (current[members] > 0) & (here < len(steps)),
            steps[np.minimum(here, len(steps) - 1)],
            current[members],
        )
    gain = np.where((above <= most + 1e-6) & (wished > current + 1e-6), above - current, 0.0)
    order = np.flatnonzero(gain > 0)
    if not len(order):
        return current
    order = order[np.argsort(current[order] - wished[order], kind="stable")]
    taken = admit(pairs, room - pairs.use(current), gain, order)
    return np.where(taken, above, current)


def admit(pairs: Pairs, room: Floats, wanted: Floats, order: Ints) -> Flags:
    """Return who gets its whole `wanted` current, first come first served in `order`. Shapes: room (R,), wanted (users,).

    Nothing is taken by who wants nothing, so a row that is overdrawn already refuses only those who need it.
    """
    chosen = np.zeros(pairs.users, bool)
    chosen[order] = True
    if (pairs.use(np.where(chosen, wanted, 0.0)) <= room + 1e-9).all():
        return chosen
    by_user = np.lexsort((pairs.row, pairs.user))
    rows = pairs.row[by_user].tolist()
    takes = (pairs.coef[by_user] * wanted[pairs.user[by_user]]).tolist()
    starts = np.searchsorted(pairs.user[by_user], np.arange(pairs.users + 1)).tolist()
    left = [value + 1e-9 if math.isfinite(value) else math.inf for value in room.tolist()]
    for user in order.tolist():
        span = range(starts[user], starts[user + 1])
        if all(left[rows[k]] >= takes[k] for k in span if takes[k] > 0):
            for k in span:
                left[rows[k]] -= takes[k]
        else:
            chosen[user] = False
    return chosen
