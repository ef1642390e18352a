"""T4: no secret survives in what is stored; everything else does."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.ocpp.redaction import redacted, stored_text

CANARY = "c4n4ry-0123456789"
BASIC_AUTH = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
HARMLESS = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


def config(key: str = "AuthorizationKey", value: Any = CANARY, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, **more}


FRAMES: dict[str, Any] = {
    "ChangeConfiguration": [2, "1", "ChangeConfiguration", config()],
    "ChangeConfiguration, other case": [2, "1", "ChangeConfiguration", config("AUTHORIZATIONKEY")],
    "ChangeConfiguration, padded": [2, "1", "ChangeConfiguration", config("AuthorizationKey ")],
    "ChangeConfiguration, a vendor's key": [2, "1", "ChangeConfiguration", config("WifiPassword")],
    "ChangeConfiguration, a passphrase": [2, "1", "ChangeConfiguration", config("WiFi.Passphrase")],
    "ChangeConfiguration, a client secret": [2, "1", "ChangeConfiguration", config("OAuthClientSecret")],
    "GetConfiguration answer": [3, "1", {"configurationKey": [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"}, config(readonly=False), {"key": "Other"},
    ], "unknownKey": ["Nope"]}],
    "GetConfiguration answer, other case": [3, "1", {"ConfigurationKey": [
        {"Key": "AuthorizationKey", "Value": CANARY, "ReadOnly": False}]}],
    "SetVariables": [2, "1", "SetVariables", {"setVariableData": [
        {"attributeValue": CANARY, "attributeType": "Actual", **BASIC_AUTH}, {"attributeValue": "300", **HARMLESS}]}],
    "GetVariables answer": [3, "1", {"getVariableResult": [
        {"attributeStatus": "Accepted", "attributeType": "Actual", "attributeValue": CANARY, **BASIC_AUTH},
        {"attributeStatus": "Accepted", "attributeValue": "300", **HARMLESS}]}],
    "NotifyReport": [2, "1", "NotifyReport", {
        "requestId": 7, "seqNo": 0, "generatedAt": "2026-03-01T12:00:00Z", "tbc": False, "reportData": [
            {**HARMLESS, "variableAttribute": [{"type": "Actual", "value": "300"}]},
            {**BASIC_AUTH, "variableAttribute": [{"type": "Actual", "value": CANARY, "mutability": "WriteOnly"}],
             "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False, "maxLimit": 40}}]}],
    "NotifyEvent": [2, "1", "NotifyEvent", {"generatedAt": "2026-03-01T12:00:00Z", "seqNo": 0, "eventData": [
        {"eventId": 1, "timestamp": "2026-03-01T12:00:00Z", "trigger": "Delta", "actualValue": CANARY,
         "eventNotificationType": "HardWiredNotification", **BASIC_AUTH}]}],
    "SetNetworkProfile": [2, "1", "SetNetworkProfile", {"configurationSlot": 1, "connectionData": {
        "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": "wss://csms.example/ocpp",
        "messageTimeout": 30, "securityProfile": 2, "ocppInterface": "Wired0", "basicAuthPassword": CANARY,
        "apn": {"apn": "iot.example", "apnUserName": "user", "apnPassword": CANARY, "apnAuthentication": "PAP"},
        "vpn": {"server": "vpn.example", "user": "u", "password": CANARY, "key": CANARY, "type": "IPSec"}}}],
    "DataTransfer with JSON in a text": [2, "1", "DataTransfer", {
        "vendorId": "org.example", "messageId": "wifi", "data": json.dumps({"ssid": "depot", "password": CANARY})}],
    "DataTransfer with an object": [2, "1", "DataTransfer", {
        "vendorId": "org.example", "data": {"ssid": "depot", "wifi_password": CANARY, "pins": {"secret": 987654321}}}],
    "GetDiagnostics": [2, "1", "GetDiagnostics", {"location": f"ftp://user:{CANARY}@files.example:21/up?x=1"}],
    "UpdateFirmware": [2, "1", "UpdateFirmware", {
        "requestId": 1, "firmware": {"location": f"https://{CANARY}@files.example/f.bin"}}],
}  # fmt: skip
SURVIVORS = {
    "GetConfiguration answer": ["HeartbeatInterval", '"300"', "Other", "Nope", "AuthorizationKey"],
    "SetVariables": ["HeartbeatInterval", '"300"', "BasicAuthPassword", "SecurityCtrlr", "Actual"],
    "GetVariables answer": ["Accepted", "Actual", '"300"', "BasicAuthPassword"],
    "NotifyReport": ["2026-03-01T12:00:00Z", '"300"', "WriteOnly", "string", "BasicAuthPassword", "7"],
    "NotifyEvent": ["Delta", "HardWiredNotification", "BasicAuthPassword"],
    "SetNetworkProfile": [
        "wss://csms.example/ocpp", "iot.example", '"user"', "PAP", "vpn.example", "IPSec", "OCPP20", "Wired0",
    ],
    "DataTransfer with JSON in a text": ["org.example", "wifi", "depot"],
    "DataTransfer with an object": ["org.example", "depot"],
    "GetDiagnostics": ["ftp://", "files.example:21/up?x=1"],
    "UpdateFirmware": ["https://", "files.example/f.bin"],
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_no_secret_is_stored(name: str) -> None:
    for text in (
        json.dumps(FRAMES[name]),
        json.dumps(FRAMES[name], indent=1),
        json.dumps(FRAMES[name]).upper(),
    ):
        stored = stored_text(text.encode())
        assert CANARY.casefold() not in stored.casefold()
        assert "987654321" not in stored
        assert stored.isprintable()


@pytest.mark.parametrize("name", FRAMES)
def test_the_rest_of_the_frame_is_stored(name: str) -> None:
    stored = stored_text(json.dumps(FRAMES[name]).encode())
    expected = json.loads(json.dumps(FRAMES[name]))
    found = json.loads(stored)
    assert found[:2] == expected[:2]
    assert shape(found) == shape(expected)
    for text in SURVIVORS.get(name, []):
        assert text in stored


def shape(value: Any) -> Any:
    """The structure without the scalars."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else None


@pytest.mark.parametrize("name", [n for n in FRAMES if n not in ("GetDiagnostics", "UpdateFirmware")])
def test_no_secret_is_stored_of_a_frame_that_is_cut_off_anywhere(name: str) -> None:
    text = json.dumps(FRAMES[name])
    for end in range(text.find(CANARY) + len(CANARY), len(text)):
        assert CANARY not in stored_text(text[:end].encode()), text[:end]


@pytest.mark.parametrize(
    "frame",
    [
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"%s",}]',
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"%s"',
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":%s}]',
        b'[2,"1","ChangeConfiguration",{"value":"%s","key":"AuthorizationKey",,}]',
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value" : "x\\"%s\xff"}]',
        b'[2,"1","X",{"wifiPassword":"%s"},]',
        b'[2,"1","X",{"wifiPassword":%s,"b":,}]',
        b'[2,"1","SetNetworkProfile",{"vpn":{"password":"p","key":"%s"},}]',
        b'[2,"1","ChangeConfiguration",{"key":"Authorization\\u004bey","value":"%s"}]',
        b'[2,"1","ChangeConfiguration",{"key":"\\u0041uth\\u006frizati\\u006fnKey","value":"%s"}]',
        b'[2,"1","ChangeConfiguration",{"\\u006bey":"AuthorizationKey","\\u0076alue":"%s"}]',
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":["%s"]}]',
        b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","other":{"deep":"%s"}}]',
    ],
)
def test_no_secret_is_stored_of_a_broken_or_odd_frame(frame: bytes) -> None:
    assert CANARY not in stored_text(frame % CANARY.encode() if frame.count(b"%") == 1 else frame)


def test_a_number_may_be_a_secret() -> None:
    assert "123456789" not in stored_text(json.dumps([2, "1", "X", config(value=123456789)]).encode())
    assert "123456789" not in stored_text(b'[2,"1","X",{"pinPassword":123456789}]')


@pytest.mark.parametrize(
    "frame",
    [
        b'[2,"1","Heartbeat",{}]',
        b'[2,"1","StopTransaction",{"reason":"DeAuthorized","idTag":"secretary"}]',
        b'[2,"1","TransactionEvent",{"triggerReason":"Authorized","idToken":{"type":"NoAuthorization"}}]',
        b'[3,"1",{"configurationKey":[{"key":"AuthorizationCacheEnabled","readonly":false,"value":"true"}]}]',
        b'[2,"1","StatusNotification",{"info":"\\u00fc password wrong"}]',
        b'[2,"1","GetDiagnostics",{"location":"ftp://files.example/a@b"}]',
        '[2,"1","BootNotification",{"chargePointVendor":"Müller"}]'.encode(),
        b'[2,"1","MeterValues",{"key":"Voltage","value":"230"}',
    ],
)
def test_other_frames_are_stored_as_they_are(frame: bytes) -> None:
    assert stored_text(frame) == frame.decode()


def test_a_frame_is_one_line_of_text() -> None:
    assert stored_text(b'[2,\n\t"1",\r\n"X",{"a":"\x00\x1f"}]') == '[2,  "1",  "X",{"a":"  "}]'
    assert stored_text(b'["\xff\xfe"]') == '["\ufffd\ufffd"]'


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_can_be_stored(data: bytes) -> None:
    for frame in (data, b"password" + data, b'{"key":"AuthorizationKey","value":"' + data):
        text = stored_text(frame)
        assert not any(ord(character) < 32 for character in text)
        text.encode()


def test_redaction_takes_linear_time() -> None:
    # Quadratic behaviour would need minutes for these.
    for data in (
        b'"value":"' * 50_000,
        b'password"' * 50_000,
        b'\\"' * 200_000 + b"password",
        b"://" * 100_000 + b"@",
    ):
        assert stored_text(data)
        assert redacted(data)


def test_addresses_of_our_own_files_lose_their_secret() -> None:
    secret = "aB3-_" * 8 + "xyz"
    address = f"https://cpms.example.com/files/firmware/{secret}/fw-2.bin"
    kept = stored_text(f'[2,"1","UpdateFirmware",{{"location":"{address}"}}]'.encode())
    assert secret not in kept
    assert "fw-2.bin" in kept
