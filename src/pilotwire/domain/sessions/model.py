"""A session as a fold over its events: the same facts whatever the order in which they arrived."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zlib import crc32

import msgspec

from pilotwire.domain.sessions.messages import Phase, Sample, SessionEvent

__all__ = [
    "FLOWING_W",
    "Meter",
    "Review",
    "SessionFacts",
    "SessionState",
    "Settlement",
    "absorb",
    "mark_of",
    "open_session",
]


class SessionState(StrEnum):
    """Whether a session goes on, has ended, or has ended in a way that a person must look at before it is billed."""

    ACTIVE = "active"
    ENDED = "ended"
    DISPUTED = "disputed"


class Review(StrEnum):
    """Why a person should look at a session."""

    STOP_WITHOUT_START = "stop_without_start"
    START_NEVER_SEEN = "start_never_seen"
    METER_RAN_BACKWARDS = "meter_ran_backwards"
    ENERGY_BEYOND_PHYSICS = "energy_beyond_physics"
    STARTED_OVER_OPEN_SESSION = "started_over_open_session"
    EVENTS_MISSING = "events_missing"
    CLOCK_IMPLAUSIBLE = "clock_implausible"
    REGISTER_RELATIVE = "register_relative"
    REGISTER_IN_KWH = "register_in_kwh"
    SETTLED = "settled"
    WENT_ON_AFTER_SETTLEMENT = "went_on_after_settlement"


_DISPUTING = frozenset(
    {
        Review.STOP_WITHOUT_START,
        Review.METER_RAN_BACKWARDS,
        Review.ENERGY_BEYOND_PHYSICS,
        Review.WENT_ON_AFTER_SETTLEMENT,
    }
)

# Members of an enumeration or a module are found more slowly than names of this one.
_UPDATED = Phase.UPDATED
_replace = msgspec.structs.replace

_NOTHING_TO_REVIEW: frozenset[Review] = frozenset()

# So little is possible in any time. Comparing a Decimal with an integer costs more than with another.
_CERTAINLY_POSSIBLE_WH = Decimal(1000)

OrderKey = tuple[int, datetime]
"""Place of a value in its session: the event's number (0 where there is none), then the moment."""

FLOWING_W = 100.0
"""Below it a car does not charge: it keeps its electronics awake. Units: W."""

# Values that say themselves where they belong, wherever the station sends them along.
_PLACES = {"Transaction.Begin": -1, "Transaction.End": 2**31}

# Spec: 1.6 ReadingContext; others, of stations that have their own, follow by their checksum.
_CONTEXTS = {
    None: 0, "Interruption.Begin": 1, "Interruption.End": 2, "Other": 3, "Sample.Clock": 4, "Sample.Periodic": 5,
    "Transaction.Begin": 6, "Transaction.End": 7, "Trigger": 8,
}  # fmt: skip


class Meter(msgspec.Struct, frozen=True, gc=False):
    """A register value and its place in the session."""

    key: OrderKey
    energy_wh: Decimal


class Settlement(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The end that we gave a session because its own did not come.

    It holds until the station reports the end; a rule's also gives way to anything that happened later than all
    that was known when it was made, a person's (`final`) does not.
    """

    no: int
    """A session may be settled again: 1 for the first time."""
    made_at: datetime
    """When it was settled, by our clock."""
    at: datetime
    """The end that is taken for the true one, by the station's clock."""
    newest_at: datetime
    """The newest moment that was known of the session then, by the station's clock."""
    reason: str
    by: str
    final: bool = False
    meter_end_wh: Decimal | None = None

    @property
    def border(self) -> datetime:
        """What happened later was not known when it was made."""
        return max(self.made_at, self.newest_at)


class SessionFacts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """All that is known of a session.

    Every field is a minimum, a maximum or a set over the events, so that any order and any duplication of the
    same events gives the same facts.
    """

    id: UUID
    transaction_ref: str
    first_at: datetime
    last_at: datetime
    start_key: str | None = None
    evse_no: int | None = None
    connector_no: int | None = None
    token: tuple[OrderKey, str] | None = None
    """The first token of the session: a card at the end may be another one of the same group."""
    token_verdict: str | None = None
    """What the station was told about that token."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stated_start_wh: Decimal | None = None
    stated_end_wh: Decimal | None = None
    first_meter: Meter | None = None
    last_meter: Meter | None = None
    last_power: tuple[OrderKey, float] | None = None
    """Place and power in W of the newest sample that says it."""
    last_soc: tuple[OrderKey, float] | None = None
    """Place and state of charge in percent of the newest sample that says it."""
    charging_state: tuple[OrderKey, str] | None = None
    stop_reason: str | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seen: tuple[tuple[int, int], ...] = ()
    """The sequence numbers seen, as closed ranges."""
    recent: tuple[int | tuple[datetime, str | None], ...] = ()
    """Marks of the newest samples without a sequence number, to know a repetition by (pairs: of an earlier version)."""
    flags: frozenset[Review] = frozenset()
    powered_at: datetime | None = None
    """The newest moment at which a sample said that power flows."""
    rise: tuple[Decimal, datetime] | None = None
    """The largest register value in the samples, in Wh, and when it was read first."""
    settlement: Settlement | None = None

    @property
    def token_uid(self) -> str | None:
        """The token that the session was started with."""
        return self.token[1] if self.token else None

    @property
    def meter_start_wh(self) -> Decimal | None:
        """The register at the start, in Wh."""
        if self.stated_start_wh is not None:
            return self.stated_start_wh
        return self.first_meter.energy_wh if self.first_meter else None

    @property
    def meter_end_wh(self) -> Decimal | None:
        """The newest register value, in Wh; the last one once the session has ended."""
        if self.stated_end_wh is not None:
            return self.stated_end_wh
        if self.settlement is not None and self.settlement.meter_end_wh is not None and self.settled:
            return self.settlement.meter_end_wh
        return self.last_meter.energy_wh if self.last_meter else None

    @property
    def energy_wh(self) -> Decimal | None:
        """Energy delivered so far, in Wh; None without two readings, and while the readings contradict each other."""
        start, end = self.meter_start_wh, self.meter_end_wh
        if start is None or end is None or end < start:
            return None
        return end - start

    @property
    def ended(self) -> bool:
        """Whether the station has reported the end."""
        return self.ended_at is not None

    @property
    def settled(self) -> bool:
        """Whether the end is one that we gave."""
        settlement = self.settlement
        if settlement is None or self.ended_at is not None:
            return False
        return settlement.final or self.last_at <= settlement.border

    @property
    def over(self) -> bool:
        """Whether the session is over: its end has been reported, or we gave it one."""
        return self.ended_at is not None or (self.settlement is not None and self.settled)

    @property
    def closed_at(self) -> datetime | None:
        """The end: the reported one, or the one that we gave."""
        if self.ended_at is not None or self.settlement is None:
            return self.ended_at
        return self.settlement.at if self.settled else None

    def reviews(self, maximum_power_w: float) -> frozenset[Review]:
        """Say why a person should look at this session; `maximum_power_w` bounds what is physically possible."""
        found: list[Review] = [*self.flags]
        start, end = self.meter_start_wh, self.meter_end_wh
        if start is not None and end is not None:
            if end < start:
                found.append(Review.METER_RAN_BACKWARDS)
            elif end - start > _CERTAINLY_POSSIBLE_WH:
                # A minute is added: clocks of stations have whole seconds, and registers whole steps.
                hours = ((self.last_at - self.first_at).total_seconds() + 60) / 3600
                if float(end - start) > maximum_power_w * hours:
                    found.append(Review.ENERGY_BEYOND_PHYSICS)
        if self.started_at is None:
            found.append(Review.STOP_WITHOUT_START if self.ended else Review.START_NEVER_SEEN)
        if self.ended and self.seen and (len(self.seen) > 1 or self.seen[0][0] != 0):
            found.append(Review.EVENTS_MISSING)
        if self.settlement is not None and self.settled:
            found.append(Review.SETTLED)
            if self.last_at > self.settlement.border:
                found.append(Review.WENT_ON_AFTER_SETTLEMENT)
        return frozenset(found) if found else _NOTHING_TO_REVIEW

    def state(self, reviews: frozenset[Review]) -> SessionState:
        """Give the state that follows from the facts and their `reviews`."""
        if self.ended_at is None and (self.settlement is None or not self.settled):
            return SessionState.ACTIVE
        return SessionState.DISPUTED if reviews & _DISPUTING else SessionState.ENDED


def open_session(session_id: UUID, transaction_ref: str, event_at: datetime) -> SessionFacts:
    """Begin the facts of a session of which nothing is known but that it exists."""
    return SessionFacts(id=session_id, transaction_ref=transaction_ref, first_at=event_at, last_at=event_at)


def absorb(facts: SessionFacts, event: SessionEvent, verdict: str | None = None) -> SessionFacts:
    """Fold an event that is not a repetition into the facts; `verdict` is what is said about the event's token."""
    at, number = event.at, event.seq_no
    order = number or 0
    changes: dict[str, object] = {}
    if at < facts.first_at:
        changes["first_at"] = at
    elif at > facts.last_at:
        changes["last_at"] = at
    if event.phase is not _UPDATED:
        _boundary_changes(event, changes)
    _place_changes(facts, event, changes)
    if event.token_uid is not None:
        _token_change(facts, event, verdict, changes)
    if event.offline and not facts.offline:
        changes["offline"] = True
    if event.charging_state is not None:
        charging_state = ((order, at), event.charging_state)
        if facts.charging_state is None or charging_state > facts.charging_state:
            changes["charging_state"] = charging_state
    if number is not None:
        changes["seen"] = with_number(facts.seen, number)
    if event.samples:
        meter_changes(facts, event.samples, order, changes)
    return _replace(facts, **changes)


def _place_changes(facts: SessionFacts, event: SessionEvent, changes: dict[str, object]) -> None:
    """Take over what a session says of itself but once, in whatever event."""
    if event.evse_no is not None and facts.evse_no is None:
        changes["evse_no"] = event.evse_no
    if event.connector_no is not None and facts.connector_no is None:
        changes["connector_no"] = event.connector_no
    if event.remote_start_id is not None and facts.remote_start_id is None:
        changes["remote_start_id"] = event.remote_start_id
    if event.reservation_id is not None and facts.reservation_id is None:
        changes["reservation_id"] = event.reservation_id


def _boundary_changes(event: SessionEvent, changes: dict[str, object]) -> None:
    if event.phase is Phase.STARTED:
        changes["started_at"] = event.at
        if event.meter_wh is not None:
            changes["stated_start_wh"] = event.meter_wh
        return
    changes["ended_at"] = event.at
    changes["stop_reason"] = event.stop_reason
    if event.meter_wh is not None:
        changes["stated_end_wh"] = event.meter_wh


def _token_change(
    facts: SessionFacts, event: SessionEvent, verdict: str | None, changes: dict[str, object]
) -> None:
    # Without numbers the start comes first whatever the clock says: the card at the end may be another.
    place = event.seq_no if event.seq_no is not None else int(event.phase is Phase.ENDED)
    key = (place, event.at)
    if facts.token is None or key < facts.token[0]:
        changes["token"] = (key, event.token_uid)
        changes["token_verdict"] = verdict


def meter_changes(  # noqa: C901 - run for nearly every message: one loop, no calls
    facts: SessionFacts, samples: tuple[Sample, ...], order: int, changes: dict[str, object]
) -> dict[str, object]:
    """Add to `changes` what samples say: first and last register value, newest power and state of charge.

    Where two say different things of the same moment, the smaller register counts for the start and the larger
    value for the rest, so that it does not matter which came first.
    """
    first, last = facts.first_meter, facts.last_meter
    power, soc, rise = facts.last_power, facts.last_soc, facts.rise
    powered_at, newest_at = facts.powered_at, changes.get("last_at", facts.last_at)
    for sample in samples:
        at, energy_wh, power_w = sample.at, sample.energy_wh, sample.power_w
        key = (_PLACES.get(sample.context, order), at)  # type: ignore[arg-type]
        if energy_wh is not None:
            if first is None or last is None:
                first = last = Meter(key, energy_wh)
            elif key > last.key:  # nearly always, and then it is not the first
                last = Meter(key, energy_wh)
            elif key < first.key or (key == first.key and energy_wh < first.energy_wh):
                first = Meter(key, energy_wh)
            elif key == last.key and energy_wh > last.energy_wh:
                last = Meter(key, energy_wh)
            if rise is None or energy_wh > rise[0] or (energy_wh == rise[0] and at < rise[1]):
                rise = (energy_wh, at)
        if power_w is not None:
            if power is None or (key, power_w) > power:
                power = (key, power_w)
            if abs(power_w) >= FLOWING_W and (powered_at is None or at > powered_at):
                powered_at = at
        if sample.soc_percent is not None and (soc is None or (key, sample.soc_percent) > soc):
            soc = (key, sample.soc_percent)
        if at > newest_at:  # type: ignore[operator]  # noqa: PLR1730 - a call of max costs more
            newest_at = at
    changes["first_meter"], changes["last_meter"], changes["last_power"] = first, last, power
    changes["last_soc"], changes["rise"] = soc, rise
    changes["powered_at"], changes["last_at"] = powered_at, newest_at
    return changes


def mark_of(sample: Sample) -> int:
    """Give a number that tells a sample from others of its session: its moment, its context, which values it has.

    Some stations send the values of one moment in several messages; those are no repetitions.
    """
    context = sample.context
    place = _CONTEXTS.get(context)
    if place is None:
        place = 16 + crc32(context.encode()) % 240  # type: ignore[union-attr]
    has = 0
    if sample.energy_wh is not None:
        has = 1
    if sample.power_w is not None:
        has += 2
    if sample.current_l1_a is not None or sample.current_l2_a is not None or sample.current_l3_a is not None:
        has += 4
    if sample.voltage_l1_v is not None or sample.voltage_l2_v is not None or sample.voltage_l3_v is not None:
        has += 8
    if sample.soc_percent is not None:
        has += 16
    return int(sample.at.timestamp() * 1000) << 13 | place << 5 | has


def replace(facts: SessionFacts, changes: dict[str, object]) -> SessionFacts:
    """Return the facts with some of them changed."""
    return _replace(facts, **changes)


def with_number(ranges: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
    """Add a number to a set kept as sorted closed ranges."""
    if ranges:
        low, high = ranges[-1]
        if number == high + 1:  # the usual case: the next one
            return (*ranges[:-1], (low, number))
        if low <= number <= high:
            return ranges
    else:
        return ((number, number),)
    result: list[tuple[int, int]] = []
    low = high = number
    for begin, end in ranges:
        if end < low - 1:
            result.append((begin, end))
        elif begin > high + 1:
            result.append((low, high))
            low, high = begin, end
        else:
            low, high = min(low, begin), max(high, end)
    result.append((low, high))
    return tuple(result)


def has_number(ranges: tuple[tuple[int, int], ...], number: int) -> bool:
    """Tell whether a number is in a set kept as closed ranges."""
    if not ranges or number > ranges[-1][1]:  # the usual case: the next one
        return False
    return any(begin <= number <= end for begin, end in reversed(ranges))
