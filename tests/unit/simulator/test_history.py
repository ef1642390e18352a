"""The past: deterministic, without overlaps, with registers that go on; and the demo's network."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from pilotwire.simulator.demo import demo_network, generated_network
from pilotwire.simulator.history import PastSession, past_sessions, registers_after
from pilotwire.simulator.model import OCPP_VERSIONS, NetworkSpec

UNTIL = datetime(2025, 6, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def network() -> NetworkSpec:
    return demo_network(1)


@pytest.fixture(scope="module")
def past(network: NetworkSpec) -> list[PastSession]:
    return list(past_sessions(network, UNTIL, days=7, seed=3))


def test_the_same_seed_gives_the_same_past(network: NetworkSpec, past: list[PastSession]) -> None:
    assert list(past_sessions(network, UNTIL, days=7, seed=3)) == past
    assert list(past_sessions(network, UNTIL, days=7, seed=4)) != past


def test_sessions_do_not_overlap_and_registers_go_on(network: NetworkSpec, past: list[PastSession]) -> None:
    by_evse: dict[tuple[str, int], list[PastSession]] = defaultdict(list)
    for session in past:
        by_evse[session.station, session.evse].append(session)
    registers = {(s.identity, evse.id): evse.register_wh for s in network.stations for evse in s.evses}
    for key, sessions in by_evse.items():
        at = UNTIL - timedelta(days=7)
        for session in sessions:
            assert at < session.started_at < session.ended_at < UNTIL
            assert session.meter_start_wh == registers[key] <= session.meter_end_wh
            at, registers[key] = session.ended_at, session.meter_end_wh
    assert registers_after(network, past) == registers


def test_samples_are_within_session_and_power(network: NetworkSpec, past: list[PastSession]) -> None:
    power = {(s.identity, evse.id): evse.max_power_w for s in network.stations for evse in s.evses}
    dc = {(s.identity, evse.id): evse.current == "DC" for s in network.stations for evse in s.evses}
    for session in past:
        key = (session.station, session.evse)
        samples = session.samples
        assert (samples[0].at, samples[0].energy_wh) == (session.started_at, session.meter_start_wh)
        assert (samples[-1].at, samples[-1].energy_wh) == (session.ended_at, session.meter_end_wh)
        for before, after in pairwise(samples):
            hours = (after.at - before.at).total_seconds() / 3600
            assert 0 < hours <= 0.25
            assert 0 <= after.energy_wh - before.energy_wh <= power[key] * hours + 1
            assert (after.soc_percent is not None) == dc[key]
        assert all(0 <= sample.power_w <= power[key] for sample in samples)


def test_the_past_follows_the_habits(network: NetworkSpec, past: list[PastSession]) -> None:
    site_of = {station.identity: site for site in network.sites for station in site.stations}
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    for session in past:
        site = site_of[session.station]
        hours[site.kind][session.started_at.astimezone(ZoneInfo(site.time_zone)).hour] += 1
    assert set(hours) == {"office", "public", "highway", "fleet"}
    assert sum(hours["office"][hour] for hour in range(7, 11)) > sum(
        hours["office"][hour] for hour in range(17, 24)
    )
    assert all(session.meter_end_wh >= session.meter_start_wh for session in past)
    mean_wh = sum(s.meter_end_wh - s.meter_start_wh for s in past) / len(past)
    assert 15_000 < mean_wh < 60_000


def test_the_demo_has_four_sites_and_24_stations(network: NetworkSpec) -> None:
    assert [site.kind for site in network.sites] == ["office", "public", "highway", "fleet"]
    assert len({site.country for site in network.sites}) == 4
    assert len({station.identity for station in network.stations}) == 24
    assert {station.version for station in network.stations} == set(OCPP_VERSIONS)
    assert len({station.vendor for station in network.stations}) >= 10
    assert len({token.uid for token in network.tokens}) == 60
    powers = [evse.max_power_w for station in network.stations for evse in station.evses]
    assert min(powers) <= 3_700
    assert max(powers) == 400_000
    assert all(len(station.model) <= 20 and len(station.vendor) <= 20 for station in network.stations)
    assert demo_network(1) == network
    assert demo_network(2) != network


def test_generated_networks_take_the_versions_in_turn() -> None:
    made = generated_network(120, OCPP_VERSIONS, "LOAD-")
    assert [station.identity for station in made.stations[:2]] == ["LOAD-0001", "LOAD-0002"]
    assert Counter(station.version for station in made.stations) == dict.fromkeys(OCPP_VERSIONS, 40)
    assert [len(site.stations) for site in made.sites] == [50, 50, 20]
