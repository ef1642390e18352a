"""Uptime by the rule's own numbers, and arithmetic of times against a plain count of minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.health.uptime import Span, gaps, intersection, sum_of, total, union, uptime_of

T0 = datetime(2025, 1, 1, tzinfo=UTC)


def span(start: int, end: int) -> Span:
    return T0 + timedelta(minutes=start), T0 + timedelta(minutes=end)


def test_the_formula_over_a_year() -> None:
    """µ = (525,600 − (T_outage − T_excluded)) / 525,600 × 100."""
    year = span(0, 525_600)
    found = uptime_of(year, [span(1000, 21_000), span(400_000, 406_000)], [span(2000, 12_000)])
    assert (found.outage_s / 60, found.excluded_s / 60) == (26_000, 10_000)
    assert found.nevi_percent == pytest.approx((525_600 - (26_000 - 10_000)) / 525_600 * 100)
    assert found.operational_percent == pytest.approx((525_600 - 26_000) / 525_600 * 100)


def test_outages_that_overlap_count_once_and_what_is_outside_does_not_count() -> None:
    found = uptime_of(span(0, 100), [span(-50, 10), span(5, 20), span(90, 300)], [span(15, 95)])
    assert (found.outage_s / 60, found.excluded_s / 60) == (30, 10)


def test_an_exclusion_without_an_outage_adds_nothing() -> None:
    found = uptime_of(span(0, 100), [], [span(0, 100)])
    assert (found.nevi_percent, found.excluded_s) == (100, 0)


def test_nothing_to_look_at_has_no_uptime() -> None:
    found = uptime_of(span(10, 10), [span(0, 100)], [])
    assert (found.nevi_percent, found.operational_percent) == (None, None)
    assert sum_of([]).nevi_percent is None


def test_several_count_by_their_time() -> None:
    found = sum_of([uptime_of(span(0, 100), [span(0, 50)], []), uptime_of(span(0, 300), [], [])])
    assert found.nevi_percent == pytest.approx(87.5)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: span(*pair)), max_size=8)


def minutes(of: list[Span]) -> set[int]:
    return {
        minute
        for start, end in of
        for minute in range(int((start - T0).total_seconds() // 60), int((end - T0).total_seconds() // 60))
    }


@given(spans, spans)
def test_arithmetic_agrees_with_counting_minutes(one: list[Span], other: list[Span]) -> None:
    assert minutes(union(one)) == minutes(one)
    assert minutes(intersection(union(one), union(other))) == minutes(one) & minutes(other)
    assert minutes(gaps(span(0, 60), one)) == set(range(60)) - minutes(one)
    assert total(union(one)) == timedelta(minutes=len(minutes(one)))


@given(spans, spans)
def test_uptime_is_a_share_and_exclusions_only_help(down: list[Span], excluded: list[Span]) -> None:
    found = uptime_of(span(0, 60), down, excluded)
    assert found.nevi_percent is not None
    assert found.operational_percent is not None
    assert 0 <= found.operational_percent <= found.nevi_percent <= 100
