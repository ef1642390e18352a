"""Sessions ended by hand: of connected stations, of absent ones, over a restart; the late stop corrects them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.edge import migrated_database
from tests.support.operations import Operations, operations, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import Station, station

BEGIN = datetime.now(UTC) - timedelta(hours=3)


def moment(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).isoformat(timespec="seconds").replace("+00:00", "Z")


async def prepare(system: Operations) -> None:
    await system.edge.add_stations("CP-1")
    await system.edge.add_token("CARD")


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await prepare(made)
        yield made


async def begin(client: Station, version: str) -> Any:
    """Begin a session at register 1000 Wh and report 1500 Wh after ten minutes; give its transaction."""
    await client.boot()
    if version == "1.6":
        start = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": moment(0)}
        transaction = (await client.call("StartTransaction", start))["transactionId"]
        value = {"timestamp": moment(10), "sampledValue": [{"value": "1500"}]}
        await client.call(
            "MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}
        )
        return transaction
    await client.call("TransactionEvent", transaction_event("Started", 0, 0, 1000))
    await client.call("TransactionEvent", transaction_event("Updated", 1, 10, 1500))
    return "TX-1"


def transaction_event(kind: str, seq_no: int, minutes: float, register: float) -> dict[str, Any]:
    return {
        "eventType": kind,
        "timestamp": moment(minutes),
        "triggerReason": {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "EVDeparted"}[
            kind
        ],
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "TX-1"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": "CARD", "type": "ISO14443"},
        "meterValue": [{"timestamp": moment(minutes), "sampledValue": [{"value": register}]}],
    }


async def stop_late(client: Station, version: str, transaction: Any) -> None:
    """Deliver the stop at 4000 Wh that the station had kept."""
    if version == "1.6":
        stop = {"transactionId": transaction, "meterStop": 4000, "timestamp": moment(60), "reason": "Local"}
        await client.call("StopTransaction", stop)
    else:
        await client.call("TransactionEvent", transaction_event("Ended", 2, 60, 4000))


async def only_session(system: Operations) -> dict[str, Any]:
    (session,) = (await system.http.get("/api/v1/sessions")).json()["items"]
    found: dict[str, Any] = session
    return found


async def end(system: Operations, session_id: str, **body: Any) -> httpx.Response:
    return await system.http.post(
        f"/api/v1/sessions/{session_id}/end", json={"reason": "the car is gone", **body}
    )


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_connected_stations_session_is_ended_and_its_late_stop_corrects_it(
    system: Operations, version: str
) -> None:
    async with station(system.edge.url, "CP-1", version) as client:
        transaction = await begin(client, version)
        session = await only_session(system)
        answer = await end(system, session["id"])
        assert answer.status_code == 200, answer.text
        ended = answer.json()
        assert ended["state"] == "ended"
        assert ended["energy_wh"] == 500
        assert ended["meter_end_wh"] == 1500
        assert ended["review"] == ["settled"]
        assert ended["settlement"]["reason"] == "the car is gone"
        assert ended["settlement"]["by"] == "key:operator"
        assert (await end(system, session["id"])).json()["code"] == "session_over"
        await stop_late(client, version, transaction)
    corrected = await only_session(system)
    assert corrected["state"] == "ended"
    assert corrected["energy_wh"] == 3000
    assert corrected["settlement"] is None
    assert corrected["review"] == []
    events = (await system.http.get(f"/api/v1/sessions/{session['id']}/events")).json()["items"]
    kinds = [event["kind"] for event in events]
    assert [kind for kind in kinds if kind != "updated"] == ["started", "settled", "ended"]
    settled = events[kinds.index("settled")]
    assert settled["detail"]["reason"] == "the car is gone"


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_vanished_stations_session_is_ended_over_a_restart(
    postgres_server: str, version: str
) -> None:
    dsn = migrated_database(postgres_server)
    async with operations_on(dsn) as first:
        await prepare(first)
        async with station(first.edge.url, "CP-1", version) as client:
            transaction = await begin(client, version)
        session = await only_session(first)
        answer = await end(first, session["id"], meter_end_wh=2500.5)
        assert answer.status_code == 200, answer.text
        assert answer.json()["energy_wh"] == 1500.5
    async with operations_on(dsn) as second:
        assert (await only_session(second))["settlement"]["by"] == "key:operator"
        async with station(second.edge.url, "CP-1", version) as client:
            await client.boot()
            await stop_late(client, version, transaction)
        corrected = await only_session(second)
        assert (corrected["state"], corrected["energy_wh"], corrected["settlement"]) == ("ended", 3000, None)
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_a_session_that_ends_while_it_is_ended_has_one_truth(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "1.6") as client:
        transaction = await begin(client, "1.6")
        session = await only_session(system)
        answers = await asyncio.gather(
            end(system, session["id"]), end(system, session["id"]), stop_late(client, "1.6", transaction)
        )
        assert {answer.status_code for answer in answers if answer is not None} <= {200, 409}
    truth = await only_session(system)
    assert (truth["energy_wh"], truth["settlement"]) == (3000, None)


async def test_a_station_that_comes_back_meanwhile_loses_nothing(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1") as client:
        await begin(client, "2.0.1")
    session = await only_session(system)

    async def come_back() -> None:
        async with station(system.edge.url, "CP-1", "2.0.1") as again:
            await again.boot()
            await again.call("TransactionEvent", transaction_event("Updated", 2, 20, 2000))

    _, answer = await asyncio.gather(come_back(), end(system, session["id"]))
    assert answer.status_code == 200, answer.text
    settled = await only_session(system)
    assert settled["settlement"] is not None
    assert settled["meter_wh"] == 2000


async def test_what_cannot_be_is_refused_in_words(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "1.6") as client:
        await begin(client, "1.6")
    session = await only_session(system)
    refused = await end(system, session["id"], meter_end_wh=900)
    assert refused.status_code == 422
    assert "1000" in refused.json()["detail"]
    assert (await end(system, "019a0000-0000-7000-8000-000000000000")).status_code == 404
    assert (await end(system, session["id"], reason="")).status_code == 422
    assert (await only_session(system))["state"] == "active"
