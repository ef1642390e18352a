"""What the safety loop does on small sites that can be worked out by hand."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from pilotwire.domain.energy.balancing import Balancer, BalanceSettings, BalanceState
from pilotwire.domain.energy.exchange import Allocation, Car, MeterReading, Moment, Reason, Trust
from pilotwire.domain.energy.model import Evse, Metering, Node, NodeKind, OfflineRule, Phase, Site

NOW = 1_000_000.0
ONE = (Phase.L1,)


def garage(places: int = 3, fuse: float = 32.0, **node: Any) -> Site:
    """Single-phase places on L1 of one fuse."""
    grid = Node(id="grid", parent_id=None, kind=NodeKind.GRID, limit_a=(fuse, fuse, fuse))
    return Site(
        id="s",
        nodes=(msgspec.structs.replace(grid, **node),),
        evses=tuple(Evse(id=f"e{k}", node_id="grid", lines=ONE) for k in range(places)),
        offline=OfflineRule(share=0.0),
    )


def car(number: int, **changes: Any) -> Car:
    plain = Car(session_id=f"s{number}", evse_id=f"e{number}", connected_s=NOW - 60)
    return msgspec.structs.replace(plain, **changes)


class Turns:
    """The loop, told every ten seconds, with stations that confirm at once."""

    def __init__(self, site: Site, **settings: Any) -> None:
        self.balancer = Balancer.of(site, BalanceSettings(**settings))
        self.state: BalanceState = self.balancer.start()
        self.now = NOW
        self.given: Mapping[str, float] = {}

    def tell(self, *cars: Car, wait_s: float = 10.0, **moment: Any) -> dict[str, Allocation]:
        self.now += wait_s
        told = Moment(at_s=self.now, cars=cars, **{"may_draw_a": self.given, **moment})
        self.state, self.balance = self.balancer.step(self.state, told)
        found = {allocation.evse_id: allocation for allocation in self.balance.allocations}
        self.given = {name: allocation.limit_a for name, allocation in found.items()}
        return found

    def settle(self, *cars: Car, turns: int = 6, **moment: Any) -> dict[str, Allocation]:
        for _ in range(turns - 1):
            self.tell(*cars, **moment)
        return self.tell(*cars, **moment)


def test_three_cars_share_a_fuse_evenly_and_are_told_why() -> None:
    found = Turns(garage()).settle(car(0), car(1), car(2))
    assert [found[f"e{k}"].limit_a for k in range(3)] == pytest.approx([32 / 3] * 3, abs=0.01)
    first = found["e0"]
    assert first.reason is Reason.FUSE
    assert first.binding is not None
    assert (first.binding.node_id, first.binding.phase, first.binding.limit) == ("grid", Phase.L1, 32.0)
    assert {name for name, _ in first.binding.others} == {"e0", "e1", "e2"}


def test_the_most_pressed_car_is_let_in_when_six_amperes_are_not_left_for_all() -> None:
    cars = (car(0, departs_s=NOW + 36000), car(1, departs_s=NOW + 7200), car(2, departs_s=NOW + 20000))
    found = Turns(garage(fuse=13.0)).settle(*cars)
    assert found["e0"].limit_a == 0
    assert found["e0"].reason is Reason.QUEUE
    assert found["e1"].limit_a == pytest.approx(6.5)
    assert found["e2"].limit_a == pytest.approx(6.5)


def test_a_lower_tier_number_comes_first_and_fills_first() -> None:
    found = Turns(garage()).settle(car(0, tier=1), car(1), car(2, tier=1))
    assert found["e1"].limit_a == pytest.approx(20.0)
    assert found["e0"].limit_a == pytest.approx(6.0)


def test_weights_divide_the_power() -> None:
    found = Turns(garage(2, fuse=30.0)).settle(car(0, weight=2.0), car(1))
    assert found["e0"].limit_a == pytest.approx(20.0, abs=0.01)
    assert found["e1"].limit_a == pytest.approx(10.0, abs=0.01)


def test_phases_are_counted_where_they_are() -> None:
    site = garage(fuse=20.0)
    rotated = tuple(msgspec.structs.replace(e, lines=(Phase(k),)) for k, e in enumerate(site.evses))
    found = Turns(msgspec.structs.replace(site, evses=rotated)).settle(car(0), car(1), car(2))
    assert [found[f"e{k}"].limit_a for k in range(3)] == pytest.approx([20.0] * 3)


def test_what_a_car_does_not_take_goes_to_the_others() -> None:
    turns = Turns(garage(2))
    small = [car(0, drawn_a=(8.0,)), car(1)]
    found: dict[str, Allocation] = {}
    for _ in range(12):
        limit = turns.given.get("e1", 0.0)
        cars = [small[0], msgspec.structs.replace(small[1], drawn_a=(limit,))]
        found = turns.tell(*(msgspec.structs.replace(one, drawn_at_s=turns.now + 10) for one in cars))
    assert found["e0"].limit_a == pytest.approx(9.5, abs=0.1)
    assert found["e1"].limit_a == pytest.approx(22.5, abs=0.1)
    assert found["e0"].reason in (Reason.CAR, Reason.FUSE)


def test_nothing_is_given_before_it_is_confirmed() -> None:
    turns = Turns(garage(2))
    turns.settle(car(0))
    assert turns.given["e0"] == pytest.approx(32.0)
    waiting = turns.tell(car(0), car(1), may_draw_a={"e0": 32.0})
    assert waiting["e0"].limit_a == pytest.approx(16.0)
    assert (waiting["e1"].limit_a, waiting["e1"].reason) == (0.0, Reason.RAMP)
    assert turns.tell(car(0), car(1), may_draw_a={"e0": 16.0})["e1"].limit_a == pytest.approx(16.0)


def test_who_was_let_in_is_not_thrown_out_because_it_has_to_wait_for_more() -> None:
    turns = Turns(garage(2, fuse=20.0))
    turns.settle(car(0))
    # The second is let in with what is left; then the plan turns, and it would get what the first has not given up yet.
    assert turns.tell(car(0), car(1), may_draw_a={"e0": 14.0})["e1"].limit_a == pytest.approx(6.0)
    turn = {"planned_a": {"e0": 4.0, "e1": 16.0}}
    found = turns.tell(car(0), car(1), may_draw_a={"e0": 14.0, "e1": 0.0}, **turn)
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([6.0, 6.0])
    # Somebody else needs even that for a moment.
    found = turns.tell(car(0), car(1), may_draw_a={"e0": 16.0, "e1": 0.0}, **turn)
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([6.0, 0.0])
    found = turns.tell(car(0), car(1), may_draw_a={"e0": 6.0, "e1": 0.0}, **turn)
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([6.0, 14.0])


def test_a_vanished_station_keeps_what_it_had() -> None:
    turns = Turns(garage(2))
    turns.settle(car(0), car(1))
    found = turns.settle(car(0), car(1), offline=frozenset({"e0"}), may_draw_a={"e0": 16.0, "e1": 16.0})
    assert found["e0"].reason is Reason.OFFLINE
    assert found["e1"].limit_a == pytest.approx(16.0)


def test_the_others_live_on_what_a_station_leaves_that_does_not_follow() -> None:
    turns = Turns(garage(3, fuse=36.0))
    turns.settle(car(0), car(1), car(2))
    assert turns.given["e0"] == pytest.approx(12.0)
    follows = {"e1": 12.0, "e2": 12.0}
    found = turns.tell(
        car(0), car(1), car(2), may_draw_a={"e0": 16.0, **follows}, stuck=frozenset({"e0"}), excess_a={"e0": 4.0}
    )  # fmt: skip
    # It is told what would be its own if it followed, and counts with what it draws.
    assert found["e0"].limit_a == pytest.approx(32 / 3, abs=0.01)
    assert [found[name].limit_a for name in ("e1", "e2")] == pytest.approx([10.0, 10.0])
    assert found["e1"].binding is not None
    assert found["e1"].binding.used == pytest.approx(36.0)
    # Where it leaves less than two of them need, one charges.
    found = turns.tell(car(0), car(1), car(2), may_draw_a={"e0": 28.0, **follows}, stuck=frozenset({"e0"}))
    assert sorted(found[name].limit_a for name in ("e1", "e2")) == pytest.approx([0.0, 8.0])
    # Where it leaves nothing, none does.
    found = turns.tell(car(0), car(1), car(2), may_draw_a={"e0": 34.0, **follows}, stuck=frozenset({"e0"}))
    assert [found[name].limit_a for name in ("e1", "e2")] == [0.0, 0.0]


def test_that_a_limit_is_exceeded_is_known_from_what_is_drawn_where_no_meter_sees_it() -> None:
    turns = Turns(garage(2, fuse=20.0))
    cars = [car(0), car(1)]

    def drawn(*each_a: float, age_s: float = 1.0) -> list[Car]:
        return [car(n, drawn_a=(amps,), drawn_at_s=turns.now + 10 - age_s) for n, amps in enumerate(each_a)]

    turns.settle(*cars)
    assert not turns.balance.overdrawn
    turns.tell(*drawn(10.0, 10.0))
    assert not turns.balance.overdrawn
    turns.tell(*drawn(10.2, 10.1))  # stations round, margins bear it
    assert not turns.balance.overdrawn
    turns.tell(*drawn(10.0, 14.0))
    assert turns.balance.overdrawn
    turns.tell(*drawn(10.0, 14.0, age_s=90.0))  # nobody knows whether it is still so
    assert not turns.balance.overdrawn


def test_who_does_not_follow_may_be_told_more_and_counts_with_that() -> None:
    turns = Turns(garage(2, fuse=26.0))
    for _ in range(5):
        found = turns.tell(car(0), car(1), may_draw_a={"e0": 10.0, "e1": 12.0}, stuck=frozenset({"e0"}))
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([13.0, 13.0])
    found = turns.tell(car(0), car(1), may_draw_a={"e0": 16.0, "e1": 13.0}, stuck=frozenset({"e0"}))
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([13.0, 10.0])


def test_what_stations_take_beyond_their_limits_is_taken_off_first() -> None:
    turns = Turns(garage(2, fuse=25.0))
    found = turns.settle(car(0), car(1), excess_a={"e0": 3.5, "e1": 3.5})
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([9.0, 9.0])
    # One that has to stop takes nothing beyond, and is let in again only with what it takes beyond.
    alone = Turns(garage(2, fuse=14.9))
    found = alone.settle(car(0), car(1), excess_a={"e0": 3.0, "e1": 3.0})
    assert sorted(found[name].limit_a for name in ("e0", "e1")) == pytest.approx([0.0, 11.9])
    both = Turns(garage(2, fuse=18.1))
    found = both.settle(car(0), car(1), excess_a={"e0": 3.0, "e1": 3.0})
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([6.05, 6.05])
    # All of them draw far too much: those that round can be told to draw less all the same.
    stuck = frozenset({"e0", "e1"})
    late = Turns(garage(2, fuse=25.0))
    late.settle(car(0), car(1))
    found = late.tell(
        car(0), car(1), may_draw_a={"e0": 16.0, "e1": 16.0}, excess_a={"e0": 3.5, "e1": 3.5}, stuck=stuck
    )  # fmt: skip
    assert [found[name].limit_a for name in ("e0", "e1")] == pytest.approx([9.0, 9.0])


def test_base_load_comes_first_and_a_silent_meter_makes_the_circuit_count_as_full() -> None:
    site = garage(2, metering=Metering.BASE, base_a=(20.0, 20.0, 20.0), margin_a=2.0)
    turns = Turns(site)

    def reading(wait_s: float = 10.0) -> dict[str, MeterReading]:
        return {"grid": MeterReading(turns.now + wait_s, (10.0, 0.0, 0.0))}

    for _ in range(4):
        found = turns.tell(car(0), car(1), meters=reading())
    assert found["e0"].limit_a == pytest.approx(10.0)
    assert turns.balance.trust == {"grid": Trust.FRESH}
    frozen = turns.tell(car(0), wait_s=40.0)
    assert frozen["e0"].limit_a == pytest.approx(10.0)
    assert frozen["e0"].reason is Reason.STALE
    silent = turns.tell(car(0), wait_s=100.0)
    assert silent["e0"].limit_a == 0.0
    assert turns.balance.trust == {"grid": Trust.SILENT}
    assert turns.tell(car(0), meters=reading(400.0), wait_s=400.0)["e0"].limit_a >= 6.0


def test_a_car_that_charges_is_not_thrown_out_for_one_that_is_as_pressed() -> None:
    turns = Turns(garage(2, fuse=10.0))
    turns.settle(car(0, departs_s=NOW + 20000))
    assert turns.given["e0"] == pytest.approx(10.0)
    found = turns.settle(car(0, departs_s=NOW + 20000), car(1, departs_s=NOW + 19000), turns=120)
    assert found["e0"].limit_a == pytest.approx(10.0)
    assert found["e1"].reason is Reason.QUEUE
    found = turns.settle(car(0, departs_s=NOW + 20000), car(1, departs_s=NOW + 9000), turns=3)
    assert found["e0"].limit_a == 0.0
    assert found["e1"].limit_a >= 6.0


def test_the_plan_weighs_and_never_permits() -> None:
    turns = Turns(garage(2, fuse=20.0))
    found = turns.settle(car(0), car(1), planned_a={"e0": 100.0, "e1": 10.0})
    assert sum(found[name].limit_a for name in found) <= 20.0 + 1e-6
    later = Turns(garage(2)).settle(car(0), car(1), planned_a={"e0": 0.0, "e1": 10.0})
    assert (later["e0"].limit_a, later["e0"].reason) == (0.0, Reason.PLAN)
    assert later["e1"].limit_a == pytest.approx(10.0)


def test_currents_are_ones_that_the_station_can_be_set_to() -> None:
    site = garage(3, fuse=33.0)
    coarse = tuple(
        msgspec.structs.replace(e, steps_a=(6.0, 8.0, 10.0, 13.0, 16.0), max_a=16.0) for e in site.evses
    )
    found = Turns(msgspec.structs.replace(site, evses=coarse)).settle(car(0), car(1), car(2))
    assert sorted(found[name].limit_a for name in found) == [10.0, 10.0, 13.0]


def test_an_override_is_a_ceiling() -> None:
    found = Turns(garage(1)).settle(car(0), overrides_a={"e0": 10.0})
    assert (found["e0"].limit_a, found["e0"].reason) == (10.0, Reason.OVERRIDE)


def test_single_phase_cars_on_one_line_stay_within_the_unbalance_rule() -> None:
    found = Turns(garage(2, fuse=63.0, unbalance_a=20.0)).settle(car(0), car(1))
    assert found["e0"].limit_a + found["e1"].limit_a == pytest.approx(20.0)


def test_offline_bounds_leave_room_for_base_load_and_are_kept_for_idle_places() -> None:
    site = msgspec.structs.replace(
        garage(3, base_a=(10.0, 0.0, 0.0)), offline=OfflineRule(share=1.0, equal=False)
    )
    balancer = Balancer.of(site)
    assert balancer.offline_a.tolist() == [6.0, 6.0, 6.0]
    found = Turns(site).settle(car(0))
    assert found["e0"].limit_a == pytest.approx(32 - 10 - 12)
    assert (found["e1"].limit_a, found["e1"].reason) == (6.0, Reason.NO_CAR)


def test_an_edited_site_goes_on_from_what_was() -> None:
    turns = Turns(garage(2))
    turns.settle(car(0), car(1))
    edited = Balancer.of(garage(3), turns.balancer.settings)
    state = edited.carried(turns.balancer, turns.state)
    assert state.limit_a.tolist() == pytest.approx([16.0, 16.0, 0.0])
    assert state.on.tolist() == [True, True, False]
    assert state.sessions == ("s0", "s1", "")
