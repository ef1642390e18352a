"""OCPP 1.6: what the station sends."""

# ruff: noqa: ARG002 - an argument that this version does not spell is there for the other one

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pilotwire.simulator.device import Device
from pilotwire.simulator.model import StationSpec
from pilotwire.simulator.rpc import Call, Payload, Verdict
from pilotwire.simulator.states import Fault, Reading, Status, StopReason, Transaction, TxEvent
from pilotwire.simulator.wire import v16_calls
from pilotwire.simulator.wire.format import ENERGY, expiry, figures, stamp

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

STOP_REASONS = {
    StopReason.LOCAL: "Local",
    StopReason.REMOTE: "Remote",
    StopReason.EV_DISCONNECTED: "EVDisconnected",
    StopReason.DEAUTHORIZED: "DeAuthorized",
    StopReason.POWER_LOSS: "PowerLoss",
    StopReason.HARD_RESET: "HardReset",
    StopReason.SOFT_RESET: "SoftReset",
    StopReason.UNLOCK: "UnlockCommand",
    StopReason.EMERGENCY_STOP: "EmergencyStop",
    StopReason.FAULT: "Other",
    StopReason.TIMEOUT: "Other",
}


class Wire16:
    """The spelling of 1.6 for one station; connector n is EVSE n."""

    subprotocol = "ocpp1.6"
    # The specification of 1.6 spells these two in its own way.
    error_codes: tuple[tuple[str, str], ...] = (
        ("FormatViolation", "FormationViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
    )

    def __init__(self, spec: StationSpec, device: Device) -> None:
        self._spec = spec
        self._device = device

    def boot(self, reason: str, firmware_version: str) -> Call:
        """BootNotification."""
        spec = self._spec
        return Call(
            "BootNotification",
            {
                "chargePointVendor": spec.vendor[:20],
                "chargePointModel": spec.model[:20],
                "chargePointSerialNumber": spec.serial_number[:25],
                "chargeBoxSerialNumber": spec.serial_number[:25],
                "firmwareVersion": firmware_version[:50],
                "meterType": "AC MID" if spec.evses[0].current == "AC" else "DC",
                "meterSerialNumber": f"M{spec.serial_number}"[:25],
            },
        )

    def heartbeat(self) -> Call:
        """Heartbeat."""
        return Call("Heartbeat", {})

    def status(
        self, evse_id: int, connector_id: int, status: Status, at: datetime, fault: Fault | None
    ) -> Call:
        """StatusNotification of a connector."""
        payload: Payload = {
            "connectorId": evse_id,
            "status": status.value,
            "errorCode": fault.code if fault else "NoError",
            "timestamp": self._stamp(at),
        }
        if fault:
            payload["info"] = fault.info[:50]
            payload["vendorId"] = self._spec.vendor
        return Call("StatusNotification", payload)

    def station_status(self, status: Status, at: datetime) -> Call | None:
        """StatusNotification of connector 0."""
        return self.status(0, 0, status, at, None)

    def authorize(self, uid: str) -> Call:
        """Authorize."""
        return Call("Authorize", {"idTag": uid[:20]})

    def verdict(self, payload: Payload) -> Verdict | None:
        """What `idTagInfo` says."""
        info = payload.get("idTagInfo")
        if not isinstance(info, dict):
            return None
        return Verdict(str(info.get("status")), info.get("parentIdTag"), expiry(info.get("expiryDate")))

    def transaction(self, event: TxEvent) -> Call | None:
        """StartTransaction, MeterValues or StopTransaction."""
        tx = event.tx
        if event.kind == "started":
            payload: Payload = {
                "connectorId": tx.evse_id,
                "idTag": (tx.token.uid if tx.token else "")[:20],
                "meterStart": tx.start_wh,
                "timestamp": self._stamp(event.at),
            }
            if tx.reservation_id is not None:
                payload["reservationId"] = tx.reservation_id
            return Call("StartTransaction", payload)
        if event.kind == "updated":
            return None if event.reading is None else self.meter(tx.evse_id, event.reading, tx)
        return self._stop(event)

    def transaction_answer(self, event: TxEvent, payload: Payload) -> Verdict | None:
        """The number of the transaction and the verdict on its token."""
        if event.kind == "started" and isinstance(payload.get("transactionId"), int):
            event.tx.number = payload["transactionId"]
        return self.verdict(payload) if event.kind == "started" else None

    def meter(self, evse_id: int, reading: Reading, tx: Transaction | None) -> Call:
        """MeterValues."""
        name = "aligned_measurands" if reading.context == "Sample.Clock" else "sampled_measurands"
        payload: Payload = {
            "connectorId": evse_id,
            "meterValue": [self._meter_value(reading, self._device.members(name), tx)],
        }
        if tx is not None and tx.number is not None:
            payload["transactionId"] = tx.number
        return Call("MeterValues", payload)

    def security_event(self, kind: str, at: datetime, info: str) -> Call:
        """SecurityEventNotification."""
        payload = {"type": kind, "timestamp": self._stamp(at), "techInfo": info[:255]}
        return Call("SecurityEventNotification", payload)

    def firmware_status(self, status: str, request_id: int | None) -> Call:
        """FirmwareStatusNotification, or the signed one when the request had a number."""
        if request_id is None:
            return Call("FirmwareStatusNotification", {"status": status})
        return Call("SignedFirmwareStatusNotification", {"status": status, "requestId": request_id})

    def log_status(self, status: str, request_id: int | None) -> Call:
        """DiagnosticsStatusNotification, or LogStatusNotification when the request had a number."""
        if request_id is None:
            return Call("DiagnosticsStatusNotification", {"status": status})
        return Call("LogStatusNotification", {"status": status, "requestId": request_id})

    def sign_certificate(self, csr: str, request_id: int | None) -> Call:
        """SignCertificate."""
        return Call("SignCertificate", {"csr": csr})

    def reservation_over(self, reservation_id: int, status: str) -> Call | None:
        """1.6 does not tell."""
        return None

    def answer(self, station: Station, action: str, payload: Payload) -> Payload:
        """Answer a call of the server."""
        return v16_calls.answer(station, action, payload)

    def _stop(self, event: TxEvent) -> Call:
        tx, reading = event.tx, event.reading
        if reading is None:
            raise ValueError("a stop has a reading")
        payload: Payload = {
            # A start that the server never numbered: -1 is what stations send then.
            "transactionId": -1 if tx.number is None else tx.number,
            "meterStop": reading.register_wh,
            "timestamp": self._stamp(event.at),
        }
        if event.stop_reason is not None:
            payload["reason"] = STOP_REASONS[event.stop_reason]
        if event.token is not None:
            payload["idTag"] = event.token.uid[:20]
        measurands = self._device.members("ended_measurands")
        if measurands:
            value = self._meter_value(reading, measurands, None)
            if value["sampledValue"]:
                payload["transactionData"] = [value]
        return Call("StopTransaction", payload)

    def _meter_value(self, reading: Reading, measurands: frozenset[str], tx: Transaction | None) -> Payload:
        quirks = self._spec.quirks
        energy = reading.register_wh
        if quirks.session_relative_samples and tx is not None:
            energy -= tx.start_wh
        values = []
        for figure in figures(reading, measurands or frozenset({ENERGY}), energy):
            value: dict[str, Any] = {
                "value": f"{figure.value:g}" if figure.measurand != ENERGY else str(int(figure.value)),
                "context": reading.context,
                "measurand": figure.measurand,
                "unit": figure.unit,
                "location": figure.location or "Outlet",
            }
            if figure.measurand == ENERGY and quirks.kwh_labelled_wh and tx is not None:
                value["value"] = f"{figure.value / 1000:.3f}"
            if figure.phase:
                value["phase"] = figure.phase
            values.append(value)
        return {"timestamp": self._stamp(reading.at), "sampledValue": values}

    def _stamp(self, at: datetime) -> str:
        return stamp(at, self._spec.quirks)
