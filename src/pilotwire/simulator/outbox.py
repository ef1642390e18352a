"""What a station wants to say, in order; transaction messages survive until the server has taken them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from pilotwire.simulator.link import Link
from pilotwire.simulator.rpc import Call, CallRefusedError, Outgoing

MAX_WAITING = 2000
"""Beyond it, periodic samples inside transactions are dropped, as the memory of a real station would ask."""


class Outbox:
    """A queue over one link, drained while the station is accepted."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._items: deque[Outgoing] = deque()
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped = 0
        self.given_up = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def durable_count(self) -> int:
        """How many messages wait that must not be lost."""
        return sum(1 for item in self._items if item.durable)

    def holds(self, reference: str | None) -> bool:
        """Whether messages of a transaction wait; None asks for those of any."""
        return any(item.durable and reference in (None, item.about) for item in self._items)

    def put(self, item: Outgoing) -> None:
        """Say something after everything that waits already."""
        if len(self._items) >= MAX_WAITING:
            self._make_room()
        self._items.append(item)
        self._idle.clear()
        self._filled.set()

    def drop_volatile(self) -> None:
        """Forget what has no meaning after a reconnect."""
        self._items = deque(item for item in self._items if item.durable)
        self._settle()

    async def wait_idle(self) -> None:
        """Wait until everything is said."""
        await self._idle.wait()

    async def drain(self, attempts: Callable[[], int], retry_s: Callable[[], float]) -> None:
        """Send for ever; ends by LinkLostError or cancellation, with the unanswered message still in the
        queue.

        Repeats: a durable message that the server refuses is repeated `attempts` times in all, `retry_s`
        apart, each time longer. Spec: OCPP 1.6 3.7.1, OCPP 2.0.1 E13.
        """
        while True:
            await self._filled.wait()
            while self._items:
                item = self._items[0]
                call = item.build()
                if call is not None and not await self._sent(item, call, attempts(), retry_s()):
                    continue
                if self._items and self._items[0] is item:
                    self._items.popleft()
            self._settle()

    async def _sent(self, item: Outgoing, call: Call, attempts: int, retry_s: float) -> bool:
        try:
            result = await self._link.call(call)
        except CallRefusedError:
            item.attempts += 1
            if item.durable and item.attempts < attempts:
                await asyncio.sleep(retry_s * item.attempts)
                return False
            self.given_up += item.durable
            return True
        if item.on_result is not None:
            item.on_result(result)
        return True

    def _make_room(self) -> None:
        kept = deque(item for item in self._items if not item.droppable)
        self.dropped += len(self._items) - len(kept)
        self._items = kept

    def _settle(self) -> None:
        if not self._items:
            self._filled.clear()
            self._idle.set()
