"""Bytes of a station's message to a domain message, and the domain's answer to bytes."""

from datetime import datetime
from typing import Any

import msgspec

from pilotwire.domain.stations.messages import ReportReceived
from pilotwire.ocpp.codec import v2, v16
from pilotwire.ocpp.codec.errors import FaultKind, PayloadError
from pilotwire.ocpp.codec.inbound import Inbound
from pilotwire.ocpp.codec.lenient import decode_request_leniently
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import DECODE_FAULTS, decode_plainly, decode_request, direction, encode

__all__ = ["Incoming", "NotFromStation", "read"]

_TABLES = {OcppVersion.V16: v16.INBOUND, OcppVersion.V201: v2.INBOUND, OcppVersion.V21: v2.INBOUND}


class NotFromStation(PayloadError):
    """The action exists, and is ours to send."""

    def __init__(self, action: str) -> None:
        super().__init__(FaultKind.NOT_SUPPORTED, "", f"{action} is sent by the management system only")


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A message from a station: its meaning, the repairs it needed, and how it is answered."""

    version: OcppVersion
    action: str
    message: Any
    notes: list[str]
    request: Any
    inbound: Inbound

    def answer(self, answer: Any) -> bytes:
        """Spell an answer as the payload of a CALLRESULT."""
        response = self.inbound.answer(answer, self.request)
        if type(response) is bytes:
            return response
        return encode(self.version, self.action, "response", response)


def read(
    version: OcppVersion, action: str, payload: Any, received_at: datetime, *, strict: bool = False
) -> Incoming:
    """Read a message; in lenient mode what can be repaired is, and said in `notes`.

    Raises: PayloadError, UnknownAction.
    """
    inbound = _TABLES[version].get(action)
    if inbound is None:
        direction(version, action)  # raises UnknownAction where there is no such action
        raise NotFromStation(action)
    notes: list[str] = []
    try:
        # Nearly every message is as it should be: it is decoded at once, and looked at again only if that fails.
        request: Any = decode_plainly(version, action, payload)
    except DECODE_FAULTS:
        if strict:
            request = decode_request(version, action, payload)
        else:
            request, deviations = decode_request_leniently(version, action, payload, received_at)
            notes = [deviation.code for deviation in deviations]
    message = inbound.read(request, notes)
    if type(message) is ReportReceived:
        message = ReportReceived(message.kind, bytes(payload), message.meaning)
    return Incoming(version, action, message, notes, request, inbound)
