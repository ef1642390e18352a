"""Simulated stations of every version: read whole, written, repaired."""

import asyncio

from pilotwire.simulator.model import OcppVersion
from tests.integration.configuration.test_drift import make_template
from tests.integration.operations.test_simulator import simulated
from tests.support.operations import Operations
from tests.support.simulator_rig import every_version


@every_version
async def test_a_simulated_station_is_read_written_and_repaired(
    system: Operations, version: OcppVersion
) -> None:
    async with simulated(system, version) as station:
        name = station.spec.identity
        read = await system.run(name, "read_settings")
        assert (read["state"], read["outcome"]) == ("done", "read"), read
        async with asyncio.timeout(60):
            while True:
                listed = (await system.http.get(f"/api/v1/stations/{name}/variables?limit=1000")).json()
                if listed["reading"]["state"] == "complete":
                    break
                await asyncio.sleep(0.05)
        variables = {each["name"]: each for each in listed["items"] if each["attribute"] == "actual"}
        assert len(variables) > 30
        assert variables["OCPPCommCtrlr/HeartbeatInterval"]["value"] == station.device.text(
            "heartbeat_interval_s"
        )
        assert variables["SecurityCtrlr/BasicAuthPassword"]["value"] is None
        body = {"settings": [{"name": "HeartbeatInterval", "value": "61"}]}
        given = await system.http.patch(f"/api/v1/stations/{name}/variables", json=body)
        written = await system.result(given.json()["task_id"])
        assert (written["state"], written["outcome"]) == ("done", "accepted"), written
        assert station.device.number("heartbeat_interval_s") == 61
        await make_template(system, ("HeartbeatInterval", "62"))
        repaired = await system.result(await until_repairable(system))
        assert (repaired["state"], repaired["outcome"]) == ("done", "accepted"), repaired
        assert station.device.number("heartbeat_interval_s") == 62


async def until_repairable(system: Operations) -> str:
    """Ask for a repair until the drift has been found."""
    async with asyncio.timeout(60):
        while True:
            answer = await system.http.post("/api/v1/drift/repair", json={})
            if answer.status_code == 202:
                task_id: str = answer.json()["task_id"]
                return task_id
            await asyncio.sleep(0.05)
