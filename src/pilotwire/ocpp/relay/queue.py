"""What the other back end of one station is still to be told, in order; what must not be lost of it is on disk."""

from collections import deque
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.core.ids import new_uuid
from pilotwire.domain.relays.records import RelayMessageKept
from pilotwire.ocpp.relay.book import RelayBook

__all__ = ["KEPT", "Queued", "RelayQueue"]

# What the other back end is told late if it was away; the rest means nothing any more by then.
KEPT = frozenset(
    {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent", "SecurityEventNotification"}
)
_LONGEST = 1000

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Queued:
    """One message; `key` is what it goes by on disk, if it is there."""

    __slots__ = ("action", "key", "likeness", "message_id", "text")

    def __init__(self, message_id: str, action: str, text: bytes, key: UUID | None, likeness: int) -> None:
        self.message_id = message_id
        self.action = action
        self.text = text
        self.key = key
        self.likeness = likeness


class RelayQueue:
    """The messages of one station for the other back end. Of more than a thousand the oldest are given up."""

    def __init__(self, book: RelayBook, station_id: int) -> None:
        self._book = book
        self._station_id = station_id
        self._waiting: deque[Queued] = deque()
        self.awaited: str | None = None

    def load(self, kept: RelayMessageKept) -> None:
        """Put a message at the end that an earlier connection of the station has kept."""
        likeness = _likeness(kept.action, _decode(kept.frame)[3])
        self._waiting.append(Queued(kept.message_id, kept.action, kept.frame.encode(), kept.id, likeness))
        self._shorten()

    def add(self, message_id: str, action: str, payload: Any, text: bytes) -> None:
        """Put a message at the end. What is kept will be on disk before its station has our answer.

        Repeats: a station that got no answer says it again, often by another id; the other back end is told once.
        """
        if action not in KEPT:
            self._waiting.append(Queued(message_id, action, text, None, 0))
            return
        likeness = _likeness(action, payload)
        for each in self._waiting:
            if each.key is not None and each.likeness == likeness and each.message_id != self.awaited:
                each.message_id, each.text = message_id, text
                return
        key = new_uuid()
        self._waiting.append(Queued(message_id, action, text, key, likeness))
        self._book.keep_message(
            RelayMessageKept(key, self._station_id, message_id, action, text.decode(), self._book.now())
        )
        self._shorten()

    def add_first(self, message_id: str, action: str, text: bytes) -> None:
        """Put a message of ours before all others."""
        self._waiting.appendleft(Queued(message_id, action, text, None, 0))

    def has(self, action: str) -> bool:
        """Whether a message of a kind waits."""
        return any(each.action == action for each in self._waiting)

    def next(self) -> Queued | None:
        """Give the message that is to be told now; None when there is none, or one was told and is not answered."""
        if self.awaited is not None or not self._waiting:
            return None
        return self._waiting[0]

    def over(self, message_id: str) -> None:
        """Take away the message at the front, if it is this one."""
        if self._waiting and self._waiting[0].message_id == message_id:
            self._end(self._waiting.popleft())

    def _shorten(self) -> None:
        while len(self._waiting) > _LONGEST:
            self._end(self._waiting.popleft())

    def _end(self, queued: Queued) -> None:
        if queued.key is not None:
            self._book.end_message(self._station_id, queued.key)


def _likeness(action: str, payload: Any) -> int:
    return hash((action, _encode(payload)))
