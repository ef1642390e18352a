"""What a station was told of an EVSE's limit, what it may be acting upon, and whether it does. Pure.

A limit is sent as a profile that holds for `HOLD_S` and then falls, by the station's own clock, to the plan's course below
the offline bound: a station that hears no more of us ends where every fuse bears it. The bound itself is its default
profile. Ways are pairs of purpose and unit; they are tried in turn until the measured current follows.
"""

from typing import Literal

import msgspec

from pilotwire.domain.energy.ports import ChargingAbilities

__all__ = [
    "CLOCK_S", "HOLD_S", "PACE", "Drive", "Pace", "Way", "excess_a", "is_stuck", "may_draw_a", "next_step", "observe",
    "takes_more", "told", "units_of", "ways_of",
]  # fmt: skip

HOLD_S = 600.0
"""How long a limit holds without being sent again, where fuses bear it without a battery."""
CLOCK_S = 120.0
"""How wrong a station's clock may be: profiles begin so much earlier, and count so much longer."""
_REFRESH_S = 240.0
_REFRESH_SHARE = 2 / 3
_LONGEST_WAIT_S = 300.0
_TRIES_PER_WAY = 2
_SLIGHT_A = 0.1
"""What is drawn above a limit by so much is no mistake of the meter."""
_REMEMBERED_S = 60.0
_FORGOTTEN_S = 900.0
_ANYTHING_A = 1e6

State = Literal["idle", "sending", "confirmed", "rejecting", "ignoring", "unprepared"]
Way = tuple[Literal["session", "default", "station"], Literal["a", "w"]]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast things go. At most one profile per EVSE in `gap_s`, or a lower one in `hurry_s` while a fuse bears too much;
    what a car draws above its limit counts after `follow_s` (while a fuse bears too much: `hurry_s`); it has `settle_s` to
    follow, is over its limit after `over_s`, and obeys again after `obeyed_s`. Units: s."""

    gap_s: float = 10.0
    hurry_s: float = 3.0
    follow_s: float = 5.0
    settle_s: float = 15.0
    over_s: float = 8.0
    obeyed_s: float = 45.0


PACE = Pace()


class Drive(msgspec.Struct):
    """One EVSE's limit on its way to the station and into the cable. Units: A per conductor, s since 1970.

    `bound_a` is the default profile that the station has confirmed, None while it has none. `told_a` holds until
    `told_until_s`, then at most `tail_a`. `sent_*` are not confirmed (yet, or their answers were lost). `real_a` is what
    was measured far above the limit. `excess_a` is by how much it was seen to draw more than it was told, as stations do
    that round up; `past` are limits that held before, each with the moment of its end.
    """

    bound_a: float | None = None
    sent_bound_a: float | None = None
    session: str | None = None
    told_a: float | None = None
    told_at_s: float = 0.0
    told_until_s: float = 0.0
    tail_a: float = 0.0
    sent_a: float | None = None
    last_sent_s: float = 0.0
    way: int = 0
    bound_unit: int = 0
    tries: int = 0
    fails: int = 0
    retry_at_s: float = 0.0
    bound_fails: int = 0
    bound_retry_at_s: float = 0.0
    over_since_s: float | None = None
    obeys_since_s: float | None = None
    real_a: float | None = None
    excess_a: float = 0.0
    excess_at_s: float = 0.0
    past: list[tuple[float, float]] = msgspec.field(default_factory=list)
    ignoring: bool = False
    rejecting: bool = False
    again: bool = False
    lasting: bool = False
    """The limit was told in a profile that outlives the session."""
    detail: str = ""

    def state(self) -> State:
        """Say in a word how the limit stands."""
        if self.ignoring:
            return "ignoring"
        if self.rejecting:
            return "rejecting"
        if self.sent_a is not None or self.sent_bound_a is not None:
            return "sending"
        if self.session is not None and self.told_a is not None:
            return "confirmed"
        return "unprepared" if self.bound_a is None else "idle"

    def begin(self, session: str | None) -> None:
        """Another session runs now, or none: the profile of the one before went with it."""
        if session == self.session:
            return
        self.session = session
        if self.lasting and self.told_a is not None:
            # The next car would find this limit in the place of the bound: it counts until the bound is told again.
            self.sent_bound_a = max(self.told_a, self.sent_bound_a or 0.0)
        self.lasting = False
        self.told_a, self.sent_a, self.real_a = None, None, None
        self.over_since_s = self.obeys_since_s = None
        self.told_until_s = self.tail_a = 0.0
        self.past = []
        self.tries = 0
        self.ignoring = self.again = False


def ways_of(abilities: ChargingAbilities, *, alone: bool, dc: bool = False) -> tuple[Way, ...]:
    """Give the ways to tell a station a limit, best first; `alone`: the EVSE is the only one of its station.

    Of direct current only the power says the same on both sides of the station.
    """
    purposes = [purpose for purpose in abilities.purposes if purpose != "station" or alone]
    units = units_of(abilities, dc=dc)
    return tuple((purpose, unit) for purpose in purposes for unit in units)


def units_of(abilities: ChargingAbilities, *, dc: bool) -> tuple[Literal["a", "w"], ...]:
    """Give the units in which an EVSE can be told a limit, best first."""
    return ("w",) if dc and "w" in abilities.units else abilities.units


def may_draw_a(drive: Drive, most_a: float, now_s: float) -> float:
    """Give the highest current that the station may be acting upon now."""
    bound = most_a if drive.bound_a is None else drive.bound_a
    bound = max(bound, drive.sent_bound_a or 0.0)
    values = [drive.real_a or 0.0, drive.sent_a or 0.0]
    if drive.session is None or drive.told_a is None:
        values.append(bound)
    elif now_s < drive.told_until_s:
        values.append(drive.told_a)
    else:
        values.append(drive.tail_a)
    return min(most_a, max(values))


def is_stuck(drive: Drive, now_s: float, pace: Pace = PACE) -> bool:
    """Tell whether a station is not seen to follow: it draws more, refuses, or owes an answer."""
    unanswered = drive.sent_a is not None and now_s >= drive.last_sent_s + pace.follow_s
    refuses = drive.fails > 0 and now_s < drive.retry_at_s + _REMEMBERED_S
    never_told = drive.told_a is None and drive.rejecting
    return drive.real_a is not None or refuses or never_told or unanswered


def takes_more(drive: Drive, drawn_a: float, now_s: float) -> bool:
    """Tell whether a station draws clearly more than it was ever told to, and that is news."""
    return drive.real_a is None and _is_over(drawn_a, _held_lately(drive, now_s - _REMEMBERED_S, now_s))


def excess_a(drive: Drive, now_s: float) -> float:
    """Give by how much more a station may draw than it is told, by what was seen."""
    if drive.real_a is not None:
        return max(0.0, drive.real_a - _in_force(drive, now_s))
    return drive.excess_a if now_s < drive.excess_at_s + _FORGOTTEN_S else 0.0


def _in_force(drive: Drive, now_s: float) -> float:
    """Give the limit that a station has confirmed."""
    if drive.told_a is None:
        return _ANYTHING_A if drive.bound_a is None else max(drive.bound_a, drive.sent_bound_a or 0.0)
    return drive.told_a if now_s < drive.told_until_s else max(drive.tail_a, drive.bound_a or 0.0)


def _held_lately(drive: Drive, since_s: float, now_s: float) -> float:
    """Give the highest limit upon which a station may have acted since a moment."""
    past = (limit for until_s, limit in drive.past if until_s > since_s)
    return max(_in_force(drive, now_s), drive.sent_a or 0.0, *past)


def next_step(
    drive: Drive,
    limit_a: float | None,
    bound_a: float,
    now_s: float,
    pace: Pace = PACE,
    *,
    overloaded: bool = False,
    hold_s: float = HOLD_S,
) -> Literal["session", "bound"] | None:
    """Say what is to be sent next: the session's limit, the default profile, or nothing yet.

    Rises below 1 A and 5 % are not sent; falls are, since a fuse asked for them. `overloaded`: a fuse is measured to bear
    too much now, so a fall does not wait until the last profile is `gap_s` old. `hold_s`: a limit is to hold for so long
    without being sent again; one that holds longer is told anew.
    """
    if now_s < drive.retry_at_s:
        return None
    if now_s < drive.last_sent_s + pace.gap_s:
        falls = limit_a is not None and drive.told_a is not None and limit_a < drive.told_a - 0.05
        late = now_s >= drive.last_sent_s + min(pace.hurry_s, pace.gap_s)
        return "session" if overloaded and falls and late and drive.session is not None else None
    wants_session = (
        drive.session is not None and limit_a is not None and _differs(drive, limit_a, now_s, hold_s)
    )
    wants_bound = now_s >= drive.bound_retry_at_s and (
        drive.sent_bound_a is not None or drive.bound_a is None or abs(drive.bound_a - bound_a) > 0.05
    )
    if wants_session and (drive.told_a is None or drive.again or not wants_bound):
        return "session"
    if wants_bound:
        return "bound"
    return "session" if wants_session else None


def _differs(drive: Drive, limit_a: float, now_s: float, hold_s: float) -> bool:
    if drive.told_a is None or drive.again or drive.sent_a is not None:
        return True
    if limit_a < drive.told_a - 0.05:
        return True
    if limit_a - drive.told_a >= max(1.0, 0.05 * drive.told_a):
        return True
    # What would soon fall to the offline bound by itself is told again, unless that is the same.
    left_s = drive.told_until_s - CLOCK_S - now_s
    timely = min(_REFRESH_S, _REFRESH_SHARE * hold_s) <= left_s <= hold_s + 1.0
    return not timely and (drive.told_a > drive.tail_a + 0.05 or limit_a > drive.tail_a + 0.05)


def told(  # noqa: PLR0913 - one per fact of the answer
    drive: Drive,
    what: Literal["session", "bound"],
    value_a: float,
    now_s: float,
    *,
    outcome: Literal["taken", "refused", "unknown"],
    ways: int = 1,
    tail_a: float = 0.0,
    hold_s: float = HOLD_S,
    lasting: bool = False,
    detail: str = "",
    pace: Pace = PACE,
) -> None:
    """Take in what a station answered. `unknown`: it may have arrived, so it counts until another is confirmed."""
    if outcome == "taken":
        drive.fails, drive.retry_at_s, drive.rejecting = 0, 0.0, False
        if not drive.ignoring:
            drive.detail = ""
        if what == "bound":
            drive.bound_a, drive.sent_bound_a = value_a, None
            drive.bound_fails, drive.bound_retry_at_s = 0, 0.0
            return
        drive.past = [each for each in drive.past if each[0] > now_s - _REMEMBERED_S]
        drive.past.append((now_s, _in_force(drive, now_s)))
        drive.told_a, drive.sent_a, drive.tail_a = value_a, None, tail_a
        drive.told_at_s, drive.told_until_s = now_s, now_s + hold_s + CLOCK_S
        drive.again, drive.lasting = False, lasting
        drive.over_since_s = None
        return
    drive.detail = detail
    if what == "bound" and outcome == "refused":
        # Limits of sessions do not wait for it: a station may take those and no default profile.
        drive.sent_bound_a = None
        drive.bound_unit += 1
        drive.bound_fails += 1
        drive.bound_retry_at_s = now_s + _wait_s(drive.bound_fails, pace)
        drive.rejecting = drive.bound_a is None
        return
    drive.fails += 1
    drive.retry_at_s = now_s + _wait_s(drive.fails, pace)
    if outcome == "unknown":
        return
    drive.sent_a = None
    drive.way = (drive.way + 1) % max(1, ways)
    drive.rejecting = drive.fails >= ways
    if drive.fails < ways:
        drive.retry_at_s = now_s  # another way is open


def _wait_s(fails: int, pace: Pace) -> float:
    return min(_LONGEST_WAIT_S, pace.gap_s * 2.0 ** min(fails - 1, 6))


def observe(
    drive: Drive,
    drawn_a: float,
    drawn_at_s: float,
    now_s: float,
    ways: int,
    pace: Pace = PACE,
    *,
    overloaded: bool = False,
) -> Literal["again", "ask", "other_way", "ignoring", "obeying"] | None:
    """Compare what is measured with what was told, and say what follows from it.

    What flows above the limit counts for the fuse as soon as the station had time to follow, less while a fuse is measured
    to bear too much (`overloaded`). A station that goes on like that is told again; then it is asked for its own view
    (composite schedule) and told in the next way; when all ways are used up it is known to ignore what it is told.
    """
    if drive.session is None:
        return None
    follow_s = min(pace.hurry_s if overloaded else pace.follow_s, pace.follow_s, pace.settle_s)
    settled = drive.told_a is not None and drawn_at_s >= drive.told_at_s + pace.settle_s
    _count(drive, drawn_a, drawn_at_s, now_s, follow_s=follow_s, settled=settled)
    if not settled:
        return None  # Too early to say that it does not obey.
    allowed = _in_force(drive, now_s)
    if not _is_over(drawn_a, allowed):
        return _obeys(drive, drawn_at_s, pace)
    drive.obeys_since_s = None
    if drive.over_since_s is None:
        drive.over_since_s = drawn_at_s
        return None
    if drawn_at_s - drive.over_since_s < pace.over_s or drive.ignoring:
        return None
    drive.over_since_s = None
    drive.tries += 1
    drive.detail = f"draws {drawn_a:.1f} A, was told {allowed:.1f} A"
    if drive.tries >= _TRIES_PER_WAY * ways:
        drive.ignoring = True
        return "ignoring"
    drive.again = True
    if drive.tries % _TRIES_PER_WAY:
        return "ask" if drive.tries == 1 else "again"
    drive.way = (drive.way + 1) % max(1, ways)
    return "other_way"


def _count(
    drive: Drive, drawn_a: float, drawn_at_s: float, now_s: float, *, follow_s: float, settled: bool
) -> None:
    """Count what flows above the highest limit that the station may still have been acting upon."""
    allowed = _held_lately(drive, drawn_at_s - follow_s, now_s)
    more = drawn_a - allowed
    if not _is_over(drawn_a, allowed):
        if not settled and drive.tries == 0:
            drive.real_a = None  # It was slow, and has followed since.
        if more > _SLIGHT_A:
            _learn_excess(drive, more, drawn_at_s)
        return
    before = drive.real_a
    drive.real_a = drawn_a if before is None or drawn_a > before else drawn_a + 0.75 * (before - drawn_a)
    # More than it was told at any time lately: it is not slow, it takes more than it is given.
    if settled or drawn_a > _held_lately(drive, now_s - _REMEMBERED_S, now_s) + _SLIGHT_A:
        _learn_excess(drive, more, drawn_at_s)


def _learn_excess(drive: Drive, more_a: float, at_s: float) -> None:
    known = drive.excess_a if at_s < drive.excess_at_s + _FORGOTTEN_S else 0.0
    drive.excess_a, drive.excess_at_s = max(known, more_a), at_s


def _is_over(drawn_a: float, allowed_a: float) -> bool:
    return drawn_a > allowed_a + max(1.0, 0.05 * allowed_a)


def _obeys(drive: Drive, drawn_at_s: float, pace: Pace) -> Literal["obeying"] | None:
    drive.over_since_s = None
    if drive.real_a is None:
        return None
    if drive.obeys_since_s is None:
        drive.obeys_since_s = drawn_at_s
    # It must be seen to hold back: a car that takes little proves nothing, but costs nothing either.
    if drawn_at_s - drive.obeys_since_s < (pace.obeyed_s if drive.tries else pace.settle_s):
        return None
    was_ignoring = drive.ignoring
    if was_ignoring:
        drive.excess_a = 0.0
    drive.real_a, drive.ignoring, drive.tries, drive.obeys_since_s = None, False, 0, None
    drive.detail = ""
    return "obeying" if was_ignoring else None
