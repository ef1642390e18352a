"""Charging profiles: which limit holds at a moment, and the composite schedule. Pure.

Spec: OCPP 1.6 3.13, OCPP 2.0.1 K. For each EVSE the valid profile of the highest stack level leads within
its purpose; a TxProfile replaces the TxDefaultProfile; the result is capped by the station's maximum and by
external constraints.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from pilotwire.simulator.model import MAINS_VOLTAGE_V

Purpose = Literal["station_max", "external", "tx_default", "tx"]
Kind = Literal["absolute", "recurring", "relative"]
Unit = Literal["A", "W"]
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Period:
    """A limit from `start_s` seconds after the start of its schedule."""

    start_s: int
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile with its (first) schedule.

    `evse_id` 0 is the whole station; `raw` is what the server sent.
    """

    id: int
    evse_id: int
    purpose: Purpose
    stack_level: int
    kind: Kind
    unit: Unit
    periods: tuple[Period, ...]
    start_at: datetime | None = None
    duration_s: int | None = None
    recurrency_s: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap; None is unlimited.

    Units: `current_a` per phase, `power_w` in total.
    """

    current_a: float | None = None
    power_w: float | None = None
    phases: int | None = None

    def capped_by(self, other: Limit) -> Limit:
        """The stricter of both in every respect."""
        return Limit(
            _least(self.current_a, other.current_a),
            _least(self.power_w, other.power_w),
            _least(self.phases, other.phases),
        )

    def in_unit(self, unit: Unit, phases: int, ceiling: Limit) -> float:
        """This limit as one figure, never above the ceiling of the hardware (which must be limited)."""
        both = self.capped_by(ceiling)
        used = both.phases or phases
        volts = MAINS_VOLTAGE_V * used
        amperes, watts = both.current_a, both.power_w
        if unit == "A":
            figures = [amperes, None if watts is None else watts / volts]
        else:
            figures = [watts, None if amperes is None else amperes * volts]
        return min(figure for figure in figures if figure is not None)


UNLIMITED = Limit()


def active_period(profile: Profile, at: datetime, started_at: datetime | None) -> Period | None:
    """The period of a profile that holds at a moment; None when the profile says nothing then.

    `started_at` is when the transaction began; relative profiles count from it.
    """
    if (profile.valid_from and at < profile.valid_from) or (profile.valid_to and at >= profile.valid_to):
        return None
    start = _schedule_start(profile, at, started_at)
    if start is None:
        return None
    elapsed = (at - start).total_seconds()
    if elapsed < 0 or (profile.duration_s is not None and elapsed >= profile.duration_s):
        return None
    current = None
    for period in profile.periods:
        if period.start_s > elapsed:
            break
        current = period
    return current


def limit_at(
    profiles: Iterable[Profile],
    evse_id: int,
    at: datetime,
    *,
    started_at: datetime | None = None,
    transaction_id: str | None = None,
) -> Limit:
    """What all profiles together allow an EVSE at a moment.

    The share of other EVSEs in the station's maximum is not taken off.
    """
    known = list(profiles)
    return transaction_limit(
        known, evse_id, at, started_at=started_at, transaction_id=transaction_id
    ).capped_by(station_limit(known, at))


def station_limit(profiles: Iterable[Profile], at: datetime) -> Limit:
    """What the station as a whole may draw: its maximum profile and external constraints."""
    known = list(profiles)
    limit = UNLIMITED
    for purpose in ("station_max", "external"):
        limit = limit.capped_by(_leading(known, purpose, {0}, at, None))
    return limit


def transaction_limit(
    profiles: Iterable[Profile],
    evse_id: int,
    at: datetime,
    *,
    started_at: datetime | None = None,
    transaction_id: str | None = None,
) -> Limit:
    """What TxProfile or else TxDefaultProfile allow a transaction on an EVSE."""
    known = list(profiles)
    own = [
        profile
        for profile in known
        if profile.purpose == "tx"
        and started_at is not None
        and profile.transaction_id in (None, transaction_id)
    ]
    for candidates, purpose, evses in (
        (own, "tx", {evse_id}),
        (known, "tx_default", {evse_id}),
        (known, "tx_default", {0}),
    ):
        limit = _leading(candidates, purpose, evses, at, started_at)
        if limit is not UNLIMITED:
            return limit
    return UNLIMITED


def change_times(
    profiles: Iterable[Profile], start: datetime, end: datetime, started_at: datetime | None
) -> list[datetime]:
    """Every moment in [start, end) at which a limit may change, `start` included."""
    moments = {start}
    for profile in profiles:
        moments.update(t for t in (profile.valid_from, profile.valid_to) if t is not None)
        anchors = []
        moment = start
        while moment < end:
            anchor = _schedule_start(profile, moment, started_at)
            if anchor is None:
                break
            anchors.append(anchor)
            if profile.recurrency_s is None:
                break
            moment = anchor + timedelta(seconds=profile.recurrency_s)
        for anchor in anchors:
            moments.update(anchor + timedelta(seconds=period.start_s) for period in profile.periods)
            if profile.duration_s is not None:
                moments.add(anchor + timedelta(seconds=profile.duration_s))
            if profile.recurrency_s is not None:
                moments.add(anchor + timedelta(seconds=profile.recurrency_s))
    return sorted(moment for moment in moments if start <= moment < end)


def _leading(
    profiles: list[Profile], purpose: str, evses: set[int], at: datetime, started_at: datetime | None
) -> Limit:
    best: tuple[int, Profile, Period] | None = None
    for profile in profiles:
        if profile.purpose != purpose or profile.evse_id not in evses:
            continue
        period = active_period(profile, at, started_at)
        if period is not None and (best is None or profile.stack_level > best[0]):
            best = (profile.stack_level, profile, period)
    if best is None:
        return UNLIMITED
    _, profile, period = best
    if profile.unit == "A":
        return Limit(current_a=period.limit, phases=period.phases)
    return Limit(power_w=period.limit, phases=period.phases)


def _schedule_start(profile: Profile, at: datetime, started_at: datetime | None) -> datetime | None:
    if profile.kind == "relative":
        return started_at
    if profile.kind == "absolute":
        # A schedule without a start begins with the transaction, or has simply begun.
        return profile.start_at or started_at or profile.valid_from
    if profile.start_at is None or profile.recurrency_s is None:
        return None
    turns = (at - profile.start_at).total_seconds() // profile.recurrency_s
    return profile.start_at + timedelta(seconds=turns * profile.recurrency_s)


def _least(one: Number | None, other: Number | None) -> Number | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


class ProfileStore:
    """The profiles that a station holds."""

    def __init__(self) -> None:
        self._profiles: list[Profile] = []

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)

    def install(self, profile: Profile) -> None:
        """Keep a profile.

        It replaces one of the same id, or of the same place, purpose, level and transaction.
        """
        slot = (profile.evse_id, profile.purpose, profile.stack_level, profile.transaction_id)
        self._profiles = [
            held
            for held in self._profiles
            if held.id != profile.id
            and (held.evse_id, held.purpose, held.stack_level, held.transaction_id) != slot
        ]
        self._profiles.append(profile)

    def find(
        self,
        *,
        ids: Collection[int] | None = None,
        evse_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> list[Profile]:
        """The profiles that fit every criterion given."""
        return [
            held
            for held in self._profiles
            if (ids is None or held.id in ids)
            and (evse_id is None or held.evse_id == evse_id)
            and (purpose is None or held.purpose == purpose)
            and (stack_level is None or held.stack_level == stack_level)
        ]

    def remove(self, profiles: Collection[Profile]) -> bool:
        """Forget profiles; whether there were any."""
        before = len(self._profiles)
        gone = {id(profile) for profile in profiles}
        self._profiles = [held for held in self._profiles if id(held) not in gone]
        return len(self._profiles) < before

    def end_transaction(self, evse_id: int, transaction_id: str) -> None:
        """Forget the profiles of a transaction that is over."""
        self._profiles = [
            held
            for held in self._profiles
            if held.purpose != "tx" or (held.transaction_id != transaction_id and held.evse_id != evse_id)
        ]
