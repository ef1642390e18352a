"""Where energy comes from: shares are whole, registers are divided without loss, batteries give back what went in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.energy.origins import STEP_S, StepFlows, Store, energy_by_step, mean_over, mix_of

_WH = st.floats(0, 1e6).map(lambda value: round(value, 3))
_SHARE = st.floats(0, 1)
_G = st.one_of(st.none(), st.floats(0, 1200))
_FLOWS = st.builds(StepFlows, _WH, _WH, _WH, _WH, _WH, _WH, st.one_of(st.none(), _WH))
_STORES = st.builds(Store, _SHARE, _G, _G)


@given(_FLOWS, _STORES, st.tuples(_G, _G), st.tuples(st.floats(0.5, 1), st.floats(0.5, 1)))
def test_shares_are_one_together_and_nothing_is_cleaner_or_dirtier_than_what_it_is_made_of(
    flows: StepFlows,
    store: Store,
    intensities: tuple[float | None, float | None],
    efficiencies: tuple[float, float],
) -> None:
    mix, after = mix_of(flows, store, intensities, capacity_wh=50_000, efficiencies=efficiencies)
    if mix is None:
        assert flows.bought_wh + flows.solar_wh + flows.wind_wh + flows.given_wh == 0
        assert after == store
        return
    shares = (mix.solar, mix.wind, mix.battery, mix.grid)
    assert sum(shares) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in shares)
    assert 0 <= mix.renewable <= 1
    assert mix.used_wh >= 0
    assert 0 <= after.renewable <= 1
    for value, of_grid, of_store in (
        (mix.average_g_per_kwh, intensities[0], store.average_g_per_kwh),
        (mix.marginal_g_per_kwh, intensities[1], store.marginal_g_per_kwh),
    ):
        known = [each for each in (of_grid, of_store) if each is not None]
        if value is not None:
            assert -1e-9 <= value <= max([*known, 0.0]) + 1e-6
        else:
            assert of_grid is None or of_store is None


def test_the_sun_divides_evenly_between_cars_house_battery_and_grid() -> None:
    flows = StepFlows(0, 200, 1_000, 0, 0, 300, 10_000)
    mix, after = mix_of(flows, Store(), (400.0, 600.0), capacity_wh=20_000)
    assert mix is not None
    assert (mix.solar, mix.grid, mix.renewable, mix.average_g_per_kwh) == (1, 0, 1, 0)
    assert mix.used_wh == 500
    assert after.renewable == pytest.approx(300 / 10_300)


def test_a_battery_gives_back_what_the_grid_has_emitted_for_it_and_for_its_losses() -> None:
    empty = Store(0.0, None, None)
    night, held = mix_of(
        StepFlows(1_000, 0, 0, 0, 0, 1_000, 0), empty, (300.0, None), capacity_wh=9_000, efficiencies=(0.8, 0.5)
    )  # fmt: skip
    assert night is not None
    assert held.average_g_per_kwh == pytest.approx(300 / 0.4)
    # 1,000 Wh at 300 g/kWh went in, 400 Wh come out with all of the 300 g.
    day, later = mix_of(StepFlows(0, 0, 0, 0, 400, 0, 800), held, (None, None), efficiencies=(0.8, 0.5))
    assert day is not None
    assert day.average_g_per_kwh is not None
    assert day.average_g_per_kwh * 0.4 == pytest.approx(300)
    assert (day.battery, day.renewable, day.marginal_g_per_kwh) == (1, 0, None)
    assert later == held


def test_a_grid_of_unknown_intensity_leaves_it_unknown() -> None:
    mix, _ = mix_of(StepFlows(500, 0, 500, 0, 0, 0), Store(), (None, 500.0))
    assert mix is not None
    assert (mix.average_g_per_kwh, mix.marginal_g_per_kwh, mix.renewable) == (None, 250, 0.5)


@given(
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 100_000)), max_size=30).map(
        lambda points: sorted((float(at), float(value)) for at, value in points)
    )
)
def test_a_register_is_divided_without_loss(points: list[tuple[float, float]]) -> None:
    found = energy_by_step(points)
    risen = max((value for _, value in points), default=0.0) - (points[0][1] if points else 0.0)
    assert math.fsum(found.values()) == pytest.approx(risen, abs=1e-6)
    assert all(energy >= 0 for energy in found.values())
    assert all(at % STEP_S == 0 for at in found)
    if points:
        assert all(points[0][0] - STEP_S < at <= points[-1][0] for at in found)


@given(st.lists(_WH, min_size=1, max_size=6), _FLOWS, _STORES)
def test_a_site_is_its_sessions_and_the_rest(
    sessions_wh: list[float], flows: StepFlows, store: Store
) -> None:
    mix, _ = mix_of(flows, store, (300.0, None))
    if mix is None:
        return
    whole = max(mix.used_wh, sum(sessions_wh))
    rest = whole - sum(sessions_wh)
    assert rest >= 0
    for share in (mix.solar, mix.wind, mix.battery, mix.grid):
        assert sum(each * share for each in sessions_wh) + rest * share == pytest.approx(
            whole * share, abs=1e-6
        )


def test_a_mean_is_over_the_known_part_of_a_span() -> None:
    assert mean_over([(0, 100, 10.0), (100, 400, 40.0)], 50, 150) == 25
    assert mean_over([(0, 100, 10.0)], 50, 150) == 10
    assert mean_over([(0, 100, 10.0)], 100, 150) is None
