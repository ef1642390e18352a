"""OCPP 2.x, blocks E and J: transactions and meter values."""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from pilotwire.domain.sessions.messages import Phase, Sample, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.sessions.metering import (
    MOST_PLAIN,
    SMALLEST_PLAIN,
    Reading,
    fold_readings,
    no_numbers,
    plain_places,
    plain_sample,
)
from pilotwire.ocpp.codec.inbound import Inbound, nothing, number, number_or_none, or_none
from pilotwire.ocpp.codec.v2.authorization import token_info, token_uid
from pilotwire.ocpp.codec.v2.wire.metering import MeterValuesRequest
from pilotwire.ocpp.codec.v2.wire.transactions import TransactionEventRequest, TransactionEventResponse

__all__ = ["INBOUND"]

_PHASE = {"Started": Phase.STARTED, "Updated": Phase.UPDATED, "Ended": Phase.ENDED}
_ENDED = Phase.ENDED
_NOTHING = b"{}"
_PLAIN_PLACES = plain_places(UNSET)


def _samples(values: Iterable[Any], notes: list[str]) -> tuple[Sample, ...]:
    samples = []
    for value in values:
        sample = _plain(value)
        if sample is None:
            sample, found = fold_readings(value.timestamp, [_reading(each) for each in value.sampledValue])
            if found:
                notes.extend(found)
        samples.append(sample)
    return tuple(samples)


def _plain(value: Any) -> Sample | None:
    """Read a meter value of which nothing needs a closer look; None for any other."""
    context: Any = UNSET
    register: str | None = None
    numbers = no_numbers()
    for reading in value.sampledValue:
        unit: Any = reading.unitOfMeasure
        if unit is not UNSET:
            if unit.multiplier:  # 0 is harmless, and unset is not true
                return None
            unit = unit.unit
        place = _PLAIN_PLACES.get((reading.measurand, reading.phase, unit, reading.location))
        if place is None or reading.signedMeterValue is not UNSET:
            return None
        number = reading.value
        if not SMALLEST_PLAIN <= number < MOST_PLAIN and (number or not place):
            return None
        if context is UNSET:
            context = reading.context
        if not place:
            register = repr(number)
        numbers[place] = number or 0.0  # there is a -0.0, too
    return plain_sample(value.timestamp, None if context is UNSET else context, register, numbers)


def _reading(reading: Any) -> Reading:
    unit = reading.unitOfMeasure
    signed = reading.signedMeterValue
    return Reading(
        repr(reading.value),
        "Energy.Active.Import.Register" if reading.measurand is UNSET else reading.measurand,
        None if unit is UNSET or unit.unit is UNSET else unit.unit,
        None if reading.phase is UNSET else reading.phase,
        None if reading.location is UNSET else reading.location,
        None if reading.context is UNSET else reading.context,
        0 if unit is UNSET or unit.multiplier is UNSET else unit.multiplier,
        None if signed is UNSET else signed.signedMeterData,
    )


def _event(request: TransactionEventRequest, notes: list[str]) -> SessionEvent:
    info = request.transactionInfo
    evse = request.evse
    phase = _PHASE[request.eventType]
    return SessionEvent(  # in order, without names: they cost as much as the rest, on most messages there are
        phase,
        info.transactionId,
        request.timestamp,
        number("seqNo", request.seqNo),
        None if evse is UNSET else number("evse.id", evse.id),
        None if evse is UNSET else number_or_none(evse.connectorId, notes),
        None if request.idToken is UNSET else token_uid(request.idToken, notes),
        None,  # the register is among the samples
        () if request.meterValue is UNSET else _samples(request.meterValue, notes),
        request.triggerReason,
        None if info.chargingState is UNSET else info.chargingState,
        # Spec: E06.FR.08: no reason at the end means Local.
        (or_none(info.stoppedReason) or "Local") if phase is _ENDED else None,
        request.offline is True,
        None if info.remoteStartId is UNSET else number_or_none(info.remoteStartId, notes),
        None if request.reservationId is UNSET else number_or_none(request.reservationId, notes),
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
