"""A site over REST: trees with faults, meters, limits of people and of others, wishes, history; stations by hand."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilotwire.domain.energy.events import EnergyMeasured, EnergyTrouble
from tests.support.edge import migrated_database
from tests.support.energy import PACE, SETTINGS, EnergySite, energy_site
from tests.support.operations import Operations, eventually, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import Station, station


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def tree(limit_a: float = 40, **more: Any) -> dict[str, Any]:
    return {
        "nodes": [{"id": "main", "kind": "grid", "limit_a": limit_a, **more}],
        "evses": [{"station_id": "CP-A", "evse_id": 1, "node_id": "main", "max_a": 16}],
        "offline": {"share": 0.3},
    }


async def test_a_site_without_a_tree_is_told_what_is_missing_and_nothing_is_done(dsn: str) -> None:
    async with energy_site(dsn) as site:
        system = site.system
        await system.edge.add_stations("CP-A")
        await system.http.patch("/api/v1/stations/CP-A", json={"site_id": site.id})
        proposal = await site.ask("GET", "/energy")
        assert (proposal["derived"], proposal["enabled"], proposal["version"]) == (True, False, 0)
        assert [evse["station_id"] for evse in proposal["tree"]["evses"]] == ["CP-A"]
        assert [problem["code"] for problem in proposal["problems"]] == ["no_limit"]
        off = await site.ask("GET", "/energy/live", expect=409)
        assert off["code"] == "energy_off"
        refused = await site.ask("PUT", "/energy", {"tree": proposal["tree"], "enabled": True}, expect=422)
        assert refused["code"] == "invalid_energy_tree"
        assert refused["errors"] == [
            {
                "in": "body",
                "field": "grid",
                "message": "the grid connection has no limit in A or W; give the main fuse",
            }
        ]
        draft = await site.ask("PUT", "/energy", {"tree": proposal["tree"]})
        assert (draft["derived"], draft["enabled"], len(draft["problems"])) == (False, False, 1)
        mended = await site.ask("PUT", "/energy/nodes/grid", {"kind": "grid", "limit_a": [63, 63, 50]})
        assert mended["problems"] == []
        on = await site.ask("PUT", "/energy", {"enabled": True, "version": mended["version"]})
        assert on["enabled"]
        late = await site.ask("PUT", "/energy", {"enabled": False, "version": mended["version"]}, expect=409)
        assert late["code"] == "energy_tree_changed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nodes": [{"id": "a", "parent_id": "b"}, {"id": "b", "parent_id": "a"}]}, "roots"),
        (
            {"nodes": [{"id": "main", "limit_a": 5}], "evses": [{"station_id": "X", "node_id": "main"}]},
            "unknown_station",
        ),
        ({"nodes": [{"id": "main", "limit_a": 5, "metering": "total"}]}, "no_meter"),
        ({"nodes": [{"id": "main", "limit_a": 5, "schedule": [{"since": "17:00"}]}]}, "no_limit"),
        (
            {"nodes": [{"id": "main", "limit_a": 5}], "evses": [{"station_id": "CP-A", "node_id": "gone"}]},
            "unknown_node",
        ),
    ],
)
async def test_faults_of_a_tree_are_named(dsn: str, change: dict[str, Any], code: str) -> None:
    async with energy_site(dsn) as site:
        found = await site.ask("POST", "/energy/check", change)
        assert code in {problem["code"] for problem in found["problems"]}, found


async def test_words_that_no_tree_has_are_refused(dsn: str) -> None:
    async with energy_site(dsn) as site:
        wrong = await site.ask(
            "PUT", "/energy", {"tree": {"nodes": [{"id": "a", "limit_amps": 5}]}}, expect=422
        )
        assert "limit_amps" in wrong["detail"]
        await site.ask("PUT", "/energy", {"trees": {}}, expect=422)
        await site.ask("PUT", "/energy/nodes/a", {"kind": "tower"}, expect=422)
        await site.ask("DELETE", "/energy/nodes/nothing", expect=404)


class ByHand:
    """A 2.0.1 station that a test plays: one session, samples when told, answers as wished."""

    def __init__(self) -> None:
        self.profiles: list[dict[str, Any]] = []
        self.status = "Accepted"
        self.sequence = 0
        self.station: Station

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "SetChargingProfile":
            self.profiles.append(payload)
            return {"status": self.status}
        if action == "GetCompositeSchedule":
            return {"status": "Rejected"}
        return None

    def purposes(self) -> list[str]:
        return [each["chargingProfile"]["chargingProfilePurpose"] for each in self.profiles]

    def limit(self) -> float:
        """The first limit of the newest profile of the session."""
        newest = [p for p in self.profiles if p["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"][
            -1
        ]
        first = newest["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0]
        return float(first["limit"])

    async def event(self, kind: str, current_a: float | None = None) -> None:
        now = datetime.now(UTC).isoformat()
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": now,
            "triggerReason": "MeterValuePeriodic" if kind == "Updated" else "CablePluggedIn",
            "seqNo": self.sequence,
            "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
        }
        if current_a is not None:
            values = [
                {"value": current_a, "measurand": "Current.Import", "phase": phase}
                for phase in ("L1", "L2", "L3")
            ]
            payload["meterValue"] = [{"timestamp": now, "sampledValue": values}]
        self.sequence += 1
        await self.station.call("TransactionEvent", payload)


async def managed(system: Operations, given: dict[str, Any]) -> EnergySite:
    system.edge.edge.energy.actuator._pace = PACE
    found = await system.http.get("/api/v1/sites")
    items = found.json()["items"]
    site_id = (
        items[0]["id"]
        if items
        else (await system.http.post("/api/v1/sites", json={"name": "D"})).json()["id"]
    )
    site = EnergySite(system, site_id)
    if not items:
        await system.edge.add_stations("CP-A")
        await system.http.patch("/api/v1/stations/CP-A", json={"site_id": site_id})
        await site.put_tree(given)
    return site


async def test_meters_overrides_wishes_external_limits_and_history(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        runner = system.edge.edge.energy
        runner.options = type(runner.options)(0.2, 5, 0.5, PACE)
        given = tree(32, metering="total", meter="grid", base_a=4)
        given["offline"] = {"share": 0.2}
        site = await managed(system, given)
        told: list[Any] = []
        system.edge.edge.bus.subscribe(EnergyMeasured, told.append)
        hand = ByHand()
        await site.ask("POST", "/meters/attic/readings", {"power_w": 1}, expect=404)
        taken = await site.ask("POST", "/meters/grid/readings", {"current_a": [10, 8, 6]}, expect=202)
        assert (taken["measures"], taken["note"]) == (["main"], "")
        async with station(system.edge.url, "CP-A", answer=hand.answer) as hand.station:
            await hand.station.boot()
            await hand.event("Started")
            live = await site.until(lambda s: s["by_key"]["CP-A/1"]["drive"] == "confirmed")
            assert live["nodes"][0]["phases"][0]["measured_a"] == 10
            assert live["nodes"][0]["trust"] == "fresh"
            await eventually(lambda: {"TxDefaultProfile", "TxProfile"} <= set(hand.purposes()))
            session_id = live["by_key"]["CP-A/1"]["session_id"]
            # an operator's ceiling
            override = await site.ask(
                "POST", "/energy/overrides",
                {"station_id": "CP-A", "evse_id": 1, "limit_a": 7, "expires_at": in_an_hour(), "reason": "noise"},
                expect=201,
            )  # fmt: skip
            await site.until(lambda s: s["by_key"]["CP-A/1"]["told_a"] == 7)
            assert hand.limit() == 7
            held = (await site.live())["by_key"]["CP-A/1"]
            assert (held["reason"], held["override_a"]) == ("override", 7)
            await site.ask("DELETE", f"/energy/overrides/{override['id']}", expect=204)
            assert await site.ask("GET", "/energy/overrides") == []
            await site.ask("POST", "/meters/grid/readings", {"current_a": [10, 8, 6]}, expect=202)
            await site.until(lambda s: (s["by_key"]["CP-A/1"]["told_a"] or 0) > 10)
            # somebody else's
            period = {"startPeriod": 0, "limit": 8}
            schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
            await hand.station.call(
                "NotifyChargingLimit",
                {
                    "evseId": 1,
                    "chargingLimit": {"chargingLimitSource": "EMS"},
                    "chargingSchedule": [schedule],
                },
            )
            await site.until(lambda s: s["by_key"]["CP-A/1"]["told_a"] == 8)
            assert (await site.live())["by_key"]["CP-A/1"]["external_limit_a"] == 8
            await hand.station.call("ClearedChargingLimit", {"evseId": 1, "chargingLimitSource": "EMS"})
            await site.until(lambda s: s["by_key"]["CP-A/1"]["external_limit_a"] is None)
            # what the car and its driver want
            needs = {
                "requestedEnergyTransfer": "AC_three_phase",
                "departureTime": in_an_hour(),
                "acChargingParameters": {
                    "energyAmount": 9000, "evMinCurrent": 6, "evMaxCurrent": 11, "evMaxVoltage": 230
                },
            }  # fmt: skip
            answer = await hand.station.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})
            assert answer["status"] == "Accepted"
            await site.until(lambda s: s["by_key"]["CP-A/1"]["wished_wh"] == 9000)
            wish = await system.http.put(
                f"/api/v1/sessions/{session_id}/charging-wish",
                json={"energy_wh": 5000, "departure_at": in_an_hour()},
            )
            assert wish.status_code == 200, wish.text
            assert (wish.json()["energy_wh"], set(wish.json()["said"])) == (5000, {"car", "driver"})
            await site.until(lambda s: s["by_key"]["CP-A/1"]["wished_wh"] == 5000)
        assert told
        assert told[-1].live["flows"]["grid_w"] == 24 * 230
        await asyncio.sleep(1)
        history = await site.ask("GET", "/energy/history?step_s=60")
        assert history["items"], history
        assert history["items"][0]["grid_w"] == 24 * 230
        meters = await site.ask("GET", "/meters")
        assert (meters[0]["name"], meters[0]["current_a"]) == ("grid", [10, 8, 6])


async def test_a_station_that_ignores_its_limit_is_budgeted_with_what_it_draws(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        site = await managed(system, tree(10))
        trouble: list[EnergyTrouble] = []
        system.edge.edge.bus.subscribe(EnergyTrouble, trouble.append)
        hand = ByHand()
        async with station(system.edge.url, "CP-A", answer=hand.answer) as hand.station:
            await hand.station.boot()
            await hand.event("Started")
            await site.until(lambda s: s["by_key"]["CP-A/1"]["drive"] == "confirmed")
            for _ in range(120):
                await hand.event("Updated", 16.0)
                await asyncio.sleep(0.25)
                if trouble:
                    break
            shown = (await site.live())["by_key"]["CP-A/1"]
            assert [each.state for each in trouble] == ["ignoring"]
            assert shown["drive"] == "ignoring"
            assert "draws 16.0 A" in shown["drive_detail"]
            assert {"TxDefaultProfile", "TxProfile"} <= set(hand.purposes())
            units = {p["chargingProfile"]["chargingSchedule"][0]["chargingRateUnit"] for p in hand.profiles}
            assert units == {"A", "W"}
            energy = system.edge.edge.energy
            loop = next(iter(energy.sites.values()))
            moment = loop.make_moment(datetime.now(UTC), frozenset())
            assert moment.may_draw_a["CP-A/1"] == 16


async def test_a_station_that_rejects_every_profile_counts_in_full(dsn: str) -> None:
    async with operations_on(dsn, **SETTINGS) as system:
        site = await managed(system, tree(40))
        hand = ByHand()
        hand.status = "Rejected"
        async with station(system.edge.url, "CP-A", answer=hand.answer) as hand.station:
            await hand.station.boot()
            await hand.event("Started")
            await site.until(lambda s: s["by_key"]["CP-A/1"]["drive"] == "rejecting")
            assert len(hand.profiles) < 20
            loop = next(iter(system.edge.edge.energy.sites.values()))
            assert loop.make_moment(datetime.now(UTC), frozenset()).may_draw_a["CP-A/1"] == 16


async def test_what_stations_were_told_outlives_the_server_and_their_connections(dsn: str) -> None:
    hand = ByHand()
    async with operations_on(dsn, **SETTINGS) as system:
        site = await managed(system, tree(40))
        async with station(system.edge.url, "CP-A", answer=hand.answer) as hand.station:
            await hand.station.boot()
            await hand.event("Started")
            before = await site.until(
                lambda s: (
                    s["by_key"]["CP-A/1"]["drive"] == "confirmed" and s["by_key"]["CP-A/1"]["told_a"] > 12
                )
            )
        away = await site.until(lambda s: s["by_key"]["CP-A/1"]["reason"] == "offline")
        assert away["by_key"]["CP-A/1"]["drive"] == "offline"
    sent = len(hand.profiles)
    async with operations_on(dsn, **SETTINGS) as system:
        site = await managed(system, tree(40))
        runner = system.edge.edge.energy
        await eventually(lambda: runner.turns > 2)
        shown = (await site.live())["by_key"]["CP-A/1"]
        assert shown["told_a"] == before["by_key"]["CP-A/1"]["told_a"]
        assert shown["connected"]
        async with station(system.edge.url, "CP-A", answer=hand.answer) as hand.station:
            await asyncio.sleep(2)  # it comes back without a boot, and nothing has changed
            assert len(hand.profiles) - sent <= 2
