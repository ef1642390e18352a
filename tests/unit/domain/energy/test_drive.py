"""Limits on their way to stations: what is sent when, what may be drawn meanwhile, and what follows from the meter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.energy.drive import (
    CLOCK_S,
    HOLD_S,
    Drive,
    Pace,
    excess_a,
    is_stuck,
    may_draw_a,
    next_step,
    observe,
    takes_more,
    told,
    ways_of,
)
from pilotwire.domain.energy.model import Evse
from pilotwire.domain.energy.ports import ChargingAbilities
from pilotwire.domain.energy.profiles import bound_command, limit_command, settable_a

NOW = 1_800_000_000.0
EVSE = Evse(id="A/1", node_id="n", max_a=32)
ANY = ChargingAbilities()


def prepared(bound_a: float = 8.0, session: str | None = "s") -> Drive:
    drive = Drive()
    told(drive, "bound", bound_a, NOW - 100, outcome="taken")
    drive.begin(session)
    return drive


def told_limit(limit_a: float, tail_a: float = 8.0) -> Drive:
    drive = prepared()
    drive.last_sent_s = NOW
    told(drive, "session", limit_a, NOW, outcome="taken", tail_a=tail_a)
    return drive


def test_a_station_of_which_nothing_is_known_counts_in_full() -> None:
    assert may_draw_a(Drive(), 32, NOW) == 32
    assert Drive().state() == "unprepared"
    assert next_step(Drive(), None, 8, NOW) == "bound"


def test_a_prepared_station_counts_with_its_bound_and_with_what_is_under_way() -> None:
    drive = prepared(session=None)
    assert may_draw_a(drive, 32, NOW) == 8
    assert next_step(drive, None, 8, NOW) is None
    drive.sent_bound_a = 20.0  # sent, and the answer was lost
    assert may_draw_a(drive, 32, NOW) == 20
    assert next_step(drive, None, 8, NOW) == "bound"


def test_a_limit_falls_to_its_tail_by_itself() -> None:
    """Quirk `clock_of_schedules`."""
    drive = told_limit(20)
    sent = limit_command(EVSE, 1, ANY, ("session", "a"), 20, [(NOW, 8)], now_s=NOW, began_s=None)
    assert sent.profile.start_at.timestamp() == NOW - CLOCK_S  # type: ignore[union-attr]
    assert may_draw_a(drive, 32, NOW + HOLD_S) == 20  # its clock may be late
    assert may_draw_a(drive, 32, NOW + HOLD_S + CLOCK_S + 1) == 8


def test_a_lower_limit_counts_only_once_it_is_confirmed() -> None:
    drive = told_limit(20)
    drive.sent_a = 10.0
    assert may_draw_a(drive, 32, NOW) == 20
    told(drive, "session", 10, NOW + 1, outcome="unknown")
    assert may_draw_a(drive, 32, NOW + 1) == 20
    told(drive, "session", 10, NOW + 2, outcome="taken", tail_a=8)
    assert may_draw_a(drive, 32, NOW + 2) == 10


def test_a_higher_limit_counts_from_the_moment_of_sending() -> None:
    drive = told_limit(10)
    drive.sent_a = 25.0
    assert may_draw_a(drive, 32, NOW) == 25
    told(drive, "session", 25, NOW + 1, outcome="unknown")
    assert may_draw_a(drive, 32, NOW + 1) == 25
    told(drive, "session", 25, NOW + 30, outcome="refused", ways=2)
    assert may_draw_a(drive, 32, NOW + 31) == 10


@pytest.mark.parametrize(
    ("told_a", "wanted_a", "sent"),
    [
        (16, 16.7, False),
        (16, 17, True),
        (30, 31, False),
        (30, 31.5, True),
        (16, 15.9, True),
        (16, 0, True),
        (0, 6, True),
    ],
)
def test_small_rises_are_not_sent(told_a: float, wanted_a: float, sent: bool) -> None:
    drive = told_limit(told_a, tail_a=told_a)
    assert next_step(drive, wanted_a, 8, NOW + 11) == ("session" if sent else None)


def test_only_a_fall_hurries_while_a_fuse_bears_too_much() -> None:
    drive = told_limit(10)
    assert next_step(drive, 6, 8, NOW + 2.9, overloaded=True) is None
    assert next_step(drive, 6, 8, NOW + 3.1, overloaded=True) == "session"
    assert next_step(drive, 6, 8, NOW + 3.1) is None
    assert next_step(drive, 16, 8, NOW + 3.1, overloaded=True) is None
    drive.retry_at_s = NOW + 20
    assert next_step(drive, 6, 8, NOW + 3.1, overloaded=True) is None


def test_at_most_one_profile_in_ten_seconds_and_refusals_slow_down() -> None:
    drive = told_limit(10)
    assert next_step(drive, 0, 8, NOW + 9.9) is None
    assert next_step(drive, 0, 8, NOW + 10.1) == "session"
    waits = []
    for number in range(6):
        drive.last_sent_s = NOW + 100 * number
        told(drive, "session", 0, NOW + 100 * number, outcome="refused", ways=1)
        waits.append(drive.retry_at_s - NOW - 100 * number)
    assert waits == [10, 20, 40, 80, 160, 300]
    assert drive.state() == "rejecting"


def test_a_station_that_takes_no_default_profile_is_told_its_limits_all_the_same() -> None:
    drive = Drive(session="s")
    for number in range(4):
        told(drive, "bound", 8, NOW + number, outcome="refused")
    assert drive.state() == "rejecting"
    assert next_step(drive, 10, 8, NOW + 20) == "session"
    told(drive, "session", 10, NOW + 20, outcome="taken", tail_a=8)
    drive.last_sent_s = NOW + 20
    assert not is_stuck(drive, NOW + 21)
    assert next_step(drive, 7, 8, NOW + 31) == "session"  # no need to wait for the bound's next turn
    assert next_step(drive, 10, 8, NOW + 31) is None
    assert next_step(drive, 10, 8, NOW + 100) == "bound"


def test_what_holds_is_told_again_before_it_runs_out() -> None:
    drive = told_limit(20)
    assert next_step(drive, 20, 8, NOW + HOLD_S / 2) is None
    assert next_step(drive, 20, 8, NOW + HOLD_S - 200) == "session"
    quiet = told_limit(8)
    assert next_step(quiet, 8, 8, NOW + HOLD_S - 200) is None  # it stays what it is by itself


def test_what_leans_on_a_battery_holds_no_longer_than_that() -> None:
    drive = told_limit(20)
    # It was told for ten minutes; now that a battery bears a part of it, it is told for one.
    assert next_step(drive, 20, 8, NOW + 30) is None
    assert next_step(drive, 20, 8, NOW + 30, hold_s=60) == "session"
    told(drive, "session", 20, NOW + 30, outcome="taken", tail_a=8, hold_s=60)
    sent = limit_command(
        EVSE, 1, ANY, ("session", "a"), 20, [(NOW, 8)], now_s=NOW + 30, began_s=None, hold_s=60
    )  # fmt: skip
    start_s = sent.profile.start_at.timestamp()  # type: ignore[union-attr]
    assert [(start_s + each.start_s - NOW, each.limit) for each in sent.profile.periods][1] == (90, 8)
    assert may_draw_a(drive, 32, NOW + 30 + 60 + CLOCK_S - 1) == 20
    assert may_draw_a(drive, 32, NOW + 30 + 60 + CLOCK_S + 1) == 8
    drive.last_sent_s = NOW + 30
    assert next_step(drive, 20, 8, NOW + 45, hold_s=60) is None
    assert next_step(drive, 20, 8, NOW + 51, hold_s=60) == "session"
    assert next_step(drive, 20, 8, NOW + 45) == "session"  # no battery any more: for ten minutes again
    low = told_limit(8)
    assert next_step(low, 8, 8, NOW + 30, hold_s=60) is None  # it draws that by itself


def test_another_session_finds_the_bound_again() -> None:
    drive = told_limit(25)
    drive.begin("other")
    assert may_draw_a(drive, 32, NOW) == 8
    lasting = prepared()
    told(lasting, "session", 25, NOW, outcome="taken", tail_a=8, lasting=True)
    lasting.begin(None)
    assert may_draw_a(lasting, 32, NOW) == 25  # the default profile holds it until the bound is told again
    assert next_step(lasting, None, 8, NOW + 11) == "bound"


def test_a_refused_way_gives_way_to_the_next() -> None:
    """Quirk `limit_rejected`."""
    ways = ways_of(ANY, alone=False)
    assert ways == (("session", "a"), ("session", "w"), ("default", "a"), ("default", "w"))
    drive = prepared()
    told(drive, "session", 10, NOW, outcome="refused", ways=len(ways))
    assert (drive.way, drive.retry_at_s, drive.state()) == (1, NOW, "idle")
    assert ways_of(ChargingAbilities(units=("w",)), alone=True)[-1] == ("station", "w")
    assert {unit for _, unit in ways_of(ANY, alone=True, dc=True)} == {"w"}


def test_a_station_that_ignores_its_limit_is_told_asked_and_at_last_budgeted() -> None:
    """Quirk `limit_accepted_and_ignored`."""
    drive, pace, found = told_limit(10), Pace(), []
    at = NOW
    for _ in range(60):
        at += 5
        reaction = observe(drive, 16.0, at, at, 2, pace)
        if reaction is not None:
            found.append(reaction)
        if drive.again:  # it is told again, and accepts again
            told(drive, "session", 10, at, outcome="taken", tail_a=8)
    assert found == ["ask", "other_way", "again", "ignoring"]
    assert may_draw_a(drive, 32, at) == 16
    assert (drive.state(), drive.detail[:19]) == ("ignoring", "draws 16.0 A, was t")
    obeyed = [observe(drive, 9.0, at + step, at + step, 2, pace) for step in range(5, 100, 5)]
    assert "obeying" in obeyed
    assert (may_draw_a(drive, 32, at + 100), drive.state()) == (10, "confirmed")


def lowered(before_a: float, limit_a: float) -> Drive:
    """One that was told something higher for a while."""
    drive = told_limit(before_a)
    drive.told_at_s = NOW - 300
    told(drive, "session", limit_a, NOW, outcome="taken", tail_a=min(8, limit_a))
    return drive


def test_a_car_has_time_to_follow() -> None:
    drive = lowered(16, 6)
    assert all(observe(drive, 16.0, NOW + step, NOW + step, 2) is None for step in range(15))
    # Nothing is done about it yet; but what flows after five seconds counts for the fuse, until it has followed.
    assert (drive.real_a, drive.tries, drive.ignoring) == (16.0, 0, False)
    observe(drive, 6.0, NOW + 14.5, NOW + 14.5, 2)
    assert drive.real_a is None
    early = lowered(16, 6)
    assert all(observe(early, 16.0, NOW + step, NOW + step, 2) is None for step in range(5))
    assert early.real_a is None
    assert not is_stuck(early, NOW + 5)
    # While a fuse is measured to bear too much it has three.
    observe(early, 16.0, NOW + 2.9, NOW + 2.9, 2, overloaded=True)
    assert early.real_a is None
    observe(early, 16.0, NOW + 3.1, NOW + 3.1, 2, overloaded=True)
    assert (early.real_a, early.excess_a) == (16.0, 0.0)
    assert is_stuck(early, NOW + 5)


def test_limits_that_fall_one_after_the_other_do_not_hide_a_station_that_ignores_them() -> None:
    drive = lowered(16, 14)
    for number, limit in enumerate((12, 11, 10, 9)):
        at = NOW + 3 * (number + 1)
        observe(drive, 16.0, at - 0.1, at - 0.1, 2)
        told(drive, "session", limit, at, outcome="taken", tail_a=8)
    assert (drive.real_a, is_stuck(drive, NOW + 12)) == (16.0, True)


def test_what_is_drawn_above_anything_that_was_told_counts_at_once() -> None:
    new = prepared(bound_a=8)  # a session has just begun, and nothing was told yet but the bound
    observe(new, 16.0, NOW, NOW, 2)
    assert (new.real_a, may_draw_a(new, 32, NOW), excess_a(new, NOW)) == (16.0, 16.0, 8.0)
    raised = told_limit(6)
    raised.sent_a = 16.0  # its answer is on the way
    observe(raised, 16.0, NOW + 20, NOW + 20, 2)
    assert raised.real_a is None
    unknown = Drive(session="s")  # nobody has confirmed anything: it counts in full as it is
    observe(unknown, 16.0, NOW, NOW, 2)
    assert unknown.real_a is None


def test_a_station_that_rounds_up_counts_with_that_on_top() -> None:
    drive = told_limit(9.3)
    observe(drive, 10.0, NOW + 6, NOW + 6, 2)
    assert (drive.real_a, excess_a(drive, NOW + 6)) == (None, pytest.approx(0.7))
    assert not is_stuck(drive, NOW + 6)
    told(drive, "session", 8.0, NOW + 10, outcome="taken", tail_a=8)
    observe(drive, 8.0, NOW + 16, NOW + 16, 2)  # a limit that it takes as it is proves nothing
    assert excess_a(drive, NOW + 16) == pytest.approx(0.7)
    assert excess_a(drive, NOW + 1000) == 0.0


def test_a_station_with_coarse_steps_is_remembered_as_one() -> None:
    drive = told_limit(12.5)
    observe(drive, 16.0, NOW + 6, NOW + 6, 2)
    assert (drive.real_a, is_stuck(drive, NOW + 6)) == (16.0, True)
    assert excess_a(drive, NOW + 6) == pytest.approx(3.5)
    told(drive, "session", 9.0, NOW + 7, outcome="taken", tail_a=8)
    observe(drive, 10.0, NOW + 13, NOW + 13, 2)
    assert (drive.real_a, excess_a(drive, NOW + 13)) == (None, pytest.approx(3.5))


def test_who_is_slow_is_not_taken_for_one_that_takes_more() -> None:
    drive = lowered(16, 8)
    observe(drive, 16.0, NOW + 7, NOW + 7, 2)
    assert is_stuck(drive, NOW + 7)
    observe(drive, 8.0, NOW + 9, NOW + 9, 2)
    assert (is_stuck(drive, NOW + 9), excess_a(drive, NOW + 9)) == (False, 0.0)


def test_who_refuses_or_owes_an_answer_counts_as_stuck() -> None:
    drive = told_limit(10)
    drive.sent_a, drive.last_sent_s = 6.0, NOW + 20
    assert not is_stuck(drive, NOW + 24)
    assert is_stuck(drive, NOW + 26)
    told(drive, "session", 6.0, NOW + 50, outcome="unknown")
    assert is_stuck(drive, NOW + 51)
    told(drive, "session", 6.0, NOW + 60, outcome="taken", tail_a=6)
    assert not is_stuck(drive, NOW + 61)
    told(drive, "session", 0.0, NOW + 70, outcome="refused", ways=1)
    assert is_stuck(drive, NOW + 71)
    assert not is_stuck(drive, NOW + 200)  # nothing else has been asked of it since


@given(
    limit=st.floats(0, 40),
    bound=st.floats(0, 32),
    steps=st.sampled_from([(), (6.0, 8.0, 10.0, 13.0, 16.0)]),
    unit=st.sampled_from(["a", "w"]),
    relative=st.booleans(),
    most=st.integers(1, 5),
    plan=st.lists(st.tuples(st.floats(0, 86_400), st.floats(0, 32)), max_size=8),
)
def test_no_profile_says_more_than_it_may(
    limit: float,
    bound: float,
    steps: tuple[float, ...],
    unit: str,
    relative: bool,
    most: int,
    plan: list[tuple[float, float]],
) -> None:
    abilities = ChargingAbilities(steps_a=steps, relative_only=relative, most_periods=most)
    wanted, bound = settable_a(EVSE, abilities, limit), settable_a(EVSE, abilities, bound)
    assert wanted <= limit
    assert wanted == 0 or wanted >= EVSE.min_a
    tail = [(NOW + at, min(bound, settable_a(EVSE, abilities, amount))) for at, amount in sorted(plan)] or [
        (NOW, bound)
    ]
    command = limit_command(
        EVSE,
        1,
        abilities,
        ("session", unit),
        wanted,
        tail,
        now_s=NOW,
        began_s=NOW - 500,  # type: ignore[arg-type]
    )
    per_amp = 1.0 if unit == "a" else EVSE.watts_per_amp()
    profile = command.profile
    start = NOW - 500 if relative else profile.start_at.timestamp()  # type: ignore[union-attr]
    assert len(profile.periods) <= most
    for period in profile.periods:
        holds = start + period.start_s < NOW + HOLD_S - 1
        assert period.limit <= (wanted if holds else bound) * per_amp + 1e-6
    falls = any(start + period.start_s >= NOW + HOLD_S - 1 for period in profile.periods)
    assert falls or profile.duration_s is not None or wanted <= bound or all(a == wanted for _, a in tail)


def test_the_bound_is_the_default_without_end() -> None:
    command = bound_command(EVSE, 2, ANY, 0, 7.5)
    profile = command.profile
    assert (command.evse_id, profile.purpose, profile.stack_level, profile.duration_s) == (
        2,
        "default",
        0,
        None,
    )
    assert [(p.start_s, p.limit) for p in profile.periods] == [(0, 7.5)]
    assert bound_command(EVSE, 2, ANY, 1, 10).profile.periods[0].limit == 6900


def test_a_station_that_ends_sessions_at_zero_is_given_its_least() -> None:
    assert settable_a(EVSE, ANY, 4) == 0
    assert settable_a(EVSE, ChargingAbilities(zero_ends_session=True), 0) == 6


def test_that_a_station_takes_more_than_it_was_ever_told_is_news_once() -> None:
    drive = prepared(bound_a=6.0)
    assert not takes_more(drive, 6.5, NOW)
    assert takes_more(drive, 16.0, NOW)
    drive = told_limit(16)
    told(drive, "session", 8.0, NOW + 5, outcome="taken", tail_a=6.0)
    assert not takes_more(drive, 16.0, NOW + 7), "it may not have followed yet"
    assert takes_more(drive, 20.0, NOW + 7)
    observe(drive, 20.0, NOW + 12, NOW + 12, 2)
    assert drive.real_a == 20.0
    assert not takes_more(drive, 20.0, NOW + 13), "it counts already"
