"""The demo's site with a tight fuse, a solar roof and a battery. Its meters come in as any would: by the REST API."""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from pilotwire.app.remote import Remote
from pilotwire.app.server import Server
from pilotwire.core.errors import PilotwireError
from pilotwire.domain.energy.usecases.manage_batteries import set_control
from pilotwire.domain.energy.usecases.manage_trees import change_energy
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.simulator.model import SiteSpec
from pilotwire.simulator.plant import PLANT_STEP_S, PlantReading, PlantSpec

__all__ = ["ENERGY_SITE", "MeterPosts", "give_energy_tree", "plant_of", "steer_battery"]

log = structlog.get_logger(__name__)

ENERGY_SITE = "office-utrecht"
_ROTATIONS = ("RST", "STR", "TRS")
_GARAGE = 4
"""So many stations stand in the garage, the others in the yard."""


def _rotations(site: SiteSpec) -> dict[tuple[str, int], str]:
    """Electricians turn the phases from one outlet to the next, so that cars of one phase spread."""
    places = [(station.identity, evse.id) for station in site.stations for evse in station.evses]
    return {place: _ROTATIONS[number % 3] for number, place in enumerate(places)}


def plant_of(site: SiteSpec, storage_port: int = 0) -> PlantSpec:
    """Describe what stands at the demo's site besides stations; the battery speaks Modbus TCP on a port."""
    return PlantSpec(
        site.id,
        base_w=11_000,
        solar_peak_w=38_000,
        battery_wh=60_000,
        battery_w=20_000,
        import_above_w=38_000,
        rotations=_rotations(site),
        time_zone=site.time_zone,
        storage_port=storage_port,
    )


async def steer_battery(server: Server, site_id: UUID, port: int) -> None:
    """Let the plan steer the demo's battery, as one that speaks SunSpec at a real site."""
    control = {"kind": "sunspec", "host": "127.0.0.1", "port": port, "silent_after_s": 30}
    try:
        await set_control(
            server.edge.database, server.trust.seal, system_principal(), site_id, "battery", given=control
        )
    except PilotwireError as error:
        # Somebody has changed the tree of the demo since it was made.
        log.info("the battery of the demo is not steered", error=str(error))


async def give_energy_tree(server: Server, site: SiteSpec, site_id: UUID) -> str:
    """Give the demo's site its tree and switch energy management on; return the API key of its data logger."""
    rotations = _rotations(site)
    evses = [
        {
            "station_id": station.identity,
            "evse_id": evse.id,
            "node_id": "garage" if number < _GARAGE else "yard",
            "phase_rotation": rotations[station.identity, evse.id],
            "max_a": round(evse.max_power_w / (230 * evse.phases)),
            "number_phases": evse.phases,
        }
        for number, station in enumerate(site.stations)
        for evse in station.evses
    ]
    tree: dict[str, Any] = {
        "nodes": [
            {
                "id": "grid", "kind": "grid", "name": "Grid connection", "limit_a": 80, "margin_a": 2,
                "metering": "total", "meter": "grid", "base_a": 24, "unbalance_a": 20,
            },
            {"id": "garage", "parent_id": "grid", "kind": "feeder", "name": "Garage", "limit_a": 63},
            {"id": "yard", "parent_id": "grid", "kind": "feeder", "name": "Yard", "limit_a": 40},
        ],
        "evses": evses,
        "generators": [
            {"id": "roof", "node_id": "grid", "name": "Solar roof", "peak_w": 38_000, "meter": "roof"}
        ],
        "batteries": [
            {
                "id": "battery", "node_id": "grid", "name": "Battery", "capacity_wh": 60_000,
                "max_charge_w": 20_000, "max_discharge_w": 20_000, "meter": "battery",
            }
        ],
        "contract": {
            "price_per_kwh": 0.29,
            "hours": [
                {"since": "22:00", "until": "06:00", "price_per_kwh": 0.19},
                {"since": "17:00", "until": "20:00", "days": ["mon", "tue", "wed", "thu", "fri"], "price_per_kwh": 0.42},
            ],
            "feed_in_price_per_kwh": 0.06,
            "demand_price_per_kw": 9.5,
        },
        "offline": {"share": 0.3},
    }  # fmt: skip
    await change_energy(
        server.edge.database, server.edge.bus, system_principal(), site_id, given=tree, enabled=True
    )
    _, key = await create_api_key(
        server.edge.database, system_principal(), "data logger of the demo", Role.OPERATOR
    )
    return key


class MeterPosts:
    """Posts the readings of the site's meters to the server, as a data logger at the site would."""

    def __init__(self, site_id: UUID, key: str) -> None:
        self._site_id = site_id
        self._key = key
        self._newest: PlantReading | None = None

    def heard(self, _: str, reading: PlantReading) -> None:
        """Take a reading; only the newest is posted."""
        self._newest = reading

    async def run(self, server: Server) -> None:
        """Post until cancelled; a server that is busy gets the next reading."""
        remote = Remote(server.web.url, self._key)
        while True:
            await asyncio.sleep(PLANT_STEP_S)
            reading, self._newest = self._newest, None
            if reading is not None:
                await asyncio.to_thread(self._post, remote, reading)

    def _post(self, remote: Remote, reading: PlantReading) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "grid": {
                "current_a": [round(each, 2) for each in reading.grid_current_a],
                "power_w": round(reading.grid_w),
            },
            "roof": {"power_w": round(reading.solar_w)},
            "battery": {"power_w": round(reading.battery_w), "soc_percent": round(reading.soc_percent, 1)},
        }
        for meter, body in bodies.items():
            try:
                remote.ask("POST", f"/sites/{self._site_id}/meters/{meter}/readings", body)
            except PilotwireError as error:
                log.warning("a reading of the demo's meters was not taken", meter=meter, error=str(error))
