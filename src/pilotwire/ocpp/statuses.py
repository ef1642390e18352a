"""The status of certificates in memory, as long as it is good."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from pilotwire.domain.certificates.status import Revocation, StatusLookup, StatusQuery, StatusTold

__all__ = ["StatusBook"]

Check = Callable[[StatusQuery], Awaitable[StatusTold]]

_MOST = 10_000
_FAILED_FOR = timedelta(seconds=60)
_WITHOUT_END_FOR = timedelta(minutes=5)
_LONGEST = timedelta(days=7)


class StatusBook:
    """Remembers what was told until its next update; a failure for a minute, so that nobody is asked in a storm."""

    def __init__(self) -> None:
        self._told: OrderedDict[StatusQuery, tuple[datetime, StatusTold]] = OrderedDict()
        self._asking: dict[StatusQuery, asyncio.Task[StatusTold]] = {}
        self.check: Check | None = None
        """Asks a responder; set by whoever puts the parts together."""

    def find(self, queries: Sequence[StatusQuery], now: datetime) -> tuple[StatusTold, ...]:
        """Give what is known of each. Raises: StatusLookup for those that have to be asked for."""
        missing = tuple(query for query in queries if not self._is_known(query, now))
        if missing:
            raise StatusLookup(missing)
        return tuple(self._told[query][1] for query in queries)

    async def look_up(self, queries: Sequence[StatusQuery], now: Callable[[], datetime]) -> None:
        """Ask for what is not known; many stations that ask for the same wait for one answer."""
        await asyncio.gather(*(self._look_up(query, now) for query in dict.fromkeys(queries)))

    def _is_known(self, query: StatusQuery, now: datetime) -> bool:
        known = self._told.get(query)
        return known is not None and known[0] > now

    async def _look_up(self, query: StatusQuery, now: Callable[[], datetime]) -> None:
        task = self._asking.get(query)
        if task is None:
            task = self._asking[query] = asyncio.create_task(self._ask(query))
            task.add_done_callback(lambda _: self._asking.pop(query, None))
        told = await asyncio.shield(task)
        moment = now()
        if told.revocation is Revocation.FAILED:
            until = moment + _FAILED_FOR
        elif told.next_update is None or told.revocation is Revocation.UNPROVED:
            until = moment + _WITHOUT_END_FOR
        else:
            # What is over already is told once and asked for again.
            until = max(min(told.next_update, moment + _LONGEST), moment + timedelta(seconds=10))
        self._told[query] = (until, told)
        self._told.move_to_end(query)
        if len(self._told) > _MOST:
            self._told.popitem(last=False)

    async def _ask(self, query: StatusQuery) -> StatusTold:
        if self.check is None:
            return StatusTold(Revocation.FAILED, reason="this process asks no responders")
        return await self.check(query)
