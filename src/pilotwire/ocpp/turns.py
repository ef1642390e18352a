"""The event loop's turns, kept short: what arrives is taken a few frames at a time.

When a thousand stations have spoken, their frames would fill one turn of the event loop for tens of milliseconds, while
PostgreSQL's answers, which would let others be answered and the next batch go, wait for its end. So a turn takes a fixed
number of frames; the others wait for the next turns, in the order in which they came.
"""

import asyncio
from collections import deque
from typing import Protocol

__all__ = ["FrameTaker", "Turns"]


class FrameTaker(Protocol):
    """A link that has frames waiting."""

    def take_next(self) -> bool:
        """Take the oldest frame that waits; tell whether another can be taken now."""
        ...


class Turns:
    """Shares each turn of the event loop among the links that have something to take."""

    def __init__(self, frames: int = 512) -> None:
        self._frames = frames
        self._left = frames
        self._waiting: deque[FrameTaker] = deque()
        self._counting = False

    def may_take(self, link: FrameTaker) -> bool:
        """Tell whether a link may take a frame at once; if not, it is called when its time has come."""
        if self._left and not self._waiting:
            self._left -= 1
            if not self._counting:
                self._counting = True
                asyncio.get_running_loop().call_soon(self._next)
            return True
        self._waiting.append(link)
        return False

    def _next(self) -> None:
        """Begin another turn."""
        waiting, left = self._waiting, self._frames
        while waiting and left:
            link = waiting.popleft()
            left -= 1
            if link.take_next():
                waiting.append(link)
        self._left = left
        self._counting = bool(waiting) or left < self._frames
        if self._counting:
            asyncio.get_running_loop().call_soon(self._next)
