import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilotwire.ocpp.codec.errors import Deviation, FaultKind, PayloadError
from pilotwire.ocpp.codec.lenient import (
    MAX_DEVIATIONS,
    decode_leniently,
    decode_request_leniently,
    decode_response_leniently,
)
from pilotwire.ocpp.codec.repair_rules import ALIASES, DEFAULTS, FALLBACKS
from pilotwire.ocpp.codec.v2.wire.actions import ACTIONS as ACTIONS_2
from pilotwire.ocpp.codec.v16.wire.actions import ACTIONS as ACTIONS_16
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import decode_request, encode

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(version: OcppVersion, action: str, payload: Any) -> tuple[Any, list[str]]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    struct, deviations = decode_request_leniently(version, action, data, NOW)
    encode(version, action, "request", struct)
    return struct, [each.code for each in deviations]


def status(**changes: Any) -> dict[str, Any]:
    return {"connectorId": 1, "errorCode": "NoError", "status": "Available", **changes}


def start(**changes: Any) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": "A", "meterStart": 1, "timestamp": "2026-01-01T00:00:00Z", **changes}


def meter(*samples: Any, timestamp: Any = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": timestamp, "sampledValue": list(samples)}]}


def event(**changes: Any) -> dict[str, Any]:
    return {
        "eventType": "Started",
        "timestamp": "2026-01-01T00:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        **changes,
    }


def test_a_conformant_message_needs_no_repair() -> None:
    struct, codes = read(V16, "StatusNotification", status())
    assert codes == []
    assert struct == decode_request(V16, "StatusNotification", json.dumps(status()).encode())


@pytest.mark.parametrize(
    ("changes", "codes", "field", "value"),
    [
        ({"foo": 1}, ["unknown_field"], "connectorId", 1),
        ({"connectorId": "1"}, ["text_as_number"], "connectorId", 1),
        ({"connectorId": "1.0"}, ["text_as_number"], "connectorId", 1),
        ({"status": "available "}, ["enum_spelling"], "status", "Available"),
        ({"status": "SUSPENDED_EV"}, ["enum_spelling"], "status", "SuspendedEV"),
        ({"status": "Occupied"}, ["enum_alias"], "status", "Preparing"),
        ({"errorCode": "Error"}, ["enum_fallback"], "errorCode", "OtherError"),
        ({"vendorId": 7}, ["number_as_text"], "vendorId", "7"),
        ({"info": "x" * 60}, ["text_cut"], "info", "x" * 50),
        ({"info": "\r\n" + "x" * 50}, ["text_cleaned"], "info", "x" * 50),
        ({"info": "a\0b"}, ["text_cleaned"], "info", "ab"),
        ({"timestamp": "2026-01-01T10:00:00"}, ["timestamp_without_zone"], "timestamp", 10),
        ({"timestamp": "2026-01-01T10:00:00+02"}, ["timestamp_format"], "timestamp", 8),
        ({"timestamp": "2026-01-01 10:30:00,0"}, ["timestamp_without_zone"], "timestamp", 10.5),
        ({"timestamp": "2026-01-01T10:00Z"}, ["timestamp_format"], "timestamp", 10),
        ({"timestamp": "2026-01-01T09:59:60Z"}, ["timestamp_format"], "timestamp", 10),
        ({"timestamp": 1767261600}, ["timestamp_epoch"], "timestamp", 10),
        ({"timestamp": "1767261600000"}, ["timestamp_epoch"], "timestamp", 10),
    ],
)
def test_a_field_is_repaired(changes: dict[str, Any], codes: list[str], field: str, value: Any) -> None:
    struct, found = read(V16, "StatusNotification", status(**changes))
    assert found == codes
    expected = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=value) if field == "timestamp" else value
    assert getattr(struct, field) == expected


def test_a_key_in_other_letters_is_found() -> None:
    payload = {"connectorid": 1, "error_code": "NoError", "Status": "Available", "status": "Faulted"}
    struct, codes = read(V16, "StatusNotification", payload)
    assert (struct.connectorId, struct.errorCode, struct.status) == (1, "NoError", "Faulted")
    assert codes == ["key_case", "key_case", "unknown_field"]


@pytest.mark.parametrize(
    "text", ["222222017", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "soon", 3, True]
)
def test_a_required_time_that_means_nothing_becomes_the_time_of_receipt(text: Any) -> None:
    struct, codes = read(V16, "StartTransaction", start(timestamp=text))
    assert struct.timestamp == NOW
    assert codes == ["timestamp_implausible"]


def test_a_required_time_that_is_missing_becomes_the_time_of_receipt() -> None:
    payload = start()
    del payload["timestamp"]
    struct, codes = read(V16, "StartTransaction", payload)
    assert (struct.timestamp, codes) == (NOW, ["timestamp_missing"])


def test_an_optional_time_that_means_nothing_is_dropped() -> None:
    struct, codes = read(V16, "StatusNotification", status(timestamp="9999-12-31T23:59:59-14:00"))
    assert "timestamp" not in json.loads(encode(V16, "StatusNotification", "request", struct))
    assert codes == ["timestamp_implausible"]


def test_a_card_number_is_cleaned_but_never_cut() -> None:
    struct, codes = read(V16, "StartTransaction", start(idTag="12345678901234567890\r\n"))
    assert (struct.idTag, codes) == ("12345678901234567890", ["text_cleaned"])
    with pytest.raises(PayloadError) as caught:
        read(V16, "StartTransaction", start(idTag="x" * 21))
    assert caught.value.path == "idTag"


@pytest.mark.parametrize(("given", "read_as"), [(12.5, 13), ("12,4", 12), ("12.6", 13), (12.0, 12)])
def test_a_register_with_a_fraction_is_rounded(given: Any, read_as: int) -> None:
    struct, _ = read(V16, "StartTransaction", start(meterStart=given))
    assert struct.meterStart == read_as


@pytest.mark.parametrize("given", ["1e999999", "1" * 39, 1e30, "x", [], {}, "", True, None])
def test_a_register_that_is_no_number_is_refused(given: Any) -> None:
    with pytest.raises(PayloadError) as caught:
        read(V16, "StartTransaction", start(meterStart=given))
    assert caught.value.path == "meterStart"


def test_a_free_text_reason_is_other_and_null_is_nothing() -> None:
    payload = {
        "transactionId": 1,
        "meterStop": 2,
        "timestamp": "2026-01-01T00:00:00Z",
        "reason": "user pressed it",
        "idTag": None,
    }
    struct, codes = read(V16, "StopTransaction", payload)
    assert struct.reason == "Other"
    assert sorted(codes) == ["enum_fallback", "null_dropped"]


def test_samples_are_repaired_one_by_one() -> None:
    struct, codes = read(
        V16,
        "MeterValues",
        meter(
            {"value": 1.5, "unit": "wh"},
            {"value": "50", "unit": "Hz", "measurand": "Frequency"},
            {"value": "1", "location": "Roof"},
            {"unit": "Wh"},
        ),
    )
    samples = struct.meterValue[0].sampledValue
    assert [(each.value, each.unit) for each in samples[:2]] == [("1.5", "Wh"), ("50", "Hertz")]
    assert len(samples) == 3
    assert codes == ["number_as_text", "enum_spelling", "enum_alias", "invalid_dropped", "item_dropped"]


@pytest.mark.parametrize("field", ["measurand", "unit", "phase"])
def test_a_sample_never_becomes_another_one_by_losing_a_field(field: str) -> None:
    struct, codes = read(V16, "MeterValues", meter({"value": "7", field: "Fantasy"}, {"value": "8"}))
    assert [each.value for each in struct.meterValue[0].sampledValue] == ["8"]
    assert codes == ["item_dropped"]


def test_a_list_left_empty_is_a_fault_where_it_may_not_be() -> None:
    with pytest.raises(PayloadError):
        read(V16, "MeterValues", meter({"value": "7", "unit": "Fantasy"}))


def test_the_fault_that_is_raised_is_the_one_of_the_strict_reader() -> None:
    with pytest.raises(PayloadError) as caught:
        read(V16, "BootNotification", {})
    assert caught.value.kind is FaultKind.MISSING
    assert caught.value.path == "chargePointVendor"


@pytest.mark.parametrize(
    ("payload", "codes"),
    [
        (b'{"connectorId":1,"transactionId":,"meterValue":%s}', ["value_missing", "null_dropped"]),
        (b'{"connectorId":1,"meterValue":%s,}', ["trailing_comma"]),
        (b'{"connectorId":1,"meterValue":%s,"x":"\xff"}', ["invalid_utf8", "unknown_field"]),
        (b'{"connectorId":1,"meterValue":%s,"x":"\\ud800"}', ["lone_surrogate", "unknown_field"]),
    ],
)
def test_broken_json_is_repaired(payload: bytes, codes: list[str]) -> None:
    values = b'[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}]'
    struct, found = read(V16, "MeterValues", payload % values)
    assert struct.meterValue[0].sampledValue[0].value == "1"
    assert found == codes


def test_null_is_an_empty_payload_and_one_object_a_list() -> None:
    assert read(V16, "Heartbeat", b"null")[1] == ["payload_absent"]
    value = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": {"value": "1"}}
    struct, codes = read(V16, "MeterValues", {"connectorId": 1, "meterValue": value})
    assert len(struct.meterValue[0].sampledValue) == 1
    assert codes == ["not_a_list", "not_a_list"]


def test_data_as_an_object_is_kept_as_text_in_16() -> None:
    struct, codes = read(V16, "DataTransfer", {"vendorId": "x", "data": {"a": [1]}})
    assert (struct.data, codes) == ('{"a":[1]}', ["json_as_text"])


def test_fields_and_values_of_a_later_version_are_survived_in_201() -> None:
    payload = event(
        evseSleep=True, triggerReason="LimitSet", seqNo="1", idToken={"idToken": "A", "type": "RFID"}
    )
    struct, codes = read(V201, "TransactionEvent", payload)
    assert (struct.triggerReason, struct.seqNo, struct.idToken.type) == ("AbnormalCondition", 1, "ISO14443")
    assert sorted(codes) == ["enum_alias", "enum_fallback", "text_as_number", "unknown_field"]


def test_custom_data_without_a_vendor_is_dropped() -> None:
    struct, codes = read(V21, "Heartbeat", {"customData": {"x": 1}})
    assert encode(V21, "Heartbeat", "request", struct) == b"{}"
    assert codes == ["invalid_dropped"]


def test_a_status_of_16_in_a_2x_message_is_occupied() -> None:
    payload = {
        "timestamp": "2026-01-01T00:00:00Z",
        "connectorStatus": "SuspendedEVSE",
        "evseId": 1,
        "connectorId": 1,
    }
    struct, codes = read(V201, "StatusNotification", payload)
    assert (struct.connectorStatus, codes) == ("Occupied", ["enum_alias"])


def test_an_answer_is_repaired_too() -> None:
    payload = b'{"configurationKey":[{"key":"a","value":5},{"key":"b","readonly":"true"}]}'
    struct: Any
    struct, deviations = decode_response_leniently(V16, "GetConfiguration", payload, NOW)
    assert [(each.key, each.readonly) for each in struct.configurationKey] == [("a", False), ("b", True)]
    assert [each.code for each in deviations] == ["missing_defaulted", "number_as_text", "text_as_truth"]
    again, _ = decode_leniently(V16, "GetConfiguration", "response", payload, NOW)
    assert again == struct


def test_a_limit_with_two_decimals_is_rounded() -> None:
    payload = {
        "status": "Accepted",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": "21.46"}],
        },
    }
    struct: Any
    struct, _ = decode_response_leniently(V16, "GetCompositeSchedule", json.dumps(payload).encode(), NOW)
    assert struct.chargingSchedule.chargingSchedulePeriod[0].limit == 21.5


def test_a_flood_of_deviations_is_bounded() -> None:
    flood = {f"x{index}": 1 for index in range(1000)}
    _, deviations = decode_request_leniently(V16, "Heartbeat", json.dumps(flood).encode(), NOW)
    assert len(deviations) == MAX_DEVIATIONS
    assert all(isinstance(each, Deviation) and len(each.detail) < 200 for each in deviations)


def test_every_rule_speaks_of_a_field_that_exists() -> None:
    fields: dict[str, set[str]] = {}
    queue = [
        each
        for table in (ACTIONS_16, ACTIONS_2)
        for types in table.values()
        for each in (types.request, types.response)
        if each
    ]
    while queue:
        struct = queue.pop()
        fields.setdefault(struct.__name__, set()).update(struct.__struct_fields__)
        module = __import__(struct.__module__, fromlist=["_"])
        queue += [
            each
            for name, each in vars(module).items()
            if isinstance(each, type) and hasattr(each, "__struct_fields__") and name not in fields
        ]
    for struct_name, field in [*DEFAULTS, *FALLBACKS, *ALIASES]:
        assert field in fields[struct_name]
