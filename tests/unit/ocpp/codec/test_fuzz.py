"""Whatever bytes come: a frame and a payload, or a declared error. Never another exception."""

import json
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotwire.ocpp.codec.envelope import Call, CallResult, Send, parse_frame, parse_frame_leniently
from pilotwire.ocpp.codec.errors import FrameError, PayloadError, UnknownAction
from pilotwire.ocpp.codec.json_repair import REPAIRS
from pilotwire.ocpp.codec.lenient import decode_leniently
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, encode

NOW = datetime(2026, 3, 1, tzinfo=UTC)
versions = st.sampled_from(list(OcppVersion))
many = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_PIECES = st.sampled_from(
    [
        b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"2", b"3", b"4", b"6", b"null", b"true", b"1e999",
        b"-0", b"99999999999999999999999", b'"id"', b'"Heartbeat"', b'"MeterValues"', b'"transactionId":',
        b'"configurationKey":[', b'"timestamp":"0001-01-01T00:00:00+14:00"', b"\\u0000", b"\\ud800", b"\xff",
        b"\x00", b"\xed\xa0\x80", b"\r\n", b"[" * 2000, b'{"a":' * 500, "\U0001f50c".encode(),
    ]
)  # fmt: skip
_NAMES = (
    "connectorId evseId transactionId meterValue timestamp sampledValue value errorCode status idTag "
    "idToken connectorStatus reason chargingStation chargePointVendor chargePointModel customData"
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["2026-01-01T00:00:00", "222222017", "9999-12-31T23:59:59-23:59", "kwh", "\0", "1e9999"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def survives(version: OcppVersion, data: bytes) -> None:
    try:
        parse_frame(version, data)
    except FrameError as refused:
        refused.code(version)
    try:
        frame, _ = parse_frame_leniently(version, data)
    except FrameError:
        return
    if isinstance(frame, Call | Send):
        survives_payload(version, frame.action, bytes(frame.payload))
    elif isinstance(frame, CallResult):
        survives_payload(version, "GetConfiguration", bytes(frame.payload))


def survives_payload(version: OcppVersion, action: str, payload: bytes) -> None:
    for kind in ("request", "response"):
        try:
            struct, _ = decode_leniently(version, action, kind, payload, NOW)  # type: ignore[arg-type]
        except (PayloadError, UnknownAction) as refused:
            refused.code(version)
        else:
            encode(version, action, kind, struct)  # type: ignore[arg-type]


@many
@given(versions, st.binary(max_size=200))
def test_any_bytes(version: OcppVersion, data: bytes) -> None:
    survives(version, data)


@many
@given(versions, st.lists(_PIECES, max_size=25))
def test_any_pieces_of_frames(version: OcppVersion, pieces: list[bytes]) -> None:
    survives(version, b"".join(pieces))
    survives(version, b'[2,"1","MeterValues",{' + b"".join(pieces) + b"}]")


@many
@given(versions, st.data())
def test_any_json_for_any_action(version: OcppVersion, data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(sorted(actions(version))))
    text = json.dumps(data.draw(st.dictionaries(st.text(max_size=8), _VALUES, max_size=4) | _VALUES))
    survives_payload(version, action, text.encode("utf-8", "surrogatepass"))


@many
@given(versions, st.data())
def test_the_right_fields_with_any_values(version: OcppVersion, data: st.DataObject) -> None:
    action = data.draw(
        st.sampled_from(["MeterValues", "StatusNotification", "BootNotification", "Authorize"])
    )
    document = data.draw(st.dictionaries(st.sampled_from(_NAMES.split()), _VALUES, max_size=8))
    survives_payload(version, action, json.dumps(document).encode())


@few
@given(st.binary(max_size=300) | st.lists(_PIECES, max_size=40).map(b"".join))
def test_every_repair_takes_any_bytes(data: bytes) -> None:
    for repair in REPAIRS:
        assert isinstance(repair.apply(data), bytes)


def test_a_repair_of_a_large_frame_takes_linear_time() -> None:
    # Quadratic behaviour would need hours for a megabyte of quotes or brackets.
    for data in (
        b'"\\' * 500_000,
        b'\\"' * 500_000,
        b"[," * 500_000,
        b":" + b" " * 1_000_000,
        b"[" * 1_000_000,
    ):
        for repair in REPAIRS:
            assert isinstance(repair.apply(data), bytes)
