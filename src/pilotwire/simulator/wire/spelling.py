"""What a version must be able to spell."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pilotwire.simulator.rpc import Call, Payload, Verdict
from pilotwire.simulator.states import Fault, Reading, Status, Transaction, TxEvent

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station


class Wire(Protocol):
    """The spelling of one OCPP version for one station.

    Pure apart from `answer`, which lets the station act.
    """

    subprotocol: str
    error_codes: tuple[tuple[str, str], ...]

    def boot(self, reason: str, firmware_version: str) -> Call:
        """BootNotification."""

    def heartbeat(self) -> Call:
        """Heartbeat."""

    def status(
        self, evse_id: int, connector_id: int, status: Status, at: datetime, fault: Fault | None
    ) -> Call:
        """StatusNotification of a connector."""

    def station_status(self, status: Status, at: datetime) -> Call | None:
        """StatusNotification of the station as a whole, where the version has it."""

    def authorize(self, uid: str) -> Call:
        """Authorize."""

    def verdict(self, payload: Payload) -> Verdict | None:
        """What an answer says of a token."""

    def transaction(self, event: TxEvent) -> Call | None:
        """The message for a happening; None where the version has none."""

    def transaction_answer(self, event: TxEvent, payload: Payload) -> Verdict | None:
        """Take what the server answers: the transaction's number, a verdict on the token."""

    def meter(self, evse_id: int, reading: Reading, tx: Transaction | None) -> Call:
        """MeterValues."""

    def security_event(self, kind: str, at: datetime, info: str) -> Call:
        """SecurityEventNotification."""

    def firmware_status(self, status: str, request_id: int | None) -> Call:
        """The progress of a firmware update."""

    def log_status(self, status: str, request_id: int | None) -> Call:
        """The progress of an upload of logs."""

    def sign_certificate(self, csr: str, request_id: int | None) -> Call:
        """SignCertificate."""

    def reservation_over(self, reservation_id: int, status: str) -> Call | None:
        """ReservationStatusUpdate, where the version has it."""

    def answer(self, station: Station, action: str, payload: Payload) -> Payload:
        """Answer a call of the server.

        Raises: CallFaultError when the answer is a CALLERROR.
        """
