"""What the certification programme wants to see of sessions and reports: every order of events is taken and understood."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilotwire.domain.access.model import TokenStatus
from tests.support.charging import Charging, ago
from tests.support.edge import RunningEdge
from tests.support.operations import Operations, eventually, operations
from tests.support.schema_strategies import validator
from tests.support.stations import Refused, Station, moment, station

SIGNED = {"signedMeterData": "AA==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
BAD = {"BLOCKED": TokenStatus.BLOCKED, "EXPIRED": TokenStatus.EXPIRED, "INVALID": TokenStatus.INVALID}


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server, device_read=False) as made:
        await made.edge.add_stations("CP-1")
        await made.edge.add_token("TAG1", group_id="FAMILY")
        await made.edge.add_token("TAG2", group_id="FAMILY")
        for uid, status in BAD.items():
            await made.edge.add_token(uid, status)
        yield made


async def ask(cp: Station, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Call, and check the answer by the official schema."""
    version = str(cp.socket.subprotocol).removeprefix("ocpp")
    answer: dict[str, Any] = await cp.call(action, payload)
    validator(version, f"{action}Response").validate(answer)
    return answer


async def ended(edge: RunningEdge) -> Any:
    session = await edge.session("CP-1")
    assert session["state"] == "ended", dict(session)
    return session


# OCPP 2.0.1: a step is (trigger, charging state, token); the first begins the session, the last ends it.
Step = tuple[str, str | None, str | None]
PLUG, CARD = ("CablePluggedIn", "EVConnected", None), ("Authorized", "EVConnected", "TAG1")
FLOW = ("ChargingStateChanged", "Charging", None)
LEAVE = ("EVCommunicationLost", "Idle", None)
ORDERS: list[tuple[str, list[Step], str]] = [
    ("TC_E_01", [("ChargingStateChanged", "SuspendedEVSE", "TAG1"), FLOW, LEAVE], "EVDisconnected"),
    ("TC_E_02", [("ChargingStateChanged", "Charging", "TAG1"), LEAVE], "EVDisconnected"),
    ("TC_E_03", [PLUG, CARD, FLOW, LEAVE], "EVDisconnected"),
    ("TC_E_04", [("Authorized", "Idle", "TAG1"), PLUG, FLOW, LEAVE], "EVDisconnected"),
    ("TC_E_07 TC_E_15", [PLUG, CARD, FLOW, ("StopAuthorized", "EVConnected", "TAG1")], "Local"),
    ("TC_E_08", [CARD, FLOW, ("StopAuthorized", "SuspendedEVSE", "TAG1")], "Local"),
    ("TC_E_09", [PLUG, LEAVE], "EVDisconnected"),
    ("TC_E_10", [("Authorized", None, "TAG1"), LEAVE], "EVDisconnected"),
    ("TC_E_11", [("SignedDataReceived", "EVConnected", "TAG1"), LEAVE], "EVDisconnected"),
    ("TC_E_12", [("EVDetected", "Idle", None), PLUG, CARD, LEAVE], "EVDisconnected"),
    ("TC_E_14", [PLUG, CARD, ("StopAuthorized", "EVConnected", "TAG1"), LEAVE], "Local"),
    (
        "TC_E_16",
        [PLUG, ("Authorized", "EVConnected", "INVALID"), ("Deauthorized", "EVConnected", None)],
        "DeAuthorized",
    ),
    ("TC_E_17", [PLUG, CARD, FLOW, ("Deauthorized", "Idle", None)], "EVDisconnected"),
    ("TC_E_19", [PLUG, CARD, FLOW, LEAVE, ("EVDeparted", "Idle", None)], "Local"),
    ("TC_E_20", [CARD, ("ChargingStateChanged", "SuspendedEV", None), LEAVE], "EVDisconnected"),
    ("TC_E_22", [CARD, FLOW, ("ChargingStateChanged", "SuspendedEV", None)], "StoppedByEV"),
    ("TC_E_26", [CARD, FLOW, LEAVE, PLUG, FLOW, ("StopAuthorized", "EVConnected", "TAG1")], "Local"),
    ("TC_E_38", [CARD, ("ChargingStateChanged", "SuspendedEV", None), FLOW, LEAVE], "EVDisconnected"),
    ("TC_E_39", [("Authorized", "Idle", "TAG1"), ("EVConnectTimeout", "Idle", None)], "Timeout"),
    ("TC_E_53 TC_C_08", [CARD, FLOW, LEAVE], "EVDisconnected"),
    (
        "TC_C_20",
        [("Authorized", "EVConnected", "BLOCKED"), ("Deauthorized", "EVConnected", None)],
        "DeAuthorized",
    ),
    ("TC_C_39", [CARD, FLOW, ("StopAuthorized", "EVConnected", "TAG2")], "Local"),
]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param(steps, reason, marks=pytest.mark.covers(*ids.split()), id=ids)
        for ids, steps, reason in ORDERS
    ],
)
async def test_an_order_of_events_makes_a_session(system: Operations, steps: list[Step], reason: str) -> None:
    groups = set()
    async with station(system.edge.url, "CP-1", "2.0.1") as cp:
        await cp.boot()
        for number, (trigger, state, token) in enumerate(steps):
            last = number == len(steps) - 1
            info = {"transactionId": "T-1"} | ({"chargingState": state} if state else {})
            event = {
                "eventType": "Started" if not number else "Ended" if last else "Updated",
                "timestamp": moment(number), "triggerReason": trigger, "seqNo": number,
                "transactionInfo": info | ({"stoppedReason": reason} if last else {}),
                "evse": {"id": 1, "connectorId": 1},
            } | ({"idToken": {"idToken": token, "type": "ISO14443"}} if token else {})  # fmt: skip
            answer = await ask(cp, "TransactionEvent", event)
            if token:
                verdict = answer["idTokenInfo"]
                assert verdict["status"] == (BAD[token].capitalize() if token in BAD else "Accepted")
                groups.add(verdict.get("groupIdToken", {}).get("idToken"))
    assert (await ended(system.edge))["stop_reason"] == reason
    assert len(groups) <= 1  # cards of one group may end each other's sessions


@pytest.mark.parametrize(
    ("version", "uid", "status"),
    [
        pytest.param(version, uid, status, marks=pytest.mark.covers(case))
        for version, uid, status, case in (
            ("1.6", "NOBODYS", "Invalid", "TC_023_1"), ("1.6", "EXPIRED", "Expired", "TC_023_2"),
            ("1.6", "BLOCKED", "Blocked", "TC_023_3"), ("2.0.1", "NOBODYS", "Unknown", "TC_C_02"),
            ("2.0.1", "BLOCKED", "Blocked", "TC_C_06"), ("2.0.1", "EXPIRED", "Expired", "TC_C_07"),
        )
    ],
)  # fmt: skip
async def test_a_card_is_refused_by_its_word(system: Operations, version: str, uid: str, status: str) -> None:
    async with station(system.edge.url, "CP-1", version) as cp:
        await cp.boot()
        if version == "1.6":
            assert (await ask(cp, "Authorize", {"idTag": uid}))["idTagInfo"]["status"] == status
        else:
            answer = await ask(cp, "Authorize", {"idToken": {"idToken": uid, "type": "ISO14443"}})
            assert answer["idTokenInfo"]["status"] == status


SESSIONS_16: list[tuple[str, list[str], str, str]] = [
    (
        "TC_003",
        ["Preparing", "authorize", "start", "Charging", "stop", "Finishing", "Available"],
        "TAG1",
        "Local",
    ),
    ("TC_004_1", ["authorize", "Preparing", "start", "Charging", "stop", "Available"], "TAG1", "Local"),
    (
        "TC_005_1",
        ["authorize", "start", "Charging", "SuspendedEV", "stop", "Available"],
        "TAG1",
        "EVDisconnected",
    ),
    ("TC_007", ["Preparing", "start", "Charging", "stop", "Available"], "TAG1", "Local"),
    ("TC_018_1", ["start", "Charging", "stop", "Finishing", "Available"], "TAG1", "UnlockCommand"),
    ("TC_032_1", ["start", "Charging", "boot", "stop", "Available"], "TAG1", "PowerLoss"),
    ("TC_037_1 TC_039", ["away", "start", "stop", "Available"], "TAG1", "Local"),
    ("TC_037_3", ["away", "start", "stop", "Available"], "INVALID", "DeAuthorized"),
]


@pytest.mark.parametrize(
    ("steps", "tag", "reason"),
    [
        pytest.param(steps, tag, reason, marks=pytest.mark.covers(*ids.split()), id=ids)
        for ids, steps, tag, reason in SESSIONS_16
    ],
)
async def test_a_session_of_1_6(system: Operations, steps: list[str], tag: str, reason: str) -> None:
    async with station(system.edge.url, "CP-1", "1.6") as cp:
        await cp.boot()
        charging = Charging(cp, token=tag)
        if steps[0] == "away":
            await cp.close()
    async with station(system.edge.url, "CP-1", "1.6") as cp:
        charging.client = cp
        for step in steps:
            match step:
                case "authorize":
                    assert (await ask(cp, "Authorize", {"idTag": tag}))["idTagInfo"]["status"] == "Accepted"
                case "start":
                    answer = await charging.begin(ago(30), 1000)
                    assert answer["idTagInfo"]["status"] == (
                        BAD[tag].capitalize() if tag in BAD else "Accepted"
                    )
                case "stop":
                    await charging.end(ago(5), 3500, reason)
                case "boot":
                    await cp.boot()
                case "away":
                    pass
                case status:
                    await charging.status(ago(1), status)
    session = await ended(system.edge)
    assert (session["energy_wh"], session["stop_reason"]) == (2500, reason)


@pytest.mark.covers("TC_001", "TC_004_2", "TC_024", "TC_064", "TC_077", "TC_078")
async def test_what_a_1_6_station_tells_without_a_session(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "1.6") as cp:
        boot = await ask(cp, "BootNotification", {"chargePointVendor": "A", "chargePointModel": "B"})
        assert (boot["status"], boot["interval"] > 0) == ("Accepted", True)
        for connector in (0, 1):
            free = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
            await ask(cp, "StatusNotification", free)
        await ask(cp, "Heartbeat", {})
        await ask(cp, "Authorize", {"idTag": "TAG1"})
        for status in ("Preparing", "Available"):  # nobody plugged in
            await ask(cp, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status})
        stuck = {"connectorId": 1, "errorCode": "ConnectorLockFailure", "status": "Faulted"}
        await ask(cp, "StatusNotification", stuck)
        answer = await ask(cp, "DataTransfer", {"vendorId": "org.example", "data": "x"})
        assert answer["status"] == "UnknownVendorId"
        for kind in ("InvalidChargePointCertificate", "InvalidCentralSystemCertificate"):
            await ask(cp, "SecurityEventNotification", {"type": kind, "timestamp": moment()})
    assert await system.edge.sessions("CP-1") == []
    shown = (await system.http.get("/api/v1/stations/CP-1")).json()
    assert shown["evses"][0]["connectors"][0]["status"] == "faulted"
    told = (await system.http.get("/api/v1/stations/CP-1/security-events")).json()["items"]
    assert {"InvalidChargePointCertificate", "InvalidCentralSystemCertificate"} <= {
        each["type"] for each in told
    }


@pytest.mark.covers("TC_B_01", "TC_B_02", "TC_B_30", "TC_B_31")
async def test_a_station_that_is_pending_waits_and_is_let_in(system: Operations) -> None:
    await system.http.patch("/api/v1/stations/CP-1", json={"admission": "pending"})
    async with station(system.edge.url, "CP-1", "2.0.1", answer=lambda *_: {"status": "Accepted"}) as cp:
        assert (await cp.boot())["status"] == "Pending"
        with pytest.raises(Refused) as refused:
            await cp.call("Heartbeat", {})
        assert refused.value.code == "SecurityError"
        await system.http.patch("/api/v1/stations/CP-1", json={"admission": "accepted"})
        path = "/api/v1/stations/CP-1/call/TriggerMessage"
        asked = await system.http.post(path, json={"requestedMessage": "BootNotification"})
        assert asked.json()["payload"] == {"status": "Accepted"}
        assert (await cp.boot())["status"] == "Accepted"
        await ask(cp, "Heartbeat", {})


def metered(context: str, **more: Any) -> list[dict[str, Any]]:
    return [{"timestamp": moment(60), "sampledValue": [{"value": 1500, "context": context, **more}]}]


METERED: list[tuple[str, str, str, list[dict[str, Any]]]] = [
    ("TC_J_02", "Updated", "MeterValueClock", metered("Sample.Clock")),
    ("TC_J_03", "Ended", "StopAuthorized", metered("Sample.Clock")),
    ("TC_J_04", "Updated", "MeterValueClock", metered("Sample.Clock", signedMeterValue=SIGNED)),
    ("TC_J_07 TC_J_08", "Started", "Authorized", metered("Transaction.Begin")),
    ("TC_J_09", "Updated", "MeterValuePeriodic", metered("Sample.Periodic")),
    ("TC_J_10", "Ended", "StopAuthorized", metered("Transaction.End")),
    ("TC_J_11", "Ended", "StopAuthorized", metered("Transaction.End", signedMeterValue=SIGNED)),
]


@pytest.mark.parametrize(
    ("kind", "trigger", "values"),
    [
        pytest.param(kind, trigger, values, marks=pytest.mark.covers(*ids.split()), id=ids)
        for ids, kind, trigger, values in METERED
    ],
)
async def test_values_with_an_event_are_samples_of_its_session(
    system: Operations, kind: str, trigger: str, values: list[dict[str, Any]]
) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1") as cp:
        await cp.boot()
        for number, each in enumerate(("Started", "Updated", "Ended")):
            event = {
                "eventType": each, "timestamp": moment(60 * number), "seqNo": number,
                "triggerReason": trigger if each == kind else "ChargingStateChanged",
                "transactionInfo": {"transactionId": "T-1"},
            } | ({"meterValue": values} if each == kind else {})  # fmt: skip
            await ask(cp, "TransactionEvent", event | ({} if number else {"evse": {"id": 1}}))
    session = await ended(system.edge)
    kept = await system.edge.rows("SELECT energy_wh FROM sample WHERE session_id = $1", session["id"])
    assert [row["energy_wh"] for row in kept] == [1500]


@pytest.mark.covers(
    "TC_J_01", "TC_G_20", "TC_P_02", "TC_P_03", "TC_N_21", "TC_N_24", "TC_N_48", "TC_N_49", "TC_N_50"
)
async def test_what_a_2_0_1_station_tells_without_a_session(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1") as cp:
        boot = {
            "reason": "PowerUp",
            "chargingStation": {"vendorName": "A", "model": "B", "customData": {"vendorId": "A"}},
        }
        assert (await ask(cp, "BootNotification", boot))["status"] == "Accepted"
        await ask(cp, "MeterValues", {"evseId": 1, "meterValue": metered("Sample.Clock")})
        answer = await ask(cp, "DataTransfer", {"vendorId": "org.example"})
        assert answer["status"] == "UnknownVendorId"
        common = {"timestamp": moment(), "trigger": "Alerting", "actualValue": "Problem"}
        lock = {"component": {"name": "ConnectorPlugRetentionLock"}, "variable": {"name": "Problem"}}
        kinds = ("HardWiredNotification", "HardWiredMonitor", "PreconfiguredMonitor", "CustomMonitor")
        for number, kind in enumerate(kinds):
            event = {"eventId": number, "eventNotificationType": kind, **common, **lock}
            if kind == "CustomMonitor":
                event |= {"trigger": "Periodic", "cleared": True, "variableMonitoringId": 1}
            told = {"generatedAt": moment(), "seqNo": 0, "eventData": [event]}
            assert await ask(cp, "NotifyEvent", told) == {}
    kept = (await system.http.get("/api/v1/stations/CP-1/reports", params={"kind": "NotifyEvent"})).json()
    assert len(kept["items"]) == 4


@pytest.mark.covers("TC_K_48", "TC_K_50", "TC_K_51", "TC_K_52")
async def test_limits_of_somebody_else_are_taken(system: Operations) -> None:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
    limit = {"chargingLimitSource": "EMS"}
    async with station(system.edge.url, "CP-1", "2.0.1") as cp:
        await cp.boot()
        await Charging(cp, token="TAG1").begin(ago(5))
        for evse in ({}, {"evseId": 1}):
            await ask(
                cp, "NotifyChargingLimit", {"chargingLimit": limit, "chargingSchedule": [schedule], **evse}
            )
            await ask(cp, "ClearedChargingLimit", {**limit, **evse})
    shown = (await system.http.get("/api/v1/stations/CP-1/reports")).json()["items"]
    assert [each["kind"] for each in shown].count("NotifyChargingLimit") == 2
    assert [each["kind"] for each in shown].count("ClearedChargingLimit") == 2


@pytest.mark.parametrize(
    ("version", "asks"),
    [
        pytest.param("1.6", False, marks=pytest.mark.covers("TC_011_1")),
        pytest.param("2.0.1", True, marks=pytest.mark.covers("TC_F_02")),
        pytest.param("2.0.1", False, marks=pytest.mark.covers("TC_F_03")),
    ],
)
async def test_a_remote_start_before_the_cable(system: Operations, version: str, asks: bool) -> None:
    async with station(system.edge.url, "CP-1", version, answer=lambda *_: {"status": "Accepted"}) as cp:
        await cp.boot()
        task = await system.give("CP-1", "start_charging", token_uid="TAG1", evse_id=1)
        await eventually(lambda: bool(cp.calls))
        if asks:
            await ask(cp, "Authorize", {"idToken": {"idToken": "TAG1", "type": "ISO14443"}})
        charging = Charging(cp, token="TAG1")
        await charging.status(ago(0.02), "Preparing" if version == "1.6" else "Occupied")
        more = {}
        if version != "1.6":
            more = {
                "transactionInfo": {"remoteStartId": cp.calls[0][1]["remoteStartId"]},
                "triggerReason": "RemoteStart",
            }
        await charging.begin(ago(0.01), 0, **more)
        done = await system.result(task)
        assert (done["state"], done["outcome"]) == ("done", "started"), done
