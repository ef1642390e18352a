"""The configuration keys of OCPP 1.6 and the standard variables of 2.x that mean the same: one table.

Spec: OCPP 1.6 9; OCPP 1.6 security whitepaper 4; OCPP 2.0.1 part 2, referenced components and variables.
"""

from typing import Literal

import msgspec

from pilotwire.domain.configuration.model import Variable, read_name

__all__ = ["KEYS", "Key", "find_key", "key_of", "variable_of"]

Access = Literal["", "read_only", "read_write", "write_only"]


class Key(msgspec.Struct, frozen=True):
    """A standard key with what its specification says of it, which 1.6 stations do not tell."""

    key: str
    name: str
    data_type: str
    unit: str = ""
    access: Access = ""

    @property
    def variable(self) -> Variable:
        """The variable that means the same."""
        return read_name(self.name)


_INTEGER, _SWITCH, _LIST, _TEXT = "integer", "boolean", "member_list", "string"

KEYS: tuple[Key, ...] = (
    # Core
    Key("AllowOfflineTxForUnknownId", "AuthCtrlr/OfflineTxForUnknownIdEnabled", _SWITCH),
    Key("AuthorizationCacheEnabled", "AuthCacheCtrlr/Enabled", _SWITCH),
    Key("AuthorizeRemoteTxRequests", "AuthCtrlr/AuthorizeRemoteStart", _SWITCH),
    Key("BlinkRepeat", "ChargingStation/BlinkRepeat", _INTEGER),
    Key("ClockAlignedDataInterval", "AlignedDataCtrlr/Interval", _INTEGER, "s"),
    Key("ConnectionTimeOut", "TxCtrlr/EVConnectionTimeOut", _INTEGER, "s"),
    Key("ConnectorPhaseRotation", "ChargingStation/PhaseRotation", _LIST),
    Key(
        "GetConfigurationMaxKeys", "DeviceDataCtrlr/ItemsPerMessage[GetVariables]", _INTEGER, "", "read_only"
    ),
    Key("HeartbeatInterval", "OCPPCommCtrlr/HeartbeatInterval", _INTEGER, "s"),
    Key("LightIntensity", "ChargingStation/LightIntensity", _INTEGER, "percent"),
    Key("LocalAuthorizeOffline", "AuthCtrlr/LocalAuthorizeOffline", _SWITCH),
    Key("LocalPreAuthorize", "AuthCtrlr/LocalPreAuthorize", _SWITCH),
    Key("MaxEnergyOnInvalidId", "TxCtrlr/MaxEnergyOnInvalidId", _INTEGER, "Wh"),
    Key("MeterValuesAlignedData", "AlignedDataCtrlr/Measurands", _LIST),
    Key("MeterValuesSampledData", "SampledDataCtrlr/TxUpdatedMeasurands", _LIST),
    Key("MeterValueSampleInterval", "SampledDataCtrlr/TxUpdatedInterval", _INTEGER, "s"),
    Key("MinimumStatusDuration", "ChargingStation/MinimumStatusDuration", _INTEGER, "s"),
    Key("NumberOfConnectors", "ChargingStation/NumberOfConnectors", _INTEGER, "", "read_only"),
    Key("ResetRetries", "OCPPCommCtrlr/ResetRetries", _INTEGER),
    Key("StopTransactionOnEVSideDisconnect", "TxCtrlr/StopTxOnEVSideDisconnect", _SWITCH),
    Key("StopTransactionOnInvalidId", "TxCtrlr/StopTxOnInvalidId", _SWITCH),
    Key("StopTxnAlignedData", "AlignedDataCtrlr/TxEndedMeasurands", _LIST),
    Key("StopTxnSampledData", "SampledDataCtrlr/TxEndedMeasurands", _LIST),
    Key("SupportedFeatureProfiles", "ChargingStation/SupportedFeatureProfiles", _LIST, "", "read_only"),
    Key("TransactionMessageAttempts", "OCPPCommCtrlr/MessageAttempts[TransactionEvent]", _INTEGER),
    Key(
        "TransactionMessageRetryInterval",
        "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]",
        _INTEGER,
        "s",
    ),
    Key("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr/UnlockOnEVSideDisconnect", _SWITCH),
    Key("WebSocketPingInterval", "OCPPCommCtrlr/WebSocketPingInterval", _INTEGER, "s"),
    # Local authorization list
    Key("LocalAuthListEnabled", "LocalAuthListCtrlr/Enabled", _SWITCH),
    Key("LocalAuthListMaxLength", "LocalAuthListCtrlr/Entries", _INTEGER, "", "read_only"),
    Key("SendLocalListMaxLength", "LocalAuthListCtrlr/ItemsPerMessage", _INTEGER, "", "read_only"),
    # Reservation
    Key("ReserveConnectorZeroSupported", "ReservationCtrlr/NonEvseSpecific", _SWITCH, "", "read_only"),
    # Smart charging
    Key("ChargeProfileMaxStackLevel", "SmartChargingCtrlr/ProfileStackLevel", _INTEGER, "", "read_only"),
    Key("ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr/RateUnit", _LIST, "", "read_only"),
    Key("ChargingScheduleMaxPeriods", "SmartChargingCtrlr/PeriodsPerSchedule", _INTEGER, "", "read_only"),
    Key(
        "MaxChargingProfilesInstalled",
        "SmartChargingCtrlr/Entries[ChargingProfiles]",
        _INTEGER,
        "",
        "read_only",
    ),
    Key("ConnectorSwitch3to1PhaseSupported", "SmartChargingCtrlr/Phases3to1", _SWITCH, "", "read_only"),
    # Firmware
    Key("SupportedFileTransferProtocols", "OCPPCommCtrlr/FileTransferProtocols", _LIST, "", "read_only"),
    # Security whitepaper
    Key(
        "AdditionalRootCertificateCheck",
        "SecurityCtrlr/AdditionalRootCertificateCheck",
        _SWITCH,
        "",
        "read_only",
    ),
    Key("AuthorizationKey", "SecurityCtrlr/BasicAuthPassword", _TEXT, "", "write_only"),
    Key("CertificateSignedMaxChainSize", "SecurityCtrlr/MaxCertificateChainSize", _INTEGER, "", "read_only"),
    Key("CertificateStoreMaxLength", "SecurityCtrlr/CertificateEntries", _INTEGER, "", "read_only"),
    Key("CpoName", "SecurityCtrlr/OrganizationName", _TEXT),
    Key("SecurityProfile", "SecurityCtrlr/SecurityProfile", _INTEGER),
    # ISO 15118 on 1.6
    Key("CentralContractValidationAllowed", "ISO15118Ctrlr/CentralContractValidationAllowed", _SWITCH),
    Key("ContractValidationOffline", "ISO15118Ctrlr/ContractValidationOffline", _SWITCH),
    Key("ISO15118PnCEnabled", "ISO15118Ctrlr/PnCEnabled", _SWITCH),
)

_BY_KEY = {key.key.casefold(): key for key in KEYS}
_BY_PATH = {key.variable.path: key for key in KEYS}


def find_key(key: str) -> Key | None:
    """Find a standard key in any letter case."""
    return _BY_KEY.get(key.strip().casefold())


def variable_of(key: str) -> Variable:
    """Give the variable that a 1.6 key means; one without a standard name stays as it is."""
    known = find_key(key)
    return Variable(key.strip()) if known is None else known.variable


def key_of(variable: Variable) -> str | None:
    """Give the 1.6 key of a variable, None when 1.6 has none."""
    if not variable.component:
        return variable.variable
    known = _BY_PATH.get(variable.path)
    return None if known is None else known.key
