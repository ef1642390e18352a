"""OCPP 1.6: how commands are spelt and their answers read."""

from typing import Any

from pilotwire.core.texts import say
from pilotwire.domain.access.model import TokenStatus
from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.model import CommandState, KnownToken, Order, Reply
from pilotwire.ocpp.codec.outbound import NotInVersion, given, limits_of, reply_by_status
from pilotwire.ocpp.codec.v16 import charging

__all__ = ["read_answer", "spell"]

Spelt = tuple[str, dict[str, Any]]

_TRIGGERS = {
    "boot_notification": "BootNotification",
    "heartbeat": "Heartbeat",
    "status_notification": "StatusNotification",
    "meter_values": "MeterValues",
    "firmware_status": "FirmwareStatusNotification",
    "diagnostics_status": "DiagnosticsStatusNotification",
}
# Only the security whitepaper's ExtendedTriggerMessage knows these.
_EXTENDED_TRIGGERS = {"log_status": "LogStatusNotification", "sign_certificate": "SignChargePointCertificate"}
_ROOTS = {"csms_root": "CentralSystemRootCertificate", "manufacturer_root": "ManufacturerRootCertificate"}


def spell(order: Order) -> Spelt:
    """Give action and payload of a command.

    Raises: NotInVersion, Invalid.
    """
    command = order.command
    match command:
        case c.StartCharging():
            profile = command.profile and charging.profile_of(order, command.profile)
            start = given(idTag=_tag(order), connectorId=command.evse_id, chargingProfile=profile)
            return "RemoteStartTransaction", start
        case c.StopCharging():
            return "RemoteStopTransaction", {"transactionId": charging.transaction_number(order)}
        case c.Reset():
            return "Reset", {"type": _reset(command)}
        case c.Unlock():
            return "UnlockConnector", {"connectorId": _connector(command.evse_id, command.connector_id)}
        case c.SetAvailability():
            kind = "Operative" if command.available else "Inoperative"
            place = _connector(command.evse_id, command.connector_id)
            return "ChangeAvailability", {"connectorId": place or 0, "type": kind}
        case c.Trigger():
            return _trigger(command)
        case c.ClearCache():
            return "ClearCache", {}
        case c.DataTransfer():
            payload = given(vendorId=command.vendor_id, messageId=command.message_id, data=command.data)
            return "DataTransfer", payload
        case _:
            return _further(order)


def _further(order: Order) -> Spelt:  # noqa: C901, PLR0912 - a table
    command = order.command
    match command:
        case c.Reserve():
            return "ReserveNow", _reservation(order, command)
        case c.CancelReservation():
            return "CancelReservation", {"reservationId": command.reservation_id}
        case (
            c.SetLimit()
            | c.ClearLimit()
            | c.GetCompositeSchedule()
            | c.SetChargingProfile()
            | c.ClearChargingProfiles()
            | c.GetChargingProfiles()
        ):
            return charging.spell(order)
        case c.GetConfiguration():
            return "GetConfiguration", {"key": list(command.keys)} if command.keys else {}
        case c.SetConfiguration():
            return "ChangeConfiguration", {"key": command.key, "value": command.value}
        case c.GetLocalListVersion():
            return "GetLocalListVersion", {}
        case c.SendLocalList():
            return "SendLocalList", _local_list(order, command)
        case c.GetLogs():
            return _logs(order, command)
        case c.UpdateFirmware():
            return _firmware(order, command)
        case c.ListCertificates() | c.InstallCertificate() | c.DeleteCertificate():
            return _certificates(command)
        case c.SendCertificate():
            if command.purpose != "charging_station":
                raise NotInVersion(say("v16_no_v2g", "OCPP 1.6 has no certificates for V2G"))
            return "CertificateSigned", {"certificateChain": command.chain}
        case _:
            raise _refusal(command)


def _refusal(command: c.Command) -> NotInVersion:
    others = {"get_variables": "get_configuration", "set_variables": "set_configuration"}
    if other := others.get(command.name):
        return NotInVersion(
            say(
                "v16_other_command",
                "OCPP 1.6 has no {command}: use {other}",
                command=command.name,
                other=other,
            )
        )
    return NotInVersion(
        say(
            "v16_no_command",
            "OCPP 1.6 has no {command}: it needs a station with OCPP 2.0.1 or 2.1",
            command=command.name,
        )
    )


def _tag(order: Order) -> str:
    uid = order.tokens[0].uid if order.tokens else str(getattr(order.command, "token_uid", ""))
    return _as_tag(uid)


def _as_tag(uid: str) -> str:
    if len(uid) > 20:
        raise NotInVersion(
            say(
                "v16_token_too_long",
                "the token has {count} characters; OCPP 1.6 takes 20 at most, and some stations 16",
                count=len(uid),
            )
        )
    return uid


def _reset(command: c.Reset) -> str:
    if command.evse_id is not None:
        raise NotInVersion(say("v16_whole_reset", "OCPP 1.6 resets whole stations only: leave evse_id out"))
    if command.mode not in ("soft", "hard"):
        raise NotInVersion(
            say(
                "v16_no_reset",
                "OCPP 1.6 has no reset '{mode}': use soft, which ends sessions in order, or hard",
                mode=command.mode,
            )
        )
    return command.mode.capitalize()


def _connector(evse_id: int | None, connector_id: int | None) -> int | None:
    """Connector n of a 1.6 station is connector 1 of EVSE n."""
    if connector_id not in (None, 1):
        raise NotInVersion(
            say(
                "v16_connector_is_evse",
                "a 1.6 station numbers its connectors through: give the connector's number as evse_id, without connector_id",
            )
        )
    return evse_id


def _trigger(command: c.Trigger) -> Spelt:
    # Connector 0 makes some stations hang, so the station as a whole is asked without a number.
    place = given(connectorId=_connector(command.evse_id, command.connector_id))
    if command.message in _TRIGGERS:
        return "TriggerMessage", {"requestedMessage": _TRIGGERS[command.message], **place}
    if command.message in _EXTENDED_TRIGGERS:
        return "ExtendedTriggerMessage", {"requestedMessage": _EXTENDED_TRIGGERS[command.message], **place}
    known = ", ".join((*_TRIGGERS, *_EXTENDED_TRIGGERS))
    raise NotInVersion(
        say(
            "v16_no_trigger",
            "OCPP 1.6 has no trigger for {message}; there are {known}",
            message=command.message,
            known=known,
        )
    )


def _reservation(order: Order, command: c.Reserve) -> dict[str, Any]:
    if command.connector_type is not None:
        raise NotInVersion(
            say("v16_reserve_evse", "OCPP 1.6 does not reserve by connector type: give an evse_id")
        )
    token = order.tokens[0] if order.tokens else KnownToken(command.token_uid)
    return {
        "connectorId": command.evse_id or 0,
        "expiryDate": command.until,
        "idTag": _as_tag(token.uid),
        "reservationId": command.reservation_id or order.number,
    } | given(parentIdTag=token.group_id and _as_tag(token.group_id))


def _local_list(order: Order, command: c.SendLocalList) -> dict[str, Any]:
    entries = []
    for token in order.tokens:
        # Spec: 5.15: a tag without its information is taken off the list by a differential update.
        entry: dict[str, Any] = {"idTag": _as_tag(token.uid)}
        if token.status is not None:
            entry["idTagInfo"] = _tag_info(token)
        entries.append(entry)
    return {
        "listVersion": order.number,
        "updateType": command.mode.capitalize(),
        "localAuthorizationList": entries,
    }


def _tag_info(token: KnownToken) -> dict[str, Any]:
    status = token.status or TokenStatus.INVALID
    return {"status": status.value.capitalize()} | given(
        expiryDate=token.valid_until, parentIdTag=token.group_id and _as_tag(token.group_id)
    )


def _logs(order: Order, command: c.GetLogs) -> Spelt:
    tries = given(retries=command.retries, retryInterval=command.retry_interval_s)
    if command.kind == "diagnostics":
        times = given(startTime=command.since, stopTime=command.until)
        return "GetDiagnostics", {"location": command.location, **tries, **times}
    times = given(oldestTimestamp=command.since, latestTimestamp=command.until)
    log = {"remoteLocation": command.location, **times}
    return "GetLog", {"log": log, "logType": "SecurityLog", "requestId": order.number, **tries}


def _firmware(order: Order, command: c.UpdateFirmware) -> Spelt:
    tries = given(retries=command.retries, retryInterval=command.retry_interval_s)
    at = command.retrieve_at or order.now
    if command.signature is None:
        if command.install_at is not None:
            raise NotInVersion(
                say(
                    "v16_no_install_at",
                    "unsigned firmware of OCPP 1.6 has no time of installation: leave install_at out",
                )
            )
        return "UpdateFirmware", {"location": command.location, "retrieveDate": at, **tries}
    firmware = {
        "location": command.location,
        "retrieveDateTime": at,
        "signingCertificate": command.signing_certificate,
        "signature": command.signature,
    } | given(installDateTime=command.install_at)
    return "SignedUpdateFirmware", {"requestId": order.number, "firmware": firmware, **tries}


def _certificates(command: c.ListCertificates | c.InstallCertificate | c.DeleteCertificate) -> Spelt:
    if isinstance(command, c.DeleteCertificate):
        return "DeleteCertificate", {"certificateHashData": hash_data(command)}
    if command.use not in _ROOTS:
        raise NotInVersion(
            say(
                "v16_no_certificates",
                "OCPP 1.6 has no certificates for {use}; there are {known}",
                use=command.use,
                known=", ".join(_ROOTS),
            )
        )
    if isinstance(command, c.ListCertificates):
        return "GetInstalledCertificateIds", {"certificateType": _ROOTS[command.use]}
    payload = {"certificateType": _ROOTS[command.use], "certificate": command.certificate}
    return "InstallCertificate", payload


def hash_data(command: c.DeleteCertificate) -> dict[str, str]:
    """Give the hashes that name a certificate."""
    return {
        "hashAlgorithm": command.hash_algorithm,
        "issuerNameHash": command.issuer_name_hash,
        "issuerKeyHash": command.issuer_key_hash,
        "serialNumber": command.serial_number,
    }


def read_answer(order: Order, answer: dict[str, Any]) -> Reply:  # noqa: C901 - a table
    """Say what an answer means."""
    match order.command:
        case c.GetConfiguration():
            entries = {
                str(each.get("key")): each.get("value")
                for each in answer.get("configurationKey") or ()
                if isinstance(each, dict)
            }
            return Reply(
                CommandState.DONE,
                "answered",
                result={"configuration": entries, "unknown_keys": answer.get("unknownKey") or []},
            )
        case c.GetLocalListVersion():
            return Reply(CommandState.DONE, "answered", result={"version": answer.get("listVersion")})
        case c.GetLogs() if "status" not in answer:
            # Spec: 6.28: without a file name there is nothing to upload.
            if not answer.get("fileName"):
                return Reply(CommandState.REJECTED, "nothing_to_upload")
            return Reply(CommandState.DONE, "accepted", result={"file_name": answer["fileName"]})
        case c.UpdateFirmware() if "status" not in answer:
            return Reply(CommandState.DONE, "accepted")
        case c.ClearLimit() | c.ClearChargingProfiles() if answer.get("status") == "Unknown":
            return Reply(CommandState.DONE, "nothing_to_clear")
        case c.ListCertificates():
            found = answer.get("certificateHashData") or []
            if answer.get("status") == "NotFound":
                return Reply(CommandState.DONE, "not_found", result={"certificates": []})
            return reply_by_status(answer.get("status"), certificates=found)
        case c.Reserve():
            return reply_by_status(
                answer.get("status"), reservation_id=order.command.reservation_id or order.number
            )
        case c.SendLocalList():
            return reply_by_status(answer.get("status"), version=order.number)
        case c.GetCompositeSchedule():
            schedule, start = answer.get("chargingSchedule"), answer.get("scheduleStart")
            limits = None if schedule is None else limits_of(schedule, start)
            return reply_by_status(answer.get("status"), starts_at=start, schedule=schedule, limits=limits)
        case _:
            return reply_by_status(
                answer.get("status"), data=answer.get("data"), file_name=answer.get("filename")
            )
