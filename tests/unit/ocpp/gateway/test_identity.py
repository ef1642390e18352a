"""Which station a path may mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.ocpp.gateway.identity import MAX_IDENTITY_CHARS, SERVICE_WORDS, identity_candidates


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("/ocpp/CP-1", "CP-1"),
        ("/ocpp/CP-1/", "CP-1"),
        ("/ocpp//CP-1//", "CP-1"),
        ("/OCPP/CP-1", "CP-1"),
        ("/CP-1", "CP-1"),
        ("CP-1", "CP-1"),
        ("/ocpp/ocpp/CP-1", "CP-1"),
        ("/ocpp/1.6/CP-1", "1.6"),
        ("/ocpp/ocpp1.6/CP-1", "CP-1"),
        ("/steve/websocket/CentralSystemService/CP-1", "CP-1"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/RDAM%257C123", "RDAM%7C123"),
        ("/ocpp/CP%201", "CP 1"),
        ("/ocpp/CP 1", "CP 1"),
        ("/ocpp/%E4%BD%A0", "你"),
        ("/ocpp/CP-1?token=x&y=/z", "CP-1"),
        ("/ocpp/ws://csms.example:9000/ocpp/CP-1", "CP-1"),
        ("/ocpp/wss:/csms.example/ocpp/CP-1", "CP-1"),
        ("/ocpp/wss%3A%2F%2Fcsms.example%2Focpp%2FCP-1", "CP-1"),
        ("ws://csms.example:9000/ocpp/CP-1", "CP-1"),
        ("/ocpp/CP-1/SERIAL99", "CP-1"),
    ],
)
def test_the_likeliest_reading_comes_first(path: str, first: str) -> None:
    assert identity_candidates(path)[0] == first


@pytest.mark.parametrize(
    ("path", "among"),
    [
        ("/ocpp/1.6/CP-1", "CP-1"),
        ("/ocpp/tenant/CP-1", "CP-1"),
        ("/ocpp/CP-1/SERIAL99", "CP-1/SERIAL99"),
        ("/ocpp/RDAM%257C123", "RDAM|123"),
        ("/ocpp/RDAM%7C123", "RDAM%7C123"),
        ("/backend/CP-1/SERIAL99", "CP-1/SERIAL99"),
        ("/ocpp/Cp-1", "cp-1"),
    ],
)
def test_other_readings_are_among_the_candidates(path: str, among: str) -> None:
    assert among in identity_candidates(path)


def test_exact_spellings_come_before_case_folded_ones() -> None:
    assert identity_candidates("/ocpp/Ab/Cd") == ("Ab", "Cd", "Ab/Cd", "ab", "cd", "ab/cd")


def test_another_prefix_can_be_configured() -> None:
    assert identity_candidates("/my/stations/CP-1", "/my/stations")[0] == "CP-1"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/ocpp",
        "/ocpp/",
        "/ocpp/ocpp/",
        "/ocpp/%00",
        "/ocpp/a%0D%0Ab",
        "/ocpp/a\x7fb",
        "/ocpp/%C2%85",
        "/ocpp/" + "x" * (MAX_IDENTITY_CHARS + 1),
        "/ocpp/" + "x/" * 600,
        "/ocpp/?id=CP-1",
        "/ocpp/ws://host",
    ],
)
def test_no_candidate_in_an_unusable_path(path: str) -> None:
    assert identity_candidates(path) == ()


@given(st.text(max_size=1200))
def test_any_path_gives_few_printable_candidates(path: str) -> None:
    candidates = identity_candidates("/ocpp/" + path)
    assert len(candidates) <= 16
    for candidate in candidates:
        assert candidate.isprintable()
        assert candidate.casefold() not in SERVICE_WORDS
        assert len(candidate) <= 3 * MAX_IDENTITY_CHARS  # case-folding may lengthen
