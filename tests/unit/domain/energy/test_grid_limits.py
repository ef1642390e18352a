"""Limits from outside as windows of nodes: begin, end, silence, fail-safe values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilotwire.domain.energy.grid_limits import GridLimit, state_of, windows_of_limits

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOON_S = NOON.timestamp()


def limit(**more: Any) -> GridLimit:
    values: dict[str, Any] = {"source": "dso", "node_id": "grid", "limit_w": 4200.0, "starts_at": NOON}
    return GridLimit(**{**values, "heard_at": NOON, **more})


def spans(given: GridLimit, since_s: float = 0) -> list[tuple[float, float, float | None]]:
    found = windows_of_limits([given], since_s, NOON_S + 1e9).get("grid", ())
    return [(each.starts_s - NOON_S, each.ends_s - NOON_S, each.limit_w) for each in found]


def test_a_limit_without_an_end_holds_until_it_is_withdrawn() -> None:
    assert spans(limit()) == [(0, 1e9, 4200)]


def test_silence_replaces_the_limit_by_the_fail_safe_value_for_as_long_as_agreed() -> None:
    given = limit(ends_at=NOON + timedelta(hours=1), silent_after_s=120, failsafe_w=9000, failsafe_for_s=7200)
    assert spans(given) == [(0, 120, 4200), (120, 7320, 9000)]
    assert spans(limit(silent_after_s=120, failsafe_w=9000)) == [(0, 120, 4200), (120, 1e9, 9000)]


def test_a_source_that_limits_nothing_leaves_only_its_fail_safe_value() -> None:
    assert spans(limit(limit_w=None, silent_after_s=60, failsafe_w=0)) == [(60, 1e9, 0)]


def test_what_is_over_is_no_window() -> None:
    assert spans(limit(ends_at=NOON + timedelta(seconds=10)), since_s=NOON_S + 11) == []


@pytest.mark.parametrize(
    ("after_s", "expected"),
    [(-1, ("ahead", None)), (0, ("limited", 4200)), (119, ("limited", 4200)), (120, ("failsafe", 9000)),
     (719, ("failsafe", 9000)), (720, ("free", None))],
)  # fmt: skip
def test_the_state_follows_the_clock(after_s: float, expected: tuple[str, float | None]) -> None:
    given = limit(silent_after_s=120, failsafe_w=9000, failsafe_for_s=600)
    assert state_of(given, NOON + timedelta(seconds=after_s)) == expected
    assert state_of(limit(ends_at=NOON + timedelta(seconds=5)), NOON + timedelta(seconds=5)) == ("free", None)
