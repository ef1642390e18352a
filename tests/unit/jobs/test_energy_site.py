"""One site in memory: what is made of samples, meters and limits of others, and what stations do by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.drive import told
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.exchange import CarPlan, Plan
from pilotwire.domain.energy.messages import Schedule
from pilotwire.domain.energy.repository import SiteRow
from pilotwire.domain.energy.wishes import merge_wishes
from pilotwire.domain.operations.charging_commands import SchedulePeriod
from pilotwire.domain.sessions.messages import Sample
from pilotwire.jobs.energy.batteries import BatteryOrder
from pilotwire.jobs.energy.limiters import Limiter
from pilotwire.jobs.energy.live import show_live, show_plan
from pilotwire.jobs.energy.site import Plugged, SiteLoop
from pilotwire.web.api.energy_shapes import EnergyLive, EnergyPlan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()


def loop(limit_a: float = 63, **node: Any) -> SiteLoop:
    tree = read_tree(
        {
            "nodes": [{"id": "main", "kind": "grid", "limit_a": limit_a, **node}],
            "evses": [
                {"station_id": "A", "evse_id": 1, "node_id": "main"},
                {"station_id": "A", "evse_id": 2, "node_id": "main", "phase_rotation": "STR", "number_phases": 1},
                {"station_id": "D", "node_id": "main", "dc": True, "max_a": 80, "efficiency": 0.95},
            ],
            "generators": [{"id": "roof", "node_id": "main", "peak_w": 20_000, "meter": "roof"}],
            "batteries": [
                {
                    "id": "box", "node_id": "main", "capacity_wh": 10_000, "max_charge_w": 5_000,
                    "max_discharge_w": 5_000, "meter": "box",
                }
            ],
            "contract": {"price_per_kwh": 0.3, "hours": [{"since": "11:00", "until": "13:00", "price_per_kwh": 0.2}]},
        }
    )  # fmt: skip
    return SiteLoop(SiteRow(uuid4(), 1, "UTC", {}, 1), tree, NOW_S)


def plug(site: SiteLoop, key: str) -> Plugged:
    car = site.plugged[key] = Plugged(uuid4(), NOW - timedelta(minutes=5))
    drive = site.drives[key]
    drive.begin(str(car.session_id))
    return car


def prepare(site: SiteLoop) -> None:
    for key, drive in site.drives.items():
        told(drive, "bound", site.bound_a[key], NOW_S - 60, outcome="taken")


def turn(site: SiteLoop) -> dict[str, Any]:
    site.state, site.balance = site.balance_now(site.make_moment(NOW, frozenset()))
    site.measure(NOW_S)
    shown = show_live(site, frozenset(), NOW)
    assert shown is not None
    EnergyLive.model_validate(shown)
    shown["by_key"] = {each["key"]: each for each in shown["evses"]}
    return shown


def test_samples_become_currents_on_the_own_lines() -> None:
    site = loop()
    three, one, dc = plug(site, "A/1"), plug(site, "A/2"), plug(site, "D/1")
    site.heard_sample("A/1", Sample(NOW, current_l1_a=10, current_l2_a=0.1, current_l3_a=0.0), NOW_S)
    assert (three.drawn_a, three.phases_used) == ((10, 0.1, 0), (True, False, False))
    site.heard_sample("A/2", Sample(NOW, power_w=2300), NOW_S)
    assert one.drawn_a == (10,)
    site.heard_sample("D/1", Sample(NOW, power_w=23_000, current_l1_a=57), NOW_S)
    assert dc.drawn_a == pytest.approx([35.09] * 3, abs=0.01)
    other = loop()
    silent = plug(other, "A/1")
    other.heard_sample("A/1", Sample(NOW, power_w=6900), NOW_S)
    assert silent.drawn_a is None  # on which phases, nobody has said


def test_cars_are_given_what_fits_and_nothing_before_stations_are_prepared() -> None:
    site = loop(40)
    plug(site, "A/1")
    unprepared = turn(site)["by_key"]["A/1"]
    assert unprepared["drive"] == "unprepared"
    assert unprepared["limit_a"] <= site.bound_a["A/1"] + 1e-6
    prepare(site)
    for _ in range(4):
        shown = turn(site)["by_key"]["A/1"]
    assert shown["limit_a"] > site.bound_a["A/1"]
    assert shown["limit_a"] + site.bound_a["D/1"] <= 40 + 1e-6


def test_a_limit_of_somebody_else_binds_by_its_schedule() -> None:
    site = loop()
    prepare(site)
    plug(site, "A/1")
    plug(site, "A/2")
    periods = (SchedulePeriod(start_s=0, limit=20), SchedulePeriod(start_s=600, limit=6))
    site.external["A", 0, "EMS"] = (NOW_S - 60, (Schedule("a", periods),))
    assert site.external_a("A/1", NOW_S) == 10  # a station's limit is divided among its cars
    assert site.external_a("A/1", NOW_S + 600) == 3
    assert site.external_a("D/1", NOW_S) is None
    site.external["A", 1, "grid"] = (
        NOW_S,
        (Schedule("w", (SchedulePeriod(start_s=0, limit=4140),), NOW, 60),),
    )
    assert site.external_a("A/1", NOW_S) == pytest.approx(6)
    assert site.external_a("A/1", NOW_S + 61) == 10
    held = turn(site)["by_key"]["A/1"]
    assert (held["limit_a"], held["external_limit_a"]) == (pytest.approx(6), pytest.approx(6))


def test_a_ceiling_holds_below_the_offline_bound_too() -> None:
    site = loop()
    prepare(site)
    plug(site, "A/1")
    assert site.bound_a["A/1"] > 3
    site.overrides["A/1"] = Limiter(3.0, None, NOW_S + 60, "noise")
    shown = turn(site)["by_key"]["A/1"]
    assert (shown["limit_a"], shown["reason"], shown["override_a"]) == (3, "override", 3)
    assert site.tail_of("A/1", NOW_S) == [(NOW_S, 3)]
    site.overrides["A/1"] = Limiter(3.0, None, NOW_S - 1, "noise")
    assert turn(site)["by_key"]["A/1"]["reason"] != "override"


def test_what_a_station_does_by_itself_is_the_plan_below_the_bound() -> None:
    site = loop()
    prepare(site)
    car = plug(site, "A/1")
    bound = site.bound_a["A/1"]
    assert site.tail_of("A/1", NOW_S) == [(NOW_S, bound)]
    planned = CarPlan("A/1", str(car.session_id), (0.0, 32.0, 7.0), 0.0)
    site.plan = Plan(
        at_s=NOW_S, starts_s=(NOW_S, NOW_S + 300, NOW_S + 600), steps_s=(300, 300, 300), cars=(planned,),
        grid_w=(1.0, 2.0, 3.0), battery_w={}, generation_w={}, peak_w=0, cost=0, optimal=True,
    )  # fmt: skip
    assert site.tail_of("A/1", NOW_S) == [(NOW_S, 0), (NOW_S + 300, bound), (NOW_S + 600, bound)]
    assert site.planned_a(NOW_S + 301) == {"A/1": 32}
    assert site.planned_a(NOW_S + 3600) == {}
    shown = show_plan(site)
    assert shown is not None
    EnergyPlan.model_validate(shown)
    car.session_id = uuid4()
    assert site.planned_a(NOW_S) == {}  # another car than the one that was planned for


def test_flows_add_up() -> None:
    site = loop(metering="total", meter="grid")
    car = plug(site, "A/1")
    site.heard_sample("A/1", Sample(NOW, current_l1_a=10, current_l2_a=10, current_l3_a=10), NOW_S)
    site.readings["grid"] = (NOW_S, Reading(NOW, (20.0, 20.0, 20.0), 13_800.0))
    site.readings["roof"] = (NOW_S, Reading(NOW, None, 5_000.0))
    site.readings["box"] = (NOW_S, Reading(NOW, None, -1_000.0, 40.0))
    flows = site.measure(NOW_S)
    assert (flows.grid_w, flows.chargers_w, flows.solar_w, flows.battery_w) == (13_800, 6_900, 5_000, -1_000)
    assert flows.base_w == 13_800 - 6_900 + 5_000 - 1_000
    assert flows.battery_soc_percent == 40
    shown = turn(site)
    assert shown["price_per_kwh"] == 0.2
    assert shown["nodes"][0]["phases"][0]["measured_a"] == 20
    late = site.measure(NOW_S + 600)
    assert (late.grid_w, late.solar_w) == (None, 0)
    assert car.drawn_a is not None


def test_who_is_named_first_wins_field_by_field() -> None:
    wish = merge_wishes(
        [
            ("car", {"energy_wh": 9000.0, "phases": 1}),
            ("driver", {"energy_wh": 5000.0}),
            ("operator", {"priority": 0}),
        ]
    )
    assert (wish.energy_wh, wish.priority, wish.phases) == (5000, 0, 1)


def test_an_edited_tree_keeps_what_stations_were_told() -> None:
    site = loop()
    prepare(site)
    plug(site, "A/1")
    turn(site)
    bigger = read_tree(
        {
            "nodes": [{"id": "main", "kind": "grid", "limit_a": 100}],
            "evses": [
                {"station_id": "A", "evse_id": 1, "node_id": "main"},
                {"station_id": "N", "evse_id": 1, "node_id": "main"},
            ],
        }
    )
    site.replace_tree(bigger, 2, "Europe/Berlin", NOW_S)
    assert site.drives.keys() == {"A/1", "N/1"}
    assert site.drives["A/1"].bound_a is not None
    assert site.drives["N/1"].state() == "unprepared"
    assert site.plugged.keys() == {"A/1"}


def test_limits_that_lean_on_a_battery_hold_no_longer_than_it_does() -> None:
    site = loop(32, metering="total", meter="main")
    prepare(site)
    for key in ("A/1", "D/1"):
        plug(site, key)
    site.readings["main"] = (NOW_S, Reading(NOW, (0.0, 0.0, 0.0)))
    turn(site)
    assert (site.balance is not None and site.balance.leans, site.hold_s()) == (False, 600)
    site.orders["box"] = order = BatteryOrder(45.0)
    order.taken(5_000.0, NOW_S)
    site.readings["box"] = (NOW_S, Reading(NOW, None, 5_000.0))
    for second in range(1, 60):  # it rises as the meter shows that the battery gives
        now = NOW + timedelta(seconds=2 * second)
        site.readings["main"] = (now.timestamp(), Reading(now, (-7.2, -7.2, -7.2)))
        site.readings["box"] = (now.timestamp(), Reading(now, None, 5_000.0))
        order.taken(5_000.0, now.timestamp())
        moment = site.make_moment(now, frozenset())
        given = (
            {} if site.balance is None else {each.evse_id: each.limit_a for each in site.balance.allocations}
        )
        site.state, site.balance = site.balance_now(msgspec.structs.replace(moment, may_draw_a=given))
    assert sum(each.limit_a for each in site.balance.allocations) > 34
    assert (site.balance.leans, site.hold_s()) == (True, 45)
    order.silent_after_s = 4.0
    assert site.hold_s() == 30
