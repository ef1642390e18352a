"""F9, F10: whatever a 1.6 station says, it is answered, and no session is lost or doubled."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from pilotwire.domain.sessions.messages import SamplesReported, SessionEvent
from tests.unit.domain.sessions.bench import ACCEPTED, INVALID, Station, at, samples, start, stop

TOKENS = ["CARD-1", "CARD-2", "BAD"]
WRONG = ["0", "-1", "9999999", "77"]


class StationMachine(RuleBasedStateMachine):
    """A station with two connectors, and what must be true of its sessions."""

    transactions = Bundle("transactions")
    sent = Bundle("sent")

    @initialize(keep=st.sampled_from([1, 3, 20]))
    def open(self, keep: int) -> None:
        self.station = Station(keep=keep)
        self.seconds = 0
        self.meters = {1: 1_000, 2: 2_000_000}
        self.refs: list[str] = []
        self.stopped: set[str] = set()
        self.adrift = 0

    def passes(self) -> int:
        self.seconds += 60
        return self.seconds

    def hand_over(self, message: Any) -> str | None:
        if isinstance(message, SamplesReported):
            self.station.reports(message)
            return None
        assert isinstance(message, SessionEvent)
        verdict = None
        if message.token_uid is not None:
            verdict = INVALID if message.token_uid == "BAD" else ACCEPTED
        answer = self.station.says(message, verdict)
        assert answer.token == verdict
        if message.transaction_ref is not None:
            assert answer.transaction_ref == message.transaction_ref
        return answer.transaction_ref

    @rule(target=transactions, connector=st.sampled_from([1, 2]), token=st.sampled_from(TOKENS))
    def starts(self, connector: int, token: str) -> tuple[str, int, str, SessionEvent]:
        live = {f.id: f for f in self.station.facts() if not f.ended}
        message = start(connector, token, self.passes(), self.meters[connector])
        ref = self.hand_over(message)
        assert ref is not None
        assert ref not in self.refs
        self.refs.append(ref)
        # Whatever was open, of a refused or an accepted start, is as it was.
        assert live.items() <= {f.id: f for f in self.station.facts()}.items()
        return ref, connector, token, message

    @rule(transaction=transactions)
    def starts_again_under_a_new_message_id(self, transaction: tuple[str, int, str, SessionEvent]) -> None:
        before = dict(self.station.sessions)
        assert self.hand_over(transaction[3]) == transaction[0]
        assert self.station.sessions == before

    @rule(target=sent, transaction=consumes(transactions), used=st.integers(0, 600), named=st.booleans())
    def stops(self, transaction: tuple[str, int, str, SessionEvent], used: int, named: bool) -> Any:
        ref, connector, token, _ = transaction
        if ref in self.stopped:
            return multiple()
        self.meters[connector] += used
        message = stop(ref, self.passes(), self.meters[connector], token if named else None)
        self.hand_over(message)
        self.stopped.add(ref)
        assert self.station.session(ref).facts.ended_at == at(self.seconds)
        return message

    @rule(
        target=sent,
        wrong=st.sampled_from(WRONG),
        token=st.sampled_from([*TOKENS, "NOBODY", None]),
        connector=st.sampled_from([1, 2]),
    )
    def stops_with_a_wrong_reference(self, wrong: str, token: str | None, connector: int) -> SessionEvent:
        ended = {f.transaction_ref for f in self.station.facts() if f.ended}
        count = len(self.station.sessions)
        message = stop(wrong, self.passes(), self.meters[connector] + 7, token)
        self.hand_over(message)
        now_ended = {f.transaction_ref for f in self.station.facts() if f.ended} - ended
        # Exactly one session has this end: the one that was meant, or an orphan.
        assert len(now_ended) == 1
        (ref,) = now_ended
        if ref in self.refs:
            self.stopped.add(ref)
            facts = self.station.session(ref).facts
            assert token is None or facts.token_uid == token
            assert len(self.station.sessions) == count
        else:
            self.adrift += 1
            assert ref.startswith("orphan:")
            assert self.station.session(ref).state == "disputed"
        return message

    @rule(message=sent)
    def says_again(self, message: SessionEvent) -> None:
        before, events = dict(self.station.sessions), len(self.station.events)
        self.hand_over(message)
        assert self.station.sessions == before
        assert len(self.station.events) == events

    @rule(
        transaction=transactions, grown=st.integers(0, 400), named=st.sampled_from(["right", "none", "wrong"])
    )
    def measures(self, transaction: tuple[str, int, str, SessionEvent], grown: int, named: str) -> None:
        ref, connector, *_ = transaction
        self.meters[connector] += grown
        said = {"right": ref, "none": None, "wrong": "31415"}[named]
        kept = len(self.station.samples)
        self.hand_over(samples(connector, said, (self.passes(), self.meters[connector])))
        assert len(self.station.samples) == kept + 1
        if named == "right":
            assert self.station.samples[-1].session_id == self.station.session(ref).facts.id

    @rule(value=st.integers(0, 10**9))
    def measures_as_a_whole(self, value: int) -> None:
        before = dict(self.station.sessions)
        self.hand_over(SamplesReported(0, 0, None, samples(1, None, (self.passes(), value)).samples))
        assert self.station.sessions == before

    @rule()
    def reboots(self) -> None:
        before = dict(self.station.sessions)
        self.station.reconnect()
        assert self.station.sessions == before

    @invariant()
    def there_is_one_session_for_every_start(self) -> None:
        if not hasattr(self, "station"):
            return
        station = self.station
        assert len(station.numbers_given) == len(set(station.numbers_given)) == len(self.refs)
        assert {f.transaction_ref for f in station.facts() if f.start_key is not None} == set(self.refs)
        assert len(station.sessions) == len(self.refs) + self.adrift
        assert {f.transaction_ref for f in station.facts() if f.ended and f.start_key} == self.stopped
        for facts in station.facts():
            assert facts.energy_wh is None or facts.energy_wh >= 0


StationMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestStation = StationMachine.TestCase
