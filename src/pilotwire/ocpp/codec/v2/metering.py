"""OCPP 2.x, blocks E and J: transactions and meter values."""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.sessions.metering import Reading, fold_readings
from pilotwire.ocpp.codec.inbound import Inbound, nothing, number, number_or_none, or_none
from pilotwire.ocpp.codec.v2.authorization import token_info, token_uid
from pilotwire.ocpp.codec.v2.wire.metering import MeterValuesRequest
from pilotwire.ocpp.codec.v2.wire.transactions import TransactionEventRequest, TransactionEventResponse

__all__ = ["INBOUND"]

_PHASE = {"Started": Phase.STARTED, "Updated": Phase.UPDATED, "Ended": Phase.ENDED}
_NOTHING = b"{}"


def _samples(values: Iterable[Any], notes: list[str]) -> tuple[Sample, ...]:
    samples = []
    for value in values:
        readings = []
        for reading in value.sampledValue:
            unit = reading.unitOfMeasure
            signed = reading.signedMeterValue
            readings.append(
                Reading(
                    repr(reading.value),
                    "Energy.Active.Import.Register" if reading.measurand is UNSET else reading.measurand,
                    None if unit is UNSET or unit.unit is UNSET else unit.unit,
                    None if reading.phase is UNSET else reading.phase,
                    None if reading.location is UNSET else reading.location,
                    None if reading.context is UNSET else reading.context,
                    0 if unit is UNSET or unit.multiplier is UNSET else unit.multiplier,
                    None if signed is UNSET else signed.signedMeterData,
                )
            )
        sample, found = fold_readings(value.timestamp, readings)
        if found:
            notes.extend(found)
        samples.append(sample)
    return tuple(samples)


def _event(request: TransactionEventRequest, notes: list[str]) -> SessionEvent:
    info = request.transactionInfo
    evse = request.evse
    phase = _PHASE[request.eventType]
    return SessionEvent(
        phase=phase,
        transaction_ref=info.transactionId,
        at=request.timestamp,
        seq_no=number("seqNo", request.seqNo),
        evse_no=None if evse is UNSET else number("evse.id", evse.id),
        connector_no=None if evse is UNSET else number_or_none(evse.connectorId, notes),
        token_uid=None if request.idToken is UNSET else token_uid(request.idToken, notes),
        samples=() if request.meterValue is UNSET else _samples(request.meterValue, notes),
        trigger=request.triggerReason,
        charging_state=or_none(info.chargingState),
        # Spec: E06.FR.08: no reason at the end means Local.
        stop_reason=(or_none(info.stoppedReason) or "Local") if phase is Phase.ENDED else None,
        offline=request.offline is True,
        remote_start_id=number_or_none(info.remoteStartId, notes),
        reservation_id=number_or_none(request.reservationId, notes),
    )


def _event_answer(
    answer: SessionAnswer, request: TransactionEventRequest
) -> TransactionEventResponse | bytes:
    if request.idToken is UNSET or answer.token is None:
        return _NOTHING
    return TransactionEventResponse(idTokenInfo=token_info(answer.token))


def _metered(request: MeterValuesRequest, notes: list[str]) -> SamplesReported:
    return SamplesReported(
        number("evseId", request.evseId), 0, None, _samples(request.meterValue, notes), in_session=False
    )


INBOUND = {
    "TransactionEvent": Inbound(_event, _event_answer),
    "MeterValues": Inbound(_metered, nothing),
}
