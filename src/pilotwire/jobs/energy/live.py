"""What is shown of a site: flows, nodes, EVSEs with their reasons, and the plan. Plain data out of the loop's memory."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from pilotwire.domain.energy.exchange import Allocation, Binding, Reason
from pilotwire.domain.energy.model import Metering
from pilotwire.domain.energy.network import Network
from pilotwire.jobs.energy.batteries import show_batteries
from pilotwire.jobs.energy.limiters import limits_now
from pilotwire.jobs.energy.site import Plugged, SiteLoop

__all__ = ["show_live", "show_plan"]

_PHASES = ("L1", "L2", "L3")
_FRESH_S = 120.0


def show_live(site: SiteLoop, unreachable: frozenset[str], now: datetime) -> dict[str, Any] | None:
    """Give a site as it is now, None before its loop has run."""
    if site.balance is None:
        return None
    now_s = now.timestamp()
    flows = site.flows
    made, used = flows.solar_w + flows.wind_w, flows.chargers_w + max(0.0, flows.base_w or 0.0)
    allocations = {each.evse_id: each for each in site.balance.allocations}
    return {
        "site_id": site.site_id,
        "at": now,
        "version": site.version,
        "flows": {
            "grid_w": _r(flows.grid_w),
            "solar_w": _r(flows.solar_w),
            "wind_w": _r(flows.wind_w),
            "battery_w": _r(flows.battery_w),
            "chargers_w": _r(flows.chargers_w),
            "base_w": _r(flows.base_w),
            "battery_soc_percent": _r(flows.battery_soc_percent),
            "renewable_percent": None if used <= 0 else round(min(1.0, made / used) * 100, 1),
        },
        "currency": site.tree.contract.currency,
        "price_per_kwh": site.price(now_s),
        "month_peak_w": round(site.peak_w),
        "nodes": _nodes(site, allocations, now_s),
        "evses": [_evse(site, key, allocations[key], key in unreachable, now_s) for key in site.given],
        "batteries": show_batteries(site, now_s),
        "balance_ms": round(site.balance_ms, 2),
    }


def _r(value: float | None, places: int = 1) -> float | None:
    return None if value is None else round(value, places)


def _nodes(site: SiteLoop, allocations: dict[str, Allocation], now_s: float) -> list[dict[str, Any]]:
    network: Network = site.balancer.network
    cars = {key: allocations[key].limit_a if key in site.plugged else 0.0 for key in allocations}
    limits = np.array([cars[evse.id] for evse in site.site.evses])
    allocated = network.charger_current(network.spread(limits))
    drawn = np.array([_largest(site, evse.id, now_s) for evse in site.site.evses])
    drawing = network.charger_current(network.spread(drawn))
    trust = {} if site.balance is None else site.balance.trust
    children: dict[str | None, list[str]] = {}
    for node in site.site.nodes:
        children.setdefault(node.parent_id, []).append(node.id)
    shown = []
    for number, (node, given) in enumerate(zip(site.site.nodes, site.tree.nodes, strict=True)):
        limit_a, limit_w, reason = limits_now(node, now_s)
        heard = site.readings.get(given.meter or "") if node.metering is not Metering.NONE else None
        measured = None if heard is None else heard[1].current_a
        if heard is not None and measured is None and heard[1].power_w is not None:
            each = heard[1].power_w / 690.0
            measured = (each, each, each)
        own = site.state.base.own_a[number]
        base = [float(own[k]) if not np.isnan(own[k]) else node.base_a[k] for k in range(3)]
        if measured is not None and node.metering is Metering.BASE:
            measured = tuple(measured[k] + float(drawing[number][k]) for k in range(3))  # type: ignore[assignment]
        flowing = measured or tuple(base[k] + float(drawing[number][k]) for k in range(3))
        phases = []
        for k in range(3):
            limit = None if limit_a is None else limit_a[k]
            reserve = None
            if limit is not None:
                reserve = round(limit - node.margin_a - base[k] - float(allocated[number][k]), 2)
            phases.append(
                {
                    "phase": _PHASES[k],
                    "limit_a": limit,
                    "measured_a": round(float(flowing[k]), 2),
                    "base_a": round(base[k], 2),
                    "allocated_a": round(float(allocated[number][k]), 2),
                    "reserve_a": reserve,
                }
            )
        shown.append(
            {
                "id": node.id,
                "parent_id": node.parent_id,
                "kind": node.kind.value,
                "name": node.name,
                "trust": trust[node.id].value if node.id in trust else "none",
                "limit_w": limit_w,
                "allocated_w": round(float(allocated[number].sum()) * 230.0),
                "measured_w": round(float(sum(flowing)) * 230.0),
                "limit_reason": reason,
                "phases": phases,
            }
        )
    return shown


def _largest(site: SiteLoop, key: str, now_s: float) -> float:
    car = site.plugged.get(key)
    if car is None or car.drawn_a is None or car.drawn_at_s is None or now_s - car.drawn_at_s > _FRESH_S:
        return 0.0
    return max(car.drawn_a)


def _evse(site: SiteLoop, key: str, found: Allocation, away: bool, now_s: float) -> dict[str, Any]:
    evse, given, drive, car = site.evses[key], site.given[key], site.drives[key], site.plugged.get(key)
    state = "offline" if away else drive.state()
    binding = None
    if found.binding is not None:
        bound = found.binding
        binding = {
            "node_id": bound.node_id,
            "phase": None if bound.phase is None else _PHASES[bound.phase],
            "limit": round(bound.limit, 2),
            "base": round(bound.base, 2),
            "used": round(bound.used, 2),
            "others": [
                {"key": each, "limit_a": round(limit, 2)} for each, limit in bound.others if each != key
            ],
        }
    limiter = site.overrides.get(key)
    override = None
    if limiter is not None and limiter.expires_s > now_s:
        override = (
            limiter.limit_a if limiter.limit_a is not None else (limiter.limit_w or 0) / evse.watts_per_amp()
        )
    fresh = car is not None and car.drawn_at_s is not None and now_s - car.drawn_at_s < _FRESH_S
    return {
        "key": key,
        "station_id": given.station_id,
        "evse_id": given.evse_id,
        "node_id": given.node_id,
        "lines": [_PHASES[line] for line in evse.lines],
        "dc": evse.dc,
        "connected": car is not None,
        "session_id": None if car is None else car.session_id,
        "limit_a": round(found.limit_a, 2),
        "limit_w": round(found.limit_w, 1),
        "planned_a": _r(found.planned_a, 2),
        "drawn_a": [round(each, 2) for each in car.drawn_a] if car and fresh and car.drawn_a else None,
        "drawn_w": _r(car.drawn_w) if car and fresh else None,
        "offline_bound_a": round(site.bound_a[key], 2),
        "reason": found.reason.value,
        "explanation": explain_words(site, key, found, state),
        "binding": binding,
        "drive": state,
        "drive_detail": drive.detail,
        "told_a": _r(drive.told_a, 2),
        "external_limit_a": _r(site.external_a(key, now_s), 2),
        "override_a": _r(override, 2),
        "energy_wh": None if car is None else round(car.energy_wh, 1),
        "wished_wh": None if car is None else car.wish.energy_wh,
        "departure_at": None if car is None else car.wish.departure_at,
        **_expected(car),
    }


def _expected(car: Plugged | None) -> dict[str, Any]:
    found = None if car is None else car.expected
    departs_s = None if found is None else found.departs_s
    return {
        "expected_departure_at": None if departs_s is None else datetime.fromtimestamp(round(departs_s), UTC),
        "expected_wh": None if found is None else _r(found.energy_wh, 0),
    }


_WORDS = {
    Reason.NO_CAR: "No car; without orders it may draw {bound:g} A.",
    Reason.EVSE: "It has all that the EVSE and the car can take.",
    Reason.CAR: "The car takes no more; the rest goes to others and is offered again from time to time.",
    Reason.FULL: "The car wants nothing now.",
    Reason.PAUSE: "It waits out its shortest pause or run.",
    Reason.RAMP: "It is rising, or waits until others have confirmed that they draw less.",
    Reason.STALE: "A meter above it is silent: it is not raised, and later held to what is safe without the meter.",
    Reason.OFFLINE: "The station cannot be told anything: it draws what it was told last, then {bound:g} A by itself.",
    Reason.OVERRIDE: "Somebody has set a ceiling.",
    Reason.PLAN: "The plan has cheaper or cleaner hours for it.",
}


def explain_words(site: SiteLoop, key: str, found: Allocation, state: str) -> str:
    """Say in words why an EVSE got what it got."""
    more = ""
    if state == "ignoring":
        more = " The station does not obey its limit and counts with what it really draws."
    elif state == "rejecting":
        more = " The station rejects every profile."
    elif site.drives[key].bound_a is None:
        more = " Its station has not confirmed its offline limit yet, so it counts in full."
    if found.binding is not None:
        bound = found.binding
        where = "its power" if bound.phase is None else f"{_PHASES[bound.phase]}"
        unit = "A" if bound.phase is not None else "W"
        others = [each for each, _ in bound.others if each != key]
        with_whom = f", shared with {', '.join(others[:3])}" if others else ""
        if len(others) > 3:
            with_whom += f" and {len(others) - 3} more"
        if _is_unbalance(site, bound):
            return (
                f"The phases of {bound.node_id} may differ by {bound.limit:.0f} A at most, and {where} is that much"
                f" above another{with_whom}.{more}"
            )
        word = "waits for the least current: " if found.reason is Reason.QUEUE else ""
        return (
            f"{bound.node_id} {word}{where} is used up: {bound.used:.0f} of {bound.limit:.0f} {unit}, of which"
            f" {bound.base:.0f} {unit} other loads{with_whom}.{more}"
        )
    text = _WORDS.get(found.reason, "It waits: the tree leaves less than the least current of a car.")
    return text.format(bound=site.bound_a[key]) + more


def _is_unbalance(site: SiteLoop, bound: Binding) -> bool:
    """Tell whether what binds is the rule that phases may not differ by more, rather than a fuse."""
    node = next(node for node in site.site.nodes if node.id == bound.node_id)
    if node.unbalance_a is None or bound.phase is None:
        return False
    fuse = None if node.limit_a is None else node.limit_a[bound.phase]
    return abs(bound.limit - node.unbalance_a) < 1.0 and (
        fuse is None or fuse > bound.limit + node.margin_a + 1.0
    )


def _watts(site: SiteLoop, key: str) -> float:
    """Give the power at 1 A per conductor, on the phases that the car there uses."""
    evse, car = site.evses[key], site.plugged.get(key)
    used = None if car is None else site.phases_of(key, car)
    part = 1.0 if not used or not any(used) else sum(used) / len(evse.lines)
    return evse.watts_per_amp() * part


def show_plan(site: SiteLoop) -> dict[str, Any] | None:
    """Give the newest plan, None where there is none."""
    plan = site.plan
    if plan is None:
        return None
    steps = len(plan.starts_s)
    watts = {key: _watts(site, key) for key in site.evses}
    chargers = [
        sum(car.current_a[k] * watts[car.evse_id] for car in plan.cars if car.evse_id in watts)
        for k in range(steps)
    ]
    made = [sum(series[k] for series in plan.generation_w.values()) for k in range(steps)]
    stored = [sum(series[k] for series in plan.battery_w.values()) for k in range(steps)]
    return {
        "site_id": site.site_id,
        "at": datetime.fromtimestamp(plan.at_s, UTC),
        "starts_at": [datetime.fromtimestamp(each, UTC) for each in plan.starts_s],
        "steps_s": list(plan.steps_s),
        "grid_w": [round(each, 1) for each in plan.grid_w],
        "base_w": [
            round(plan.grid_w[k] + made[k] - chargers[k] - stored[k], 1) for k in range(len(plan.grid_w))
        ],
        "chargers_w": [round(each, 1) for each in chargers],
        "generation_w": {key: [round(v, 1) for v in series] for key, series in plan.generation_w.items()},
        "battery_w": {key: [round(-v, 1) for v in series] for key, series in plan.battery_w.items()},
        "price_per_kwh": [site.price(each) for each in plan.starts_s],
        "evses": [
            {
                "key": car.evse_id,
                "session_id": car.session_id,
                "current_a": [round(v, 2) for v in car.current_a],
                "unmet_wh": round(car.unmet_wh, 1),
            }
            for car in plan.cars
        ],
        "peak_w": round(plan.peak_w, 1),
        "cost": round(plan.cost, 4),
        "currency": site.tree.contract.currency,
        "optimal": plan.optimal,
        "plan_ms": round(site.plan_ms, 2),
    }
