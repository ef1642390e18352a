"""What a stationary battery is to do now: the plan's power, more where cars wait for a fuse, never beyond what is safe.

Pure. Powers are positive when the battery gives.
"""

from enum import StrEnum

import msgspec

__all__ = ["BatteryNow", "Room", "SetPoint", "Why", "set_point"]

_STALE_S = 30.0
_SILENT_S = 120.0
_RISE_SHARE = 0.5
"""Charging rises by this share of what is left in a turn: the meters are to see it before cars get the rest."""
_EDGE = 0.002


class Why(StrEnum):
    """What a set point comes from."""

    PLAN = "plan"
    BUFFER = "buffer"
    """Cars are short of what a fuse above the battery leaves."""
    IDLE = "idle"
    NO_ROOM = "no_room"
    """A fuse, or the limit of what may be fed in, leaves less than was planned."""
    UNMETERED = "unmetered"
    """A limit above it has no meter: charging would not be seen there."""
    EMPTY = "empty"
    FULL = "full"
    STALE = "stale"
    """Its meter is silent: not raised, later free to do as it likes."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What the tree leaves the battery, in W, counted from what it does now.

    `charge_w`: so much more could be drawn, None where a limit is not metered. `give_w`: so much more could be given.
    `need_w`: with so much given in all, cars would get what they want of every fuse above the battery.
    """

    charge_w: float | None
    give_w: float
    need_w: float


class BatteryNow(msgspec.Struct, frozen=True, kw_only=True):
    """A battery's limits and what is known of it. `told_w` is the set point that it has taken, None: it was set free."""

    max_charge_w: float
    max_discharge_w: float
    min_soc: float
    max_soc: float
    measured_w: float | None
    age_s: float
    soc: float | None
    told_w: float | None


class SetPoint(msgspec.Struct, frozen=True):
    """What it is to do, None: as it likes."""

    power_w: float | None
    why: Why


def set_point(battery: BatteryNow, planned_w: float | None, room: Room) -> SetPoint:
    """Choose the set point; `planned_w` is the plan's, None where there is no plan."""
    if battery.measured_w is None or battery.age_s > _SILENT_S:
        return SetPoint(None, Why.STALE)
    does_w = battery.measured_w
    wanted, why = planned_w or 0.0, Why.IDLE if planned_w is None else Why.PLAN
    before = battery.told_w or 0.0
    if room.need_w > max(wanted, 0.0):
        wanted, why = room.need_w, Why.BUFFER
    bounded, limit = _bounded(battery, wanted, room, does_w)
    if battery.age_s > _STALE_S and abs(bounded) > abs(before):
        return SetPoint(before if before * bounded >= 0 else 0.0, Why.STALE)
    return SetPoint(round(bounded), limit or why)


def _bounded(battery: BatteryNow, wanted: float, room: Room, does_w: float) -> tuple[float, Why | None]:
    """Hold a set point within the battery and the tree; say what cut it."""
    bounded, why = min(max(wanted, -battery.max_charge_w), battery.max_discharge_w), None
    if bounded > 0:
        if battery.soc is None or battery.soc <= battery.min_soc + _EDGE:
            return 0.0, Why.EMPTY
        most = max(0.0, does_w) + room.give_w
        if bounded > most:
            bounded, why = max(0.0, most), Why.NO_ROOM
    elif bounded < 0:
        if battery.soc is not None and battery.soc >= battery.max_soc - _EDGE:
            return 0.0, Why.FULL
        if room.charge_w is None:
            return 0.0, Why.UNMETERED
        claimed = max(0.0, -does_w, -(battery.told_w or 0.0))
        spare = room.charge_w * (_RISE_SHARE if room.charge_w > 0 else 1.0)
        most = max(0.0, claimed + spare)
        if -bounded > most:
            bounded, why = -most, Why.NO_ROOM
    return bounded, why
