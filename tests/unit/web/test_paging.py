"""Cursors: what was made can be read, what was not is refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.core.errors import Invalid
from pilotwire.web.paging import decode_cursor, encode_cursor, make_page

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), max_size=60)


@given(PRINTABLE, st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_gives_back_what_was_put_in(text: str, moment: datetime, number: UUID) -> None:
    assert decode_cursor(encode_cursor(text, moment, number), str, datetime, UUID) == (text, moment, number)
    assert decode_cursor(encode_cursor(number), UUID) == number


@given(st.text(max_size=80))
def test_anything_else_is_refused_or_read(text: str) -> None:
    try:
        found = decode_cursor(text, str)
    except Invalid:
        return
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize("kinds", [(str, str), (UUID,), (datetime,)])
def test_a_cursor_of_another_list_is_refused(kinds: tuple[type, ...]) -> None:
    with pytest.raises(Invalid):
        decode_cursor(encode_cursor("CP-1"), *kinds)


def test_a_page_ends_where_the_next_begins() -> None:
    page = make_page([1, 2, 3], 2, str, lambda row: (str(row),))
    assert page.items == ["1", "2"]
    assert decode_cursor(page.next, str) == "2"
    assert make_page([1, 2], 2, str, lambda row: (str(row),)).next is None
