"""Read payloads that do not fit the schema: repair what can be repaired honestly and say what was done.

The strict reader goes first, so a conformant message costs nothing here. The repair walks the plain JSON
along the wanted type; what it may assume stands in repair_rules. Codes of the deviations:

- JSON: see json_repair; `payload_absent` for null where an object is due
- names: `unknown_field` dropped, `key_case` another spelling of a known field
- absence: `null_dropped`, `missing_defaulted`, `timestamp_missing` (time of receipt instead)
- times: `timestamp_without_zone` (taken as UTC), `timestamp_format`, `timestamp_epoch`,
  `timestamp_implausible` (required: time of receipt instead; optional: dropped)
- values: `text_cleaned`, `text_cut`, `number_as_text`, `json_as_text`, `text_as_number`, `fraction_rounded`,
  `text_as_truth`, `enum_spelling`, `enum_alias`, `enum_fallback`
- parts: `invalid_dropped` an optional field, `item_dropped` from a list, `list_cut`, `not_a_list`
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec
from msgspec import inspect

from pilotwire.ocpp.codec import repair_rules as rules
from pilotwire.ocpp.codec.errors import Deviation, PayloadError
from pilotwire.ocpp.codec.json_repair import repair_json
from pilotwire.ocpp.codec.scalar_repair import (
    Unrepairable,
    clean_text,
    number_of,
    rounded,
    shown,
    time_of,
    truth_of,
    type_name,
)
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import DECODE_FAULTS, Payload, codec_of, decode_request, decode_response
from pilotwire.ocpp.codec.wiretypes import Absent, MessageKind, WireStruct, decode_custom

MAX_DEVIATIONS = 50

_ANY = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def decode_request_leniently(
    version: OcppVersion, action: str, payload: Payload, received_at: datetime
) -> tuple[WireStruct, tuple[Deviation, ...]]:
    """Read the payload of a CALL or SEND, with what had to be repaired.

    Raises: UnknownAction; PayloadError as the strict reader raised it, when it cannot be repaired.
    """
    try:
        return decode_request(version, action, payload), ()
    except PayloadError as original:
        return _repaired(codec_of(version, action, "request").read, payload, received_at, original)


def decode_response_leniently(
    version: OcppVersion, action: str, payload: Payload, received_at: datetime
) -> tuple[WireStruct, tuple[Deviation, ...]]:
    """Read the payload of a CALLRESULT, with what had to be repaired.

    Raises: UnknownAction; PayloadError as the strict reader raised it, when it cannot be repaired.
    """
    try:
        return decode_response(version, action, payload), ()
    except PayloadError as original:
        return _repaired(codec_of(version, action, "response").read, payload, received_at, original)


def decode_leniently(
    version: OcppVersion, action: str, kind: MessageKind, payload: Payload, received_at: datetime
) -> tuple[WireStruct, tuple[Deviation, ...]]:
    """Read a payload of either kind. Raises: as the two above."""
    decode = decode_request_leniently if kind == "request" else decode_response_leniently
    return decode(version, action, payload, received_at)


def _repaired(
    wanted: type[WireStruct], payload: Payload, received_at: datetime, original: PayloadError
) -> tuple[WireStruct, tuple[Deviation, ...]]:
    repair = _Repair(received_at)
    try:
        value = _plain(bytes(payload), repair)
        value = repair.value(_shape(wanted), value, "", (wanted.__name__, ""))
        struct = msgspec.convert(value, wanted, dec_hook=decode_custom)
    except (Unrepairable, *DECODE_FAULTS):
        raise original from None
    return struct, tuple(repair.deviations)


def _plain(data: bytes, repair: "_Repair") -> Any:
    """The payload as plain JSON data, its syntax repaired if need be. Raises: Unrepairable."""
    try:
        value = _ANY.decode(data)
    except DECODE_FAULTS:
        found = repair_json(data, _parses)
        if found is None:
            raise Unrepairable("broken JSON") from None
        value = _ANY.decode(found[0])
        repair.deviations.extend(found[1])
    if value is None:
        repair.note("payload_absent", "", "null where an object is due")
        return {}
    return value


def _parses(data: bytes) -> bool:
    try:
        _ANY.decode(data)
    except DECODE_FAULTS:
        return False
    return True


@lru_cache(maxsize=512)
def _shape(wanted: type[WireStruct]) -> inspect.Type:
    return inspect.type_info(wanted)


@lru_cache(maxsize=2048)
def _spellings(owner: type[msgspec.Struct]) -> Mapping[str, str]:
    return {_folded(name): name for name in owner.__struct_fields__}


def _folded(name: str) -> str:
    return clean_text(name).replace("_", "").replace("-", "").replace(" ", "").casefold()


class _Repair:
    """One walk over one payload. A `place` is the struct and field that rules are looked up by."""

    def __init__(self, received_at: datetime) -> None:
        self.received_at = received_at
        self.deviations: list[Deviation] = []

    def note(self, code: str, path: str, detail: str) -> None:
        if len(self.deviations) < MAX_DEVIATIONS:
            self.deviations.append(Deviation(code, path, detail))

    def value(self, shape: inspect.Type, value: Any, path: str, place: rules.Place) -> Any:
        """The value as the shape wants it. Raises: Unrepairable."""
        repair = _REPAIRS.get(type(shape))
        if repair is None:
            raise Unrepairable(f"no repair for {type(shape).__name__}")
        return repair(self, shape, value, path, place)

    def struct(self, shape: inspect.StructType, value: Any, path: str, _place: rules.Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unrepairable(f"{type_name(value)} where an object is due")
        owner = shape.cls.__name__
        given = self.known_fields(shape, value, path)
        result: dict[str, Any] = {}
        for field in shape.fields:
            present = field.name in given
            if not present and not field.required:
                continue
            here = f"{path}.{field.name}" if path else field.name
            if present and given[field.name] is None and not isinstance(field.type, inspect.AnyType):
                present = False
                if not field.required:
                    self.note("null_dropped", here, "null where a value is due")
            if present and not (isinstance(field.type, inspect.CustomType) and field.type.cls is Absent):
                self.field(field, given[field.name], here, owner, result)
            elif present:
                self.note("unknown_field", here, "field of a later version")
            elif field.required:
                result[field.name] = self.absent(field, here, owner)
        return result

    def known_fields(self, shape: inspect.StructType, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The given fields by their right names."""
        spellings = _spellings(shape.cls)
        names = shape.cls.__struct_fields__
        given = {key: each for key, each in value.items() if key in names}
        if len(given) == len(value):
            return given
        for key, each in value.items():
            if key in names:
                continue
            name = spellings.get(_folded(key))
            if name is None or name in given:
                self.note("unknown_field", path, f"field {shown(key)}")
            else:
                self.note("key_case", path, f"{name} written {shown(key)}")
                given[name] = each
        return given

    def field(self, field: inspect.Field, value: Any, path: str, owner: str, result: dict[str, Any]) -> None:
        """Repair one given field into the result, or leave it out, or use what stands for it."""
        place = (owner, field.name)
        before = len(self.deviations)
        try:
            result[field.name] = self.value(field.type, value, path, place)
        except Unrepairable as reason:
            del self.deviations[before:]
            is_time = isinstance(field.type, inspect.DateTimeType)
            if place in rules.MEANT_WHEN_ABSENT:
                raise
            if is_time:
                self.note("timestamp_implausible", path, f"{reason}: {shown(value)}")
            if field.required and not is_time:
                raise
            if field.required:
                result[field.name] = self.received_at
            elif not is_time:
                self.note("invalid_dropped", path, f"{reason}: {shown(value)}")

    def absent(self, field: inspect.Field, path: str, owner: str) -> Any:
        """What stands for a required field that is not there. Raises: Unrepairable."""
        if isinstance(field.type, inspect.DateTimeType):
            self.note("timestamp_missing", path, "the time of receipt stands for it")
            return self.received_at
        place = (owner, field.name)
        if place not in rules.DEFAULTS:
            raise Unrepairable(f"{path} is missing")
        self.note("missing_defaulted", path, f"taken as {rules.DEFAULTS[place]!r}")
        return rules.DEFAULTS[place]

    def list(self, shape: inspect.VarTupleType, value: Any, path: str, place: rules.Place) -> list[Any]:
        if not isinstance(value, list):
            self.note("not_a_list", path, f"{type_name(value)} where a list is due")
            value = [value]
        items: list[Any] = []
        for index, each in enumerate(value):
            here = f"{path}[{index}]"
            before = len(self.deviations)
            try:
                items.append(self.value(shape.item_type, each, here, place))
            except Unrepairable as reason:
                del self.deviations[before:]
                self.note("item_dropped", here, f"{reason}: {shown(each)}")
        if len(items) < (shape.min_length or 0):
            raise Unrepairable("a list with too few items")
        if shape.max_length is not None and len(items) > shape.max_length:
            self.note("list_cut", path, f"{len(items)} items where {shape.max_length} are allowed")
            items = items[: shape.max_length]
        return items

    def text(self, shape: inspect.StrType, value: Any, path: str, place: rules.Place) -> str:
        limit = shape.max_length
        if isinstance(value, bool | int | float):
            self.note("number_as_text", path, f"{type_name(value)} where a text is due")
            value = _ENCODER.encode(value).decode()
        elif isinstance(value, dict | list) and limit is None:
            self.note("json_as_text", path, f"{type_name(value)} where a text is due")
            value = _ENCODER.encode(value).decode()
        if not isinstance(value, str):
            raise Unrepairable(f"{type_name(value)} where a text is due")
        text: str = value
        if "\0" in text or (limit is not None and len(text) > limit):
            text = clean_text(text)
            if text != value:
                self.note("text_cleaned", path, "blanks or control characters removed")
        if limit is not None and len(text) > limit:
            if place[1] in rules.NEVER_CUT:
                raise Unrepairable(f"a name of {len(text)} characters where {limit} are allowed")
            self.note("text_cut", path, f"{len(text)} characters where {limit} are allowed")
            text = text[:limit]
        return text

    def integer(self, shape: inspect.IntType, value: Any, path: str, place: rules.Place) -> int:
        number = number_of(value)
        if isinstance(value, str):
            self.note("text_as_number", path, f"{shown(value)} where an integer is due")
        # Limits first: a huge exponent must not become a huge integer.
        if (shape.ge is not None and number < shape.ge) or (shape.le is not None and number > shape.le):
            raise Unrepairable("a number out of range")
        whole = rounded(number, Decimal(1))
        if whole != number:
            if place[1] not in rules.ROUNDED:
                raise Unrepairable("a fraction where an integer is due")
            self.note("fraction_rounded", path, f"{number} where an integer is due")
        return int(whole)

    def number(self, shape: inspect.FloatType, value: Any, path: str, place: rules.Place) -> float:
        number = number_of(value)
        if isinstance(value, str):
            self.note("text_as_number", path, f"{shown(value)} where a number is due")
        if place in rules.ROUNDED_TO_TENTHS:
            tenths = rounded(number, Decimal("0.1"))
            if tenths != number:
                self.note("fraction_rounded", path, f"{number} where one decimal is allowed")
            number = tenths
        if (shape.ge is not None and number < shape.ge) or (shape.le is not None and number > shape.le):
            raise Unrepairable("a number out of range")
        result = float(number)
        if not math.isfinite(result):
            raise Unrepairable("a number out of range")
        return result

    def truth(self, _shape: inspect.BoolType, value: Any, path: str, _place: rules.Place) -> bool:
        if isinstance(value, bool):
            return value
        found = truth_of(value)
        self.note("text_as_truth", path, f"{shown(value)} where a truth value is due")
        return found

    def time(self, _shape: inspect.DateTimeType, value: Any, path: str, _place: rules.Place) -> datetime:
        moment, code = time_of(value)
        if code is not None:
            self.note(code, path, shown(value))
        return moment

    def listed(self, shape: inspect.LiteralType, value: Any, path: str, place: rules.Place) -> str:
        if value in shape.values and isinstance(value, str):
            return value
        if not isinstance(value, str):
            raise Unrepairable(f"{type_name(value)} where a listed value is due")
        folded = _folded(value)
        for each in cast("tuple[str, ...]", shape.values):
            if _folded(each) == folded:
                self.note("enum_spelling", path, f"{each} written {shown(value)}")
                return each
        alias = rules.ALIASES.get(place, {}).get(folded)
        if alias in shape.values and alias is not None:
            self.note("enum_alias", path, f"{shown(value)} taken as {alias}")
            return alias
        fallback = rules.FALLBACKS.get(place)
        if fallback in shape.values and fallback is not None:
            self.note("enum_fallback", path, f"{shown(value)} taken as {fallback}")
            return fallback
        raise Unrepairable("not a listed value")

    def custom(self, shape: inspect.CustomType, value: Any, path: str, place: rules.Place) -> Any:
        cleaned = self.anything(shape, value, path, place)
        try:
            decode_custom(shape.cls, cleaned)
        except ValueError as fault:
            raise Unrepairable(str(fault)) from None
        return cleaned

    def anything(self, _shape: inspect.Type, value: Any, path: str, _place: rules.Place) -> Any:
        cleaned = _without_nul(value)
        if cleaned != value:
            self.note("text_cleaned", path, "control characters removed")
        return cleaned


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {key.replace("\0", ""): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    return value


_REPAIRS: Mapping[type[inspect.Type], Callable[[_Repair, Any, Any, str, rules.Place], Any]] = {
    inspect.StructType: _Repair.struct,
    inspect.VarTupleType: _Repair.list,
    inspect.StrType: _Repair.text,
    inspect.IntType: _Repair.integer,
    inspect.FloatType: _Repair.number,
    inspect.BoolType: _Repair.truth,
    inspect.DateTimeType: _Repair.time,
    inspect.LiteralType: _Repair.listed,
    inspect.AnyType: _Repair.anything,
    inspect.CustomType: _Repair.custom,
}
