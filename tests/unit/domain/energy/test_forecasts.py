"""Forecasts: plain models, features over days of 23 and 25 hours, bounds, and what is known of a car that is still there."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilotwire.domain.energy.forecasts.calendar import days_before_s, sun_height
from pilotwire.domain.energy.forecasts.features import series_row, stay_rows
from pilotwire.domain.energy.forecasts.fitting import errors_of, fit_site
from pilotwire.domain.energy.forecasts.plain import fit_plain, predict_plain
from pilotwire.domain.energy.forecasts.predicting import conditional, predict_series, predict_stay
from pilotwire.domain.energy.forecasts.shapes import Model, Place, PlainTable, SeriesPast, SitePast, StayPast
from pilotwire.domain.energy.forecasts.trees import Ensemble, Floats, evaluate

BERLIN = Place("Europe/Berlin", 52.5, 13.4)
ZONE = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
BEGIN_S = BEGIN.timestamp()


NOTHING = PlainTable([[[0.0, 0.0, 0.0]] * 24] * 2)
"""Nothing is usual: what is off the usual is the value itself."""


def ensemble(value: float) -> Ensemble:
    """Trees with one split on the local hour: `value` until noon, twice that after; added to what is usual."""
    return Ensemble(
        base=0.0, depth=1,
        feature=np.array([0, 0, 0], "<i4").tobytes(), threshold=np.array([11.5, 0, 0], "<f8").tobytes(),
        value=np.array([0, value, 2 * value], "<f8").tobytes(), left=np.array([1, 1, 2], "<i4").tobytes(),
        right=np.array([2, 1, 2], "<i4").tobytes(), missing_left=np.array([1, 0, 0], "u1").tobytes(),
        roots=np.array([0], "<i4").tobytes(),
    )  # fmt: skip


class Oracle:
    """A booster that knows the true noon and night of `sunny`, or is far off."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = values
        self.fits: list[int] = []

    def fit(self, rows: Floats, values: Floats, quantiles: Sequence[float]) -> list[Ensemble]:
        del rows, quantiles
        self.fits.append(len(values))
        return [ensemble(value) for value in self.values]


def steps(days: int, low: float = 100.0) -> SeriesPast:
    """`low` until noon, twice that after, with a little noise; the clocks are Berlin's."""
    rng, values = random.Random(3), []
    for number in range(24 * days):
        hour = (BEGIN + timedelta(hours=number)).astimezone(ZONE).hour
        values.append((low if hour < 12 else 2 * low) + rng.uniform(-3, 3))
    return SeriesPast(BEGIN_S, values)


def fitted(past: SitePast, booster: Oracle | None = None) -> dict[str, Model]:
    return {model.target: model for model in fit_site(past, booster)}


def stays(count: int) -> list[StayPast]:
    rng = random.Random(4)
    return [
        StayPast(
            BEGIN_S + number * 7200, rng.uniform(0.5, 9), rng.uniform(0, 40_000), f"d{number % 5}", 11_000
        )
        for number in range(count)
    ]


def test_too_little_past_has_no_model_and_says_how_much_is_missing() -> None:
    models = fitted(SitePast(BERLIN, {"base_w": SeriesPast(BEGIN_S, [1.0] * 5)}, []))
    assert (models["base_w"].method, models["base_w"].samples, models["base_w"].needed) == ("none", 5, 168)
    assert models["stay_h"].method == "none"
    with pytest.raises(ValueError, match="no model of base_w"):
        predict_series(models["base_w"], SeriesPast(BEGIN_S, []), BERLIN, BEGIN_S, 3)


def test_a_short_past_falls_back_to_the_hours_of_the_day_and_never_asks_the_library() -> None:
    booster = Oracle([1, 2, 3])
    models = fitted(SitePast(BERLIN, {"base_w": steps(3)}, stays(20)), booster)
    assert booster.fits == []
    assert [models[name].method for name in ("base_w", "stay_h", "energy_wh")] == ["plain"] * 3
    assert set(models["base_w"].errors) == {"plain"}
    found = predict_series(models["base_w"], steps(3), BERLIN, BEGIN_S + 3 * 86_400, 24)
    assert found[5][1] == pytest.approx(100, abs=4)  # six in the morning in Berlin
    assert found[15][1] == pytest.approx(200, abs=4)


@pytest.mark.parametrize(
    ("values", "method"), [([-300.0, -300.0, -300.0], "boosted"), ([9_000.0, 9_100.0, 9_200.0], "plain")]
)
def test_the_model_that_is_better_on_what_it_has_not_seen_is_used(values: list[float], method: str) -> None:
    booster = Oracle(values)
    past = steps(28)
    # Weeks of much higher load in the earlier part lead the plain model astray; the trees take 300 or 600 W off again.
    raised = [None if each is None else each * 4 for each in past.values[:500]]
    past = SeriesPast(past.starts_s, raised + past.values[500:])
    model = fitted(SitePast(BERLIN, {"base_w": past}, []), booster)["base_w"]
    assert model.method == method
    assert set(model.errors) == {"plain", "boosted"}
    other = "plain" if method == "boosted" else "boosted"
    assert model.errors[method].pinball < model.errors[other].pinball
    early, *whole = booster.fits
    assert early == math.ceil(28 * 24 * 0.75)
    assert whole == ([28 * 24] if method == "boosted" else [])


def test_trees_are_followed_also_where_a_feature_is_missing() -> None:
    rows = np.array([[3.0], [11.5], [11.6], [math.nan]])
    assert evaluate(ensemble(5.0), rows).tolist() == [5, 5, 10, 5]


@given(st.lists(st.floats(-1e5, 1e5), min_size=3, max_size=3), st.integers(0, 40))
def test_bands_rise_are_never_negative_and_never_beyond_what_was_seen(
    values: list[float], ahead: int
) -> None:
    past = steps(10)
    model = Model(
        target="solar_w", method="boosted", quantiles=(0.1, 0.5, 0.9), samples=1, most=230.0,
        ensembles=[ensemble(value) for value in values], plain=fit_plain([BEGIN_S], [120.0], ZONE, (0.1, 0.5, 0.9)),
    )  # fmt: skip
    found = predict_series(model, past, BERLIN, BEGIN_S + ahead * 3600, 48)
    assert found.shape == (48, 3)
    assert (np.diff(found, axis=1) >= 0).all()
    assert (found >= 0).all()
    assert (found <= 230).all()


@given(
    st.lists(st.tuples(st.integers(0, 24 * 60), st.floats(0, 1e6)), min_size=1, max_size=60),
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]),
)
def test_plain_quantiles_rise_and_stay_within_what_was_seen(
    known: list[tuple[int, float]], zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    values = [value for _, value in known]
    table = fit_plain([BEGIN_S + hour * 3600 for hour, _ in known], values, zone, (0.1, 0.5, 0.9))
    found = predict_plain(table, [BEGIN_S + hour * 3600 for hour in range(24 * 8)], zone)
    assert (np.diff(found, axis=1) >= 0).all()
    assert found.min() >= min(values) - 1e-6
    assert found.max() <= max(values) + 1e-6


@pytest.mark.parametrize(
    ("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_days_of_23_and_25_hours_have_as_many_steps_and_eight_stays_eight(day: date, length: int) -> None:
    begin = datetime.combine(day, time(), ZONE)
    end = datetime.combine(day + timedelta(days=1), time(), ZONE)
    begin_s = begin.timestamp()
    hours = round((end.timestamp() - begin_s) / 3600)
    assert hours == length
    past = SeriesPast(begin_s - 9 * 86_400, [float(number) for number in range(9 * 24)])
    rows = [series_row(past, BERLIN, ZONE, begin_s + hour * 3600, begin_s, NOTHING) for hour in range(hours)]
    shown = [datetime.fromtimestamp(begin_s + hour * 3600, ZONE).hour for hour in range(hours)]
    assert [row[0] for row in rows] == shown
    morning = shown.index(8)
    back = days_before_s(begin_s + morning * 3600, 1, ZONE)
    assert datetime.fromtimestamp(back, ZONE).hour == 8
    # What is called known lies before the moment of the forecast, whatever the length of the day.
    made = begin_s + 2 * 3600
    late = [series_row(past, BERLIN, ZONE, made + hour * 3600, made, NOTHING) for hour in range(48)]
    assert all(math.isnan(row[8]) or row[8] < 9 * 24 for row in late)


@given(st.integers(0, 365 * 24 - 1), st.integers(0, 47))
def test_lags_look_only_at_what_is_known_when_the_forecast_is_made(begin: int, ahead: int) -> None:
    made_s = BEGIN_S + begin * 3600
    past = SeriesPast(BEGIN_S - 30 * 86_400, [float(number) for number in range(30 * 24 + begin + 100)])
    cut = SeriesPast(past.starts_s, past.values[: 30 * 24 + begin])
    seen = series_row(past, BERLIN, ZONE, made_s + ahead * 3600, made_s, NOTHING)
    assert seen == series_row(cut, BERLIN, ZONE, made_s + ahead * 3600, made_s, NOTHING)
    assert not any(math.isnan(each) for each in seen)


def test_a_driver_is_known_only_by_sessions_that_were_over() -> None:
    past = [
        StayPast(BEGIN_S, 10, 5_000, "a"),
        StayPast(BEGIN_S + 3600, 1, 1_000, "a"),
        StayPast(BEGIN_S + 11 * 3600, 1, 1_000, "a"),
    ]
    rows = stay_rows(past, ZONE)
    assert rows[:, 6].tolist() == [0, 0, 2]
    assert rows[2, 4] == 5.5


@given(
    st.lists(st.floats(0, 100), min_size=5, max_size=5).map(sorted),
    st.floats(0, 200),
    st.floats(0, 200),
    st.floats(0.05, 0.95),
)
@example([0.0, 0.0, 0.0, 0.0, 2.2e-311], 0.0, 5e-324, 0.5)
def test_who_is_still_there_has_not_left_and_leaves_no_earlier_the_longer_they_stay(
    values: list[float], gone: float, more: float, quantile: float
) -> None:
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    first = conditional(levels, values, gone, quantile)
    assert first >= gone
    assert conditional(levels, values, gone + more, quantile) >= first - 1e-6 * (1 + first)
    assert conditional(levels, values, gone, 0.95) >= conditional(levels, values, gone, 0.05) - 1e-9


def wandering(days: int, seed: int) -> list[float]:
    """A load with the shape of days, whole days that are high or low, a slow drift and noise that grows with it."""
    rng, values, level = random.Random(seed), [], 0.0
    for number in range(24 * days):
        if number % 24 == 0:
            level = 0.7 * level + rng.gauss(0, 0.15)
        shape = 10_000 + 6_000 * math.sin((number % 24 - 8) / 24 * 2 * math.pi)
        values.append(max(0.0, shape * (1 + level + 0.002 * number / 24 + rng.gauss(0, 0.08))))
    return values


def held(model: Model, values: list[float], days: Sequence[int]) -> float:
    """The part of the hours of some days that is within the band as it was forecast at their beginning."""
    inside = []
    for day in days:
        made_s = BEGIN_S + day * 86_400
        known = SeriesPast(BEGIN_S, [*values[: 24 * day]])
        found = predict_series(model, known, BERLIN, made_s, 24)
        true = np.array(values[24 * day : 24 * day + 24])
        inside.append(((true >= found[:, 0]) & (true <= found[:, -1])).mean())
    return float(np.mean(inside))


def test_bands_hold_what_they_say_on_days_that_nobody_has_seen() -> None:
    """Four fifths are promised; the models alone hold less of it, for they know few days of each kind."""
    as_they_are, widened, said = [], [], []
    for seed in range(12):
        values = wandering(60, seed)
        model = fitted(SitePast(BERLIN, {"base_w": SeriesPast(BEGIN_S, values[: 24 * 44])}, []))["base_w"]
        widened.append(held(model, values, range(44, 60)))
        as_they_are.append(held(msgspec.structs.replace(model, widen=0.0), values, range(44, 60)))
        said.append(model.errors["plain"].inside)
    assert np.mean(as_they_are) < 0.75
    assert 0.75 <= np.mean(widened) <= 0.92, (np.mean(widened), np.mean(as_they_are))
    assert np.mean(said) >= 0.75


def test_hours_in_which_nothing_ever_comes_are_not_widened() -> None:
    rng = random.Random(1)
    values = [
        max(0.0, math.sin((hour % 24 - 6) / 12 * math.pi)) * rng.uniform(0, 5_000) for hour in range(24 * 40)
    ]
    model = fitted(SitePast(BERLIN, {"solar_w": SeriesPast(BEGIN_S, values)}, []))["solar_w"]
    widest = msgspec.structs.replace(model, widen=2.0)
    made_s = BEGIN_S + 39 * 86_400
    found = predict_series(widest, SeriesPast(BEGIN_S, values[: 24 * 39]), BERLIN, made_s, 24)
    assert found[:4].max() == 0
    assert found.min() >= 0
    assert found.max() <= model.most


def test_a_quantile_of_nobody_gone_is_the_quantile_itself() -> None:
    assert conditional((0.25, 0.5), (2.0, 4.0), 0.0, 0.25) == 2.0
    assert conditional((0.25, 0.5), (2.0, 4.0), 2.0, 1 / 3) == pytest.approx(4.0)


def test_errors_are_those_of_their_definition() -> None:
    model = Model(target="base_w", method="plain", quantiles=(0.1, 0.5, 0.9), samples=2)
    found = errors_of(model, np.array([[0.0, 10.0, 20.0], [0.0, 10.0, 20.0]]), np.array([15.0, 30.0]))
    losses = [0.1 * 15, 0.5 * 5, 0.1 * 5, 0.1 * 30, 0.5 * 20, 0.9 * 10]
    assert found.pinball == pytest.approx(sum(losses) / 6)
    assert (found.mae, found.inside) == (12.5, 0.5)


def test_the_sun_stands_where_the_almanac_has_it() -> None:
    def degrees(text: str, latitude: float, longitude: float) -> float:
        moment = datetime.fromisoformat(text).timestamp()
        return math.degrees(math.asin(sun_height(moment, Place("UTC", latitude, longitude))))

    assert degrees("2026-06-21T12:02:00+00:00", 51.48, 0.0) == pytest.approx(61.96, abs=0.3)
    assert degrees("2026-12-21T11:58:00+00:00", 51.48, 0.0) == pytest.approx(15.08, abs=0.3)
    assert degrees("2026-03-20T12:00:00+00:00", 0.0, 0.0) == pytest.approx(88.1, abs=1.0)
    assert degrees("2026-06-21T00:00:00+00:00", 51.48, 0.0) < -10
    assert math.isnan(sun_height(BEGIN_S, Place("UTC")))


def test_a_stay_is_told_by_quantiles_within_what_was_seen() -> None:
    models = fitted(SitePast(BERLIN, {}, stays(40)))
    found = predict_stay(models["stay_h"], BEGIN_S, ZONE, "d1", 11_000)
    assert len(found) == 5
    assert list(found) == sorted(found)
    assert 0 <= found[0] <= found[-1] <= 9 * 1.15
    assert set(models["stay_h"].drivers) == {f"d{number}" for number in range(5)}
