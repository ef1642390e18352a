"""A server that is gone leaves cars on a battery that soon stops: they are back within the fuse before it does."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilotwire.simulator.storage import Storage, serve_storage
from tests.support.depot import Kind, depot
from tests.support.edge import migrated_database
from tests.support.operations import eventually
from tests.support.postgres import drop_database

FUSE_A = 16.0
TIMER_S = 30


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def tree() -> dict[str, Any]:
    return {
        "nodes": [{"id": "main", "kind": "grid", "limit_a": FUSE_A, "metering": "total", "meter": "main"}],
        "evses": [{"station_id": "CP-A", "evse_id": each, "node_id": "main", "max_a": 16} for each in (1, 2)],
        "batteries": [
            {
                "id": "store", "node_id": "main", "capacity_wh": 20_000, "max_charge_w": 11_000,
                "max_discharge_w": 11_000, "meter": "store",
            }
        ],
        "offline": {"share": 0.4},
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_cars_that_lean_on_a_battery_are_within_the_fuse_when_it_stops_after_the_server(
    dsn: str, tmp_path: Path
) -> None:
    storage = Storage(20_000, 11_000, soc_percent=60)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    kinds, local = [Kind("CP-A", "2.0.1", evses=2)], {"PILOTWIRE_EGRESS_PRIVATE_NETWORKS": "127.0.0.0/8"}
    async with (
        serve_storage(storage, port),
        depot(dsn, tmp_path, kinds, tree(), base_a=2.0, storage=storage, environment=local) as here,
    ):
        site, plant = here.site, here.plant
        device = {"host": "127.0.0.1", "port": port}
        source = {"kind": "modbus", "sunspec": True, "interval_s": 1, **device}
        await site.ask("PUT", "/meters/store/source", {"source": source})
        control = {"kind": "sunspec", "interval_s": 2, "silent_after_s": TIMER_S, **device}
        await site.ask("PUT", "/energy/batteries/store/control", {"control": control})
        for number in (1, 2):
            await site.charge("CP-A", number)
        await eventually(lambda: sum(site.drawn()) / 3 > FUSE_A + 4, 150)
        await site.until(lambda s: s["batteries"][0]["state"] == "following")
        await here.within_the_fuse()

        await eventually(lambda: sum(site.drawn()) / 3 > FUSE_A + 2, 60)
        await here.server.kill()
        killed_at = time.monotonic()
        plant.forget()
        assert sum(site.drawn()) / 3 > FUSE_A
        assert storage.commanded_w() is not None
        await eventually(lambda: storage.commanded_w() is None, TIMER_S + 30)
        assert time.monotonic() - killed_at > TIMER_S / 2
        plant.check()
        plant.forget()
        await here.within_the_fuse()
        assert here.charging(), "nobody charges any more"
