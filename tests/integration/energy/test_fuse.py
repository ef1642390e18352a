"""A tight fuse with real stations of every version: shared, given back, respected when things vanish."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.edge import migrated_database
from tests.support.energy import energy_site
from tests.support.postgres import drop_database
from tests.support.simulator_rig import every_version


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def tree(limit_a: float, *stations: str, **node: Any) -> dict[str, Any]:
    return {
        "nodes": [{"id": "main", "kind": "grid", "limit_a": limit_a, **node}],
        "evses": [
            {"station_id": name, "evse_id": number, "node_id": "main", "max_a": 16}
            for name in stations
            for number in (1, 2)
        ],
        "offline": {"share": 0.3},
    }


@every_version
async def test_two_cars_share_a_fuse_and_one_gets_what_the_other_leaves(dsn: str, version: Any) -> None:
    async with energy_site(dsn, ("CP-A", version)) as site:
        await site.put_tree(tree(20, "CP-A"))
        prepared = await site.until(lambda s: all(e["drive"] == "idle" for e in s["evses"]))
        # Of the 6 A that are theirs when nobody tells them anything, one of them has its least current.
        assert [e["offline_bound_a"] for e in prepared["evses"]] == [6, 0]
        first = await site.charge("CP-A", 1)
        alone = await site.until(lambda s: max(s["by_key"]["CP-A/1"]["drawn_a"] or [0]) > 12)
        assert alone["by_key"]["CP-A/1"]["session_id"] == first
        await site.charge("CP-A", 2)
        shared = await site.until(
            lambda s: (
                all(max(e["drawn_a"] or [0]) > 5.5 and e["drive"] == "confirmed" for e in s["evses"])
                and sum(max(e["drawn_a"]) for e in s["evses"]) > 18
            )
        )
        assert sum(e["limit_a"] for e in shared["evses"]) <= 20 + 1e-6
        assert max(site.drawn()) <= 20.01
        fuse = [e for e in shared["evses"] if e["reason"] == "fuse"]
        assert fuse, shared["evses"]
        assert fuse[0]["binding"]["node_id"] == "main"
        assert "is used up" in fuse[0]["explanation"]
        await site.system.run("CP-A", "stop_charging", session_id=first)
        await site.until(lambda s: max(s["by_key"]["CP-A/2"]["drawn_a"] or [0]) > 13)
        assert max(site.drawn()) <= 20.01
