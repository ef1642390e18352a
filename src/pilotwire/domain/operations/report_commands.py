"""Commands that ask a 2.x station for reports, and that set what it watches and hands on.

They are like the others: see `commands`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pilotwire.domain.operations.device_commands import Variable
from pilotwire.domain.operations.given import Count, Given, Location, Number, Seconds

__all__ = [
    "ClearMonitors",
    "ComponentPlace",
    "FirmwarePublished",
    "GetMonitoringReport",
    "GetReport",
    "Monitor",
    "PartTold",
    "PublishFirmware",
    "SetMonitoringBase",
    "SetMonitoringLevel",
    "SetMonitors",
    "UnpublishFirmware",
]

_Name = Annotated[str, Meta(min_length=1, max_length=50)]
_Checksum = Annotated[
    str, Meta(pattern="^[0-9a-fA-F]{32}$", description="MD5 of the file, as OCPP wants it.")
]


class ComponentPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A component, or one of its variables."""

    component: _Name
    component_instance: _Name | None = None
    variable: _Name | None = None
    variable_instance: _Name | None = None
    evse_id: Number | None = None
    connector_id: Number | None = None


_Places = Annotated[tuple[ComponentPlace, ...], Meta(max_length=100)]


class GetReport(Given, frozen=True, kw_only=True, tag="get_report"):
    """Ask for a report of the parts of the device model that fit. Spec: 2.0.1 B08."""

    REPEATABLE = True
    FOLLOW_S = 300
    criteria: tuple[Literal["active", "available", "enabled", "problem"], ...] = ()
    places: _Places = ()

    def __post_init__(self) -> None:
        if not self.criteria and not self.places:
            raise ValueError("give criteria, places or both; get_base_report asks for everything")


class Monitor(Variable, frozen=True, kw_only=True):
    """A variable that the station is to watch.

    `value` is the threshold, the change, or for `periodic` the seconds between two messages; `severity` goes from 0
    (danger) to 9 (debug). With `monitor_id` an existing monitor is replaced.
    """

    kind: Literal["upper_threshold", "lower_threshold", "delta", "periodic", "periodic_clock_aligned"]
    value: float
    severity: Annotated[int, Meta(ge=0, le=9)] = 8
    during_sessions_only: bool = False
    monitor_id: Count | None = None

    def __post_init__(self) -> None:
        if self.attribute is not None:
            raise ValueError("a monitor watches the actual value: leave attribute out")
        if self.kind.startswith("periodic") and self.value <= 0:
            raise ValueError("a periodic monitor has a value of more than 0 seconds")
        if self.kind == "delta" and self.value < 0:
            raise ValueError("a delta is 0 or more")


class SetMonitors(Given, frozen=True, kw_only=True, tag="set_monitors"):
    """Have the station watch variables and tell of them by events. Spec: 2.0.1 N04."""

    monitors: Annotated[tuple[Monitor, ...], Meta(min_length=1, max_length=100)]


class ClearMonitors(Given, frozen=True, kw_only=True, tag="clear_monitors"):
    """Take monitors away, by the numbers that the station gave them. Spec: 2.0.1 N06."""

    REPEATABLE = True
    monitor_ids: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=100)]


class SetMonitoringBase(Given, frozen=True, kw_only=True, tag="set_monitoring_base"):
    """Choose the monitors that the station begins with; those set by hand are lost with all but `all`.

    Spec: 2.0.1 N03.
    """

    REPEATABLE = True
    base: Literal["all", "factory_default", "hard_wired_only"]


class SetMonitoringLevel(Given, frozen=True, kw_only=True, tag="set_monitoring_level"):
    """Tell the station up to which severity it reports: 0 danger only, 9 everything. Spec: 2.0.1 N05."""

    REPEATABLE = True
    severity: Annotated[int, Meta(ge=0, le=9)]


class GetMonitoringReport(Given, frozen=True, kw_only=True, tag="get_monitoring_report"):
    """Ask which monitors there are; without criteria and places all. Spec: 2.0.1 N02."""

    REPEATABLE = True
    FOLLOW_S = 300
    criteria: tuple[Literal["threshold", "delta", "periodic"], ...] = ()
    places: _Places = ()


class PublishFirmware(Given, frozen=True, kw_only=True, tag="publish_firmware"):
    """Have a local controller fetch firmware and offer it to the stations behind it. Spec: 2.0.1 L03."""

    FOLLOW_S = 21_600
    location: Location
    checksum: _Checksum
    retries: Annotated[int, Meta(ge=0, le=100)] | None = None
    retry_interval_s: Seconds | None = None


class UnpublishFirmware(Given, frozen=True, kw_only=True, tag="unpublish_firmware"):
    """Have a local controller offer firmware no longer. Spec: 2.0.1 L04."""

    REPEATABLE = True
    checksum: _Checksum


class PartTold(msgspec.Struct, frozen=True):
    """A station gives a part of a report that was asked for; `more` says that others follow."""

    kind: Literal["monitors", "messages", "customer"]
    request_id: int
    entries: int
    more: bool


class FirmwarePublished(msgspec.Struct, frozen=True):
    """A local controller tells how far it is with firmware that it is to publish."""

    status: str
    request_id: int | None
    locations: tuple[str, ...] = ()
