"""Full cars: found by what the station says, whatever its clock; not while the station itself holds back."""

import pytest

from pilotwire.domain.sessions.messages import Phase, Sample, SessionEvent
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.supervision.full import find_full, goes_on
from pilotwire.domain.supervision.model import Rules
from tests.unit.domain.sessions.bench import Station, at, wh

RULES = Rules(full_after_s=600)


def told(*samples: Sample, state: str | None = None, state_at: float = 0) -> SessionFacts:
    station = Station()
    station.says(SessionEvent(Phase.STARTED, "TX", at(0), 0, 1, 1, samples=(Sample(at(0), energy_wh=wh(0)),)))
    if state is not None:
        station.says(SessionEvent(Phase.UPDATED, "TX", at(state_at), 1, charging_state=state))
    station.says(SessionEvent(Phase.UPDATED, "TX", samples[-1].at, 2, samples=samples))
    return station.session("TX").facts


def reading(seconds: float, energy: float, power: float | None = None, soc: float | None = None) -> Sample:
    return Sample(at(seconds), "Sample.Periodic", wh(energy), power, soc_percent=soc)


def test_no_power_for_long_enough_is_a_full_car() -> None:
    charged = (reading(300, 900, 11_000), reading(600, 1800, 7_000))
    assert find_full(told(*charged, reading(1199, 1800, 20)), RULES, 0) is None
    full = find_full(told(*charged, reading(1200, 1800, 20)), RULES, 0)
    assert full is not None
    assert (full.since, full.evidence) == (at(600), "no_power")


def test_a_car_that_never_charged_is_not_full() -> None:
    assert find_full(told(reading(5000, 0, 0)), RULES, 5000) is None


@pytest.mark.parametrize("state", ["SuspendedEVSE", "Charging"])
def test_a_car_held_back_by_the_station_is_not_full(state: str) -> None:
    facts = told(reading(300, 900, 11_000), reading(3000, 900, 0), state=state, state_at=400)
    found = find_full(facts, RULES, 0)
    assert (found is None) == (state == "SuspendedEVSE")


def test_a_car_that_suspends_is_full_after_a_time_also_in_silence() -> None:
    facts = told(reading(300, 900, 11_000), state="SuspendedEV", state_at=400)
    assert find_full(facts, RULES, 0) is None
    full = find_full(facts, RULES, 600)
    assert full is not None
    assert full.evidence == "suspended_by_car"


def test_the_connectors_word_counts_in_1_6() -> None:
    facts = told(reading(300, 900))
    assert find_full(facts, RULES, 700, ("suspended_ev", at(200))) is not None
    assert find_full(facts, RULES, 700, ("charging", at(200))) is None


def test_a_hundred_percent_is_full_at_once() -> None:
    full = find_full(told(reading(300, 900, 50, soc=100)), RULES, 0)
    assert full is not None
    assert full.evidence == "soc"
    assert find_full(told(reading(300, 900, 5000, soc=100)), RULES, 0) is None


def test_a_still_register_takes_longer() -> None:
    facts = told(reading(300, 900), reading(1000, 900))
    assert find_full(facts, RULES, 0) is None
    full = find_full(told(reading(300, 900), reading(2100, 900)), RULES, 0)
    assert full is not None
    assert (full.since, full.evidence) == (at(300), "register_stands_still")


def test_a_car_that_charges_again_is_full_no_more() -> None:
    facts = told(reading(300, 900, 11_000), reading(1300, 900, 0))
    full = find_full(facts, RULES, 0)
    assert full is not None
    assert not goes_on(facts, full.since)
    again = told(reading(300, 900, 11_000), reading(1300, 900, 0), reading(1400, 950, 2000))
    assert goes_on(again, full.since)
