"""The server's calls to stations of every version, checked against the official schemas both ways."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pilotwire.simulator.model import MAINS_VOLTAGE_V, OcppVersion, StationQuirks
from tests.support.file_server import file_server
from tests.support.simulator_rig import TOKEN, Rig, every_version, rig, two_x
from tests.support.tiny_csms import CallError, tiny_csms
from tests.support.transfers import sign


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


def token(made: Rig, uid: str = TOKEN.uid) -> dict[str, Any]:
    return {"idTag": uid} if made.is_16 else {"idToken": {"idToken": uid, "type": "ISO14443"}}


async def start(made: Rig, evse_id: int | None, **more: Any) -> dict[str, Any]:
    if made.is_16:
        place = {} if evse_id is None else {"connectorId": evse_id}
        return await made.call("RemoteStartTransaction", {**token(made), **place, **more})
    place = {} if evse_id is None else {"evseId": evse_id}
    return await made.call("RequestStartTransaction", {**token(made), "remoteStartId": 77, **place, **more})


async def stop(made: Rig, reference: Any) -> dict[str, Any]:
    action = "RemoteStopTransaction" if made.is_16 else "RequestStopTransaction"
    return await made.call(action, {"transactionId": reference})


async def set_limit(
    made: Rig,
    limit: float,
    *,
    purpose: str,
    evse_id: int = 0,
    unit: str = "A",
    level: int = 1,
    number: int = 5,
) -> str:
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    profile: dict[str, Any] = {
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
    }
    if made.is_16:
        profile |= {"chargingProfileId": number, "chargingSchedule": schedule}
        payload = {"connectorId": evse_id, "csChargingProfiles": profile}
    else:
        profile |= {"id": number, "chargingSchedule": [schedule | {"id": 1}]}
        if purpose == "TxProfile":
            profile["transactionId"] = made.reference(evse_id)
        payload = {"evseId": evse_id, "chargingProfile": profile}
    return str((await made.call("SetChargingProfile", payload))["status"])


@every_version
async def test_remote_start_and_stop(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        made.station.plug_in(1, made.car())
        assert (await start(made, None))["status"] == "Accepted"
        await made.until(lambda: made.station.evses[0].flow.power_w > 0)
        await made.accepted()
        assert made.sent("Authorize")
        if not made.is_16:
            first = [e for e in made.sent("TransactionEvent") if e["triggerReason"] == "RemoteStart"]
            assert first[0]["transactionInfo"]["remoteStartId"] == 77
        assert (await start(made, 1))["status"] == "Rejected"
        unknown: Any = 4711 if made.is_16 else "nobody"
        assert (await stop(made, unknown))["status"] == "Rejected"
        assert (await stop(made, made.reference()))["status"] == "Accepted"
        ended = await made.wait_ended()
        reason = ended["reason"] if made.is_16 else ended["transactionInfo"]["stoppedReason"]
        assert reason == "Remote"


@every_version
async def test_remote_start_is_refused_while_pending(version: OcppVersion) -> None:
    async with tiny_csms(boot_answers=[("Pending", 60)]) as csms, rig(version, csms) as made:
        await made.until(lambda: made.station.lifecycle.boot_status == "Pending")
        assert (await start(made, 1))["status"] == "Rejected"


@every_version
@pytest.mark.parametrize("kind", ["soft", "hard"])
async def test_reset_ends_sessions_and_boots_again(version: OcppVersion, kind: str) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        if made.is_16:
            answer = await made.call("Reset", {"type": kind.capitalize()})
            expected = "Accepted"
        else:
            answer = await made.call("Reset", {"type": "OnIdle" if kind == "soft" else "Immediate"})
            expected = "Scheduled" if kind == "soft" else "Accepted"
        assert answer["status"] == expected
        if expected == "Scheduled":
            assert len(made.sent("BootNotification")) == 1
            made.station.unplug(1)
        await made.wait_ended()
        await made.until(lambda: len(made.sent("BootNotification")) == 2)
        await made.accepted()
        if made.is_16:
            assert made.ended()[0]["reason"] == ("SoftReset" if kind == "soft" else "HardReset")
        elif kind == "hard":
            assert made.ended()[0]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
            assert made.sent("BootNotification")[1]["reason"] == "RemoteReset"


async def test_reset_with_resume_keeps_the_transaction() -> None:
    async with rig("2.1") as made:
        await made.accepted()
        await made.charge()
        reference = made.reference()
        await made.call("Reset", {"type": "ImmediateAndResume"})
        await made.until(
            lambda: [e for e in made.sent("TransactionEvent") if e["triggerReason"] == "TxResumed"]
        )
        assert made.reference() == reference
        assert len(made.sent("BootNotification")) == 2


@every_version
async def test_a_new_password_is_used_at_the_next_connection(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        new = "second-password-0002"
        if made.is_16:
            assert (await made.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": "short"}))[
                "status"
            ] == "Rejected"
            answer = await made.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": new})
            assert answer["status"] == "Accepted"
            shown = await made.call("GetConfiguration", {"key": ["AuthorizationKey"]})
            assert "value" not in shown["configurationKey"][0]
        else:
            variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
            answer = await made.call(
                "SetVariables", {"setVariableData": [variable | {"attributeValue": new}]}
            )
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
            shown = await made.call("GetVariables", {"getVariableData": [variable]})
            assert shown["getVariableResult"][0]["attributeStatus"] == "Rejected"
        made.csms.passwords[made.identity] = new
        await made.call("Reset", {"type": "Hard" if made.is_16 else "Immediate"})
        await made.until(lambda: len(made.sent("BootNotification")) == 2)
        assert made.csms.used_passwords == ["first-password-0001", new]
        assert ("password_changed", {"password": new}) in made.told


@every_version
async def test_limits_are_obeyed_by_the_car(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        whole = "ChargePointMaxProfile" if made.is_16 else "ChargingStationMaxProfile"
        flow = made.station.evses[0]
        assert await set_limit(made, 10, purpose="TxDefaultProfile", number=1) == "Accepted"
        await made.until(lambda: max(flow.flow.currents_a) <= 10.0 + 1e-6)
        assert await set_limit(made, 8, purpose="TxProfile", evse_id=1, number=2) == "Accepted"
        await made.until(lambda: max(flow.flow.currents_a) <= 8.0 + 1e-6)
        assert await set_limit(made, 4_500, purpose=whole, unit="W", number=3) == "Accepted"
        await made.until(lambda: flow.flow.power_w > 4_499)
        assert flow.flow.power_w <= 4_500 + 1e-6
        assert await set_limit(made, 0, purpose="TxProfile", evse_id=1, number=2) == "Accepted"
        await made.until(lambda: flow.status == "SuspendedEVSE")
        payload: dict[str, Any] = {"id": 2} if made.is_16 else {"chargingProfileId": 2}
        assert (await made.call("ClearChargingProfile", payload))["status"] == "Accepted"
        assert (await made.call("ClearChargingProfile", payload))["status"] == "Unknown"
        await made.until(lambda: flow.status == "Charging")


@every_version
async def test_two_cars_share_the_maximum_of_the_station(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        whole = "ChargePointMaxProfile" if made.is_16 else "ChargingStationMaxProfile"
        assert await set_limit(made, 20, purpose=whole) == "Accepted"
        await made.charge(1)
        await made.charge(2)
        await asyncio.sleep(0.1)
        flows = [evse.flow.power_w for evse in made.station.evses]
        assert sum(flows) <= 20 * 3 * MAINS_VOLTAGE_V * 1.02
        assert all(max(evse.flow.currents_a) <= 10 + 1e-6 for evse in made.station.evses)


@every_version
async def test_profiles_that_do_not_fit_are_refused(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        whole = "ChargePointMaxProfile" if made.is_16 else "ChargingStationMaxProfile"
        assert await set_limit(made, 8, purpose=whole, evse_id=1) == "Rejected"
        assert await set_limit(made, 8, purpose="TxDefaultProfile", evse_id=9) == "Rejected"
        assert await set_limit(made, 8, purpose="TxDefaultProfile", level=99) == "Rejected"


@every_version
async def test_composite_schedule_tells_what_is_obeyed(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await set_limit(made, 10, purpose="TxDefaultProfile")
        place = {"connectorId": 1} if made.is_16 else {"evseId": 1}
        made.station.plug_in(1, made.car())
        assert await made.station.present_token(1, TOKEN)
        answer = await made.call("GetCompositeSchedule", {**place, "duration": 600, "chargingRateUnit": "A"})
        schedule = answer["chargingSchedule"] if made.is_16 else answer["schedule"]
        assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0}]
        unknown = {"connectorId": 9} if made.is_16 else {"evseId": 9}
        assert (await made.call("GetCompositeSchedule", {**unknown, "duration": 600}))["status"] == "Rejected"


@every_version
async def test_availability_waits_for_the_end_of_a_session(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()

        async def change(operative: bool, evse_id: int) -> str:
            if made.is_16:
                payload: dict[str, Any] = {
                    "connectorId": evse_id,
                    "type": "Operative" if operative else "Inoperative",
                }
            else:
                payload = {"operationalStatus": "Operative" if operative else "Inoperative"}
                payload |= {"evse": {"id": evse_id}} if evse_id else {}
            return str((await made.call("ChangeAvailability", payload))["status"])

        await made.charge()
        assert await change(operative=False, evse_id=1) == "Scheduled"
        assert await change(operative=False, evse_id=2) == "Accepted"
        assert made.station.evses[1].status == "Unavailable"
        made.station.unplug(1)
        await made.until(lambda: made.station.evses[0].status == "Unavailable")
        assert not await made.station.present_token(1, TOKEN)
        assert await change(operative=True, evse_id=0) == "Accepted"
        assert {evse.status for evse in made.station.evses} == {"Available"}
        assert await change(operative=True, evse_id=9) == "Rejected"


@every_version
async def test_reservation_keeps_the_place_for_one_card(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        if made.is_16:
            wish = {"connectorId": 1, "expiryDate": later(minutes=5), "idTag": TOKEN.uid, "reservationId": 3}
        else:
            wish = {"evseId": 1, "expiryDateTime": later(minutes=5), "id": 3, **token(made)}
        assert (await made.call("ReserveNow", wish))["status"] == "Accepted"
        assert made.station.evses[0].status == "Reserved"
        assert (await start(made, 1, **token(made, "04FFFFFFFFFFFF")))["status"] == "Rejected"
        assert (await made.call("CancelReservation", {"reservationId": 3}))["status"] == "Accepted"
        assert (await made.call("CancelReservation", {"reservationId": 3}))["status"] == "Rejected"
        await made.call("ReserveNow", wish)
        await made.charge()
        begun = made.sent("StartTransaction") if made.is_16 else made.sent("TransactionEvent")
        assert begun
        key = "expiryDate" if made.is_16 else "expiryDateTime"
        assert (await made.call("ReserveNow", wish | {key: later(seconds=-5)}))["status"] == "Rejected"


@every_version
async def test_a_reservation_lapses(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        if made.is_16:
            wish = {
                "connectorId": 0,
                "expiryDate": later(seconds=0.5),
                "idTag": TOKEN.uid,
                "reservationId": 3,
            }
        else:
            wish = {"expiryDateTime": later(seconds=0.5), "id": 3, **token(made)}
        assert (await made.call("ReserveNow", wish))["status"] == "Accepted"
        assert made.station.evses[0].status == "Reserved"
        await made.until(lambda: made.station.evses[0].status == "Available")
        if not made.is_16:
            over = (await made.until(lambda: made.sent("ReservationStatusUpdate")))[0]
            assert over == {"reservationId": 3, "reservationUpdateStatus": "Expired"}


@every_version
async def test_local_list_is_used_without_a_connection(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        info = {"status": "Accepted"}
        if made.is_16:
            entry = {"idTag": TOKEN.uid, "idTagInfo": info}
            names = ("listVersion", "idTagInfo")
        else:
            entry = {**token(made), "idTokenInfo": info}
            names = ("versionNumber", "idTokenInfo")
        payload = {names[0]: 4, "localAuthorizationList": [entry], "updateType": "Full"}
        assert (await made.call("SendLocalList", payload))["status"] == "Accepted"
        assert (await made.call("GetLocalListVersion", {}))[names[0]] == 4
        stale = payload | {"updateType": "Differential"}
        assert (await made.call("SendLocalList", stale))["status"] == "VersionMismatch"
        made.station.lifecycle.go_down(30)
        made.station.link.cut()
        made.station.plug_in(1, made.car())
        assert await made.station.present_token(1, TOKEN)


@every_version
@pytest.mark.parametrize(
    "message", ["StatusNotification", "MeterValues", "Heartbeat", "FirmwareStatusNotification"]
)
async def test_triggered_messages_come(version: OcppVersion, message: str) -> None:
    async with rig(version) as made:
        await made.accepted()
        before = len(made.sent(message))
        assert (await made.call("TriggerMessage", {"requestedMessage": message}))["status"] == "Accepted"
        await made.until(lambda: len(made.sent(message)) > before)


@every_version
async def test_firmware_update_tells_its_progress_and_changes_the_version(version: OcppVersion) -> None:
    async with rig(version) as made, file_server({"/eve-7.0.1.bin": b"firmware"}) as files:
        made.station.clock.speed = 50.0
        await made.accepted()
        location = f"{files.url}/eve-7.0.1.bin"
        if made.is_16:
            assert await made.call("UpdateFirmware", {"location": location, "retrieveDate": later()}) == {}
        else:
            firmware = {"location": location, "retrieveDateTime": later()}
            await made.call("UpdateFirmware", {"requestId": 9, "firmware": firmware})
        await made.until(
            lambda: [s["status"] for s in made.sent("FirmwareStatusNotification")][-1:] == ["Installed"]
        )
        boot = made.sent("BootNotification")[-1]
        assert (boot if made.is_16 else boot["chargingStation"])["firmwareVersion"] == "7.0.1"
        assert files.fetched == ["/eve-7.0.1.bin"]


def firmware_told(made: Rig) -> list[str]:
    return [each["status"] for each in made.sent("FirmwareStatusNotification")]


@every_version
async def test_signed_firmware_is_checked(version: OcppVersion) -> None:
    content = b"new" * 1000
    signature, certificate = sign(content)
    async with rig(version) as made, file_server({"/good": content, "/changed": content + b"!"}) as files:
        made.station.clock.speed = 50.0
        await made.accepted()
        for path, end in (
            ("/changed", "InvalidSignature"),
            ("/missing", "DownloadFailed"),
            ("/good", "Installed"),
        ):
            firmware = {
                "location": files.url + path,
                "retrieveDateTime": later(),
                "signature": signature,
                "signingCertificate": certificate,
            }
            action = "SignedUpdateFirmware" if made.is_16 else "UpdateFirmware"
            await made.call(action, {"requestId": 9, "firmware": firmware, "retries": 1, "retryInterval": 1})
            name = "SignedFirmwareStatusNotification" if made.is_16 else "FirmwareStatusNotification"
            await made.until(lambda name=name, end=end: [s["status"] for s in made.sent(name)][-1:] == [end])
        assert files.fetched == ["/changed", "/missing", "/missing", "/good"], (
            "a failed download is tried again"
        )


@pytest.mark.parametrize(("step", "end"), [("download", "DownloadFailed"), ("install", "InstallationFailed")])
async def test_an_update_can_be_told_to_fail(step: Any, end: str) -> None:
    quirks = StationQuirks(firmware_fails=step, log_fails=True)
    async with rig("2.0.1", quirks=quirks) as made, file_server({"/a-9.9.bin": b"x"}) as files:
        made.station.clock.speed = 50.0
        await made.accepted()
        firmware = {"location": f"{files.url}/a-9.9.bin", "retrieveDateTime": later()}
        await made.call("UpdateFirmware", {"requestId": 9, "firmware": firmware})
        await made.until(lambda: firmware_told(made)[-1:] == [end])
        assert made.station.firmware_version == "6.5.0"
        log = {"remoteLocation": f"{files.url}/in/"}
        await made.call("GetLog", {"log": log, "logType": "SecurityLog", "requestId": 4})
        await made.until(
            lambda: (
                [s["status"] for s in made.sent("LogStatusNotification")] == ["Uploading", "UploadFailure"]
            )
        )
        assert files.delivered == {}


@every_version
async def test_logs_are_uploaded(version: OcppVersion) -> None:
    async with rig(version) as made, file_server({}) as files:
        made.station.clock.speed = 50.0
        await made.accepted()
        log = {"remoteLocation": f"{files.url}/in/"}
        answer = await made.call("GetLog", {"log": log, "logType": "SecurityLog", "requestId": 4})
        assert answer["status"] == "Accepted"
        await made.until(
            lambda: [s["status"] for s in made.sent("LogStatusNotification")] == ["Uploading", "Uploaded"]
        )
        if made.is_16:
            await made.call("GetDiagnostics", {"location": f"{files.url}/in"})
            await made.until(lambda: len(made.sent("DiagnosticsStatusNotification")) == 2)
            assert "/in" in files.delivered
        assert b"firmware 6.5.0" in files.delivered["/in/SecurityLog-SN0001.log"]


@every_version
async def test_certificates_are_installed_listed_and_deleted(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        kind = "CentralSystemRootCertificate" if made.is_16 else "CSMSRootCertificate"
        wanted = kind if made.is_16 else [kind]
        pem = _root()
        assert (await made.call("GetInstalledCertificateIds", {"certificateType": wanted}))[
            "status"
        ] == "NotFound"
        payload = {"certificateType": kind, "certificate": pem}
        assert (await made.call("InstallCertificate", payload))["status"] == "Accepted"
        bad = {"certificateType": kind, "certificate": "nonsense"}
        assert (await made.call("InstallCertificate", bad))["status"] == "Rejected"
        listed = await made.call("GetInstalledCertificateIds", {"certificateType": wanted})
        if made.is_16:
            data = listed["certificateHashData"][0]
        else:
            data = listed["certificateHashDataChain"][0]["certificateHashData"]
        deleted = [
            (await made.call("DeleteCertificate", {"certificateHashData": data}))["status"] for _ in "12"
        ]
        assert deleted == ["Accepted", "NotFound"]


@every_version
async def test_a_certificate_is_requested_and_taken(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        if made.is_16:
            message, action = "SignChargePointCertificate", "ExtendedTriggerMessage"
        else:
            message, action = "SignChargingStationCertificate", "TriggerMessage"
        assert (await made.call(action, {"requestedMessage": message}))["status"] == "Accepted"
        csr = (await made.until(lambda: made.sent("SignCertificate")))[0]["csr"]
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        assert (await made.call("CertificateSigned", {"certificateChain": _root()}))["status"] == "Rejected"
        signed = _sign(request)
        assert (await made.call("CertificateSigned", {"certificateChain": signed}))["status"] == "Accepted"


@every_version
async def test_unlock(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        place = {"connectorId": 1} if made.is_16 else {"evseId": 1, "connectorId": 1}
        answer = await made.call("UnlockConnector", place)
        if made.is_16:
            assert answer["status"] == "Unlocked"
            assert (await made.wait_ended())["reason"] == "UnlockCommand"
        else:
            assert answer["status"] == "OngoingAuthorizedTransaction"
            assert (await made.call("UnlockConnector", place | {"evseId": 8}))["status"] == "UnknownConnector"


@every_version
async def test_faulty_calls_get_the_right_error(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        occurrence = "OccurenceConstraintViolation" if made.is_16 else "OccurrenceConstraintViolation"
        format_code = "FormationViolation" if made.is_16 else "FormatViolation"
        cases: list[tuple[str, object, str]] = [
            ("Nonsense", {}, "NotImplemented"),
            ("UnlockConnector", {}, occurrence),
            ("ChangeAvailability", [], format_code),
        ]
        if made.is_16:
            cases.append(("GetVariables", {}, "NotImplemented"))
            cases.append(("ChangeConfiguration", {"key": 5, "value": "1"}, "TypeConstraintViolation"))
        else:
            cases.append(("SetVariableMonitoring", {}, "NotSupported"))
            cases.append(("SetDERControl", {}, "NotSupported" if version == "2.1" else "NotImplemented"))
        for action, payload, code in cases:
            with pytest.raises(CallError) as caught:
                await made.csms.raw_call(made.identity, action, payload)
            assert caught.value.code == code, action
        answer = await made.call("DataTransfer", {"vendorId": "com.example"})
        assert answer["status"] == "UnknownVendorId"
        assert (await made.call("ClearCache", {}))["status"] == "Accepted"


async def test_configuration_of_16() -> None:
    async with rig("1.6") as made:
        await made.accepted()
        everything = await made.call("GetConfiguration", {})
        keys = {entry["key"]: entry.get("value") for entry in everything["configurationKey"]}
        assert keys["NumberOfConnectors"] == "2"
        some = await made.call("GetConfiguration", {"key": ["heartbeatinterval", "Nothing"]})
        assert some["unknownKey"] == ["Nothing"]
        assert some["configurationKey"][0]["key"] == "HeartbeatInterval"
        for key, value, status in (
            ("MeterValueSampleInterval", "2", "Accepted"),
            ("MeterValueSampleInterval", "-2", "Rejected"),
            ("MeterValuesSampledData", "Energy.Active.Import.Register,SoC", "Accepted"),
            ("MeterValuesSampledData", "Nonsense", "Rejected"),
            ("NumberOfConnectors", "5", "Rejected"),
            ("Nothing", "5", "NotSupported"),
        ):
            answer = await made.call("ChangeConfiguration", {"key": key, "value": value})
            assert answer["status"] == status, key


@two_x
async def test_reports_come_in_parts(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        for base in ("FullInventory", "ConfigurationInventory", "SummaryInventory"):
            answer = await made.call("GetBaseReport", {"requestId": 5, "reportBase": base})
            assert answer["status"] == "Accepted"
            parts = await made.until(
                lambda: [p for p in made.sent("NotifyReport") if not p["tbc"]] and made.sent("NotifyReport")
            )
            assert [part["seqNo"] for part in parts] == list(range(len(parts)))
            made.csms.messages[made.identity].clear()
        asked = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
        answer = await made.call("GetReport", {"requestId": 6, "componentVariable": [asked]})
        assert answer["status"] == "Accepted"
        report = (await made.until(lambda: made.sent("NotifyReport")))[0]
        assert report["reportData"][0]["variableCharacteristics"]["maxLimit"] == 11_000
        nothing = [{"component": {"name": "Nothing"}}]
        answer = await made.call("GetReport", {"requestId": 7, "componentVariable": nothing})
        assert answer["status"] == "EmptyResultSet"


@two_x
async def test_variables(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()

        async def write(component: str, variable: str, value: str) -> str:
            data = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
            answer = await made.call("SetVariables", {"setVariableData": [data]})
            return str(answer["setVariableResult"][0]["attributeStatus"])

        assert await write("SampledDataCtrlr", "TxUpdatedInterval", "30") == "Accepted"
        assert await write("SampledDataCtrlr", "TxUpdatedInterval", "soon") == "Rejected"
        assert await write("SampledDataCtrlr", "Nothing", "1") == "UnknownVariable"
        assert await write("Nothing", "Nothing", "1") == "UnknownComponent"
        assert await write("ChargingStation", "Model", "x") == "Rejected"
        asked = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
        answer = await made.call("GetVariables", {"getVariableData": [asked]})
        assert answer["getVariableResult"][0]["attributeValue"] == "30"


@two_x
async def test_profiles_are_reported(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        query = {"requestId": 8, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
        assert (await made.call("GetChargingProfiles", query))["status"] == "NoProfiles"
        await set_limit(made, 10, purpose="TxDefaultProfile")
        assert (await made.call("GetChargingProfiles", query))["status"] == "Accepted"
        report = (await made.until(lambda: made.sent("ReportChargingProfiles")))[0]
        assert report["chargingProfile"][0]["id"] == 5


@two_x
async def test_display_customer_and_status_calls(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        message = {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello"}}
        assert (await made.call("SetDisplayMessage", {"message": message}))["status"] == "Accepted"
        assert (await made.call("GetDisplayMessages", {"requestId": 1}))["status"] == "Accepted"
        assert (await made.until(lambda: made.sent("NotifyDisplayMessages")))[0]["messageInfo"] == [message]
        assert (await made.call("ClearDisplayMessage", {"id": 1}))["status"] == "Accepted"
        assert (await made.call("GetDisplayMessages", {"requestId": 2}))["status"] == "Unknown"
        await made.charge()
        status = await made.call("GetTransactionStatus", {"transactionId": made.reference()})
        assert status["ongoingIndicator"] is True
        cost = {"totalCost": 3.5, "transactionId": made.reference()}
        assert await made.call("CostUpdated", cost) == {}
        wish = {"requestId": 3, "report": True, "clear": True, **token(made)}
        assert (await made.call("CustomerInformation", wish))["status"] == "Accepted"
        data = (await made.until(lambda: made.sent("NotifyCustomerInformation")))[0]["data"]
        assert "Accepted" in data
        assert made.station.known.cache == {}
        assert (await made.call("SetMonitoringBase", {"monitoringBase": "All"}))["status"] == "NotSupported"


async def test_tariffs_and_dynamic_profiles_of_21() -> None:
    async with rig("2.1") as made:
        await made.accepted()
        tariff = {"tariffId": "T1", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.5}]}}
        assert (await made.call("GetTariffs", {"evseId": 0}))["status"] == "NoTariff"
        assert (await made.call("SetDefaultTariff", {"evseId": 0, "tariff": tariff}))["status"] == "Accepted"
        assert (await made.call("GetTariffs", {"evseId": 1}))["tariffAssignments"][0]["evseIds"] == [1, 2]
        cleared = await made.call("ClearTariffs", {})
        assert cleared["clearTariffsResult"] == [{"tariffId": "T1", "status": "Accepted"}]
        await made.charge()
        schedule = {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 12}],
        }
        profile = {
            "id": 6,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Dynamic",
            "transactionId": made.reference(),
            "chargingSchedule": [schedule],
        }
        answer = await made.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        assert answer["status"] == "Accepted"
        update = {"chargingProfileId": 6, "scheduleUpdate": {"limit": 7}}
        assert (await made.call("UpdateDynamicSchedule", update))["status"] == "Accepted"
        await made.until(lambda: max(made.station.evses[0].flow.currents_a) <= 7 + 1e-6)
        priority = {"transactionId": made.reference(), "activate": True}
        assert (await made.call("UsePriorityCharging", priority))["status"] == "NoProfile"


def _root() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return _certificate(key.public_key(), key)


def _sign(request: x509.CertificateSigningRequest) -> str:
    public = request.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return _certificate(public, ec.generate_private_key(ec.SECP256R1()))


def _certificate(public: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
