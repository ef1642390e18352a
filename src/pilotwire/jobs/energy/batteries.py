"""What a site's stationary batteries are told, what they are measured to do about it, and what the tree leaves them.

The safety loop counts of a battery that gives only what it is both told and measured to give, and of one that charges the
largest of what it is told, may still be told, and measured to take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotwire.domain.energy.definition import BatteryGiven
from pilotwire.domain.energy.exchange import MeterReading, Reason, Trust
from pilotwire.domain.energy.model import Metering, Node
from pilotwire.domain.energy.set_points import BatteryNow, Room, SetPoint, Why, set_point
from pilotwire.jobs.energy.flows import power_of
from pilotwire.jobs.energy.limiters import limits_now

if TYPE_CHECKING:
    from pilotwire.jobs.energy.site import SiteLoop

__all__ = ["BatteryOrder", "choose", "delivered_w", "show_batteries", "with_orders"]

_FRESH_S = 30.0
_SETTLE_S = 20.0
_PLAN_OLD_S = 900.0
_OFF_SHARE, _OFF_W = 0.1, 300.0
_SHORT = (Reason.FUSE, Reason.QUEUE)


@dataclass(slots=True)
class BatteryOrder:
    """What one battery is to do and has taken. Powers are positive when it gives; None: as it likes."""

    silent_after_s: float
    target_w: float | None = None
    why: Why = Why.IDLE
    planned_w: float | None = None
    told_w: float | None = None
    told_at_s: float = 0.0
    """When it took an order last."""
    since_s: float = 0.0
    """Since when it is told this."""
    error: str = ""

    def holds(self, now_s: float) -> bool:
        """Tell whether it may still be acting upon what it was told."""
        return self.told_w is not None and now_s - self.told_at_s <= self.silent_after_s

    def taken(self, power_w: float | None, now_s: float) -> None:
        """Note that it has taken an order."""
        if power_w != self.told_w:
            self.since_s = now_s
        self.told_w, self.told_at_s, self.error = power_w, now_s, ""


def choose(site: "SiteLoop", battery: BatteryGiven, order: BatteryOrder, now_s: float) -> SetPoint:
    """Choose what a battery is to do now."""
    measured_w, age_s, soc = _measured(site, battery, now_s)
    order.planned_w = _planned_w(site, battery, now_s)
    now = BatteryNow(
        max_charge_w=battery.max_charge_w,
        max_discharge_w=battery.max_discharge_w,
        min_soc=battery.min_soc_percent / 100,
        max_soc=battery.max_soc_percent / 100,
        measured_w=measured_w,
        age_s=age_s,
        soc=soc,
        told_w=order.told_w if order.holds(now_s) else None,
    )
    return set_point(now, order.planned_w, _room(site, battery, measured_w or 0.0, now_s))


def delivered_w(site: "SiteLoop", now_s: float) -> dict[str, float]:
    """Give by node what batteries under it are told to give and measured to give."""
    found: dict[str, float] = {}
    parents = {node.id: node.parent_id for node in site.tree.nodes}
    for battery in site.tree.batteries:
        order = site.orders.get(battery.id)
        measured_w, age_s, _ = _measured(site, battery, now_s)
        if order is None or order.told_w is None or not order.holds(now_s):
            continue
        if measured_w is None or age_s > _FRESH_S or min(measured_w, order.told_w) <= 0:
            continue
        node: str | None = battery.node_id
        while node is not None:
            found[node] = found.get(node, 0.0) + min(measured_w, order.told_w)
            node = parents[node]
    return found


def with_orders(
    site: "SiteLoop", readings: Mapping[str, MeterReading], now_s: float
) -> dict[str, MeterReading]:
    """Add to what meters say what batteries will draw soon: they are told to charge, and do not yet."""
    pending: dict[str, float] = {}
    parents = {node.id: node.parent_id for node in site.tree.nodes}
    for battery in site.tree.batteries:
        order = site.orders.get(battery.id)
        if order is None:
            continue
        told_w = order.told_w if order.holds(now_s) else None
        claim_w = max(-(told_w or 0.0), -(order.target_w or 0.0), 0.0)
        measured_w, _, _ = _measured(site, battery, now_s)
        missing_w = claim_w - max(0.0, -(measured_w or 0.0))
        node: str | None = battery.node_id if missing_w > 0 else None
        while node is not None:
            pending[node] = pending.get(node, 0.0) + missing_w
            node = parents[node]
    found = dict(readings)
    for node_id, watts in pending.items():
        reading = found.get(node_id)
        if reading is not None:
            each = watts / _three_phases_v(site, node_id)
            l1, l2, l3 = reading.current_a
            found[node_id] = MeterReading(reading.at_s, (l1 + each, l2 + each, l3 + each))
    return found


def show_batteries(site: "SiteLoop", now_s: float) -> list[dict[str, Any]]:
    """Show a site's batteries: what they do, are told, and why."""
    shown = []
    for battery in site.tree.batteries:
        order = site.orders.get(battery.id)
        measured_w, age_s, soc = _measured(site, battery, now_s)
        fresh = measured_w is not None and age_s <= 2 * _FRESH_S
        shown.append(
            {
                "id": battery.id,
                "name": battery.name,
                "power_w": round(measured_w) if fresh and measured_w is not None else None,
                "soc_percent": None if soc is None or not fresh else round(soc * 100, 1),
                "set_point_w": None if order is None or not order.holds(now_s) else order.told_w,
                "planned_w": None if order is None or order.planned_w is None else round(order.planned_w),
                "state": _state(battery, order, measured_w, now_s),
                "why": None if order is None else order.why.value,
                "error": "" if order is None else order.error,
            }
        )
    return shown


def _state(battery: BatteryGiven, order: BatteryOrder | None, measured_w: float | None, now_s: float) -> str:
    if order is None:
        return "uncontrolled"
    if order.error:
        return "failed"
    if not order.holds(now_s) or order.told_w is None:
        return "free"
    off_w = max(_OFF_W, _OFF_SHARE * max(battery.max_charge_w, battery.max_discharge_w))
    if measured_w is not None and abs(measured_w - order.told_w) <= off_w:
        return "following"
    return "ignoring" if now_s - order.since_s > _SETTLE_S else "sending"


def _measured(
    site: "SiteLoop", battery: BatteryGiven, now_s: float
) -> tuple[float | None, float, float | None]:
    """Give power, age of the reading in s, and charge from 0 to 1."""
    heard = site.readings.get(battery.meter or "")
    if heard is None or (heard[1].power_w is None and heard[1].current_a is None):
        return None, float("inf"), None
    soc = heard[1].soc_percent
    return power_of(heard[1]), now_s - heard[0], None if soc is None else soc / 100


def _planned_w(site: "SiteLoop", battery: BatteryGiven, now_s: float) -> float | None:
    plan = site.plan
    if plan is None or now_s - plan.at_s > _PLAN_OLD_S or battery.id not in plan.battery_w:
        return None
    step = int(np.searchsorted(plan.starts_s, now_s, side="right")) - 1
    return -plan.battery_w[battery.id][max(0, step)]


def _room(site: "SiteLoop", battery: BatteryGiven, does_w: float, now_s: float) -> Room:
    """Work out what every node above a battery leaves it."""
    if site.balance is None or site.moment is None:
        return Room(charge_w=None, give_w=0.0, need_w=0.0)
    network = site.balancer.network
    amps = _amps(site, now_s)
    claimed, drawn, wanted = (network.charger_current(network.spread(each)) for each in amps)
    charge_w: float | None = float("inf")
    give_w, need_w = float("inf"), 0.0
    for node in _chain(site, battery.node_id):
        limit_a, limit_w, _ = limits_now(node, now_s)
        if limit_a is None and limit_w is None:
            continue
        number, three_v = network.node_index[node.id], _three_phases_v(site, node.id)
        metered = site.balance.trust.get(node.id) is Trust.FRESH
        own = site.state.base.own_a[number] if metered else np.zeros(3)
        raw = _raw_base(site, node, drawn[number]) if metered else np.zeros(3)
        own = np.maximum(own, raw)
        fuse = np.full(3, np.inf) if limit_a is None else np.array(limit_a) - node.margin_a
        most_w = np.inf if limit_w is None else limit_w - node.margin_w
        spare = float((fuse - own - claimed[number]).min()) * three_v
        spare = min(spare, most_w - float((own + claimed[number]).sum()) * three_v / 3)
        if not metered or (node.transformer is not None and node.transformer.primary_limit_a is not None):
            charge_w = None
        elif charge_w is not None:
            charge_w = min(charge_w, spare)
        give_w = min(give_w, float((raw + drawn[number] + fuse).min()) * three_v)
        if metered:
            over = float((raw + wanted[number] - fuse).max()) * three_v
            over = max(over, float((raw + wanted[number]).sum()) * three_v / 3 - most_w)
            need_w = max(need_w, over + does_w)
    most_fed_w = site.tree.contract.max_feed_in_w
    if most_fed_w is not None:
        grid_w = site.flows.grid_w
        give_w = 0.0 if grid_w is None else min(give_w, grid_w + most_fed_w)
    return Room(charge_w=charge_w, give_w=give_w, need_w=need_w)


def _amps(site: "SiteLoop", now_s: float) -> tuple[Any, Any, Any]:
    """Give per EVSE what it may claim, what it draws, and what its car would take if fuses left it."""
    assert site.balance is not None and site.moment is not None  # noqa: S101, PT018 - the caller has looked
    claimed, drawn, wanted = [], [], []
    for found in site.balance.allocations:
        key, evse = found.evse_id, site.evses[found.evse_id]
        car = site.plugged.get(key)
        given = found.limit_a if car is not None else 0.0
        claimed.append(max(given, site.moment.may_draw_a.get(key, 0.0), site.bound_a[key]))
        fresh = car is not None and car.drawn_at_s is not None and now_s - car.drawn_at_s < 2 * _FRESH_S
        draws = max(car.drawn_a) if car is not None and fresh and car.drawn_a else 0.0
        drawn.append(draws)
        short = car is not None and found.reason in _SHORT and found.binding is not None
        most = site.most_a(key) if short else given
        wanted.append(min(most, evse.max_a) if short else max(draws, min(given, evse.max_a)))
    return np.array(claimed), np.array(drawn), np.array(wanted)


def _raw_base(site: "SiteLoop", node: Node, drawn: Any) -> Any:
    """Give what besides chargers flows through a node by its newest reading."""
    reading = site.moment.meters.get(node.id) if site.moment is not None else None
    if reading is None:
        return np.zeros(3)
    seen = np.array(reading.current_a)
    return seen - drawn if node.metering is Metering.TOTAL else seen


def _chain(site: "SiteLoop", node_id: str) -> list[Node]:
    """Give a node and all above it."""
    nodes, found = {node.id: node for node in site.site.nodes}, []
    here: str | None = node_id
    while here is not None:
        found.append(nodes[here])
        here = nodes[here].parent_id
    return found


def _three_phases_v(site: "SiteLoop", node_id: str) -> float:
    network = site.balancer.network
    return 3.0 * float(network.voltage_v[network.node_index[node_id]])
