"""Which limit holds: purposes, stack levels, kinds, units; and that the composite schedule says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.simulator.profiles import (
    Limit,
    Period,
    Profile,
    ProfileStore,
    active_period,
    change_times,
    limit_at,
)

T0 = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
DAY_S = 86_400


def profile(number: int = 1, **changes: Any) -> Profile:
    values: dict[str, Any] = {
        "id": number,
        "evse_id": 1,
        "purpose": "tx_default",
        "stack_level": 0,
        "kind": "absolute",
        "unit": "A",
        "periods": (Period(0, 16.0),),
        "start_at": T0,
    }
    return Profile(**(values | changes))


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_periods_follow_each_other_until_the_duration() -> None:
    held = profile(periods=(Period(0, 16.0), Period(60, 8.0)), duration_s=120)
    found = [active_period(held, after(s), None) for s in (-1, 0, 59, 60, 119, 120)]
    assert [period.limit if period else None for period in found] == [None, 16.0, 16.0, 8.0, 8.0, None]


def test_relative_profiles_count_from_the_transaction() -> None:
    held = profile(kind="relative", start_at=None, periods=(Period(0, 10.0), Period(30, 6.0)))
    assert active_period(held, after(40), None) is None
    assert active_period(held, after(40), after(0)) == Period(30, 6.0)
    assert active_period(held, after(40), after(20)) == Period(0, 10.0)


@given(st.integers(0, 30), st.integers(0, DAY_S - 1))
def test_daily_profiles_repeat(days: int, second: int) -> None:
    held = profile(kind="recurring", recurrency_s=DAY_S, periods=(Period(0, 16.0), Period(3600, 8.0)))
    period = active_period(held, after(days * DAY_S + second), None)
    assert period == (Period(0, 16.0) if second < 3600 else Period(3600, 8.0))


def test_validity_bounds() -> None:
    held = profile(valid_from=after(10), valid_to=after(20))
    assert [active_period(held, after(s), None) is not None for s in (9, 10, 19, 20)] == [
        False,
        True,
        True,
        False,
    ]


def limit(*profiles: Profile, at: datetime = T0, evse_id: int = 1, tx: str | None = "t") -> Limit:
    return limit_at(profiles, evse_id, at, started_at=T0 if tx else None, transaction_id=tx)


def test_purposes_and_levels() -> None:
    low, high = profile(1, periods=(Period(0, 10.0),)), profile(2, stack_level=3, periods=(Period(0, 13.0),))
    everywhere = profile(3, evse_id=0, stack_level=9, periods=(Period(0, 7.0),))
    own = profile(4, purpose="tx", transaction_id="t", periods=(Period(0, 20.0),))
    foreign = profile(5, purpose="tx", transaction_id="u", periods=(Period(0, 1.0),))
    whole = profile(6, purpose="station_max", evse_id=0, unit="W", periods=(Period(0, 5_000.0),))
    assert limit(low, high).current_a == 13.0
    assert limit(everywhere).current_a == 7.0
    assert limit(low, everywhere).current_a == 10.0
    assert limit(low, everywhere, evse_id=2).current_a == 7.0
    assert limit(low, own).current_a == 20.0
    assert limit(low, foreign).current_a == 10.0
    assert limit(low, own, tx=None).current_a == 10.0
    assert limit(low, whole) == Limit(10.0, 5_000.0)
    assert limit() == Limit()


def test_a_profile_that_has_run_out_leaves_the_place_to_the_next() -> None:
    default = profile(1, periods=(Period(0, 10.0),))
    short = profile(2, purpose="tx", duration_s=60, periods=(Period(0, 20.0),))
    assert limit(default, short, at=after(59)).current_a == 20.0
    assert limit(default, short, at=after(60)).current_a == 10.0


@pytest.mark.parametrize(
    ("held", "unit", "figure"),
    [
        (Limit(current_a=10), "A", 10),
        (Limit(current_a=10), "W", 6_900),
        (Limit(power_w=6_900), "A", 10),
        (Limit(current_a=10, phases=1), "W", 2_300),
        (Limit(), "W", 11_040),
        (Limit(current_a=99), "A", 16),
    ],
)
def test_units(held: Limit, unit: Any, figure: float) -> None:
    assert held.in_unit(unit, 3, Limit(power_w=11_040)) == pytest.approx(figure)


periods = st.lists(
    st.tuples(st.integers(1, 3_000), st.floats(0, 40)), max_size=4, unique_by=lambda period: period[0]
).map(lambda rest: (Period(0, 16.0), *(Period(start, value) for start, value in sorted(rest))))
profiles = st.lists(
    st.builds(
        profile,
        number=st.integers(1, 1_000_000),
        purpose=st.sampled_from(["tx", "tx_default", "station_max"]),
        stack_level=st.integers(0, 3),
        kind=st.sampled_from(["absolute", "relative"]),
        periods=periods,
        duration_s=st.one_of(st.none(), st.integers(1, 4_000)),
        start_at=st.integers(-2_000, 2_000).map(after),
    ),
    max_size=5,
)


@given(profiles, st.integers(0, 3_600))
def test_limits_change_at_change_times_only(held: list[Profile], second: int) -> None:
    moments = change_times(held, T0, after(3_601), T0)
    assert moments[0] == T0
    at = after(second)
    last = max(moment for moment in moments if moment <= at)
    assert limit(*held, at=at) == limit(*held, at=last)


def test_the_store_replaces_by_id_and_by_slot() -> None:
    store = ProfileStore()
    store.install(profile(1))
    store.install(profile(1, stack_level=2))
    assert [held.stack_level for held in store] == [2]
    store.install(profile(7, stack_level=2))
    assert [held.id for held in store] == [7]
    store.install(profile(8, purpose="tx", transaction_id="t"))
    assert {held.id for held in store.find(evse_id=1)} == {7, 8}
    store.end_transaction(1, "t")
    assert [held.id for held in store] == [7]
    assert store.remove(store.find(ids=[7]))
    assert not store.remove(store.find(ids=[7]))
