"""The main commands to clients that share no code with us: they check what they get against the official schemas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
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

UNTIL = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")


def station_of(parent: type, results: Any, *actions: str) -> type:
    """Make a station that accepts actions and remembers what it was asked."""

    def handler(action: str) -> Any:
        answers = {
            "GetConfiguration": {"configuration_key": [{"key": "K", "readonly": False, "value": "V"}]},
            "GetLocalListVersion": {"list_version": 3} if results is result16 else {"version_number": 3},
            "GetVariables": {
                "get_variable_result": [
                    {
                        "attribute_status": "Accepted",
                        "attribute_value": "300",
                        "component": {"name": "OCPPCommCtrlr"},
                        "variable": {"name": "HeartbeatInterval"},
                    }
                ]
            },
            "GetDiagnostics": {"file_name": "log.zip"},
            "UpdateFirmware": {} if results is result16 else {"status": "Accepted"},
            "UnlockConnector": {"status": "Unlocked"},
        }

        def handle(self: Any, **asked: Any) -> Any:
            self.asked.append((action, asked))
            return getattr(results, action)(**answers.get(action, {"status": "Accepted"}))

        handle.__name__ = f"on_{action}"  # the package finds handlers by their names
        return on(action)(handle)

    return type("Asked", (parent,), {f"on_{action}": handler(action) for action in actions})


Asked16 = station_of(
    ChargePoint16, result16, "RemoteStartTransaction", "RemoteStopTransaction", "Reset", "UnlockConnector",
    "ChangeAvailability", "TriggerMessage", "ClearCache", "ReserveNow", "CancelReservation", "SetChargingProfile",
    "ClearChargingProfile", "GetConfiguration", "ChangeConfiguration", "GetLocalListVersion", "SendLocalList",
    "GetDiagnostics", "UpdateFirmware", "DataTransfer",
)  # fmt: skip
Asked201 = station_of(
    ChargePoint201, result201, "RequestStartTransaction", "RequestStopTransaction", "Reset", "UnlockConnector",
    "ChangeAvailability", "TriggerMessage", "ClearCache", "ReserveNow", "CancelReservation", "SetChargingProfile",
    "ClearChargingProfile", "GetVariables", "GetBaseReport", "GetLocalListVersion", "SendLocalList", "GetLog",
    "UpdateFirmware", "DataTransfer", "SetDisplayMessage", "CustomerInformation", "InstallCertificate",
)  # fmt: skip

COMMON: list[tuple[str, dict[str, Any]]] = [
    ("reset", {}),
    ("unlock", {"evse_id": 1}),
    ("set_availability", {"available": False, "evse_id": 1}),
    ("trigger", {"message": "heartbeat"}),
    ("clear_cache", {}),
    ("reserve", {"token_uid": "TAG1", "until": UNTIL, "evse_id": 1}),
    ("cancel_reservation", {"reservation_id": 1}),
    ("set_limit", {"limit_a": 10}),
    ("set_limit", {"limit_w": 11000, "scope": "station"}),
    ("clear_limit", {"scope": "default"}),
    ("get_local_list_version", {}),
    ("send_local_list", {}),
    ("send_local_list", {"mode": "differential", "token_uids": ["TAG1", "GONE"]}),
    ("data_transfer", {"vendor_id": "org.example", "data": "x"}),
    ("start_charging", {"token_uid": "TAG1", "evse_id": 1}),
    ("stop_charging", {"transaction_id": "77"}),
    ("get_logs", {"location": "https://logs.example/up"}),
    ("update_firmware", {"location": "https://files.example/fw"}),
]
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
VARIABLE = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        await made.edge.add_token("TAG1")
        yield made


@asynccontextmanager
async def client(system: Operations, kind: type, version: str) -> AsyncIterator[Any]:
    socket = await connect(
        f"{system.edge.url}/CP-1",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": basic_header("CP-1", PASSWORD)},
        proxy=None,
    )
    made = kind("CP-1", socket)
    made.asked = []
    reading = asyncio.create_task(made.start())
    try:
        yield made
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)


async def give_all(system: Operations, commands: list[tuple[str, dict[str, Any]]]) -> None:
    for command, parameters in commands:
        task = await system.give("CP-1", command, **parameters)
        reached = await system.result(task, "accepted", "done", "rejected", "failed", "timed_out", "unknown")
        assert reached["state"] in ("accepted", "done"), (command, reached)


@pytest.mark.covers(
    *(
        f"1.6:{action}"
        for action in (
            "RemoteStartTransaction", "RemoteStopTransaction", "Reset", "UnlockConnector", "ChangeAvailability",
            "TriggerMessage", "ClearCache", "ReserveNow", "CancelReservation", "SetChargingProfile",
            "ClearChargingProfile", "GetConfiguration", "ChangeConfiguration", "GetLocalListVersion", "SendLocalList",
            "GetDiagnostics", "UpdateFirmware", "DataTransfer",
        )
    )
)  # fmt: skip
async def test_commands_to_the_ocpp_packages_1_6_client(system: Operations) -> None:
    async with client(system, Asked16, "1.6") as cp:
        await cp.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        settings = [
            ("get_configuration", {"keys": ["K"]}),
            ("set_configuration", {"key": "HeartbeatInterval", "value": "60"}),
        ]
        await give_all(system, COMMON + settings)
        asked = dict(cp.asked)
        assert asked["RemoteStartTransaction"] == {"id_tag": "TAG1", "connector_id": 1}
        assert asked["RemoteStopTransaction"] == {"transaction_id": 77}
        assert asked["SendLocalList"]["local_authorization_list"] == [
            {"id_tag": "TAG1", "id_tag_info": {"status": "Accepted"}},
            {"id_tag": "GONE"},
        ]
        assert {action for action, _ in cp.asked} == {
            name.removeprefix("on_") for name in vars(Asked16) if name.startswith("on_")
        }


@pytest.mark.covers(
    *(
        f"2.0.1:{action}"
        for action in (
            "RequestStartTransaction", "RequestStopTransaction", "Reset", "UnlockConnector", "ChangeAvailability",
            "TriggerMessage", "ClearCache", "ReserveNow", "CancelReservation", "SetChargingProfile",
            "ClearChargingProfile", "GetVariables", "GetBaseReport", "GetLocalListVersion", "SendLocalList", "GetLog",
            "UpdateFirmware", "DataTransfer", "SetDisplayMessage", "CustomerInformation", "InstallCertificate",
        )
    )
)  # fmt: skip
async def test_commands_to_the_ocpp_packages_2_0_1_client(system: Operations) -> None:
    async with client(system, Asked201, "2.0.1") as cp:
        made_by = {"model": "M", "vendor_name": "V"}
        await cp.call(call201.BootNotification(charging_station=made_by, reason="PowerUp"))
        more: list[tuple[str, dict[str, Any]]] = [
            ("get_variables", {"variables": [VARIABLE]}),
            ("get_base_report", {}),
            ("set_display_message", {"message_id": 1, "text": "Hello", "language": "en"}),
            ("customer_information", {"report": True, "token_uid": "TAG1"}),
            ("install_certificate", {"use": "csms_root", "certificate": CERTIFICATE}),
        ]
        await give_all(system, COMMON + more)
        asked = dict(cp.asked)
        start = asked["RequestStartTransaction"]
        assert start["id_token"] == {"id_token": "TAG1", "type": "ISO14443"}
        assert start["evse_id"] == 1
        assert asked["RequestStopTransaction"] == {"transaction_id": "77"}
        assert {action for action, _ in cp.asked} == {
            name.removeprefix("on_") for name in vars(Asked201) if name.startswith("on_")
        }
