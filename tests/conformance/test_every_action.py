"""Every action of ours, of every version, to a station that checks it, and every kind of answer to it.

Stations of 1.6 and 2.0.1 are clients of the `ocpp` package, which shares no code with us; those of 2.1 are plain frames
checked by the official schemas.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from ocpp.charge_point import camel_to_snake_case
from ocpp.exceptions import NotSupportedError
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets import Subprotocol
from websockets.asyncio.client import connect

from tests.support.edge import PASSWORD, basic_header
from tests.support.operations import Operations, operations
from tests.support.protocol_actions import FROM_SYSTEM
from tests.support.schema_strategies import full_example, same, schemas, validator
from tests.support.stations import SILENCE, station

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAIT_S = 0.05  # the station is told to take longer, so this is no race
LATE, NOT_SUPPORTED = "late", "not supported"
IDENTITIES = {"1.6": "CP-16", "2.0.1": "CP-201", "2.1": "CP-21"}


class Script:
    """What the station is asked, and what it says next."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answer: Any = NOT_SUPPORTED

    def take(self, action: str, payload: dict[str, Any]) -> Any:
        self.asked.append((action, payload))
        return self.answer


def packaged(parent: type, results: Any, version: str, script: Script) -> type:
    """A client of the `ocpp` package that does as the script says for every action."""

    def handler(action: str) -> Any:
        async def handle(self: Any, **asked: Any) -> Any:
            answer = script.take(action, asked)
            if answer == NOT_SUPPORTED:
                raise NotSupportedError(description="not here")
            if answer == LATE:
                await asyncio.sleep(4 * WAIT_S)
                answer = example(version, action)
            return getattr(results, action)(**camel_to_snake_case(answer))

        handle.__name__ = f"on_{action}"
        return on(action)(handle)

    return type("Scripted", (parent,), {f"on_{action}": handler(action) for action in FROM_SYSTEM[version]})


@asynccontextmanager
async def client(url: str, version: str) -> AsyncIterator[Script]:
    script = Script()
    if version == "2.1":
        kept = {LATE: SILENCE, NOT_SUPPORTED: None}

        def answer(action: str, payload: dict[str, Any]) -> Any:
            validator(version, f"{action}Request").validate(payload)
            said = script.take(action, payload)
            return kept[said] if isinstance(said, str) else said

        async with station(url, IDENTITIES[version], version, answer=answer) as cp:
            await cp.boot()
            yield script
        return
    parent, results = (ChargePoint16, result16) if version == "1.6" else (ChargePoint201, result201)
    socket = await connect(
        f"{url}/{IDENTITIES[version]}",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": basic_header(IDENTITIES[version], PASSWORD)},
        proxy=None,
    )
    cp = packaged(parent, results, version, script)(IDENTITIES[version], socket)
    reading = asyncio.create_task(cp.start())
    if version == "1.6":
        await cp.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
    else:
        made_by = {"model": "M", "vendor_name": "V"}
        await cp.call(call201.BootNotification(charging_station=made_by, reason="PowerUp"))
    try:
        yield script
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres_server: str) -> AsyncIterator[tuple[Operations, dict[str, Script]]]:
    async with operations(postgres_server, device_read=False) as made, AsyncExitStack() as stack:
        await made.edge.add_stations(*IDENTITIES.values())
        await made.edge.add_token("TAG1")
        made.edge.edge.desk._answer_s = WAIT_S * 10
        scripts = {
            version: await stack.enter_async_context(client(made.edge.url, version)) for version in IDENTITIES
        }
        yield made, scripts


def asked_for(version: str, action: str) -> dict[str, Any]:
    """A request with every field, in the words of people who call by hand."""
    name = action if version == "1.6" else f"{action}Request"
    document: dict[str, Any] = full_example(version, name)
    if version == "1.6" and "location" in document:
        document["location"] = "ftp://example.org/x"
    return document


def example(version: str, action: str) -> dict[str, Any]:
    document: dict[str, Any] = full_example(version, f"{action}Response")
    return document


def answers(version: str, action: str) -> list[dict[str, Any]]:
    """An answer with every status that the action knows, or the only one it has."""
    document, schema = example(version, action), schemas(version)[f"{action}Response"]
    status = schema.get("properties", {}).get("status")
    if status is None:
        return [document]
    if "$ref" in status:
        status = schema["definitions"][status["$ref"].removeprefix("#/definitions/")]
    return [{**document, "status": each} for each in status["enum"]]


async def check(system: tuple[Operations, dict[str, Script]], version: str, action: str) -> None:
    """Send an action by hand with each kind of answer, then with a payload that may not go out."""
    made, scripts = system
    script, document = scripts[version], asked_for(version, action)
    path = f"/api/v1/stations/{IDENTITIES[version]}/call/{action}"
    script.asked.clear()

    for said in answers(version, action):
        script.answer = said
        answer = await made.http.post(path, json=document)
        assert answer.status_code == 200, answer.text
        assert answer.json()["outcome"] == "result"
        assert same(answer.json()["payload"], json.loads(json.dumps(said))), answer.text
    script.answer = NOT_SUPPORTED
    answer = await made.http.post(path, json=document)
    assert (answer.status_code, answer.json()["outcome"], answer.json()["code"]) == (
        200,
        "error",
        "NotSupported",
    )
    script.answer = LATE
    answer = await made.http.post(path, json=document, params={"timeout_s": WAIT_S})
    assert answer.status_code == 504, answer.text
    sent = len(script.asked)
    assert {name for name, _ in script.asked} == {action}
    assert sent == len(answers(version, action)) + 2

    answer = await made.http.post(path, json={**document, "notInTheSchema": True})
    assert answer.status_code == 422, answer.text
    assert "notInTheSchema" in answer.json()["detail"]
    assert len(script.asked) == sent


@pytest.mark.covers(*(f"1.6:{action}" for action in FROM_SYSTEM["1.6"]))
@pytest.mark.parametrize("action", FROM_SYSTEM["1.6"])
async def test_every_action_of_1_6(system: tuple[Operations, dict[str, Script]], action: str) -> None:
    await check(system, "1.6", action)


@pytest.mark.covers(*(f"2.0.1:{action}" for action in FROM_SYSTEM["2.0.1"]))
@pytest.mark.parametrize("action", FROM_SYSTEM["2.0.1"])
async def test_every_action_of_2_0_1(system: tuple[Operations, dict[str, Script]], action: str) -> None:
    await check(system, "2.0.1", action)


@pytest.mark.covers(*(f"2.1:{action}" for action in FROM_SYSTEM["2.1"]))
@pytest.mark.parametrize("action", FROM_SYSTEM["2.1"])
async def test_every_action_of_2_1(system: tuple[Operations, dict[str, Script]], action: str) -> None:
    await check(system, "2.1", action)


async def test_nothing_is_left_out() -> None:
    assert [len(FROM_SYSTEM[version]) for version in IDENTITIES] == [26, 40, 55]


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
HASHES = {"issuer_name_hash": "a", "issuer_key_hash": "b", "serial_number": "c"}
VARIABLE = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
PROFILE = {"id": 1, "purpose": "default", "unit": "a", "periods": [{"start_s": 0, "limit": 16}]}
FILE = {"location": "https://files.example/x"}
SHARED: dict[str, tuple[str, dict[str, Any]]] = {
    "CancelReservation": ("cancel_reservation", {"reservation_id": 1}),
    "CertificateSigned": ("send_certificate", {"chain": PEM}),
    "ChangeAvailability": ("set_availability", {"available": False}),
    "ClearCache": ("clear_cache", {}),
    "ClearChargingProfile": ("clear_charging_profiles", {"profile_id": 1}),
    "DataTransfer": ("data_transfer", {"vendor_id": "org.example"}),
    "DeleteCertificate": ("delete_certificate", HASHES),
    "GetCompositeSchedule": ("get_composite_schedule", {"evse_id": 1}),
    "GetInstalledCertificateIds": ("list_certificates", {}),
    "GetLocalListVersion": ("get_local_list_version", {}),
    "GetLog": ("get_logs", {**FILE, "kind": "security"}),
    "InstallCertificate": ("install_certificate", {"use": "csms_root", "certificate": PEM}),
    "ReserveNow": ("reserve", {"token_uid": "TAG1", "until": "2099-01-01T00:00:00Z", "evse_id": 1}),
    "Reset": ("reset", {}),
    "SendLocalList": ("send_local_list", {}),
    "SetChargingProfile": ("set_charging_profile", {"profile": PROFILE}),
    "TriggerMessage": ("trigger", {"message": "heartbeat"}),
    "UnlockConnector": ("unlock", {"evse_id": 1}),
    "UpdateFirmware": ("update_firmware", FILE),
}
OLD: dict[str, tuple[str, dict[str, Any]]] = {
    "ChangeConfiguration": ("set_configuration", {"key": "K", "value": "V"}),
    "ExtendedTriggerMessage": ("trigger", {"message": "log_status"}),
    "GetConfiguration": ("get_configuration", {}),
    "GetDiagnostics": ("get_logs", FILE),
    "RemoteStartTransaction": ("start_charging", {"token_uid": "TAG1", "evse_id": 1}),
    "RemoteStopTransaction": ("stop_charging", {"transaction_id": "77"}),
    "SignedUpdateFirmware": ("update_firmware", {**FILE, "signature": "ab", "signing_certificate": PEM}),
}
NEW: dict[str, tuple[str, dict[str, Any]]] = {
    "ClearDisplayMessage": ("clear_display_message", {"message_id": 1}),
    "ClearVariableMonitoring": ("clear_monitors", {"monitor_ids": [1]}),
    "CostUpdated": ("update_cost", {"transaction_id": "77", "total_cost": "1.20"}),
    "CustomerInformation": ("customer_information", {"report": True, "token_uid": "TAG1"}),
    "GetBaseReport": ("get_base_report", {}),
    "GetChargingProfiles": ("get_charging_profiles", {"evse_id": 1}),
    "GetDisplayMessages": ("get_display_messages", {}),
    "GetMonitoringReport": ("get_monitoring_report", {}),
    "GetReport": ("get_report", {"criteria": ["problem"]}),
    "GetTransactionStatus": ("get_transaction_status", {}),
    "GetVariables": ("get_variables", {"variables": [VARIABLE]}),
    "PublishFirmware": ("publish_firmware", {**FILE, "checksum": "0" * 32}),
    "RequestStartTransaction": ("start_charging", {"token_uid": "TAG1", "evse_id": 1}),
    "RequestStopTransaction": ("stop_charging", {"transaction_id": "77"}),
    "SetDisplayMessage": ("set_display_message", {"message_id": 1, "text": "Hello"}),
    "SetMonitoringBase": ("set_monitoring_base", {"base": "all"}),
    "SetMonitoringLevel": ("set_monitoring_level", {"severity": 5}),
    "SetNetworkProfile": (
        "set_network_profile",
        {"slot": 1, "url": "wss://csms.example/ocpp", "security_profile": 2},
    ),
    "SetVariableMonitoring": ("set_monitors", {"monitors": [{**VARIABLE, "kind": "delta", "value": 1}]}),
    "SetVariables": ("set_variables", {"variables": [{**VARIABLE, "value": "60"}]}),
    "UnpublishFirmware": ("unpublish_firmware", {"checksum": "0" * 32}),
}
COMMANDS = [("1.6", *each) for each in (SHARED | OLD).items()] + [
    (version, *each) for version in ("2.0.1", "2.1") for each in (SHARED | NEW).items()
]
GOOD = {"done", "accepted"}
REFUSALS = {
    "Rejected",
    "Failed",
    "NotSupported",
    "Faulted",
    "UnknownTransaction",
    "InvalidURL",
    "DownloadOngoing",
}


@pytest.mark.parametrize(
    ("version", "action", "given"), COMMANDS, ids=[f"{each[0]}-{each[1]}" for each in COMMANDS]
)
async def test_a_command_free_of_versions_takes_every_kind_of_answer(
    system: tuple[Operations, dict[str, Script]],
    version: str,
    action: str,
    given: tuple[str, dict[str, Any]],
) -> None:
    made, scripts = system
    script, (command, parameters) = scripts[version], given

    async def state(said: Any) -> tuple[str, str]:
        script.answer = said
        script.asked.clear()
        task = await made.give(IDENTITIES[version], command, **parameters)
        reached = await made.result(task, "accepted", "done", "rejected", "failed", "timed_out", "unknown")
        assert [name for name, _ in script.asked] == [action]
        return reached["state"], reached["outcome"]

    said = answers(version, action)
    assert (await state(said[0]))[0] in GOOD or said[0].get("status") in REFUSALS
    for refusal in (each for each in said if each.get("status") in REFUSALS):
        assert (await state(refusal))[0] in {"rejected", "failed"}, refusal
    assert await state(NOT_SUPPORTED) == ("rejected", "not_supported")
    made.edge.edge.desk._answer_s = WAIT_S
    try:
        assert await state(LATE) == ("timed_out", "no_answer")
    finally:
        made.edge.edge.desk._answer_s = 30


async def test_every_action_that_all_versions_need_has_a_command() -> None:
    assert (SHARED | OLD).keys() == set(FROM_SYSTEM["1.6"])
    assert (SHARED | NEW).keys() == set(FROM_SYSTEM["2.0.1"])
