"""Stations of every version against a small server: whole sessions, outages, resets, refusals."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from pilotwire.simulator.lifecycle import go_offline, power_cut
from pilotwire.simulator.model import OcppVersion, StationQuirks
from pilotwire.simulator.states import Fault
from tests.support.simulator_rig import OTHER, TOKEN, every_version, rig, two_x
from tests.support.tiny_csms import tiny_csms


@every_version
async def test_boots_and_reports_every_connector(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        assert len(made.sent("BootNotification")) == 1
        statuses = made.sent("StatusNotification")
        if made.is_16:
            assert [(s["connectorId"], s["status"]) for s in statuses] == [
                (n, "Available") for n in (0, 1, 2)
            ]
        else:
            assert [(s["evseId"], s["connectorId"], s["connectorStatus"]) for s in statuses] == [
                (1, 1, "Available"),
                (2, 1, "Available"),
            ]
        assert made.sent("SecurityEventNotification")[0]["type"] == "StartupOfTheDevice"


@every_version
@pytest.mark.parametrize("dc", [False, True])
async def test_a_whole_session_has_exact_registers(version: OcppVersion, dc: bool) -> None:
    async with rig(version, dc=dc) as made:
        await made.accepted()
        await made.charge()
        await asyncio.sleep(2.2)
        assert await made.station.present_token(1, TOKEN)
        made.station.unplug(1)
        stop = await made.wait_ended()
        register = int(made.station.evses[0].register_wh + 1e-6)
        if made.is_16:
            start = made.sent("StartTransaction")[0]
            assert start["meterStart"] == 100_000
            assert stop["meterStop"] == register > 100_000
            assert stop["transactionId"] == 1001
            assert stop["reason"] == "Local"
            samples = [value["meterValue"][0] for value in made.sent("MeterValues")]
            statuses = [s["status"] for s in made.sent("StatusNotification") if s["connectorId"] == 1]
        else:
            events = made.sent("TransactionEvent")
            assert [event["seqNo"] for event in events] == list(range(len(events)))
            assert [event["triggerReason"] for event in events[:2]] == ["CablePluggedIn", "Authorized"]
            assert events[0]["meterValue"][0]["sampledValue"][0]["value"] == 100_000
            assert stop["meterValue"][0]["sampledValue"][0]["value"] == register > 100_000
            assert stop["transactionInfo"]["stoppedReason"] == "Local"
            assert not any(event["offline"] for event in events)
            periodic = [event for event in events if event["triggerReason"] == "MeterValuePeriodic"]
            samples = [event["meterValue"][0] for event in periodic]
            statuses = [s["connectorStatus"] for s in made.sent("StatusNotification") if s["evseId"] == 1]
        assert len(samples) >= 2
        measurands = {(v["measurand"], v.get("phase")) for v in samples[-1]["sampledValue"]}
        if dc:
            assert ("SoC", None) in measurands
            assert ("Current.Import", None) in measurands
        else:
            assert {("Current.Import", f"L{n}") for n in (1, 2, 3)} <= measurands
            assert {("Voltage", f"L{n}-N") for n in (1, 2, 3)} <= measurands
        await made.until(lambda: not len(made.station.outbox))
        expected = ["Available", "Preparing", "Charging", "Finishing", "Available"]
        folded = ["Available", "Occupied", "Available"]
        statuses = [
            s["status" if made.is_16 else "connectorStatus"]
            for s in made.sent("StatusNotification")
            if s["connectorId" if made.is_16 else "evseId"] == 1
        ]
        distinct = [s for n, s in enumerate(statuses) if n == 0 or statuses[n - 1] != s]
        assert distinct == (expected if made.is_16 else folded)


@every_version
async def test_an_outage_delays_the_messages_and_keeps_order_and_time(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        await made.accepted()
        before = len(made.csms.messages[made.identity])
        go_offline(made.station, 1.6)
        await asyncio.sleep(1.2)
        assert await made.station.present_token(1, TOKEN)
        ended_at = made.station.now()
        made.station.unplug(1)
        assert len(made.csms.messages[made.identity]) == before
        stop = await made.wait_ended()
        await made.accepted()
        assert len(made.sent("BootNotification")) == 1
        assert abs((ended_at - _moment(stop["timestamp"])).total_seconds()) < 0.3
        if made.is_16:
            sampled = [_moment(m["meterValue"][0]["timestamp"]) for m in made.sent("MeterValues")]
            assert sampled == sorted(sampled)
        else:
            events = made.sent("TransactionEvent")
            assert [event["seqNo"] for event in events] == list(range(len(events)))
            offline = [event["offline"] for event in events]
            assert offline == sorted(offline)
            assert stop["offline"]


@every_version
async def test_a_power_cut_ends_the_session_and_boots(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        await made.accepted()
        register_before = int(made.station.evses[0].register_wh)
        power_cut(made.station, 0.3)
        stop = await made.wait_ended()
        assert len(made.sent("BootNotification")) == 2
        names = [name for name, _ in made.csms.messages[made.identity]]
        last_boot = len(names) - 1 - names[::-1].index("BootNotification")
        stop_name = "StopTransaction" if made.is_16 else "TransactionEvent"
        assert stop_name in names[last_boot:]
        if made.is_16:
            assert stop["reason"] == "PowerLoss"
            assert stop["meterStop"] >= register_before
        else:
            assert stop["transactionInfo"]["stoppedReason"] == "PowerLoss"
            assert stop["offline"]


@every_version
async def test_pending_boot_obeys_interval_and_trigger(version: OcppVersion) -> None:
    answers = [("Pending", 30), ("Rejected", 1), ("Accepted", 120)]
    async with tiny_csms(boot_answers=answers) as csms, rig(version, csms) as made:
        await made.until(lambda: made.station.lifecycle.boot_status == "Pending")
        assert (await made.call("TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
        await made.until(lambda: made.sent("Heartbeat"))
        assert not made.sent("StatusNotification")
        await made.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await made.accepted()
        assert len(made.sent("BootNotification")) == 3
        assert made.station.device.number("heartbeat_interval_s") == 120


@every_version
async def test_heartbeats_come_at_the_interval_given(version: OcppVersion) -> None:
    async with tiny_csms(boot_answers=[("Accepted", 1)]) as csms, rig(version, csms) as made:
        await made.until(lambda: len(made.sent("Heartbeat")) >= 2)


@every_version
async def test_a_blocked_card_does_not_charge(version: OcppVersion) -> None:
    async with tiny_csms(blocked={TOKEN.uid}) as csms, rig(version, csms) as made:
        await made.accepted()
        made.station.plug_in(1, made.car())
        assert not await made.station.present_token(1, TOKEN)
        await asyncio.sleep(0.2)
        assert made.station.evses[0].flow.power_w == 0
        made.station.unplug(1)


@every_version
async def test_a_refusal_at_the_start_stops_the_session(version: OcppVersion) -> None:
    async with tiny_csms() as csms, rig(version, csms) as made:
        await made.accepted()
        made.station.plug_in(1, made.car())
        made.station.device.set("local_preauthorize", "true")
        assert await made.station.present_token(2, TOKEN)
        csms.blocked.add(TOKEN.uid)
        assert await made.station.present_token(1, TOKEN)
        stop = await made.wait_ended()
        reason = stop["reason"] if made.is_16 else stop["transactionInfo"]["stoppedReason"]
        assert reason == "DeAuthorized"


@every_version
async def test_a_strange_card_cannot_stop_and_a_group_card_can(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        assert not await made.station.present_token(1, OTHER)
        assert made.station.evses[0].tx is not None


@every_version
async def test_a_fault_ends_the_session_and_recovers(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        await made.charge()
        made.station.fail(1, Fault("GroundFailure", "residual current"))
        await made.wait_ended()
        key = "status" if made.is_16 else "connectorStatus"
        await made.until(lambda: made.sent("StatusNotification")[-1][key] == "Faulted")
        if made.is_16:
            assert made.sent("StatusNotification")[-1]["errorCode"] == "GroundFailure"
        made.station.unplug(1)
        made.station.recover(1)
        await made.until(lambda: made.sent("StatusNotification")[-1][key] == "Available")


@every_version
async def test_refused_handshakes_are_repeated(version: OcppVersion) -> None:
    async with tiny_csms(refuse={f"SIM-{version}": 2}) as csms, rig(version, csms) as made:
        await made.accepted()
        assert made.station.traffic.handshakes_refused == 2


async def test_a_station_without_subprotocol_talks_16() -> None:
    async with tiny_csms() as csms, rig("1.6", csms, quirks=StationQuirks(no_subprotocol=True)) as made:
        await made.accepted()
        assert csms.connections[made.identity].subprotocol is None
        await made.charge()


@two_x
async def test_a_transaction_can_start_with_the_authorisation(version: OcppVersion) -> None:
    async with rig(version, settings=(("tx_start_point", "Authorized"),)) as made:
        await made.accepted()
        assert await made.station.present_token(1, TOKEN)
        started = (await made.until(lambda: made.sent("TransactionEvent")))[0]
        assert started["triggerReason"] == "Authorized"
        assert started["transactionInfo"]["chargingState"] == "Idle"
        made.station.plug_in(1, made.car())
        made.station.unplug(1)
        assert (await made.wait_ended())["transactionInfo"]["stoppedReason"] == "EVDisconnected"


@every_version
async def test_nobody_comes_after_the_card(version: OcppVersion) -> None:
    async with rig(version, settings=(("connection_timeout_s", "1"),)) as made:
        await made.accepted()
        assert await made.station.present_token(1, TOKEN)
        assert made.station.evses[0].status == "Preparing"
        await made.until(lambda: made.station.evses[0].status == "Available")
        assert made.station.evses[0].authorisation is None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
