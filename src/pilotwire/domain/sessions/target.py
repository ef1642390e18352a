"""Up to where a session is to go."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from pilotwire.domain.sessions.model import SessionFacts

__all__ = ["Target", "ask_at", "reached", "reached_by_clock_at"]

_FORESEEN = timedelta(minutes=30)


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a session is stopped: at the first of these that is reached. Units: Wh, s, percent.

    `soc_percent` counts only where the station reports the state of charge; `duration_s` counts from the session's start.
    """

    energy_wh: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    duration_s: Annotated[int, Meta(ge=1, le=31 * 86400)] | None = None
    soc_percent: Annotated[float, Meta(gt=0, le=100)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None

    def __post_init__(self) -> None:
        if (
            self.energy_wh is None
            and self.duration_s is None
            and self.soc_percent is None
            and self.until is None
        ):
            raise ValueError("a target has at least one of energy_wh, duration_s, soc_percent and until")


def reached(target: Target, facts: SessionFacts, begun_at: datetime, now: datetime) -> str | None:
    """Say which part of a target a session has reached, None when none; `begun_at` is its start by our clock."""
    energy_wh = facts.energy_wh
    if target.energy_wh is not None and energy_wh is not None and energy_wh >= target.energy_wh:
        return "energy_wh"
    if target.soc_percent is not None and facts.last_soc and facts.last_soc[1] >= target.soc_percent:
        return "soc_percent"
    if target.duration_s is not None and now >= begun_at + timedelta(seconds=target.duration_s):
        return "duration_s"
    if target.until is not None and now >= target.until:
        return "until"
    return None


def reached_by_clock_at(target: Target, begun_at: datetime) -> datetime | None:
    """Give the moment at which time alone reaches a target."""
    moments = []
    if target.duration_s is not None:
        moments.append(begun_at + timedelta(seconds=target.duration_s))
    if target.until is not None:
        moments.append(target.until)
    return min(moments, default=None)


def ask_at(target: Target, facts: SessionFacts, heard_at: datetime) -> datetime | None:
    """Give the moment at which the energy should be reached by the power last reported, to read the meter then.

    `heard_at` is when that was heard. Without it the session would overshoot by what flows between two samples.
    """
    energy_wh = facts.energy_wh
    if target.energy_wh is None or energy_wh is None or facts.last_power is None or facts.last_power[1] <= 0:
        return None
    left_wh = Decimal(target.energy_wh) - energy_wh
    if left_wh <= 0:
        return None
    left = timedelta(hours=float(left_wh) / facts.last_power[1]) if facts.last_power[1] >= 1 else _FORESEEN
    return heard_at + max(left, timedelta(seconds=1)) if left < _FORESEEN else None
