"""OCPP 2.0.1 and 2.1: how the server's calls are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilotwire.simulator import commands
from pilotwire.simulator.rpc import Call, CallFaultError, Payload, Verdict
from pilotwire.simulator.states import Reservation, StopReason
from pilotwire.simulator.transfers import FirmwareOrder, LogOrder, update_firmware, upload_log
from pilotwire.simulator.wire import v2_charging, v2_device, v21_calls
from pilotwire.simulator.wire.format import moment, moment_of, stamp
from pilotwire.simulator.wire.hashes import hash_data, hash_from

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

Handler = Callable[["Station", Payload], Payload]
CERTIFICATE_TYPES = (
    "V2GRootCertificate", "MORootCertificate", "CSMSRootCertificate", "ManufacturerRootCertificate",
    "OEMRootCertificate",
)  # fmt: skip


def answer(station: Station, action: str, payload: Payload) -> Payload:
    """Answer a call.

    Raises: CallFaultError for an action that the version does not know, or that no simulated station can
    do.
    """
    handler = HANDLERS.get(action)
    if handler is None and station.spec.version == "2.1":
        handler = v21_calls.HANDLERS.get(action)
    if handler is not None:
        return handler(station, payload)
    new = station.spec.version == "2.1" and action in v21_calls.UNSUPPORTED
    if action in UNSUPPORTED or new:
        raise CallFaultError("NotSupported", f"{action} is not offered by this station")
    raise CallFaultError("NotImplemented", action)


def request_start(station: Station, payload: Payload) -> Payload:
    """RequestStartTransaction; a car that is plugged in already has a transaction, whose name is answered."""
    token, group = payload["idToken"], payload.get("groupIdToken")
    raw = payload.get("chargingProfile")
    wish = commands.RemoteStart(
        uid=str(token["idToken"]),
        evse_id=payload.get("evseId"),
        remote_start_id=payload["remoteStartId"],
        group=group["idToken"] if group else None,
        profile=v2_charging.profile_of(raw, payload.get("evseId") or 0, station.now()) if raw else None,
        no_authorise=token["type"] == "NoAuthorization",
    )
    evse = commands.remote_start(station, wish)
    if evse is None:
        return _status("Rejected")
    return {"status": "Accepted"} | ({"transactionId": evse.tx.id} if evse.tx else {})


def request_stop(station: Station, payload: Payload) -> Payload:
    """RequestStopTransaction."""
    return _accepted(commands.remote_stop(station, payload["transactionId"]))


def reset(station: Station, payload: Payload) -> Payload:
    """Reset of the whole station; single EVSEs cannot be reset here."""
    if payload.get("evseId") is not None:
        return _refused("Rejected", "UnsupportedParam", "EVSEs cannot be reset one by one")
    kind = payload["type"]
    if kind == "OnIdle":
        waits = commands.reset(station, "ScheduledReset", StopReason.SOFT_RESET, when_idle=True)
        return _status("Scheduled" if waits else "Accepted")
    if kind not in ("Immediate", "ImmediateAndResume"):
        raise CallFaultError("PropertyConstraintViolation", f"type {kind}")
    commands.reset(station, "RemoteReset", StopReason.HARD_RESET if kind == "Immediate" else None)
    return _status("Accepted")


def unlock(station: Station, payload: Payload) -> Payload:
    """UnlockConnector; not while someone charges with a right. Spec: OCPP 2.0.1 F05."""
    evse = station.evse(payload["evseId"])
    known = evse is not None and any(held.id == payload["connectorId"] for held in evse.spec.connectors)
    if evse is None or not known:
        return _status("UnknownConnector")
    if evse.tx is not None and evse.authorisation is not None:
        return _status("OngoingAuthorizedTransaction")
    outcome = commands.unlock(station, evse)
    return _status("Unlocked" if outcome == "Unlocked" else "UnlockFailed")


def change_availability(station: Station, payload: Payload) -> Payload:
    """ChangeAvailability."""
    evse_id = payload["evse"]["id"] if payload.get("evse") else 0
    operative = payload["operationalStatus"] == "Operative"
    return _status(commands.change_availability(station, evse_id, operative=operative))


def trigger(station: Station, payload: Payload) -> Payload:
    """TriggerMessage."""
    evse_id = payload["evse"]["id"] if payload.get("evse") else None
    return _status(commands.trigger(station, payload["requestedMessage"], evse_id))


def clear_cache(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """ClearCache."""
    station.known.cache.clear()
    return _accepted(done=True)


def data_transfer(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """DataTransfer: no vendor's messages are known."""
    _ = payload["vendorId"]
    return _status("UnknownVendorId")


def get_variables(station: Station, payload: Payload) -> Payload:
    """GetVariables."""
    return {"getVariableResult": [v2_device.get_variable(station, one) for one in payload["getVariableData"]]}


def set_variables(station: Station, payload: Payload) -> Payload:
    """SetVariables."""
    return {"setVariableResult": [v2_device.set_variable(station, one) for one in payload["setVariableData"]]}


def get_base_report(station: Station, payload: Payload) -> Payload:
    """GetBaseReport."""
    return _status(v2_device.base_report(station, payload["requestId"], payload["reportBase"]))


def get_report(station: Station, payload: Payload) -> Payload:
    """GetReport."""
    return _status(v2_device.custom_report(station, payload))


def reserve(station: Station, payload: Payload) -> Payload:
    """ReserveNow."""
    expires_at = moment_of(payload["expiryDateTime"])
    group = payload.get("groupIdToken")
    wish = Reservation(
        payload["id"],
        payload.get("evseId") or 0,
        str(payload["idToken"]["idToken"]),
        group["idToken"] if group else None,
        expires_at,
    )
    return _status(commands.reserve(station, wish))


def cancel_reservation(station: Station, payload: Payload) -> Payload:
    """CancelReservation."""
    return _accepted(commands.cancel_reservation(station, payload["reservationId"]))


def local_list_version(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """GetLocalListVersion."""
    enabled = station.device.switch("local_list_enabled")
    return {"versionNumber": station.known.list_version if enabled else 0}


def send_local_list(station: Station, payload: Payload) -> Payload:
    """SendLocalList; a differential entry without `idTokenInfo` removes."""
    if not station.device.switch("local_list_enabled"):
        return _status("Failed")
    entries: dict[str, Verdict | None] = {}
    for entry in payload.get("localAuthorizationList", []):
        entries[entry["idToken"]["idToken"]] = station.wire.verdict(entry)
    full = payload["updateType"] == "Full"
    return _status(station.known.update_list(payload["versionNumber"], entries, full=full))


def transaction_status(station: Station, payload: Payload) -> Payload:
    """GetTransactionStatus. Spec: OCPP 2.0.1 E14."""
    reference = payload.get("transactionId")
    result: dict[str, Any] = {"messagesInQueue": station.outbox.holds(reference)}
    if reference is not None:
        result["ongoingIndicator"] = commands.find_transaction(station, reference) is not None
    return result


def get_log(station: Station, payload: Payload) -> Payload:
    """GetLog."""
    name = f"{payload['logType']}-{station.spec.serial_number}.log"
    where = payload["log"]["remoteLocation"]
    station.spawn(upload_log(station, LogOrder(where, name, payload["requestId"], *_tries(payload))))
    return {"status": "Accepted", "filename": name}


def begin_update(station: Station, payload: Payload) -> Payload:
    """UpdateFirmware."""
    firmware = payload["firmware"]
    certificate = firmware.get("signingCertificate")
    if certificate is not None and "BEGIN CERTIFICATE" not in certificate:
        return _status("InvalidCertificate")
    order = FirmwareOrder(
        firmware["location"], payload["requestId"], moment(firmware["retrieveDateTime"]),
        moment(firmware.get("installDateTime")), firmware.get("signature"), certificate, *_tries(payload),
    )  # fmt: skip
    station.spawn(update_firmware(station, order))
    return _status("Accepted")


def _tries(payload: Payload) -> tuple[int, float]:
    return payload.get("retries") or 0, payload.get("retryInterval") or 0


def install_certificate(station: Station, payload: Payload) -> Payload:
    """InstallCertificate."""
    return _accepted(station.certificates.install(payload["certificateType"], payload["certificate"]))


def installed_certificates(station: Station, payload: Payload) -> Payload:
    """GetInstalledCertificateIds."""
    wanted = payload.get("certificateType") or CERTIFICATE_TYPES
    found = [held for held in station.certificates.installed if held.type in wanted]
    if not found:
        return _status("NotFound")
    chains = [{"certificateType": held.type, "certificateHashData": hash_data(held.hash)} for held in found]
    return {"status": "Accepted", "certificateHashDataChain": chains}


def delete_certificate(station: Station, payload: Payload) -> Payload:
    """DeleteCertificate."""
    done = station.certificates.delete(hash_from(payload["certificateHashData"]))
    return _status("Accepted" if done else "NotFound")


def certificate_signed(station: Station, payload: Payload) -> Payload:
    """CertificateSigned."""
    return _accepted(station.certificates.accept_signed(payload["certificateChain"]))


def customer_information(station: Station, payload: Payload) -> Payload:
    """CustomerInformation: all that a station knows of a customer is the cached verdict on a card."""
    token = payload.get("idToken")
    uid = str(token["idToken"]) if token else ""
    known = station.known.cache.get(uid.casefold())
    if payload["clear"]:
        station.known.cache.pop(uid.casefold(), None)
    if payload["report"]:
        report = {
            "requestId": payload["requestId"],
            "generatedAt": stamp(station.now()),
            "seqNo": 0,
            "data": f"token {uid}: {known.status}" if known else "nothing known",
        }
        station.say(Call("NotifyCustomerInformation", report))
    return _accepted(done=True)


def set_display_message(station: Station, payload: Payload) -> Payload:
    """SetDisplayMessage. Spec: OCPP 2.0.1 O01."""
    message = payload["message"]
    if message["message"]["format"] not in ("ASCII", "UTF8"):
        return _status("NotSupportedMessageFormat")
    reference = message.get("transactionId")
    if reference is not None and commands.find_transaction(station, reference) is None:
        return _status("UnknownTransaction")
    station.display_messages[message["id"]] = message
    return _accepted(done=True)


def get_display_messages(station: Station, payload: Payload) -> Payload:
    """GetDisplayMessages and the NotifyDisplayMessages that follows."""
    ids = payload.get("id")
    found = [
        message
        for number, message in station.display_messages.items()
        if (not ids or number in ids)
        and payload.get("priority") in (None, message["priority"])
        and payload.get("state") in (None, message.get("state"))
    ]
    if not found:
        return _status("Unknown")
    station.say(Call("NotifyDisplayMessages", {"requestId": payload["requestId"], "messageInfo": found}))
    return _accepted(done=True)


def clear_display_message(station: Station, payload: Payload) -> Payload:
    """ClearDisplayMessage."""
    known = station.display_messages.pop(payload["id"], None)
    return _status("Unknown" if known is None else "Accepted")


def cost_updated(station: Station, payload: Payload) -> Payload:
    """CostUpdated: shown to the driver."""
    station.notify("cost", transaction=payload["transactionId"], total=payload["totalCost"])
    return {}


def not_monitored(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """GetMonitoringReport and SetMonitoringBase: these stations monitor nothing."""
    return _status("NotSupported")


def set_network_profile(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """SetNetworkProfile: the address comes from the simulation's options alone."""
    return _refused("Rejected", "NotEnabled", "the simulator keeps its own address")


def _status(status: str) -> Payload:
    return {"status": status}


def _accepted(done: bool) -> Payload:
    return _status("Accepted" if done else "Rejected")


def _refused(status: str, code: str, info: str) -> Payload:
    return {"status": status, "statusInfo": {"reasonCode": code, "additionalInfo": info}}


HANDLERS: dict[str, Handler] = {
    "CancelReservation": cancel_reservation,
    "CertificateSigned": certificate_signed,
    "ChangeAvailability": change_availability,
    "ClearCache": clear_cache,
    "ClearChargingProfile": v2_charging.clear_profile,
    "ClearDisplayMessage": clear_display_message,
    "CostUpdated": cost_updated,
    "CustomerInformation": customer_information,
    "DataTransfer": data_transfer,
    "DeleteCertificate": delete_certificate,
    "GetBaseReport": get_base_report,
    "GetChargingProfiles": v2_charging.get_profiles,
    "GetCompositeSchedule": v2_charging.composite_schedule,
    "GetDisplayMessages": get_display_messages,
    "GetInstalledCertificateIds": installed_certificates,
    "GetLocalListVersion": local_list_version,
    "GetLog": get_log,
    "GetMonitoringReport": not_monitored,
    "GetReport": get_report,
    "GetTransactionStatus": transaction_status,
    "GetVariables": get_variables,
    "InstallCertificate": install_certificate,
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": request_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": v2_charging.set_profile,
    "SetDisplayMessage": set_display_message,
    "SetMonitoringBase": not_monitored,
    "SetNetworkProfile": set_network_profile,
    "SetVariables": set_variables,
    "TriggerMessage": trigger,
    "UnlockConnector": unlock,
    "UpdateFirmware": begin_update,
}
UNSUPPORTED = {
    "ClearVariableMonitoring",
    "PublishFirmware",
    "SetMonitoringLevel",
    "SetVariableMonitoring",
    "UnpublishFirmware",
}
