"""Physics of cars: energy is power times time, limits hold, batteries only fill."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.simulator.car import Car, CarModel, Offer
from pilotwire.simulator.catalogue import CAR_MODELS
from pilotwire.simulator.model import MAINS_VOLTAGE_V, MIN_AC_CURRENT_A

models = st.sampled_from([model for model, _ in CAR_MODELS])
ac_offers = st.builds(
    Offer,
    st.just("AC"),
    st.floats(0, 40),
    st.floats(0, 25_000),
    st.integers(1, 3),
)
dc_offers = st.builds(Offer, st.just("DC"), st.floats(0, 500), st.floats(0, 400_000), st.just(3))
offers = st.one_of(ac_offers, dc_offers)
steps = st.lists(st.tuples(st.floats(0.01, 600), offers), min_size=1, max_size=40)


@settings(max_examples=200)
@given(models, st.floats(0, 100), st.floats(20, 100), steps, st.sampled_from([1.0, 60.0]))
def test_a_car_never_takes_more_than_offered(
    model: CarModel, soc: float, target: float, path: list[tuple[float, Offer]], scale: float
) -> None:
    car = Car(model, soc_percent=soc, target_soc_percent=target, scale=scale)
    for dt_s, offer in path:
        before = car.soc_percent
        flow = car.step(dt_s, offer)
        assert 0 <= flow.power_w <= offer.power_w + 1e-6
        assert all(0 <= current <= offer.current_a + 1e-6 for current in flow.currents_a)
        assert flow.energy_wh == pytest.approx(flow.power_w * dt_s / 3600, rel=1e-9, abs=1e-9)
        assert before <= car.soc_percent <= max(before, target) + 1e-9
        watts = sum(a * v for a, v in zip(flow.currents_a, flow.voltages_v, strict=True))
        assert watts == pytest.approx(flow.power_w, rel=1e-6, abs=1e-6)
        if offer.kind == "AC":
            assert len(flow.currents_a) == offer.phases
            assert sum(1 for current in flow.currents_a if current > 0) <= model.ac_phases
        else:
            assert flow.power_w <= max(watts_at for _, watts_at in model.dc_curve)


@given(models, st.floats(5, 60), st.sampled_from(["AC", "DC"]))
def test_the_energy_fills_the_battery(model: CarModel, soc: float, kind: str) -> None:
    car = Car(model, soc_percent=soc, target_soc_percent=80.0)
    offer = Offer("AC", 32, 22_000, 3) if kind == "AC" else Offer("DC", 500, 400_000, 3)
    energy_wh = 0.0
    for _ in range(10_000):
        energy_wh += car.step(30.0, offer).energy_wh
        if car.full:
            break
    assert car.soc_percent == 80.0
    into_battery = model.battery_wh * (80.0 - soc) / 100.0
    assert into_battery < energy_wh < into_battery * 1.12
    assert car.step(30.0, offer).power_w == 0


@pytest.mark.parametrize(
    ("offer", "pauses"),
    [
        (Offer("AC", MIN_AC_CURRENT_A - 0.1, 22_000, 3), True),
        (Offer("AC", 32, 3 * MAINS_VOLTAGE_V * 5.9, 3), True),
        (Offer("AC", MIN_AC_CURRENT_A, 22_000, 3), False),
        (Offer("AC", 16, 22_000, 0), True),
        (Offer("DC", 500, 0, 3), True),
        (Offer("DC", 500, 1_000, 3), False),
    ],
)
def test_too_little_means_a_pause(offer: Offer, pauses: bool) -> None:
    assert offer.pauses is pauses
    car = Car(CAR_MODELS[0][0], soc_percent=20)
    assert (car.step(1.0, offer).power_w == 0) is pauses


def test_a_lower_limit_is_obeyed_at_once_and_a_higher_one_by_a_ramp() -> None:
    car = Car(CAR_MODELS[0][0], soc_percent=20)
    high, low = Offer("AC", 16, 11_000, 3), Offer("AC", 6, 11_000, 3)
    powers = [car.step(1.0, high).power_w for _ in range(6)]
    assert powers == sorted(powers)
    assert powers[0] < 0.5 * powers[-1]
    assert car.step(0.1, low).power_w <= 6 * 3 * MAINS_VOLTAGE_V


def test_dc_power_follows_the_curve() -> None:
    model = CarModel("Test", 50_000, 3, 16, ((10, 50_000), (50, 100_000), (100, 10_000)), 400)
    assert [model.dc_power_w(soc) for soc in (0, 10, 30, 50, 75, 100)] == [
        50_000,
        50_000,
        75_000,
        100_000,
        55_000,
        10_000,
    ]


def test_acceleration_changes_time_and_energy_but_no_power() -> None:
    slow = Car(CAR_MODELS[0][0], soc_percent=20, target_soc_percent=80)
    fast = Car(CAR_MODELS[0][0], soc_percent=20, target_soc_percent=80, scale=60)
    offer = Offer("AC", 16, 11_000, 3)
    taken = {slow: 0.0, fast: 0.0}
    lasted = {slow: 0.0, fast: 0.0}
    top = {slow: 0.0, fast: 0.0}
    for car, dt_s in ((slow, 6.0), (fast, 0.1)):
        while not car.full:
            flow = car.step(dt_s, offer)
            taken[car] += flow.energy_wh
            lasted[car] += dt_s
            top[car] = max(top[car], flow.power_w)
    assert top[slow] == pytest.approx(top[fast])
    assert taken[slow] == pytest.approx(60 * taken[fast])
    assert lasted[slow] == pytest.approx(60 * lasted[fast], rel=0.01)
