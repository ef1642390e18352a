"""Every command to simulated stations of every version, from the REST API to the end that the station tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pilotwire.simulator.car import Car
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.link import Traffic
from pilotwire.simulator.model import OcppVersion
from pilotwire.simulator.station import Station, StationOptions
from tests.support.edge import PASSWORD
from tests.support.operations import Operations, eventually, operations
from tests.support.simulator_rig import MODEL, TOKEN, every_version, spec_of
from tests.support.transfers import CONTENT, add_firmware, sign

TWO = ("2.0.1", "2.1")


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_token(TOKEN.uid)
        yield made


@asynccontextmanager
async def simulated(system: Operations, version: OcppVersion) -> AsyncIterator[Station]:
    spec = spec_of(version)
    await system.edge.add_stations(spec.identity)
    station = Station(
        spec,
        StationOptions(
            system.edge.url,
            PASSWORD,
            tick_s=0.02,
            sample_interval_s=1,
            reboot_s=0.1,
            reconnect_least_s=0.05,
            reconnect_most_s=0.1,
            call_timeout_s=5,
        ),
        clock=SimClock(),
        traffic=Traffic(),
        notify=lambda *_: None,
    )
    life = asyncio.create_task(station.run())
    try:
        await eventually(lambda: station.lifecycle.accepted and not len(station.outbox))
        yield station
        assert not life.done(), life.exception()
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.covers(
    "1.6:RemoteStartTransaction", "1.6:RemoteStopTransaction", "1.6:SetChargingProfile", "1.6:ClearChargingProfile",
    "1.6:GetCompositeSchedule", "2.0.1:RequestStartTransaction", "2.0.1:RequestStopTransaction",
    "2.0.1:SetChargingProfile", "2.0.1:ClearChargingProfile", "2.0.1:GetCompositeSchedule",
    "2.0.1:GetTransactionStatus", "2.0.1:CostUpdated", "2.1:RequestStartTransaction", "2.1:RequestStopTransaction",
    "2.1:SetChargingProfile", "2.1:ClearChargingProfile", "2.1:GetCompositeSchedule", "2.1:GetTransactionStatus",
    "2.1:CostUpdated",
)  # fmt: skip
@every_version
@pytest.mark.covers("TC_010", "TC_012", "TC_057", "TC_F_01", "TC_E_21", "TC_K_60")
async def test_a_session_from_start_to_stop(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        name = station.spec.identity
        station.plug_in(1, Car(MODEL, soc_percent=30.0, scale=1.0))
        started = await system.run(name, "start_charging", token_uid=TOKEN.uid, evse_id=1)
        assert (started["state"], started["outcome"]) == ("done", "started"), started
        session_id = started["result"]["session_id"]
        limited = await system.run(name, "set_limit", scope="session", evse_id=1, limit_a=10)
        assert limited["state"] == "done", limited
        schedule = await system.run(name, "get_composite_schedule", evse_id=1, unit="a", duration_s=600)
        periods = schedule["result"]["schedule"]["chargingSchedulePeriod"]
        assert periods[0]["limit"] == 10
        assert (await system.run(name, "clear_limit", scope="session"))["outcome"] == "accepted"
        assert (await system.run(name, "clear_limit", scope="session"))["outcome"] == "nothing_to_clear"
        if version in TWO:
            session = (await system.http.get(f"/api/v1/sessions/{session_id}")).json()
            ref = session["transaction_id"]
            status = await system.run(name, "get_transaction_status", transaction_id=ref)
            assert status["result"]["ongoing"] is True
            cost = await system.run(name, "update_cost", transaction_id=ref, total_cost="1.25")
            assert cost["state"] == "done", cost
        stopped = await system.run(name, "stop_charging", session_id=session_id)
        assert (stopped["outcome"], stopped["result"]["session_id"]) == ("stopped", session_id), stopped
        late = await system.http.post(
            f"/api/v1/stations/{name}/commands", json={"command": "stop_charging", "session_id": session_id}
        )
        assert (late.status_code, late.json()["code"]) == (409, "task_over")
        nothing = await system.run(name, "stop_charging", evse_id=1)
        assert (nothing["state"], nothing["outcome"]) == ("rejected", "not_possible")


@pytest.mark.covers(
    "2.0.1:GetChargingProfiles",
    "2.0.1:ReportChargingProfiles",
    "2.1:GetChargingProfiles",
    "2.1:ReportChargingProfiles",
)
@every_version
async def test_a_whole_profile_is_set_told_and_cleared(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        name = station.spec.identity
        periods = [{"start_s": 0, "limit": 12}, {"start_s": 600, "limit": 8.5, "number_phases": 1}]
        for number, (evse_id, purpose) in enumerate(
            [(0, "default"), (1, "default"), (0, "station")], start=1
        ):
            profile = {"id": number, "purpose": purpose, "unit": "a", "stack_level": 1, "periods": periods}
            done = await system.run(name, "set_charging_profile", evse_id=evse_id, profile=profile)
            assert done["outcome"] == "accepted", done
        schedule = await system.run(name, "get_composite_schedule", evse_id=1, unit="a", duration_s=900)
        limits = schedule["result"]["limits"]
        assert (limits["unit"], limits["duration_s"]) == ("a", 900)
        assert [each["limit"] for each in limits["periods"]] == [12, 8.5]
        if version in TWO:
            told = await system.run(name, "get_charging_profiles")
            assert told["outcome"] == "reported", told
            found = {each["id"]: each for each in told["result"]["profiles"]}
            assert found.keys() == {1, 2, 3}
            assert (found[2]["evse_id"], found[2]["purpose"], found[2]["source"]) == (1, "default", "CSO")
            assert found[3]["schedules"][0]["periods"] == [
                {"start_s": 0, "limit": 12},
                {"start_s": 600, "limit": 8.5, "number_phases": 1},
            ]
        assert (await system.run(name, "clear_charging_profiles", profile_id=3))["outcome"] == "accepted"
        cleared = await system.run(name, "clear_charging_profiles", purpose="default", stack_level=1)
        assert cleared["outcome"] == "accepted"
        if version in TWO:
            assert (await system.run(name, "get_charging_profiles"))["outcome"] == "no_profiles"


@pytest.mark.covers("1.6:Reset", "2.0.1:Reset", "2.1:Reset")
@every_version
async def test_a_reset_is_done_when_the_station_has_booted(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        done = await system.run(station.spec.identity, "reset", mode="hard")
        assert (done["state"], done["outcome"]) == ("done", "rebooted"), done


@pytest.mark.covers(
    "1.6:UpdateFirmware", "1.6:GetDiagnostics", "1.6:GetLog", "2.0.1:UpdateFirmware", "2.0.1:GetLog",
    "2.1:UpdateFirmware", "2.1:GetLog",
)  # fmt: skip
@every_version
async def test_firmware_and_logs_are_followed_to_their_end(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        name = station.spec.identity
        for kind in ("diagnostics", "security"):
            done = await system.run(name, "get_logs", kind=kind)
            assert (done["state"], done["outcome"]) == ("done", "uploaded"), done
            (log, *_) = (await system.http.get("/api/v1/logs")).json()["items"]
            content = (await system.http.get(f"/api/v1/logs/{log['id']}/content")).content
            assert b"Alfen Eve Double SN0001, firmware 6.5.0" in content, "what the station delivered"
        signature, key = sign(CONTENT)
        image = await add_firmware(
            system, vendor="Alfen", version="7.0.0", file_name="fw-7.0.0.bin", signature=signature,
            signing_certificate=key,
        )  # fmt: skip
        done = await system.run(name, "update_firmware", image_id=image["id"])
        assert (done["state"], done["outcome"]) == ("done", "installed"), done
        assert station.firmware_version == "7.0.0"


SIMPLE: list[tuple[str, dict[str, Any], set[str]]] = [
    ("unlock", {"evse_id": 1}, {"unlocked"}),
    ("set_availability", {"available": False, "evse_id": 2}, {"accepted"}),
    ("set_availability", {"available": True}, {"accepted"}),
    ("trigger", {"message": "heartbeat"}, {"accepted"}),
    ("trigger", {"message": "meter_values", "evse_id": 1}, {"accepted"}),
    ("clear_cache", {}, {"accepted"}),
    ("data_transfer", {"vendor_id": "org.example"}, {"unknown_vendor_id"}),
    ("set_limit", {"limit_w": 8000, "scope": "station"}, {"accepted"}),
    ("set_limit", {"limit_a": 13, "evse_id": 1, "duration_s": 600}, {"accepted"}),
    ("get_local_list_version", {}, {"answered"}),
    ("send_local_list", {}, {"accepted"}),
    ("send_local_list", {"mode": "differential", "token_uids": [TOKEN.uid, "GONE"]}, {"accepted"}),
]
SIMPLE_16: list[tuple[str, dict[str, Any], set[str]]] = [
    ("get_configuration", {"keys": ["HeartbeatInterval", "NoSuchKey"]}, {"answered"}),
    ("set_configuration", {"key": "HeartbeatInterval", "value": "120"}, {"accepted"}),
    ("set_configuration", {"key": "NoSuchKey", "value": "1"}, {"not_supported"}),
    ("trigger", {"message": "log_status"}, {"accepted"}),
]
VARIABLE = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
SIMPLE_2: list[tuple[str, dict[str, Any], set[str]]] = [
    ("get_variables", {"variables": [VARIABLE]}, {"accepted"}),
    ("set_variables", {"variables": [{**VARIABLE, "value": "120"}]}, {"accepted"}),
    ("get_base_report", {"kind": "full"}, {"reported"}),
    ("set_display_message", {"message_id": 1, "text": "Hello"}, {"accepted"}),
    ("get_display_messages", {}, {"reported"}),
    ("clear_display_message", {"message_id": 1}, {"accepted"}),
    ("customer_information", {"report": True, "token_uid": TOKEN.uid}, {"reported"}),
]


@pytest.mark.covers(
    *(
        f"{version}:{action}"
        for version in ("1.6", *TWO)
        for action in (
            "UnlockConnector", "ChangeAvailability", "TriggerMessage", "ClearCache", "DataTransfer",
            "GetLocalListVersion", "SendLocalList", "ReserveNow", "CancelReservation", "InstallCertificate",
            "GetInstalledCertificateIds", "DeleteCertificate",
        )
    ),
    "1.6:GetConfiguration", "1.6:ChangeConfiguration", "1.6:ExtendedTriggerMessage",
    *(
        f"{version}:{action}"
        for version in TWO
        for action in (
            "GetVariables", "SetVariables", "GetBaseReport", "SetDisplayMessage", "GetDisplayMessages",
            "ClearDisplayMessage", "CustomerInformation",
        )
    ),
)  # fmt: skip
@every_version
async def test_commands_that_end_with_their_answer(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        name = station.spec.identity
        for command, parameters, outcomes in SIMPLE + (SIMPLE_2 if version in TWO else SIMPLE_16):
            done = await system.run(name, command, **parameters)
            assert done["outcome"] in outcomes, (command, parameters, done)
        kept = await system.run(name, "reserve", token_uid=TOKEN.uid, until=in_an_hour(), evse_id=1)
        assert kept["outcome"] == "accepted", kept
        given_up = await system.run(
            name, "cancel_reservation", reservation_id=kept["result"]["reservation_id"]
        )
        assert given_up["outcome"] == "accepted", given_up
        installed = await system.run(name, "install_certificate", use="csms_root", certificate=certificate())
        assert installed["outcome"] == "accepted", installed
        listed = (await system.run(name, "list_certificates"))["result"]["certificates"]
        assert len(listed) == 1
        named = {
            "hash_algorithm": listed[0]["hashAlgorithm"],
            "issuer_name_hash": listed[0]["issuerNameHash"],
            "issuer_key_hash": listed[0]["issuerKeyHash"],
            "serial_number": listed[0]["serialNumber"],
        }
        assert (await system.run(name, "delete_certificate", **named))["outcome"] == "accepted"
        assert (await system.run(name, "list_certificates"))["outcome"] == "not_found"


@every_version
@pytest.mark.covers("TC_011_2", "TC_F_04")
async def test_an_accepted_start_without_a_car_is_a_ghost(system: Operations, version: OcppVersion) -> None:
    async with simulated(system, version) as station:
        task = await system.give(station.spec.identity, "start_charging", token_uid=TOKEN.uid, evse_id=1)
        followed = await system.result(task, "accepted", "done")
        if followed["state"] == "done":
            assert version in TWO  # a 2.x session may begin with the authorization
            return
        await system.edge.rows("UPDATE command SET follow_until = now() - interval '1 second'")
        await system.give(station.spec.identity, "clear_cache")  # has the runner look at the clock
        ghost = await system.result(task)
        assert (ghost["state"], ghost["outcome"]) == ("failed", "no_session")
        assert ghost["reason"] == {"code": "no_session_began", "values": {}}
