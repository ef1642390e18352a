"""Opening hours: what is refused, when a site is open, and that a line of text says them all."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.stations.opening import (
    hours_from_text,
    hours_to_text,
    is_open,
    open_spans,
    read_hours,
)

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = read_hours(
    {
        "weekdays": {
            "monday": [{"opens": "08:00", "closes": "12:00"}, {"opens": "13:00", "closes": "24:00"}],
            "tuesday": [{"opens": "00:00", "closes": "02:00"}],
        },
        "exceptions": [
            {"date": "2026-12-28", "hours": []},
            {"date": "2026-12-27", "hours": [{"opens": "10:00", "closes": "11:00"}]},
        ],
    }
)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-01T08:00", True),  # a Monday
        ("2026-06-01T07:59", False),
        ("2026-06-01T12:00", False),
        ("2026-06-01T23:59", True),
        ("2026-06-02T01:59", True),
        ("2026-06-02T02:00", False),
        ("2026-06-03T10:00", False),
        ("2026-12-28T09:00", False),  # a Monday that is an exception
        ("2026-12-27T10:30", True),  # a Sunday that is one
    ],
)
def test_a_site_is_open_in_its_hours_of_its_zone(moment: str, expected: bool) -> None:
    assert is_open(SHOP, BERLIN, berlin(moment)) is expected


def test_open_time_of_a_day_on_which_the_clocks_change() -> None:
    always = read_hours({"always_open": True, "exceptions": [{"date": "2026-03-30", "hours": []}]})
    spans = list(open_spans(always, BERLIN, berlin("2026-03-29T00:00"), berlin("2026-03-31T00:00")))
    assert spans == [(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))]
    assert spans[0][1] - spans[0][0] == timedelta(hours=23)


def test_a_site_whose_hours_nobody_told_is_open() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert is_open(None, BERLIN, now)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"weekdays": {"monday": [{"opens": "8:00", "closes": "20:00"}]}}, "HH:MM"),
        ({"weekdays": {"monday": [{"opens": "20:00", "closes": "08:00"}]}}, "past midnight are two"),
        (
            {
                "weekdays": {
                    "monday": [{"opens": "08:00", "closes": "12:00"}, {"opens": "11:00", "closes": "13:00"}]
                }
            },
            "overlap",
        ),
        ({"weekdays": {"moonday": []}}, "Invalid enum value"),
        ({"exceptions": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]}, "twice"),
        ({"exceptions": [{"date": "2026-13-24"}]}, "date"),
        ({"hours": []}, "unknown field"),
    ],
)
def test_hours_that_cannot_be_are_refused(value: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_hours(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "always",
        "closed",
        "always; 2026-12-24 closed",
        "mon 08:00-12:00,13:00-18:00; sat closed; 2026-12-24 09:00-12:00",
    ],
)
def test_a_line_of_text_says_them_all(text: str) -> None:
    assert hours_to_text(hours_from_text(text)) == text


def test_a_range_of_days_is_short_for_each() -> None:
    assert hours_to_text(hours_from_text("Mon-Wed 08:00-12:00")) == (
        "mon 08:00-12:00; tue 08:00-12:00; wed 08:00-12:00"
    )
    for wrong in ("fri-mon 08:00-12:00", "xyz 08:00-12:00", "mon 8-12", "mon"):
        with pytest.raises(Invalid):
            hours_from_text(wrong)
