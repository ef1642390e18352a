"""F6, F7: any order and any duplication of the same messages gives the same session."""

from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotwire.domain.access.model import TokenAnswer, TokenVerdict
from pilotwire.domain.sessions.messages import Phase, Sample, SessionEvent
from pilotwire.domain.sessions.model import SessionFacts, SessionState, absorb, open_session
from tests.unit.domain.sessions.bench import ACCEPTED, POWER_W, Station, at, samples, start, stop, wh

thorough = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_CONTEXTS = ["Sample.Periodic", "Sample.Clock", None]
_STATES = ["Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"]


@st.composite
def streams(draw: st.DrawFn) -> list[SessionEvent]:
    """A transaction of a 2.x station as it happened: numbered without gaps, registers that only grow."""
    updates = draw(st.integers(0, 6))
    seconds, energy = 0.0, draw(st.integers(0, 10**6))
    events = []
    for number in range(updates + 2):
        phase = Phase.STARTED if number == 0 else Phase.ENDED if number == updates + 1 else Phase.UPDATED
        seconds += draw(st.integers(0, 600))
        taken = []
        for _ in range(draw(st.integers(0, 3))):
            seconds += draw(st.integers(0, 30))
            energy += draw(st.integers(0, 500))
            taken.append(
                Sample(
                    at(seconds),
                    draw(st.sampled_from(_CONTEXTS)),
                    draw(st.none() | st.just(Decimal(energy))),
                    draw(st.none() | st.floats(0, 22_000)),
                    soc_percent=draw(st.none() | st.floats(0, 100)),
                )
            )
        # A station may set its clock in the middle: then moments go back while the numbers go on.
        jump = draw(st.sampled_from([0, 0, 0, -7200]))
        events.append(
            SessionEvent(
                phase,
                "tx-1",
                at(seconds + jump),
                number,
                evse_no=draw(st.sampled_from([None, 2])) if number else 2,
                connector_no=draw(st.sampled_from([None, 1])),
                token_uid=draw(st.sampled_from([None, "CARD", "OTHER"])),
                samples=tuple(taken),
                charging_state=draw(st.none() | st.sampled_from(_STATES)),
                stop_reason="EVDisconnected" if phase is Phase.ENDED else None,
                offline=draw(st.booleans()),
                remote_start_id=draw(st.sampled_from([None, 7])),
            )
        )
    return events


def verdict(event: SessionEvent) -> TokenAnswer | None:
    if event.token_uid is None:
        return None
    return ACCEPTED if event.token_uid == "CARD" else TokenAnswer(TokenVerdict.BLOCKED)


def told(
    events: list[SessionEvent], *, keep: int = 20, reconnect_at: frozenset[int] = frozenset()
) -> Station:
    station = Station(keep=keep)
    for index, event in enumerate(events):
        if index in reconnect_at:
            station.reconnect()
        answer = station.says(event, verdict(event))
        assert answer.transaction_ref == "tx-1"
        assert answer.token == verdict(event)
    return station


def effects(station: Station) -> tuple[SessionFacts, Any, Any]:
    """Everything that was kept, without the moments and the order of receipt."""
    (kept,) = station.sessions.values()
    facts = msgspec.structs.replace(kept.facts, id=UUID(int=0))
    events = sorted((event.kind, event.seq_no, event.at) for event in station.events)
    taken = sorted(repr(sample.sample) for sample in station.samples)
    return facts, events, taken


@thorough
@given(streams(), st.data())
def test_any_order_and_duplication_of_a_2x_stream_is_one_session(
    events: list[SessionEvent], data: st.DataObject
) -> None:
    clean = told(events)
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    shuffled = data.draw(st.permutations(events + again))
    breaks = data.draw(st.frozensets(st.integers(0, len(shuffled) - 1), max_size=3))
    assert effects(told(shuffled, reconnect_at=breaks)) == effects(clean)
    assert effects(told(shuffled, keep=0, reconnect_at=breaks)) == effects(clean)


@thorough
@given(streams())
def test_energy_of_a_legal_stream_is_last_less_first_register(events: list[SessionEvent]) -> None:
    (kept,) = told(events).sessions.values()
    registers = [s.energy_wh for event in events for s in event.samples if s.energy_wh is not None]
    if registers:
        assert kept.facts.energy_wh == registers[-1] - registers[0]
    else:
        assert kept.facts.energy_wh is None
    assert kept.facts.token_uid == next((e.token_uid for e in events if e.token_uid), None)
    assert "events_missing" not in kept.review


def test_every_permutation_of_a_short_stream() -> None:
    def event(phase: Phase, number: int, energy: int, **more: Any) -> SessionEvent:
        taken = (Sample(at(60 * number), "Sample.Periodic", wh(energy)),)
        return SessionEvent(phase, "tx-1", at(60 * number), number, samples=taken, **more)

    events = [
        event(Phase.STARTED, 0, 1000, evse_no=1, token_uid="CARD"),
        event(Phase.UPDATED, 1, 1100, charging_state="Charging"),
        event(Phase.UPDATED, 2, 1250, charging_state="SuspendedEV", offline=True),
        event(Phase.UPDATED, 3, 1300, charging_state="EVConnected"),
        event(Phase.ENDED, 4, 1300, token_uid="OTHER", stop_reason="Local"),
    ]
    expected = effects(told(events))
    for order in permutations(events):
        assert effects(told(list(order))) == expected
    assert expected[0].energy_wh == 300
    assert expected[0].token_verdict == "accepted"


def test_the_fold_alone_does_not_ask_for_the_order() -> None:
    begin = SessionEvent(Phase.STARTED, "t", at(0), 0, evse_no=1, token_uid="A")
    end = SessionEvent(Phase.ENDED, "t", at(50), 1, token_uid="B", stop_reason="Remote")
    first = absorb(absorb(open_session(UUID(int=1), "t", at(0)), begin, "accepted"), end, "blocked")
    second = absorb(absorb(open_session(UUID(int=1), "t", at(50)), end, "blocked"), begin, "accepted")
    assert first == second
    assert (first.token_uid, first.token_verdict) == ("A", "accepted")


def test_a_value_of_the_begin_counts_as_such_wherever_it_comes() -> None:
    # SampledDataTxEndedInterval: the end carries the whole series, the first value among them. Spec: 2.0.1 J02.
    update = SessionEvent(Phase.UPDATED, "t", at(60), 1, samples=(Sample(at(60), None, wh(1200)),))
    end = SessionEvent(
        Phase.ENDED, "t", at(120), 2,
        samples=(Sample(at(0), "Transaction.Begin", wh(1000)), Sample(at(120), "Transaction.End", wh(1500))),
    )  # fmt: skip
    late = SessionEvent(Phase.UPDATED, "t", at(90), 3, samples=(Sample(at(90), None, wh(1400)),))
    station = Station()
    for event in (update, end, late):
        station.says(event)
    assert station.session("t").facts.energy_wh == 500


@st.composite
def old_streams(draw: st.DrawFn) -> list[Any]:
    """Messages of a 1.6 station, each with how often it is repeated: start, samples, stop, in order."""
    energy, seconds = draw(st.integers(0, 10**6)), 0
    messages: list[Any] = [start(1, "CARD", 0, energy)]
    for _ in range(draw(st.integers(0, 6))):
        seconds += draw(st.integers(1, 900))
        energy += draw(st.integers(0, 1000))
        ref = draw(st.sampled_from(["1000", None]))
        messages.append(samples(1, ref, (seconds, energy)))
    messages.append(stop("1000", seconds + 1, energy + 10, draw(st.sampled_from([None, "CARD"]))))
    return messages


def played(messages: list[Any]) -> Station:
    station = Station()
    for message in messages:
        if isinstance(message, SessionEvent):
            assert station.says(message, ACCEPTED).transaction_ref == "1000"
        else:
            station.reports(message)
    return station


@thorough
@given(old_streams(), st.data())
def test_repetitions_of_1_6_messages_leave_nothing(messages: list[Any], data: st.DataObject) -> None:
    clean = played(messages)
    repeated = []
    for index, message in enumerate(messages):
        repeated.append(message)
        # A retry comes under a new message id, at once or after others.
        repeated += data.draw(st.lists(st.sampled_from(messages[: index + 1]), max_size=2))
    station = played(repeated)
    assert effects(station) == effects(clean)
    assert station.numbers_given == [1000]


@thorough
@given(old_streams(), st.integers(0, 7))
def test_a_reconnect_between_two_deliveries_changes_nothing(messages: list[Any], cut: int) -> None:
    clean = played(messages)
    station = played(messages[:cut] or messages[:1])
    station.reconnect()
    for message in messages:  # the station's queue was not confirmed: all of it comes again
        if isinstance(message, SessionEvent):
            assert station.says(message, ACCEPTED).transaction_ref == "1000"
        else:
            station.reports(message)
    assert effects(station) == effects(clean)


@thorough
@given(
    st.integers(-(10**13), 10**13).map(Decimal),
    st.lists(st.tuples(st.integers(-86400, 86400), st.integers(-(10**6), 10**9)), max_size=6),
    st.none() | st.integers(-(10**13), 10**13).map(Decimal),
    st.integers(-86400, 86400),
)
def test_energy_is_never_negative_and_never_billed_beyond_physics(
    meter_start: Decimal, taken: list[tuple[int, int]], meter_stop: Decimal | None, end_s: int
) -> None:
    station = Station()
    begin = msgspec.structs.replace(start(1), meter_wh=meter_start)
    ref = station.says(begin, ACCEPTED).transaction_ref
    for seconds, energy in taken:
        station.reports(samples(1, ref, (seconds, energy)))
    station.says(msgspec.structs.replace(stop(ref, end_s, 0), meter_wh=meter_stop))
    kept = station.session(ref)
    facts = kept.facts
    assert kept.state in (SessionState.ENDED, SessionState.DISPUTED)
    if facts.energy_wh is not None:
        assert facts.energy_wh >= 0
    if kept.state == SessionState.ENDED and facts.energy_wh is not None:
        hours = ((facts.last_at - facts.first_at).total_seconds() + 60) / 3600
        assert float(facts.energy_wh) <= max(1000, POWER_W * hours)


@pytest.mark.parametrize(
    ("meter_stop", "review"),
    [(500, "meter_ran_backwards"), (10**9, "energy_beyond_physics")],
)
def test_absurd_registers_are_acknowledged_and_disputed(meter_stop: int, review: str) -> None:
    station = Station()
    ref = station.says(start(1, meter=1000), ACCEPTED).transaction_ref
    assert station.says(stop(ref, 3600, meter_stop)).transaction_ref == ref
    kept = station.session(ref)
    assert kept.state == "disputed"
    assert review in kept.review
