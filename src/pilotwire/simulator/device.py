"""A station's settings: one table with the 1.6 key and the 2.x component and variable of each.

Spec: OCPP 1.6 9 and the security whitepaper; OCPP 2.0.1 part 2 appendix 3. Differences between the versions
are rows of this table, not branches in the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Access = Literal["ro", "rw", "wo"]
DataType = Literal[
    "string", "integer", "decimal", "boolean", "dateTime", "OptionList", "MemberList", "SequenceList"
]
Outcome = Literal["accepted", "rejected", "reboot_required", "unknown"]

AC_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
DC_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name here, its spellings on the wire, its type and its factory value.

    `instance` is the instance of the 2.x variable. A setting without `key_16` or without `variable` does
    not exist there.
    """

    name: str
    key_16: str | None
    component: str
    variable: str | None
    default: str
    type: DataType = "string"
    access: Access = "rw"
    instance: str | None = None
    unit: str | None = None
    least: int | None = None
    greatest: int | None = None
    values: tuple[str, ...] = ()


def _number(
    name: str,
    key: str | None,
    path: str,
    default: int,
    *,
    unit: str | None = None,
    access: Access = "rw",
    least: int = 0,
    greatest: int | None = None,
) -> Setting:
    component, variable, instance = _split(path)
    return Setting(
        name, key, component, variable, str(default), "integer", access, instance, unit, least, greatest
    )


def _switch(name: str, key: str | None, path: str, default: bool, access: Access = "rw") -> Setting:
    component, variable, instance = _split(path)
    return Setting(name, key, component, variable, str(default).lower(), "boolean", access, instance)


def _text(
    name: str,
    key: str | None,
    path: str,
    default: str,
    access: Access = "rw",
    kind: DataType = "string",
    values: tuple[str, ...] = (),
) -> Setting:
    component, variable, instance = _split(path)
    return Setting(name, key, component, variable, default, kind, access, instance, values=values)


def _split(path: str) -> tuple[str, str | None, str | None]:
    """`Component.Variable[Instance]`, or nothing for a setting of 1.6 alone."""
    component, _, rest = path.partition(".")
    variable, _, instance = rest.partition("[")
    return component, variable or None, instance.rstrip("]") or None


MEASURANDS = (
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Power.Offered",
    "SoC",
    "Temperature",
    "Voltage",
)
TX_POINTS = ("Authorized", "EVConnected", "PowerPathClosed")

SETTINGS: tuple[Setting, ...] = (
    _number(
        "heartbeat_interval_s", "HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval", 300, unit="s", least=1
    ),
    _number(
        "sample_interval_s", "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval", 60, unit="s"
    ),
    _number("ended_interval_s", None, "SampledDataCtrlr.TxEndedInterval", 0, unit="s", access="ro"),
    _number("aligned_interval_s", "ClockAlignedDataInterval", "AlignedDataCtrlr.Interval", 0, unit="s"),
    _text(
        "sampled_measurands",
        "MeterValuesSampledData",
        "SampledDataCtrlr.TxUpdatedMeasurands",
        AC_MEASURANDS,
        kind="MemberList",
        values=MEASURANDS,
    ),
    _text(
        "started_measurands",
        None,
        "SampledDataCtrlr.TxStartedMeasurands",
        "Energy.Active.Import.Register",
        kind="MemberList",
        values=MEASURANDS,
    ),
    _text(
        "ended_measurands",
        "StopTxnSampledData",
        "SampledDataCtrlr.TxEndedMeasurands",
        "Energy.Active.Import.Register",
        kind="MemberList",
        values=MEASURANDS,
    ),
    _text(
        "aligned_measurands",
        "MeterValuesAlignedData",
        "AlignedDataCtrlr.Measurands",
        "Energy.Active.Import.Register",
        kind="MemberList",
        values=MEASURANDS,
    ),
    _number(
        "connection_timeout_s", "ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut", 120, unit="s", least=1
    ),
    _number(
        "message_attempts",
        "TransactionMessageAttempts",
        "OCPPCommCtrlr.MessageAttempts[TransactionEvent]",
        3,
        least=1,
    ),
    _number(
        "message_retry_s",
        "TransactionMessageRetryInterval",
        "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]",
        10,
        unit="s",
    ),
    _switch("stop_on_invalid", "StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId", True),
    _switch("stop_on_unplug", "StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect", True),
    _switch("authorize_remote", "AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart", True),
    _switch("local_preauthorize", "LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize", False),
    _switch("local_offline", "LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline", True),
    _switch("offline_unknown", "AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled", False),
    _switch("local_list_enabled", "LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled", True),
    _number("local_list_entries", "LocalAuthListMaxLength", "LocalAuthListCtrlr.Entries", 1000, access="ro"),
    _number(
        "local_list_items", "SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage", 100, access="ro"
    ),
    _switch("cache_enabled", "AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled", True),
    _text("tx_start_point", None, "TxCtrlr.TxStartPoint", "EVConnected", kind="MemberList", values=TX_POINTS),
    _text(
        "tx_stop_point",
        None,
        "TxCtrlr.TxStopPoint",
        "Authorized,EVConnected",
        kind="MemberList",
        values=TX_POINTS,
    ),
    _number("ping_interval_s", "WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval", 60, unit="s"),
    _text("password", "AuthorizationKey", "SecurityCtrlr.BasicAuthPassword", "", "wo"),
    _number(
        "security_profile", "SecurityProfile", "SecurityCtrlr.SecurityProfile", 1, access="ro", greatest=3
    ),
    _text("identity", None, "SecurityCtrlr.Identity", "", "ro"),
    _text("operator", "CpoName", "SecurityCtrlr.OrganizationName", "Pilotwire"),
    _number("connectors", "NumberOfConnectors", "", 1, access="ro"),
    _number("keys_per_get", "GetConfigurationMaxKeys", "", 50, access="ro"),
    _text(
        "feature_profiles",
        "SupportedFeatureProfiles",
        "",
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        "ro",
    ),
    _number(
        "stack_level", "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel", 10, access="ro"
    ),
    _text("rate_unit_16", "ChargingScheduleAllowedChargingRateUnit", "", "Current,Power", "ro"),
    _text("rate_unit", None, "SmartChargingCtrlr.RateUnit", "A,W", "ro", "MemberList", ("A", "W")),
    _number(
        "schedule_periods",
        "ChargingScheduleMaxPeriods",
        "SmartChargingCtrlr.PeriodsPerSchedule",
        96,
        access="ro",
    ),
    _number(
        "profiles",
        "MaxChargingProfilesInstalled",
        "SmartChargingCtrlr.Entries[ChargingProfiles]",
        20,
        access="ro",
    ),
    _switch(
        "unlock_on_unplug",
        "UnlockConnectorOnEVSideDisconnect",
        "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
        True,
    ),
    _number("reset_retries", "ResetRetries", "OCPPCommCtrlr.ResetRetries", 1),
    _text("phase_rotation", "ConnectorPhaseRotation", "", "0.RST"),
    _text(
        "file_transfer",
        None,
        "OCPPCommCtrlr.FileTransferProtocols",
        "HTTPS,HTTP",
        "ro",
        "MemberList",
        ("HTTPS", "HTTP"),
    ),
    _number("message_timeout_s", None, "OCPPCommCtrlr.MessageTimeout[Default]", 30, unit="s", access="ro"),
    _text("network_priority", None, "OCPPCommCtrlr.NetworkConfigurationPriority", "1", kind="SequenceList"),
    _number("network_attempts", None, "OCPPCommCtrlr.NetworkProfileConnectionAttempts", 3),
    _number("offline_threshold_s", None, "OCPPCommCtrlr.OfflineThreshold", 60, unit="s"),
    _number("backoff_repeats", None, "OCPPCommCtrlr.RetryBackOffRepeatTimes", 5, greatest=20),
    _number("backoff_random_s", None, "OCPPCommCtrlr.RetryBackOffRandomRange", 3, unit="s"),
    _number("backoff_least_s", None, "OCPPCommCtrlr.RetryBackOffWaitMinimum", 1, unit="s"),
    _number("items_per_report", None, "DeviceDataCtrlr.ItemsPerMessage[GetReport]", 20, access="ro"),
    _number("items_per_get", None, "DeviceDataCtrlr.ItemsPerMessage[GetVariables]", 50, access="ro"),
    _number("items_per_set", None, "DeviceDataCtrlr.ItemsPerMessage[SetVariables]", 50, access="ro"),
    _number("bytes_per_report", None, "DeviceDataCtrlr.BytesPerMessage[GetReport]", 65536, access="ro"),
    _text("date_time", None, "ClockCtrlr.DateTime", "", "ro", "dateTime"),
    _text("time_source", None, "ClockCtrlr.TimeSource", "NTP,Heartbeat", kind="SequenceList"),
    _switch("smart_charging", None, "SmartChargingCtrlr.Enabled", True, "ro"),
    _switch("reservations", None, "ReservationCtrlr.Enabled", True, "ro"),
    _switch("reserve_any", "ReserveConnectorZeroSupported", "ReservationCtrlr.NonEvseSpecific", True, "ro"),
    _number("display_messages", None, "DisplayMessageCtrlr.DisplayMessages", 0, access="ro"),
    _text("display_formats", None, "DisplayMessageCtrlr.SupportedFormats", "ASCII,UTF8", "ro", "MemberList"),
    _text(
        "display_priorities",
        None,
        "DisplayMessageCtrlr.SupportedPriorities",
        "AlwaysFront,InFront,NormalCycle",
        "ro",
        "MemberList",
    ),
    _switch("cost_shown", None, "TariffCostCtrlr.Available[Cost]", True, "ro"),
    _switch("monitoring", None, "MonitoringCtrlr.Enabled", False, "ro"),
    _number("certificates", "CertificateStoreMaxLength", "SecurityCtrlr.CertificateEntries", 0, access="ro"),
)

BY_KEY_16 = {setting.key_16.lower(): setting for setting in SETTINGS if setting.key_16}
BY_VARIABLE = {
    (setting.component, setting.variable, setting.instance): setting
    for setting in SETTINGS
    if setting.variable
}
COMPONENTS = {setting.component for setting in SETTINGS if setting.variable}


class Device:
    """The settings of one station as they are now."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = {setting.name: setting.default for setting in SETTINGS} | values

    def text(self, name: str) -> str:
        """The value as on the wire."""
        return self._values[name]

    def number(self, name: str) -> int:
        """The value of a whole-number setting."""
        return int(self._values[name])

    def switch(self, name: str) -> bool:
        """The value of a yes-or-no setting."""
        return self._values[name] == "true"

    def members(self, name: str) -> frozenset[str]:
        """The members of a list."""
        return frozenset(part.strip() for part in self._values[name].split(",") if part.strip())

    def set(self, name: str, value: str) -> None:
        """Set a value from inside the station, whatever the server may do to it."""
        self._values[name] = value

    def write(self, setting: Setting, value: str) -> Outcome:
        """What the server's wish does: the value is taken when it fits the type and its bounds."""
        if setting.access == "ro":
            return "rejected"
        fitting = _fitting(setting, value.strip())
        if fitting is None:
            return "rejected"
        self._values[setting.name] = fitting
        return "accepted"


def _fitting(setting: Setting, value: str) -> str | None:
    if setting.name == "password":
        return value if 16 <= len(value) <= 40 else None
    if setting.type == "boolean":
        return value.lower() if value.lower() in {"true", "false"} else None
    if setting.type == "integer":
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            return None
        figure = int(value)
        too_small = setting.least is not None and figure < setting.least
        too_great = setting.greatest is not None and figure > setting.greatest
        return None if too_small or too_great else str(figure)
    if setting.type == "MemberList" and setting.values:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return ",".join(parts) if all(part in setting.values for part in parts) else None
    return value
