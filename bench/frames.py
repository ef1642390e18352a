"""What the benchmark's stations say in OCPP 1.6, 2.0.1 and 2.1, and what a right answer to it looks like.

The frames are f-strings on purpose: filling one costs about a microsecond, so the generator is not the limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

BOOT, HEARTBEAT, STATUS, START, SAMPLES, STOP = range(6)
KIND_NAMES: Final = ("boot", "heartbeat", "status", "start", "samples", "stop")

# A charging cycle of 40 messages: 60 % meter values, 20 % heartbeats, 15 % statuses, 5 % start and stop.
_CHARGING: Final = (SAMPLES, SAMPLES, SAMPLES, HEARTBEAT)
CYCLE: Final = (
    (STATUS, START, STATUS)
    + _CHARGING * 3
    + (STATUS,)
    + _CHARGING * 2
    + (STATUS,)
    + _CHARGING * 3
    + (STOP, STATUS, STATUS)
)
STATUSES_V16: Final = ("Preparing", "Charging", "SuspendedEV", "Charging", "Finishing", "Available")
STATUSES_V2: Final = ("Occupied", "Occupied", "Occupied", "Occupied", "Occupied", "Available")


class Speaker(Protocol):
    """What a frame needs to know of the station that says it."""

    identity: str
    token_uid: str
    transaction_id: int | str
    meter_wh: int
    sequence: int
    status_step: int


Build = Callable[[Speaker, str, str], str]
"""(station, message id, timestamp) -> the CALL's text"""

Check = Callable[[Speaker, Any], str | None]
"""(station, payload of the answer) -> None when it is right, else the fault in words"""


@dataclass(frozen=True)
class Dialect:
    """One OCPP version as the load generator speaks it; `build` and `check` are indexed by kind."""

    version: str
    subprotocol: str
    build: tuple[Build, ...]
    check: tuple[Check, ...]


def _boot_v16(_: Speaker, message_id: str, __: str) -> str:
    return (
        f'[2,"{message_id}","BootNotification",{{"chargePointVendor":"PilotwireBench","chargePointModel":"Load16",'
        f'"firmwareVersion":"1.0.0"}}]'
    )


def _heartbeat(_: Speaker, message_id: str, __: str) -> str:
    return f'[2,"{message_id}","Heartbeat",{{}}]'


def _status_v16(station: Speaker, message_id: str, stamp: str) -> str:
    status = STATUSES_V16[station.status_step]
    station.status_step = (station.status_step + 1) % 6
    return (
        f'[2,"{message_id}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"{status}",'
        f'"timestamp":"{stamp}"}}]'
    )


def _start_v16(station: Speaker, message_id: str, stamp: str) -> str:
    return (
        f'[2,"{message_id}","StartTransaction",{{"connectorId":1,"idTag":"{station.token_uid}",'
        f'"meterStart":{station.meter_wh},"timestamp":"{stamp}"}}]'
    )


def _samples_v16(station: Speaker, message_id: str, stamp: str) -> str:
    station.meter_wh += 15
    return (
        f'[2,"{message_id}","MeterValues",{{"connectorId":1,"transactionId":{station.transaction_id},"meterValue":['
        f'{{"timestamp":"{stamp}","sampledValue":[{{"value":"{station.meter_wh}","context":"Sample.Periodic",'
        f'"measurand":"Energy.Active.Import.Register","unit":"Wh"}},{{"value":"10800.0","context":"Sample.Periodic",'
        f'"measurand":"Power.Active.Import","unit":"W"}}]}}]}}]'
    )


def _stop_v16(station: Speaker, message_id: str, stamp: str) -> str:
    return (
        f'[2,"{message_id}","StopTransaction",{{"transactionId":{station.transaction_id},"idTag":"{station.token_uid}",'
        f'"meterStop":{station.meter_wh},"timestamp":"{stamp}","reason":"Local"}}]'
    )


def _boot_v2(_: Speaker, message_id: str, __: str) -> str:
    return (
        f'[2,"{message_id}","BootNotification",{{"reason":"PowerUp","chargingStation":{{"vendorName":"PilotwireBench",'
        f'"model":"Load2","firmwareVersion":"1.0.0"}}}}]'
    )


def _status_v2(station: Speaker, message_id: str, stamp: str) -> str:
    status = STATUSES_V2[station.status_step]
    station.status_step = (station.status_step + 1) % 6
    return (
        f'[2,"{message_id}","StatusNotification",{{"timestamp":"{stamp}","connectorStatus":"{status}","evseId":1,'
        f'"connectorId":1}}]'
    )


def _transaction_event(
    station: Speaker, head: tuple[str, str, str, str], transaction: str, context: str
) -> str:
    """One TransactionEvent; `head` is message id, event type, trigger and timestamp."""
    message_id, event, trigger, stamp = head
    sequence = station.sequence
    station.sequence = sequence + 1
    return (
        f'[2,"{message_id}","TransactionEvent",{{"eventType":"{event}","timestamp":"{stamp}","triggerReason":"{trigger}",'
        f'"seqNo":{sequence},"transactionInfo":{{"transactionId":"{station.transaction_id}"{transaction}}},'
        f'"evse":{{"id":1,"connectorId":1}},"meterValue":[{{"timestamp":"{stamp}","sampledValue":['
        f'{{"value":{station.meter_wh},"context":"{context}","measurand":"Energy.Active.Import.Register",'
        f'"unitOfMeasure":{{"unit":"Wh"}}}},{{"value":10800.0,"context":"{context}","measurand":"Power.Active.Import",'
        f'"unitOfMeasure":{{"unit":"W"}}}}]}}]'
    )


def _start_v2(station: Speaker, message_id: str, stamp: str) -> str:
    station.transaction_id = "t-" + message_id
    station.sequence = 0
    head = (message_id, "Started", "Authorized", stamp)
    event = _transaction_event(station, head, ',"chargingState":"Charging"', "Transaction.Begin")
    return f'{event},"idToken":{{"idToken":"{station.token_uid}","type":"ISO14443"}}}}]'


def _samples_v2(station: Speaker, message_id: str, stamp: str) -> str:
    station.meter_wh += 15
    head = (message_id, "Updated", "MeterValuePeriodic", stamp)
    return _transaction_event(station, head, ',"chargingState":"Charging"', "Sample.Periodic") + "}]"


def _stop_v2(station: Speaker, message_id: str, stamp: str) -> str:
    head = (message_id, "Ended", "StopAuthorized", stamp)
    return _transaction_event(station, head, ',"stoppedReason":"Local"', "Transaction.End") + "}]"


def _check_boot(_: Speaker, payload: Any) -> str | None:
    # Pending and Rejected are legal answers: the station itself decides how to go on.
    right = payload.get("status") in ("Accepted", "Pending", "Rejected") and "interval" in payload
    return None if right and "currentTime" in payload else f"boot answered with {payload}"


def _check_heartbeat(_: Speaker, payload: Any) -> str | None:
    return None if "currentTime" in payload else f"heartbeat answered with {payload}"


def _check_empty(_: Speaker, payload: Any) -> str | None:
    return None if type(payload) is dict else f"answer is not an object: {payload}"


def _check_start_v16(station: Speaker, payload: Any) -> str | None:
    transaction_id = payload.get("transactionId")
    if type(transaction_id) is not int or payload.get("idTagInfo", {}).get("status") != "Accepted":
        return f"start answered with {payload}"
    station.transaction_id = transaction_id
    return None


def _check_start_v2(_: Speaker, payload: Any) -> str | None:
    right = payload.get("idTokenInfo", {}).get("status") == "Accepted"
    return None if right else f"start answered with {payload}"


def _check_stop_v16(_: Speaker, payload: Any) -> str | None:
    right = payload.get("idTagInfo", {}).get("status", "Accepted") == "Accepted"
    return None if right else f"stop answered with {payload}"


_BUILD_V16: Final = (_boot_v16, _heartbeat, _status_v16, _start_v16, _samples_v16, _stop_v16)
_BUILD_V2: Final = (_boot_v2, _heartbeat, _status_v2, _start_v2, _samples_v2, _stop_v2)
_CHECK_V16: Final = (
    _check_boot,
    _check_heartbeat,
    _check_empty,
    _check_start_v16,
    _check_empty,
    _check_stop_v16,
)
_CHECK_V2: Final = (_check_boot, _check_heartbeat, _check_empty, _check_start_v2, _check_empty, _check_empty)

DIALECTS: Final = {
    "1.6": Dialect("1.6", "ocpp1.6", _BUILD_V16, _CHECK_V16),
    "2.0.1": Dialect("2.0.1", "ocpp2.0.1", _BUILD_V2, _CHECK_V2),
    "2.1": Dialect("2.1", "ocpp2.1", _BUILD_V2, _CHECK_V2),
}


def answer_to(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    """What a bench station answers when the server calls it; None means CALLERROR NotSupported."""
    if action == "GetConfiguration":
        return {"configurationKey": [], "unknownKey": list(payload.get("key", []))[:50]}
    if action in ("ChangeConfiguration", "SetMonitoringBase", "SetMonitoringLevel", "ChangeAvailability"):
        return {"status": "Accepted"}
    if action == "TriggerMessage":
        return {"status": "NotImplemented"}
    if action in ("GetBaseReport", "GetReport"):
        return {"status": "NotSupported"}
    if action in ("GetVariables", "SetVariables"):
        asked = payload.get("getVariableData") or payload.get("setVariableData") or []
        results = [
            {"attributeStatus": "Accepted", "component": one["component"], "variable": one["variable"]}
            for one in asked
        ]
        if action == "GetVariables":
            return {"getVariableResult": [{**one, "attributeValue": "0"} for one in results]}
        return {"setVariableResult": results}
    return None
