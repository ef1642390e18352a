"""Commands to a station, free of any OCPP version.

Each is data; its tag is the name by which people give it. What cannot be in any version is refused here, what cannot
be in the station's version by the codec's `outbound` modules, before anything is sent.

`REPEATABLE` commands may be sent again when nobody knows whether the station got them: they ask only, or set a state
that is the same after the second time. All others end as `unknown` instead.
"""

from typing import Annotated, Literal

from msgspec import Meta

from pilotwire.domain.operations.charging_commands import (
    ChargingProfile,
    ClearChargingProfiles,
    GetChargingProfiles,
    SchedulePeriod,
    SetChargingProfile,
)
from pilotwire.domain.operations.device_commands import (
    ClearDisplayMessage,
    CustomerInformation,
    DeleteCertificate,
    GetBaseReport,
    GetConfiguration,
    GetDisplayMessages,
    GetLocalListVersion,
    GetLogs,
    GetTransactionStatus,
    GetVariables,
    InstallCertificate,
    ListCertificates,
    SendCertificate,
    SendLocalList,
    SetConfiguration,
    SetDisplayMessage,
    SetNetworkProfile,
    SetVariables,
    UpdateCost,
    UpdateFirmware,
    Variable,
    VariableValue,
)
from pilotwire.domain.operations.given import Count, Given, Moment, Number, Seconds, Text, Uid
from pilotwire.domain.operations.report_commands import (
    ClearMonitors,
    GetMonitoringReport,
    GetReport,
    Monitor,
    PublishFirmware,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
    UnpublishFirmware,
)
from pilotwire.domain.operations.setting_commands import NewValue, ReadSettings, RepairSettings, WriteSettings
from pilotwire.domain.sessions.target import Target

__all__ = [
    "CancelReservation",
    "ChargingProfile",
    "ClearCache",
    "ClearChargingProfiles",
    "ClearDisplayMessage",
    "ClearLimit",
    "ClearMonitors",
    "Command",
    "CustomerInformation",
    "DataTransfer",
    "DeleteCertificate",
    "GetBaseReport",
    "GetChargingProfiles",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDisplayMessages",
    "GetLocalListVersion",
    "GetLogs",
    "GetMonitoringReport",
    "GetReport",
    "GetTransactionStatus",
    "GetVariables",
    "Given",
    "InstallCertificate",
    "ListCertificates",
    "Monitor",
    "NewValue",
    "PublishFirmware",
    "ReadSettings",
    "RepairSettings",
    "Reserve",
    "Reset",
    "SchedulePeriod",
    "SendCertificate",
    "SendLocalList",
    "SetAvailability",
    "SetChargingProfile",
    "SetConfiguration",
    "SetDisplayMessage",
    "SetLimit",
    "SetMonitoringBase",
    "SetMonitoringLevel",
    "SetMonitors",
    "SetNetworkProfile",
    "SetVariables",
    "StartCharging",
    "StopCharging",
    "Trigger",
    "Unlock",
    "UnpublishFirmware",
    "UpdateCost",
    "UpdateFirmware",
    "Variable",
    "VariableValue",
    "WriteSettings",
]


class StartCharging(Given, frozen=True, kw_only=True, tag="start_charging"):
    """Start a session for a token, with a charging profile if given; the system stops it at its target.

    Spec: 1.6 5.11; 2.0.1 F01, F02, K05.
    """

    FOLLOW_S = 180
    token_uid: Uid
    evse_id: Number | None = None
    target: Target | None = None
    profile: ChargingProfile | None = None

    def __post_init__(self) -> None:
        if self.profile is not None and self.profile.purpose != "session":
            raise ValueError("a session begins with a profile of the purpose 'session' only")


class StopCharging(Given, frozen=True, kw_only=True, tag="stop_charging"):
    """Stop a session: the one named, or the open one of an EVSE. Spec: 1.6 5.12; 2.0.1 F03."""

    FOLLOW_S = 180
    session_id: str | None = None
    transaction_id: Annotated[str, Meta(min_length=1, max_length=36)] | None = None
    evse_id: Number | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.session_id, self.transaction_id, self.evse_id)) != 1:
            raise ValueError("give exactly one of session_id, transaction_id and evse_id")


class Reset(Given, frozen=True, kw_only=True, tag="reset"):
    """Restart the station or an EVSE. Spec: 1.6 5.14; 2.0.1 B11, B12."""

    FOLLOW_S = 600
    mode: Literal["soft", "hard", "on_idle", "immediate_and_resume"] = "soft"
    evse_id: Number | None = None

    @property
    def follow_s(self) -> int:
        """How long the boot is waited for; the reset of an EVSE has none."""
        return self.FOLLOW_S if self.evse_id is None else 0


class Unlock(Given, frozen=True, kw_only=True, tag="unlock"):
    """Open a connector's lock. Spec: 1.6 5.18; 2.0.1 F05."""

    evse_id: Number
    connector_id: Number = 1


class SetAvailability(Given, frozen=True, kw_only=True, tag="set_availability"):
    """Take the station, an EVSE or a connector in or out of service. Spec: 1.6 5.2; 2.0.1 G03, G04."""

    REPEATABLE = True
    available: bool
    evse_id: Number | None = None
    connector_id: Number | None = None

    def __post_init__(self) -> None:
        if self.connector_id is not None and self.evse_id is None:
            raise ValueError("a connector_id needs the evse_id of its EVSE")


Message = Literal[
    "boot_notification", "heartbeat", "status_notification", "meter_values", "firmware_status", "log_status",
    "diagnostics_status", "transaction_event", "sign_certificate", "sign_v2g_certificate",
]  # fmt: skip


class Trigger(Given, frozen=True, kw_only=True, tag="trigger"):
    """Ask the station for a message. Spec: 1.6 5.17; 2.0.1 F06."""

    REPEATABLE = True
    message: Message
    evse_id: Number | None = None
    connector_id: Number | None = None

    def __post_init__(self) -> None:
        if self.connector_id is not None and self.evse_id is None:
            raise ValueError("a connector_id needs the evse_id of its EVSE")


class ClearCache(Given, frozen=True, kw_only=True, tag="clear_cache"):
    """Forget the tokens remembered in the station's cache. Spec: 1.6 5.4; 2.0.1 C11."""

    REPEATABLE = True


class DataTransfer(Given, frozen=True, kw_only=True, tag="data_transfer"):
    """Send a vendor's own message. Spec: 1.6 5.6; 2.0.1 P01."""

    vendor_id: Text
    message_id: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    data: Annotated[str, Meta(max_length=100_000)] | None = None


class Reserve(Given, frozen=True, kw_only=True, tag="reserve"):
    """Keep an EVSE for a token; the station knows it by `reservation_id`, else by the command's number.

    Spec: 1.6 5.13; 2.0.1 H01.
    """

    token_uid: Uid
    until: Moment
    reservation_id: Number | None = None
    evse_id: Number | None = None
    connector_type: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class CancelReservation(Given, frozen=True, kw_only=True, tag="cancel_reservation"):
    """Give a reservation up. Spec: 1.6 5.1; 2.0.1 H02."""

    REPEATABLE = True
    reservation_id: Number


Scope = Literal["station", "default", "session"]


class SetLimit(Given, frozen=True, kw_only=True, tag="set_limit"):
    """Limit current or power until further notice or for a time. Spec: 1.6 5.16; 2.0.1 K01.

    `station` limits the whole station, `default` every session of an EVSE (or of all), `session` the one that runs.
    """

    REPEATABLE = True
    limit_a: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    limit_w: Annotated[float, Meta(ge=0, le=100_000_000)] | None = None
    scope: Scope = "default"
    evse_id: Number | None = None
    number_phases: Literal[1, 2, 3] | None = None
    duration_s: Seconds | None = None
    stack_level: Annotated[int, Meta(ge=0, le=1000)] = 0

    def __post_init__(self) -> None:
        if (self.limit_a is None) == (self.limit_w is None):
            raise ValueError("give exactly one of limit_a and limit_w")
        if self.scope == "session" and self.evse_id is None:
            raise ValueError("the limit of a session needs the evse_id on which it runs")
        if self.scope == "station" and self.evse_id is not None:
            raise ValueError("the limit of the station has no evse_id; use the scope 'default' for an EVSE")


class ClearLimit(Given, frozen=True, kw_only=True, tag="clear_limit"):
    """Take limits away; without a scope all of them. Spec: 1.6 5.5; 2.0.1 K10."""

    REPEATABLE = True
    scope: Scope | None = None
    evse_id: Number | None = None


class GetCompositeSchedule(Given, frozen=True, kw_only=True, tag="get_composite_schedule"):
    """Ask for the limits that hold, all profiles taken together. Spec: 1.6 5.7; 2.0.1 K08."""

    REPEATABLE = True
    evse_id: Count = 0
    duration_s: Seconds = 3600
    unit: Literal["a", "w"] | None = None


Command = (
    StartCharging | StopCharging | Reset | Unlock | SetAvailability | Trigger | ClearCache | DataTransfer | Reserve
    | CancelReservation | SetLimit | ClearLimit | GetCompositeSchedule | GetConfiguration | SetConfiguration
    | GetVariables | SetVariables | GetLocalListVersion | SendLocalList | GetLogs | UpdateFirmware | GetBaseReport
    | UpdateCost | SetDisplayMessage | ClearDisplayMessage | GetDisplayMessages | CustomerInformation
    | SetChargingProfile | ClearChargingProfiles | GetChargingProfiles
    | GetTransactionStatus | ListCertificates | InstallCertificate | DeleteCertificate | SendCertificate
    | ReadSettings | WriteSettings | RepairSettings | SetNetworkProfile
    | GetReport | GetMonitoringReport | SetMonitoringBase | SetMonitoringLevel | SetMonitors | ClearMonitors
    | PublishFirmware | UnpublishFirmware
)  # fmt: skip
