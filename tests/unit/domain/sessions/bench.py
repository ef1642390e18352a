"""A station's decisions without a database: what was kept is remembered here, and lookups are answered from it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.domain.access.model import TokenAnswer, TokenVerdict
from pilotwire.domain.lookups import LookupNeeded, SessionLookup, StartLookup
from pilotwire.domain.sessions.decide import Deciding, SessionsView, decide_event, decide_samples
from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.records import SampleKept, SessionEventKept, SessionKept
from pilotwire.domain.sessions.settle import Settling, decide_settlement
from pilotwire.domain.sessions.stored import is_progress, progress_of, read_facts

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCEPTED = TokenAnswer(TokenVerdict.ACCEPTED)
INVALID = TokenAnswer(TokenVerdict.INVALID)
POWER_W = 22_000.0
MOST_LOOKUPS = 3


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def wh(value: float | str) -> Decimal:
    return Decimal(str(value))


def start(
    connector: int, token: str = "CARD", seconds: float = 0, meter: float = 0, **more: Any
) -> SessionEvent:
    return SessionEvent(
        Phase.STARTED, None, at(seconds), None, connector, 1, token, Decimal(str(meter)), **more
    )


def stop(ref: str, seconds: float, meter: float, token: str | None = None, **more: Any) -> SessionEvent:
    return SessionEvent(
        Phase.ENDED,
        ref,
        at(seconds),
        token_uid=token,
        meter_wh=Decimal(str(meter)),
        stop_reason="Local",
        **more,
    )


def samples(connector: int, ref: str | None, *values: tuple[float, float]) -> SamplesReported:
    """Energy samples, given as (seconds, Wh)."""
    taken = tuple(Sample(at(seconds), "Sample.Periodic", wh(energy)) for seconds, energy in values)
    return SamplesReported(connector, 1, ref, taken)


class Station:
    """A station with a store of its own; `reconnect` forgets what is in memory, as a new connection does."""

    def __init__(
        self,
        station_id: int = 1,
        tenant_id: int = 1,
        numbers: Callable[[], int] | None = None,
        keep: int = 20,
    ) -> None:
        self.station_id = station_id
        self.tenant_id = tenant_id
        self.keep = keep
        self.now = T0
        self.sessions: dict[UUID, SessionKept] = {}
        self.events: list[SessionEventKept] = []
        self.samples: list[SampleKept] = []
        self.lookups: list[LookupNeeded] = []
        self.view = SessionsView()
        self.view.complete = True
        self.numbers_given: list[int] = []
        self._numbers = numbers or count(1000).__next__
        self._ids = count(station_id * 10_000)
        self._stored: dict[UUID, tuple[str, str | None]] = {}

    @property
    def deciding(self) -> Deciding:
        return Deciding(
            self.tenant_id, self.station_id, f"CP{self.station_id}", self.now,
            lambda: UUID(int=next(self._ids)), self._next_number, POWER_W,
        )  # fmt: skip

    def _next_number(self) -> int:
        self.numbers_given.append(self._numbers())
        return self.numbers_given[-1]

    def says(self, event: SessionEvent, token: TokenAnswer | None = None) -> SessionAnswer:
        """Hand over an event; give the answer."""
        answer, records = self._decided(lambda: decide_event(self.view, event, self.deciding, token))
        self.keep_records(records)
        assert isinstance(answer, SessionAnswer)
        return answer

    def reports(self, message: SamplesReported) -> list[Any]:
        """Hand over samples; give the records."""
        records: list[Any] = self._decided(lambda: decide_samples(self.view, message, self.deciding))
        self.keep_records(records)
        return records

    def settle(self, ref: str, reason: str = "no data", by: str = "rule", **more: Any) -> SessionFacts:
        """End a session by ourselves; give its facts."""
        settling = Settling(ref, reason, by, **more)
        facts, records = self._decided(lambda: decide_settlement(self.view, settling, self.deciding))
        self.keep_records(records)
        assert isinstance(facts, SessionFacts)
        return facts

    def _decided(self, decide: Callable[[], Any]) -> Any:
        for _ in range(MOST_LOOKUPS + 1):
            try:
                return decide()
            except LookupNeeded as needed:
                self.lookups.append(needed)
                self.answer_lookup(needed)
        raise AssertionError(f"the decision was not final after {MOST_LOOKUPS} lookups")

    def answer_lookup(self, needed: LookupNeeded) -> None:
        """Read the fact as the switchboard does."""
        match needed:
            case SessionLookup(transaction_ref=ref):
                facts = next((f for f in self.facts() if f.transaction_ref == ref), None)
                if facts is None:
                    self.view.by_ref.setdefault(ref, None)
            case StartLookup(start_key=key):
                facts = next((f for f in self.facts() if f.start_key == key), None)
                if facts is None:
                    self.view.starts.setdefault(key, None)
            case _:
                raise TypeError(needed)
        if facts is not None:
            self.view.remember(facts)

    def keep_records(self, records: list[Any]) -> None:
        for record in records:
            match record:
                case SessionKept():
                    assert record.new == (record.facts.id not in self.sessions)
                    self._store(record)
                    self.sessions[record.facts.id] = record
                case SessionEventKept():
                    self.events.append(record)
                case SampleKept():
                    self.samples.append(record)
                case _:
                    raise TypeError(record)

    def _store(self, record: SessionKept) -> None:
        """Facts go through JSON on their way to the disk and back, as a whole or with what has moved on."""
        facts = record.facts
        if is_progress(record):
            whole, _ = self._stored[facts.id]
            self._stored[facts.id] = whole, msgspec.json.encode(progress_of(facts)).decode()
        else:
            self._stored[facts.id] = msgspec.json.encode(facts).decode(), None
        assert read_facts(*self._stored[facts.id]) == facts

    def reconnect(self) -> None:
        """Load the view as the repository does: the open sessions and the newest."""
        newest = sorted(self.facts(), key=lambda facts: facts.id.int, reverse=True)
        loaded = {f.id: f for f in newest[: self.keep + 1]} | {f.id: f for f in newest if not f.ended}
        self.view = SessionsView()
        for facts in loaded.values():
            self.view.remember(facts)
        self.view.complete = len(loaded) <= self.keep
        for facts in newest:
            self.view.seen_start(facts.started_at or facts.first_at)

    def facts(self) -> list[SessionFacts]:
        return [kept.facts for kept in self.sessions.values()]

    def session(self, ref: str) -> SessionKept:
        (found,) = [kept for kept in self.sessions.values() if kept.facts.transaction_ref == ref]
        return found
