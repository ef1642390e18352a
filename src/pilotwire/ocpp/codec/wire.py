"""JSON payloads of every action and version to typed structs and back, exactly as the official schemas say.

OCPP 2.0.1 is read into subclasses of the 2.1-shaped types and written from them: code above this module sees
one 2.x tree. Beyond the schemas four things are refused, because nothing after this module could hold them:
integers of more than 64 bits, times outside the years 1970 to 9998, leap seconds, and the character NUL. Two
harmless forms of a time are read beyond RFC 3339: a blank for the `T`, and an offset without its colon.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, NoReturn

import msgspec

from pilotwire.ocpp.codec.errors import FaultKind, PayloadError, UnknownAction
from pilotwire.ocpp.codec.narrowing import Narrowing, struct_types, uses_type
from pilotwire.ocpp.codec.v2.wire.actions import ACTIONS as ACTIONS_2
from pilotwire.ocpp.codec.v2.wire.v201 import DIFFERENCES
from pilotwire.ocpp.codec.v16.wire.actions import ACTIONS as ACTIONS_16
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wiretypes import (
    ActionTypes,
    Direction,
    MessageKind,
    WireStruct,
    decode_custom,
    encode_custom,
)

Payload = bytes | bytearray | memoryview | msgspec.Raw

# What msgspec raises for bytes that it cannot take; UnicodeDecodeError is a ValueError.
DECODE_FAULTS = (msgspec.DecodeError, ValueError, RecursionError, OverflowError)

_ACTIONS: Mapping[OcppVersion, Mapping[str, ActionTypes]] = {
    OcppVersion.V16: ACTIONS_16,
    OcppVersion.V201: {action: types for action, types in ACTIONS_2.items() if types.since == "2.0.1"},
    OcppVersion.V21: ACTIONS_2,
}
_V201 = Narrowing(DIFFERENCES)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_custom)
_ANY = msgspec.json.Decoder()
_MAX_INTEGER = 2**63
# As a number: `in` looks for it at once, where it first tries to take bytes for a number, and fails by an exception.
_BACKSLASH = ord("\\")

# Times as msgspec writes them, that are not `...Z` with whole seconds.
_ODD_TIME = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6}Z|(?:\.\d{6})?[+-]\d\d:\d\d)"')


class Codec(NamedTuple):
    """How one message of one version is read and written.

    `newer` is the type that callers give, `read` the one that comes in; they differ for OCPP 2.0.1 only.
    """

    newer: type[WireStruct]
    read: type[WireStruct]
    decoder: msgspec.json.Decoder[WireStruct]
    dropping: type[msgspec.Struct] | None
    has_time: bool


class _Book(dict[str, Codec]):
    """The codecs of one version and message kind, each built when first needed."""

    def __init__(self, version: OcppVersion, kind: MessageKind) -> None:
        super().__init__()
        self._version = version
        self._kind = kind

    def __missing__(self, action: str) -> Codec:
        newer = (request_type if self._kind == "request" else response_type)(self._version, action)
        older = _V201.strict(newer) if self._version is OcppVersion.V201 else newer
        codec = Codec(
            newer=newer,
            read=older,
            decoder=msgspec.json.Decoder(older, dec_hook=decode_custom),
            dropping=None if older is newer else _V201.dropping(newer),
            has_time=_has_time(newer),
        )
        self[action] = codec
        return codec


_REQUESTS = {version: _Book(version, "request") for version in OcppVersion}
_RESPONSES = {version: _Book(version, "response") for version in OcppVersion}


def actions(version: OcppVersion) -> frozenset[str]:
    """Every action of the version."""
    return frozenset(_ACTIONS[version])


def direction(version: OcppVersion, action: str) -> Direction:
    """Who sends the request: the station ('cs'), the management system ('csms') or both.

    Raises: UnknownAction.
    """
    return _types(version, action).direction


def request_type(version: OcppVersion, action: str) -> type[WireStruct]:
    """Type of the request, 2.1-shaped for all of OCPP 2.x. Raises: UnknownAction."""
    return _types(version, action).request


def response_type(version: OcppVersion, action: str) -> type[WireStruct]:
    """Type of the answer, 2.1-shaped for all of OCPP 2.x.

    Raises: UnknownAction, also for a message that has no answer (2.1: NotifyPeriodicEventStream).
    """
    response = _types(version, action).response
    if response is None:
        raise UnknownAction(version, f"{action}Response")
    return response


def codec_of(version: OcppVersion, action: str, kind: MessageKind) -> Codec:
    """How the message is read and written. Raises: UnknownAction."""
    return (_REQUESTS if kind == "request" else _RESPONSES)[version][action]


def decode_request(version: OcppVersion, action: str, payload: Payload) -> WireStruct:
    """Read the payload of a CALL (or SEND) strictly. Raises: PayloadError, UnknownAction."""
    return _decode(_REQUESTS[version][action].decoder, payload)


def decode_plainly(version: OcppVersion, action: str, payload: Payload) -> WireStruct:
    """Read the payload of a CALL that is as it should be; of any other say no more than that it is not.

    Raises: one of DECODE_FAULTS; UnknownAction.
    """
    data = payload if type(payload) is bytes else bytes(payload)
    if _BACKSLASH in data:
        raise ValueError("an escape, which may be a NUL")
    return _REQUESTS[version][action].decoder.decode(data)


def decode_response(version: OcppVersion, action: str, payload: Payload) -> WireStruct:
    """Read the payload of a CALLRESULT strictly. Raises: PayloadError, UnknownAction."""
    return _decode(_RESPONSES[version][action].decoder, payload)


def encode(version: OcppVersion, action: str, kind: MessageKind, struct: WireStruct) -> bytes:
    """Write a payload that the version's schema accepts, or none at all.

    For OCPP 2.0.1 fields that exist since 2.1 are left out; a value that exists since 2.1 is an error, as
    only the caller knows what to say instead. Times are in UTC with `Z`, in whole seconds or milliseconds.
    Raises: PayloadError, UnknownAction; TypeError for a struct of another message.
    """
    codec = codec_of(version, action, kind)
    if not isinstance(struct, codec.newer):
        raise TypeError(f"{action} {kind} is a {codec.newer.__name__}, not a {type(struct).__name__}")
    data = _encode(struct, codec.has_time)
    try:
        codec.decoder.decode(data)
    except DECODE_FAULTS as fault:
        if codec.dropping is None:
            raise payload_error(fault) from fault
        data = _encode(_dropped(data, codec.dropping), codec.has_time)
        _decode(codec.decoder, data)
    return data


def payload_error(fault: Exception) -> PayloadError:
    """Say in our words what msgspec found."""
    if not isinstance(fault, msgspec.ValidationError):
        text = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        return PayloadError(FaultKind.MALFORMED, "", f"not valid JSON: {text}")
    text, _, place = str(fault).partition(" - at `")
    path = place.rstrip("`").removeprefix("$").removeprefix(".")
    kind = FaultKind.VALUE
    for candidate, pattern in _FAULTS:
        if match := pattern.search(text):
            kind = candidate
            path = ".".join(part for part in (path, match.groupdict().get("name")) if part)
            break
    if kind is FaultKind.TYPE and not path:
        kind = FaultKind.MALFORMED
    return PayloadError(kind, path, text)


_FAULTS = (
    (FaultKind.MISSING, re.compile(r"^Object missing required field `(?P<name>[^`]*)`")),
    (FaultKind.UNKNOWN_FIELD, re.compile(r"^Object contains unknown field(?: `(?P<name>.*)`)?", re.DOTALL)),
    (FaultKind.OCCURRENCE, re.compile(r"^Expected `(?:array|object)` of ")),
    (FaultKind.TYPE, re.compile(r"^Expected `[^`]*`(?:, got |$)")),
)


def integral(value: Any) -> Any:
    """Plain JSON data with integers for all floats without a fraction. Spec: JSON schema draft 6, 6.3."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _MAX_INTEGER else value
    if isinstance(value, dict):
        return {key: integral(each) for key, each in value.items()}
    if isinstance(value, list):
        return [integral(each) for each in value]
    return value


def has_nul(value: Any) -> bool:
    """Whether any text in plain JSON data has a NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or has_nul(each) for key, each in value.items())
    return isinstance(value, list) and any(map(has_nul, value))


def _types(version: OcppVersion, action: str) -> ActionTypes:
    try:
        return _ACTIONS[version][action]
    except KeyError:
        raise UnknownAction(version, action) from None


def _decode(decoder: msgspec.json.Decoder[WireStruct], payload: Payload) -> WireStruct:
    data = payload if type(payload) is bytes else bytes(payload)
    try:
        struct = decoder.decode(data)
    except DECODE_FAULTS as fault:
        struct = _second_look(decoder.type, data, fault)
    # A NUL can only be written as an escape.
    if _BACKSLASH in data and b"\\u0000" in data:
        _refuse_nul(data)
    return struct


def _refuse_nul(data: bytes) -> None:
    try:
        found = has_nul(_ANY.decode(data))
    except RecursionError as fault:
        raise payload_error(fault) from fault
    if found:
        raise PayloadError(FaultKind.VALUE, "", "text contains the character NUL")


def _second_look(wanted: Any, data: bytes, fault: Exception) -> Any:
    """Read the one thing that msgspec refuses and the schemas accept: an integer written as 5.0."""
    if not str(fault).startswith("Expected `int`, got `float`"):
        raise payload_error(fault) from fault
    try:
        return msgspec.convert(integral(_ANY.decode(data)), wanted, dec_hook=decode_custom)
    except DECODE_FAULTS as second:
        _refuse(second)


def _refuse(fault: Exception) -> NoReturn:
    raise payload_error(fault) from fault


def _dropped(data: bytes, dropping: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.convert(integral(_ANY.decode(data)), dropping, dec_hook=decode_custom)
    except DECODE_FAULTS as fault:
        _refuse(fault)


def _encode(struct: msgspec.Struct, has_time: bool) -> bytes:
    try:
        data = _ENCODER.encode(struct)
        if has_time and _ODD_TIME.search(data):
            plain = msgspec.to_builtins(struct, builtin_types=(datetime,), enc_hook=encode_custom)
            data = _ENCODER.encode(_with_plain_times(plain))
    except (ValueError, OverflowError, RecursionError, TypeError) as fault:
        raise PayloadError(FaultKind.VALUE, "", str(fault)) from fault
    return data


def _with_plain_times(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, dict):
        return {key: _with_plain_times(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_plain_times(each) for each in value]
    return value


def format_time(moment: datetime) -> str:
    """A time as every station reads it: UTC with `Z`, milliseconds if there are any.

    Raises: ValueError for a time without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds' if moment.microsecond >= 1000 else 'seconds')}Z"


@cache
def _has_time(wanted: type[WireStruct]) -> bool:
    return uses_type(wanted, datetime) or any(_has_time(part) for part in struct_types(wanted))
