"""The safety loop: every few seconds, how much each EVSE may draw now. A pure function from state and moment to state.

What is guaranteed: as long as base load stays within what was measured (or declared, where meters are silent), the sum of
all claims on every row stays within its limit, where the claim of an EVSE is the largest of what it is given now, what
its station may still be acting upon, and what it draws by itself without orders. A limit that is taken away is given to
others only after its station has confirmed; of an EVSE that cannot be reached the claim stands.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from pilotwire.domain.energy.asking import Asking, read_moment
from pilotwire.domain.energy.ceilings import Ceilings, CeilingSettings, learn
from pilotwire.domain.energy.compiling import compile_site
from pilotwire.domain.energy.deciding import Case, decide
from pilotwire.domain.energy.exchange import Balance, Moment
from pilotwire.domain.energy.explaining import explain
from pilotwire.domain.energy.filling import Flags, Floats, Ints
from pilotwire.domain.energy.metering import BaseLoad, MeterSettings, estimate_base, named, trust_of
from pilotwire.domain.energy.model import Site
from pilotwire.domain.energy.network import UNBALANCE, Network
from pilotwire.domain.energy.offline import offline_bounds

__all__ = ["BalanceSettings", "BalanceState", "Balancer"]

_NEVER = -math.inf
_EPS = 1e-6
_SLIGHT = 0.02
"""What is drawn beyond a limit by so much of it is left to margins."""


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """How the loop behaves. A car that was let in stays for `min_on_s`, one that was paused stays out for `min_off_s`.

    Among equals the one with least time to spare goes first, and one that charges counts as `hold_s` more pressed than
    one that waits, so that they do not take turns. `beyond_plan` gives power that the plan left to cars that could take it.
    Smaller changes than `still_a` or `still_share` of the limit are not made where fuses allow.
    """

    min_on_s: float = 600.0
    min_off_s: float = 300.0
    hold_s: float = 1800.0
    ramp_a_per_s: float = 2.0
    still_a: float = 1.0
    still_share: float = 0.05
    fresh_s: float = 60.0
    stay_s: float = 8 * 3600.0
    energy_wh: float = 15000.0
    beyond_plan: bool = False
    meters: MeterSettings = field(default_factory=MeterSettings)
    ceilings: CeilingSettings = field(default_factory=CeilingSettings)


@dataclass(frozen=True, slots=True, eq=False)
class BalanceState:
    """What the loop remembers between two calls. Shapes: (E,) but `base`.

    `limit_a` is what was given last, `on` who was let in, `switched_s` when that changed, `sessions` whose memory it is.
    """

    at_s: float
    limit_a: Floats
    on: Flags
    switched_s: Floats
    sessions: tuple[str, ...]
    ceilings: Ceilings
    base: BaseLoad


@dataclass(frozen=True, slots=True, eq=False)
class Balancer:
    """The loop for one compiled site. `offline_a` is what each station draws without orders."""

    network: Network
    offline_a: Floats
    settings: BalanceSettings

    @classmethod
    def of(cls, site: Site, settings: BalanceSettings | None = None) -> "Balancer":
        """Compile a valid site."""
        network = compile_site(site)
        return cls(network, offline_bounds(network), settings or BalanceSettings())

    def start(self) -> BalanceState:
        """Return the state of a site of which nothing is known yet."""
        size = self.network.size
        return BalanceState(
            at_s=_NEVER,
            limit_a=np.zeros(size),
            on=np.zeros(size, bool),
            switched_s=np.full(size, _NEVER),
            sessions=("",) * size,
            ceilings=Ceilings.unknown(size),
            base=BaseLoad.unknown(self.network),
        )

    def carried(self, old: "Balancer", state: BalanceState) -> BalanceState:
        """Return the state for this site out of that of the same site before it was edited; what is new starts afresh."""
        fresh = self.start()
        here = [new for name, new in self.network.evse_index.items() if name in old.network.evse_index]
        there = [old.network.evse_index[self.network.site.evses[new].id] for new in here]
        nodes = [new for name, new in self.network.node_index.items() if name in old.network.node_index]
        before = [old.network.node_index[self.network.site.nodes[new].id] for new in nodes]
        sessions = list(fresh.sessions)
        for new, was in zip(here, there, strict=True):
            sessions[new] = state.sessions[was]
        fresh.limit_a[here], fresh.on[here] = state.limit_a[there], state.on[there]
        fresh.switched_s[here] = state.switched_s[there]
        for name in ("ceiling_a", "short_since_s", "idle_since_s", "probed_s"):
            getattr(fresh.ceilings, name)[here] = getattr(state.ceilings, name)[there]
        for name in ("own_a", "heard_s", "leaned_a"):
            getattr(fresh.base, name)[nodes] = getattr(state.base, name)[before]
        return replace(fresh, at_s=state.at_s, sessions=tuple(sessions))

    def step(self, state: BalanceState, moment: Moment) -> tuple[BalanceState, Balance]:
        """Decide what every EVSE may draw from `moment.at_s` on."""
        network, settings, now = self.network, self.settings, moment.at_s
        asking = read_moment(
            network, moment, fresh_s=settings.fresh_s, stay_s=settings.stay_s, energy_wh=settings.energy_wh
        )
        base, base_a, rest_a = estimate_base(
            network,
            state.base,
            now,
            moment.meters,
            asking.drawn_a,
            settings.meters,
            delivered_w=moment.delivered_w,
        )
        node_trust, evse_trust = trust_of(network, base, now, settings.meters)
        limits, credit = network.limits_at(now), self._credit(asking)
        room = network.room(limits, base_a, network.base_power(base_a), rest_a) + credit
        alone = network.room(limits, rest_a, network.base_power(rest_a)) + credit
        state = _recognised(state, asking)
        ceilings = learn(
            state.ceilings,
            now,
            asking.largest_a,
            state.limit_a,
            asking.seen & asking.has_car,
            settings.ceilings,
        )
        state = replace(state, ceilings=ceilings, base=base)
        decision = decide(self._case(state, asking, evse_trust, room, now))
        allocations = explain(decision, base_a)
        switched = np.where(decision.on != state.on, now, state.switched_s)
        state = replace(state, at_s=now, limit_a=decision.limit_a, on=decision.on, switched_s=switched)
        leans = bool((decision.use > np.maximum(alone, 0.0) + _EPS).any()) and rest_a is not base_a
        drawn = network.use(asking.drawn_a * asking.seen[:, None])
        beyond = (drawn > np.maximum(room, 0.0) + _SLIGHT * limits) & (network.row_kind != UNBALANCE)
        trust = named(network, node_trust)
        return state, Balance(
            at_s=now, allocations=allocations, trust=trust, leans=leans, overdrawn=bool(beyond.any())
        )

    def _credit(self, asking: Asking) -> Floats:
        """Unbalance rows: what chargers were just seen to draw on the other line may be matched on this one."""
        network = self.network
        credit = np.zeros(len(network.rows))
        uneven = np.flatnonzero(network.row_kind == UNBALANCE)
        if len(uneven):
            use = network.use(asking.drawn_a * asking.seen[:, None])
            where = {(row.node, row.line, row.other): number for number, row in enumerate(network.rows)}
            for number in uneven.tolist():
                row = network.rows[number]
                credit[number] = use[where[row.node, row.other, row.line]]
        return credit

    def _case(self, state: BalanceState, asking: Asking, trust: Ints, room: Floats, now: float) -> Case:
        """Put together what is to be decided: the caps of every car and the claims that stand."""
        settings, offline = self.settings, self.offline_a
        may_draw = np.where(np.isnan(asking.may_draw_a), state.limit_a, asking.may_draw_a)
        waited = max(0.0, now - state.at_s) if math.isfinite(state.at_s) else 0.0
        least = np.maximum(asking.least_a, offline)
        ramp = np.maximum(state.limit_a + settings.ramp_a_per_s * waited, least)
        hard = np.fmin(asking.most_a, asking.override_a)
        ramped = np.fmin(hard, ramp) if math.isfinite(state.at_s) else hard
        ramped = np.where(trust == 1, np.fmin(ramped, np.maximum(state.limit_a, offline)), ramped)
        ramped = np.where(trust == 2, np.fmin(ramped, offline), ramped)
        idle = state.ceilings.idle(now, settings.ceilings)
        return Case(
            network=self.network,
            asking=asking,
            room=room,
            offline_a=offline,
            may_draw_a=may_draw,
            was_a=state.limit_a,
            least_a=least,
            most_a=hard,
            hard_a=ramped,
            ceiling_a=state.ceilings.ceiling_a,
            wants=asking.wants & ~idle,
            on=state.on,
            held=state.on & (now - state.switched_s < settings.min_on_s),
            barred=~state.on & (now - state.switched_s < settings.min_off_s),
            laxity_s=asking.laxity_s - settings.hold_s * state.on,
            trust=trust,
            beyond_plan=settings.beyond_plan,
            still_a=np.maximum(settings.still_a, settings.still_share * state.limit_a),
        )


def _recognised(state: BalanceState, asking: Asking) -> BalanceState:
    """Forget what was known of EVSEs at which another session runs now, or none."""
    if state.sessions == asking.sessions:
        return state
    pairs = zip(state.sessions, asking.sessions, strict=True)
    other = np.array([was != now for was, now in pairs], bool)
    return replace(
        state,
        sessions=asking.sessions,
        limit_a=np.where(other & ~asking.has_car, 0.0, state.limit_a),
        on=state.on & ~other,
        switched_s=np.where(other, _NEVER, state.switched_s),
        ceilings=state.ceilings.forget(other),
    )
