"""Numbers and moments as the API shows and takes them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pilotwire.web.api.fields import Moment, exact, rounded
from pilotwire.web.api.sessions import show_transaction_id


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=3))
def test_a_register_is_shown_to_the_last_place(value: Decimal) -> None:
    shown = exact(value)
    assert Decimal(repr(shown)) == value
    assert isinstance(shown, int) == (value == int(value))


def test_measured_values_lose_their_binary_noise() -> None:
    assert rounded(7360.10009765625, 1) == 7360.1
    assert rounded(None, 1) is None


@pytest.mark.parametrize(
    ("ref", "start_key", "shown"),
    [
        ("42", "k", 42),
        ("42", None, "42"),
        ("tx-42", "k", "tx-42"),
        ("٤٢", "k", "٤٢"),
        ("9" * 20, "k", "9" * 20),
    ],
)
def test_only_what_a_1_6_station_counts_is_a_number(
    ref: str, start_key: str | None, shown: int | str
) -> None:
    assert show_transaction_id(ref, start_key) == shown


def test_a_moment_without_a_zone_is_utc() -> None:
    read = TypeAdapter(Moment).validate_python
    assert read("2030-01-01T00:00:00") == datetime(2030, 1, 1, tzinfo=UTC)
    assert read("2030-01-01T00:00:00+02:00") == datetime(2029, 12, 31, 22, tzinfo=UTC)
    for wrong in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", 1, 1.5, True, "soon"):
        with pytest.raises(ValidationError):
            read(wrong)
