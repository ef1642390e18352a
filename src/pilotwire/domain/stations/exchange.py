"""Reading the frames that were kept: what each says, whatever it is."""

from collections.abc import Sequence
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
    deviations: tuple[str, ...] = ()


def messages_of(exchanges: Sequence[Row[Any]]) -> list[Message]:
    """Take exchanges apart into their frames, the newest frame first."""
    frames: list[Message] = []
    for row in exchanges:
        station_called = row.direction == FrameKept.STATION_CALLED
        if row.response is not None:
            frames.append(
                _message(
                    row, row.response, row.answered_at or row.received_at, "out" if station_called else "in"
                )
            )
        deviations = tuple(filter(None, (row.deviations or "").split(",")))
        frames.append(
            _message(row, row.request, row.received_at, "in" if station_called else "out", deviations)
        )
    # Stable: an answer in the same microsecond stays before its call.
    frames.sort(key=lambda frame: frame.at, reverse=True)
    return frames


def _message(
    row: Row[Any], content: bytes, at: datetime, direction: str, deviations: tuple[str, ...] = ()
) -> Message:
    kind, payload = _read(content)
    return Message(at, direction, kind, row.message_id, row.action, payload, deviations)


def _read(content: bytes) -> tuple[str, Any]:
    try:
        frame = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "unreadable", content.decode("utf-8", "replace")
    match frame:
        case [2 | 6 as number, _, _, payload, *_] | [3 as number, _, payload, *_]:
            return _TYPES[number], payload
        case [4 | 5 as number, _, code, description, *rest]:
            return _TYPES[number], {
                "code": code,
                "description": description,
                "details": rest[0] if rest else {},
            }
        case _:
            return "unreadable", content.decode("utf-8", "replace")
