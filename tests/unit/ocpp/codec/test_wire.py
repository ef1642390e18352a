import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pilotwire.ocpp.codec.errors import FaultKind, PayloadError, UnknownAction
from pilotwire.ocpp.codec.v2.wire.smart_charging import SetChargingProfileRequest
from pilotwire.ocpp.codec.v2.wire.transactions import TransactionEventResponse, TransactionLimitType
from pilotwire.ocpp.codec.v16.wire.core import BootNotificationResponse, HeartbeatResponse
from pilotwire.ocpp.codec.v16.wire.smart_charging import SetChargingProfileRequest as SetChargingProfile16
from pilotwire.ocpp.codec.v16.wire.types import ChargingSchedulePeriod
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import (
    decode_request,
    decode_response,
    direction,
    encode,
    request_type,
    response_type,
)
from pilotwire.ocpp.codec.wiretypes import CustomData

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
ROOT = Path(__file__).parents[4]


def refused(version: OcppVersion, action: str, payload: bytes) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        decode_request(version, action, payload)
    return caught.value


def meter_values(timestamp: str) -> bytes:
    value = {"timestamp": timestamp, "sampledValue": [{"value": "1"}]}
    return json.dumps({"connectorId": 1, "meterValue": [value]}).encode()


def test_the_modules_are_what_the_script_generates() -> None:
    script = ROOT / "scripts" / "generate_codec.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("version", "action", "sender"),
    [
        (V16, "BootNotification", "cs"),
        (V16, "RemoteStartTransaction", "csms"),
        (V16, "DataTransfer", "both"),
        (V201, "TransactionEvent", "cs"),
        (V21, "NotifyPeriodicEventStream", "cs"),
        (V21, "AFRRSignal", "csms"),
    ],
)
def test_who_sends_an_action(version: OcppVersion, action: str, sender: str) -> None:
    assert direction(version, action) == sender


def test_an_unknown_action_is_named() -> None:
    with pytest.raises(UnknownAction, match=r"OCPP 1\.6 has no action 'TransactionEvent'"):
        decode_request(V16, "TransactionEvent", b"{}")
    with pytest.raises(UnknownAction):
        direction(V16, "x" * 1000)
    assert request_type(V21, "NotifyPeriodicEventStream").__name__ == "NotifyPeriodicEventStreamRequest"
    with pytest.raises(UnknownAction):
        response_type(V21, "NotifyPeriodicEventStream")


@pytest.mark.parametrize(
    ("payload", "kind", "path"),
    [
        (b"{}", FaultKind.MISSING, "connectorId"),
        (b'{"connectorId":"1","meterValue":[]}', FaultKind.TYPE, "connectorId"),
        (b'{"connectorId":1.5,"meterValue":[]}', FaultKind.TYPE, "connectorId"),
        (b'{"connectorId":1,"meterValue":[]}', FaultKind.OCCURRENCE, "meterValue"),
        (b'{"connectorId":1,"meterValue":[{"timestamp":1}]}', FaultKind.TYPE, "meterValue[0].timestamp"),
        (b'{"connectorId":99999999999999999999}', FaultKind.VALUE, "connectorId"),
        (b'{"connectorId":1e400}', FaultKind.VALUE, "connectorId"),
        (b'{"x":1}', FaultKind.UNKNOWN_FIELD, "x"),
        (b"[]", FaultKind.MALFORMED, ""),
        (b"null", FaultKind.MALFORMED, ""),
        (b"", FaultKind.MALFORMED, ""),
        (b'{"connectorId":1', FaultKind.MALFORMED, ""),
        (b'{"\xff":1}', FaultKind.MALFORMED, ""),
        (b'{"connectorId":NaN}', FaultKind.MALFORMED, ""),
    ],
)
def test_a_fault_is_classified_and_located(payload: bytes, kind: FaultKind, path: str) -> None:
    fault = refused(V16, "MeterValues", payload)
    assert (fault.kind, fault.path) == (kind, path)


def test_an_integer_may_be_written_with_a_fraction_of_zero() -> None:
    payload = meter_values("2026-01-01T00:00:00Z").replace(b'"connectorId": 1', b'"connectorId": 5.0')
    assert decode_request(V16, "MeterValues", payload) == decode_request(
        V16, "MeterValues", payload.replace(b"5.0", b"5")
    )


@pytest.mark.parametrize("limit", [21.4, 0.3, 16, 1000000.1])
def test_one_decimal_is_a_multiple_of_a_tenth(limit: float) -> None:
    profile = {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        },
    }
    struct = decode_request(V16, "SetChargingProfile", json.dumps(profile).encode())
    assert json.loads(encode(V16, "SetChargingProfile", "request", struct)) == profile


def test_two_decimals_are_neither_read_nor_sent_in_16() -> None:
    with pytest.raises(ValueError, match=r"multiple of 0\.1"):
        ChargingSchedulePeriod(startPeriod=0, limit=21.45)


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_an_implausible_time_is_refused_before_it_can_hurt(year: str) -> None:
    fault = refused(V16, "MeterValues", meter_values(f"{year}-06-01T00:00:00+14:00"))
    assert (fault.kind, fault.path) == (FaultKind.VALUE, "meterValue[0]")


@pytest.mark.parametrize("text", ["2026-01-01 00:00:00Z", "2026-01-01T02:00:00+0200"])
def test_two_harmless_forms_of_a_time_are_read_although_rfc_3339_has_them_otherwise(text: str) -> None:
    assert decode_request(V16, "MeterValues", meter_values(text)) == decode_request(
        V16, "MeterValues", meter_values("2026-01-01T00:00:00Z")
    )


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01T23:59:60Z", "2026-01-01 00:00", "x"])
def test_a_time_must_be_rfc_3339_with_a_zone(text: str) -> None:
    fault = refused(V16, "MeterValues", meter_values(text))
    assert fault.kind is FaultKind.VALUE


def test_a_nul_is_refused_and_a_backslash_is_not() -> None:
    assert refused(V16, "Authorize", b'{"idTag":"a\\u0000"}').kind is FaultKind.VALUE
    assert decode_request(V16, "Authorize", b'{"idTag":"a\\\\u0000"}')
    assert refused(V201, "DataTransfer", b'{"vendorId":"x","data":{"\\u0000":1}}').kind is FaultKind.VALUE


def test_free_json_may_be_nested_but_not_without_end() -> None:
    def payload(depth: int) -> bytes:
        return b'{"vendorId":"x","data":' + b"[" * depth + b"]" * depth + b"}"

    assert decode_request(V201, "DataTransfer", payload(60))
    for depth in (70, 900, 100_000):
        assert refused(V201, "DataTransfer", payload(depth)).kind in {FaultKind.VALUE, FaultKind.MALFORMED}


def test_payloads_come_in_any_kind_of_bytes() -> None:
    data = b'{"idTag":"a"}'
    for payload in (data, bytearray(data), memoryview(data)):
        assert decode_request(V16, "Authorize", payload) == decode_request(V16, "Authorize", data)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, microsecond=123456, tzinfo=UTC), "2026-01-01T00:00:00.123Z"),
        (datetime(2026, 1, 1, microsecond=999, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 2, 0, 0, 5000, timezone(-timedelta(hours=2))), "2026-01-01T04:00:00.005Z"),
    ],
)
def test_times_are_sent_in_utc_with_milliseconds_at_most(moment: datetime, written: str) -> None:
    data = encode(V16, "Heartbeat", "response", HeartbeatResponse(currentTime=moment))
    assert json.loads(data) == {"currentTime": written}


def test_text_that_looks_like_a_time_is_sent_as_it_is() -> None:
    payload = b'{"vendorId":"x","data":"2026-01-01T00:00:00.123456Z"}'
    struct = decode_request(V201, "DataTransfer", payload)
    assert json.loads(encode(V201, "DataTransfer", "request", struct)) == json.loads(payload)


def test_a_time_without_a_zone_is_not_sent() -> None:
    answer = HeartbeatResponse(currentTime=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(PayloadError) as caught:
        encode(V16, "Heartbeat", "response", answer)
    assert caught.value.path == "currentTime"


def test_a_value_that_is_not_listed_is_not_sent() -> None:
    answer: Any = BootNotificationResponse(
        status="Maybe",  # type: ignore[arg-type]
        currentTime=datetime(2026, 1, 1, tzinfo=UTC),
        interval=60,
    )
    with pytest.raises(PayloadError) as caught:
        encode(V16, "BootNotification", "response", answer)
    assert caught.value.path == "status"


def test_the_struct_of_another_message_is_not_sent() -> None:
    answer = HeartbeatResponse(currentTime=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(TypeError, match="BootNotification response is a BootNotificationResponse"):
        encode(V16, "BootNotification", "response", answer)


def test_fields_since_21_are_left_out_for_201() -> None:
    limit = TransactionLimitType(maxCost=3.0)
    answer = TransactionEventResponse(totalCost=1.5, transactionLimit=limit)
    assert encode(V201, "TransactionEvent", "response", answer) == b'{"totalCost":1.5}'
    assert b"maxCost" in encode(V21, "TransactionEvent", "response", answer)


def test_custom_data_is_kept_as_it_came() -> None:
    payload = b'{"customData":{"vendorId":"x","more":[1,{"a":null}]}}'
    struct: Any = decode_request(V21, "Heartbeat", payload)
    assert struct.customData == CustomData({"vendorId": "x", "more": [1, {"a": None}]})
    assert struct.customData.vendor_id == "x"
    assert encode(V21, "Heartbeat", "request", struct) == payload


def test_a_response_is_read_by_its_own_type() -> None:
    answer = decode_response(V16, "SetChargingProfile", b'{"status":"Accepted"}')
    assert type(answer).__name__ == "SetChargingProfileResponse"


def test_the_versions_have_types_of_their_own() -> None:
    assert request_type(V16, "SetChargingProfile") is SetChargingProfile16
    assert request_type(V201, "SetChargingProfile") is SetChargingProfileRequest
