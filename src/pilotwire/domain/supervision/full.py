"""Whether a car is full: it could take energy, and does not."""

from datetime import datetime, timedelta

import msgspec

from pilotwire.domain.sessions.model import FLOWING_W, SessionFacts
from pilotwire.domain.supervision.model import Rules

__all__ = ["Fullness", "find_full", "goes_on"]

_HELD_BACK = frozenset({"SuspendedEVSE", "suspended_evse"})
_BY_CAR = frozenset({"SuspendedEV", "suspended_ev"})
# A register may count in steps of a kWh, so that a still one says less than a power of nothing.
_STILL_FACTOR = 3


class Fullness(msgspec.Struct, frozen=True):
    """Since when a car takes no more (by the station's clock), and how we know."""

    since: datetime
    evidence: str


def find_full(
    facts: SessionFacts,
    rules: Rules,
    silent_s: float,
    connector: tuple[str, datetime] | None = None,
) -> Fullness | None:
    """Tell whether a car is full, from what its station says; None while it charges or is held back by the station.

    `silent_s` is how long nothing has been heard of the session; `connector` its status and since when. Moments of
    the station are compared with each other only, so its clock may be wrong.
    """
    state = (facts.charging_state[1], facts.charging_state[0][1]) if facts.charging_state else connector
    if facts.over or (state is not None and state[0] in _HELD_BACK):
        return None
    flows = facts.last_power is not None and abs(facts.last_power[1]) >= FLOWING_W
    if flows and (state is None or state[0] not in _BY_CAR):
        return None  # it charges: the way of nearly every message
    wait = timedelta(seconds=rules.full_after_s)
    newest = facts.last_at + timedelta(seconds=silent_s)
    if facts.last_soc is not None and facts.last_soc[1] >= 100 and not flows:
        return Fullness(facts.last_soc[0][1], "soc")
    if not _has_charged(facts):
        return None
    if state is not None and state[0] in _BY_CAR and newest - state[1] >= wait:
        return Fullness(state[1], "suspended_by_car")
    if facts.last_power is not None:
        at = facts.last_power[0][1]
        if not flows and facts.powered_at is not None and at - facts.powered_at >= wait:
            return Fullness(facts.powered_at, "no_power")
        return None
    if facts.rise is not None and facts.last_meter is not None:
        since = facts.rise[1]
        if facts.last_meter.key[1] - since >= wait * _STILL_FACTOR:
            return Fullness(since, "register_stands_still")
    return None


def goes_on(facts: SessionFacts, since: datetime) -> bool:
    """Tell whether a car that was taken for full charges again."""
    if facts.powered_at is not None:
        return facts.powered_at > since
    return facts.rise is not None and facts.rise[1] > since


def _has_charged(facts: SessionFacts) -> bool:
    return bool(facts.energy_wh) or facts.powered_at is not None
