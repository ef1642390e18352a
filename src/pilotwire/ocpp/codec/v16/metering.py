"""OCPP 1.6: transactions and meter values. Connector n is connector 1 of EVSE n; connector 0 is the station."""

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
from pilotwire.ocpp.codec.inbound import (
    Inbound,
    clean_uid,
    nothing,
    number,
    number_or_none,
    or_none,
    register_wh,
)
from pilotwire.ocpp.codec.v16.authorization import token_info
from pilotwire.ocpp.codec.v16.wire import core as wire

__all__ = ["INBOUND"]

# What stations send when they mean 'none': missing, 0, -1, and the largest numbers of their integer types.
_NO_TRANSACTION = frozenset({0, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)})
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
        place = _PLAIN_PLACES.get((reading.measurand, reading.phase, reading.unit, reading.location))
        if place is None or reading.format == "SignedData":
            return None
        try:
            number = float(reading.value)
        except ValueError:
            return None
        if not SMALLEST_PLAIN <= number < MOST_PLAIN and (number or not place):
            return None
        if context is UNSET:
            context = reading.context
        if not place:
            register = reading.value
        numbers[place] = number or 0.0  # there is a -0.0, too
    return plain_sample(value.timestamp, None if context is UNSET else context, register, numbers)


def _reading(reading: Any) -> Reading:
    return Reading(
        reading.value if reading.format != "SignedData" else "",
        "Energy.Active.Import.Register" if reading.measurand is UNSET else reading.measurand,
        None if reading.unit is UNSET else reading.unit,
        None if reading.phase is UNSET else reading.phase,
        None if reading.location is UNSET else reading.location,
        None if reading.context is UNSET else reading.context,
        0,
        reading.value if reading.format == "SignedData" else None,
    )


def _connector(connector_id: int) -> tuple[int, int]:
    connector_id = number("connectorId", connector_id)
    return (connector_id, 1) if connector_id > 0 else (0, 0)


def _started(request: wire.StartTransactionRequest, notes: list[str]) -> SessionEvent:
    evse_no, connector_no = _connector(request.connectorId)
    return SessionEvent(
        phase=Phase.STARTED,
        transaction_ref=None,
        at=request.timestamp,
        evse_no=evse_no,
        connector_no=connector_no,
        token_uid=clean_uid(request.idTag, notes),
        meter_wh=register_wh(request.meterStart, notes),
        reservation_id=number_or_none(request.reservationId, notes),
    )


def _stopped(request: wire.StopTransactionRequest, notes: list[str]) -> SessionEvent:
    reason = or_none(request.reason)
    return SessionEvent(
        phase=Phase.ENDED,
        transaction_ref=str(request.transactionId),
        at=request.timestamp,
        token_uid=None if request.idTag is UNSET else clean_uid(request.idTag, notes),
        meter_wh=register_wh(request.meterStop, notes),
        samples=() if request.transactionData is UNSET else _samples(request.transactionData, notes),
        # Spec: OCPP 1.6 4.10: no reason means Local.
        stop_reason="Local" if reason is None else reason,
    )


def _metered(request: wire.MeterValuesRequest, notes: list[str]) -> SamplesReported:
    evse_no, connector_no = _connector(request.connectorId)
    transaction_id = request.transactionId
    ref = None
    if transaction_id is not UNSET:
        if transaction_id in _NO_TRANSACTION:
            notes.append("meter_values_without_transaction")
        else:
            ref = str(transaction_id)
            if not evse_no:
                notes.append("station_meter_in_transaction")
    return SamplesReported(evse_no, connector_no, ref, _samples(request.meterValue, notes))


def _start_answer(answer: SessionAnswer, request: Any) -> wire.StartTransactionResponse:
    del request
    return wire.StartTransactionResponse(
        transactionId=int(answer.transaction_ref), idTagInfo=token_info(answer.token)
    )


def _stop_answer(answer: SessionAnswer, request: wire.StopTransactionRequest) -> wire.StopTransactionResponse:
    if request.idTag is UNSET or answer.token is None:
        return wire.StopTransactionResponse()
    return wire.StopTransactionResponse(idTagInfo=token_info(answer.token))


INBOUND = {
    "StartTransaction": Inbound(_started, _start_answer),
    "StopTransaction": Inbound(_stopped, _stop_answer),
    "MeterValues": Inbound(_metered, nothing),
}
