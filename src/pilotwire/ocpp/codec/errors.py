"""What can be wrong with a frame, and how each version of OCPP calls it in a CALLERROR."""

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pilotwire.ocpp.codec.version import OcppVersion


class FaultKind(StrEnum):
    """What is wrong. The first group is about a payload, the second about the frame or its handling."""

    MALFORMED = "malformed"
    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    OCCURRENCE = "occurrence"
    TYPE = "type"
    VALUE = "value"

    FRAME = "frame"
    MESSAGE_TYPE = "message_type"
    UNKNOWN_ACTION = "unknown_action"
    NOT_SUPPORTED = "not_supported"
    SECURITY = "security"
    INTERNAL = "internal"
    GENERIC = "generic"


# Spec: OCPP-J 1.6 4.2.3 table 7. Two codes are misspelt there and stay so (errata 1.0, 5.1 and 5.2). It knows
# no code for a frame that is no CALL at all; FormationViolation is the nearest. A field that the PDU does not
# have is a FormationViolation there (structure of the PDU); ProtocolError is about an incomplete payload.
_CODES_16 = {
    FaultKind.MALFORMED: "FormationViolation",
    FaultKind.MISSING: "OccurenceConstraintViolation",
    FaultKind.UNKNOWN_FIELD: "FormationViolation",
    FaultKind.OCCURRENCE: "OccurenceConstraintViolation",
    FaultKind.TYPE: "TypeConstraintViolation",
    FaultKind.VALUE: "PropertyConstraintViolation",
    FaultKind.FRAME: "FormationViolation",
    FaultKind.MESSAGE_TYPE: "GenericError",
    FaultKind.UNKNOWN_ACTION: "NotImplemented",
    FaultKind.NOT_SUPPORTED: "NotSupported",
    FaultKind.SECURITY: "SecurityError",
    FaultKind.INTERNAL: "InternalError",
    FaultKind.GENERIC: "GenericError",
}

# Spec: OCPP 2.0.1 and 2.1 part 4, 4.3: FormatViolation is about syntax, ProtocolError about the structure of
# the PDU.
_CODES_2 = {
    FaultKind.MALFORMED: "FormatViolation",
    FaultKind.MISSING: "OccurrenceConstraintViolation",
    FaultKind.UNKNOWN_FIELD: "ProtocolError",
    FaultKind.OCCURRENCE: "OccurrenceConstraintViolation",
    FaultKind.TYPE: "TypeConstraintViolation",
    FaultKind.VALUE: "PropertyConstraintViolation",
    FaultKind.FRAME: "RpcFrameworkError",
    FaultKind.MESSAGE_TYPE: "MessageTypeNotSupported",
    FaultKind.UNKNOWN_ACTION: "NotImplemented",
    FaultKind.NOT_SUPPORTED: "NotSupported",
    FaultKind.SECURITY: "SecurityError",
    FaultKind.INTERNAL: "InternalError",
    FaultKind.GENERIC: "GenericError",
}

CALL_ERROR_CODES = MappingProxyType(
    {
        OcppVersion.V16: MappingProxyType(_CODES_16),
        OcppVersion.V201: MappingProxyType(_CODES_2),
        OcppVersion.V21: MappingProxyType(_CODES_2),
    }
)


def call_error_code(kind: FaultKind, version: OcppVersion) -> str:
    """How the version spells the fault in the errorCode of a CALLERROR."""
    return CALL_ERROR_CODES[version][kind]


class CodecError(Exception):
    """A message cannot be read."""

    kind: FaultKind

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    def code(self, version: OcppVersion) -> str:
        """The errorCode of the CALLERROR that answers it."""
        return call_error_code(self.kind, version)


class PayloadError(CodecError):
    """A payload does not fit the schema of its action.

    `path` leads to the fault, such as `meterValue[...].timestamp`; it is empty for the payload itself.
    """

    def __init__(self, kind: FaultKind, path: str, message: str) -> None:
        super().__init__(kind, message)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class UnknownAction(CodecError):
    """The version has no such action, or the action has no such message."""

    def __init__(self, version: OcppVersion, action: str) -> None:
        super().__init__(FaultKind.UNKNOWN_ACTION, f"OCPP {version} has no action {action[:60]!r}")
        self.version = version
        self.action = action


class FrameError(CodecError):
    """Bytes are not a frame of the version.

    `message_id` and `message_type` are given when they could be read nonetheless. Only a CALL (2), or
    something that may have been one (None), is answered by a CALLERROR.
    """

    def __init__(
        self, kind: FaultKind, message: str, message_id: str | None = None, message_type: int | None = None
    ) -> None:
        super().__init__(kind, message)
        self.message_id = message_id
        self.message_type = message_type


class Deviation(NamedTuple):
    """Something that a peer did otherwise than the specification has it, and that was survived."""

    code: str
    path: str
    detail: str
