"""OCPP 2.0.1 and 2.1: what the station sends."""

# ruff: noqa: ARG002 - an argument that this version does not spell is there for the other one

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pilotwire.simulator.device import Device
from pilotwire.simulator.model import StationSpec
from pilotwire.simulator.rpc import Call, Payload, Verdict
from pilotwire.simulator.states import Fault, Reading, Status, StopReason, Transaction, Trigger, TxEvent
from pilotwire.simulator.wire import v2_calls
from pilotwire.simulator.wire.format import ENERGY, expiry, figures, stamp

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

STOP_REASONS = {
    StopReason.LOCAL: "Local",
    StopReason.REMOTE: "Remote",
    StopReason.EV_DISCONNECTED: "EVDisconnected",
    StopReason.DEAUTHORIZED: "DeAuthorized",
    StopReason.POWER_LOSS: "PowerLoss",
    StopReason.HARD_RESET: "ImmediateReset",
    StopReason.SOFT_RESET: "Reboot",
    StopReason.UNLOCK: "Other",
    StopReason.EMERGENCY_STOP: "EmergencyStop",
    StopReason.FAULT: "Other",
    StopReason.TIMEOUT: "Timeout",
}
OCCUPIED = (
    Status.PREPARING,
    Status.CHARGING,
    Status.SUSPENDED_EV,
    Status.SUSPENDED_EVSE,
    Status.FINISHING,
)
MEASURANDS_FOR = {
    "started": "started_measurands",
    "updated": "sampled_measurands",
    "ended": "ended_measurands",
}


class Wire2:
    """The spelling of 2.0.1 and 2.1 for one station; what a simulated station sends is the same in both."""

    error_codes: tuple[tuple[str, str], ...] = ()

    def __init__(self, spec: StationSpec, device: Device) -> None:
        self.subprotocol = f"ocpp{spec.version}"
        self._spec = spec
        self._device = device

    def boot(self, reason: str, firmware_version: str) -> Call:
        """BootNotification."""
        spec = self._spec
        station = {
            "vendorName": spec.vendor[:50],
            "model": spec.model[:20],
            "serialNumber": spec.serial_number[:25],
            "firmwareVersion": firmware_version[:50],
        }
        return Call("BootNotification", {"reason": reason, "chargingStation": station})

    def heartbeat(self) -> Call:
        """Heartbeat."""
        return Call("Heartbeat", {})

    def status(
        self, evse_id: int, connector_id: int, status: Status, at: datetime, fault: Fault | None
    ) -> Call:
        """StatusNotification; the charging states are told by transaction events."""
        return Call(
            "StatusNotification",
            {
                "timestamp": self._stamp(at),
                "connectorStatus": "Occupied" if status in OCCUPIED else status.value,
                "evseId": evse_id,
                "connectorId": connector_id,
            },
        )

    def station_status(self, status: Status, at: datetime) -> Call | None:
        """2.x reports connectors only."""
        return None

    def authorize(self, uid: str) -> Call:
        """Authorize."""
        return Call("Authorize", {"idToken": id_token(uid)})

    def verdict(self, payload: Payload) -> Verdict | None:
        """What `idTokenInfo` says."""
        info = payload.get("idTokenInfo")
        if not isinstance(info, dict):
            return None
        group = info.get("groupIdToken")
        return Verdict(
            str(info.get("status")),
            str(group["idToken"]) if isinstance(group, dict) and "idToken" in group else None,
            expiry(info.get("cacheExpiryDateTime")),
        )

    def transaction(self, event: TxEvent) -> Call | None:
        """TransactionEvent."""
        tx = event.tx
        info: dict[str, Any] = {"transactionId": tx.id, "chargingState": event.state.value}
        if event.charging_s:
            info["timeSpentCharging"] = event.charging_s
        if event.stop_reason is not None:
            info["stoppedReason"] = STOP_REASONS[event.stop_reason]
        if tx.remote_start_id is not None and event.trigger in (
            Trigger.REMOTE_START,
            Trigger.CABLE_PLUGGED_IN,
        ):
            info["remoteStartId"] = tx.remote_start_id
        payload: Payload = {
            "eventType": event.kind.capitalize(),
            "timestamp": self._stamp(event.at),
            "triggerReason": event.trigger.value,
            "seqNo": event.seq_no,
            "offline": event.offline,
            "transactionInfo": info,
            "evse": {"id": tx.evse_id, "connectorId": tx.connector_id},
        }
        if event.phases and self._spec.evses[tx.evse_id - 1].current == "AC":
            payload["numberOfPhasesUsed"] = event.phases
        if event.token is not None:
            payload["idToken"] = id_token(event.token.uid)
        if tx.reservation_id is not None and event.kind == "started":
            payload["reservationId"] = tx.reservation_id
        if event.reading is not None:
            aligned = event.reading.context == "Sample.Clock"
            name = "aligned_measurands" if aligned else MEASURANDS_FOR[event.kind]
            value = self._meter_value(event.reading, self._device.members(name), tx)
            if value["sampledValue"]:
                payload["meterValue"] = [value]
        return Call("TransactionEvent", payload)

    def transaction_answer(self, event: TxEvent, payload: Payload) -> Verdict | None:
        """The verdict on the token of the event."""
        return self.verdict(payload) if event.token is not None and event.kind != "ended" else None

    def meter(self, evse_id: int, reading: Reading, tx: Transaction | None) -> Call:
        """MeterValues, outside of transactions."""
        name = "aligned_measurands" if reading.context == "Sample.Clock" else "sampled_measurands"
        measurands = self._device.members(name) or frozenset({ENERGY})
        return Call(
            "MeterValues", {"evseId": evse_id, "meterValue": [self._meter_value(reading, measurands, tx)]}
        )

    def security_event(self, kind: str, at: datetime, info: str) -> Call:
        """SecurityEventNotification."""
        payload = {"type": kind, "timestamp": self._stamp(at), "techInfo": info[:255]}
        return Call("SecurityEventNotification", payload)

    def firmware_status(self, status: str, request_id: int | None) -> Call:
        """FirmwareStatusNotification; `requestId` belongs to every status but Idle."""
        payload: Payload = {"status": status}
        if request_id is not None and status != "Idle":
            payload["requestId"] = request_id
        return Call("FirmwareStatusNotification", payload)

    def log_status(self, status: str, request_id: int | None) -> Call:
        """LogStatusNotification; `requestId` belongs to every status but Idle."""
        payload: Payload = {"status": status}
        if request_id is not None and status != "Idle":
            payload["requestId"] = request_id
        return Call("LogStatusNotification", payload)

    def sign_certificate(self, csr: str, request_id: int | None) -> Call:
        """SignCertificate for the station's own certificate."""
        payload: Payload = {"csr": csr, "certificateType": "ChargingStationCertificate"}
        if request_id is not None and self._spec.version == "2.1":
            payload["requestId"] = request_id
        return Call("SignCertificate", payload)

    def reservation_over(self, reservation_id: int, status: str) -> Call | None:
        """ReservationStatusUpdate."""
        return Call(
            "ReservationStatusUpdate", {"reservationId": reservation_id, "reservationUpdateStatus": status}
        )

    def answer(self, station: Station, action: str, payload: Payload) -> Payload:
        """Answer a call of the server."""
        return v2_calls.answer(station, action, payload)

    def _meter_value(self, reading: Reading, measurands: frozenset[str], tx: Transaction | None) -> Payload:
        quirks = self._spec.quirks
        energy = reading.register_wh
        sampled = reading.context not in ("Transaction.Begin", "Transaction.End")
        if quirks.session_relative_samples and tx is not None and sampled:
            energy -= tx.start_wh
        values = []
        for figure in figures(reading, measurands, energy):
            value: dict[str, Any] = {
                "value": figure.value,
                "context": reading.context,
                "measurand": figure.measurand,
                "unitOfMeasure": {"unit": figure.unit},
                "location": figure.location or "Outlet",
            }
            if figure.measurand == ENERGY and quirks.kwh_labelled_wh and sampled:
                value["value"] = figure.value / 1000
            if figure.phase:
                value["phase"] = figure.phase
            values.append(value)
        return {"timestamp": self._stamp(reading.at), "sampledValue": values}

    def _stamp(self, at: datetime) -> str:
        return stamp(at, self._spec.quirks)


def id_token(uid: str) -> Payload:
    """A card of 4, 7 or 10 bytes is ISO 14443; anything else was given out by the server."""
    card = len(uid) in (8, 14, 20) and all(char in "0123456789abcdefABCDEF" for char in uid)
    return {"idToken": uid, "type": "ISO14443" if card else "Central"}
