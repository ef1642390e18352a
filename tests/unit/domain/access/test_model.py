"""Who may charge."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.access.model import Token, TokenStatus, TokenVerdict, fold_uid, judge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", list(TokenStatus))
@pytest.mark.parametrize("valid_until", [None, NOW + timedelta(seconds=1), NOW, NOW - timedelta(days=1)])
def test_a_token_is_judged_by_its_status_and_its_time(
    status: TokenStatus, valid_until: datetime | None
) -> None:
    answer = judge(Token("CARD", status, "GROUP", valid_until), NOW)
    over = status is TokenStatus.ACCEPTED and valid_until is not None and valid_until <= NOW
    assert answer.verdict is (TokenVerdict.EXPIRED if over else TokenVerdict(status.value))
    assert (answer.group_id, answer.valid_until) == ("GROUP", valid_until)


def test_a_token_that_nobody_knows_is_unknown() -> None:
    answer = judge(None, NOW)
    assert (answer.verdict, answer.group_id, answer.valid_until) == (TokenVerdict.UNKNOWN, None, None)


@given(st.text(max_size=40))
def test_letter_case_and_padding_make_no_difference(uid: str) -> None:
    assert fold_uid(fold_uid(uid)) == fold_uid(uid)
    assert fold_uid(f"  {uid} ") == fold_uid(uid)


@given(st.text("abcdefABCDEF0123456789-_", max_size=36))
def test_uids_of_the_specification_are_case_insensitive(uid: str) -> None:
    assert fold_uid(uid.upper()) == fold_uid(uid.lower()) == fold_uid(uid)
