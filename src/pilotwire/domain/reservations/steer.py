"""What is to be done about a reservation: pure."""

from datetime import datetime, timedelta

import msgspec

from pilotwire.domain.operations.model import FINAL, CommandState
from pilotwire.domain.reservations.model import OPEN, Policy, Reservation, ReservationState

__all__ = ["GiveUp", "Hold", "Keep", "Place", "Step", "Wait", "steer"]

_CANNOT = frozenset({"not_supported", "not_possible", "not_in_version"})


class Wait(msgspec.Struct, frozen=True):
    """Nothing before a moment."""

    until: datetime


class Place(msgspec.Struct, frozen=True):
    """Tell the station."""


class Keep(msgspec.Struct, frozen=True):
    """The station keeps it."""


class Hold(msgspec.Struct, frozen=True):
    """The station does not keep it: try again at a moment, if that can help."""

    why: str
    again_at: datetime | None


class GiveUp(msgspec.Struct, frozen=True):
    """Nobody came."""

    tell_station: bool


Step = Wait | Place | Keep | Hold | GiveUp


def steer(
    reservation: Reservation, command: tuple[str, str, str] | None, now: datetime, policy: Policy
) -> Step | None:
    """Say what is to be done now; `command` is state, outcome and detail of the command that told the station."""
    state = reservation.state
    if state not in OPEN:
        return None
    end = reservation.no_show_at
    if now >= end:
        return GiveUp(tell_station=state in (ReservationState.PLACED, ReservationState.PLACING))
    begin = reservation.from_at - timedelta(seconds=policy.lead_s)
    if state is ReservationState.PLANNED:
        return Place() if now >= begin else Wait(begin)
    if state is ReservationState.HELD:
        return Place() if reservation.next_at <= now else Wait(min(reservation.next_at, end))
    if state is ReservationState.PLACED:
        return Wait(end)
    if command is None:
        return Place()
    command_state, outcome, detail = command
    if CommandState(command_state) not in FINAL:
        return Wait(end)
    if command_state == CommandState.DONE:
        return Keep()
    again_at = None if outcome in _CANNOT else now + timedelta(seconds=policy.retry_s)
    return Hold(f"{outcome}: {detail}".strip(": ").replace("_", " "), again_at)
