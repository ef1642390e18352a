"""The table of handlers."""

from collections.abc import Callable
from typing import Any

from pilotwire.domain.access.model import TokenAnswer, TokenPresented, TokenVerdict, judge
from pilotwire.domain.certificates.decide import decide_certificate_request
from pilotwire.domain.certificates.messages import CertificateRequested
from pilotwire.domain.certificates.status import CertificateStatusAnswer, CertificateStatusAsked
from pilotwire.domain.energy.decide import decide_meaning
from pilotwire.domain.sessions.decide import decide_event, decide_samples
from pilotwire.domain.sessions.messages import Phase, SamplesReported, SessionEvent
from pilotwire.domain.stations.answers import ACKNOWLEDGED, ReportAnswer, TimeAnswer
from pilotwire.domain.stations.decide import (
    decide_boot,
    decide_charging_state,
    decide_progress,
    decide_report,
    decide_security_event,
    decide_status,
)
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    DataTransferred,
    FirmwareProgressed,
    HeartbeatReceived,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
    StationBooted,
)
from pilotwire.ocpp.handlers.context import Context
from pilotwire.ocpp.redaction import redacted

__all__ = ["HANDLERS", "handle"]

Outcome = tuple[Any, list[Any]]


def handle(context: Context, message: Any) -> Outcome:
    """Decide on a message; give the answer and the records to keep.

    Raises: LookupNeeded when a fact has to be read first.
    """
    return HANDLERS[type(message)](context, message)


def _boot(context: Context, message: StationBooted) -> Outcome:
    return decide_boot(context.station, message, context.now, context.services.boot_policy)


def _heartbeat(context: Context, message: HeartbeatReceived) -> Outcome:
    del message
    return TimeAnswer(context.now), []


def _status(context: Context, message: ConnectorStatusReported) -> Outcome:
    return decide_status(context.station, message, context.now)


def _security_event(context: Context, message: SecurityEventReported) -> Outcome:
    return decide_security_event(context.station, message, context.now)


def _progress(context: Context, message: FirmwareProgressed | LogProgressed) -> Outcome:
    return decide_progress(context.station, message)


def _report(context: Context, message: ReportReceived) -> Outcome:
    # A report of all variables may give away those that are never to be read.
    clean = ReportReceived(message.kind, redacted(message.content), message.meaning)
    answer, records = decide_report(context.station, clean, context.now)
    if message.meaning is not None:
        record = context.station.record
        managed = context.services.manages_energy(record.id)
        planned, more = decide_meaning(
            record, context.sessions, message.meaning, context.now, managed=managed
        )
        records += more
        if planned:
            answer = ReportAnswer(message.kind, planned=True)
    return answer, records


def _certificate(context: Context, message: CertificateRequested) -> Outcome:
    request_id = context.services.new_request_id()
    return decide_certificate_request(context.station.record, message, request_id, context.now)


def _certificate_status(context: Context, message: CertificateStatusAsked) -> Outcome:
    return CertificateStatusAnswer(context.services.statuses.find(message.asked, context.now)), []


def _data(context: Context, message: DataTransferred) -> Outcome:
    return context.services.vendors.handle(context.station, message), []


def _token(context: Context, message: TokenPresented) -> Outcome:
    if message.certified:
        # A contract certificate that nobody has checked opens nothing. Spec: 2.0.1 C07.
        return TokenAnswer(TokenVerdict.INVALID), []
    return _verdict(context, message.uid), []


def _session_event(context: Context, message: SessionEvent) -> Outcome:
    token = None if message.token_uid is None else _verdict(context, message.token_uid)
    answer, records = decide_event(context.sessions, message, context.deciding(), token)
    ended = message.phase is Phase.ENDED
    if records and message.seq_no is not None and (ended or message.charging_state is not None):
        facts = records[0].facts
        # Late events leave the connector alone: the session's newest state is what it does now.
        state = None if facts.ended or facts.charging_state is None else facts.charging_state[1]
        if facts.ended == ended and not message.offline:
            records += decide_charging_state(
                context.station, facts.evse_no, facts.connector_no, state, message.at, context.now
            )
    return answer, records


def _samples(context: Context, message: SamplesReported) -> Outcome:
    return ACKNOWLEDGED, decide_samples(context.sessions, message, context.deciding())


def _verdict(context: Context, uid: str) -> TokenAnswer:
    if not uid:
        return TokenAnswer(TokenVerdict.INVALID)
    return judge(context.services.tokens.find(context.station.record.tenant_id, uid), context.now)


HANDLERS: dict[type, Callable[[Context, Any], Outcome]] = {
    StationBooted: _boot,
    HeartbeatReceived: _heartbeat,
    ConnectorStatusReported: _status,
    SecurityEventReported: _security_event,
    FirmwareProgressed: _progress,
    LogProgressed: _progress,
    ReportReceived: _report,
    DataTransferred: _data,
    CertificateRequested: _certificate,
    CertificateStatusAsked: _certificate_status,
    TokenPresented: _token,
    SessionEvent: _session_event,
    SamplesReported: _samples,
}
