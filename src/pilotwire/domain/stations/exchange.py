"""Reading the frames that were kept: what each says, whatever it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from pilotwire.domain.stations.records import FrameKept

__all__ = ["Message", "messages_of"]

_TYPES = {2: "call", 3: "result", 4: "error", 5: "result_error", 6: "send"}


@dataclass(frozen=True, slots=True)
class Message:
    """One frame. `payload` is the JSON of its payload, or its text where it is no frame that can be read."""

    at: datetime
    direction: str
    type: str
    message_id: str
    action: str
    payload: Any
    deviations: tuple[str, ...]


def messages_of(exchanges: Sequence[Row[Any]]) -> list[Message]:
    """Take exchanges apart into their frames, the newest frame first."""
    frames = [message for row in exchanges for message in _apart(row)]
    # Stable: an answer in the same microsecond stays before its call.
    frames.sort(key=lambda frame: frame.at, reverse=True)
    return frames


def _apart(row: Row[Any]) -> Iterator[Message]:
    """Give the answer, if there was one, then the call."""
    station_called = row.direction == FrameKept.STATION_CALLED
    if row.response is not None:
        at = row.answered_at or row.received_at
        yield _message(row, row.response, at, "result", from_station=not station_called)
    yield _message(row, row.request, row.received_at, "call", from_station=station_called)


def _message(row: Row[Any], text: str, at: datetime, expected: str, *, from_station: bool) -> Message:
    kind, payload = _read(text, expected)
    # Only what a station sends is repaired.
    deviations = (row.deviations or "").split(",") if from_station else ()
    return Message(
        at,
        "in" if from_station else "out",
        kind,
        row.message_id,
        row.action,
        payload,
        tuple(filter(None, deviations)),
    )


def _read(text: str, expected: str) -> tuple[str, Any]:
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return expected, text
    match frame:
        case [2 | 6 as number, _, _, payload, *_] | [3 as number, _, payload, *_]:
            return _TYPES[number], payload
        case [4 | 5 as number, _, code, description, *rest]:
            details = rest[0] if rest else {}
            return _TYPES[number], {"code": code, "description": description, "details": details}
        case _:
            return expected, text
