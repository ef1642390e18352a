"""OCPP 2.1: how the calls are answered that 2.0.1 does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pilotwire.simulator import commands
from pilotwire.simulator.rpc import Payload
from pilotwire.simulator.wire import v2_charging

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station


def set_default_tariff(station: Station, payload: Payload) -> Payload:
    """SetDefaultTariff (2.1 I07)."""
    tariff_id = payload["tariff"]["tariffId"]
    station.tariffs[tariff_id] = payload["evseId"]
    return {"status": "Accepted"}


def get_tariffs(station: Station, payload: Payload) -> Payload:
    """GetTariffs (2.1 I09)."""
    evse_id = payload["evseId"]
    found = [(name, place) for name, place in station.tariffs.items() if evse_id in (0, place) or place == 0]
    if not found:
        return {"status": "NoTariff"}
    assignments = []
    for name, place in found:
        evses = [place] if place else [evse.id for evse in station.evses]
        assignments.append({"tariffId": name, "tariffKind": "DefaultTariff", "evseIds": evses})
    return {"status": "Accepted", "tariffAssignments": assignments}


def clear_tariffs(station: Station, payload: Payload) -> Payload:
    """ClearTariffs (2.1 I10)."""
    wanted = payload.get("tariffIds") or list(station.tariffs)
    if not wanted:
        return {"clearTariffsResult": [{"status": "NoTariff"}]}
    results = []
    for name in wanted:
        known = station.tariffs.pop(name, None) is not None
        results.append({"tariffId": name, "status": "Accepted" if known else "NoTariff"})
    return {"clearTariffsResult": results}


def change_transaction_tariff(station: Station, payload: Payload) -> Payload:
    """ChangeTransactionTariff (2.1 I11)."""
    _ = payload["tariff"]
    known = commands.find_transaction(station, payload["transactionId"])
    return {"status": "Accepted" if known else "TxNotFound"}


def no_answer_needed(station: Station, payload: Payload) -> Payload:  # noqa: ARG001
    """NotifyWebPaymentStarted: the display says so."""
    _ = payload["evseId"]
    return {}


def energy_transfer(station: Station, payload: Payload) -> Payload:
    """NotifyAllowedEnergyTransfer: charging one way is all that these cars do."""
    known = commands.find_transaction(station, payload["transactionId"])
    return {"status": "Accepted" if known else "Rejected"}


HANDLERS: dict[str, Callable[[Station, Payload], Payload]] = {
    "ChangeTransactionTariff": change_transaction_tariff,
    "ClearTariffs": clear_tariffs,
    "GetTariffs": get_tariffs,
    "NotifyAllowedEnergyTransfer": energy_transfer,
    "NotifyWebPaymentStarted": no_answer_needed,
    "SetDefaultTariff": set_default_tariff,
    "UpdateDynamicSchedule": v2_charging.update_dynamic,
    "UsePriorityCharging": v2_charging.priority,
}
UNSUPPORTED = {
    "AFRRSignal",
    "AdjustPeriodicEventStream",
    "ClearDERControl",
    "GetDERControl",
    "GetPeriodicEventStream",
    "RequestBatterySwap",
    "SetDERControl",
}
