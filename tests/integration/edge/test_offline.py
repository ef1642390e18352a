"""What stations deliver late, twice, in the wrong order, or to a server that has been restarted meanwhile."""

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.support.edge import RunningEdge, running_edge
from tests.support.stations import Station, moment, station


def started(seconds: float = 0, register: int = 1000, tag: str = "TAG1") -> dict[str, Any]:
    return {"connectorId": 1, "idTag": tag, "meterStart": register, "timestamp": moment(seconds)}


def stopped(transaction_id: int, seconds: float, register: int) -> dict[str, Any]:
    return {"transactionId": transaction_id, "meterStop": register, "timestamp": moment(seconds)}


def metered(transaction_id: int, seconds: float, register: int) -> dict[str, Any]:
    value = {"timestamp": moment(seconds), "sampledValue": [{"value": str(register), "unit": "Wh"}]}
    return {"connectorId": 1, "transactionId": transaction_id, "meterValue": [value]}


def event(
    kind: str, number: int, seconds: float, register: float, *, offline: bool = False
) -> dict[str, Any]:
    """A TransactionEvent of transaction 'tx'."""
    made: dict[str, Any] = {
        "eventType": kind,
        "timestamp": moment(seconds),
        "triggerReason": {"Started": "Authorized", "Ended": "StopAuthorized"}.get(kind, "MeterValuePeriodic"),
        "seqNo": number,
        "transactionInfo": {"transactionId": "tx"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [
            {
                "timestamp": moment(seconds),
                "sampledValue": [{"value": register, "measurand": "Energy.Active.Import.Register"}],
            }
        ],
    }
    if kind == "Started":
        made["idToken"] = {"idToken": "TAG1", "type": "ISO14443"}
    if kind == "Ended":
        made["transactionInfo"]["stoppedReason"] = "Local"
    if offline:
        made["offline"] = True
    return made


WHOLE = [
    event("Started", 0, 0, 1000.5),
    *(event("Updated", number, 60 * number, 1000.5 + 100 * number, offline=True) for number in range(1, 6)),
    event("Ended", 6, 400, 1700.25, offline=True),
]


async def prepare(edge: RunningEdge) -> None:
    await edge.add_stations("CP-1")
    await edge.add_token("TAG1")


async def counts(edge: RunningEdge) -> tuple[int, int]:
    """How many session events and samples there are."""
    return await edge.value("SELECT count(*) FROM session_event"), await edge.value(
        "SELECT count(*) FROM sample"
    )


async def facts(edge: RunningEdge) -> tuple[Any, ...]:
    row = await edge.session("CP-1")
    return tuple(
        row[key]
        for key in ("state", "energy_wh", "started_at", "ended_at", "token_uid", "review", "stop_reason")
    )


@pytest.mark.parametrize("seed", range(4))
async def test_offline_events_in_any_order_and_twice_make_the_same_session(
    edge: RunningEdge, seed: int
) -> None:
    chance = random.Random(seed)
    events = [*WHOLE, *chance.choices(WHOLE, k=4)]
    chance.shuffle(events)
    async with station(edge.url, "CP-1") as cp:
        await cp.boot()
        for each in events:
            assert isinstance(await cp.call("TransactionEvent", each), dict)
    row = await edge.session("CP-1")
    assert (row["state"], row["energy_wh"], row["review"]) == ("ended", Decimal("699.75"), [])
    assert row["offline"]
    assert await counts(edge) == (7, 7)


async def test_a_card_that_comes_after_the_cable_is_the_sessions(edge: RunningEdge) -> None:
    """Spec: 2.0.1 E03: plugged in first; the token, the connector and more come with an update."""
    plugged = event("Started", 0, 0, 100)
    del plugged["idToken"], plugged["evse"]
    authorized = event("Updated", 1, 5, 100)
    authorized |= {"idToken": {"idToken": "TAG1", "type": "ISO14443"}, "reservationId": 9}
    authorized["transactionInfo"]["remoteStartId"] = 8
    async with station(edge.url, "CP-1") as cp:
        await cp.boot()
        await cp.call("TransactionEvent", plugged)
        assert (await edge.session("CP-1"))["token_uid"] is None
        assert (await cp.call("TransactionEvent", authorized))["idTokenInfo"]["status"] == "Accepted"
    row = await edge.session("CP-1")
    assert (row["token_uid"], row["token_verdict"], row["state"]) == ("TAG1", "accepted", "active")
    assert (row["evse_no"], row["connector_no"], row["reservation_id"], row["remote_start_id"]) == (
        1,
        1,
        9,
        8,
    )


async def test_a_review_ends_when_its_reason_does(edge: RunningEdge) -> None:
    """An update comes before its start: for as long as that is missing, somebody should know."""
    async with station(edge.url, "CP-1") as cp:
        await cp.boot()
        await cp.call("TransactionEvent", WHOLE[1])
        assert (await edge.session("CP-1"))["review"] == ["start_never_seen"]
        await cp.call("TransactionEvent", WHOLE[0])
        assert (await edge.session("CP-1"))["review"] == []


async def test_events_on_either_side_of_a_restart(database: str) -> None:
    async with running_edge(database) as edge:
        await prepare(edge)
        async with station(edge.url, "CP-1") as cp:
            await cp.boot()
            for each in (WHOLE[0], WHOLE[3], WHOLE[1]):
                await cp.call("TransactionEvent", each)
    async with running_edge(database) as edge:
        assert (await edge.session("CP-1"))["state"] == "active"
        async with station(edge.url, "CP-1") as cp:
            for each in (WHOLE[1], WHOLE[6], WHOLE[0], WHOLE[2], WHOLE[3]):  # some were answered before
                await cp.call("TransactionEvent", each)
        row = await edge.session("CP-1")
        assert (row["state"], row["energy_wh"]) == ("ended", Decimal("699.75"))
        assert row["review"] == ["events_missing"]
    async with running_edge(database) as edge:
        async with station(edge.url, "CP-1") as cp:
            for each in WHOLE[4:6]:
                await cp.call("TransactionEvent", each)
        row = await edge.session("CP-1")
        assert (row["state"], row["energy_wh"], row["review"]) == ("ended", Decimal("699.75"), [])
        assert await counts(edge) == (7, 7)


async def test_a_start_repeated_across_a_restart_gets_the_same_number(database: str) -> None:
    async with running_edge(database) as edge:
        await prepare(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            first = await cp.call("StartTransaction", started(), message_id="1")
            assert await cp.call("StartTransaction", started(), message_id="2") == first
    for _ in range(2):
        async with running_edge(database) as edge:
            async with station(edge.url, "CP-1", "1.6") as cp:
                assert await cp.call("StartTransaction", started(), message_id="1") == first
                other = await cp.call("StartTransaction", started(seconds=1), message_id="1")
                assert other["transactionId"] != first["transactionId"]
            assert len(await edge.sessions("CP-1")) == 2


async def test_starts_wait_for_numbers_when_none_are_left(edge: RunningEdge) -> None:
    """As after a long outage of the database, in which a whole network began to charge."""
    numbers = edge.edge.switchboard._numbers
    async with station(edge.url, "CP-1", "1.6") as cp:
        await cp.boot()
        given = []
        for count in range(5):
            numbers._numbers.clear()
            given.append((await cp.call("StartTransaction", started(count)))["transactionId"])
    assert len(set(given)) == 5
    assert len(await edge.sessions("CP-1")) == 5


async def test_a_session_goes_on_after_a_restart_in_its_middle(database: str) -> None:
    async with running_edge(database) as edge:
        await prepare(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            number = (await cp.call("StartTransaction", started()))["transactionId"]
            await cp.call("MeterValues", metered(number, 60, 1100))
    async with running_edge(database) as edge, station(edge.url, "CP-1", "1.6") as cp:
        await cp.call("MeterValues", metered(number, 60, 1100))  # was answered, is sent again
        await cp.call("MeterValues", metered(number, 120, 1200))
        row = await edge.session("CP-1")
        assert (row["state"], row["energy_wh"]) == ("active", 200)
        await cp.call("StopTransaction", stopped(number, 180, 1300))
        row = await edge.session("CP-1")
        assert (row["state"], row["energy_wh"], row["review"]) == ("ended", 300, [])
        assert await counts(edge) == (2, 2)


async def test_the_queued_stop_comes_after_a_restart_of_both(database: str) -> None:
    """A power cut: the station boots, says Available, and delivers the stop with its old time at the end."""
    async with running_edge(database) as edge:
        await prepare(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            number = (await cp.call("StartTransaction", started()))["transactionId"]
    async with running_edge(database) as edge, station(edge.url, "CP-1", "1.6") as cp:
        await cp.boot()
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": moment(900)}
        await cp.call("StatusNotification", status)
        assert (await edge.session("CP-1"))["state"] == "active"
        await cp.call("StartTransaction", started(1000, 1500))
        await cp.call("StopTransaction", stopped(number, 600, 1500))
        first, second = await edge.sessions("CP-1")
        assert (first["state"], first["energy_wh"]) == ("ended", 500)
        assert first["ended_at"].isoformat().startswith("2026-03-01T12:10")
        assert second["state"] == "active"


@pytest.mark.parametrize("known", [True, False])
async def test_a_stop_without_a_start_is_answered_and_kept_for_review(edge: RunningEdge, known: bool) -> None:
    """A reference that nobody gave, alone or beside a session that it does not mean."""
    async with station(edge.url, "CP-1", "1.6") as cp:
        await cp.boot()
        if known:
            await cp.call("StartTransaction", started(500, 9000))
        for message_id in ("a", "b"):
            answer = await cp.call("StopTransaction", stopped(424242, 100, 5000), message_id=message_id)
            assert isinstance(answer, dict)
    orphans = [row for row in await edge.sessions("CP-1") if "stop_without_start" in row["review"]]
    assert len(orphans) == 1
    assert (orphans[0]["state"], orphans[0]["meter_end_wh"]) == ("disputed", 5000)
    assert len(await edge.sessions("CP-1")) == 1 + known


async def test_one_station_cannot_stop_anothers_session(edge: RunningEdge) -> None:
    async with station(edge.url, "CP-1", "1.6") as mine, station(edge.url, "CP-2", "1.6") as theirs:
        await mine.boot()
        await theirs.boot()
        number = (await mine.call("StartTransaction", started()))["transactionId"]
        await theirs.call("MeterValues", metered(number, 60, 99999))
        await theirs.call("StopTransaction", stopped(number, 120, 99999))
        row = await edge.session("CP-1")
        assert (row["state"], row["energy_wh"]) == ("active", None)
        assert [each["state"] for each in await edge.sessions("CP-2")] == ["disputed"]
        for each in WHOLE[:1]:
            async with station(edge.url, "CP-3", "2.0.1") as third:
                await third.boot()
                await third.call("TransactionEvent", each)
        async with station(edge.url, "CP-2", "2.0.1") as anew:
            await anew.call("TransactionEvent", WHOLE[6])
        assert (await edge.session("CP-3"))["state"] == "active"


async def test_a_long_offline_queue_of_old_sessions(database: str) -> None:
    """Sixty sessions delivered at once, then all of them once more, to a server that was restarted."""
    sessions = 60

    async def deliver(cp: Station) -> list[int]:
        numbers = []
        for count in range(sessions):
            at = count * 1000
            told = await cp.call("StartTransaction", started(at, count * 10))
            numbers.append(told["transactionId"])
            await cp.call("StopTransaction", stopped(told["transactionId"], at + 500, count * 10 + 7))
        return numbers

    async with running_edge(database) as edge:
        await prepare(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            first = await deliver(cp)
    async with running_edge(database) as edge:
        async with station(edge.url, "CP-1", "1.6") as cp:
            assert await deliver(cp) == first
        rows = await edge.sessions("CP-1")
        assert len(rows) == sessions
        assert {(row["state"], row["energy_wh"]) for row in rows} == {("ended", 7)}
        assert (await counts(edge))[0] == 2 * sessions
