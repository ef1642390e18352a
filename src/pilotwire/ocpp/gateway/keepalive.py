"""Pings for all connections from one timer.

The connections hang on a wheel; each tick looks at one slot. The slot is drawn at random, so that stations
which came at the same moment are not pinged at the same moment.
"""

import random
from typing import Protocol

_MAX_SLOTS = 60


class Pingable(Protocol):
    """What hangs on the wheel."""

    slot: int

    def check_alive(self, now: float, *, may_drop: bool) -> None: ...


class KeepAliveWheel:
    """Visits every connection once per interval: a dead peer is dropped within two."""

    __slots__ = ("_cursor", "_last_turn_at", "_random", "_slots", "tick_s")

    def __init__(self, interval_s: float, now: float, rng: random.Random | None = None) -> None:
        slots = max(2, min(_MAX_SLOTS, round(interval_s / 0.05)))
        self.tick_s = interval_s / slots
        self._slots: list[set[Pingable]] = [set() for _ in range(slots)]
        self._cursor = 0
        self._last_turn_at = now
        self._random = rng or random.Random()  # noqa: S311 - spreads load, keeps no secret

    def add(self, connection: Pingable) -> None:
        """Hang a connection on the wheel; its first visit comes within one interval."""
        connection.slot = self._random.randrange(len(self._slots))
        self._slots[connection.slot].add(connection)

    def remove(self, connection: Pingable) -> None:
        """Take it off again."""
        if connection.slot >= 0:
            self._slots[connection.slot].discard(connection)
            connection.slot = -1

    def turn(self, now: float) -> None:
        """Visit the slots that are due.

        After a stall of this process nothing is dropped: answers may wait unread in the sockets.
        """
        elapsed = now - self._last_turn_at
        due = int(elapsed / self.tick_s)
        stalled = due > 2
        if stalled:
            self._last_turn_at = now
            due = 1
        else:
            self._last_turn_at += due * self.tick_s
        for _ in range(due):
            self._cursor = (self._cursor + 1) % len(self._slots)
            for connection in tuple(self._slots[self._cursor]):
                connection.check_alive(now, may_drop=not stalled)
