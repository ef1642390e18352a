"""Waves and maintenance windows: how stations are shared out, when a window opens."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.core.errors import Invalid
from pilotwire.domain.operations.rollout import Wave, Window, allot_waves, next_opening

BERLIN = "Europe/Berlin"


def sizes(total: int, *waves: Wave) -> list[int]:
    return [size for _, size in allot_waves(total, waves)]


@pytest.mark.parametrize(
    ("total", "waves", "expected"),
    [
        (500, (Wave(percent=1), Wave(percent=10)), [5, 50, 445]),
        (3, (Wave(percent=1), Wave(percent=10)), [1, 1, 1]),
        (1, (Wave(percent=1), Wave(percent=10)), [1]),
        (100, (Wave(percent=10), Wave()), [10, 90]),
        (100, (Wave(count=30), Wave(percent=100)), [30, 70]),
        (20, (Wave(count=30), Wave()), [20]),
        (1000, (Wave(percent=0.7),), [7, 993]),
        (0, (Wave(percent=1),), []),
    ],
)
def test_shares(total: int, waves: tuple[Wave, ...], expected: list[int]) -> None:
    assert sizes(total, *waves) == expected


def test_what_is_over_is_judged_like_the_last_wave() -> None:
    (_, _), (rest, size) = allot_waves(10, (Wave(percent=10, success_percent=80),))
    assert (size, rest.success_percent) == (9, 80)


def test_only_the_last_takes_the_rest() -> None:
    with pytest.raises(Invalid, match="last"):
        allot_waves(10, (Wave(), Wave(percent=1)))


waves_of = st.lists(
    st.one_of(st.builds(Wave, percent=st.floats(0.01, 100)), st.builds(Wave, count=st.integers(1, 500))),
    min_size=1,
    max_size=6,
)


@given(st.integers(0, 2000), waves_of)
def test_everybody_is_in_one_wave(total: int, waves: list[Wave]) -> None:
    found = sizes(total, *waves)
    assert sum(found) == total
    assert all(size > 0 for size in found)


def local(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-06-10T21:59", "2026-06-10T22:00"),
        ("2026-06-10T22:00", None),
        ("2026-06-11T04:59", None),
        ("2026-06-11T05:00", "2026-06-11T22:00"),
    ],
)
def test_a_window_over_midnight(now: str, opens: str | None) -> None:
    window = Window(start="22:00", end="05:00")
    assert next_opening(window, BERLIN, local(now)) == (opens and local(opens))


def test_days_are_those_on_which_it_begins() -> None:
    window = Window(start="22:00", end="05:00", days=("sat",))  # 2026-06-13 is one
    assert next_opening(window, BERLIN, local("2026-06-14T04:00")) is None
    assert next_opening(window, BERLIN, local("2026-06-14T23:00")) == local("2026-06-20T22:00")


def test_the_zone_of_the_window_wins_over_the_sites() -> None:
    window = Window(start="01:00", end="02:00", time_zone="UTC")
    assert next_opening(window, BERLIN, datetime(2026, 6, 10, 1, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_clock_changes(day: str) -> None:
    """The clock goes from 02:00 to 03:00, or from 03:00 to 02:00: the window is an hour shorter or longer."""
    window = Window(start="01:00", end="04:00")
    opens = next_opening(window, BERLIN, local(f"{day}T00:30"))
    assert opens == local(f"{day}T01:00")
    hours = 2 if day == "2026-03-29" else 4
    last = opens + timedelta(hours=hours, minutes=-1)
    assert next_opening(window, BERLIN, last) is None
    assert next_opening(window, BERLIN, last + timedelta(minutes=1)) is not None


def test_the_same_time_is_the_whole_day() -> None:
    assert next_opening(Window(start="00:00", end="00:00"), "UTC", local("2026-06-10T12:00")) is None


@given(
    st.integers(0, 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    )
)
def test_at_its_opening_a_window_is_open(now: datetime) -> None:
    window = Window(start="23:30", end="02:45", days=("mon", "thu"))
    opens = next_opening(window, BERLIN, now)
    if opens is not None:
        assert opens > now
        assert next_opening(window, BERLIN, opens) is None


@pytest.mark.parametrize(
    "given_",
    [
        {"from": "24:00", "to": "05:00"},
        {"from": "9:00", "to": "05:00"},
        {"from": "22:00", "to": "05:00", "days": []},
        {"from": "22:00", "to": "05:00", "days": ["monday"]},
        {"from": "22:00", "to": "05:00", "time_zone": "Mars/North"},
    ],
)
def test_impossible_windows(given_: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given_, Window)
