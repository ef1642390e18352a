"""Answers that a server got wrong do not stop a station."""

from __future__ import annotations

import pytest

from pilotwire.simulator.demo import generated_network
from pilotwire.simulator.device import Device
from pilotwire.simulator.rpc import Verdict
from pilotwire.simulator.wire.spelling import Wire
from pilotwire.simulator.wire.v2 import Wire2, id_token
from pilotwire.simulator.wire.v16 import Wire16

SPEC_16, SPEC_201 = generated_network(2, ("1.6", "2.0.1")).stations


@pytest.mark.parametrize(
    ("wire", "name", "expiry"),
    [
        (Wire16(SPEC_16, Device({})), "idTagInfo", "expiryDate"),
        (Wire2(SPEC_201, Device({})), "idTokenInfo", "cacheExpiryDateTime"),
    ],
)
def test_a_verdict_is_read_leniently(wire: Wire, name: str, expiry: str) -> None:
    assert wire.verdict({}) is None
    assert wire.verdict({name: "Accepted"}) is None
    assert wire.verdict({name: {"status": "Accepted", expiry: "tomorrow"}}) == Verdict("Accepted")
    read = wire.verdict({name: {"status": "Accepted", expiry: "2030-01-01T00:00:00Z"}})
    assert read is not None
    assert read.expires_at is not None


@pytest.mark.parametrize(("uid", "kind"), [("04A1B2C3D4E5F6", "ISO14443"), ("APP-1", "Central")])
def test_cards_are_told_from_other_tokens(uid: str, kind: str) -> None:
    assert id_token(uid) == {"idToken": uid, "type": kind}
