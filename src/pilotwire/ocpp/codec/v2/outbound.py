"""OCPP 2.0.1 and 2.1: how commands are spelt and their answers read."""

from typing import Any

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.access.model import TokenKind, TokenStatus
from pilotwire.domain.configuration.model import Setting
from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.model import CommandState, KnownToken, Order, Reply
from pilotwire.ocpp.codec.outbound import NotInVersion, given, reply_by_status, words
from pilotwire.ocpp.codec.v2 import charging, monitoring

__all__ = ["read_answer", "spell", "variable_of"]

Spelt = tuple[str, dict[str, Any]]

_TOKEN_TYPES = {
    TokenKind.RFID: "ISO14443",
    TokenKind.APP: "Central",
    TokenKind.CODE: "KeyCode",
    TokenKind.EMAID: "eMAID",
    TokenKind.MAC: "MacAddress",
    TokenKind.CENTRAL: "Central",
    TokenKind.OTHER: "Central",
}
_TRIGGERS = {
    "boot_notification": "BootNotification",
    "heartbeat": "Heartbeat",
    "status_notification": "StatusNotification",
    "meter_values": "MeterValues",
    "firmware_status": "FirmwareStatusNotification",
    "log_status": "LogStatusNotification",
    "transaction_event": "TransactionEvent",
    "sign_certificate": "SignChargingStationCertificate",
    "sign_v2g_certificate": "SignV2GCertificate",
}
_RESETS = {"soft": "Immediate", "hard": "Immediate", "on_idle": "OnIdle"}
_ATTRIBUTES = {"actual": "Actual", "target": "Target", "min_set": "MinSet", "max_set": "MaxSet"}
_REPORTS = {"configuration": "ConfigurationInventory", "full": "FullInventory", "summary": "SummaryInventory"}
_PRIORITIES = {"always_front": "AlwaysFront", "in_front": "InFront", "normal_cycle": "NormalCycle"}
_CERTIFICATES = {
    "csms_root": "CSMSRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
    "v2g_root": "V2GRootCertificate",
    "mo_root": "MORootCertificate",
    "v2g_chain": "V2GCertificateChain",
}
_STATUSES = {
    TokenStatus.ACCEPTED: "Accepted",
    TokenStatus.BLOCKED: "Blocked",
    TokenStatus.EXPIRED: "Expired",
    TokenStatus.INVALID: "Invalid",
}


def spell(order: Order, *, since_21: bool) -> Spelt:  # noqa: C901 - a table
    """Give action and payload of a command; `since_21` tells whether the station speaks 2.1.

    Raises: NotInVersion, Invalid.
    """
    command = order.command
    match command:
        case c.StartCharging():
            token = _named(order, command.token_uid)
            start = {"idToken": _token(token), "remoteStartId": order.number}
            group = token.group_id and {"idToken": token.group_id, "type": "Central"}
            profile = command.profile and charging.profile_of(
                order, command.profile, _transaction, since_21=since_21
            )
            more = given(evseId=command.evse_id, groupIdToken=group, chargingProfile=profile)
            return "RequestStartTransaction", start | more
        case c.StopCharging():
            return "RequestStopTransaction", {"transactionId": _transaction(order)}
        case c.Reset():
            return "Reset", {"type": _reset(command, since_21=since_21)} | given(evseId=command.evse_id)
        case c.Unlock():
            return "UnlockConnector", {"evseId": command.evse_id, "connectorId": command.connector_id}
        case c.SetAvailability():
            kind = "Operative" if command.available else "Inoperative"
            place = _evse(command.evse_id, command.connector_id)
            return "ChangeAvailability", {"operationalStatus": kind} | given(evse=place)
        case c.Trigger():
            return "TriggerMessage", _trigger(command)
        case c.ClearCache():
            return "ClearCache", {}
        case c.DataTransfer():
            payload = given(vendorId=command.vendor_id, messageId=command.message_id, data=command.data)
            return "DataTransfer", payload
        case c.Reserve():
            return "ReserveNow", _reservation(order, command)
        case c.CancelReservation():
            return "CancelReservation", {"reservationId": command.reservation_id}
        case _:
            return _of_power_and_settings(order, since_21=since_21)


def _of_power_and_settings(order: Order, *, since_21: bool) -> Spelt:
    command = order.command
    match command:
        case (
            c.SetLimit()
            | c.ClearLimit()
            | c.GetCompositeSchedule()
            | c.SetChargingProfile()
            | c.ClearChargingProfiles()
            | c.GetChargingProfiles()
        ):
            return charging.spell(order, _transaction, since_21=since_21)
        case c.GetVariables():
            return "GetVariables", {"getVariableData": [_variable(each) for each in command.variables]}
        case c.SetVariables():
            data = [_variable(each) | {"attributeValue": each.value} for each in command.variables]
            return "SetVariables", {"setVariableData": data}
        case c.GetBaseReport():
            return "GetBaseReport", {"requestId": order.number, "reportBase": _REPORTS[command.kind]}
        case c.GetLocalListVersion():
            return "GetLocalListVersion", {}
        case c.SendLocalList():
            return "SendLocalList", _local_list(order, command)
        case c.GetLogs():
            return "GetLog", _logs(order, command)
        case c.UpdateFirmware():
            return "UpdateFirmware", _firmware(order, command)
        case _:
            return _of_people_and_trust(order, since_21=since_21)


def _of_people_and_trust(order: Order, *, since_21: bool) -> Spelt:  # noqa: C901, PLR0912 - a table
    command = order.command
    match command:
        case c.UpdateCost():
            return "CostUpdated", {
                "totalCost": float(command.total_cost),
                "transactionId": command.transaction_id,
            }
        case c.SetDisplayMessage():
            return "SetDisplayMessage", {"message": _message(command)}
        case c.ClearDisplayMessage():
            return "ClearDisplayMessage", {"id": command.message_id}
        case c.GetDisplayMessages():
            return "GetDisplayMessages", {"requestId": order.number} | given(
                id=list(command.message_ids) or None,
                priority=command.priority and _PRIORITIES[command.priority],
                state=command.state and command.state.capitalize(),
            )
        case c.CustomerInformation():
            token = None if command.token_uid is None else _token(_named(order, command.token_uid))
            who = given(idToken=token, customerIdentifier=command.customer_identifier)
            wish = {"requestId": order.number, "report": command.report, "clear": command.clear}
            return "CustomerInformation", wish | who
        case c.GetTransactionStatus():
            return "GetTransactionStatus", given(transactionId=command.transaction_id)
        case c.ListCertificates():
            return "GetInstalledCertificateIds", {"certificateType": [_CERTIFICATES[command.use]]}
        case c.InstallCertificate():
            payload = {"certificateType": _CERTIFICATES[command.use], "certificate": command.certificate}
            return "InstallCertificate", payload
        case c.SendCertificate():
            use = "V2GCertificate" if command.purpose == "v2g" else "ChargingStationCertificate"
            number = command.request_id if since_21 else None
            payload = {"certificateChain": command.chain, "certificateType": use}
            return "CertificateSigned", payload | given(requestId=number)
        case c.SetNetworkProfile():
            return "SetNetworkProfile", _network_profile(command, since_21=since_21)
        case c.DeleteCertificate():
            return "DeleteCertificate", {
                "certificateHashData": {
                    "hashAlgorithm": command.hash_algorithm,
                    "issuerNameHash": command.issuer_name_hash,
                    "issuerKeyHash": command.issuer_key_hash,
                    "serialNumber": command.serial_number,
                }
            }
        case _:
            if (spelt := monitoring.spell(order)) is not None:
                return spelt
            raise _refusal(command)


def _refusal(command: c.Command) -> NotInVersion:
    others = {"get_configuration": "get_variables", "set_configuration": "set_variables"}
    if other := others.get(command.name):
        return NotInVersion(
            say(
                "v2_other_command",
                "OCPP 2.x has no {command}: use {other}",
                command=command.name,
                other=other,
            )
        )
    return NotInVersion(
        say("v2_command_of_16", "OCPP 2.x has no {command}: it is of OCPP 1.6", command=command.name)
    )


def _named(order: Order, uid: str) -> KnownToken:
    return order.tokens[0] if order.tokens else KnownToken(uid)


def _token(token: KnownToken) -> dict[str, str]:
    return {"idToken": token.uid, "type": _TOKEN_TYPES[token.kind]}


def _transaction(order: Order) -> str:
    if order.transaction_ref is None:
        raise Invalid(say("no_open_session", "no open session is known there; give its transaction_id"))
    return order.transaction_ref


def _reset(command: c.Reset, *, since_21: bool) -> str:
    if command.mode != "immediate_and_resume":
        return _RESETS[command.mode]
    if not since_21:
        raise NotInVersion(
            say(
                "v21_resume",
                "a reset that resumes sessions needs OCPP 2.1: use on_idle, or soft, which ends them",
            )
        )
    return "ImmediateAndResume"


def _evse(evse_id: int | None, connector_id: int | None) -> dict[str, int] | None:
    return None if evse_id is None else {"id": evse_id} | given(connectorId=connector_id)


def _trigger(command: c.Trigger) -> dict[str, Any]:
    if command.message not in _TRIGGERS:
        raise NotInVersion(
            say(
                "v2_no_trigger",
                "OCPP 2.x has no trigger for {message}; there are {known}",
                message=command.message,
                known=", ".join(_TRIGGERS),
            )
        )
    if command.message == "status_notification" and command.connector_id is None:
        # Spec: F06.FR.12: a status is that of one connector.
        raise NotInVersion(
            say(
                "status_of_one",
                "OCPP 2.x asks for the status of one connector: give evse_id and connector_id",
            )
        )
    place = _evse(command.evse_id, command.connector_id)
    return {"requestedMessage": _TRIGGERS[command.message]} | given(evse=place)


def _reservation(order: Order, command: c.Reserve) -> dict[str, Any]:
    token = _named(order, command.token_uid)
    group = token.group_id and {"idToken": token.group_id, "type": "Central"}
    return {
        "id": command.reservation_id or order.number,
        "expiryDateTime": command.until,
        "idToken": _token(token),
    } | given(evseId=command.evse_id, connectorType=command.connector_type, groupIdToken=group)


def _variable(each: c.Variable) -> dict[str, Any]:
    component = {"name": each.component} | given(
        instance=each.component_instance, evse=_evse(each.evse_id, each.connector_id)
    )
    variable = {"name": each.variable} | given(instance=each.variable_instance)
    kind = each.attribute and _ATTRIBUTES[each.attribute]
    return {"component": component, "variable": variable} | given(attributeType=kind)


def variable_of(setting: Setting) -> dict[str, Any]:
    """Spell which variable a setting is."""
    place = setting.variable
    return _variable(
        c.Variable(
            component=place.component,
            variable=place.variable,
            component_instance=place.component_instance or None,
            variable_instance=place.variable_instance or None,
            evse_id=place.evse_id or None,
            connector_id=place.connector_id or None,
            attribute=None if setting.attribute == "actual" else setting.attribute,  # type: ignore[arg-type]
        )
    )


def _local_list(order: Order, command: c.SendLocalList) -> dict[str, Any]:
    entries = []
    for token in order.tokens:
        # Spec: D01.FR.17: a token without its information is taken off the list by a differential update.
        entry: dict[str, Any] = {"idToken": _token(token)}
        if token.status is not None:
            group = token.group_id and {"idToken": token.group_id, "type": "Central"}
            entry["idTokenInfo"] = {"status": _STATUSES[token.status]} | given(
                cacheExpiryDateTime=token.valid_until, groupIdToken=group
            )
        entries.append(entry)
    return {"versionNumber": order.number, "updateType": command.mode.capitalize()} | given(
        localAuthorizationList=entries or None
    )


def _logs(order: Order, command: c.GetLogs) -> dict[str, Any]:
    log = {"remoteLocation": command.location} | given(
        oldestTimestamp=command.since, latestTimestamp=command.until
    )
    kind = "SecurityLog" if command.kind == "security" else "DiagnosticsLog"
    tries = given(retries=command.retries, retryInterval=command.retry_interval_s)
    return {"log": log, "logType": kind, "requestId": order.number, **tries}


def _firmware(order: Order, command: c.UpdateFirmware) -> dict[str, Any]:
    firmware = {
        "location": command.location,
        "retrieveDateTime": command.retrieve_at or order.now,
    } | given(
        installDateTime=command.install_at,
        signingCertificate=command.signing_certificate,
        signature=command.signature,
    )
    tries = given(retries=command.retries, retryInterval=command.retry_interval_s)
    return {"requestId": order.number, "firmware": firmware, **tries}


def _network_profile(command: c.SetNetworkProfile, *, since_21: bool) -> dict[str, Any]:
    return {
        "configurationSlot": command.slot,
        "connectionData": {
            "ocppVersion": "OCPP21" if since_21 else "OCPP20",
            "ocppInterface": command.interface,
            "ocppTransport": "JSON",
            "messageTimeout": command.message_timeout_s,
            "ocppCsmsUrl": command.url,
            "securityProfile": command.security_profile,
        },
    }


def _message(command: c.SetDisplayMessage) -> dict[str, Any]:
    content = {"format": command.format.upper(), "content": command.text} | given(language=command.language)
    return {
        "id": command.message_id,
        "priority": _PRIORITIES[command.priority],
        "message": content,
    } | given(
        state=command.state and command.state.capitalize(),
        startDateTime=command.since,
        endDateTime=command.until,
        transactionId=command.transaction_id,
    )


def read_answer(order: Order, answer: dict[str, Any]) -> Reply:  # noqa: C901, PLR0912 - a table
    """Say what an answer means."""
    status, info = answer.get("status"), answer.get("statusInfo")
    reply = charging.read_answer(order, answer) or monitoring.read_answer(order, answer)
    if reply is not None:
        return reply
    match order.command:
        case c.GetVariables():
            return _of_variables(answer.get("getVariableResult"))
        case c.SetVariables():
            return _of_variables(answer.get("setVariableResult"))
        case c.GetLocalListVersion():
            return Reply(CommandState.DONE, "answered", result={"version": answer.get("versionNumber")})
        case c.GetTransactionStatus():
            result = given(
                ongoing=answer.get("ongoingIndicator"), messages_in_queue=answer.get("messagesInQueue")
            )
            return Reply(CommandState.DONE, "answered", result=result)
        case c.UpdateCost():
            return Reply(CommandState.DONE, "accepted")
        case c.ClearDisplayMessage() if status == "Unknown":
            return Reply(CommandState.DONE, "nothing_to_clear")
        case c.GetDisplayMessages() if status == "Unknown":
            return Reply(CommandState.DONE, "no_messages", final=True)
        case c.ListCertificates():
            chains = answer.get("certificateHashDataChain") or []
            if status == "NotFound":
                return Reply(CommandState.DONE, "not_found", result={"certificates": []})
            found = [each.get("certificateHashData") for each in chains if isinstance(each, dict)]
            return reply_by_status(status, info, certificates=found)
        case c.Reserve():
            return reply_by_status(status, info, reservation_id=order.command.reservation_id or order.number)
        case c.SendLocalList():
            return reply_by_status(status, info, version=order.number)
        case c.StartCharging():
            return reply_by_status(status, info, transaction_id=answer.get("transactionId"))
        case c.GetBaseReport() | c.GetDisplayMessages() | c.CustomerInformation():
            return reply_by_status(status, info, request_id=order.number)
        case _:
            return reply_by_status(status, info, data=answer.get("data"), file_name=answer.get("filename"))


def _of_variables(results: Any) -> Reply:
    """Say how each variable fared; all must have been taken for the whole to be."""
    found = []
    for each in results if isinstance(results, list) else ():
        component, variable = each.get("component") or {}, each.get("variable") or {}
        found.append(
            given(
                component=component.get("name"),
                variable=variable.get("name"),
                outcome=words(str(each.get("attributeStatus", ""))),
                value=each.get("attributeValue"),
            )
        )
    outcomes = {each.get("outcome") for each in found}
    bad = outcomes - {"accepted", "reboot_required"}
    if not found or bad:
        word = next(iter(sorted(map(str, bad))), "not_understood")
        detail = f"{sum(each.get('outcome') in bad for each in found)} of {len(found)} variables were refused"
        return Reply(CommandState.REJECTED, word, detail, {"variables": found})
    outcome = "reboot_required" if "reboot_required" in outcomes else "accepted"
    return Reply(CommandState.DONE, outcome, result={"variables": found})
