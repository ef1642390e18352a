"""Whole charging sessions by clients that share no code with us: what they delivered is on record exactly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
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

from tests.support.edge import PASSWORD, RunningEdge, basic_header
from tests.support.stations import moment, station


class Station16(ChargePoint16):  # type: ignore[misc]
    """A 1.6 station that takes remote starts."""

    asked: Any = None

    @on("RemoteStartTransaction")
    def on_remote_start(self, **asked: Any) -> result16.RemoteStartTransaction:
        self.asked = asked
        return result16.RemoteStartTransaction(status="Accepted")


class Station201(ChargePoint201):  # type: ignore[misc]
    """A 2.0.1 station that takes remote starts."""

    asked: Any = None

    @on("RequestStartTransaction")
    def on_request_start(self, **asked: Any) -> result201.RequestStartTransaction:
        self.asked = asked
        return result201.RequestStartTransaction(status="Accepted", transaction_id="tx-remote")


@asynccontextmanager
async def client(edge: RunningEdge, kind: type, version: str) -> AsyncIterator[Any]:
    socket = await connect(
        f"{edge.url}/CP-1",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": basic_header("CP-1", PASSWORD)},
        proxy=None,
    )
    made = kind("CP-1", socket)
    reading = asyncio.create_task(made.start())
    try:
        yield made
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)


async def samples_of(edge: RunningEdge, session_id: Any) -> list[Decimal]:
    rows = await edge.rows(
        "SELECT energy_wh FROM sample WHERE session_id = $1 AND energy_wh IS NOT NULL ORDER BY at", session_id
    )
    return [row["energy_wh"] for row in rows]


def metered16(seconds: float, value: str, unit: str) -> list[dict[str, Any]]:
    sampled = {"value": value, "unit": unit, "measurand": "Energy.Active.Import.Register"}
    power = {"value": "10995.5", "unit": "W", "measurand": "Power.Active.Import"}
    return [{"timestamp": moment(seconds), "sampledValue": [sampled, power]}]


@pytest.mark.covers("1.6-4.2", "1.6-4.8", "1.6-4.10")
async def test_a_session_of_the_ocpp_packages_1_6_client(edge: RunningEdge) -> None:
    async with client(edge, Station16, "1.6") as cp:
        boot = await cp.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert boot.status == "Accepted"
        await cp.call(call16.Heartbeat())
        await cp.call(call16.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"))
        blocked = await cp.call(call16.Authorize(id_tag="BLOCKED"))
        assert blocked.id_tag_info["status"] == "Blocked"
        assert (await cp.call(call16.Authorize(id_tag="TAG1"))).id_tag_info["status"] == "Accepted"
        started = await cp.call(
            call16.StartTransaction(connector_id=1, id_tag="TAG1", meter_start=12345, timestamp=moment())
        )
        assert started.id_tag_info["status"] == "Accepted"
        for step, (value, unit) in enumerate([("13.5455", "kWh"), ("14000.25", "Wh"), ("16789", "Wh")], 1):
            values = metered16(60 * step, value, unit)
            await cp.call(
                call16.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=values)
            )
        await cp.call(
            call16.StopTransaction(
                meter_stop=20000,
                timestamp=moment(3600),
                transaction_id=started.transaction_id,
                reason="EVDisconnected",
            )
        )
    session = await edge.session("CP-1")
    assert session["transaction_ref"] == str(started.transaction_id)
    assert session["state"] == "ended"
    assert session["token_uid"] == "TAG1"
    assert (session["meter_start_wh"], session["meter_end_wh"], session["energy_wh"]) == (12345, 20000, 7655)
    assert session["stop_reason"] == "EVDisconnected"
    assert session["review"] == []
    kept = await samples_of(edge, session["id"])
    assert kept == [Decimal("13545.5"), Decimal("14000.25"), Decimal(16789)]


async def test_a_remote_start_of_the_ocpp_packages_1_6_client(edge: RunningEdge) -> None:
    async with client(edge, Station16, "1.6") as cp:
        await cp.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        station_id = await edge.station_id("CP-1")
        answer = await edge.edge.switchboard.call(
            station_id, "RemoteStartTransaction", b'{"idTag":"TAG1","connectorId":1}'
        )
        assert answer.payload == b'{"status":"Accepted"}'
        assert cp.asked == {"id_tag": "TAG1", "connector_id": 1}


def metered201(seconds: float, value: float, context: str = "Sample.Periodic") -> list[dict[str, Any]]:
    sampled = {
        "value": value,
        "context": context,
        "measurand": "Energy.Active.Import.Register",
        "unit_of_measure": {"unit": "Wh"},
    }
    return [{"timestamp": moment(seconds), "sampled_value": [sampled]}]


@pytest.mark.covers("2.0.1-E01", "2.0.1-E02", "2.0.1-E06")
async def test_a_session_of_the_ocpp_packages_2_0_1_client(edge: RunningEdge) -> None:
    async with client(edge, Station201, "2.0.1") as cp:
        made_by = {"model": "M", "vendor_name": "V"}
        boot = await cp.call(call201.BootNotification(charging_station=made_by, reason="PowerUp"))
        assert boot.status == "Accepted"
        station_id = await edge.station_id("CP-1")
        answer = await edge.edge.switchboard.call(
            station_id,
            "RequestStartTransaction",
            b'{"idToken":{"idToken":"TAG1","type":"ISO14443"},"remoteStartId":77,"evseId":1}',
        )
        assert answer.payload is not None
        steps = [("Started", 1000.1, "RemoteStart"), ("Updated", 1800.25, "MeterValuePeriodic")]
        steps.append(("Ended", 3500.7, "StopAuthorized"))
        for number, (event, value, trigger) in enumerate(steps):
            context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(
                event, "Sample.Periodic"
            )
            info = {"transaction_id": "tx-remote", "remote_start_id": 77}
            if event == "Ended":
                info["stopped_reason"] = "Local"
            answered = await cp.call(
                call201.TransactionEvent(
                    event_type=event,
                    timestamp=moment(600 * number),
                    trigger_reason=trigger,
                    seq_no=number,
                    transaction_info=info,
                    evse={"id": 1, "connector_id": 1},
                    id_token={"id_token": "TAG1", "type": "ISO14443"},
                    meter_value=metered201(600 * number, value, context),
                )
            )
            assert answered.id_token_info["status"] == "Accepted"
    session = await edge.session("CP-1")
    assert (session["transaction_ref"], session["state"]) == ("tx-remote", "ended")
    assert session["remote_start_id"] == 77
    assert session["energy_wh"] == Decimal("2500.6")
    assert session["stop_reason"] == "Local"
    assert session["review"] == []
    assert await samples_of(edge, session["id"]) == [Decimal("1000.1"), Decimal("1800.25"), Decimal("3500.7")]


@pytest.mark.covers("2.1-E01", "2.1-E02", "2.1-E06")
async def test_a_session_of_hand_written_2_1_frames(edge: RunningEdge) -> None:
    async with station(edge.url, "CP-1", "2.1") as cp:
        assert (await cp.boot())["status"] == "Accepted"
        head = (
            '[2,"%s","TransactionEvent",{"eventType":"%s","timestamp":"%s","triggerReason":"%s","seqNo":%d,'
        )
        body = '"transactionInfo":{"transactionId":"7e1c"%s},"evse":{"id":2,"connectorId":1},%s"meterValue":[%s]}]'
        value = (
            '{"timestamp":"%s","sampledValue":[{"value":%s,"measurand":"Energy.Active.Import.Register",'
            '"unitOfMeasure":{"unit":"kWh"}},{"value":74.5,"measurand":"SoC","unitOfMeasure":{"unit":"Percent"}}]}'
        )
        token = '"idToken":{"idToken":"TAG1","type":"ISO14443"},'
        begin = (head + body) % (
            "a-1", "Started", moment(), "CablePluggedIn", 0, "", token, value % (moment(), "5.0007"),
        )  # fmt: skip
        assert (await cp.exchange(begin, "a-1"))["idTokenInfo"]["status"] == "Accepted"
        middle = (head + body) % (
            "a-2", "Updated", moment(60), "MeterValuePeriodic", 1, ',"chargingState":"Charging"', "",
            value % (moment(60), "5.5"),
        )  # fmt: skip
        assert await cp.exchange(middle, "a-2") == {}
        end = (head + body) % (
            "a-3", "Ended", moment(3600), "EVCommunicationLost", 2, ',"stoppedReason":"EVDisconnected"', "",
            value % (moment(3600), "12.3456"),
        )  # fmt: skip
        assert await cp.exchange(end, "a-3") == {}
    session = await edge.session("CP-1")
    assert (session["evse_no"], session["transaction_ref"], session["state"]) == (2, "7e1c", "ended")
    assert session["energy_wh"] == Decimal("7344.9")
    assert session["soc_percent"] == pytest.approx(74.5)
    assert session["stop_reason"] == "EVDisconnected"
