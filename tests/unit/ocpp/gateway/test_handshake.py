"""Reading request heads and writing answers."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.ocpp.gateway.handshake import (
    HeadFault,
    UpgradeRequest,
    parse_authorization,
    parse_head,
    printable,
    refusal_bytes,
)
from pilotwire.ocpp.gateway.ports import Credentials, HandshakeProblem, Refuse

KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


def head(*lines: str, first: str = "GET /ocpp/CP-1 HTTP/1.1", key: str = KEY) -> bytes:
    return "\r\n".join([first, "Upgrade: websocket", f"Sec-WebSocket-Key: {key}", *lines]).encode()


def test_a_request_with_everything() -> None:
    request = parse_head(
        head(
            "Connection: keep-alive, Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1",
            "sec-websocket-protocol:ocpp2.1",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Authorization: Basic abc",
            "User-Agent: Charger\t1",
        )
    )
    assert request == UpgradeRequest(
        raw_path="/ocpp/CP-1",
        key=KEY,
        authorization="Basic abc",
        offered=("ocpp1.6", "ocpp2.0.1", "ocpp2.1"),
        extensions="permessage-deflate",
        user_agent="Charger\N{REPLACEMENT CHARACTER}1",
    )


def test_upgrade_and_key_are_enough() -> None:
    assert isinstance(parse_head(head()), UpgradeRequest)


def test_blanks_in_the_path_are_kept() -> None:
    request = parse_head(head(first="GET /ocpp/My Station HTTP/1.1"))
    assert request.raw_path == "/ocpp/My Station"


@pytest.mark.parametrize(
    ("raw", "status", "problem"),
    [
        (b"GET /ocpp/CP-1 HTTP/1.1\r\nHost: x", 426, HandshakeProblem.NOT_WEBSOCKET),
        (head("Sec-WebSocket-Version: 9"), 426, HandshakeProblem.MALFORMED_REQUEST),
        (head(first="POST /ocpp/CP-1 HTTP/1.1"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(first="GET /ocpp/CP-1"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(first="GET /ocpp/CP-1 HTTP/2.0"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(key=""), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(key="c2hvcnQ="), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(key="ä"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head("no colon"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(" folded: value"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head("X: a\x00b"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head("X: a\nY: b"), 400, HandshakeProblem.MALFORMED_REQUEST),
        (head(*(f"X{n}: 1" for n in range(80))), 400, HandshakeProblem.MALFORMED_REQUEST),
        (b"", 400, HandshakeProblem.MALFORMED_REQUEST),
    ],
)
def test_what_cannot_become_a_websocket(raw: bytes, status: int, problem: HandshakeProblem) -> None:
    fault = parse_head(raw)
    assert isinstance(fault, HeadFault)
    assert (fault.refusal.status, fault.refusal.reason) == (status, problem)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(raw: bytes) -> None:
    assert isinstance(parse_head(b"GET " + raw), UpgradeRequest | HeadFault)
    assert isinstance(parse_head(head() + b"\r\n" + raw), UpgradeRequest | HeadFault)


def basic(raw: bytes) -> str:
    return "Basic " + b64encode(raw).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (basic(b"CP-1:secret"), Credentials(b"CP-1", b"secret")),
        (basic(b"CP-1:a:b"), Credentials(b"CP-1", b"a:b")),
        (basic(b":secret"), Credentials(b"", b"secret")),
        (basic(b"CP-1:"), Credentials(b"CP-1", b"")),
        (basic(b"CP-1:\xff\x00\xfe"), Credentials(b"CP-1", b"\xff\x00\xfe")),
        (basic(b"CP-1:secret").rstrip("="), Credentials(b"CP-1", b"secret")),
        ("basic   " + b64encode(b"CP-1:secret").decode(), Credentials(b"CP-1", b"secret")),
    ],
)
def test_credentials_are_the_bytes_that_were_sent(header: str, expected: Credentials) -> None:
    assert parse_authorization(header) == (expected, False)


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic ä", basic(b"nocolon")])
def test_malformed_credentials_are_told_from_missing_ones(header: str) -> None:
    assert parse_authorization(header) == (None, True)
    assert parse_authorization(None) == (None, False)


def test_a_password_is_never_printed() -> None:
    assert "geheim" not in repr(Credentials(b"CP-1", b"geheim"))


def test_answers_depend_on_the_status_alone() -> None:
    unknown = refusal_bytes(Refuse(401, HandshakeProblem.UNKNOWN_IDENTITY, detail="no such station"))
    wrong = refusal_bytes(Refuse(401, HandshakeProblem.WRONG_PASSWORD, detail="digest differs"))
    assert unknown == wrong
    assert b"WWW-Authenticate: Basic" in wrong
    busy = refusal_bytes(Refuse(503, HandshakeProblem.OVERLOADED, retry_after_s=7))
    assert b"Retry-After: 7\r\n" in busy


def test_printable_bounds_and_replaces() -> None:
    assert (
        printable("a\x00b\ud800c" + "x" * 20, 6) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}cx"
    )
