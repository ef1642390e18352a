"""What stations say of energy management, free of any OCPP version."""

from datetime import datetime
from typing import Literal

import msgspec

from pilotwire.domain.operations.charging_commands import SchedulePeriod

__all__ = [
    "CarScheduleReported",
    "ChargingLimitCleared",
    "ChargingLimitNotified",
    "ChargingNeedsReported",
    "Schedule",
]


class Schedule(msgspec.Struct, frozen=True):
    """Limits from a moment on, or from now on where none is said. Units: A per phase or W in total."""

    unit: Literal["a", "w"]
    periods: tuple[SchedulePeriod, ...]
    start_at: datetime | None = None
    duration_s: int | None = None


class ChargingLimitNotified(msgspec.Struct, frozen=True):
    """Somebody else (a local controller, the grid) limits a station. Spec: OCPP 2.0.1 K12, K13."""

    source: str
    evse_no: int | None
    grid_critical: bool
    schedules: tuple[Schedule, ...]
    """Empty where the station does not say what the limit is."""


class ChargingLimitCleared(msgspec.Struct, frozen=True):
    """The limit of somebody else is gone. Spec: OCPP 2.0.1 K13."""

    source: str
    evse_no: int | None


class ChargingNeedsReported(msgspec.Struct, frozen=True):
    """What a car wants. Spec: OCPP 2.0.1 K15. Units: Wh, A per phase, W, percent."""

    evse_no: int
    transfer: Literal["ac", "dc"]
    phases: int
    energy_wh: float | None = None
    departure_at: datetime | None = None
    least_current_a: float | None = None
    most_current_a: float | None = None
    most_power_w: float | None = None
    capacity_wh: float | None = None
    soc_percent: float | None = None
    can_discharge: bool = False
    most_periods: int | None = None


class CarScheduleReported(msgspec.Struct, frozen=True):
    """What a car intends to draw. Spec: OCPP 2.0.1 K17."""

    evse_no: int
    schedule: Schedule
