"""The frames of OCPP-J: what surrounds a payload. Payloads stay raw JSON here.

Spec: OCPP-J 1.6 4.2; OCPP 2.0.1 part 4, 4.2; OCPP 2.1 part 4, 4.2 (adds CALLRESULTERROR and SEND).
"""

import re
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Raw

from pilotwire.ocpp.codec.errors import Deviation, FaultKind, FrameError
from pilotwire.ocpp.codec.json_repair import repair_json
from pilotwire.ocpp.codec.version import OcppVersion

MAX_ID = 36
MAX_LENIENT_ID = 255
MAX_DESCRIPTION = 255

# Spec: OCPP 2.x part 4, 4.2.3: the id of a CALLERROR to a CALL whose own id cannot be read.
UNREADABLE_ID = "-1"

MessageId = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Action = Annotated[str, Meta(min_length=1)]


class Call(msgspec.Struct, frozen=True, array_like=True, tag=2, forbid_unknown_fields=True, gc=False):
    """A request."""

    message_id: MessageId
    action: Action
    payload: Raw


class CallResult(msgspec.Struct, frozen=True, array_like=True, tag=3, forbid_unknown_fields=True, gc=False):
    """The answer to a request."""

    message_id: MessageId
    payload: Raw


class CallError(msgspec.Struct, frozen=True, array_like=True, tag=4, forbid_unknown_fields=True, gc=False):
    """The refusal of a request."""

    message_id: MessageId
    code: str
    description: str
    details: Raw


class CallResultError(
    msgspec.Struct, frozen=True, array_like=True, tag=5, forbid_unknown_fields=True, gc=False
):
    """The refusal of an answer. Since OCPP 2.1."""

    message_id: MessageId
    code: str
    description: str
    details: Raw


class Send(msgspec.Struct, frozen=True, array_like=True, tag=6, forbid_unknown_fields=True, gc=False):
    """A message that is not answered. Since OCPP 2.1."""

    message_id: MessageId
    action: Action
    payload: Raw


Frame = Call | CallResult | CallError | CallResultError | Send

_OLD: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Call | CallResult | CallError)
_NEW: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(
    Call | CallResult | CallError | CallResultError | Send
)
_DECODERS = {OcppVersion.V16: _OLD, OcppVersion.V201: _OLD, OcppVersion.V21: _NEW}
_TYPES: dict[OcppVersion, dict[int, type[Frame]]] = {
    OcppVersion.V16: {2: Call, 3: CallResult, 4: CallError},
    OcppVersion.V201: {2: Call, 3: CallResult, 4: CallError},
    OcppVersion.V21: {2: Call, 3: CallResult, 4: CallError, 5: CallResultError, 6: Send},
}
_PARTS = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
_FAULTS = (msgspec.DecodeError, ValueError, RecursionError)
_EMPTY = Raw(b"{}")

_BACKSLASH = ord("\\")  # as a number it is found faster

# The beginning of a frame, for when the rest cannot be parsed.
_START = re.compile(rb'\A\s*\[\s*(\d)\s*,\s*("(?:[^"\\\x00-\x1f]|\\.){1,300}")')


def parse_frame(version: OcppVersion, data: bytes | bytearray | memoryview) -> Frame:
    """Read a frame strictly. Raises: FrameError."""
    if type(data) is not bytes:
        data = bytes(data)  # raw payloads refer to the buffer, which may not change under them
    try:
        frame = _DECODERS[version].decode(data)
    except _FAULTS as fault:
        raise _frame_error(version, data, fault) from fault
    if _BACKSLASH in data and ("\0" in frame.message_id or "\0" in getattr(frame, "action", "")):
        raise FrameError(FaultKind.FRAME, "message id or action contains the character NUL")
    return frame


def parse_frame_leniently(
    version: OcppVersion, data: bytes | bytearray | memoryview
) -> tuple[Frame, tuple[Deviation, ...]]:
    """Read a frame, repairing what real stations do wrong. Raises: FrameError."""
    if type(data) is not bytes:
        data = bytes(data)
    try:
        return parse_frame(version, data), ()
    except FrameError as original:
        return repair_frame(version, data, original)


def repair_frame(
    version: OcppVersion, data: bytes, original: FrameError
) -> tuple[Frame, tuple[Deviation, ...]]:
    """Read a frame that the strict reader refused, for the `original` reason.

    Survived are: message ids of up to 255 characters or given as a number, an absent payload, surplus or
    missing elements, and broken JSON of the known kinds (see json_repair). Raises: FrameError.
    """
    parts, deviations = _parts(data, original)
    return _assemble(version, parts, deviations, original), tuple(deviations)


def build_call(message_id: str, action: str, payload: bytes) -> bytes:
    """The frame of a request."""
    return b"[2,%b,%b,%b]" % (_ENCODER.encode(message_id), _ENCODER.encode(action), payload)


def build_result(message_id: str, payload: bytes) -> bytes:
    """The frame of an answer."""
    return b"[3,%b,%b]" % (_ENCODER.encode(message_id), payload)


def build_error(message_id: str, code: str, description: str = "", details: bytes = b"{}") -> bytes:
    """The frame of a refusal; the description is cut to the 255 characters that it may have."""
    return _build_refusal(4, message_id, code, description, details)


def build_result_error(message_id: str, code: str, description: str = "", details: bytes = b"{}") -> bytes:
    """The frame that refuses an answer. Since OCPP 2.1."""
    return _build_refusal(5, message_id, code, description, details)


def build_send(message_id: str, action: str, payload: bytes) -> bytes:
    """The frame of a message that is not answered. Since OCPP 2.1."""
    return b"[6,%b,%b,%b]" % (_ENCODER.encode(message_id), _ENCODER.encode(action), payload)


def _build_refusal(number: int, message_id: str, code: str, description: str, details: bytes) -> bytes:
    text = description[:MAX_DESCRIPTION].encode("utf-8", "replace").decode()
    head = b"[%d,%b,%b,%b" % (
        number,
        _ENCODER.encode(message_id),
        _ENCODER.encode(code),
        _ENCODER.encode(text),
    )
    return b"%b,%b]" % (head, details)


def _frame_error(version: OcppVersion, data: bytes, fault: Exception) -> FrameError:
    """Find out what is wrong with a frame, and save its message id if it can be read."""
    try:
        parts = _PARTS.decode(data)
    except _FAULTS:
        start = _START.match(data)
        if start is None:
            return FrameError(FaultKind.FRAME, "not a frame of OCPP-J")
        saved_id = _usable_id(_value(Raw(start[2])))
        return FrameError(FaultKind.MALFORMED, "not valid JSON", saved_id, int(start[1]))
    number = _value(parts[0]) if parts else None
    message_id = _usable_id(_value(parts[1])) if len(parts) > 1 else None
    if type(number) is not int:
        return FrameError(FaultKind.FRAME, "the message type is not a number", message_id)
    if number not in _TYPES[version]:
        text = f"OCPP {version} has no message type {str(number)[:20]}"
        return FrameError(FaultKind.MESSAGE_TYPE, text, message_id, number)
    return FrameError(FaultKind.FRAME, _reason(fault), message_id, number)


def _reason(fault: Exception) -> str:
    text = str(fault) if isinstance(fault, msgspec.ValidationError) else "not valid JSON"
    return text.replace("$[1]", "message id").replace("$[2]", "action")


def _value(raw: Raw) -> Any:
    """Decode one element; None if it cannot be."""
    try:
        return _ANY.decode(raw)
    except _FAULTS:
        return None


def _usable_id(value: Any) -> str | None:
    """An id that can be sent back, if the value is one."""
    if isinstance(value, str) and 0 < len(value) <= MAX_LENIENT_ID and "\0" not in value:
        return value
    return None


def _parts(data: bytes, original: FrameError) -> tuple[list[Raw], list[Deviation]]:
    """The elements of a frame, after repair of broken JSON if need be."""
    try:
        return _PARTS.decode(data), []
    except _FAULTS:
        repaired = repair_json(data, _is_array)
    if repaired is None:
        raise original
    return _PARTS.decode(repaired[0]), list(repaired[1])


def _is_array(data: bytes) -> bool:
    try:
        _PARTS.decode(data)
    except _FAULTS:
        return False
    return True


def _assemble(
    version: OcppVersion, parts: list[Raw], deviations: list[Deviation], original: FrameError
) -> Frame:
    """Build the frame from its elements, each made acceptable if that is honest."""
    values = [_value(part) for part in parts[:2]]
    number = values[0] if values else None
    if isinstance(number, str | float) and str(number) in ("2", "3", "4", "2.0", "3.0", "4.0"):
        deviations.append(Deviation("message_type_form", "", f"message type given as {number!r}"))
        number = int(float(number))
    frame_type = _TYPES[version].get(number) if type(number) is int else None
    if frame_type is None or len(values) < 2:
        raise original
    message_id = values[1]
    if type(message_id) is int and abs(message_id) < 10**MAX_ID:
        deviations.append(Deviation("message_id_number", "", "message id given as a number"))
        message_id = str(message_id)
    usable = _usable_id(message_id)
    if usable is None:
        raise original
    if len(usable) > MAX_ID:
        deviations.append(Deviation("message_id_long", "", f"message id of {len(usable)} characters"))
    rest = parts[2:]
    if frame_type is CallResult:
        return CallResult(usable, _payload(rest, 0, deviations))
    if frame_type in (CallError, CallResultError):
        refusal = cast("type[CallError]", frame_type)
        code, description = (_text(rest, place, deviations) for place in (0, 1))
        return refusal(usable, code, description, _payload(rest, 2, deviations))
    action = _value(rest[0]) if rest else None
    if not isinstance(action, str) or not action or "\0" in action:
        raise original
    if action != action.strip():
        deviations.append(Deviation("action_blanks", "", "blanks around the action"))
    return cast("type[Call]", frame_type)(usable, action.strip(), _payload(rest, 1, deviations))


def _payload(rest: list[Raw], place: int, deviations: list[Deviation]) -> Raw:
    """The object at the place, which is the last one that the frame may have."""
    if len(rest) > place + 1:
        deviations.append(Deviation("surplus_elements", "", f"{len(rest) - place - 1} surplus element(s)"))
    if len(rest) <= place or bytes(rest[place]).strip() in (b"null", b'""'):
        deviations.append(Deviation("payload_absent", "", "no payload where an object is due"))
        return _EMPTY
    return rest[place]


def _text(rest: list[Raw], place: int, deviations: list[Deviation]) -> str:
    value = _value(rest[place]) if len(rest) > place else None
    if isinstance(value, str):
        return value.replace("\0", "")
    deviations.append(Deviation("text_absent", "", "no text where an error code or description is due"))
    return "" if value is None else str(value)[:MAX_DESCRIPTION]
