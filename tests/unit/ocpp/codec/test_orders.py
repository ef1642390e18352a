"""Every command in every version: a payload that the official schema accepts, or a refusal that explains."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.access.model import TokenKind, TokenStatus
from pilotwire.domain.operations.commands import Command
from pilotwire.domain.operations.model import CommandState, KnownToken, Order
from pilotwire.domain.stations.ports import CallAnswer
from pilotwire.ocpp.codec.orders import spell, understand
from pilotwire.ocpp.codec.outbound import NotInVersion
from pilotwire.ocpp.codec.version import OcppVersion
from tests.support.tiny_csms import schema

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKENS = (
    KnownToken("04A1B2C3", TokenKind.RFID, TokenStatus.ACCEPTED, "FLEET", NOW),
    KnownToken("04FFFFFF", TokenKind.RFID, None),
)
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
HASHES = {"issuer_name_hash": "ab", "issuer_key_hash": "cd", "serial_number": "1f"}
VARIABLE = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
UNTIL = "2026-03-01T13:00:00Z"
PROFILE = {
    "id": 7,
    "purpose": "default",
    "unit": "a",
    "stack_level": 1,
    "periods": [{"start_s": 0, "limit": 16, "number_phases": 3}, {"start_s": 900, "limit": 6.5}],
}
V16, V201, V21 = OcppVersion
ALL, TWO = (V16, V201, V21), (V201, V21)

# command, parameters, actions by version (1.6, 2.x); None: refused there
CASES: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    ("start_charging", {"token_uid": "04A1B2C3", "evse_id": 1}, "RemoteStartTransaction", "RequestStartTransaction"),
    ("start_charging", {"token_uid": "04A1B2C3"}, "RemoteStartTransaction", "RequestStartTransaction"),
    ("stop_charging", {"transaction_id": "77"}, "RemoteStopTransaction", "RequestStopTransaction"),
    ("reset", {}, "Reset", "Reset"),
    ("reset", {"mode": "hard"}, "Reset", "Reset"),
    ("reset", {"mode": "on_idle"}, None, "Reset"),
    ("reset", {"evse_id": 1}, None, "Reset"),
    ("unlock", {"evse_id": 1}, "UnlockConnector", "UnlockConnector"),
    ("unlock", {"evse_id": 1, "connector_id": 2}, None, "UnlockConnector"),
    ("set_availability", {"available": False}, "ChangeAvailability", "ChangeAvailability"),
    ("set_availability", {"available": True, "evse_id": 2}, "ChangeAvailability", "ChangeAvailability"),
    ("set_availability", {"available": True, "evse_id": 2, "connector_id": 2}, None, "ChangeAvailability"),
    ("trigger", {"message": "heartbeat"}, "TriggerMessage", "TriggerMessage"),
    ("trigger", {"message": "meter_values", "evse_id": 1}, "TriggerMessage", "TriggerMessage"),
    ("trigger", {"message": "log_status"}, "ExtendedTriggerMessage", "TriggerMessage"),
    ("trigger", {"message": "sign_certificate"}, "ExtendedTriggerMessage", "TriggerMessage"),
    ("trigger", {"message": "diagnostics_status"}, "TriggerMessage", None),
    ("trigger", {"message": "transaction_event", "evse_id": 1}, None, "TriggerMessage"),
    ("clear_cache", {}, "ClearCache", "ClearCache"),
    ("data_transfer", {"vendor_id": "org.example", "message_id": "m", "data": "x"}, "DataTransfer", "DataTransfer"),
    ("reserve", {"token_uid": "04A1B2C3", "until": UNTIL, "evse_id": 1}, "ReserveNow", "ReserveNow"),
    ("reserve", {"token_uid": "04A1B2C3", "until": UNTIL, "connector_type": "cCCS2"}, None, "ReserveNow"),
    ("cancel_reservation", {"reservation_id": 5}, "CancelReservation", "CancelReservation"),
    ("set_limit", {"limit_a": 10}, "SetChargingProfile", "SetChargingProfile"),
    ("set_limit", {"limit_w": 7400.5, "scope": "station", "duration_s": 60}, "SetChargingProfile", "SetChargingProfile"),
    ("set_limit", {"limit_a": 6, "scope": "session", "evse_id": 1}, "SetChargingProfile", "SetChargingProfile"),
    ("set_limit", {"limit_a": 6.25}, None, "SetChargingProfile"),
    ("clear_limit", {"scope": "default"}, "ClearChargingProfile", "ClearChargingProfile"),
    ("clear_limit", {}, "ClearChargingProfile", None),
    ("get_composite_schedule", {"evse_id": 1, "unit": "a"}, "GetCompositeSchedule", "GetCompositeSchedule"),
    ("set_charging_profile", {"profile": PROFILE}, "SetChargingProfile", "SetChargingProfile"),
    ("set_charging_profile", {"evse_id": 1, "profile": {**PROFILE, "purpose": "session", "kind": "relative"}},
     "SetChargingProfile", "SetChargingProfile"),
    ("set_charging_profile", {"profile": {**PROFILE, "purpose": "station", "unit": "w", "kind": "weekly",
     "start_at": UNTIL, "valid_to": UNTIL, "minimum_rate": 6, "duration_s": 3600}}, "SetChargingProfile",
     "SetChargingProfile"),
    ("set_charging_profile", {"evse_id": 1, "profile": {**PROFILE, "periods": [
        {"start_s": 0, "limit": 8, "number_phases": 1, "phase_to_use": 2}]}}, None, "SetChargingProfile"),
    ("clear_charging_profiles", {"profile_id": 7}, "ClearChargingProfile", "ClearChargingProfile"),
    ("clear_charging_profiles", {"purpose": "session", "stack_level": 2, "evse_id": 1}, "ClearChargingProfile",
     "ClearChargingProfile"),
    ("clear_charging_profiles", {"purpose": "external"}, None, None),
    ("clear_charging_profiles", {}, "ClearChargingProfile", None),
    ("get_charging_profiles", {}, None, "GetChargingProfiles"),
    ("get_charging_profiles", {"evse_id": 1, "purpose": "default", "profile_ids": [7]}, None, "GetChargingProfiles"),
    ("get_configuration", {"keys": ["HeartbeatInterval"]}, "GetConfiguration", None),
    ("get_configuration", {}, "GetConfiguration", None),
    ("set_configuration", {"key": "HeartbeatInterval", "value": "60"}, "ChangeConfiguration", None),
    ("get_variables", {"variables": [VARIABLE]}, None, "GetVariables"),
    ("set_variables", {"variables": [{**VARIABLE, "value": "60", "attribute": "actual"}]}, None, "SetVariables"),
    ("get_local_list_version", {}, "GetLocalListVersion", "GetLocalListVersion"),
    ("send_local_list", {}, "SendLocalList", "SendLocalList"),
    ("send_local_list", {"mode": "differential", "token_uids": ["04FFFFFF"]}, "SendLocalList", "SendLocalList"),
    ("get_logs", {"location": "https://x.example/up", "since": UNTIL}, "GetDiagnostics", "GetLog"),
    ("get_logs", {"location": "https://x.example/up", "kind": "security"}, "GetLog", "GetLog"),
    ("update_firmware", {"location": "https://x.example/fw", "retries": 2}, "UpdateFirmware", "UpdateFirmware"),
    ("update_firmware", {"location": "https://x.example/fw", "signature": "ab", "signing_certificate": PEM},
     "SignedUpdateFirmware", "UpdateFirmware"),
    ("update_firmware", {"location": "https://x.example/fw", "install_at": UNTIL}, None, "UpdateFirmware"),
    ("get_base_report", {"kind": "summary"}, None, "GetBaseReport"),
    ("update_cost", {"transaction_id": "t", "total_cost": "4.20"}, None, "CostUpdated"),
    ("set_display_message", {"message_id": 1, "text": "Hello", "state": "idle", "until": UNTIL}, None, "SetDisplayMessage"),
    ("clear_display_message", {"message_id": 1}, None, "ClearDisplayMessage"),
    ("get_display_messages", {"message_ids": [1]}, None, "GetDisplayMessages"),
    ("customer_information", {"report": True, "token_uid": "04A1B2C3"}, None, "CustomerInformation"),
    ("get_transaction_status", {"transaction_id": "t"}, None, "GetTransactionStatus"),
    ("list_certificates", {}, "GetInstalledCertificateIds", "GetInstalledCertificateIds"),
    ("list_certificates", {"use": "v2g_root"}, None, "GetInstalledCertificateIds"),
    ("install_certificate", {"use": "csms_root", "certificate": PEM}, "InstallCertificate", "InstallCertificate"),
    ("delete_certificate", HASHES, "DeleteCertificate", "DeleteCertificate"),
    ("send_certificate", {"chain": PEM, "request_id": 7}, "CertificateSigned", "CertificateSigned"),
    ("send_certificate", {"chain": PEM, "purpose": "v2g"}, None, "CertificateSigned"),
    ("get_display_messages", {"priority": "in_front", "state": "idle"}, None, "GetDisplayMessages"),
    ("start_charging", {"token_uid": "04A1B2C3", "evse_id": 1, "profile": {**PROFILE, "purpose": "session",
     "kind": "relative"}}, "RemoteStartTransaction", "RequestStartTransaction"),
    ("get_report", {"criteria": ["active", "problem"], "places": [{"component": "EVSE", "evse_id": 1}]}, None,
     "GetReport"),
    ("get_monitoring_report", {}, None, "GetMonitoringReport"),
    ("get_monitoring_report", {"criteria": ["delta"], "places": [{"component": "EVSE", "variable": "Power"}]}, None,
     "GetMonitoringReport"),
    ("set_monitoring_base", {"base": "hard_wired_only"}, None, "SetMonitoringBase"),
    ("set_monitoring_level", {"severity": 4}, None, "SetMonitoringLevel"),
    ("set_monitors", {"monitors": [{"component": "EVSE", "variable": "Power", "evse_id": 1, "kind": "upper_threshold",
     "value": 11000.5, "severity": 2}]}, None, "SetVariableMonitoring"),
    ("clear_monitors", {"monitor_ids": [0, 7]}, None, "ClearVariableMonitoring"),
    ("publish_firmware", {"location": "https://x.example/fw", "checksum": "0" * 32}, None, "PublishFirmware"),
    ("unpublish_firmware", {"checksum": "0" * 32}, None, "UnpublishFirmware"),
    ("set_network_profile", {"slot": 1, "url": "wss://x.example/ocpp", "security_profile": 2}, None, "SetNetworkProfile"),
]  # fmt: skip


def order_of(name: str, parameters: dict[str, Any], ref: str | None = "77") -> Order:
    command: Command = msgspec.convert({"command": name, **parameters}, Command)
    return Order(4711, command, NOW, TOKENS, ref)


@pytest.mark.parametrize(
    ("name", "parameters", "action"),
    [
        pytest.param(name, parameters, action, id=f"{name}-{number}-1.6")
        for number, (name, parameters, action, _) in enumerate(CASES)
    ],
)
def test_commands_to_1_6(name: str, parameters: dict[str, Any], action: str | None) -> None:
    _check(V16, order_of(name, parameters), action)


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(
    ("name", "parameters", "action"),
    [
        pytest.param(name, parameters, action, id=f"{name}-{number}")
        for number, (name, parameters, _, action) in enumerate(CASES)
    ],
)
def test_commands_to_2(
    name: str, parameters: dict[str, Any], action: str | None, version: OcppVersion
) -> None:
    _check(version, order_of(name, parameters), action)


def _check(version: OcppVersion, order: Order, action: str | None) -> None:
    if action is None:
        with pytest.raises(NotInVersion) as refused:
            spell(version, order)
        assert len(refused.value.detail) > 30
        return
    said, payload = spell(version, order)
    assert said == action
    schema(version.subprotocol, action, response=False).validate(msgspec.json.decode(payload))


def test_every_command_is_in_the_table() -> None:
    several_calls = {
        "read_settings",
        "write_settings",
        "repair_settings",
    }  # the clerk's: see the tests of configuration
    assert {case[0] for case in CASES} | several_calls == {
        each.__struct_config__.tag for each in Command.__args__
    }


@pytest.mark.parametrize(
    "more",
    [
        {"periods": []},
        {"periods": [{"start_s": 5, "limit": 1}]},
        {"periods": [{"start_s": 0, "limit": 1}, {"start_s": 0, "limit": 2}]},
        {"periods": [{"start_s": 0, "limit": -1}]},
        {"kind": "relative", "start_at": UNTIL},
        {"valid_from": UNTIL, "valid_to": UNTIL},
        {"purpose": "session"},
        {"purpose": "external"},
        {"id": 0},
    ],
)
def test_profiles_that_cannot_be_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        order_of("set_charging_profile", {"profile": {**PROFILE, **more}})


def test_limits_of_single_phases_need_2_1() -> None:
    period = {"start_s": 0, "limit": 10, "limit_l2": 12, "limit_l3": 14}
    order = order_of("set_charging_profile", {"evse_id": 1, "profile": {**PROFILE, "periods": [period]}})
    sent = msgspec.json.decode(spell(V21, order)[1])["chargingProfile"]["chargingSchedule"][0]
    assert sent["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10, "limit_L2": 12, "limit_L3": 14}]
    for version in (V16, V201):
        with pytest.raises(NotInVersion):
            spell(version, order)


def test_resume_needs_2_1() -> None:
    order = order_of("reset", {"mode": "immediate_and_resume"})
    assert spell(V21, order)[1] == b'{"type":"ImmediateAndResume"}'
    for version in (V16, V201):
        with pytest.raises(NotInVersion):
            spell(version, order)


@pytest.mark.parametrize(
    ("version", "name", "parameters", "ref"),
    [
        (V16, "start_charging", {"token_uid": "x" * 21}, None),
        (V201, "start_charging", {"token_uid": "x" * 37}, None),
        (V16, "stop_charging", {"evse_id": 1}, "not-a-number"),
        (V21, "stop_charging", {"evse_id": 1}, None),
        (V16, "stop_charging", {"evse_id": 1}, None),
    ],
)
def test_values_that_do_not_fit_are_refused(
    version: OcppVersion, name: str, parameters: dict[str, Any], ref: str | None
) -> None:
    order = msgspec.structs.replace(order_of(name, parameters, ref), tokens=())
    with pytest.raises(Invalid):
        spell(version, order)


ANSWERS: list[tuple[OcppVersion, str, dict[str, Any], Any, CommandState, str]] = [
    (V16, "unlock", {"evse_id": 1}, {"status": "Unlocked"}, CommandState.DONE, "unlocked"),
    (V16, "unlock", {"evse_id": 1}, {"status": "UnlockFailed"}, CommandState.FAILED, "unlock_failed"),
    (V21, "unlock", {"evse_id": 1}, {"status": "OngoingAuthorizedTransaction"}, CommandState.REJECTED,
     "ongoing_authorized_transaction"),
    (V16, "set_availability", {"available": True}, {"status": "Scheduled"}, CommandState.DONE, "scheduled"),
    (V16, "set_configuration", {"key": "k", "value": "v"}, {"status": "RebootRequired"}, CommandState.DONE,
     "reboot_required"),
    (V16, "get_logs", {"location": "https://x.example"}, {}, CommandState.REJECTED, "nothing_to_upload"),
    (V16, "update_firmware", {"location": "https://x.example"}, {}, CommandState.DONE, "accepted"),
    (V16, "clear_limit", {}, {"status": "Unknown"}, CommandState.DONE, "nothing_to_clear"),
    (V16, "get_local_list_version", {}, {"listVersion": 7}, CommandState.DONE, "answered"),
    (V21, "clear_cache", {}, {"status": "Rejected", "statusInfo": {"reasonCode": "Busy"}}, CommandState.REJECTED,
     "rejected"),
    (V21, "set_variables", {"variables": [{**VARIABLE, "value": "1"}]},
     {"setVariableResult": [{"attributeStatus": "UnknownVariable"}]}, CommandState.REJECTED, "unknown_variable"),
    (V21, "get_variables", {"variables": [VARIABLE]}, {"getVariableResult": ["?"]}, CommandState.FAILED,
     "not_understood"),
    (V201, "get_charging_profiles", {}, {"status": "NoProfiles"}, CommandState.DONE, "no_profiles"),
    (V201, "clear_charging_profiles", {"profile_id": 3}, {"status": "Unknown"}, CommandState.DONE, "nothing_to_clear"),
    (V16, "clear_charging_profiles", {}, {"status": "Unknown"}, CommandState.DONE, "nothing_to_clear"),
    (V16, "set_charging_profile", {"profile": PROFILE}, {"status": "NotSupported"}, CommandState.REJECTED,
     "not_supported"),
    (V16, "get_composite_schedule", {}, {"status": "Accepted", "chargingSchedule": {"chargingSchedulePeriod": [3]}},
     CommandState.FAILED, "not_understood"),
    (V16, "clear_cache", {}, {"status": 3}, CommandState.FAILED, "not_understood"),
    (V16, "clear_cache", {}, [], CommandState.FAILED, "not_understood"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "name", "parameters", "answer", "state", "outcome"), ANSWERS)
def test_answers_are_read(
    version: OcppVersion,
    name: str,
    parameters: dict[str, Any],
    answer: Any,
    state: CommandState,
    outcome: str,
) -> None:
    reply = understand(version, order_of(name, parameters), CallAnswer(msgspec.json.encode(answer)))
    assert (reply.state, reply.outcome) == (state, outcome)


@pytest.mark.parametrize(
    ("code", "outcome"), [("NotImplemented", "not_supported"), ("InternalError", "error")]
)
def test_errors_are_read(code: str, outcome: str) -> None:
    reply = understand(V16, order_of("clear_cache", {}), CallAnswer(None, code, "why"))
    assert (reply.outcome, reply.detail) == (outcome, f"{code}: why")
