"""Commands about charging profiles: whole schedules, for those who want more than a limit.

They are like the others: see `commands`.
"""

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pilotwire.domain.operations.given import Count, Given, Moment, Number, Seconds

__all__ = [
    "ChargingProfile",
    "ClearChargingProfiles",
    "GetChargingProfiles",
    "ProfilePurpose",
    "ProfilesReported",
    "SchedulePeriod",
    "SetChargingProfile",
]

ProfilePurpose = Literal["station", "default", "session", "external", "priority", "local_generation"]
"""What a profile is for: the station's maximum, the default of its sessions, the running session; `external` is what
others have set at the station and only they change; `priority` and `local_generation` are of OCPP 2.1."""

_Amount = Annotated[float, Meta(ge=0, le=100_000_000)]
_Phases = Literal[1, 2, 3]


class SchedulePeriod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit from `start_s` after the start of its schedule until the next period.

    Units: the profile's, A per phase or W in total. `limit_l2` and `limit_l3` are of OCPP 2.1; without them the limit
    is that of all phases.
    """

    start_s: Annotated[int, Meta(ge=0, le=10 * 366 * 86400)]
    limit: _Amount
    number_phases: _Phases | None = None
    phase_to_use: _Phases | None = None
    limit_l2: _Amount | None = None
    limit_l3: _Amount | None = None


class ChargingProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A charging profile with its schedule. Spec: OCPP 1.6 3.13; 2.0.1 K.

    `kind` says from when its schedule counts: `start_at` (or the moment of sending), every day or week again, or the
    start of the session.
    """

    id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    purpose: ProfilePurpose
    unit: Literal["a", "w"]
    periods: Annotated[tuple[SchedulePeriod, ...], Meta(min_length=1, max_length=1024)]
    stack_level: Annotated[int, Meta(ge=0, le=1000)] = 0
    kind: Literal["absolute", "daily", "weekly", "relative"] = "absolute"
    start_at: Moment | None = None
    duration_s: Seconds | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    minimum_rate: _Amount | None = None

    def __post_init__(self) -> None:
        starts = [period.start_s for period in self.periods]
        if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("the periods begin with start_s 0 and go on in the order of their start_s")
        if self.kind == "relative" and self.start_at is not None:
            raise ValueError("a relative profile begins with the session: leave start_at out")
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to lies before valid_from")


class SetChargingProfile(Given, frozen=True, kw_only=True, tag="set_charging_profile"):
    """Install a charging profile. Spec: 1.6 5.16; 2.0.1 K01.

    A profile of the same number, or of the same purpose, stack level and EVSE, gives way to it.
    """

    REPEATABLE = True
    profile: ChargingProfile
    evse_id: Count = 0

    def __post_init__(self) -> None:
        purpose = self.profile.purpose
        if purpose == "external":
            raise ValueError("external limits are set by others; use the purpose 'station'")
        if purpose == "session" and not self.evse_id:
            raise ValueError("the profile of a session needs the evse_id on which it runs")
        if purpose in ("station", "local_generation") and self.evse_id:
            raise ValueError(f"the purpose '{purpose}' is of the whole station: leave evse_id out")


class ClearChargingProfiles(Given, frozen=True, kw_only=True, tag="clear_charging_profiles"):
    """Take charging profiles away: the one of a number, or all that fit. Spec: 1.6 5.5; 2.0.1 K10."""

    REPEATABLE = True
    profile_id: Number | None = None
    evse_id: Count | None = None
    purpose: ProfilePurpose | None = None
    stack_level: Annotated[int, Meta(ge=0, le=1000)] | None = None

    def __post_init__(self) -> None:
        others = (self.evse_id, self.purpose, self.stack_level)
        if self.profile_id is not None and any(each is not None for each in others):
            raise ValueError("a profile_id names one profile: leave the other fields out")


class GetChargingProfiles(Given, frozen=True, kw_only=True, tag="get_charging_profiles"):
    """Ask a 2.x station which charging profiles it has. Spec: 2.0.1 K09."""

    REPEATABLE = True
    FOLLOW_S = 60
    evse_id: Count | None = None
    purpose: ProfilePurpose | None = None
    stack_level: Annotated[int, Meta(ge=0, le=1000)] | None = None
    profile_ids: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=100)] | None = None


class ProfilesReported(msgspec.Struct, frozen=True):
    """A station tells some of its profiles; `more` says that others follow."""

    request_id: int
    evse_no: int
    source: str
    profiles: tuple[dict[str, Any], ...]
    """Each as `ChargingProfile` names its fields, with `schedules`: 2.x profiles may have three of them."""
    more: bool
    at: datetime | None = None
