"""Targets: when they are reached, and what is done until the session has stopped."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.sessions.messages import Phase, Sample, SessionEvent
from pilotwire.domain.sessions.target import Target
from pilotwire.domain.supervision.model import TargetState
from pilotwire.domain.supervision.repository import Watched
from pilotwire.domain.supervision.steer import AskMeter, Finish, GiveStop, Retry, Wait, steer
from pilotwire.domain.supervision.usecases.manage_targets import read_target
from tests.unit.domain.sessions.bench import Station, at, wh

TASK = UUID(int=5)


def watched(
    target: dict[str, Any],
    energy: float = 0,
    power: float | None = None,
    soc: float | None = None,
    **more: Any,
) -> Watched:
    station = Station()
    station.says(SessionEvent(Phase.STARTED, "TX", at(0), 0, 1, 1, samples=(Sample(at(0), energy_wh=wh(0)),)))
    sample = Sample(at(60), energy_wh=wh(energy), power_w=power, soc_percent=soc)
    station.says(SessionEvent(Phase.UPDATED, "TX", at(60), 1, samples=(sample,)))
    facts = station.session("TX").facts
    given = {"state": "waiting", "task_id": None, "attempts": 0, "next_at": None, **more}
    return Watched(
        UUID(int=1), 1, 1, "CP-1", msgspec.convert(target, Target), facts=facts, begun_at=at(0), heard_at=at(60),
        **given,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "state", "now", "reached"),
    [
        ({"energy_wh": 5000}, {"energy": 4999}, 100, None),
        ({"energy_wh": 5000}, {"energy": 5000}, 100, "energy_wh"),
        ({"duration_s": 100}, {}, 99, None),
        ({"duration_s": 100}, {}, 100, "duration_s"),
        ({"soc_percent": 80}, {"soc": 79.9}, 100, None),
        ({"soc_percent": 80}, {"soc": 80}, 100, "soc_percent"),
        ({"soc_percent": 80}, {}, 100_000, None),
        ({"until": "2026-03-01T12:10:00Z"}, {}, 599, None),
        ({"until": "2026-03-01T12:10:00Z"}, {}, 600, "until"),
        ({"energy_wh": 5000, "duration_s": 100}, {"energy": 1}, 100, "duration_s"),
    ],
)
def test_a_session_is_stopped_where_its_target_is(
    target: dict[str, Any], state: dict[str, Any], now: float, reached: str | None
) -> None:
    step = steer(watched(target, **state), None, at(now))
    assert step == GiveStop(reached) if reached else isinstance(step, Wait)


def test_the_meter_is_read_when_the_energy_should_be_reached() -> None:
    # 1000 Wh are left, which 12 kW deliver in 300 s after the sample at 60 s.
    soon = watched({"energy_wh": 5000}, energy=4000, power=12_000)
    assert steer(soon, None, at(100)) == Wait(at(360))
    assert steer(soon, None, at(360)) == AskMeter()


def test_a_stop_that_does_not_succeed_is_given_again_and_then_given_up() -> None:
    target, stopping = {"energy_wh": 1}, TargetState.STOPPING.value
    again: list[datetime] = []
    for attempts in range(1, 5):
        tried = watched(target, 9, state=stopping, task_id=TASK, attempts=attempts)
        step = steer(tried, ("rejected", "rejected", ""), at(0))
        assert isinstance(step, Retry)
        again.append(step.at)
    assert again == sorted(again)
    last = watched(target, 9, state=stopping, task_id=TASK, attempts=5)
    assert steer(last, ("failed", "not_ended", "it goes on"), at(0)) == Finish(
        TargetState.MISSED, "not_ended: it goes on"
    )


@pytest.mark.parametrize("state", ["queued", "sent", "accepted", "done"])
def test_a_stop_under_way_is_waited_for(state: str) -> None:
    tried = watched({"energy_wh": 1}, 9, state="stopping", task_id=TASK, attempts=1)
    assert steer(tried, (state, "", ""), at(0)) == Wait()


def test_a_stop_that_a_restart_has_lost_is_given() -> None:
    lost = watched({"energy_wh": 1}, 9, state="stopping")
    assert isinstance(steer(lost, None, at(0)), GiveStop)
    later = watched({"energy_wh": 1}, 9, state="stopping", attempts=1, next_at=at(0) + timedelta(seconds=10))
    assert steer(later, None, at(5)) == Wait(at(10))
    assert isinstance(steer(later, None, at(10)), GiveStop)


def test_the_end_of_the_session_is_the_end_of_its_target() -> None:
    ended = watched({"energy_wh": 1}, 9)
    ended.facts = msgspec.structs.replace(ended.facts, ended_at=at(100))
    assert steer(ended, None, at(100)) == Finish(TargetState.OVER)
    ended.state = "stopping"
    assert steer(ended, None, at(100)) == Finish(TargetState.REACHED)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "at least one"),
        ({"energy_wh": 0}, "energy_wh"),
        ({"soc_percent": 101}, "soc_percent"),
        ({"until": "2026-01-01T00:00:00"}, "until"),
        ({"kwh": 5}, "kwh"),
    ],
)
def test_an_impossible_target_is_refused_in_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_target(given)
