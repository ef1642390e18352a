"""What may be assumed when a station leaves something out or uses a word of its own.

Keys are (struct, field) as in the wire modules of the versions.
"""

from collections.abc import Mapping
from typing import Any

Place = tuple[str, str]

# Required fields that may be missing, with what their absence means in practice. Required times are not
# listed: they become the time of receipt.
DEFAULTS: Mapping[Place, Any] = {
    ("StatusNotificationRequest", "errorCode"): "NoError",
    ("KeyValue", "readonly"): False,
    ("BootNotificationRequest", "reason"): "Unknown",
}

# What an unlisted value becomes when nothing closer fits: a listed value that says 'something else'.
FALLBACKS: Mapping[Place, str] = {
    # 1.6; `Error` of Legrand
    ("StatusNotificationRequest", "errorCode"): "OtherError",
    # 1.6; free text of several brands
    ("StopTransactionRequest", "reason"): "Other",
    # 2.x
    ("TransactionType", "stoppedReason"): "Other",
    ("TransactionEventRequest", "triggerReason"): "AbnormalCondition",
    ("BootNotificationRequest", "reason"): "Unknown",
    ("IdTokenType", "type"): "Central",
}

# Words of other versions or of a brand, in lower case, with the listed value that they stand for.
ALIASES: Mapping[Place, Mapping[str, str]] = {
    # 1.6 took over from 1.5, where one status covered all of these
    ("StatusNotificationRequest", "status"): {"occupied": "Preparing"},
    ("StatusNotificationRequest", "connectorStatus"): {
        "charging": "Occupied",
        "finishing": "Occupied",
        "preparing": "Occupied",
        "suspendedev": "Occupied",
        "suspendedevse": "Occupied",
    },
    ("SampledValue", "unit"): {"hz": "Hertz", "%": "Percent", "c": "Celsius", "°c": "Celsius"},
    ("TransactionSampledValue", "unit"): {"%": "Percent", "c": "Celsius", "°c": "Celsius"},
    ("IdTokenType", "type"): {"rfid": "ISO14443"},
}

# Optional fields whose absence means a certain value (Wh, the energy register, all phases), so that leaving a
# bad one out would turn the sample into another one. Without them the whole sample is dropped.
MEANT_WHEN_ABSENT: frozenset[Place] = frozenset(
    (struct, field)
    for struct in ("SampledValue", "TransactionSampledValue", "SampledValueType")
    for field in ("measurand", "phase", "unit", "unitOfMeasure")
)

# Fields that name something: cut to the limit they would name something else.
NEVER_CUT: frozenset[str] = frozenset(
    {"additionalIdToken", "emaid", "idTag", "idToken", "parentIdTag", "tariffId", "transactionId", "value"}
)

# Integers that measure something: a fraction is rounded away.
ROUNDED: frozenset[str] = frozenset(
    {"cableMaxCurrent", "meterStart", "meterStop", "timeSpentCharging", "duration", "interval"}
)

# Numbers with one decimal at most (multipleOf 0.1).
ROUNDED_TO_TENTHS: frozenset[Place] = frozenset(
    {("ChargingSchedulePeriod", "limit"), ("ChargingSchedule", "minChargingRate")}
)
