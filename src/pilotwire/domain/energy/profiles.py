"""Limits as charging profiles: in the unit, purpose and length that a station takes. Pure."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from pilotwire.domain.energy.drive import CLOCK_S, HOLD_S, Way, units_of
from pilotwire.domain.energy.model import Evse
from pilotwire.domain.energy.ports import ChargingAbilities
from pilotwire.domain.operations.charging_commands import ChargingProfile, SchedulePeriod, SetChargingProfile

__all__ = ["bound_command", "limit_command", "settable_a"]

# Profiles of energy management have numbers of their own, so that each takes the place of the one before.
_IDS = {"session": 9_400_000, "default": 9_500_000, "station": 9_600_000}
_LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def settable_a(evse: Evse, abilities: ChargingAbilities, limit_a: float) -> float:
    """Give the highest current up to a limit to which the EVSE can be set; below its least current that is 0."""
    if not evse.sheddable:
        return evse.max_a
    limit_a = math.floor(min(limit_a, evse.max_a) * 10 + 1e-6) / 10
    steps = evse.steps_a or abilities.steps_a
    if steps:
        limit_a = max((step for step in steps if step <= limit_a + 1e-6), default=0.0)
    if limit_a < evse.min_a - 1e-6:
        return evse.min_a if abilities.zero_ends_session else 0.0
    return limit_a


def limit_command(  # noqa: PLR0913 - one per fact that a profile says
    evse: Evse,
    evse_no: int,
    abilities: ChargingAbilities,
    way: Way,
    limit_a: float,
    tail: Sequence[tuple[float, float]],
    *,
    now_s: float,
    began_s: float,
    hold_s: float = HOLD_S,
) -> SetChargingProfile:
    """Say a limit that holds for `hold_s`; afterwards the `tail`, pairs of (moment, A), of which none is above the bound.

    `began_s` is the start of the session, for stations that count from there.
    """
    purpose, unit = way
    start_s = began_s if abilities.relative_only else now_s - CLOCK_S
    until_s = now_s + hold_s
    periods = [(0, limit_a)]
    for at_s, amount_a in tail:
        offset = max(int(max(at_s, until_s) - start_s), int(until_s - start_s))
        if offset == periods[-1][0]:
            periods[-1] = (offset, amount_a)
        elif amount_a != periods[-1][1]:
            periods.append((offset, amount_a))
    periods = periods[: max(1, abilities.most_periods)]
    profile = ChargingProfile(
        id=_IDS[purpose] + evse_no,
        purpose=purpose,
        unit=unit,
        stack_level=min(abilities.most_stack_level, 0 if purpose == "default" else 1),
        kind="relative" if abilities.relative_only else "absolute",
        start_at=None if abilities.relative_only else datetime.fromtimestamp(int(start_s), UTC),
        # Without room for the tail the profile ends, and the default profile takes over.
        duration_s=int(until_s - start_s) if len(periods) == 1 and tail and purpose == "session" else None,
        periods=tuple(_period(evse, unit, offset, amount) for offset, amount in periods),
    )
    return SetChargingProfile(profile=profile, evse_id=0 if purpose == "station" else evse_no)


def bound_command(
    evse: Evse, evse_no: int, abilities: ChargingAbilities, unit_index: int, bound_a: float
) -> SetChargingProfile:
    """Say what the EVSE may draw when nobody tells it anything: its default profile, without end."""
    units = units_of(abilities, dc=evse.dc)
    unit = units[unit_index % len(units)]
    profile = ChargingProfile(
        id=_IDS["default"] + evse_no,
        purpose="default",
        unit=unit,
        stack_level=0,
        kind="relative" if abilities.relative_only else "absolute",
        start_at=None if abilities.relative_only else _LONG_AGO,
        periods=(_period(evse, unit, 0, bound_a),),
    )
    return SetChargingProfile(profile=profile, evse_id=evse_no)


def _period(evse: Evse, unit: str, start_s: int, amount_a: float) -> SchedulePeriod:
    if unit == "a":
        return SchedulePeriod(start_s=start_s, limit=math.floor(amount_a * 10 + 1e-6) / 10)
    watts = amount_a * evse.watts_per_amp() * (evse.efficiency if evse.dc else 1.0)
    phases = len(evse.lines)
    return SchedulePeriod(
        start_s=start_s,
        limit=float(math.floor(watts)),
        number_phases=None if evse.dc else 1 if phases == 1 else 2 if phases == 2 else 3,
    )
