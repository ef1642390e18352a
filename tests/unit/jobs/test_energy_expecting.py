"""What the loops make of forecasts: deadlines and energies of cars by the site's policy, and series begun at what is now."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.exchange import Car, Series
from pilotwire.domain.energy.forecasts.plain import fit_plain
from pilotwire.domain.energy.forecasts.shapes import STAY_QUANTILES, Model
from pilotwire.domain.energy.ports import SiteForecast
from pilotwire.domain.energy.repository import SiteRow
from pilotwire.domain.energy.wishes import Wish
from pilotwire.jobs.energy.live import show_live
from pilotwire.jobs.energy.site import Plugged, SiteLoop
from pilotwire.jobs.outlook import forecast_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()
BEGAN = NOW - timedelta(hours=1)


def loop(**forecast: Any) -> SiteLoop:
    tree = read_tree(
        {
            "nodes": [{"id": "main", "kind": "grid", "limit_a": 63, "metering": "total", "meter": "grid"}],
            "evses": [{"station_id": "A", "evse_id": 1, "node_id": "main"}],
            "generators": [{"id": "roof", "node_id": "main", "peak_w": 20_000, "meter": "roof"}],
            "forecast": forecast,
        }
    )
    site = SiteLoop(SiteRow(uuid4(), 1, "UTC", {}, 1), tree, NOW_S)
    hours = [BEGAN.timestamp()] * 5
    site.stays = {
        "stay_h": Model(
            target="stay_h", method="plain", quantiles=STAY_QUANTILES, samples=9, most=20,
            plain=fit_plain(hours, [2.0, 4.0, 6.0, 8.0, 10.0], site.zone, STAY_QUANTILES),
        ),
        "energy_wh": Model(
            target="energy_wh", method="plain", quantiles=STAY_QUANTILES, samples=9, most=50_000,
            plain=fit_plain(hours, [5e3, 10e3, 15e3, 20e3, 25e3], site.zone, STAY_QUANTILES),
        ),
    }  # fmt: skip
    return site


def planned_car(site: SiteLoop, **more: Any) -> tuple[Plugged, Car]:
    car = site.plugged["A/1"] = Plugged(uuid4(), BEGAN, **more)
    site.drives["A/1"].begin(str(car.session_id))
    request = site.plan_request(NOW_S, SiteForecast())
    return car, request.cars[0]


def test_who_said_nothing_gets_a_low_quantile_as_deadline_and_an_expected_energy() -> None:
    site = loop()
    car, planned = planned_car(site, energy_wh=2_000.0)
    assert planned.departs_s is not None
    # A quarter of the cars has left after four hours; that this one is still there after one makes it a little later.
    assert 4 * 3600 < planned.departs_s - BEGAN.timestamp() < 5 * 3600
    assert planned.energy_wh is not None
    assert 13_000 < planned.energy_wh < 18_000
    moment = site.make_moment(NOW, frozenset())
    assert moment.cars[0].departs_s == planned.departs_s
    assert moment.cars[0].energy_wh is None  # the safety loop stops nobody at what was expected
    assert moment.cars[0].wants_power
    site.state, site.balance = site.balance_now(moment)
    shown = show_live(site, frozenset(), NOW)
    assert shown is not None
    assert shown["evses"][0]["expected_departure_at"].timestamp() == pytest.approx(planned.departs_s, abs=1)
    assert car.expected is not None


def test_the_longer_a_car_stays_the_later_it_is_expected_to_leave_and_never_in_the_past() -> None:
    site = loop()
    planned_car(site)
    before = 0.0
    for hours in (0, 2, 5, 9, 30):
        now_s = NOW_S + hours * 3600
        found = site.plan_request(now_s, SiteForecast()).cars[0].departs_s
        assert found is not None
        assert found >= now_s - 1
        assert found >= before
        before = found


@pytest.mark.parametrize(
    ("policy", "fixed", "said"),
    [("missing", False, True), ("instead", False, False), ("instead", True, True), ("off", False, True)],
)
def test_what_was_said_holds_unless_the_site_trusts_the_forecast_more(
    policy: str, fixed: bool, said: bool
) -> None:
    site = loop(departures=policy, energies=policy)
    at = NOW + timedelta(hours=13)
    wish = Wish(energy_wh=40_000, departure_at=at)
    _, planned = planned_car(site, wish=wish, fixed_departure=fixed, fixed_energy=fixed)
    assert (planned.departs_s == at.timestamp()) is said
    assert (planned.energy_wh == 40_000) is said


def test_a_site_that_wants_no_forecasts_plans_as_before() -> None:
    site = loop(departures="off", energies="off")
    _, planned = planned_car(site)
    assert (planned.departs_s, planned.energy_wh) == (None, None)
    site.stays = {}
    car, planned = planned_car(site)
    assert (car.expected, planned.departs_s) == (None, None)


def test_series_begin_at_what_is_now_and_end_at_the_forecast() -> None:
    site = loop()
    content = {
        "starts_s": NOW_S, "step_s": 3600.0,
        "bands": [
            {"target": "solar_w", "quantiles": [0.1, 0.5, 0.9], "values": [[0] * 24, [10_000] * 24, [15_000] * 24]},
            {"target": "base_w", "quantiles": [0.1, 0.5, 0.9], "values": [[0] * 24, [5_000] * 24, [9_000] * 24]},
        ],
    }  # fmt: skip
    base_w, generation_w = forecast_of(site.tree, content)
    assert generation_w == {"roof": Series(NOW_S, 3600.0, (10_000,) * 24)}
    site.readings["roof"] = (NOW_S, Reading(NOW, None, 4_000.0))
    site.readings["grid"] = (NOW_S, Reading(NOW, None, 4_000.0))
    site.measure(NOW_S)
    request = site.plan_request(NOW_S, SiteForecast(base_w=base_w, generation_w=generation_w))
    sun, load = request.generation_w["roof"].values, request.base_w["main"].values
    assert 4_000 < sun[0] < 5_500  # a dark cloud is over the roof
    assert list(sun) == sorted(sun)
    assert sun[-1] == pytest.approx(10_000, rel=0.01)
    assert 7_000 < load[0] < 8_000  # 4 kW bought and 4 kW of sun are 8 kW of load
    assert load[-1] == pytest.approx(5_000, rel=0.01)
    site.readings["roof"] = (NOW_S, Reading(NOW, None, 90_000.0))
    bright = site.plan_request(NOW_S, SiteForecast(base_w=base_w, generation_w=generation_w))
    assert max(bright.generation_w["roof"].values) <= 20_000
