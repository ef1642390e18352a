"""What is to be done for a session with a target: pure."""

from datetime import datetime, timedelta

import msgspec

from pilotwire.domain.operations.model import FINAL, CommandState
from pilotwire.domain.sessions.target import ask_at, reached, reached_by_clock_at
from pilotwire.domain.supervision.model import TargetState
from pilotwire.domain.supervision.repository import Watched

__all__ = ["AskMeter", "Finish", "GiveStop", "Retry", "Step", "Wait", "steer"]

_RETRY_S = (10, 30, 60, 300, 900)


class Wait(msgspec.Struct, frozen=True):
    """Nothing now; look again at a moment if there is one."""

    until: datetime | None = None


class AskMeter(msgspec.Struct, frozen=True):
    """The energy should be reached: have the meter read."""


class GiveStop(msgspec.Struct, frozen=True):
    """Give the station the command to stop; `reached` says what of the target was reached."""

    reached: str


class Retry(msgspec.Struct, frozen=True):
    """A stop did not succeed: give another one at a moment."""

    at: datetime
    why: str


class Finish(msgspec.Struct, frozen=True):
    """The target is done with."""

    state: TargetState
    why: str = ""


Step = Wait | AskMeter | GiveStop | Retry | Finish


def steer(watched: Watched, command: tuple[str, str, str] | None, now: datetime) -> Step:
    """Say what is to be done now; `command` is state, outcome and detail of the stop that was given."""
    facts = watched.facts
    stopping = watched.state == TargetState.STOPPING
    if facts.over:
        return Finish(TargetState.REACHED if stopping else TargetState.OVER)
    if not stopping:
        return _waiting(watched, now)
    if watched.next_at is not None and now < watched.next_at:
        return Wait(watched.next_at)
    if watched.task_id is None or command is None:
        return GiveStop("")
    state, outcome, detail = command
    if CommandState(state) not in FINAL or state == CommandState.DONE:
        return Wait()  # the end of the session is on its way
    if watched.attempts >= len(_RETRY_S):
        return Finish(TargetState.MISSED, f"{outcome}: {detail}".strip(": "))
    return Retry(now + timedelta(seconds=_RETRY_S[watched.attempts - 1]), outcome)


def _waiting(watched: Watched, now: datetime) -> Step:
    what = reached(watched.target, watched.facts, watched.begun_at, now)
    if what is not None:
        return GiveStop(what)
    by_clock = reached_by_clock_at(watched.target, watched.begun_at)
    by_energy = ask_at(watched.target, watched.facts, watched.heard_at)
    if by_energy is not None and by_energy <= now:
        return AskMeter()
    return Wait(min((moment for moment in (by_clock, by_energy) if moment is not None), default=None))
