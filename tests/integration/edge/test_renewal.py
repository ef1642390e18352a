"""A new secret for a station that charges every day: whatever happens in between, it comes back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.edge import PASSWORD
from tests.support.operations import Operations, operations
from tests.support.stations import Station, station


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        yield made


class Holder:
    """A station's answers to being given a secret, and what it was given."""

    def __init__(self, status: str = "Accepted") -> None:
        self.status = status
        self.secrets: list[str] = []
        self.link: Station | None = None
        self.dies = False

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "ChangeConfiguration":
            assert payload["key"] == "AuthorizationKey"
            self.secrets.append(payload["value"])
        elif action == "SetVariables":
            (data,) = payload["setVariableData"]
            assert (data["component"]["name"], data["variable"]["name"]) == (
                "SecurityCtrlr",
                "BasicAuthPassword",
            )
            self.secrets.append(data["attributeValue"])
        else:
            return None
        if self.dies and self.link is not None:
            self.link.drop()
        if action == "ChangeConfiguration":
            return {"status": self.status}
        result = {
            "attributeStatus": self.status,
            "component": data["component"],
            "variable": data["variable"],
        }
        return {"setVariableResult": [result]}


async def renew(system: Operations) -> tuple[int, str]:
    answer = await system.http.post("/api/v1/stations/CP-1/secret/renew")
    return answer.status_code, answer.text


async def comes_in(system: Operations, password: str) -> bool:
    try:
        async with station(system.edge.url, "CP-1", "2.0.1", password=password) as cp:
            return bool((await cp.boot())["status"] == "Accepted")
    except InvalidStatus as refused:
        return refused.response.status_code != 401


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_secret_is_renewed_and_the_old_one_ends_with_the_use_of_the_new(
    system: Operations, version: str
) -> None:
    holder = Holder()
    async with station(system.edge.url, "CP-1", version, answer=holder.answer) as cp:
        await cp.boot()
        assert await renew(system) == (204, "")
    (secret,) = holder.secrets
    assert len(secret) == 32
    assert await comes_in(system, PASSWORD), "it is good until the new one was used"
    assert await comes_in(system, secret)
    assert not await comes_in(system, PASSWORD)
    frames = await system.edge.rows("SELECT request, response FROM frame")
    assert secret not in str(frames)


@pytest.mark.parametrize("comes_with", ["old", "new"])
async def test_a_station_that_dies_in_the_middle_comes_back_with_either(
    system: Operations, comes_with: str
) -> None:
    holder = Holder()
    holder.dies = True
    async with station(system.edge.url, "CP-1", "1.6", answer=holder.answer) as cp:
        holder.link = cp
        await cp.boot()
        status, text = await renew(system)
        assert status == 409, text
    assert await comes_in(system, PASSWORD if comes_with == "old" else holder.secrets[0])
    if comes_with == "old":
        holder.dies = False
        async with station(system.edge.url, "CP-1", "1.6", answer=holder.answer) as cp:
            await cp.boot()
            assert (await renew(system))[0] == 204
        assert holder.secrets[0] == holder.secrets[1], "a second offer would lock out who took the first"
        assert await comes_in(system, holder.secrets[1])
    assert not await comes_in(system, PASSWORD)


@pytest.mark.covers("TC_A_10")
async def test_a_station_that_refuses_keeps_its_secret(system: Operations) -> None:
    holder = Holder("Rejected")
    async with station(system.edge.url, "CP-1", "2.0.1", answer=holder.answer) as cp:
        await cp.boot()
        status, text = await renew(system)
        assert status == 409
        assert "present one" in text
    assert await comes_in(system, PASSWORD)
    status, text = await renew(system)
    assert (status, "not connected" in text) == (409, True)
