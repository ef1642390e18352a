"""What a session message leads to: a function of what is known of the station, and the message.

It touches nothing but the station's `SessionsView` in memory.

Idempotency is by business key (never by message id, which stations re-use after a restart):
a 1.6 start is known by (station, connector, token, moment, register), a 1.6 end by (station, reference),
a 2.x event by (station, reference, sequence number). Every look-up is within one station.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.domain.access.model import TokenAnswer, TokenVerdict, fold_uid
from pilotwire.domain.lookups import SessionLookup, StartLookup
from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.sessions.model import (
    Review,
    SessionFacts,
    absorb,
    has_number,
    mark_of,
    meter_changes,
    open_session,
    replace,
)
from pilotwire.domain.sessions.records import SampleKept, SessionEventKept, SessionKept
from pilotwire.domain.sessions.registers import absolute, with_register_mode
from pilotwire.domain.sessions.view import SessionsView

__all__ = ["Deciding", "SessionsView", "decide_event", "decide_samples", "session_kept"]

_RECENT = 16
# Stations queue for months at most, and their clocks are never ahead on purpose.
_MOST_BEHIND = -timedelta(days=366)
_MOST_AHEAD = timedelta(days=1)
# Members of an enumeration are found more slowly than names of a module.
_STARTED, _UPDATED, _ENDED = Phase.STARTED, Phase.UPDATED, Phase.ENDED
_NOT_REFUSED = (None, TokenVerdict.ACCEPTED.value)


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
    answer = SessionAnswer(event.transaction_ref, token)
    facts = _find(view, event)
    if facts is None and event.seq_no is None:
        facts = _meant_by_stop(view, event, deciding.maximum_power_w)
    new = facts is None
    before = facts
    if facts is None:
        ref = event.transaction_ref if event.seq_no is not None else _orphan_ref(event)
        facts = open_session(deciding.new_session_id(), ref, event.at)
    elif _is_repetition(facts, event):
        return answer, []
    if event.seq_no is None and event.samples:
        event, facts = _without_repeated_samples(event, facts)
        facts = with_register_mode(facts, event.samples)
        event = _absolute_samples(facts, event)
    facts = absorb(facts, event, None if token is None else token.verdict.value)
    facts = _clock_checked(facts, event, deciding.now)
    more = before is not None and _has_more(before, facts)
    return answer, _records(view, facts, event, deciding, new=new, more=more)


def decide_samples(view: SessionsView, message: SamplesReported, deciding: Deciding) -> list[Any]:
    """Bind samples to the open session of their connector, if there is one; give the records to keep.

    A reference that is missing, 0, -1 or beyond int32 says nothing, so the connector decides; closing samples may
    come after the stop, and then belong to the ended session that they name.
    Repeats: samples of a moment and kind that the session has already leave nothing.
    Raises: LookupNeeded when the session they name must be read from the database first.
    """
    facts = _session_of_samples(view, message)
    if facts is None:
        return [
            _sample_kept(sample, deciding, message.evse_no, message.connector_no, None)
            for sample in message.samples
        ]
    fresh, recent = _fresh_samples(message.samples, facts)
    if not fresh:
        return []
    facts = with_register_mode(facts, fresh)
    if facts.flags:
        fresh = tuple(absolute(facts, sample) for sample in fresh)
    facts = replace(facts, meter_changes(facts, fresh, 0, {"recent": recent}))
    view.remember(facts)
    records: list[Any] = [session_kept(facts, _UPDATED, deciding, new=False)]
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
        view.make_room()
        raise StartLookup(key)
    ref = str(deciding.next_transaction_number())
    facts = open_session(deciding.new_session_id(), ref, event.at)
    changes: dict[str, object] = {"start_key": key}
    earlier = view.open_on(event.evse_no, event.connector_no)
    if any(other.first_at <= event.at and not other.over for other in earlier):
        # The earlier session stays as it is: its stop may still come. The new one says what was odd.
        changes["flags"] = frozenset({Review.STARTED_OVER_OPEN_SESSION})
    facts = absorb(replace(facts, changes), event, None if token is None else token.verdict.value)
    facts = _clock_checked(facts, event, deciding.now)
    return SessionAnswer(ref, token), _records(view, facts, event, deciding, new=True)


def _find(view: SessionsView, event: SessionEvent) -> SessionFacts | None:
    ref = event.transaction_ref or ""
    facts = view.by_ref.get(ref)
    if facts is not None:
        return facts
    if ref in view.by_ref:
        return None
    begins_later = event.phase is _STARTED and (view.horizon is None or event.at > view.horizon)
    if view.complete or begins_later:
        return None
    view.make_room()
    raise SessionLookup(ref)


def _orphan_ref(event: SessionEvent) -> str:
    """Name a stop of a transaction that nobody knows, so that no later number can collide with it."""
    return f"orphan:{event.transaction_ref}:{event.at.isoformat()}"


def _meant_by_stop(view: SessionsView, event: SessionEvent, maximum_power_w: float) -> SessionFacts | None:
    """Find the session that a 1.6 stop with a wrong reference means.

    It is one that this very stop has ended already, or the open one of its token, if just one fits.
    """
    orphan_ref = _orphan_ref(event)
    if orphan_ref not in view.by_ref and not view.complete:
        raise SessionLookup(orphan_ref)
    orphan = view.by_ref.get(orphan_ref)
    if orphan is not None:
        return orphan
    for facts in view.by_ref.values():
        if facts is not None and _ended_by(facts, event):
            return facts
    candidates = [facts for facts in view.open_on(None, None) if _may_end(facts, event, maximum_power_w)]
    if event.token_uid is not None:
        named = [facts for facts in candidates if _same_token(facts, event.token_uid)]
        candidates = named or [facts for facts in candidates if facts.token_uid is None]
    # Older ones on the same connector never got their stop; the newest is the one that just ended.
    by_connector = {facts.evse_no: facts for facts in _accepted_last(candidates)}
    return next(iter(by_connector.values())) if len(by_connector) == 1 else None


def _ended_by(facts: SessionFacts, event: SessionEvent) -> bool:
    if facts.ended_at != event.at or facts.stated_end_wh != event.meter_wh:
        return False
    return event.token_uid is None or facts.token_uid is None or _same_token(facts, event.token_uid)


def _same_token(facts: SessionFacts, uid: str) -> bool:
    return facts.token_uid is not None and fold_uid(facts.token_uid) == fold_uid(uid)


def _may_end(facts: SessionFacts, event: SessionEvent, maximum_power_w: float) -> bool:
    if facts.first_at > event.at:
        return False
    start = facts.meter_start_wh
    if event.meter_wh is None or start is None:
        return True
    hours = ((event.at - facts.first_at).total_seconds() + 60) / 3600
    return 0 <= event.meter_wh - start <= maximum_power_w * hours + 1000


def _accepted_last(sessions: list[SessionFacts]) -> list[SessionFacts]:
    """Order sessions so that those with a refused token come first: the last one is what the connector does."""
    return sorted(sessions, key=lambda facts: facts.token_verdict in _NOT_REFUSED)


def _is_repetition(facts: SessionFacts, event: SessionEvent) -> bool:
    if event.seq_no is None:
        return event.phase is _ENDED and facts.ended
    if not has_number(facts.seen, event.seq_no):
        return False
    # A station that never counts up still starts and ends its sessions once.
    if event.phase is _ENDED:
        return facts.ended
    return event.phase is _UPDATED or facts.started_at is not None


def _session_of_samples(view: SessionsView, message: SamplesReported) -> SessionFacts | None:
    if message.evse_no == 0:
        # The station's own meter, or the sum of a cluster (KEBA): what its connectors report is not counted twice.
        return None
    ref = message.transaction_ref
    if ref is not None:
        facts = view.by_ref.get(ref)
        if facts is not None:
            return facts
        if ref not in view.by_ref and not view.complete:
            view.make_room()
            raise SessionLookup(ref)
    if not message.in_session:
        return None
    return _session_at(view, message)


def _session_at(view: SessionsView, message: SamplesReported) -> SessionFacts | None:
    """Find the session that a connector had at the moment of the samples: they may come after its end, or again."""
    if not message.samples:
        return None
    taken_at = message.samples[0].at
    running = view.open_on(message.evse_no, message.connector_no)
    newest = _accepted_last(running)[-1] if running else None
    if newest is not None and newest.first_at <= taken_at:
        return newest
    for facts in view.by_ref.values():
        if (
            facts is not None
            and facts.evse_no == message.evse_no
            and facts.ended_at is not None
            and facts.first_at <= taken_at <= facts.ended_at
        ):
            return facts
    return newest


def _absolute_samples(facts: SessionFacts, event: SessionEvent) -> SessionEvent:
    if not facts.flags or not event.samples:
        return event
    return msgspec.structs.replace(event, samples=tuple(absolute(facts, sample) for sample in event.samples))


def _without_repeated_samples(event: SessionEvent, facts: SessionFacts) -> tuple[SessionEvent, SessionFacts]:
    fresh, recent = _fresh_samples(event.samples, facts)
    return msgspec.structs.replace(event, samples=fresh), replace(facts, {"recent": recent})


def _fresh_samples(
    samples: tuple[Sample, ...], facts: SessionFacts
) -> tuple[tuple[Sample, ...], tuple[Any, ...]]:
    """Leave out samples that the session has; also give what to know a repetition by from now on."""
    known = facts.recent
    if len(samples) == 1:  # the usual message
        mark = mark_of(samples[0])
        # No sample of the session is newer than its last moment.
        if samples[0].at <= facts.last_at and mark in known:
            return (), known
        return samples, (*known[1 - _RECENT :], mark)
    marks = [mark_of(sample) for sample in samples]
    if known:
        fresh = [index for index, mark in enumerate(marks) if mark not in known]
        if len(fresh) < len(marks):
            samples = tuple(samples[index] for index in fresh)
            marks = [marks[index] for index in fresh]
    return samples, (*known, *marks)[-_RECENT:]


def _clock_checked(facts: SessionFacts, event: SessionEvent, now: datetime) -> SessionFacts:
    if _MOST_BEHIND < event.at - now < _MOST_AHEAD or Review.CLOCK_IMPLAUSIBLE in facts.flags:
        return facts
    return replace(facts, {"flags": facts.flags | {Review.CLOCK_IMPLAUSIBLE}})


def _records(
    view: SessionsView,
    facts: SessionFacts,
    event: SessionEvent,
    deciding: Deciding,
    *,
    new: bool,
    more: bool = False,
) -> list[Any]:
    view.remember(facts)
    records: list[Any] = [
        session_kept(facts, event.phase, deciding, new=new, more=more),
        SessionEventKept(
            facts.id,
            deciding.tenant_id,
            event.phase._value_,
            event.seq_no or 0,
            event.at,
            deciding.now,
            event.trigger,
            event.charging_state,
            event.offline,
        ),
    ]
    for sample in event.samples:
        records.append(_sample_kept(sample, deciding, facts.evse_no, facts.connector_no, facts.id))  # noqa: PERF401
    return records


def _has_more(before: SessionFacts, after: SessionFacts) -> bool:
    """Whether more than the meter and the charging state has changed."""
    return (
        after.token is not before.token
        or after.token_verdict is not before.token_verdict
        or after.offline is not before.offline
        or after.evse_no != before.evse_no
        or after.connector_no != before.connector_no
        or after.remote_start_id != before.remote_start_id
        or after.reservation_id != before.reservation_id
    )


def session_kept(
    facts: SessionFacts, change: Phase, deciding: Deciding, *, new: bool, more: bool = False
) -> SessionKept:
    """Give the record that keeps a session's facts after a change."""
    reviews = facts.reviews(deciding.maximum_power_w)
    return SessionKept(
        deciding.tenant_id,
        deciding.station_id,
        deciding.identity,
        change,
        new,
        deciding.now,
        facts,
        facts.state(reviews)._value_,  # as `value`, which is a call of Python
        tuple(sorted(reviews)) if reviews else (),
        more,
    )


def _sample_kept(
    sample: Sample, deciding: Deciding, evse_no: int | None, connector_no: int | None, session_id: UUID | None
) -> SampleKept:
    return SampleKept(
        deciding.tenant_id, deciding.station_id, evse_no, connector_no, session_id, deciding.now, sample
    )
