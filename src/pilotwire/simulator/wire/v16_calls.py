"""OCPP 1.6: how the server's calls are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pilotwire.simulator import commands
from pilotwire.simulator.device import BY_KEY_16, SETTINGS, Setting
from pilotwire.simulator.profiles import Period, Profile, Purpose
from pilotwire.simulator.rpc import CallFaultError, Payload, Verdict
from pilotwire.simulator.states import Reservation, StopReason
from pilotwire.simulator.transfers import FirmwareOrder, LogOrder, update_firmware, upload_log
from pilotwire.simulator.wire.format import moment, moment_of, stamp
from pilotwire.simulator.wire.hashes import hash_data, hash_from

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

PURPOSES: dict[str, Purpose] = {
    "ChargePointMaxProfile": "station_max",
    "TxDefaultProfile": "tx_default",
    "TxProfile": "tx",
}
RECURRENCY_S = {"Daily": 86_400, "Weekly": 604_800}


def answer(station: Station, action: str, payload: Payload) -> Payload:
    """Answer a call.

    Raises: CallFaultError for an action that 1.6 does not know, or a payload that cannot be read.
    """
    handler = HANDLERS.get(action)
    if handler is None:
        raise CallFaultError("NotImplemented", action)
    return handler(station, payload)


def remote_start(station: Station, payload: Payload) -> Payload:
    """RemoteStartTransaction."""
    raw = payload.get("chargingProfile")
    wish = commands.RemoteStart(
        uid=str(payload["idTag"]),
        evse_id=payload.get("connectorId"),
        profile=profile_of(raw, payload.get("connectorId") or 0) if raw else None,
    )
    return _status("Accepted" if commands.remote_start(station, wish) else "Rejected")


def remote_stop(station: Station, payload: Payload) -> Payload:
    """RemoteStopTransaction."""
    return _status("Accepted" if commands.remote_stop(station, str(payload["transactionId"])) else "Rejected")


def reset(station: Station, payload: Payload) -> Payload:
    """Reset: soft stops transactions and tells it first, hard reboots at once."""
    hard = payload["type"] == "Hard"
    commands.reset(station, "RemoteReset", StopReason.HARD_RESET if hard else StopReason.SOFT_RESET)
    return _status("Accepted")


def unlock(station: Station, payload: Payload) -> Payload:
    """UnlockConnector."""
    evse = station.evse(payload["connectorId"])
    return _status(commands.unlock(station, evse) if evse else "NotSupported")


def change_availability(station: Station, payload: Payload) -> Payload:
    """ChangeAvailability."""
    operative = payload["type"] == "Operative"
    return _status(commands.change_availability(station, payload["connectorId"], operative=operative))


def trigger(station: Station, payload: Payload) -> Payload:
    """TriggerMessage and ExtendedTriggerMessage."""
    return _status(commands.trigger(station, payload["requestedMessage"], payload.get("connectorId")))


def clear_cache(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """ClearCache."""
    station.known.cache.clear()
    return _status("Accepted")


def data_transfer(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """DataTransfer: no vendor's messages are known."""
    _ = payload["vendorId"]
    return _status("UnknownVendorId")


def get_configuration(station: Station, payload: Payload) -> Payload:
    """GetConfiguration: the keys asked for, or all."""
    wanted = payload.get("key")
    if wanted:
        found = [BY_KEY_16[key.lower()] for key in wanted if key.lower() in BY_KEY_16]
        unknown = [key for key in wanted if key.lower() not in BY_KEY_16]
    else:
        found, unknown = [setting for setting in SETTINGS if setting.key_16], []
    known = [_configuration_key(station, setting) for setting in found]
    return {"configurationKey": known, "unknownKey": unknown}


def _configuration_key(station: Station, setting: Setting) -> Payload:
    entry: dict[str, Any] = {"key": setting.key_16, "readonly": setting.access == "ro"}
    if setting.access != "wo":
        entry["value"] = station.device.text(setting.name)[:500]
    return entry


def change_configuration(station: Station, payload: Payload) -> Payload:
    """ChangeConfiguration."""
    setting = BY_KEY_16.get(payload["key"].lower())
    if setting is None:
        return _status("NotSupported")
    outcome = station.device.write(setting, payload["value"])
    if outcome != "accepted":
        return _status("Rejected")
    commands.setting_changed(station, setting)
    return _status("Accepted")


def reserve(station: Station, payload: Payload) -> Payload:
    """ReserveNow."""
    expires_at = moment_of(payload["expiryDate"])
    wish = Reservation(
        payload["reservationId"],
        payload["connectorId"],
        str(payload["idTag"]),
        payload.get("parentIdTag"),
        expires_at,
    )
    return _status(commands.reserve(station, wish))


def cancel_reservation(station: Station, payload: Payload) -> Payload:
    """CancelReservation."""
    return _status(
        "Accepted" if commands.cancel_reservation(station, payload["reservationId"]) else "Rejected"
    )


def local_list_version(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """GetLocalListVersion; -1 says that lists are switched off."""
    enabled = station.device.switch("local_list_enabled")
    return {"listVersion": station.known.list_version if enabled else -1}


def send_local_list(station: Station, payload: Payload) -> Payload:
    """SendLocalList; a differential entry without `idTagInfo` removes."""
    if not station.device.switch("local_list_enabled"):
        return _status("NotSupported")
    entries: dict[str, Verdict | None] = {}
    for entry in payload.get("localAuthorizationList", []):
        info = entry.get("idTagInfo")
        entries[entry["idTag"]] = (
            Verdict(info["status"], info.get("parentIdTag"), moment(info.get("expiryDate"))) if info else None
        )
    full = payload["updateType"] == "Full"
    return _status(station.known.update_list(payload["listVersion"], entries, full=full))


def set_charging_profile(station: Station, payload: Payload) -> Payload:
    """SetChargingProfile."""
    profile = profile_of(payload["csChargingProfiles"], payload["connectorId"])
    return _status("Accepted" if commands.set_profile(station, profile) else "Rejected")


def clear_charging_profile(station: Station, payload: Payload) -> Payload:
    """ClearChargingProfile; all criteria must fit."""
    purpose = payload.get("chargingProfilePurpose")
    chosen = station.profiles.find(
        ids=None if payload.get("id") is None else [payload["id"]],
        evse_id=payload.get("connectorId"),
        purpose=None if purpose is None else PURPOSES[purpose],
        stack_level=payload.get("stackLevel"),
    )
    station.ticker.advance()
    return _status("Accepted" if station.profiles.remove(chosen) else "Unknown")


def composite_schedule(station: Station, payload: Payload) -> Payload:
    """GetCompositeSchedule."""
    connector_id = payload["connectorId"]
    schedule = commands.composite(station, connector_id, payload["duration"], payload.get("chargingRateUnit"))
    if schedule is None:
        return _status("Rejected")
    return {
        "status": "Accepted",
        "connectorId": connector_id,
        "scheduleStart": stamp(schedule.start_at),
        "chargingSchedule": {
            "duration": schedule.duration_s,
            "startSchedule": stamp(schedule.start_at),
            "chargingRateUnit": schedule.unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start_s, "limit": limit} for start_s, limit in schedule.periods
            ],
        },
    }


def get_diagnostics(station: Station, payload: Payload) -> Payload:
    """GetDiagnostics."""
    name = f"diagnostics-{station.spec.serial_number}.log"
    station.spawn(upload_log(station, LogOrder(payload["location"], name, None, *_tries(payload))))
    return {"fileName": name}


def get_log(station: Station, payload: Payload) -> Payload:
    """GetLog."""
    name = f"{payload['logType']}-{station.spec.serial_number}.log"
    where = payload["log"]["remoteLocation"]
    station.spawn(upload_log(station, LogOrder(where, name, payload["requestId"], *_tries(payload))))
    return {"status": "Accepted", "filename": name}


def begin_update(station: Station, payload: Payload) -> Payload:
    """UpdateFirmware."""
    retries, interval_s = _tries(payload)
    order = FirmwareOrder(
        payload["location"],
        None,
        moment(payload["retrieveDate"]),
        retries=retries,
        retry_interval_s=interval_s,
    )
    station.spawn(update_firmware(station, order))
    return {}


def signed_update_firmware(station: Station, payload: Payload) -> Payload:
    """SignedUpdateFirmware."""
    firmware = payload["firmware"]
    if "BEGIN CERTIFICATE" not in firmware["signingCertificate"]:
        return _status("InvalidCertificate")
    order = FirmwareOrder(
        firmware["location"], payload["requestId"], moment(firmware["retrieveDateTime"]),
        moment(firmware.get("installDateTime")), firmware["signature"], firmware["signingCertificate"], *_tries(payload),
    )  # fmt: skip
    station.spawn(update_firmware(station, order))
    return _status("Accepted")


def _tries(payload: Payload) -> tuple[int, float]:
    return payload.get("retries") or 0, payload.get("retryInterval") or 0


def install_certificate(station: Station, payload: Payload) -> Payload:
    """InstallCertificate."""
    done = station.certificates.install(payload["certificateType"], payload["certificate"])
    return _status("Accepted" if done else "Rejected")


def installed_certificates(station: Station, payload: Payload) -> Payload:
    """GetInstalledCertificateIds."""
    found = [held for held in station.certificates.installed if held.type == payload["certificateType"]]
    if not found:
        return _status("NotFound")
    return {"status": "Accepted", "certificateHashData": [hash_data(held.hash) for held in found]}


def delete_certificate(station: Station, payload: Payload) -> Payload:
    """DeleteCertificate."""
    wanted = hash_from(payload["certificateHashData"])
    return _status("Accepted" if station.certificates.delete(wanted) else "NotFound")


def certificate_signed(station: Station, payload: Payload) -> Payload:
    """CertificateSigned."""
    done = station.certificates.accept_signed(payload["certificateChain"])
    return _status("Accepted" if done else "Rejected")


def profile_of(raw: Payload, evse_id: int) -> Profile:
    """A charging profile from its wire form."""
    schedule = raw["chargingSchedule"]
    recurrency = raw.get("recurrencyKind")
    profile = Profile(
        id=raw["chargingProfileId"],
        evse_id=evse_id,
        purpose=PURPOSES[raw["chargingProfilePurpose"]],
        stack_level=raw["stackLevel"],
        kind=raw["chargingProfileKind"].lower(),
        unit=schedule["chargingRateUnit"],
        periods=periods_of(schedule["chargingSchedulePeriod"]),
        start_at=moment(schedule.get("startSchedule")),
        duration_s=schedule.get("duration"),
        recurrency_s=RECURRENCY_S.get(recurrency) if recurrency else None,
        valid_from=moment(raw.get("validFrom")),
        valid_to=moment(raw.get("validTo")),
        raw=raw,
    )
    reference = raw.get("transactionId")
    return profile if reference is None else replace(profile, transaction_id=str(reference))


def periods_of(raw: list[Payload]) -> tuple[Period, ...]:
    """The periods of a schedule in order."""
    periods = (
        Period(int(period["startPeriod"]), float(period["limit"]), period.get("numberPhases"))
        for period in raw
    )
    return tuple(sorted(periods, key=lambda period: period.start_s))


def _status(status: str) -> Payload:
    return {"status": status}


HANDLERS: dict[str, Callable[[Station, Payload], Payload]] = {
    "CancelReservation": cancel_reservation,
    "CertificateSigned": certificate_signed,
    "ChangeAvailability": change_availability,
    "ChangeConfiguration": change_configuration,
    "ClearCache": clear_cache,
    "ClearChargingProfile": clear_charging_profile,
    "DataTransfer": data_transfer,
    "DeleteCertificate": delete_certificate,
    "ExtendedTriggerMessage": trigger,
    "GetCompositeSchedule": composite_schedule,
    "GetConfiguration": get_configuration,
    "GetDiagnostics": get_diagnostics,
    "GetInstalledCertificateIds": installed_certificates,
    "GetLocalListVersion": local_list_version,
    "GetLog": get_log,
    "InstallCertificate": install_certificate,
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": remote_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
    "SignedUpdateFirmware": signed_update_firmware,
    "TriggerMessage": trigger,
    "UnlockConnector": unlock,
    "UpdateFirmware": begin_update,
}
