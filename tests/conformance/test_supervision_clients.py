"""Ended sessions, targets and reservations with clients that share no code with us; they check what they get."""

import asyncio
from collections.abc import AsyncIterator, Callable
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
from tests.support.stations import PATIENCE_S


def at(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


class Old(ChargePoint16):
    """A 1.6 station with a session on connector 1."""

    asked: list[str]
    transaction: int

    @on("RemoteStopTransaction")
    def stop(self, **_: Any) -> Any:
        self.asked.append("stop")
        return result16.RemoteStopTransaction(status="Accepted")

    @on("ReserveNow")
    def reserve(self, **given: Any) -> Any:
        self.asked.append(f"reserve {given['reservation_id']}")
        return result16.ReserveNow(status="Accepted")

    async def boot(self) -> None:
        await self.call(call16.BootNotification(charge_point_vendor="Acme", charge_point_model="One"))

    async def begin(self, reservation: int | None = None) -> None:
        start = call16.StartTransaction(
            connector_id=1, id_tag="CARD", meter_start=1000, timestamp=at(-3), reservation_id=reservation
        )
        self.transaction = (await self.call(start)).transaction_id

    async def sample(self, register: int) -> None:
        value = {"timestamp": at(-2), "sampled_value": [{"value": str(register)}]}
        await self.call(
            call16.MeterValues(connector_id=1, transaction_id=self.transaction, meter_value=[value])
        )

    async def end(self, register: int) -> None:
        await self.call(
            call16.StopTransaction(meter_stop=register, timestamp=at(-1), transaction_id=self.transaction)
        )


class New(ChargePoint201):
    """A 2.0.1 station with a session on EVSE 1."""

    asked: list[str]

    @on("RequestStopTransaction")
    def stop(self, **_: Any) -> Any:
        self.asked.append("stop")
        return result201.RequestStopTransaction(status="Accepted")

    @on("ReserveNow")
    def reserve(self, **given: Any) -> Any:
        self.asked.append(f"reserve {given['id']}")
        return result201.ReserveNow(status="Accepted")

    async def boot(self) -> None:
        made = {"vendor_name": "Acme", "model": "Two"}
        await self.call(call201.BootNotification(charging_station=made, reason="PowerUp"))

    async def begin(self, reservation: int | None = None) -> None:
        await self._event("Started", "Authorized", 0, -3, 1000, reservation_id=reservation)

    async def sample(self, register: int) -> None:
        await self._event("Updated", "MeterValuePeriodic", 1, -2, register)

    async def end(self, register: int) -> None:
        await self._event("Ended", "EVDeparted", 2, -1, register)

    async def _event(
        self, kind: str, trigger: str, number: int, minutes: float, register: int, **more: Any
    ) -> None:
        await self.call(
            call201.TransactionEvent(
                event_type=kind,
                timestamp=at(minutes),
                trigger_reason=trigger,
                seq_no=number,
                transaction_info={"transaction_id": "TX-1"},
                evse={"id": 1, "connector_id": 1},
                id_token={"id_token": "CARD", "type": "ISO14443"},
                meter_value=[{"timestamp": at(minutes), "sampled_value": [{"value": register}]}],
                **more,
            )
        )


CLIENTS = pytest.mark.parametrize(("kind", "version"), [(Old, "1.6"), (New, "2.0.1")], ids=["1.6", "2.0.1"])


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        await made.edge.add_token("CARD")
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
        await made.boot()
        yield made
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)


async def until(system: Operations, path: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = (await system.http.get(f"/api/v1/{path}")).json()
            if condition(found):
                return found
            await asyncio.sleep(0.05)


async def only(system: Operations) -> dict[str, Any]:
    (session,) = (await system.http.get("/api/v1/sessions")).json()["items"]
    found: dict[str, Any] = session
    return found


@CLIENTS
@pytest.mark.covers("E04", "E13")
async def test_the_stop_of_an_ended_session_is_taken_when_it_comes(
    system: Operations, kind: type, version: str
) -> None:
    async with client(system, kind, version) as charger:
        await charger.begin()
        await charger.sample(1500)
        session = await only(system)
        ended = await system.http.post(
            f"/api/v1/sessions/{session['id']}/end", json={"reason": "no car there"}
        )
        assert (ended.status_code, ended.json()["energy_wh"]) == (200, 500)
        await charger.end(4000)
    corrected = await only(system)
    assert (corrected["energy_wh"], corrected["settlement"], corrected["review"]) == (3000, None, [])


@CLIENTS
@pytest.mark.covers("F03")
async def test_a_session_is_stopped_at_its_target(system: Operations, kind: type, version: str) -> None:
    async with client(system, kind, version) as charger:
        await charger.begin()
        session = await only(system)
        answer = await system.http.put(f"/api/v1/sessions/{session['id']}/target", json={"energy_wh": 400})
        assert answer.status_code == 200, answer.text
        await charger.sample(1500)
        path = f"sessions/{session['id']}"
        await until(
            system, path, lambda each: each["target"]["task_id"] is not None and "stop" in charger.asked
        )
        await charger.end(1500)
        reached = await until(system, path, lambda each: each["target"]["state"] == "reached")
        assert reached["target"]["reached"] == "energy_wh"


@CLIENTS
@pytest.mark.covers("H01", "H03")
async def test_a_reservation_is_used(system: Operations, kind: type, version: str) -> None:
    async with client(system, kind, version) as charger:
        body = {"station_id": "CP-1", "evse_id": 1, "token_uid": "CARD", "until_at": at(60)}
        made = (await system.http.post("/api/v1/reservations", json=body)).json()
        path = f"reservations/{made['id']}"
        await until(system, path, lambda each: each["state"] == "placed")
        assert charger.asked == [f"reserve {made['id']}"]
        await charger.begin(made["id"])
        used = await until(system, path, lambda each: each["state"] == "used")
        assert used["session_id"] == (await only(system))["id"]
