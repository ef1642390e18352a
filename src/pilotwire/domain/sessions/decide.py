"""What a session message leads to: a function of what is known of the station, and the message.

It touches nothing but the station's `SessionsView` in memory.

Idempotency is by business key (never by message id, which stations re-use after a restart):
a 1.6 start is known by (station, connector, token, moment, register), a 1.6 end by (station, reference),
a 2.x event by (station, reference, sequence number). Every look-up is within one station.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.domain.access.model import TokenAnswer
from pilotwire.domain.lookups import SessionLookup, StartLookup
from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.sessions.model import (
    Review,
    SessionFacts,
    absorb,
    has_number,
    meter_changes,
    open_session,
    replace,
)
from pilotwire.domain.sessions.records import SampleKept, SessionEventKept, SessionKept

__all__ = ["Deciding", "SessionsView", "decide_event", "decide_samples"]

_RECENT = 16
_KEPT_IN_MEMORY = 20


class SessionsView:
    """The sessions of one station that are in memory: the open ones and the newest ended ones.

    `complete` says that the station has no other sessions; `horizon` is the newest moment at which any of its
    sessions in the database began. What began later cannot be there, so it need not be looked up.
    """

    __slots__ = ("by_ref", "complete", "horizon", "starts")

    def __init__(self) -> None:
        self.by_ref: dict[str, SessionFacts | None] = {}
        self.starts: dict[str, str | None] = {}
        self.complete = False
        self.horizon: datetime | None = None

    def remember(self, facts: SessionFacts) -> None:
        """Keep the newest facts of a session."""
        ref = facts.transaction_ref
        known = ref in self.by_ref
        self.by_ref[ref] = facts
        if known:
            return
        if facts.start_key is not None:
            self.starts[facts.start_key] = ref
        if self.horizon is None or facts.first_at > self.horizon:
            self.horizon = facts.first_at
        if len(self.by_ref) > 2 * _KEPT_IN_MEMORY:
            self._forget_oldest()

    def open_on(self, evse_no: int | None, connector_no: int | None) -> list[SessionFacts]:
        """Give the open sessions of a connector (or with None of the whole station), oldest first."""
        return sorted(
            (
                facts
                for facts in self.by_ref.values()
                if facts is not None
                and not facts.ended
                and (evse_no is None or facts.evse_no == evse_no)
                and (connector_no is None or facts.connector_no in (None, connector_no))
            ),
            key=lambda facts: facts.first_at,
        )

    def _forget_oldest(self) -> None:
        ended = sorted(
            (facts for facts in self.by_ref.values() if facts is not None and facts.ended),
            key=lambda f: f.last_at,
        )
        for facts in ended[: max(len(ended) - _KEPT_IN_MEMORY, 0)]:
            del self.by_ref[facts.transaction_ref]
            if facts.start_key is not None:
                self.starts.pop(facts.start_key, None)
            self.complete = False
        for absent in [ref for ref, facts in self.by_ref.items() if facts is None]:
            del self.by_ref[absent]


class Deciding(msgspec.Struct, frozen=True, gc=False):
    """What a decision may use besides the message: who speaks, when, and where new names come from."""

    tenant_id: int
    station_id: int
    identity: str
    now: datetime
    new_session_id: Callable[[], UUID]
    next_transaction_number: Callable[[], int]
    maximum_power_w: float


def decide_event(
    view: SessionsView, event: SessionEvent, deciding: Deciding, token: TokenAnswer | None
) -> tuple[SessionAnswer, list[Any]]:
    """Fold a session event; give the answer and the records to keep.

    Repeats: a repetition gets the same answer and leaves nothing.
    Raises: LookupNeeded when the session must be read from the database first.
    """
    if event.transaction_ref is None:
        return _start_by_content(view, event, deciding, token)
    facts = _find(view, event)
    if facts is None:
        facts = _adopt(view, event) if event.seq_no is None else None
    new = facts is None
    if facts is None:
        ref = event.transaction_ref
        if event.seq_no is None:
            # A stop of a transaction that nobody knows: kept apart, so that no later number can collide with it.
            ref = f"orphan:{ref}:{event.at.isoformat()}"
            if view.by_ref.get(ref) is not None:
                return SessionAnswer(event.transaction_ref, token), []
            if ref not in view.by_ref and not view.complete:
                raise SessionLookup(ref)
        facts = open_session(deciding.new_session_id(), ref, event.at)
    elif _is_repetition(facts, event):
        return SessionAnswer(event.transaction_ref, token), []
    if token is not None and facts.token_verdict is None:
        facts = replace(facts, {"token_verdict": token.verdict.value})
    if event.seq_no is None and event.samples:
        event, facts = _without_repeated_samples(event, facts)
    facts = _with_register_mode(facts, event.samples)
    event = _absolute_samples(facts, event)
    facts = absorb(facts, event)
    return SessionAnswer(event.transaction_ref, token), _records(view, facts, event, deciding, new=new)


def decide_samples(view: SessionsView, message: SamplesReported, deciding: Deciding) -> list[Any]:
    """Bind samples to the open session of their connector, if there is one; give the records to keep.

    A reference that is missing, 0, -1 or beyond int32 says nothing, so the connector decides; closing samples may
    come after the stop, and then belong to the ended session that they name.
    Repeats: samples of a moment and context that the session has already leave nothing.
    Raises: LookupNeeded when the session they name must be read from the database first.
    """
    facts = _session_of_samples(view, message)
    if facts is None:
        return [
            _sample_kept(sample, deciding, message.evse_no, message.connector_no, None)
            for sample in message.samples
        ]
    known = facts.recent
    fresh = tuple(sample for sample in message.samples if (sample.at, sample.context) not in known)
    if not fresh:
        return []
    facts = _with_register_mode(facts, fresh)
    fresh = tuple(_absolute(facts, sample) for sample in fresh)
    changes: dict[str, object] = {
        "recent": (*known, *((sample.at, sample.context) for sample in fresh))[-_RECENT:],
    }
    facts = replace(facts, meter_changes(facts, fresh, 0, changes))
    view.remember(facts)
    records: list[Any] = [_session_kept(facts, Phase.UPDATED, deciding, new=False)]
    for sample in fresh:
        records.append(_sample_kept(sample, deciding, facts.evse_no, facts.connector_no, facts.id))  # noqa: PERF401
    return records


def _start_by_content(
    view: SessionsView, event: SessionEvent, deciding: Deciding, token: TokenAnswer | None
) -> tuple[SessionAnswer, list[Any]]:
    """A 1.6 start: we give the number; the same start sent again gets the same number."""
    key = f"{event.connector_no}|{event.token_uid}|{event.at.isoformat()}|{event.meter_wh}"
    key = f"{event.evse_no}|{key}"
    if key in view.starts:
        ref = view.starts[key]
        if ref is not None:
            return SessionAnswer(ref, token), []
    elif not view.complete and view.horizon is not None and event.at <= view.horizon:
        raise StartLookup(key)
    ref = str(deciding.next_transaction_number())
    facts = open_session(deciding.new_session_id(), ref, event.at)
    changes: dict[str, object] = {"start_key": key}
    if token is not None:
        changes["token_verdict"] = token.verdict.value
    if any(other.first_at <= event.at for other in view.open_on(event.evse_no, event.connector_no)):
        # The earlier session stays as it is: its stop may still come. The new one says what was odd.
        changes["flags"] = frozenset({Review.STARTED_OVER_OPEN_SESSION})
    facts = absorb(replace(facts, changes), event)
    return SessionAnswer(ref, token), _records(view, facts, event, deciding, new=True)


def _find(view: SessionsView, event: SessionEvent) -> SessionFacts | None:
    ref = event.transaction_ref or ""
    if ref in view.by_ref:
        return view.by_ref[ref]
    begins_later = event.phase is Phase.STARTED and (view.horizon is None or event.at > view.horizon)
    if view.complete or begins_later:
        return None
    raise SessionLookup(ref)


def _adopt(view: SessionsView, event: SessionEvent) -> SessionFacts | None:
    """Find the session that a 1.6 stop with a wrong reference means: the open one of its token, if just one fits."""
    candidates = [
        facts
        for facts in view.open_on(None, None)
        if facts.first_at <= event.at
        and (event.meter_wh is None or facts.meter_start_wh is None or facts.meter_start_wh <= event.meter_wh)
    ]
    if event.token_uid is not None:
        named = [facts for facts in candidates if facts.token_uid == event.token_uid]
        candidates = named or [facts for facts in candidates if facts.token_uid is None]
    return candidates[0] if len(candidates) == 1 else None


def _is_repetition(facts: SessionFacts, event: SessionEvent) -> bool:
    if event.seq_no is not None:
        return has_number(facts.seen, event.seq_no)
    return event.phase is Phase.ENDED and facts.ended


def _session_of_samples(view: SessionsView, message: SamplesReported) -> SessionFacts | None:
    ref = message.transaction_ref
    if ref is not None:
        if ref in view.by_ref:
            facts = view.by_ref[ref]
        elif view.complete:
            facts = None
        else:
            raise SessionLookup(ref)
        if facts is not None:
            return facts
    if message.evse_no == 0 or not message.in_session:
        return None
    running = view.open_on(message.evse_no, message.connector_no)
    return running[-1] if running else None


def _with_register_mode(facts: SessionFacts, samples: tuple[Sample, ...]) -> SessionFacts:
    """Notice a register in the samples that does not fit the one stated at the start.

    Some stations state the lifetime register at the start and count the samples from zero; others label kWh as Wh.
    """
    start = facts.stated_start_wh
    if start is None or facts.flags & {Review.REGISTER_RELATIVE, Review.REGISTER_IN_KWH}:
        return facts
    low = next((s.energy_wh for s in samples if s.energy_wh is not None and s.energy_wh < start), None)
    if low is None:
        return facts
    in_wh = low * 1000
    # A kWh register read as Wh is the start's thousandth, or a little more; 500 kWh are more than one session takes.
    mode = (
        Review.REGISTER_IN_KWH
        if start <= in_wh + 999 and in_wh - start < 500_000
        else Review.REGISTER_RELATIVE
    )
    return replace(facts, {"flags": facts.flags | {mode}})


def _absolute(facts: SessionFacts, sample: Sample) -> Sample:
    if not facts.flags or sample.energy_wh is None or facts.stated_start_wh is None:
        return sample
    if sample.energy_wh >= facts.stated_start_wh:
        return sample
    if Review.REGISTER_IN_KWH in facts.flags:
        return msgspec.structs.replace(sample, energy_wh=sample.energy_wh * Decimal(1000))
    if Review.REGISTER_RELATIVE in facts.flags:
        return msgspec.structs.replace(sample, energy_wh=sample.energy_wh + facts.stated_start_wh)
    return sample


def _absolute_samples(facts: SessionFacts, event: SessionEvent) -> SessionEvent:
    if not facts.flags or not event.samples:
        return event
    return msgspec.structs.replace(event, samples=tuple(_absolute(facts, sample) for sample in event.samples))


def _without_repeated_samples(event: SessionEvent, facts: SessionFacts) -> tuple[SessionEvent, SessionFacts]:
    fresh = tuple(s for s in event.samples if (s.at, s.context) not in facts.recent)
    recent = (*facts.recent, *((s.at, s.context) for s in fresh))[-_RECENT:]
    return msgspec.structs.replace(event, samples=fresh), replace(facts, {"recent": recent})


def _records(
    view: SessionsView, facts: SessionFacts, event: SessionEvent, deciding: Deciding, *, new: bool
) -> list[Any]:
    view.remember(facts)
    records: list[Any] = [
        _session_kept(facts, event.phase, deciding, new=new),
        SessionEventKept(
            session_id=facts.id,
            tenant_id=deciding.tenant_id,
            kind=event.phase.value,
            seq_no=event.seq_no or 0,
            at=event.at,
            received_at=deciding.now,
            trigger=event.trigger,
            charging_state=event.charging_state,
            offline=event.offline,
        ),
    ]
    for sample in event.samples:
        records.append(_sample_kept(sample, deciding, facts.evse_no, facts.connector_no, facts.id))  # noqa: PERF401
    return records


def _session_kept(facts: SessionFacts, change: Phase, deciding: Deciding, *, new: bool) -> SessionKept:
    reviews = facts.reviews(deciding.maximum_power_w)
    return SessionKept(
        deciding.tenant_id,
        deciding.station_id,
        deciding.identity,
        change,
        new,
        deciding.now,
        facts,
        facts.state(reviews).value,
        tuple(sorted(reviews)) if reviews else (),
    )


def _sample_kept(
    sample: Sample, deciding: Deciding, evse_no: int | None, connector_no: int | None, session_id: UUID | None
) -> SampleKept:
    return SampleKept(
        deciding.tenant_id, deciding.station_id, evse_no, connector_no, session_id, deciding.now, sample
    )
