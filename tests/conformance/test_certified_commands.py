"""What the certification programme wants to see of commands: what is sent, and what the answer and later messages mean."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.support.operations import Operations, eventually, operations
from tests.support.schema_strategies import validator
from tests.support.stations import SILENCE, Station, moment, station

pytestmark = pytest.mark.asyncio(loop_scope="module")

IDENTITIES = {"1.6": "CP-16", "2.0.1": "CP-201"}
FILE = {"location": "https://files.example/x"}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
SIGNED = {**FILE, "signature": "ab", "signing_certificate": PEM}
HASHES = {"issuer_name_hash": "a", "issuer_key_hash": "b", "serial_number": "c"}
HASH_DATA = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
RESERVE = {"token_uid": "TAG1", "until": "2099-01-01T00:00:00Z", "evse_id": 1, "reservation_id": 5}
PROFILE = {
    "id": 7,
    "purpose": "default",
    "unit": "a",
    "stack_level": 1,
    "periods": [{"start_s": 0, "limit": 16}],
}
VARIABLE = {"component": "EVSE", "variable": "Power"}
PLACE = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}}
GOT = {**PLACE, "attributeStatus": "Accepted"}
BOOT = ("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"})
OK: dict[str, Any] = {"status": "Accepted"}
DONE, ACCEPTED = ("done", "accepted"), ("accepted", "accepted")


class Case(NamedTuple):
    """A command, what the station must be asked, what it says, and where that leads."""

    ids: str
    version: str
    command: str
    parameters: dict[str, Any]
    action: str
    asked: dict[str, Any]
    answer: dict[str, Any]
    end: tuple[str, str]
    notices: tuple[tuple[str, dict[str, Any]], ...] = ()


def firmware(
    ids: str, version: str, end: tuple[str, str], *statuses: str, answer: dict[str, Any] = OK
) -> Case:
    told = {} if version == "1.6" and not ids.startswith("TC_08") else {"requestId": "$id"}
    action = "SignedFirmwareStatusNotification" if ids.startswith("TC_08") else "FirmwareStatusNotification"
    asked: dict[str, Any] = {"location": FILE["location"]}
    order, parameters = "UpdateFirmware", FILE
    if ids.startswith("TC_08") or version == "2.0.1":
        order = "SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware"
        asked = {"firmware": {**asked, "signature": "ab", "signingCertificate": PEM}}
        parameters = SIGNED
    elif version == "1.6":
        answer = {}
    notices = tuple((action, {"status": status, **told}) for status in statuses)
    return Case(ids, version, "update_firmware", parameters, order, asked, answer, end, notices)


def log(ids: str, version: str, kind: str, end: tuple[str, str], *statuses: str, **answer: Any) -> Case:
    old = version == "1.6" and kind == "diagnostics"
    action = "DiagnosticsStatusNotification" if old else "LogStatusNotification"
    told = {} if old else {"requestId": "$id"}
    asked = (
        FILE if old else {"logType": f"{kind.capitalize()}Log", "log": {"remoteLocation": FILE["location"]}}
    )
    said = {"fileName": "log.zip"} if old else {"status": "Accepted", "filename": "log.zip", **answer}
    notices = tuple((action, {"status": status, **told}) for status in statuses)
    return Case(
        ids,
        version,
        "get_logs",
        {**FILE, "kind": kind},
        "GetDiagnostics" if old else "GetLog",
        asked,
        said,
        end,
        notices,
    )


def customer(
    ids: str, parameters: dict[str, Any], asked: dict[str, Any], data: str | None, **answer: Any
) -> Case:
    told = {"requestId": "$id", "generatedAt": moment(), "seqNo": 0, "data": data}
    notices = () if data is None else (("NotifyCustomerInformation", told),)
    end = ("done", "reported") if data is not None else DONE if not answer else ("rejected", "rejected")
    return Case(
        ids,
        "2.0.1",
        "customer_information",
        parameters,
        "CustomerInformation",
        asked,
        {**OK, **answer},
        end,
        notices,
    )


def trigger(ids: str, version: str, message: str, wire: str, *evse: int, status: str = "Accepted") -> Case:
    place = dict(zip(("evse_id", "connector_id"), evse, strict=False))
    asked: dict[str, Any] = {"requestedMessage": wire}
    if evse:
        old, new = {"connectorId": evse[0]}, {"evse": dict(zip(("id", "connectorId"), evse, strict=False))}
        asked |= old if version == "1.6" else new
    end = DONE if status == "Accepted" else ("rejected", "not_implemented" if "Not" in status else "rejected")
    return Case(
        ids,
        version,
        "trigger",
        {"message": message, **place},
        "TriggerMessage",
        asked,
        {"status": status},
        end,
    )


def availability(ids: str, *evse: int, available: bool, status: str = "Accepted") -> Case:
    place = dict(zip(("evse_id", "connector_id"), evse, strict=False))
    asked: dict[str, Any] = {"operationalStatus": "Operative" if available else "Inoperative"}
    if evse:
        asked["evse"] = dict(zip(("id", "connectorId"), evse, strict=False))
    parameters = {"available": available, **place}
    return Case(
        ids, "2.0.1", "set_availability", parameters, "ChangeAvailability", asked, {"status": status},
        ("done", status.lower()),
    )  # fmt: skip


def monitoring(ids: str, parameters: dict[str, Any], asked: dict[str, Any]) -> Case:
    told = {"requestId": "$id", "seqNo": 0, "generatedAt": moment(), "tbc": True}
    parts = (("NotifyMonitoringReport", told), ("NotifyMonitoringReport", {**told, "seqNo": 1, "tbc": False}))
    return Case(
        ids,
        "2.0.1",
        "get_monitoring_report",
        parameters,
        "GetMonitoringReport",
        asked,
        OK,
        ("done", "reported"),
        parts,
    )


def report(ids: str, command: str, parameters: dict[str, Any], action: str, asked: dict[str, Any]) -> Case:
    told = {"requestId": "$id", "seqNo": 0, "generatedAt": moment()}
    return Case(
        ids, "2.0.1", command, parameters, action, asked, OK, ("done", "reported"), (("NotifyReport", told),)
    )


def profiles(ids: str, parameters: dict[str, Any], asked: dict[str, Any], evse_id: int) -> Case:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}
    kinds = {"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    found = {"id": 7, "stackLevel": 1, **kinds, "chargingSchedule": [schedule]}
    told = {"requestId": "$id", "chargingLimitSource": "CSO", "evseId": evse_id, "chargingProfile": [found]}
    return Case(
        ids, "2.0.1", "get_charging_profiles", parameters, "GetChargingProfiles", asked, OK, ("done", "reported"),
        (("ReportChargingProfiles", told),),
    )  # fmt: skip


def plain(
    ids: str, version: str, command: str, parameters: dict[str, Any], action: str, asked: dict[str, Any],
    answer: dict[str, Any] = OK, end: tuple[str, str] = DONE,
) -> Case:  # fmt: skip
    return Case(ids, version, command, parameters, action, asked, answer, end)


def refused(status: str, word: str = "", state: str = "rejected") -> tuple[dict[str, Any], tuple[str, str]]:
    return {"status": status}, (state, word or status.lower())


INSTALLED, FAILED = ("done", "installed"), ("failed", "failed")
UPLOADED = ("done", "uploaded")
MON = {"monitors": [{**VARIABLE, "kind": "upper_threshold", "value": 11000, "severity": 3}]}
MON_2 = {"monitors": [*MON["monitors"], {**VARIABLE, "kind": "periodic", "value": 60}]}
MON_SAID = {**PLACE, "status": "Accepted", "type": "UpperThreshold", "severity": 3, "id": 1}
BY_ID, BOTH = {"variable": "Power", "component": "EVSE"}, {"criteria": ["delta", "threshold"]}
CASES = [
    # 1.6, core
    plain("TC_017_1", "1.6", "unlock", {"evse_id": 1}, "UnlockConnector", {"connectorId": 1},
          {"status": "Unlocked"}, ("done", "unlocked")),
    plain("TC_017_2 TC_031", "1.6", "unlock", {"evse_id": 9}, "UnlockConnector", {"connectorId": 9},
          *refused("NotSupported", "not_supported")),
    plain("TC_030", "1.6", "unlock", {"evse_id": 1}, "UnlockConnector", {"connectorId": 1},
          *refused("UnlockFailed", "unlock_failed", "failed")),
    plain("TC_026", "1.6", "start_charging", {"token_uid": "TAG1", "evse_id": 1}, "RemoteStartTransaction",
          {"idTag": "TAG1", "connectorId": 1}, *refused("Rejected")),
    plain("TC_028", "1.6", "stop_charging", {"transaction_id": "77"}, "RemoteStopTransaction", {"transactionId": 77},
          *refused("Rejected")),
    plain("TC_019_1", "1.6", "get_configuration", {}, "GetConfiguration", {}, {"configurationKey": []},
          ("done", "answered")),
    plain("TC_019_2", "1.6", "get_configuration", {"keys": ["SupportedFeatureProfiles"]}, "GetConfiguration",
          {"key": ["SupportedFeatureProfiles"]}, {"unknownKey": []}, ("done", "answered")),
    plain("TC_021", "1.6", "set_configuration", {"key": "MeterValueSampleInterval", "value": "60"},
          "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"}),
    plain("TC_040_1", "1.6", "set_configuration", {"key": "K", "value": "V"}, "ChangeConfiguration", {"key": "K"},
          *refused("NotSupported", "not_supported")),
    plain("TC_040_2", "1.6", "set_configuration", {"key": "MeterValueSampleInterval", "value": "-1"},
          "ChangeConfiguration", {"value": "-1"}, *refused("Rejected")),
    plain("TC_061", "1.6", "clear_cache", {}, "ClearCache", {}),
    plain("TC_042_1", "1.6", "get_local_list_version", {}, "GetLocalListVersion", {}, {"listVersion": -1},
          ("done", "answered")),
    plain("TC_042_2", "1.6", "get_local_list_version", {}, "GetLocalListVersion", {}, {"listVersion": 0},
          ("done", "answered")),
    plain("TC_043_1", "1.6", "send_local_list", {}, "SendLocalList", {"updateType": "Full"},
          *refused("NotSupported", "not_supported")),
    plain("TC_043_3", "1.6", "send_local_list", {}, "SendLocalList", {"updateType": "Full"},
          *refused("Failed", "failed", "failed")),
    plain("TC_043_4", "1.6", "send_local_list", {}, "SendLocalList", {"updateType": "Full",
          "localAuthorizationList": [{"idTag": "TAG1", "idTagInfo": {"status": "Accepted"}}]}),
    plain("TC_043_5", "1.6", "send_local_list", {"mode": "differential", "token_uids": ["TAG1", "GONE"]},
          "SendLocalList", {"updateType": "Differential", "localAuthorizationList": [
              {"idTag": "TAG1", "idTagInfo": {"status": "Accepted"}}, {"idTag": "GONE"}]}),
    firmware("TC_044_1", "1.6", INSTALLED, "Downloading", "Downloaded", "Installing", "Installed"),
    firmware("TC_044_2", "1.6", FAILED, "Downloading", "DownloadFailed"),
    firmware("TC_044_3", "1.6", FAILED, "Downloading", "Downloaded", "Installing", "InstallationFailed"),
    log("TC_045_1", "1.6", "diagnostics", UPLOADED, "Uploading", "Uploaded"),
    log("TC_045_2", "1.6", "diagnostics", FAILED, "Uploading", "UploadFailed"),
    *(plain(ids, "1.6", "reserve", RESERVE, "ReserveNow", {"connectorId": 1, "idTag": "TAG1", "reservationId": 5},
            {"status": status}, ("failed" if status == "Faulted" else "rejected", status.lower()))
      for ids, status in (("TC_048_1", "Faulted"), ("TC_048_2", "Occupied"), ("TC_048_3", "Unavailable"),
                          ("TC_048_4", "Rejected"))),
    plain("TC_052", "1.6", "cancel_reservation", {"reservation_id": 5}, "CancelReservation", {"reservationId": 5},
          *refused("Rejected")),
    trigger("TC_054", "1.6", "meter_values", "MeterValues", 1),
    trigger("TC_054", "1.6", "heartbeat", "Heartbeat"),
    trigger("TC_054", "1.6", "status_notification", "StatusNotification", 1),
    trigger("TC_054", "1.6", "diagnostics_status", "DiagnosticsStatusNotification"),
    trigger("TC_054", "1.6", "firmware_status", "FirmwareStatusNotification"),
    trigger("TC_054", "1.6", "boot_notification", "BootNotification"),
    trigger("TC_055", "1.6", "meter_values", "MeterValues", 1, status="Rejected"),
    plain("TC_056", "1.6", "set_charging_profile", {"profile": PROFILE}, "SetChargingProfile", {"connectorId": 0,
          "csChargingProfiles": {"chargingProfileId": 7, "chargingProfilePurpose": "TxDefaultProfile"}}),
    plain("TC_059", "1.6", "start_charging", {"token_uid": "TAG1", "evse_id": 1, "profile": {**PROFILE,
          "purpose": "session", "kind": "relative"}}, "RemoteStartTransaction", {"idTag": "TAG1", "connectorId": 1,
          "chargingProfile": {"chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}}, OK, ACCEPTED),
    plain("TC_066", "1.6", "get_composite_schedule", {"evse_id": 1, "duration_s": 300}, "GetCompositeSchedule",
          {"connectorId": 1, "duration": 300}),
    plain("TC_067", "1.6", "clear_charging_profiles", {"profile_id": 7}, "ClearChargingProfile", {"id": 7}),
    plain("TC_067", "1.6", "clear_charging_profiles", {"purpose": "default", "stack_level": 1},
          "ClearChargingProfile", {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}),
    plain("TC_075_1", "1.6", "install_certificate", {"use": "manufacturer_root", "certificate": PEM},
          "InstallCertificate", {"certificateType": "ManufacturerRootCertificate", "certificate": PEM}),
    plain("TC_075_2", "1.6", "install_certificate", {"use": "csms_root", "certificate": PEM},
          "InstallCertificate", {"certificateType": "CentralSystemRootCertificate"}),
    plain("TC_076", "1.6", "list_certificates", {"use": "csms_root"}, "GetInstalledCertificateIds",
          {"certificateType": "CentralSystemRootCertificate"}, {**OK, "certificateHashData": [HASH_DATA]}),
    plain("TC_076", "1.6", "delete_certificate", HASHES, "DeleteCertificate", {"certificateHashData": HASH_DATA}),
    log("TC_079", "1.6", "security", UPLOADED, "Uploading", "Uploaded"),
    firmware("TC_080", "1.6", INSTALLED, "Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"),
    firmware("TC_081", "1.6", FAILED, "Downloading", "Downloaded", "InvalidSignature"),
    Case("TC_013", "1.6", "reset", {"mode": "hard"}, "Reset", {"type": "Hard"}, OK, ("done", "rebooted"), (BOOT,)),
    Case("TC_014", "1.6", "reset", {"mode": "soft"}, "Reset", {"type": "Soft"}, OK, ("done", "rebooted"), (BOOT,)),
    plain("TC_049", "1.6", "reserve", {"token_uid": "TAG1", "until": RESERVE["until"]}, "ReserveNow",
          {"connectorId": 0, "idTag": "TAG1"}),
    # 2.0.1, core
    plain("TC_B_06", "2.0.1", "get_variables", {"variables": [VARIABLE]}, "GetVariables", {"getVariableData": [PLACE]},
          {"getVariableResult": [GOT]}),
    plain("TC_B_07", "2.0.1", "get_variables", {"variables": [VARIABLE, VARIABLE]}, "GetVariables",
          {"getVariableData": [PLACE, PLACE]}, {"getVariableResult": [GOT, GOT]}),
    plain("TC_B_09", "2.0.1", "set_variables", {"variables": [{**VARIABLE, "value": "7"}]}, "SetVariables",
          {"setVariableData": [{**PLACE, "attributeValue": "7"}]}, {"setVariableResult": [GOT]}),
    plain("TC_B_10", "2.0.1", "set_variables", {"variables": [{**VARIABLE, "value": "7"}] * 2}, "SetVariables",
          {"setVariableData": [PLACE, PLACE]}, {"setVariableResult": [GOT, {**GOT, "attributeStatus": "Rejected"}]},
          ("rejected", "rejected")),
    log("TC_N_36", "2.0.1", "diagnostics", UPLOADED, "Uploading", "Uploaded", status="AcceptedCanceled"),
    firmware("TC_L_10", "2.0.1", INSTALLED, "Downloaded", "Installed", answer={"status": "AcceptedCanceled"}),
    plain("TC_B_42", "2.0.1", "set_network_profile", {"slot": 1, "url": "wss://x.example/ocpp",
          "security_profile": 2}, "SetNetworkProfile", {"configurationSlot": 1, "connectionData": {
              "ocppCsmsUrl": "wss://x.example/ocpp", "securityProfile": 2}}),
    plain("TC_B_44", "2.0.1", "set_network_profile", {"slot": 1, "url": "wss://x.example/ocpp",
          "security_profile": 2}, "SetNetworkProfile", {"configurationSlot": 1}, *refused("Failed", "failed", "failed")),
    report("TC_B_12", "get_base_report", {"kind": "configuration"}, "GetBaseReport",
           {"reportBase": "ConfigurationInventory"}),
    report("TC_B_13", "get_base_report", {"kind": "full"}, "GetBaseReport", {"reportBase": "FullInventory"}),
    report("TC_B_14", "get_base_report", {"kind": "summary"}, "GetBaseReport", {"reportBase": "SummaryInventory"}),
    report("TC_B_18", "get_report", {"criteria": ["problem"], "places": [BY_ID]}, "GetReport",
           {"componentCriteria": ["Problem"], "componentVariable": [PLACE]}),
    plain("TC_B_20", "2.0.1", "reset", {"mode": "on_idle"}, "Reset", {"type": "OnIdle"}, OK, ACCEPTED),
    plain("TC_B_21", "2.0.1", "reset", {"mode": "on_idle"}, "Reset", {"type": "OnIdle"}, {"status": "Scheduled"},
          ("done", "scheduled")),
    plain("TC_B_22", "2.0.1", "reset", {"mode": "hard"}, "Reset", {"type": "Immediate"}, OK, ACCEPTED),
    plain("TC_B_25", "2.0.1", "reset", {"mode": "on_idle", "evse_id": 1}, "Reset", {"type": "OnIdle", "evseId": 1}),
    plain("TC_B_26", "2.0.1", "reset", {"mode": "on_idle", "evse_id": 1}, "Reset", {"type": "OnIdle", "evseId": 1},
          {"status": "Scheduled"}, ("done", "scheduled")),
    plain("TC_B_27", "2.0.1", "reset", {"mode": "hard", "evse_id": 1}, "Reset", {"type": "Immediate", "evseId": 1}),
    plain("TC_C_37", "2.0.1", "clear_cache", {}, "ClearCache", {}),
    plain("TC_C_38", "2.0.1", "clear_cache", {}, "ClearCache", {}, *refused("Rejected")),
    plain("TC_D_01", "2.0.1", "send_local_list", {}, "SendLocalList", {"updateType": "Full",
          "localAuthorizationList": [{"idToken": {"idToken": "TAG1", "type": "ISO14443"}}]}),
    plain("TC_D_02", "2.0.1", "send_local_list", {"mode": "differential", "token_uids": ["TAG1"]}, "SendLocalList",
          {"updateType": "Differential", "localAuthorizationList": [{"idTokenInfo": {"status": "Accepted"}}]}),
    plain("TC_D_03", "2.0.1", "send_local_list", {"mode": "differential", "token_uids": ["GONE"]}, "SendLocalList",
          {"updateType": "Differential", "localAuthorizationList": [{"idToken": {"idToken": "GONE"}}]}),
    plain("TC_D_04", "2.0.1", "send_local_list", {"token_uids": []}, "SendLocalList", {"updateType": "Full"}),
    plain("TC_D_08", "2.0.1", "get_local_list_version", {}, "GetLocalListVersion", {}, {"versionNumber": 4},
          ("done", "answered")),
    plain("TC_D_09", "2.0.1", "get_local_list_version", {}, "GetLocalListVersion", {}, {"versionNumber": 0},
          ("done", "answered")),
    *(plain(ids, "2.0.1", "get_transaction_status", {"transaction_id": "t"} if named else {}, "GetTransactionStatus",
            {"transactionId": "t"} if named else {}, said, ("done", "answered"))
      for ids, named, said in (
          ("TC_E_29", True, {"ongoingIndicator": True, "messagesInQueue": True}),
          ("TC_E_30", True, {"ongoingIndicator": True, "messagesInQueue": False}),
          ("TC_E_31", True, {"ongoingIndicator": False, "messagesInQueue": True}),
          ("TC_E_33", False, {"messagesInQueue": True}), ("TC_E_34", False, {"messagesInQueue": False}))),
    plain("TC_F_06", "2.0.1", "unlock", {"evse_id": 1}, "UnlockConnector", {"evseId": 1, "connectorId": 1},
          {"status": "Unlocked"}, ("done", "unlocked")),
    trigger("TC_F_11", "2.0.1", "meter_values", "MeterValues", 1),
    trigger("TC_F_12", "2.0.1", "meter_values", "MeterValues"),
    trigger("TC_F_13", "2.0.1", "transaction_event", "TransactionEvent", 1),
    trigger("TC_F_14", "2.0.1", "transaction_event", "TransactionEvent"),
    trigger("TC_F_15", "2.0.1", "log_status", "LogStatusNotification"),
    trigger("TC_F_18", "2.0.1", "firmware_status", "FirmwareStatusNotification"),
    trigger("TC_F_20", "2.0.1", "heartbeat", "Heartbeat"),
    trigger("TC_F_23 TC_F_24", "2.0.1", "status_notification", "StatusNotification", 1, 1),
    trigger("TC_F_27", "2.0.1", "sign_v2g_certificate", "SignV2GCertificate", status="NotImplemented"),
    availability("TC_G_03", 1, available=False),
    availability("TC_G_04", 1, available=True),
    availability("TC_G_05", available=False),
    availability("TC_G_06", available=True),
    availability("TC_G_07", 1, 1, available=False),
    availability("TC_G_08", 1, 1, available=True),
    availability("TC_G_11", 1, available=False, status="Scheduled"),
    availability("TC_G_14", available=False, status="Scheduled"),
    availability("TC_G_17", 1, 1, available=False, status="Scheduled"),
    plain("TC_H_08 TC_H_14", "2.0.1", "reserve", {"token_uid": "TAG1", "until": RESERVE["until"]}, "ReserveNow",
          {"idToken": {"idToken": "TAG1", "type": "ISO14443"}}),
    plain("TC_H_15", "2.0.1", "reserve", {"token_uid": "TAG1", "until": RESERVE["until"], "connector_type": "cCCS2"},
          "ReserveNow", {"connectorType": "cCCS2"}),
    plain("TC_H_22", "2.0.1", "reserve", RESERVE, "ReserveNow", {"evseId": 1, "id": 5}, *refused("Rejected")),
    plain("TC_K_01", "2.0.1", "set_charging_profile", {"evse_id": 1, "profile": PROFILE}, "SetChargingProfile",
          {"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}),
    plain("TC_K_10", "2.0.1", "set_charging_profile", {"profile": PROFILE}, "SetChargingProfile", {"evseId": 0}),
    plain("TC_K_03", "2.0.1", "set_charging_profile", {"profile": {**PROFILE, "purpose": "station"}},
          "SetChargingProfile", {"evseId": 0, "chargingProfile": {"chargingProfilePurpose": "ChargingStationMaxProfile"}}),
    plain("TC_K_04 TC_K_70", "2.0.1", "set_charging_profile", {"profile": {**PROFILE, "stack_level": 2}},
          "SetChargingProfile", {"chargingProfile": {"id": 7, "stackLevel": 2}}),
    plain("TC_K_15", "2.0.1", "set_charging_profile", {"profile": PROFILE}, "SetChargingProfile", {"evseId": 0},
          *refused("Rejected")),
    plain("TC_K_19", "2.0.1", "set_charging_profile", {"profile": {**PROFILE, "kind": "daily"}}, "SetChargingProfile",
          {"chargingProfile": {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}}),
    plain("TC_K_05", "2.0.1", "clear_charging_profiles", {"profile_id": 7}, "ClearChargingProfile",
          {"chargingProfileId": 7}),
    plain("TC_K_06", "2.0.1", "clear_charging_profiles", {"stack_level": 1, "purpose": "default"},
          "ClearChargingProfile", {"chargingProfileCriteria": {"stackLevel": 1,
                                                               "chargingProfilePurpose": "TxDefaultProfile"}}),
    plain("TC_K_08", "2.0.1", "clear_charging_profiles", {"profile_id": 8}, "ClearChargingProfile",
          {"chargingProfileId": 8}, {"status": "Unknown"}, ("done", "nothing_to_clear")),
    profiles("TC_K_29", {"evse_id": 0}, {"evseId": 0}, 0),
    profiles("TC_K_30", {"evse_id": 1}, {"evseId": 1}, 1),
    profiles("TC_K_31", {}, {"chargingProfile": {}}, 0),
    profiles("TC_K_32", {"profile_ids": [7]}, {"chargingProfile": {"chargingProfileId": [7]}}, 1),
    profiles("TC_K_33", {"evse_id": 1, "stack_level": 1}, {"evseId": 1, "chargingProfile": {"stackLevel": 1}}, 1),
    profiles("TC_K_35", {"evse_id": 1, "purpose": "default"}, {"chargingProfile": {
        "chargingProfilePurpose": "TxDefaultProfile"}}, 1),
    profiles("TC_K_36", {"evse_id": 1, "purpose": "default", "stack_level": 1}, {"evseId": 1, "chargingProfile": {
        "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}}, 1),
    plain("TC_K_37", "2.0.1", "start_charging", {"token_uid": "TAG1", "evse_id": 1, "profile": {**PROFILE,
          "purpose": "session", "kind": "relative"}}, "RequestStartTransaction", {"evseId": 1, "chargingProfile": {
              "chargingProfilePurpose": "TxProfile"}}, OK, ACCEPTED),
    plain("TC_K_43", "2.0.1", "get_composite_schedule", {"evse_id": 1, "duration_s": 300}, "GetCompositeSchedule",
          {"evseId": 1, "duration": 300}),
    plain("TC_K_44", "2.0.1", "get_composite_schedule", {"duration_s": 300}, "GetCompositeSchedule", {"evseId": 0}),
    firmware("TC_L_01", "2.0.1", INSTALLED, "Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"),
    firmware("TC_L_02", "2.0.1", INSTALLED, "Downloaded", "InstallScheduled", "Installing", "Installed"),
    firmware("TC_L_03 TC_L_13", "2.0.1", INSTALLED, "DownloadScheduled", "Downloading", "Downloaded", "Installed"),
    firmware("TC_L_04", "2.0.1", ("rejected", "revoked_certificate"), answer={"status": "RevokedCertificate"}),
    firmware("TC_L_05", "2.0.1", ("rejected", "invalid_certificate"), answer={"status": "InvalidCertificate"}),
    firmware("TC_L_06", "2.0.1", FAILED, "Downloading", "Downloaded", "InvalidSignature"),
    firmware("TC_L_07", "2.0.1", FAILED, "Downloading", "DownloadFailed"),
    firmware("TC_L_08", "2.0.1", FAILED, "Downloaded", "SignatureVerified", "Installing", "InstallVerificationFailed"),
    firmware("TC_L_09", "2.0.1", FAILED, "Downloaded", "Installing", "InstallationFailed"),
    firmware("TC_L_11", "2.0.1", ("rejected", "rejected"), answer={"status": "Rejected"}),
    plain("TC_M_01", "2.0.1", "install_certificate", {"use": "csms_root", "certificate": PEM}, "InstallCertificate",
          {"certificateType": "CSMSRootCertificate", "certificate": PEM}),
    plain("TC_M_02", "2.0.1", "install_certificate", {"use": "manufacturer_root", "certificate": PEM},
          "InstallCertificate", {"certificateType": "ManufacturerRootCertificate"}),
    plain("TC_M_05", "2.0.1", "install_certificate", {"use": "csms_root", "certificate": PEM}, "InstallCertificate",
          {}, *refused("Failed", "failed", "failed")),
    plain("TC_M_12", "2.0.1", "list_certificates", {"use": "csms_root"}, "GetInstalledCertificateIds",
          {"certificateType": ["CSMSRootCertificate"]}),
    plain("TC_M_13", "2.0.1", "list_certificates", {"use": "manufacturer_root"}, "GetInstalledCertificateIds",
          {"certificateType": ["ManufacturerRootCertificate"]}),
    plain("TC_M_19", "2.0.1", "list_certificates", {"use": "csms_root"}, "GetInstalledCertificateIds", {},
          {"status": "NotFound"}, ("done", "not_found")),
    plain("TC_M_20", "2.0.1", "delete_certificate", HASHES, "DeleteCertificate", {"certificateHashData": HASH_DATA}),
    plain("TC_M_21", "2.0.1", "delete_certificate", HASHES, "DeleteCertificate", {},
          *refused("Failed", "failed", "failed")),
    monitoring("TC_N_01", BOTH, {"monitoringCriteria": ["DeltaMonitoring", "ThresholdMonitoring"]}),
    monitoring("TC_N_02", {"places": [BY_ID]}, {"componentVariable": [PLACE]}),
    monitoring("TC_N_03", {**BOTH, "places": [BY_ID]}, {"componentVariable": [PLACE]}),
    monitoring("TC_N_60", {**BOTH, "places": [BY_ID, {"component": "Fan"}]},
               {"componentVariable": [PLACE, {"component": {"name": "Fan"}}]}),
    monitoring("TC_N_47", {}, {}),
    plain("TC_N_05", "2.0.1", "set_monitoring_base", {"base": "all"}, "SetMonitoringBase", {"monitoringBase": "All"}),
    plain("TC_N_08", "2.0.1", "set_monitors", MON, "SetVariableMonitoring", {"setMonitoringData": [
        {**PLACE, "type": "UpperThreshold", "value": 11000, "severity": 3}]}, {"setMonitoringResult": [MON_SAID]}),
    plain("TC_N_09", "2.0.1", "set_monitors", MON_2, "SetVariableMonitoring", {"setMonitoringData": [
        {"type": "UpperThreshold"}, {"type": "Periodic"}]}, {"setMonitoringResult": [MON_SAID, {**MON_SAID, "id": 2}]}),
    plain("TC_N_16", "2.0.1", "set_monitoring_level", {"severity": 4}, "SetMonitoringLevel", {"severity": 4}),
    plain("TC_N_17", "2.0.1", "set_monitoring_level", {"severity": 9}, "SetMonitoringLevel", {}, *refused("Rejected")),
    plain("TC_N_44", "2.0.1", "clear_monitors", {"monitor_ids": [1]}, "ClearVariableMonitoring", {"id": [1]},
          {"clearMonitoringResult": [{"id": 1, "status": "Rejected"}]}, ("rejected", "rejected")),
    log("TC_N_25", "2.0.1", "diagnostics", UPLOADED, "Uploading", "Uploaded"),
    log("TC_N_35", "2.0.1", "security", UPLOADED, "Uploading", "Uploaded"),
    log("TC_N_34", "2.0.1", "diagnostics", ("rejected", "rejected"), status="Rejected"),
    customer("TC_N_27", {"report": True, "token_uid": "TAG1"}, {"report": True, "clear": False,
             "idToken": {"idToken": "TAG1"}}, "known since May"),
    customer("TC_N_28", {"report": True, "token_uid": "TAG1"}, {"report": True}, ""),
    customer("TC_N_29", {"report": True, "token_uid": "TAG1"}, {"report": True}, None, status="Rejected"),
    customer("TC_N_30", {"report": True, "clear": True, "token_uid": "TAG1"}, {"report": True, "clear": True}, "x"),
    customer("TC_N_31", {"report": True, "clear": True, "token_uid": "TAG1"}, {"report": True, "clear": True}, ""),
    customer("TC_N_32", {"clear": True, "token_uid": "TAG1"}, {"report": False, "clear": True}, None),
    customer("TC_N_62", {"report": True, "clear": True, "customer_identifier": "me"},
             {"customerIdentifier": "me"}, "x"),
]  # fmt: skip


class Wired:
    """The stations of a module, and what each says to the call that comes next."""

    def __init__(self, made: Operations) -> None:
        self.made = made
        self.stations: dict[str, Station] = {}
        self.next: dict[str, dict[str, Any]] = {}

    def answer(self, version: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        name = action if version == "1.6" else f"{action}Request"
        validator(version, name).validate(payload)
        return self.next.get(version, SILENCE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wired(postgres_server: str) -> AsyncIterator[Wired]:
    async with operations(postgres_server, device_read=False) as made, AsyncExitStack() as stack:
        await made.edge.add_stations(*IDENTITIES.values())
        await made.edge.add_token("TAG1")
        wired = Wired(made)
        for version, identity in IDENTITIES.items():

            def answer(action: str, payload: dict[str, Any], version: str = version) -> dict[str, Any]:
                return wired.answer(version, action, payload)

            cp = await stack.enter_async_context(station(made.edge.url, identity, version, answer=answer))
            wired.stations[version] = cp
            await cp.boot()
        yield wired


def within(wanted: Any, found: Any) -> bool:
    """Whether all that is wanted is found, at its place."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and within(wanted[key], found[key]) for key in wanted
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(within, wanted, found))
    return bool(wanted == found)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(each, marks=pytest.mark.covers(*each.ids.split()), id=f"{each.ids}-{each.command}")
        for each in CASES
    ],
)
async def test_a_command_of_the_certification(wired: Wired, case: Case) -> None:
    cp, identity = wired.stations[case.version], IDENTITIES[case.version]
    wired.next[case.version] = case.answer
    cp.calls.clear()
    task = await wired.made.give(identity, case.command, **case.parameters)
    await eventually(lambda: bool(cp.calls))
    [(action, asked)] = cp.calls
    assert action == case.action
    assert within(case.asked, asked), asked
    for name, payload in case.notices:
        told = {key: asked["requestId"] if value == "$id" else value for key, value in payload.items()}
        await cp.call(name, told)
    reached = await wired.made.result(task, case.end[0])
    assert (reached["state"], reached["outcome"]) == case.end, reached


async def test_a_case_is_tried_once_unless_it_has_several_sides() -> None:
    several = [each for case in CASES for each in case.ids.split()]
    assert {each for each in several if several.count(each) > 1} == {"TC_054", "TC_067", "TC_076"}
