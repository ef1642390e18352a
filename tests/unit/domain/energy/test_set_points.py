"""What a battery is to do: never beyond itself and the tree, nothing on stale words."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.energy.set_points import BatteryNow, Room, Why, set_point

BATTERY = BatteryNow(
    max_charge_w=10_000, max_discharge_w=8_000, min_soc=0.1, max_soc=0.9, measured_w=0.0, age_s=1.0,
    soc=0.5, told_w=0.0,
)  # fmt: skip
ROOM = Room(charge_w=20_000, give_w=20_000, need_w=0.0)


def test_the_plan_is_followed_within_the_battery() -> None:
    assert set_point(BATTERY, -3_000, ROOM).power_w == -3_000
    assert set_point(BATTERY, 30_000, ROOM).power_w == 8_000
    assert set_point(BATTERY, None, ROOM) == msgspec.structs.replace(
        set_point(BATTERY, 0.0, ROOM), why=Why.IDLE
    )


def test_cars_that_a_fuse_holds_back_get_what_the_battery_has() -> None:
    found = set_point(BATTERY, -3_000, msgspec.structs.replace(ROOM, need_w=5_000))
    assert (found.power_w, found.why) == (5_000, Why.BUFFER)


def test_charging_takes_half_of_the_room_at_a_time_and_leaves_at_once() -> None:
    found = set_point(BATTERY, -9_000, msgspec.structs.replace(ROOM, charge_w=4_000))
    assert (found.power_w, found.why) == (-2_000, Why.NO_ROOM)
    busy = msgspec.structs.replace(BATTERY, measured_w=-5_000, told_w=-5_000)
    found = set_point(busy, -9_000, msgspec.structs.replace(ROOM, charge_w=-3_000))
    assert (found.power_w, found.why) == (-2_000, Why.NO_ROOM)


def test_empty_full_unmetered_and_silent() -> None:
    empty, full = msgspec.structs.replace(BATTERY, soc=0.1), msgspec.structs.replace(BATTERY, soc=0.9)
    assert set_point(empty, 5_000, ROOM).why is Why.EMPTY
    assert set_point(full, -5_000, ROOM).why is Why.FULL
    assert set_point(full, 5_000, ROOM).power_w == 5_000
    blind = msgspec.structs.replace(ROOM, charge_w=None)
    assert set_point(BATTERY, -5_000, blind).why is Why.UNMETERED
    stale = msgspec.structs.replace(BATTERY, age_s=40.0, told_w=2_000.0, measured_w=2_000.0)
    assert set_point(stale, 5_000, ROOM).power_w == 2_000
    assert set_point(stale, -5_000, ROOM).power_w == 0
    assert set_point(stale, 1_000, ROOM).power_w == 1_000
    assert set_point(msgspec.structs.replace(BATTERY, age_s=121.0), 1_000, ROOM).power_w is None


_watts = st.floats(-50_000, 50_000)


@given(
    planned=st.none() | _watts,
    does=_watts,
    told=st.none() | _watts,
    soc=st.none() | st.floats(0, 1),
    age=st.floats(0, 200),
    charge=st.none() | _watts,
    give=st.floats(0, 50_000),
    need=st.floats(0, 50_000),
)
def test_nothing_leaves_its_bounds(
    planned: float | None, does: float, told: float | None, soc: float | None, age: float,
    charge: float | None, give: float, need: float,
) -> None:  # fmt: skip
    battery = msgspec.structs.replace(BATTERY, measured_w=does, told_w=told, soc=soc, age_s=age)
    power = set_point(battery, planned, Room(charge_w=charge, give_w=give, need_w=need)).power_w
    if power is None:
        assert age > 120
        return
    if age <= 30:
        assert -10_000 <= power <= 8_000
        assert power <= max(0.0, does) + give + 1
    if power < 0:
        assert charge is not None or age > 30
        if age <= 30 and charge is not None:
            claimed = max(0.0, -does, -(told or 0.0))
            assert -power <= max(0.0, claimed + charge) + 1
