"""Asking stations of every version how their connectors are."""

from typing import Any

import pytest

from tests.support.operations import operations
from tests.support.stations import Station, moment, station


def accepts(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"status": "Accepted"}


async def tell(cp: Station, evse: int, connector: int) -> None:
    place = {"evseId": evse, "connectorId": connector}
    await cp.call("StatusNotification", {"timestamp": moment(), "connectorStatus": "Available"} | place)


def asked(cp: Station) -> list[Any]:
    return [payload.get("evse") for action, payload in cp.calls if action == "TriggerMessage"]


@pytest.mark.covers("2.0.1:TriggerMessage", "2.1:TriggerMessage")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_each_connector_is_asked_by_itself(postgres_server: str, version: str) -> None:
    """Spec: 2.0.1 F06.FR.12."""
    one, two, three = ({"id": evse, "connectorId": number} for evse, number in ((1, 1), (1, 2), (2, 1)))
    async with operations(postgres_server) as system:
        await system.edge.add_stations("CP-1")
        async with station(system.edge.url, "CP-1", version, answer=accepts) as cp:
            await cp.boot()
            unknown = await system.run("CP-1", "trigger", message="status_notification")
            assert (unknown["state"], unknown["outcome"]) == ("rejected", "not_possible")
            assert "give evse_id and connector_id" in unknown["detail"]
            assert asked(cp) == []
            for evse, number in ((1, 1), (1, 2), (2, 1)):
                await tell(cp, evse, number)
            result = await system.run("CP-1", "trigger", message="status_notification")
            assert result["state"] == "done"
            assert asked(cp) == [one, two, three]
            await system.run("CP-1", "trigger", message="status_notification", evse_id=1)
            assert asked(cp)[3:] == [one, two]


async def test_a_connector_that_refuses_is_named(postgres_server: str) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        place = payload.get("evse") or {}
        return {"status": "Rejected" if place.get("id") == 2 else "Accepted"}

    async with operations(postgres_server) as system:
        await system.edge.add_stations("CP-1")
        async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as cp:
            await cp.boot()
            await tell(cp, 1, 1)
            await tell(cp, 2, 1)
            result = await system.run("CP-1", "trigger", message="status_notification")
            assert (result["state"], result["outcome"]) == ("rejected", "rejected")
            assert result["detail"].startswith("EVSE 2, connector 1")


async def test_a_station_of_1_6_is_asked_once_for_all(postgres_server: str) -> None:
    async with operations(postgres_server) as system:
        await system.edge.add_stations("CP-1")
        async with station(system.edge.url, "CP-1", "1.6", answer=accepts) as cp:
            await cp.boot()
            result = await system.run("CP-1", "trigger", message="status_notification")
            assert result["state"] == "done"
            triggers = [payload for action, payload in cp.calls if action == "TriggerMessage"]
            assert {"requestedMessage": "StatusNotification"} in triggers
