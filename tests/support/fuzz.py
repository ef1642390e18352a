"""Frames that are nearly right, and frames that are nothing: made from a seed, so that a fault can be repeated."""

import json
import random
from collections.abc import Iterator
from typing import Any

from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import direction
from tests.support.schema_strategies import example, full_example, messages, schemas

__all__ = ["fuzzed_frames"]

POISON_TIME = "222222017-01-01T00:00:00Z"
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**31) - 1, 10**40, 0.5, -0.0, 1e308, 1e-320,
    "", " ", "\0", "a\0b", "\x7f\x01", "\u202e", "\U0001f50c", "x" * 51, "x" * 3000, "NaN", "-1", "1e999", "12,5",
    POISON_TIME, "0000-00-00T00:00:00Z", "9999-12-31T23:59:60+14:00", "1970-01-01T00:00:00Z", "2026-02-30T25:61:61Z",
    "'; DROP TABLE station; --", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\\u0000", "\\", '"',
    [], {}, [[]], [None], {"": ""}, {"\0": "\0"}, {"vendorId": None}, [1] * 300,
)  # fmt: skip
_RAW = (
    b"", b" ", b"null", b"[]", b"{}", b"[2]", b'[2,"x"]', b'[2,"x","Heartbeat"]', b'[2,"x","Heartbeat",null]',
    b'[2,"x","Heartbeat",[]]', b'[9,"x","Heartbeat",{}]', b'["2","x","Heartbeat",{}]', b'[2,7,"Heartbeat",{}]',
    b'[2,"x",{},{}]', b'[2,"x","Heartbeat",{},{},{}]', b'[3,"nobody-asked",{}]', b'[4,"nobody-asked","X","",{}]',
    b'[5,"x","X","",{}]', b'[6,"x","Heartbeat",{}]', b"[" * 5000, b'{"a":' * 3000, b'[2,"x","Heartbeat",' + b"[" * 900,
    b"\xff\xfe\x00", b'[2,"\xc3\x28","Heartbeat",{}]', b'[2,"\\ud800","Heartbeat",{}]', b'[2,"\\u0000","Heartbeat",{}]',
    b'[2,"x","Heart\\u0000beat",{}]', b'[2,"x","' + b"A" * 20000 + b'",{}]', b'[2,"' + b"i" * 300 + b'","Heartbeat",{}]',
    b'[2,"x","Heartbeat",{"a":NaN}]', b'[2,"x","Heartbeat",{"a":1e999999}]', b"\x00" * 50, b'[2,"x","Heartbeat",{}',
)  # fmt: skip


def fuzzed_frames(version: str, seed: int, count: int) -> Iterator[bytes]:
    """Make frames as a station of a version might send them in its worst hour."""
    chance = random.Random(f"{version} {seed}")
    legal = [
        _legal(version, each.action, each.name) for each in messages(version) if _is_stations(version, each)
    ]
    for number in range(count):
        kind = chance.random()
        if kind < 0.08:
            yield chance.choice(_RAW)
        elif kind < 0.13:
            yield chance.randbytes(chance.randrange(1, 400))
        else:
            action, documents = chance.choice(legal)
            document = json.loads(chance.choice(documents))
            for _ in range(chance.randrange(0, 4)):
                document = _bent(document, chance)
            text = json.dumps([2, f"f{seed}-{number}", action, document]).encode()
            yield _scratched(text, chance) if kind > 0.8 else text


def _is_stations(version: str, message: Any) -> bool:
    return message.kind == "request" and direction(OcppVersion(version), message.action) != "csms"


def _legal(version: str, action: str, name: str) -> tuple[str, list[str]]:
    root = schemas(version)[name]
    return action, [json.dumps(example(root, root)), json.dumps(full_example(version, name))]


def _bent(value: Any, chance: random.Random) -> Any:
    """The document with something odd at one place of any depth."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value))
        changed = dict(value)
        what = chance.random()
        if what < 0.1:
            del changed[key]
        elif what < 0.15:
            changed[key.upper()] = changed.pop(key)
        elif what < 0.2:
            changed[chance.choice(["extra", "customData", ""])] = chance.choice(_ODD)
        else:
            changed[key] = _bent(value[key], chance)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        return [*value[:place], _bent(value[place], chance), *value[place + (chance.random() < 0.9) :]]
    return chance.choice(_ODD)


def _scratched(text: bytes, chance: random.Random) -> bytes:
    """The text with a byte changed, added or lost, or cut off, or with a piece of it twice."""
    place = chance.randrange(len(text))
    match chance.randrange(5):
        case 0:
            return text[:place] + chance.randbytes(1) + text[place + 1 :]
        case 1:
            return (
                text[:place]
                + chance.choice([b'"', b"\\", b"{", b"]", b",", b"\x00", b"\xe2\x82"])
                + text[place:]
            )
        case 2:
            return text[:place] + text[place + chance.randrange(1, 8) :]
        case 3:
            return text[:place]
        case _:
            return text[: place + 20] + text[place:]
