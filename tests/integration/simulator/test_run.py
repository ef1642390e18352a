"""A whole simulation from its options to its summary."""

from __future__ import annotations

import asyncio
import json
import ssl
import stat
from collections import Counter
from dataclasses import replace
from pathlib import Path

from pilotwire.simulator.model import OCPP_VERSIONS, OcppVersion
from pilotwire.simulator.run import SimulatorEvent, SimulatorOptions, simulate
from tests.support.certificates import Authority
from tests.support.simulator_rig import TOKEN, every_version, rig
from tests.support.tiny_csms import tiny_csms


async def test_a_simulation_charges_and_leaves_nothing_open(tmp_path: Path) -> None:
    seen: list[SimulatorEvent] = []
    stop = asyncio.Event()

    def heard(event: SimulatorEvent) -> None:
        seen.append(event)
        if sum(1 for one in seen if one.kind == "session_ended") >= 6:
            stop.set()

    state = tmp_path / "state.json"
    async with tiny_csms() as csms:
        options = SimulatorOptions(
            url=csms.url,
            stations=9,
            password="a-common-password",
            speed=600.0,
            busyness=20.0,
            least_occupied=1.0,
            fault_rate=20.0,
            offline_rate=20.0,
            reboot_rate=10.0,
            duration_s=60.0,
            tick_s=0.05,
            sample_interval_s=1,
            reconnect_most_s=0.5,
            state_path=state,
        )
        summary = await simulate(options, heard, stop)
        started: Counter[str] = Counter()
        ended: Counter[str] = Counter()
        for identity, messages in csms.messages.items():
            for action, payload in messages:
                started[identity] += action == "StartTransaction" or payload.get("eventType") == "Started"
                ended[identity] += action == "StopTransaction" or payload.get("eventType") == "Ended"
    assert summary.stations == summary.accepted == 9
    assert summary.sessions_started == summary.sessions_ended >= 6
    if summary.unsent == 0:
        assert started == ended
    assert summary.errors_sent == summary.errors_received == 0
    assert summary.energy_wh >= 0
    assert len(csms.connections) == 9
    assert set(csms.used_passwords) == {"a-common-password"}
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    kept = json.loads(state.read_text())["registers_wh"]
    assert {(name, int(evse)) for name, evses in kept.items() for evse in evses} == set(summary.registers_wh)


async def test_passwords_and_registers_are_kept_for_the_next_time(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with tiny_csms() as csms:
        stop = asyncio.Event()
        options = SimulatorOptions(
            url=csms.url,
            stations=1,
            versions=("1.6",),
            password="enrolment-key-0001",
            busyness=0,
            state_path=state,
        )
        life = asyncio.create_task(simulate(options, None, stop))
        await csms.until(lambda: csms.sent("SIM-0001", "StatusNotification"))
        new = {"key": "AuthorizationKey", "value": "its-own-secret-0001"}
        assert (await csms.call("SIM-0001", "ChangeConfiguration", new))["status"] == "Accepted"
        stop.set()
        first = await life
        second = await simulate(replace(options, duration_s=1.0))
        assert csms.used_passwords == ["enrolment-key-0001", "its-own-secret-0001"]
        assert second.registers_wh == first.registers_wh
        assert "its-own-secret" not in repr(second)


async def test_a_remote_start_brings_a_driver() -> None:
    async with tiny_csms() as csms:
        stop = asyncio.Event()
        options = SimulatorOptions(
            url=csms.url, stations=1, versions=("2.0.1",), password="x", busyness=0, tick_s=0.05, speed=60
        )
        life = asyncio.create_task(simulate(options, None, stop))
        await csms.until(lambda: csms.sent("SIM-0001", "StatusNotification"))
        wish = {"idToken": {"idToken": "APP-1", "type": "Central"}, "remoteStartId": 1, "evseId": 1}
        assert (await csms.call("SIM-0001", "RequestStartTransaction", wish))["status"] == "Accepted"
        await csms.until(
            lambda: [
                event
                for event in csms.events("SIM-0001")
                if event["transactionInfo"]["chargingState"] == "Charging"
            ]
        )
        stop.set()
        summary = await life
        assert summary.sessions_started == summary.sessions_ended == 1
        assert csms.events("SIM-0001")[-1]["eventType"] == "Ended"


@every_version
async def test_a_transaction_of_last_time_is_ended_the_next(version: OcppVersion, tmp_path: Path) -> None:
    async with tiny_csms() as csms:
        options = SimulatorOptions(
            url=csms.url,
            stations=1,
            versions=(version,),
            password="x",
            speed=60,
            tick_s=0.05,
            busyness=0.001,
            least_occupied=1.0,
            finish_sessions=False,
            state_path=tmp_path / "state.json",
        )
        stop = asyncio.Event()
        life = asyncio.create_task(simulate(options, None, stop))
        wanted = "StartTransaction" if version == "1.6" else "TransactionEvent"
        await csms.until(lambda: csms.sent("SIM-0001", wanted))
        await asyncio.sleep(0.5)
        stop.set()
        first = await life
        assert first.sessions_started >= 1
        assert first.sessions_ended == 0
        await simulate(replace(options, least_occupied=None, duration_s=1.0))
        if version == "1.6":
            starts, stops = (
                csms.sent("SIM-0001", "StartTransaction"),
                csms.sent("SIM-0001", "StopTransaction"),
            )
            assert len(starts) == len(stops) == first.sessions_started
            assert {stop["reason"] for stop in stops} == {"PowerLoss"}
            assert all(stop["transactionId"] > 1000 for stop in stops)
        else:
            by_tx: dict[str, list[int]] = {}
            for event in csms.events("SIM-0001"):
                by_tx.setdefault(event["transactionInfo"]["transactionId"], []).append(event["seqNo"])
            assert all(numbers == list(range(len(numbers))) for numbers in by_tx.values())
            assert csms.events("SIM-0001")[-1]["transactionInfo"]["stoppedReason"] == "PowerLoss"


async def test_a_wrong_password_is_counted_and_nothing_breaks() -> None:
    async with tiny_csms(passwords={"SIM-0001": "right"}) as csms:
        options = SimulatorOptions(
            url=csms.url, stations=1, password="wrong", duration_s=0.5, reconnect_most_s=0.1, busyness=0
        )
        summary = await simulate(options)
        assert summary.accepted == 0
        assert summary.handshakes_refused >= 2


async def test_every_version_connects_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue_server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    async with tiny_csms(ssl_context=context) as csms:
        options = SimulatorOptions(
            url=csms.url,
            stations=3,
            versions=OCPP_VERSIONS,
            password="x",
            duration_s=1.5,
            busyness=0,
            ca_file=authority.file,
        )
        summary = await simulate(options)
        assert summary.accepted == 3


@every_version
async def test_a_refused_transaction_message_is_repeated_and_then_given_up(version: OcppVersion) -> None:
    action = "StartTransaction" if version == "1.6" else "TransactionEvent"
    async with tiny_csms(fail={action: 4}) as csms:
        settings = (("message_retry_s", "0"), ("message_attempts", "3"))
        async with rig(version, csms, settings=settings) as made:
            await made.accepted()
            await made.charge()
            await made.until(lambda: made.station.outbox.given_up)
            refused = made.sent(action)[:3]
            assert refused[0] == refused[1] == refused[2]
            assert await made.station.present_token(1, TOKEN)
            made.station.unplug(1)
            ended = await made.wait_ended()
            if made.is_16:
                assert ended["transactionId"] == -1
