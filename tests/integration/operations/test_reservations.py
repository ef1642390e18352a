"""Reservations at stations of every version: told in time, used, not used, given up; away, refused, over a restart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pilotwire.cli import app as command_line
from pilotwire.domain.reservations.events import ReservationChanged
from tests.support.charging import Charging, ago
from tests.support.edge import migrated_database
from tests.support.operations import Operations, eventually, operations, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import PATIENCE_S, Station, station

VERSIONS = ("1.6", "2.0.1", "2.1")


def accepts(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"status": "Accepted"}


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


async def prepare(system: Operations) -> None:
    await system.edge.add_stations("CP-1")
    await system.edge.add_token("CARD")
    await system.edge.add_token("OTHER")
    await system.edge.add_token("SISTER", group_id="family")
    await system.edge.add_token("BROTHER", group_id="family")


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await prepare(made)
        yield made


async def ask(system: Operations, **wanted: Any) -> httpx.Response:
    body = {"station_id": "CP-1", "until_at": in_minutes(60), **wanted}
    if "group_id" not in wanted:
        body.setdefault("token_uid", "CARD")
    return await system.http.post("/api/v1/reservations", json=body)


async def reserve(system: Operations, **wanted: Any) -> dict[str, Any]:
    answer = await ask(system, **wanted)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def in_state(system: Operations, number: int, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = (await system.http.get(f"/api/v1/reservations/{number}")).json()
            if found["state"] in states:
                return found
            await asyncio.sleep(0.05)


async def nudge(system: Operations, number: int) -> None:
    """Have a reservation looked at now, as its time would."""
    now, station_id = datetime.now(UTC), await system.edge.station_id("CP-1")
    notice = ReservationChanged(1, number, station_id, "CP-1", None, "held", "", now, now, None, now)
    system.edge.edge.bus.publish(notice)


def asked(client: Station, action: str) -> list[dict[str, Any]]:
    return [payload for name, payload in client.calls if name == action]


async def ready(client: Station) -> Charging:
    await client.boot()
    charging = Charging(client)
    await charging.status(ago(1), "Available")
    return charging


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.covers("H01", "H03")
@pytest.mark.covers("TC_046", "TC_H_01")
async def test_a_reservation_is_told_kept_and_used(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        charging = await ready(client)
        number = (await reserve(system, evse_id=1))["id"]
        placed = await in_state(system, number, "placed")
        (told,) = asked(client, "ReserveNow")
        assert told["reservationId" if version == "1.6" else "id"] == number
        assert told["connectorId" if version == "1.6" else "evseId"] == 1
        assert placed["placed_at"] is not None
        more = {"reservationId": number}
        await charging.begin(ago(0), 0, **more)
        used = await in_state(system, number, "used")
        assert used["session_id"] == (await system.http.get("/api/v1/sessions")).json()["items"][0]["id"]
        assert [step["state"] for step in used["history"]] == ["planned", "placing", "placed", "used"]
        assert asked(client, "CancelReservation") == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.covers("TC_053", "TC_H_19")
async def test_a_group_is_kept_a_place_and_any_of_its_tokens_uses_it(
    system: Operations, version: str
) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        charging = await ready(client)
        number = (await reserve(system, evse_id=1, group_id="family"))["id"]
        await in_state(system, number, "placed")
        (told,) = asked(client, "ReserveNow")
        group = told["parentIdTag"] if version == "1.6" else told["groupIdToken"]["idToken"]
        assert group == "family"
        charging.token = "BROTHER"
        await charging.begin(ago(0), 0)  # this station does not say which reservation it used
        await in_state(system, number, "used")


@pytest.mark.covers("H04")
@pytest.mark.covers("TC_H_20")
async def test_what_a_station_says_of_a_reservation_is_followed(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1", answer=accepts) as client:
        await ready(client)
        number = (await reserve(system, evse_id=1))["id"]
        await in_state(system, number, "placed")
        await client.call(
            "ReservationStatusUpdate", {"reservationId": number, "reservationUpdateStatus": "Removed"}
        )
        held = await in_state(system, number, "held")
        assert held["detail"] == "the station gave it up: removed"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.covers("TC_047", "TC_H_07")
async def test_nobody_comes(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        charging = await ready(client)
        number = (await reserve(system, evse_id=1, grace_s=1))["id"]
        charging.token = "OTHER"
        gone = await in_state(system, number, "no_show")
        assert "nobody came" in gone["detail"]
        await eventually(lambda: asked(client, "CancelReservation") == [{"reservationId": number}])
        again = await reserve(system, evse_id=1)
        assert again["state"] == "planned"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.covers("H02")
@pytest.mark.covers("TC_051", "TC_H_17")
async def test_a_reservation_is_cancelled_at_its_station(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        await ready(client)
        number = (await reserve(system, evse_id=1))["id"]
        await in_state(system, number, "placed")
        answer = await system.http.post(f"/api/v1/reservations/{number}/cancel", json={"reason": "rain"})
        assert (answer.json()["state"], answer.json()["detail"]) == ("cancelled", "rain")
        await eventually(lambda: asked(client, "CancelReservation") == [{"reservationId": number}])
        twice = await system.http.post(f"/api/v1/reservations/{number}/cancel")
        assert twice.json()["code"] == "reservation_over"


async def test_a_later_reservation_waits_here_and_is_cancelled_here(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.1", answer=accepts) as client:
        await ready(client)
        number = (await reserve(system, from_at=in_minutes(30)))["id"]
        await asyncio.sleep(0.5)
        assert (await in_state(system, number, "planned"))["task_id"] is None
        await system.http.post(f"/api/v1/reservations/{number}/cancel")
        assert client.calls == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_that_is_away_is_told_when_it_is_back_also_after_a_restart(
    postgres_server: str, version: str
) -> None:
    dsn = migrated_database(postgres_server)
    async with operations_on(dsn) as first:
        await prepare(first)
        async with station(first.edge.url, "CP-1", version, answer=accepts) as client:
            await ready(client)
        number = (await reserve(first, evse_id=1))["id"]
        await in_state(first, number, "placing")
    async with (
        operations_on(dsn) as second,
        station(second.edge.url, "CP-1", version, answer=accepts) as client,
    ):
        await ready(client)
        await in_state(second, number, "placed")
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_refusal_is_kept_in_words_and_tried_again_with_an_evse(
    system: Operations, version: str
) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        named = payload.get("connectorId") or payload.get("evseId")
        return {"status": "Accepted" if named or action != "ReserveNow" else "Rejected"}

    async with station(system.edge.url, "CP-1", version, answer=answer) as client:
        await ready(client)
        number = (await reserve(system))["id"]
        held = await in_state(system, number, "held")
        assert held["detail"] == "rejected"
        await system.edge.rows("UPDATE reservation SET next_at = now()")
        await nudge(system, number)
        placed = await in_state(system, number, "placed")
        assert placed["placed_evse_id"] == 1


async def test_conflicts_are_refused_in_words(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1", answer=accepts) as client:
        charging = await ready(client)
        await reserve(system, evse_id=1, from_at=in_minutes(30), until_at=in_minutes(60))
        refused = await ask(system, evse_id=1, token_uid="OTHER", from_at=in_minutes(45))
        assert (refused.status_code, refused.json()["code"]) == (409, "reservation_conflict")
        assert refused.json()["detail"].startswith("EVSE 1 is reserved from ")
        assert (
            await ask(system, evse_id=1, from_at=in_minutes(60), until_at=in_minutes(70))
        ).status_code == 201
        assert "no EVSE 7" in (await ask(system, evse_id=7)).json()["detail"]
        assert "cG105" in (await ask(system, connector_type="cG105")).json()["detail"]
        await charging.begin(ago(0), 0)
        in_use = await ask(system, evse_id=1, until_at=in_minutes(10))
        assert in_use.json()["detail"] == "EVSE 1 is in use now"


async def test_two_who_ask_at_once_are_not_both_given_the_place(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1", answer=accepts) as client:
        await ready(client)
        wish = {"evse_id": 1, "from_at": in_minutes(30), "until_at": in_minutes(60)}
        answers = await asyncio.gather(*(ask(system, **wish) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"until_at": "2020-01-01T00:00:00Z"}, "until_at"),
        ({"token_uid": "NOBODY"}, "there is no token"),
        ({"token_uid": "CARD", "group_id": "family"}, "exactly one"),
        ({"evse_id": 1, "connector_type": "cCCS2"}, "not both"),
        ({"until_at": "2090-01-01T00:00:00Z"}, "7 days"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    system: Operations, wish: dict[str, Any], said: str
) -> None:
    answer = await ask(system, **wish)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]


def test_there_is_a_command_line() -> None:
    assert "reservation" in {group.name for group in command_line.registered_groups}
