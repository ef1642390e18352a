"""What one session message leads to, case by case."""

from collections.abc import Callable
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.lookups import SessionLookup, StartLookup
from pilotwire.domain.sessions.decide import SessionsView, decide_event, decide_samples
from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionEvent
from tests.unit.domain.sessions.bench import ACCEPTED, INVALID, Station, at, samples, start, stop, wh


@pytest.fixture
def station() -> Station:
    return Station()


def begun(
    station: Station, connector: int = 1, token: str = "CARD", seconds: float = 0, meter: float = 0
) -> str:
    return station.says(start(connector, token, seconds, meter), ACCEPTED).transaction_ref


# ---- 1.6: stops --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["0", "-1", "4711"])
@pytest.mark.parametrize("token", ["CARD", "card", None])
def test_a_stop_with_a_wrong_reference_ends_the_session_it_means(
    station: Station, wrong: str, token: str | None
) -> None:
    ref = begun(station, meter=100)
    assert station.says(stop(wrong, 600, 900, token)).transaction_ref == wrong
    kept = station.session(ref)
    assert kept.state == "ended"
    assert kept.facts.energy_wh == 800
    assert len(station.sessions) == 1


@pytest.mark.parametrize("wrong", ["0", "-1", "4711"])
def test_the_same_wrong_stop_again_leaves_nothing(station: Station, wrong: str) -> None:
    begun(station)
    for _ in range(3):
        station.says(stop(wrong, 600, 900, "CARD"))
    station.reconnect()
    station.says(stop(wrong, 600, 900, "CARD"))
    assert len(station.sessions) == 1
    assert [event.kind for event in station.events] == ["started", "ended"]


def test_a_wrong_stop_again_does_not_end_the_next_session(station: Station) -> None:
    begun(station, seconds=0)
    station.says(stop("-1", 600, 900, "CARD"))
    second = begun(station, seconds=600, meter=900)
    station.says(stop("-1", 600, 900, "CARD"))
    assert station.session(second).state == "active"


def test_a_stop_that_means_nobody_is_kept_as_an_orphan_once(station: Station) -> None:
    begun(station, connector=1, token="ONE")
    for _ in range(2):
        assert station.says(stop("0", 600, 900, "STRANGER")).transaction_ref == "0"
        station.reconnect()
    orphan = station.session("orphan:0:2026-03-01T12:10:00+00:00")
    assert orphan.state == "disputed"
    assert "stop_without_start" in orphan.review
    assert len(station.sessions) == 2


def test_a_stop_that_fits_two_connectors_is_not_guessed(station: Station) -> None:
    first, second = begun(station, 1), begun(station, 2, seconds=1)
    station.says(stop("0", 600, 900, "CARD"))
    assert station.session(first).state == station.session(second).state == "active"
    assert len(station.sessions) == 3


def test_the_register_tells_which_connector_a_wrong_stop_means(station: Station) -> None:
    first = begun(station, 1, meter=5_000_000)
    second = begun(station, 2, seconds=1, meter=1000)
    station.says(stop("0", 600, 3000, "CARD"))
    assert station.session(first).state == "active"
    assert station.session(second).facts.energy_wh == 2000


def test_a_queued_stop_of_another_systems_transaction_ends_nothing(station: Station) -> None:
    live = begun(station, seconds=3600)
    station.says(stop("7788", 60, 500, "CARD"))
    assert station.session(live).state == "active"


def test_a_wrong_stop_ends_the_newest_of_one_connector(station: Station) -> None:
    zombie = begun(station, seconds=0, meter=100)
    live = begun(station, seconds=3600, meter=100)
    station.says(stop("-1", 7200, 900, "CARD"))
    assert station.session(zombie).state == "active"
    assert station.session(live).state == "ended"


def test_another_stop_of_an_ended_session_changes_nothing(station: Station) -> None:
    ref = begun(station)
    station.says(stop(ref, 600, 900))
    before = station.session(ref).facts
    assert station.says(stop(ref, 900, 9999)).transaction_ref == ref
    assert station.session(ref).facts == before


def test_the_card_at_the_end_does_not_take_over_though_the_clock_went_back(station: Station) -> None:
    ref = begun(station, token="FIRST", seconds=7200)
    station.says(stop(ref, 60, 10, "SECOND"), INVALID)
    assert station.session(ref).facts.token_uid == "FIRST"
    assert station.session(ref).facts.token_verdict == "accepted"


# ---- 1.6: starts -------------------------------------------------------------------------------------------


def test_a_start_over_an_open_session_leaves_it_alone(station: Station) -> None:
    first = begun(station, seconds=0)
    second = begun(station, seconds=60)
    assert first != second
    assert "started_over_open_session" in station.session(second).review
    assert station.session(first).facts.flags == frozenset()
    station.says(stop(first, 120, 50))
    assert (station.session(first).state, station.session(second).state) == ("ended", "active")


def test_a_refused_start_does_not_touch_the_live_session(station: Station) -> None:
    live = begun(station, seconds=0, meter=100)
    before = station.session(live).facts
    refused = station.says(start(1, "BAD", 60, 150), INVALID)
    assert refused.token == INVALID
    assert station.session(live).facts == before
    station.reports(samples(1, None, (120, 400)))
    assert station.session(live).facts.energy_wh == 300
    assert station.session(refused.transaction_ref).facts.last_meter is None


def test_a_stop_without_a_token_means_the_session_that_was_not_refused(station: Station) -> None:
    live = begun(station, seconds=0, meter=100)
    station.says(start(1, "BAD", 60, 150), INVALID)
    station.says(stop("0", 600, 400))
    assert station.session(live).state == "ended"


def test_a_start_from_the_wrong_century_is_kept_and_flagged(station: Station) -> None:
    for seconds in (-56 * 366 * 86400, 86400 * 400):
        ref = begun(station, seconds=seconds)
        assert "clock_implausible" in station.session(ref).review
    assert "clock_implausible" not in station.session(begun(station, seconds=-86400 * 90)).review


# ---- 1.6: samples ------------------------------------------------------------------------------------------


def test_samples_without_a_reference_belong_to_the_open_session_of_their_connector(station: Station) -> None:
    one, two = begun(station, 1), begun(station, 2)
    station.reports(samples(2, None, (60, 500)))
    assert station.session(one).facts.last_meter is None
    assert station.session(two).facts.energy_wh == 500


def test_samples_with_an_unknown_reference_belong_to_their_connector(station: Station) -> None:
    ref = begun(station, 1)
    station.reports(samples(1, "4711", (60, 500)))
    assert station.session(ref).facts.energy_wh == 500


def test_samples_of_nobody_are_kept_without_a_session(station: Station) -> None:
    station.reports(samples(1, "4711", (60, 500)))
    assert [sample.session_id for sample in station.samples] == [None]
    assert not station.sessions


@pytest.mark.parametrize("named", [True, False])
def test_closing_samples_after_the_stop_belong_to_the_ended_session(station: Station, named: bool) -> None:
    ref = begun(station)
    station.says(stop(ref, 600, 900))
    station.reports(samples(1, ref if named else None, (599, 899)))
    kept = station.session(ref)
    assert kept.state == "ended"
    assert kept.facts.energy_wh == 900
    assert station.samples[-1].session_id == kept.facts.id


def test_samples_after_the_end_that_name_nothing_stay_alone(station: Station) -> None:
    ref = begun(station)
    station.says(stop(ref, 600, 900))
    station.reports(samples(1, None, (601, 900)))
    assert station.samples[-1].session_id is None


@pytest.mark.parametrize("ref", [None, "1000"])
def test_the_sum_of_a_cluster_is_never_counted(station: Station, ref: str | None) -> None:
    begun(station, 1)
    begun(station, 2)
    station.reports(SamplesReported(0, 0, ref, (Sample(at(60), None, wh(10_000)),)))
    assert all(facts.last_meter is None for facts in station.facts())
    assert station.samples[-1].session_id is None


def test_values_of_one_moment_in_several_messages_are_no_repetitions(station: Station) -> None:
    ref = begun(station)
    for sample in (
        Sample(at(60), "Sample.Periodic", wh(100)),
        Sample(at(60), "Sample.Periodic", power_w=7000.0),
        Sample(at(60), "Sample.Periodic", current_l1_a=10.0),
        Sample(at(60), "Sample.Periodic", power_w=7000.0),
    ):
        station.reports(SamplesReported(1, 1, ref, (sample,)))
    assert len(station.samples) == 3
    facts = station.session(ref).facts
    assert facts.last_power is not None
    assert facts.energy_wh == 100
    assert facts.last_power[1] == 7000.0


def test_in_2x_samples_outside_events_belong_to_no_session(station: Station) -> None:
    station.says(SessionEvent(Phase.STARTED, "tx", at(0), 0, evse_no=1))
    station.reports(SamplesReported(1, 0, None, (Sample(at(60), None, wh(500)),), in_session=False))
    assert station.session("tx").facts.last_meter is None


# ---- 2.x ---------------------------------------------------------------------------------------------------


def test_a_station_that_never_counts_up_still_ends_its_session(station: Station) -> None:
    for phase in Phase:
        for _ in range(2):
            station.says(SessionEvent(phase, "tx", at(0), 0, evse_no=1))
    assert station.session("tx").state == "ended"
    assert [event.kind for event in station.events] == ["started", "ended"]


def test_an_end_without_a_start_is_disputed_until_the_start_comes(station: Station) -> None:
    station.says(SessionEvent(Phase.ENDED, "tx", at(60), 1, evse_no=1))
    assert station.session("tx").state == "disputed"
    assert set(station.session("tx").review) == {"stop_without_start", "events_missing"}
    station.says(SessionEvent(Phase.STARTED, "tx", at(0), 0, evse_no=1))
    assert station.session("tx").state == "ended"
    assert station.session("tx").review == ()


def test_the_middle_of_a_session_opens_it(station: Station) -> None:
    station.says(SessionEvent(Phase.UPDATED, "tx", at(60), 3, evse_no=1))
    assert station.session("tx").state == "active"
    assert station.session("tx").review == ("start_never_seen",)


# ---- T5: stations never mix --------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["start", "stop", "event", "samples"])), max_size=30
    )
)
def test_stations_with_the_same_references_never_mix(steps: list[tuple[int, str]]) -> None:
    """Two tenants with three stations each; all name the same transactions."""
    stations = [Station(i, i // 3, numbers=count(1).__next__, keep=1) for i in range(6)]
    for moment, (which, what) in enumerate(steps):
        station = stations[which]
        others = [dict(other.sessions) for other in stations if other is not station]
        if what == "start":
            station.says(start(1, "CARD", moment, 0), ACCEPTED)
        elif what == "stop":
            station.says(stop("1", moment, 10, "CARD"))
        elif what == "event":
            station.says(SessionEvent(Phase.UPDATED, "1", at(moment), moment, evse_no=1))
        else:
            station.reports(samples(1, "1", (moment, moment)))
        assert [dict(other.sessions) for other in stations if other is not station] == others
        for kept in station.sessions.values():
            assert (kept.tenant_id, kept.station_id) == (station.tenant_id, station.station_id)
        for sample in station.samples:
            assert sample.station_id == station.station_id
            assert sample.session_id is None or sample.session_id in station.sessions


# ---- lookups -----------------------------------------------------------------------------------------------


def many_ended(keep: int, sessions: int) -> tuple[Station, list[str]]:
    station = Station(keep=keep)
    refs = []
    for number in range(sessions):
        refs.append(begun(station, seconds=1000 * number))
        station.says(stop(refs[-1], 1000 * number + 500, 10, "CARD"))
    station.reconnect()
    return station, refs


def test_nothing_is_looked_up_while_memory_is_complete() -> None:
    station, refs = many_ended(keep=20, sessions=5)
    station.says(stop("-1", 99, 99, "X"))
    station.says(stop(refs[0], 500, 10))
    station.reports(samples(1, "4711", (1, 1)))
    station.says(start(1, "CARD", 0, 0), ACCEPTED)
    assert station.lookups == []
    assert len(station.sessions) == 6


def test_what_began_after_everything_known_is_not_looked_up() -> None:
    station, _ = many_ended(keep=2, sessions=5)
    begun(station, seconds=10_000)
    station.says(SessionEvent(Phase.STARTED, "new", at(10_001), 0, evse_no=2))
    assert station.lookups == []


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda s, refs: s.says(start(1, "CARD", 0, 0), ACCEPTED), StartLookup),
        (lambda s, refs: s.says(stop(refs[0], 500, 10)), SessionLookup),
        (lambda s, refs: s.reports(samples(1, refs[0], (400, 9))), SessionLookup),
        (lambda s, refs: s.says(SessionEvent(Phase.UPDATED, refs[0], at(0), 0)), SessionLookup),
        (lambda s, refs: s.says(SessionEvent(Phase.STARTED, "else", at(0), 0)), SessionLookup),
    ],
)
def test_what_memory_cannot_know_is_looked_up_once(
    ask: Callable[[Station, list[str]], object], expected: type
) -> None:
    station, refs = many_ended(keep=2, sessions=5)
    ask(station, refs)
    assert [type(lookup) for lookup in station.lookups] == [expected]
    ask(station, refs)
    assert len(station.lookups) == 1


def test_an_old_session_that_was_looked_up_is_not_forgotten_before_it_is_used() -> None:
    station, refs = many_ended(keep=20, sessions=60)
    for number in range(25):  # memory fills with newer ones
        ref = begun(station, seconds=10**6 + 10 * number)
        station.says(stop(ref, 10**6 + 10 * number + 5, 10))
    station.says(stop(refs[0], 500, 10))
    assert len(station.lookups) == 1


def test_wrong_references_do_not_fill_the_memory() -> None:
    station, _ = many_ended(keep=2, sessions=5)
    for number in range(1000):
        station.reports(samples(1, f"wrong-{number}", (1, 1)))
        station.says(stop("-1", number, 5, "X"))
    assert len(station.view.by_ref) < 200
    assert len(station.view.starts) < 200


def test_open_sessions_that_never_end_do_not_fill_the_memory() -> None:
    station = Station()
    refs = [begun(station, seconds=60 * number) for number in range(400)]
    assert len(station.view.by_ref) < 200
    station.says(stop(refs[0], 30, 10))
    assert station.session(refs[0]).state == "ended"


def test_the_decision_itself_changes_nothing_when_it_asks() -> None:
    station, refs = many_ended(keep=2, sessions=5)
    view: SessionsView = station.view
    before = (dict(view.by_ref), dict(view.starts), view.horizon, view.complete)
    with pytest.raises(SessionLookup):
        decide_event(view, stop(refs[0], 500, 10), station.deciding, None)
    with pytest.raises(SessionLookup):
        decide_samples(view, samples(1, refs[0], (1, 1)), station.deciding)
    with pytest.raises(StartLookup):
        decide_event(view, start(1, "CARD", 0, 0), station.deciding, ACCEPTED)
    assert (dict(view.by_ref), dict(view.starts), view.horizon, view.complete) == before
    assert station.numbers_given == [int(ref) for ref in refs]


# ---- registers ---------------------------------------------------------------------------------------------


def test_a_relative_register_is_put_on_the_lifetime_register(station: Station) -> None:
    ref = begun(station, meter=4_076_000)
    station.reports(samples(1, ref, (60, 0)))
    station.reports(samples(1, ref, (120, 350)))
    kept = station.session(ref)
    assert kept.facts.energy_wh == 350
    assert kept.review == ("register_relative",)
    station.says(stop(ref, 180, 4_076_500))
    assert station.session(ref).facts.energy_wh == 500
    assert station.session(ref).state == "ended"


def test_a_relative_register_on_a_nearly_new_meter_goes_on_beyond_its_start(station: Station) -> None:
    ref = begun(station, meter=1000)
    for seconds, energy in ((600, 0), (1200, 700), (2400, 2200)):
        station.reports(samples(1, ref, (seconds, energy)))
    assert station.session(ref).facts.energy_wh == 2200


def test_kwh_that_were_called_wh_are_read_as_kwh(station: Station) -> None:
    ref = begun(station, meter=12_345_678)
    station.reports(samples(1, ref, (60, 12345.7)))
    station.reports(samples(1, ref, (120, 12346.2)))
    kept = station.session(ref)
    assert kept.review == ("register_in_kwh",)
    assert kept.facts.energy_wh == wh("522.0")


def test_a_single_zero_among_good_values_is_no_mode(station: Station) -> None:
    ref = begun(station, meter=500_000)
    for seconds, energy in ((60, 500_100), (120, 0), (180, 500_300)):
        station.reports(samples(1, ref, (seconds, energy)))
    assert station.session(ref).facts.energy_wh == 300
    assert station.session(ref).review == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**11), st.lists(st.integers(0, 100_000), min_size=1, max_size=8))
def test_a_relative_register_never_gives_more_than_it_counts(meter: int, counted: list[int]) -> None:
    station = Station()
    ref = begun(station, meter=meter)
    values = [0, *sorted(counted)]
    for number, value in enumerate(values):
        station.reports(samples(1, ref, (3600 * number + 1, value)))
    energy = station.session(ref).facts.energy_wh
    # On a new meter the two kinds cannot be told apart before a value lies below the start.
    assert energy is not None
    assert 0 <= energy <= max(values[-1], 500_000)
    if meter > 500_000:
        assert energy == values[-1]


def test_samples_given_with_the_stop_are_kept_once(station: Station) -> None:
    ref = begun(station, meter=100)
    station.reports(samples(1, ref, (60, 200)))
    taken = (
        Sample(at(60), "Sample.Periodic", wh(200)),
        Sample(at(120), "Transaction.End", wh(300)),
    )
    station.says(msgspec.structs.replace(stop(ref, 120, 300), samples=taken))
    assert [sample.sample.energy_wh for sample in station.samples] == [200, 300]
