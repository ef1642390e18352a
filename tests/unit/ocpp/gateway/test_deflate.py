"""Compression of single messages."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.ocpp.gateway.deflate import Deflate, InflatedTooBigError, InflateError, negotiate

BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        ("permessage-deflate", BOTH),
        ("permessage-deflate; client_max_window_bits", BOTH),
        ("permessage-deflate; client_max_window_bits=10", BOTH),
        ("Permessage-Deflate; server_no_context_takeover", BOTH),
        ("permessage-deflate; server_max_window_bits=10", BOTH + "; server_max_window_bits=10"),
        ('permessage-deflate; server_max_window_bits="12"', BOTH + "; server_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", BOTH),
        ("x-webkit-deflate-frame, permessage-deflate", BOTH),
    ],
)
def test_offers_that_can_be_met(offers: str, answer: str) -> None:
    agreed = negotiate(offers)
    assert agreed is not None
    assert agreed.header == answer


@pytest.mark.parametrize(
    "offers",
    [
        "",
        "permessage-bzip2",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    ],
)
def test_offers_that_are_declined(offers: str) -> None:
    assert negotiate(offers) is None


@given(st.binary(max_size=5000), st.integers(9, 15))
def test_what_is_compressed_comes_back(text: bytes, bits: int) -> None:
    agreed = negotiate(f"permessage-deflate; server_max_window_bits={bits}")
    assert agreed is not None
    compressed = agreed.compress(text)
    assert agreed.inflate(compressed, 5000) == text
    peer = zlib.decompressobj(-bits)
    assert peer.decompress(compressed + b"\x00\x00\xff\xff") == text


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = Deflate().compress(b"\x00" * 50_000_000)
    assert len(bomb) < 500_000
    with pytest.raises(InflatedTooBigError):
        Deflate().inflate(bomb, 1_000_000)


def test_exactly_the_limit_is_allowed() -> None:
    assert len(Deflate().inflate(Deflate().compress(b"x" * 1000), 1000)) == 1000
    with pytest.raises(InflatedTooBigError):
        Deflate().inflate(Deflate().compress(b"x" * 1001), 1000)


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_refused_or_read_within_the_limit(data: bytes) -> None:
    try:
        assert len(Deflate().inflate(data, 1000)) <= 1000
    except InflateError:
        return
