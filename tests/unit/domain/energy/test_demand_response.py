"""Events of OpenADR 3 read: spans of intervals, and what payloads ask of a site."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilotwire.domain.energy.demand_response import effects_of, intervals_of, read_duration, span_of
from pilotwire.domain.energy.model import Contract, PriceWindow
from pilotwire.domain.energy.outlook import prices_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def event(*payloads: tuple[str, Any], unit: str = "", **more: Any) -> dict[str, Any]:
    return {
        "intervalPeriod": {"start": "2026-05-01T12:00:00Z", "duration": "PT15M"},
        "payloadDescriptors": [{"payloadType": kind, "units": unit} for kind, _ in payloads],
        "intervals": [
            {"id": number, "payloads": [{"type": kind, "values": [value]}]}
            for number, (kind, value) in enumerate(payloads)
        ],
        **more,
    }


def asked(
    given: dict[str, Any], levels: tuple[float, ...] = ()
) -> list[tuple[str, float, float | None, float]]:
    found = effects_of(given, intervals_of(given, NOON), levels)
    return [
        (each.kind, (each.starts_at - NOON) / timedelta(minutes=1),
         None if each.ends_at is None else (each.ends_at - NOON) / timedelta(minutes=1), each.value)
        for each in found
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("PT1H", 3600), ("PT90S", 90), ("P1DT2H", 93_600), ("P1W", 604_800), ("P9999Y", None), ("PT0S", None)],
)
def test_durations(text: str, expected: float | None) -> None:
    found = read_duration(text)
    assert (None if found is None else found.total_seconds()) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "1H", "PT1X", "P1M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        read_duration(text)


def test_intervals_without_a_beginning_follow_each_other() -> None:
    given = event(("SIMPLE", 1), ("SIMPLE", 0), ("SIMPLE", 3))
    assert asked(given, (9000, 6000, 3000)) == [("limit_w", 0, 15, 9000), ("limit_w", 30, 45, 3000)]
    span = span_of(intervals_of(given, NOON), NOON)
    assert (span.starts_at, span.ends_at) == (NOON, NOON + timedelta(minutes=45))


def test_capacity_limits_are_in_kw_unless_said_otherwise() -> None:
    assert asked(event(("IMPORT_CAPACITY_LIMIT", 11))) == [("limit_w", 0, 15, 11_000)]
    assert asked(event(("IMPORT_CAPACITY_LIMIT", 11), unit="W")) == [("limit_w", 0, 15, 11)]
    with pytest.raises(ValueError, match="KVA"):
        asked(event(("IMPORT_CAPACITY_LIMIT", 11), unit="KVA"))


def test_prices_intensities_and_what_does_not_concern_us() -> None:
    given = event(("PRICE", 0.31), ("GHG", 420), ("ALERT_GRID_EMERGENCY", "help"))
    assert asked(given) == [("price", 0, 15, 0.31), ("average_intensity", 15, 30, 420)]
    assert asked(event(("PRICE", 310), unit="MWH")) == [("price", 0, 15, 0.31)]


def test_an_event_without_an_end_has_none() -> None:
    given = event(("IMPORT_CAPACITY_LIMIT", 5), intervalPeriod={"start": "0000-00-00", "duration": "P9999Y"})
    assert asked(given) == [("limit_w", 0, None, 5000)]


@pytest.mark.parametrize("value", ["much", None, True, 1.5, 7])
def test_a_level_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="SIMPLE"):
        asked(event(("SIMPLE", value)), (1000,))


def test_prices_from_outside_lie_over_those_of_the_contract() -> None:
    night = PriceWindow(starts_s=1800, ends_s=3600, price_per_kwh=0.1)
    contract = Contract(price_per_kwh=0.3, windows=(night,))
    assert prices_of(contract, [], 0, 3600) is None
    found = prices_of(contract, [(900, 2700, 0.9)], 0, 3600)
    assert found is not None
    assert (found.starts_s, found.step_s, found.values) == (0, 900, (0.3, 0.9, 0.9, 0.1))
