"""A grid operator dims a site over REST; simulated cars follow, and follow the fail-safe value when it falls silent."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.edge import migrated_database
from tests.support.energy import energy_site
from tests.support.postgres import drop_database


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


TREE: dict[str, Any] = {
    "nodes": [{"id": "grid", "kind": "grid", "limit_a": 63}],
    "evses": [{"station_id": "CP-A", "evse_id": 1, "node_id": "grid", "max_a": 16}],
    "offline": {"share": 0.3},
}
DIMMED_W = 4200.0


async def test_a_site_is_dimmed_until_withdrawn_and_by_the_fail_safe_value_in_silence(dsn: str) -> None:
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site:
        early = await site.ask("PUT", "/energy/grid-limits/dso", {"limit_w": DIMMED_W}, expect=409)
        assert early["code"] == "energy_off"
        await site.put_tree(TREE)
        await site.charge("CP-A", 1)
        await site.until(lambda s: (s["by_key"]["CP-A/1"]["told_a"] or 0) > 10)
        said = await site.ask("PUT", "/energy/grid-limits/dso", {"limit_w": DIMMED_W, "reason": "14a"})
        assert (said["state"], said["holds_w"], said["node_id"]) == ("limited", DIMMED_W, "grid")
        live = await site.until(lambda s: 0 < (s["by_key"]["CP-A/1"]["told_a"] or 0) <= DIMMED_W / 690)
        assert live["nodes"][0]["limit_w"] == DIMMED_W
        assert "14a" in live["nodes"][0]["limit_reason"]
        await site.until(lambda _: sum(site.drawn()) * 230 <= DIMMED_W)
        # It is heard once, and then no more.
        wanted = {"limit_w": None, "silent_after_s": 3, "failsafe_w": 5000.0}
        free = await site.ask("PUT", "/energy/grid-limits/dso", wanted)
        assert (free["state"], free["holds_w"]) == ("free", None)
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 5000)
        shown = await site.ask("GET", "/energy/grid-limits")
        assert [(each["state"], each["holds_w"]) for each in shown] == [("failsafe", 5000)]
        heard = await site.ask("POST", "/energy/grid-limits/dso/heartbeat")
        assert heard["state"] == "free"
        await site.until(lambda s: s["nodes"][0]["limit_w"] is None)
        await site.ask("DELETE", "/energy/grid-limits/dso", expect=204)
        assert await site.ask("GET", "/energy/grid-limits") == []
        await site.until(lambda s: (s["by_key"]["CP-A/1"]["told_a"] or 0) > 10)


async def test_what_makes_no_sense_is_refused(dsn: str) -> None:
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site:
        await site.put_tree(TREE)
        past = {"limit_w": 1.0, "ends_at": "2020-01-01T00:00:00Z"}
        for wrong in (past, {"limit_w": -1}, {"failsafe_w": 1.0}, {"silent_after_s": 5}, {"limit_kw": 1}):
            await site.ask("PUT", "/energy/grid-limits/dso", wrong, expect=422)
        await site.ask("PUT", "/energy/grid-limits/dso", {"limit_w": 1, "node_id": "attic"}, expect=404)
        await site.ask("POST", "/energy/grid-limits/dso/heartbeat", expect=404)
        await site.ask("DELETE", "/energy/grid-limits/dso", expect=404)
