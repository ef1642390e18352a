"""Who is let in and who gets how much: one balancing step as pure arithmetic on arrays."""

from dataclasses import dataclass, replace

import numpy as np

from pilotwire.domain.energy.asking import Asking
from pilotwire.domain.energy.filling import Flags, Floats, Ints, Pairs, fill
from pilotwire.domain.energy.network import Network
from pilotwire.domain.energy.stepping import admit, step_up, stepped_down

__all__ = ["Case", "Decision", "claims_of", "decide"]

_EPS = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Everything that one step decides on. Shapes: room (R,), the rest (E,).

    `most_a` is what EVSE, cable, car and overrides allow, `hard_a` the same less what ramps and silent meters forbid.
    `held` cars must not be paused yet, `barred` ones not be let in yet.
    """

    network: Network
    asking: Asking
    room: Floats
    offline_a: Floats
    may_draw_a: Floats
    was_a: Floats
    least_a: Floats
    most_a: Floats
    hard_a: Floats
    ceiling_a: Floats
    wants: Flags
    on: Flags
    held: Flags
    barred: Flags
    laxity_s: Floats
    trust: Ints
    beyond_plan: bool
    still_a: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What was decided. `target_a` is what would be given once all have confirmed; `use` is what every row carries then."""

    case: Case
    limit_a: Floats
    target_a: Floats
    on: Flags
    planned_off: Flags
    wish_a: Floats
    use: Floats


def claims_of(network: Network, current_a: Floats, used: Flags, offline_a: Floats) -> Floats:
    """Return what the conductors of every EVSE may come to carry: its current, or its offline bound by itself. (E, 3)."""
    return np.maximum(network.spread(current_a, used), network.spread(offline_a))


def decide(case: Case) -> Decision:
    """Let in, fill, round, and hold back what others have not given up yet.

    Stations that do not follow are told what would be theirs if they did, and the others get what is left beside what they
    draw instead.
    """
    found = _decided(case)
    stuck = case.asking.stuck
    if not stuck.any():
        return found
    holds = np.where(stuck, np.maximum(case.may_draw_a, found.limit_a), case.may_draw_a)
    asking = replace(
        case.asking,
        movable=case.asking.movable & ~stuck,
        excess_a=np.where(stuck, 0.0, case.asking.excess_a),
    )
    beside = replace(case, asking=asking, may_draw_a=holds)
    others = _decided(beside)
    limit = np.where(stuck, found.limit_a, others.limit_a)
    return Decision(
        case=case,
        limit_a=limit,
        target_a=np.where(stuck, found.target_a, others.target_a),
        on=np.where(stuck, found.on, others.on),
        planned_off=np.where(stuck, found.planned_off, others.planned_off),
        wish_a=np.where(stuck, found.wish_a, others.wish_a),
        use=_used(beside, np.where(stuck, holds, limit)),
    )


def _used(case: Case, limit: Floats) -> Floats:
    """Return what every row carries when all that have a car draw so much, and what they take beyond it."""
    network, asking = case.network, case.asking
    claims = claims_of(network, np.where(asking.has_car, limit, 0.0), asking.used, case.offline_a)
    beyond = np.where(_is_quiet(case) & (limit <= _EPS), 0.0, asking.excess_a)
    return network.use(claims + network.spread(beyond, asking.used))


def _is_quiet(case: Case) -> Flags:
    """Tell which EVSEs cannot draw anything now: told to stop, by day and by night."""
    quiet: Flags = case.asking.movable & (np.maximum(case.may_draw_a, case.offline_a) <= _EPS)
    return quiet


def _decided(case: Case) -> Decision:
    """Decide as if all stations that can be told anything did what they are told."""
    network, asking = case.network, case.asking
    pairs = network.pairs(asking.used)
    start, standing, pressed = _standing(case, pairs)
    # What is drawn beyond a limit is there only where something is drawn: it comes with being let in.
    entry = np.where(_is_quiet(case), asking.excess_a, 0.0)
    case = replace(case, hard_a=np.where(pressed, np.minimum(case.hard_a, case.offline_a), case.hard_a))
    free = case.room - standing
    least = np.maximum(case.least_a, start)
    planned = np.where(np.isnan(asking.planned_a), np.inf, asking.planned_a)
    planned_off = (planned < 0.5 * least) & ~case.held
    able = asking.movable & (case.hard_a >= least - _EPS)
    wanting = able & case.wants & ~planned_off & ~case.barred
    order = np.flatnonzero(wanting)
    keys = (asking.since_s[order], case.laxity_s[order], asking.tier[order], ~case.held[order])
    order = order[np.lexsort(keys)]
    let = admit(pairs, free, np.where(wanting, least - start + entry, 0.0), order)
    entry = np.where(let, entry, 0.0)
    wish = np.clip(
        np.minimum(case.ceiling_a, np.maximum(planned, least)), least, np.maximum(case.hard_a, least)
    )
    open_room = free + pairs.use(start) - pairs.use(entry)
    target = _filled(case, pairs, open_room, np.where(let, least, start), (let, wish, planned))
    target = _asleep(pairs, open_room, target, (able & ~case.wants, start, least))
    limit = _rounded(case, pairs, open_room, target, start)
    limit = _still(case, pairs, open_room, limit, start)
    target = limit
    limit = _confirmed(case, pairs, limit, (start, standing, order), entry)
    limit = np.where(asking.movable, limit, np.where(asking.away, case.may_draw_a, case.offline_a))
    limit = np.where(~network.sheddable & asking.has_car, network.max_a, limit)
    return Decision(
        case=case,
        limit_a=limit,
        target_a=target,
        # Who was let in and only waits for others to give up their part is not thrown out for that.
        on=asking.movable & let & (np.where(case.on, target, limit) >= case.least_a - _EPS),
        planned_off=planned_off & able & case.wants,
        wish_a=wish,
        use=_used(case, limit),
    )


def _standing(case: Case, pairs: Pairs) -> tuple[Floats, Floats, Flags]:
    """The level at which every movable car starts, what all rows carry before anything is given, and who is pressed.

    Every EVSE starts at its offline bound. Rows where not even these fit (base load above what was declared) press the cars
    on them: these start from nothing and get at most their offline bound, so that no row carries more than the bounds alone.
    """
    network, asking = case.network, case.asking
    fixed = np.where(asking.movable, 0.0, case.may_draw_a)
    fixed = np.where(~network.sheddable, network.max_a, fixed)
    start = np.where(asking.movable, case.offline_a, 0.0)
    beyond = network.spread(np.where(_is_quiet(case), 0.0, asking.excess_a), asking.used)
    standing = network.use(claims_of(network, fixed, asking.used, case.offline_a) + beyond)
    over = standing > case.room + _EPS
    pressed = np.zeros(network.size, bool)
    if over.any():
        pressed[pairs.user[over[pairs.row]]] = True
        pressed &= asking.movable
        start = np.where(pressed, 0.0, start)
        eased = claims_of(network, fixed, asking.used, np.where(pressed, 0.0, case.offline_a)) + beyond
        eased = network.use(eased)
        standing = np.where(over, eased, standing)
    return start, standing, pressed


def _filled(
    case: Case, pairs: Pairs, room: Floats, current: Floats, wanted: tuple[Flags, Floats, Floats]
) -> Floats:
    """Fill tier by tier up to what each is wished, then let the rest rise for those whom no plan holds."""
    let, wish, planned = wanted
    weight = case.asking.weight * np.where(
        np.isfinite(planned), np.maximum(planned, 1.0) / case.network.max_a, 1.0
    )
    for tier in np.unique(case.asking.tier[let]).tolist():
        here = let & (case.asking.tier == tier)
        current = fill(pairs, room, current, np.where(here, wish, current), weight)
    spare = let & (np.isinf(planned) | case.beyond_plan)
    return fill(pairs, room, current, np.where(spare, np.maximum(case.hard_a, current), current), weight)


def _asleep(pairs: Pairs, room: Floats, current: Floats, asleep: tuple[Flags, Floats, Floats]) -> Floats:
    """Offer the minimum to cars that want nothing now, out of what is left, so that they may wake up."""
    who, start, least = asleep
    order = np.flatnonzero(who)
    woken = admit(pairs, room - pairs.use(current), np.where(who, least - start, 0.0), order)
    return np.where(woken & who, least, current)


def _rounded(case: Case, pairs: Pairs, room: Floats, target: Floats, start: Floats) -> Floats:
    if not case.network.step_groups:
        return target
    down = np.maximum(stepped_down(case.network, target), start)
    return step_up(case.network, pairs, room, down, np.maximum(case.hard_a, down), target)


def _still(case: Case, pairs: Pairs, room: Floats, limit: Floats, start: Floats) -> Floats:
    """Keep what was where the change is small and every limit allows it."""
    small = np.abs(limit - case.was_a) < case.still_a
    small &= case.asking.movable & (limit > 0) & (case.was_a >= start) & (case.was_a <= case.hard_a + _EPS)
    small &= case.was_a >= case.least_a - _EPS
    kept = np.where(small, case.was_a, limit)
    over = pairs.use(kept) > room + _EPS
    if over.any():
        touched = np.zeros(pairs.users, bool)
        touched[pairs.user[over[pairs.row]]] = True
        kept = np.where(touched, np.minimum(kept, limit), kept)
        raised = kept > limit
        if raised.any() and (pairs.use(kept) > room + _EPS).any():
            kept = np.minimum(kept, limit)
    return kept


def _confirmed(
    case: Case, pairs: Pairs, limit: Floats, standing: tuple[Floats, Floats, Ints], entry: Floats
) -> Floats:
    """Raise only into room that is free by what stations may be acting upon now; the rest waits for their answers.

    `entry` is what EVSEs that draw nothing yet will draw beyond their limits.
    """
    start, stands, order = standing
    moved = case.asking.movable
    holding = np.where(moved, np.maximum(case.may_draw_a, start), 0.0)
    rise = np.where(moved, np.maximum(limit - holding, 0.0), 0.0)
    free = case.room - stands - pairs.use(np.where(moved, holding - start, 0.0))
    waiting = np.flatnonzero(rise > 0)
    rank = np.full(pairs.users, len(order), np.int64)
    rank[order] = np.arange(len(order))
    waiting = waiting[np.argsort(rank[waiting], kind="stable")]
    granted = admit(pairs, free, np.where(rise > 0, rise + entry, 0.0), waiting)
    held_back = moved & (rise > 0) & ~granted
    if not held_back.any():
        return limit
    # Where not all of a rise fits yet, the least current of a car may.
    entering = held_back & (holding < case.least_a - _EPS) & (limit >= case.least_a - _EPS)
    left = free - pairs.use(np.where(granted, np.where(rise > 0, rise + entry, 0.0), 0.0))
    wanted = np.where(entering, case.least_a - holding + entry, 0.0)
    entered = admit(pairs, left, wanted, waiting[entering[waiting]]) & entering
    part = stepped_down(case.network, np.where(held_back, holding, limit))
    part = np.maximum(np.minimum(part, limit), start)
    return np.where(entered, case.least_a, np.where(held_back, part, limit))
