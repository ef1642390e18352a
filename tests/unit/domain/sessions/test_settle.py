"""Sessions that we end: what holds, what gives way to the station's own word, and that no order matters."""

from collections.abc import Iterable
from itertools import permutations

import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.sessions.errors import SessionOver
from pilotwire.domain.sessions.messages import Phase, Sample, SessionEvent
from pilotwire.domain.sessions.model import Review
from tests.unit.domain.sessions.bench import ACCEPTED, Station, at, samples, start, stop, wh


@pytest.fixture
def station() -> Station:
    return Station()


def zombie(station: Station) -> str:
    """A 1.6 session of 500 Wh of which nothing was heard for a day."""
    ref = station.says(start(1, "CARD", 0, 1000), ACCEPTED).transaction_ref
    station.reports(samples(1, ref, (600, 1500)))
    station.now = at(86_400)
    return ref


def event(seq_no: int, phase: Phase, seconds: float, *registers: float) -> SessionEvent:
    taken = tuple(Sample(at(seconds), "Sample.Periodic", wh(value)) for value in registers)
    return SessionEvent(phase, "TX-1", at(seconds), seq_no, 1, 1, samples=taken)


def test_a_settled_session_ends_with_the_last_that_is_known_of_it(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref, "silent")
    kept = station.session(ref)
    assert (kept.state, kept.review) == ("ended", (Review.SETTLED,))
    assert (kept.facts.closed_at, kept.facts.energy_wh, kept.facts.ended) == (at(600), 500, False)
    said = station.events[-1]
    assert (said.kind, said.seq_no, said.received_at) == ("settled", 1, at(86_400))
    assert said.detail == {"reason": "silent", "by": "rule", "ended_at": at(600), "meter_end_wh": wh(1500)}


def test_a_late_stop_corrects_a_settled_session(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref, final=True, meter_end_wh=wh(9000))
    assert station.session(ref).facts.energy_wh == 8000
    station.reconnect()
    station.says(stop(ref, 7200, 4000))
    kept = station.session(ref)
    assert (kept.state, kept.review) == ("ended", ())
    assert (kept.facts.closed_at, kept.facts.energy_wh, kept.facts.stop_reason) == (at(7200), 3000, "Local")
    assert [said.kind for said in station.events] == ["started", "settled", "ended"]


def test_a_late_stop_with_a_wrong_reference_finds_the_settled_session(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref)
    station.reconnect()
    station.says(stop("-1", 7200, 4000, "CARD"))
    assert len(station.sessions) == 1
    assert station.session(ref).facts.energy_wh == 3000


def test_later_data_open_what_a_rule_has_settled(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref)
    station.reports(samples(1, ref, (900, 1600)))  # delivered late: no sign of life
    assert station.session(ref).facts.closed_at == at(600)
    assert station.session(ref).state == "ended"
    station.reports(samples(1, ref, (90_000, 7000)))
    kept = station.session(ref)
    assert (kept.state, kept.facts.closed_at, kept.facts.energy_wh) == ("active", None, 6000)
    station.now = at(200_000)
    station.settle(ref, "silent")
    assert [said.seq_no for said in station.events if said.kind == "settled"] == [1, 2]
    assert station.session(ref).facts.closed_at == at(90_000)


def test_what_a_person_has_ended_stays_ended_and_is_disputed_when_it_goes_on(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref, "station stolen", "olga", final=True)
    station.reports(samples(1, ref, (90_000, 7000)))
    kept = station.session(ref)
    assert kept.state == "disputed"
    assert kept.review == (Review.SETTLED, Review.WENT_ON_AFTER_SETTLEMENT)
    station.says(stop(ref, 95_000, 8000))
    assert (station.session(ref).state, station.session(ref).review) == ("ended", ())


def test_a_settled_session_is_none_to_start_over(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref)
    second = station.says(start(1, "OTHER", 86_500, 2000), ACCEPTED).transaction_ref
    assert station.session(second).review == ()
    station.says(stop(second, 90_000, 3000))
    assert station.session(second).facts.energy_wh == 1000
    assert station.session(ref).state == "ended"


def test_what_is_over_is_not_settled_again(station: Station) -> None:
    ref = zombie(station)
    station.settle(ref)
    with pytest.raises(SessionOver):
        station.settle(ref)
    station.says(stop(ref, 700, 1500))
    with pytest.raises(SessionOver):
        station.settle(ref)


def test_a_rule_that_knew_less_does_not_settle(station: Station) -> None:
    ref = zombie(station)
    with pytest.raises(SessionOver, match="told more"):
        station.settle(ref, unless_newer_than=at(599))


@pytest.mark.parametrize("register", [999, -1, 10**12])
def test_an_impossible_register_is_refused(station: Station, register: int) -> None:
    ref = zombie(station)
    with pytest.raises(Invalid, match="meter_end_wh"):
        station.settle(ref, meter_end_wh=wh(register))
    assert station.session(ref).state == "active"


def test_late_events_in_any_order_give_the_same_session() -> None:
    late = [
        event(1, Phase.UPDATED, 600, 1500),
        event(2, Phase.UPDATED, 100_000, 1900),
        event(3, Phase.ENDED, 100_100, 2000),
    ]

    def folded(order: Iterable[SessionEvent]) -> list[object]:
        station = Station()
        station.says(event(0, Phase.STARTED, 0, 1000))
        station.now = at(86_400)
        station.settle("TX-1")
        states = []
        for each in order:
            station.says(each)
            states.append(station.session("TX-1").state)
            station.reconnect()
        return [station.session("TX-1").facts, station.session("TX-1").review, states[-1]]

    first, *others = [folded(order) for order in permutations(late)]
    assert first[2] == "ended"
    assert all(other == first for other in others)


def test_a_start_with_a_clock_far_ahead_is_known_after_many_sessions(station: Station) -> None:
    ahead = start(1, "CARD", 40 * 86_400, 0)
    ref = station.says(ahead, ACCEPTED).transaction_ref
    station.says(stop(ref, 40 * 86_400 + 60, 10))
    for number in range(30):
        other = station.says(start(1, "CARD", 1000 + number, number), ACCEPTED).transaction_ref
        station.says(stop(other, 1000 + number, number))
    station.reconnect()
    assert station.says(ahead, ACCEPTED).transaction_ref == ref
    assert len(station.sessions) == 31
