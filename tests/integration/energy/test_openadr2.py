"""A site follows a VTN of OpenADR 2.0b: openleadr's own server, in a process of its own, over real HTTP and TLS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from pilotwire.core.clock import utc_now
from pilotwire.jobs.outlook import SiteOutlook
from tests.integration.energy.test_openadr import TREE, eventually_true, follow_any, responder
from tests.support.edge import migrated_database
from tests.support.energy import EnergySite, energy_site
from tests.support.postgres import drop_database
from tests.support.vtn2 import PeerVtn, peer_vtn


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


async def follow(site: EnergySite, vtn: PeerVtn, **more: Any) -> UUID:
    values: dict[str, Any] = {
        "url": vtn.url, "client_secret": vtn.pem, "ven_name": "depot-ven", "version": "2.0b",
        "poll_s": 1, "levels_w": (9000.0, 4200.0),
    }  # fmt: skip
    return await follow_any(site, {**values, **more})


async def buy(site: EnergySite, back: timedelta, power_w: float, minutes: int) -> None:
    """Let the site have bought so much some time ago, and on until `minutes` later."""
    await site.system.edge.edge.database.service.execute(
        "INSERT INTO energy_history (tenant_id, site_id, received_at, interval_s, grid_w)"
        " SELECT 1, $1, at, 60, $4 FROM generate_series($2::timestamptz - interval '30 min', $3, '1 min') at",
        UUID(site.id), utc_now() - back, utc_now() - back + timedelta(minutes=minutes), power_w,
    )  # fmt: skip


async def test_simple_levels_limit_the_site_and_the_vtn_hears_who_takes_part(
    dsn: str, tmp_path: Path
) -> None:
    async with (
        energy_site(dsn, ("CP-A", "2.0.1")) as site,
        peer_vtn(tmp_path, tls=True) as vtn,
        responder(site),
    ):
        await site.put_tree(TREE)
        vtn_id = await follow(site, vtn, program="http://shed")
        await vtn.until(lambda: vtn.number("registered") and vtn.number("offered") == 2)
        assert next(each for each in vtn.told if each["kind"] == "offered")["unit"] == "Wh"
        await vtn.do("event", id="e1", signal="simple", type="level", values=[2, 0], length_s=1800)
        await vtn.do("event", id="other", signal="simple", type="level", values=[1], length_s=1800,
                     context="http://other")  # fmt: skip
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 4200)
        await vtn.until(lambda: vtn.opts("e1") == ["optIn"] and vtn.opts("other") == ["optOut"])
        await site.ask("PUT", f"/energy/vtns/{vtn_id}/events/e1/opt", {"takes_part": False})
        await site.until(lambda s: s["nodes"][0]["limit_w"] is None)
        await vtn.until(lambda: vtn.opts("e1") == ["optIn", "optOut"])
        await site.ask("PUT", f"/energy/vtns/{vtn_id}/events/e1/opt", {"takes_part": True})
        await vtn.until(lambda: vtn.opts("e1") == ["optIn", "optOut", "optIn"])
        # A VTN that has lost its memory is registered with anew, and its events go on.
        await vtn.do("forget")
        await vtn.until(lambda: vtn.number("registered") == 2)
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 4200)
        await vtn.do("cancel", id="e1")
        await site.until(lambda s: s["nodes"][0]["limit_w"] is None)
        assert (await site.ask("GET", "/energy/vtns"))[0]["error"] == ""


async def test_dispatch_prices_and_what_cannot_be_followed(dsn: str, tmp_path: Path) -> None:
    async with (
        energy_site(dsn, ("CP-A", "2.0.1")) as site,
        peer_vtn(tmp_path, every_s=1) as vtn,
        responder(site),
    ):
        await site.put_tree(TREE)
        now = datetime.now(UTC)
        alike = next(
            timedelta(days=days) for days in range(1, 8)
            if ((now - timedelta(days=days)).weekday() < 5) == (now.weekday() < 5)
        )  # fmt: skip
        await buy(site, alike, 12_000, minutes=30)
        await buy(site, timedelta(0), 5_000, minutes=0)
        await follow(site, vtn)
        await vtn.until(lambda: vtn.number("offered") == 2)
        common = {"length_s": 600}
        await vtn.do("event", id="set", signal="LOAD_DISPATCH", type="setpoint", values=[8000], **common)
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 8000)
        await vtn.do("event", id="less", signal="LOAD_DISPATCH", type="delta", values=[-5000], **common)
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 7000)
        await vtn.do("event", id="half", signal="LOAD_DISPATCH", type="multiplier", values=[0.5], **common)
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 6000)
        await vtn.do(
            "event", id="cost", signal="ELECTRICITY_PRICE", type="price", values=[0.77], length_s=3600
        )

        async def priced() -> bool:
            database = site.system.edge.edge.database
            found = await SiteOutlook(database).forecast(1, UUID(site.id), now.timestamp())
            return found.prices is not None and found.prices.values[0] == 0.77

        await eventually_true(priced)
        await vtn.do("event", id="bid", signal="BID_LOAD", type="setpoint", values=[5], **common)
        await vtn.until(lambda: vtn.opts("bid") == ["optOut"])
        for event_id in ("set", "less", "half", "cost"):
            await vtn.until(lambda event_id=event_id: vtn.opts(event_id) == ["optIn"])
        # An event that is over: what was used and what is usual come to the VTN; and so do the seconds that it asked for.
        await vtn.do(
            "event", id="over", signal="simple", type="level", values=[1], begin_s=-900, length_s=600
        )
        await vtn.until(lambda: any(abs(each - 5000 / 6) < 2 for each in vtn.reported()))
        await vtn.until(lambda: any(abs(each - 2000) < 2 for each in vtn.reported()))
        ended = [each for each in await site.ask("GET", "/energy/events") if each["event_id"] == "over"]
        assert round(ended[0]["used_wh"]) == 833
        assert round(ended[0]["baseline_wh"]) == 2000
        await vtn.until(lambda: any(each < 30 for each in vtn.reported()))


async def test_a_vtn_that_refuses_us_is_told_of(dsn: str, tmp_path: Path) -> None:
    async with energy_site(dsn) as site, peer_vtn(tmp_path, tls=True) as vtn, responder(site):
        await site.put_tree({"nodes": TREE["nodes"]})
        await follow(site, vtn, ven_name="stranger")
        await follow(site, vtn, client_secret="")

        async def told(number: int, word: str) -> bool:
            return word in (await site.ask("GET", "/energy/vtns"))[number]["error"]

        await eventually_true(lambda: told(0, "does not accept the registration of 'stranger'"))
        await eventually_true(lambda: told(1, "certificate verify failed"))
        wrong = {"url": vtn.url, "ven_name": "depot-ven", "version": "2.0b", "client_secret": "secret"}
        answer = await site.ask("POST", "/energy/vtns", wrong, expect=422)
        assert "PEM" in answer["detail"]
        wrong = {"url": vtn.url, "ven_name": "depot-ven"}
        answer = await site.ask("POST", "/energy/vtns", wrong, expect=422)
        assert "OpenADR 3 gives tokens" in answer["detail"]
