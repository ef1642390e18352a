"""Whether a session is over: each rule from both sides, and that none ends what goes on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from pilotwire.domain.sessions.model import Meter, SessionFacts
from pilotwire.domain.supervision.judge import judge_session
from pilotwire.domain.supervision.model import Ask, Case, Cause, NewerSession, Report, Rules, Said, Settle
from tests.unit.domain.sessions.bench import T0, at

RULES = Rules()
MINUTE, HOUR = 60, 3600


def facts(**more: Any) -> SessionFacts:
    return SessionFacts(
        id=UUID(int=1),
        transaction_ref="7",
        first_at=T0,
        **{"last_at": at(600), "started_at": T0, "stated_start_wh": Decimal(1000), **more},
    )


def case(**more: Any) -> Case:
    given: dict[str, Any] = {
        "facts": facts(),
        "first_received_at": T0,
        "last_received_at": at(600),
        "connected": True,
        "away_since": None,
        "status": "charging",
        "status_at": at(1),
        "status_received_at": at(1),
    }
    return Case(**{**given, **more})


def judged(made: Case, seconds: float, rules: Rules = RULES) -> Any:
    return judge_session(made, rules, at(seconds))


def free(**more: Any) -> Case:
    return case(status="available", status_at=at(700), status_received_at=at(700), **more)


def test_a_session_that_reports_is_left_alone() -> None:
    assert judged(case(), 620) is None
    assert judged(case(last_received_at=at(86_000)), 86_400) is None


def test_a_free_connector_is_asked_about_first() -> None:
    assert judged(free(), 700 + RULES.free_after_s - 1) is None
    assert judged(free(), 700 + RULES.free_after_s) == Ask(Cause.CONNECTOR_FREE)


def test_a_free_connector_ends_the_session_after_patience() -> None:
    asked = free(asked_at=at(1000), said=Said.NOTHING)
    assert judged(asked, 1100) == Report(Cause.CONNECTOR_FREE)
    told = msgspec.structs.replace(asked, reported=Cause.CONNECTOR_FREE)
    assert judged(told, 1100) is None
    assert judged(told, 700 + RULES.patience_s) == Settle(Cause.CONNECTOR_FREE, at(700))


def test_the_meter_of_a_free_connector_is_no_sign_of_life() -> None:
    """Some 1.6 stations report a free connector's meter every quarter of an hour, without a transaction."""
    still = facts(rise=(Decimal(1500), at(600)), powered_at=at(500), last_at=at(5000))
    assert judged(free(facts=still, last_received_at=at(5000)), 5100) == Ask(Cause.CONNECTOR_FREE)
    rising = facts(rise=(Decimal(1500), at(4900)), last_at=at(5000))
    assert judged(free(facts=rising, last_received_at=at(5000)), 5100) is None


def test_an_older_available_says_nothing() -> None:
    early = case(status="available", status_at=T0 - timedelta(minutes=1), status_received_at=at(700))
    assert judged(early, 1500) is None


@pytest.mark.parametrize("status", ["charging", "occupied", "suspended_ev", "finishing", None])
def test_silence_of_a_connector_in_use_asks_and_never_ends(status: str | None) -> None:
    silent = case(status=status)
    assert judged(silent, 600 + RULES.silent_after_s) == Ask(Cause.SILENT)
    asked = case(status=status, asked_at=at(2500), said=Said.NOTHING)
    assert judged(asked, 2600) is None
    assert judged(asked, 2500 + 2 * RULES.patience_s) == Ask(Cause.SILENT)


def test_silence_of_a_broken_connector_ends_after_patience() -> None:
    asked = case(status="faulted", asked_at=at(2500), said=Said.NOTHING, reported=Cause.SILENT)
    assert judged(asked, 2600) is None
    assert judged(asked, 2400 + RULES.patience_s) == Settle(Cause.SILENT)


def test_what_the_station_says_counts() -> None:
    over = case(asked_at=at(2500), said=Said.OVER)
    assert judged(over, 2510) == Settle(Cause.STATION_SAYS_OVER)
    for said in (Said.ONGOING, Said.QUEUED):
        waits = case(asked_at=at(2500), said=said, reported=Cause.SILENT)
        assert judged(waits, 2510) is None
        assert judged(waits, 2500 + RULES.patience_s) == Ask(Cause.SILENT)


def test_an_answer_from_before_is_none() -> None:
    asked_before = case(asked_at=at(500), said=Said.OVER)
    assert judged(asked_before, 600 + RULES.silent_after_s) == Ask(Cause.SILENT)


def test_a_station_that_is_away_is_waited_for() -> None:
    away = case(connected=False, away_since=at(650))
    assert judged(away, 650 + RULES.gone_after_s - 1) is None
    assert judged(away, 650 + RULES.gone_after_s) == Settle(Cause.STATION_GONE)


def test_the_next_session_ends_the_former_with_its_register() -> None:
    newer = NewerSession(at(2000), Decimal(4000))
    assert judged(case(newer=newer), 2100) is None
    assert judged(case(newer=newer), 2000 + RULES.free_after_s) == Ask(Cause.SUPERSEDED)
    asked = case(newer=newer, asked_at=at(2300), said=Said.NOTHING, reported=Cause.SUPERSEDED)
    ended = judged(asked, 2000 + RULES.patience_s)
    assert ended == Settle(Cause.SUPERSEDED, None, Decimal(4000))
    sampled = facts(last_meter=Meter((0, at(600)), Decimal(1500)))
    known = msgspec.structs.replace(asked, facts=sampled)
    assert judged(known, 2000 + RULES.patience_s) == Settle(Cause.SUPERSEDED)


def test_a_long_session_is_told_of_once_and_ended_only_when_nothing_is_heard() -> None:
    later = RULES.longest_s + HOUR
    goes_on = case(last_received_at=at(later - 60))
    assert judged(goes_on, later) == Ask(Cause.OVER_LONG)
    asked = msgspec.structs.replace(goes_on, asked_at=at(later), said=Said.NOTHING)
    assert judged(asked, later + 10) == Report(Cause.OVER_LONG)
    told = msgspec.structs.replace(asked, reported=Cause.OVER_LONG)
    assert judged(told, later + 10) is None
    quiet = msgspec.structs.replace(told, last_received_at=at(later - RULES.gone_after_s - RULES.patience_s))
    assert judged(quiet, later + RULES.patience_s) == Settle(Cause.OVER_LONG)


def test_rules_that_do_not_settle_only_tell() -> None:
    rules = Rules(settle=False)
    gone = case(connected=False, away_since=at(650))
    assert judged(gone, 650 + RULES.gone_after_s, rules) == Report(Cause.STATION_GONE)
    told = msgspec.structs.replace(gone, reported=Cause.STATION_GONE)
    assert judged(told, 650 + RULES.gone_after_s, rules) is None
