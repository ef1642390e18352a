"""A site follows a VTN over real HTTP: limits, prices, opting out, results; and what is wrong is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from pilotwire.core.clock import utc_now
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.usecases.manage_demand_response import NewVtn, add_vtn
from pilotwire.domain.identity.model import system_principal
from pilotwire.integrations.asking import HttpAsker
from pilotwire.integrations.egress import read_policy
from pilotwire.integrations.openadr import VtnDesks
from pilotwire.integrations.openadr2 import OpenAdr2Desk
from pilotwire.integrations.openadr3 import OpenAdrDesk
from pilotwire.jobs.demand_response import DemandResponder
from pilotwire.jobs.outlook import SiteOutlook
from tests.support.edge import migrated_database
from tests.support.energy import EnergySite, energy_site
from tests.support.postgres import drop_database
from tests.support.vtn import CLIENT, SECRET, SmallVtn, small_vtn

SEAL = Seal(b"for tests")
TREE: dict[str, Any] = {
    "nodes": [{"id": "grid", "kind": "grid", "limit_a": 63}],
    "evses": [{"station_id": "CP-A", "evse_id": 1, "node_id": "grid", "max_a": 16}],
    "offline": {"share": 0.3},
}


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@asynccontextmanager
async def responder(site: EnergySite, networks: str = "127.0.0.0/8") -> AsyncIterator[None]:
    edge = site.system.edge.edge
    policy = read_policy("", networks)
    asker, second = HttpAsker(policy), OpenAdr2Desk(policy)
    work = DemandResponder(
        edge.database,
        edge.bus,
        utc_now,
        VtnDesks(second, OpenAdrDesk(asker)),
        SEAL,
        report_after=timedelta(0),
    )
    task = asyncio.create_task(work.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asker.close()
        await second.close()


async def follow(site: EnergySite, vtn: SmallVtn, **more: Any) -> UUID:
    values: dict[str, Any] = {
        "url": vtn.url, "client_id": CLIENT, "client_secret": SECRET, "ven_name": "depot-ven",
        "version": vtn.version, "program": "Shed", "poll_s": 1, "levels_w": (9000.0, 4200.0),
    }  # fmt: skip
    return await follow_any(site, {**values, **more})


async def follow_any(site: EnergySite, values: dict[str, Any]) -> UUID:
    wanted = NewVtn(**values)
    row = await add_vtn(site.system.edge.edge.database, SEAL, system_principal(), UUID(site.id), wanted)
    found: UUID = row.id
    return found


def event(kind: str, value: float, *, minutes: float = 60, begin: float = -1, **more: Any) -> dict[str, Any]:
    start = datetime.now(UTC) + timedelta(minutes=begin)
    return {
        "id": f"e-{kind}", "objectType": "EVENT", "programID": "p1", "eventName": f"{kind} event",
        "intervalPeriod": {"start": start.isoformat(), "duration": f"PT{round(minutes * 60)}S"},
        "intervals": [{"id": 0, "payloads": [{"type": kind, "values": [value]}]}], **more,
    }  # fmt: skip


async def eventually_true(check: Any, patience_s: float = 90) -> None:
    async with asyncio.timeout(patience_s):
        while not await check():  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("version", ["3.0", "3.1"])
async def test_events_limit_the_site_until_it_opts_out_or_they_are_withdrawn(dsn: str, version: str) -> None:
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site, small_vtn(version) as vtn, responder(site):
        await site.put_tree(TREE)
        await site.charge("CP-A", 1)
        await site.until(lambda s: (s["by_key"]["CP-A/1"]["told_a"] or 0) > 10)
        vtn.uses = 4  # tokens that end early are replaced
        vtn.events.append(event("SIMPLE", 2))
        vtn.events.append({**event("SIMPLE", 1), "id": "other", "programID": "p2"})
        if version == "3.0":
            others = event("IMPORT_CAPACITY_LIMIT", 1, targets=[{"type": "VEN_NAME", "values": ["else"]}])
            vtn.events.append(others)
        vtn_id = await follow(site, vtn)
        live = await site.until(lambda s: 0 < (s["by_key"]["CP-A/1"]["told_a"] or 0) <= 4200 / 690)
        assert (live["nodes"][0]["limit_w"], live["nodes"][0]["limit_reason"]) == (
            4200, "demand response: SIMPLE event",
        )  # fmt: skip
        assert [each["venName"] for each in vtn.vens] == ["depot-ven"]
        events = await site.ask("GET", "/energy/events")
        assert [(each["event_id"], each["takes_part"]) for each in events] == [("e-SIMPLE", True)]
        out = await site.ask("PUT", f"/energy/vtns/{vtn_id}/events/e-SIMPLE/opt", {"takes_part": False})
        assert out["takes_part"] is False
        await site.until(lambda s: s["nodes"][0]["limit_w"] is None)
        await site.ask("PUT", f"/energy/vtns/{vtn_id}/events/e-SIMPLE/opt", {"takes_part": True})
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 4200)
        vtn.events.clear()
        await site.until(lambda s: s["nodes"][0]["limit_w"] is None)
        assert vtn.tokens > 1


async def test_prices_go_to_the_plan_and_results_to_the_vtn(dsn: str) -> None:
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site, small_vtn() as vtn, responder(site):
        await site.put_tree(TREE)
        db = site.system.edge.edge.database
        # A day ago the site bought 6 kW in the same quarter of an hour, today 2 kW.
        now = datetime.now(UTC)
        kind = next(
            days for days in range(1, 8)
            if ((now - timedelta(days=days)).weekday() < 5) == ((now - timedelta(minutes=20)).weekday() < 5)
        )  # fmt: skip
        for back, power in ((timedelta(0), 2000.0), (timedelta(days=kind), 6000.0)):
            await site.system.edge.edge.database.service.execute(
                "INSERT INTO energy_history (tenant_id, site_id, received_at, interval_s, grid_w)"
                " SELECT 1, $1, at, 60, $3 FROM generate_series($2::timestamptz - interval '25 min', $2, '1 min') at",
                UUID(site.id), now - back, power,
            )  # fmt: skip
        vtn.events.append(event("PRICE", 0.77))
        vtn.events.append(event("SIMPLE", 1, minutes=15, begin=-20))
        await follow(site, vtn)

        async def priced() -> bool:
            found = await SiteOutlook(db).forecast(1, UUID(site.id), now.timestamp())
            return found.prices is not None and found.prices.values[0] == 0.77

        await eventually_true(priced)
        async with asyncio.timeout(90):
            while not vtn.reports:  # noqa: ASYNC110 - the state of another task
                await asyncio.sleep(0.1)
        report = vtn.reports[0]
        assert (report["eventID"], report["clientName"]) == ("e-SIMPLE", "depot-ven")
        payloads = report["resources"][0]["intervals"][0]["payloads"]
        told = {each["type"]: each["values"][0] for each in payloads}
        assert told == {"USAGE": 0.5, "BASELINE": 1.5, "OPERATING_STATE": "RUNNING_CURTAILED"}
        await asyncio.sleep(2.5)
        assert len(vtn.reports) == 1
        ended = [each for each in await site.ask("GET", "/energy/events") if each["event_id"] == "e-SIMPLE"]
        assert (ended[0]["used_wh"], ended[0]["baseline_wh"]) == (500, 1500)


async def test_what_is_wrong_with_a_vtn_is_told_and_limits_stay(dsn: str) -> None:
    async with energy_site(dsn, ("CP-A", "2.0.1")) as site, small_vtn() as vtn, responder(site):
        await site.put_tree(TREE)
        vtn.events += [
            event("IMPORT_CAPACITY_LIMIT", 7),
            {"id": "bad", "programID": "p1", "intervals": [{"intervalPeriod": 5}]},
        ]
        await follow(site, vtn)
        await follow(site, vtn, client_secret="wrong")
        await site.until(lambda s: s["nodes"][0]["limit_w"] == 7000)

        async def told(number: int, word: str) -> bool:
            return word in (await site.ask("GET", "/energy/vtns"))[number]["error"]

        await eventually_true(lambda: told(0, "event bad cannot be read"))
        await eventually_true(lambda: told(1, "invalid_client"))
        vtn.away = True
        await eventually_true(lambda: told(0, "503"))
        assert (await site.live())["nodes"][0]["limit_w"] == 7000


async def test_a_vtn_in_a_private_network_is_not_asked_unless_allowed(dsn: str) -> None:
    async with energy_site(dsn) as site, small_vtn() as vtn, responder(site, networks="10.0.0.0/8"):
        await site.put_tree({"nodes": TREE["nodes"]})
        await follow(site, vtn)

        async def refused() -> bool:
            return "not a public address" in (await site.ask("GET", "/energy/vtns"))[0]["error"]

        await eventually_true(refused)
        assert vtn.http.got == []
