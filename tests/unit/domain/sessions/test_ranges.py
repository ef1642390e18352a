"""Sets of sequence numbers, kept as ranges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.sessions.model import has_number, with_number

numbers = st.lists(st.integers(0, 40) | st.integers(0, 2**31 - 1), max_size=60)


@given(numbers)
def test_ranges_are_a_set(added: list[int]) -> None:
    ranges: tuple[tuple[int, int], ...] = ()
    for number in added:
        ranges = with_number(ranges, number)
    wanted = set(added)
    for number in wanted | {0, 1, 5, 17, 40, 41} | {n + 1 for n in wanted} | {n - 1 for n in wanted}:
        assert has_number(ranges, number) == (number in wanted)
    assert sum(high - low + 1 for low, high in ranges) == len(wanted)


@given(numbers)
def test_ranges_are_sorted_and_as_few_as_can_be(added: list[int]) -> None:
    ranges: tuple[tuple[int, int], ...] = ()
    for number in added:
        ranges = with_number(ranges, number)
    assert all(low <= high for low, high in ranges)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))


@given(numbers.filter(bool), st.data())
def test_a_number_twice_changes_nothing(added: list[int], data: st.DataObject) -> None:
    ranges: tuple[tuple[int, int], ...] = ()
    for number in added:
        ranges = with_number(ranges, number)
    assert with_number(ranges, data.draw(st.sampled_from(added))) == ranges
