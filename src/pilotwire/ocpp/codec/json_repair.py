"""Repairs of broken JSON that real chargers send: a table of small pure functions.

A repair is tried only on text that does not parse, and never touches what stands inside a JSON string, except
where the string itself is what is broken.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from pilotwire.ocpp.codec.errors import Deviation

_STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_STRUCTURE = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_CONFIGURATION = re.compile(rb'\A\s*\[\s*3\s*,\s*"(?:[^"\\]|\\.)*"\s*,\s*\{\s*"configurationKey"\s*:\s*\[')
_ROOT = msgspec.json.Decoder(msgspec.Raw)


class JsonRepair(NamedTuple):
    """A repair by name; `apply` gives the text back unchanged when it has nothing to do."""

    code: str
    apply: Callable[[bytes], bytes]


def _outside_strings(pattern: bytes, replacement: bytes) -> Callable[[bytes], bytes]:
    either = re.compile(rb"(" + _STRING + rb")|" + pattern, re.DOTALL)
    return lambda data: either.sub(lambda match: match[1] or replacement, data)


def _inside_strings(
    pattern: re.Pattern[bytes], replace: Callable[[re.Match[bytes]], bytes]
) -> Callable[[bytes], bytes]:
    return lambda data: _STRINGS.sub(lambda match: pattern.sub(replace, match[0]), data)


def replace_invalid_utf8(data: bytes) -> bytes:
    """Bytes that are no UTF-8 become the replacement character."""
    return data.decode("utf-8", "replace").encode()


def close_truncated_configuration(data: bytes) -> bytes:
    """End a GetConfiguration answer that was cut off after its last complete key.

    The keys that were lost are simply not known, as if the station had not listed them.
    """
    if not _CONFIGURATION.match(data):
        return data
    opened: list[bytes] = []
    complete = 0
    for match in _STRUCTURE.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            opened.append(token)
        elif token in (b"]", b"}"):
            if not opened:
                return data
            opened.pop()
            if opened == [b"[", b"{", b"["]:
                complete = match.end()
    return data[:complete] + b"]}]" if complete and len(opened) >= 3 else data


REPAIRS = (
    JsonRepair("invalid_utf8", replace_invalid_utf8),
    JsonRepair("raw_control_character", _inside_strings(_CONTROL, lambda m: b"\\u%04x" % m[0][0])),
    JsonRepair("lone_surrogate", _inside_strings(_LONE_SURROGATE, lambda _: b"\\ufffd")),
    # `"transactionId":,` (AEFA)
    JsonRepair("value_missing", _outside_strings(rb":(?=\s*[,}])", b":null")),
    # `"sampledValue":[,{` (ZJ Beny)
    JsonRepair("stray_comma", _outside_strings(rb"(?<=[\[{])\s*,", b"")),
    JsonRepair("trailing_comma", _outside_strings(rb",(?=\s*[\]}])", b"")),
    JsonRepair("truncated_configuration", close_truncated_configuration),
)


def is_json(data: bytes) -> bool:
    """Whether the text parses, by structure; the content of strings is not looked at."""
    try:
        _ROOT.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True


def repair_json(
    data: bytes, parses: Callable[[bytes], bool] = is_json
) -> tuple[bytes, tuple[Deviation, ...]] | None:
    """Repair the text step by step until it parses. None if it does not in the end."""
    deviations = []
    for repair in REPAIRS:
        repaired = repair.apply(data)
        if repaired != data:
            data = repaired
            deviations.append(Deviation(repair.code, "", "broken JSON repaired"))
            if parses(data):
                return data, tuple(deviations)
    return None
