"""Where the generated OCPP types live and what the ones without a name in the schemas are called."""

# OCPP 1.6: feature profile -> actions. Sources: OCPP 1.6 chapter 3, security whitepaper edition 3.
PROFILES_16: dict[str, str] = {
    "core": (
        "Authorize BootNotification ChangeAvailability ChangeConfiguration ClearCache DataTransfer "
        "GetConfiguration Heartbeat MeterValues RemoteStartTransaction RemoteStopTransaction Reset "
        "StartTransaction StatusNotification StopTransaction UnlockConnector"
    ),
    "firmware": "DiagnosticsStatusNotification FirmwareStatusNotification GetDiagnostics UpdateFirmware",
    "local_auth_list": "GetLocalListVersion SendLocalList",
    "reservation": "CancelReservation ReserveNow",
    "smart_charging": "ClearChargingProfile GetCompositeSchedule SetChargingProfile",
    "remote_trigger": "TriggerMessage",
    "security": (
        "CertificateSigned DeleteCertificate ExtendedTriggerMessage GetInstalledCertificateIds GetLog "
        "InstallCertificate LogStatusNotification SecurityEventNotification SignCertificate "
        "SignedFirmwareStatusNotification SignedUpdateFirmware"
    ),
}

# OCPP 2.x: functional block -> actions. Source: OCPP 2.1 part 2, chapters A to S.
BLOCKS_2: dict[str, str] = {
    "security": "CertificateSigned SecurityEventNotification SignCertificate",
    "provisioning": (
        "BootNotification GetBaseReport GetReport GetVariables NotifyReport Reset SetNetworkProfile "
        "SetVariables"
    ),
    "authorization": "Authorize ClearCache NotifySettlement NotifyWebPaymentStarted VatNumberValidation",
    "local_list": "GetLocalListVersion SendLocalList",
    "transactions": "GetTransactionStatus TransactionEvent",
    "remote_control": "RequestStartTransaction RequestStopTransaction TriggerMessage UnlockConnector",
    "availability": "ChangeAvailability Heartbeat StatusNotification",
    "reservation": "CancelReservation ReservationStatusUpdate ReserveNow",
    "tariff_cost": "ChangeTransactionTariff ClearTariffs CostUpdated GetTariffs SetDefaultTariff",
    "metering": "MeterValues",
    "smart_charging": (
        "ClearChargingProfile ClearedChargingLimit GetChargingProfiles GetCompositeSchedule "
        "NotifyChargingLimit NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyPriorityCharging "
        "PullDynamicScheduleUpdate ReportChargingProfiles SetChargingProfile UpdateDynamicSchedule "
        "UsePriorityCharging"
    ),
    "firmware": (
        "FirmwareStatusNotification PublishFirmware PublishFirmwareStatusNotification UnpublishFirmware "
        "UpdateFirmware"
    ),
    "certificates": (
        "DeleteCertificate Get15118EVCertificate GetCertificateChainStatus GetCertificateStatus "
        "GetInstalledCertificateIds InstallCertificate"
    ),
    "diagnostics": (
        "AdjustPeriodicEventStream ClearVariableMonitoring ClosePeriodicEventStream CustomerInformation "
        "GetLog GetMonitoringReport GetPeriodicEventStream LogStatusNotification "
        "NotifyCustomerInformation NotifyEvent NotifyMonitoringReport NotifyPeriodicEventStream "
        "OpenPeriodicEventStream SetMonitoringBase SetMonitoringLevel SetVariableMonitoring"
    ),
    "display": "ClearDisplayMessage GetDisplayMessages NotifyDisplayMessages SetDisplayMessage",
    "data_transfer": "DataTransfer",
    "bidirectional": "AFRRSignal NotifyAllowedEnergyTransfer",
    "der": "ClearDERControl GetDERControl NotifyDERAlarm NotifyDERStartStop ReportDERControl SetDERControl",
    "battery_swap": "BatterySwap RequestBatterySwap",
}

# Actions whose request comes from the station; the others come from the CSMS.
FROM_STATION: dict[str, str] = {
    "1.6": (
        "Authorize BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat "
        "LogStatusNotification MeterValues SecurityEventNotification SignCertificate "
        "SignedFirmwareStatusNotification StartTransaction StatusNotification StopTransaction"
    ),
    "2.1": (
        "Authorize BatterySwap BootNotification ClearedChargingLimit ClosePeriodicEventStream "
        "FirmwareStatusNotification Get15118EVCertificate GetCertificateChainStatus GetCertificateStatus "
        "Heartbeat LogStatusNotification MeterValues NotifyChargingLimit NotifyCustomerInformation "
        "NotifyDERAlarm NotifyDERStartStop NotifyDisplayMessages NotifyEVChargingNeeds "
        "NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyPeriodicEventStream "
        "NotifyPriorityCharging NotifyReport NotifySettlement OpenPeriodicEventStream "
        "PublishFirmwareStatusNotification PullDynamicScheduleUpdate ReportChargingProfiles "
        "ReportDERControl ReservationStatusUpdate SecurityEventNotification SignCertificate "
        "StatusNotification TransactionEvent VatNumberValidation"
    ),
}
FROM_BOTH = "DataTransfer"

# OCPP 1.6: objects written in place in the schemas, by the field that holds them.
OBJECTS_16: dict[str, str] = {
    "chargingProfile": "ChargingProfile",
    "chargingSchedule": "ChargingSchedule",
    "chargingSchedulePeriod": "ChargingSchedulePeriod",
    "configurationKey": "KeyValue",
    "csChargingProfiles": "ChargingProfile",
    "idTagInfo": "IdTagInfo",
    "localAuthorizationList": "AuthorizationData",
    "meterValue": "MeterValue",
    "sampledValue": "SampledValue",
    "transactionData": "TransactionData",
}

# Inside these the name differs: the unit list of StopTransaction lacks `Hertz`, so it is a type of its own.
OBJECTS_16_INSIDE: dict[tuple[str, str], str] = {
    ("TransactionData", "sampledValue"): "TransactionSampledValue",
}

# OCPP 1.6: lists of values written in place, by class and field. The rest is named class + field.
ENUMS_16: dict[tuple[str, str], str] = {
    ("ChargingProfile", "chargingProfileKind"): "ChargingProfileKind",
    ("ChargingProfile", "chargingProfilePurpose"): "ChargingProfilePurpose",
    ("ChargingProfile", "recurrencyKind"): "RecurrencyKind",
    ("ChargingSchedule", "chargingRateUnit"): "ChargingRateUnit",
    ("ChangeAvailabilityRequest", "type"): "AvailabilityType",
    ("BootNotificationResponse", "status"): "RegistrationStatus",
    ("ChangeAvailabilityResponse", "status"): "AvailabilityStatus",
    ("ChangeConfigurationResponse", "status"): "ConfigurationStatus",
    ("ClearChargingProfileRequest", "chargingProfilePurpose"): "ChargingProfilePurpose",
    ("ClearChargingProfileResponse", "status"): "ClearChargingProfileStatus",
    ("DiagnosticsStatusNotificationRequest", "status"): "DiagnosticsStatus",
    ("FirmwareStatusNotificationRequest", "status"): "FirmwareStatus",
    ("GetCompositeScheduleRequest", "chargingRateUnit"): "ChargingRateUnit",
    ("IdTagInfo", "status"): "AuthorizationStatus",
    ("RemoteStartTransactionResponse", "status"): "RemoteStartStopStatus",
    ("RemoteStopTransactionResponse", "status"): "RemoteStartStopStatus",
    ("ReserveNowResponse", "status"): "ReservationStatus",
    ("SampledValue", "context"): "ReadingContext",
    ("SampledValue", "format"): "ValueFormat",
    ("SampledValue", "location"): "Location",
    ("SampledValue", "measurand"): "Measurand",
    ("SampledValue", "phase"): "Phase",
    ("SampledValue", "unit"): "UnitOfMeasure",
    ("SendLocalListRequest", "updateType"): "UpdateType",
    ("SendLocalListResponse", "status"): "UpdateStatus",
    ("SetChargingProfileResponse", "status"): "ChargingProfileStatus",
    ("StatusNotificationRequest", "errorCode"): "ChargePointErrorCode",
    ("StatusNotificationRequest", "status"): "ChargePointStatus",
    ("StopTransactionRequest", "reason"): "StopReason",
    ("TransactionSampledValue", "context"): "ReadingContext",
    ("TransactionSampledValue", "format"): "ValueFormat",
    ("TransactionSampledValue", "location"): "Location",
    ("TransactionSampledValue", "measurand"): "Measurand",
    ("TransactionSampledValue", "phase"): "Phase",
    ("TransactionSampledValue", "unit"): "TransactionUnitOfMeasure",
    ("TriggerMessageRequest", "requestedMessage"): "MessageTrigger",
    ("UnlockConnectorResponse", "status"): "UnlockStatus",
}

# Modules that would be too long are divided:
# new module -> (module to divide, type that moves with its parts, parts that stay).
SPLITS_2: dict[str, tuple[str, str, str]] = {
    "charging_profiles": ("types", "ChargingProfileType", ""),
    "tariffs": ("types", "TariffType", "MessageContentType"),
    "charging_needs": ("smart_charging", "ChargingNeedsType", ""),
}
