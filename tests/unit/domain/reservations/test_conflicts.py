"""Whether there is room for one more reservation, checked against trying every way to share the EVSEs out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.reservations.conflicts import Window, find_conflict, free_places

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
CCS, TYPE2 = frozenset({"cCCS2"}), frozenset({"sType2"})
TWO = {1: CCS, 2: TYPE2}


def window(begin: float, end: float, evse_no: int | None = None, kind: str | None = None) -> Window:
    return Window(T0 + timedelta(hours=begin), T0 + timedelta(hours=end), evse_no, kind)


@pytest.mark.parametrize(
    ("others", "wanted", "said"),
    [
        ([], window(0, 1, 1), None),
        ([window(0, 1, 1)], window(0, 1, 2), None),
        ([window(0, 1, 1)], window(1, 2, 1), None),
        (
            [window(0, 1, 1)],
            window(0.5, 2, 1),
            "EVSE 1 is reserved from 2026-03-01T12:00Z until 2026-03-01T13:00Z",
        ),
        ([window(1, 2, 1)], window(0, 3, 1), "EVSE 1 is reserved"),
        ([window(0, 1)], window(0, 1), None),
        ([window(0, 1), window(0, 1)], window(0, 1), "every EVSE that would do is taken"),
        ([window(0, 1)], window(0, 1, 1), None),
        ([window(0, 1), window(0, 1, 2)], window(0, 1, 1), "every EVSE that would do is taken"),
        ([window(0, 1, 1)], window(0, 1, kind="cCCS2"), "every EVSE that would do is taken"),
        ([window(0, 1, kind="ccs")], window(0, 1, kind="stype2"), None),
        ([], window(0, 1, 3), "no EVSE 3"),
        ([], window(0, 1, kind="cG105"), "no EVSE of the station has a connector of type cG105"),
    ],
)
def test_conflicts_are_said_in_words(others: list[Window], wanted: Window, said: str | None) -> None:
    found = find_conflict(TWO, [other for other in others if other.connector_type != "ccs"], wanted)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert said in found


def test_a_place_is_chosen_that_leaves_room_for_the_others() -> None:
    assert free_places(TWO, [window(0, 1, kind="cCCS2")], window(0, 1)) == [2]
    assert free_places(TWO, [window(0, 1)], window(0, 1)) == [1, 2]
    assert free_places(TWO, [window(0, 1, 1), window(0, 1, 2)], window(0, 1)) == []


kinds = st.sampled_from([None, "cCCS2", "sType2"])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    begin = draw(st.integers(0, 5))
    evse_no = draw(st.none() | st.integers(1, 3))
    return window(begin, begin + draw(st.integers(1, 4)), evse_no, None if evse_no else draw(kinds))


def shareable(places: dict[int, frozenset[str]], holding: Sequence[Window]) -> bool:
    return any(
        all(each.fits(evse_no, places[evse_no]) for each, evse_no in zip(holding, order, strict=False))
        for order in permutations(places, len(holding))
    )


@settings(max_examples=300, deadline=None)
@given(
    places=st.dictionaries(st.integers(1, 3), st.sampled_from([CCS, TYPE2, CCS | TYPE2]), min_size=1),
    wishes=st.lists(windows(), max_size=7),
)
def test_whatever_is_taken_can_be_shared_out_at_every_moment(
    places: dict[int, frozenset[str]], wishes: list[Window]
) -> None:
    taken: list[Window] = []
    for wish in wishes:
        conflict = find_conflict(places, taken, wish)
        moments = [T0 + timedelta(minutes=30 * step) for step in range(20)]
        possible = all(
            shareable(places, [each for each in (*taken, wish) if each.at(moment)])
            for moment in moments
            if wish.at(moment)
        )
        assert (conflict is None) == possible
        if conflict is None:
            taken.append(wish)
