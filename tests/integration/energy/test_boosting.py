"""The real library in its process of its own: what it fits is read without it, and a plain past leaves it alone."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pilotwire.domain.energy.forecasts.predicting import predict_stay
from pilotwire.domain.energy.forecasts.shapes import Model, Place, SeriesPast, SitePast, StayPast
from pilotwire.integrations.boosting import Fitter

BEGIN_S = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def past_of(drivers: int, count: int) -> SitePast:
    """Drivers with habits of their own: the first stays an hour, the second three, and so on."""
    rng = random.Random(5)
    stays = []
    for number in range(count):
        who = rng.randrange(drivers)
        stay_h = (1 + 2 * who) * rng.uniform(0.9, 1.1)
        stays.append(StayPast(BEGIN_S + number * 5400, stay_h, 8_000, f"d{who}"))
    return SitePast(Place("UTC"), {"base_w": SeriesPast(BEGIN_S, [1_000.0] * 30)}, stays)


async def test_habits_of_drivers_are_learnt_and_the_next_site_is_fitted_too() -> None:
    async def pasts() -> AsyncIterator[SitePast]:
        yield past_of(4, 320)
        yield past_of(4, 12)

    found: list[dict[str, Model]] = [
        {model.target: model for model in models} async for models in Fitter().fit(pasts())
    ]
    stay = found[0]["stay_h"]
    assert stay.method == "boosted"
    assert stay.errors["boosted"].mae < stay.errors["plain"].mae / 2
    zone = ZoneInfo("UTC")
    medians = [predict_stay(stay, BEGIN_S + 40 * 86_400, zone, f"d{number}", 0)[2] for number in range(4)]
    assert [round(each) for each in medians] == [1, 3, 5, 7]
    assert found[0]["energy_wh"].method == "plain"  # always the same: there is nothing to learn
    assert found[1]["stay_h"].method == "plain"
