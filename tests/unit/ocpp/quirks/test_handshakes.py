"""Handshakes of real stations, through the gate and the doorkeeper."""

from base64 import b64encode
from typing import Any

import msgspec
import pytest

from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.ocpp.doorkeeper import StationDirectory, StationDoorkeeper
from pilotwire.ocpp.gateway.gate import Caller, Gate
from pilotwire.ocpp.gateway.handshake import HeadFault, parse_head
from pilotwire.ocpp.gateway.handshake_log import HandshakeLog
from pilotwire.ocpp.gateway.limits import Limits
from pilotwire.ocpp.gateway.ports import Admit, Refuse
from pilotwire.ocpp.gateway.subprotocol import spelling_to_answer
from tests.support.quirk_corpus.player import NOW, bytes_of, cases

PEPPER = b"pepper"
SECRET = b"0123456789abcdef"
BINARY = bytes.fromhex("ff00fe3a80c1d2e3f4a5b6c7d8e9fa0b")
STATION = Caller("192.0.2.1", "192.0.2.1", secure=False, certificate=None)
STRANGER = Caller("198.51.100.9", "198.51.100.9", secure=False, certificate=None)
ALL_HANDSHAKES = cases("handshake")


def record(number: int, identity: str, secret: bytes, case: dict[str, Any]) -> StationRecord:
    make = case.get("station", {})
    return StationRecord(
        number, 1, identity, Admission.ACCEPTED, digest_secret(PEPPER, secret), None, 1, None,
        make.get("vendor", ""), make.get("model", ""), "", {}, enrolled=False,
    )  # fmt: skip


def gate_for(case: dict[str, Any]) -> Gate:
    directory = StationDirectory()
    known = [
        record(1, "CP1", SECRET, case),
        record(2, "RDAM|123", SECRET, case),
        record(3, "Depot-7", SECRET, case),
    ]
    if case["quirk"] == "password_not_text":
        known[2] = msgspec.structs.replace(known[2], secret_digest=digest_secret(PEPPER, BINARY))
    directory.fill(known, [])
    clock = iter(range(1000, 10**6)).__next__
    return Gate(StationDoorkeeper(directory, PEPPER, lambda: NOW), Limits(), HandshakeLog(), "/ocpp", clock)


def head_of(case: dict[str, Any]) -> bytes:
    """The request head as such a station writes it."""
    password = case.get("password", SECRET.decode())
    secret = bytes_of(password) if isinstance(password, dict) else password.encode()
    token = b64encode(case.get("user", "CP1").encode() + b":" + secret).decode()
    headers = {
        "Host": "csms.example",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": case.get("protocols", "ocpp1.6"),
        "Authorization": f"Basic {token}",
        **case.get("headers", {}),
    }
    lines = [f"GET {case.get('path', '/ocpp/CP1')} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("case", ALL_HANDSHAKES, ids=lambda case: str(case["quirk"]))
def test_the_handshake_is_taken_as_it_is_meant(case: dict[str, Any]) -> None:
    gate = gate_for(case)
    expect = case["expect"]
    genuine = head_of({**case, "path": "/ocpp/CP1", "user": "CP1", "password": SECRET.decode()})
    if case.get("genuine"):
        assert isinstance(gate.judge(parse_head(genuine), STATION), Admit)
    caller = STRANGER if case.get("genuine") else STATION
    for attempt in [case] * case.get("times", 1) + ([{**case, **case["then"]}] if "then" in case else []):
        request = parse_head(head_of(attempt))
        verdict = gate.judge(request, caller)
    if "refused" in expect:
        assert isinstance(verdict, Refuse)
        assert verdict.status == expect["refused"]
        assert verdict.retry_after_s is not None
    else:
        assert isinstance(verdict, Admit)
        assert not isinstance(request, HeadFault)
        assert verdict.identity == expect.get("identity", "CP1")
        assert verdict.ping == expect.get("ping", True)
        if "subprotocol" in expect:
            assert verdict.subprotocol == expect["subprotocol"]
        if "spelling" in expect:
            assert spelling_to_answer(request.offered, verdict.subprotocol) == expect["spelling"]
    if "ping_within_s" in expect:
        assert Limits().ping_interval_s < expect["ping_within_s"]
    if case.get("genuine"):
        # Whoever guesses in its name, the station itself still gets in.
        assert isinstance(gate.judge(parse_head(genuine), STATION), Admit)
