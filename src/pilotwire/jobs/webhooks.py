"""Makes deliveries to webhooks: each until it has arrived, or is given up.

A delivery is leased before it is sent: when this process is lost in between, it is made again. So a receiver may get
an event twice, with the same id, and never not at all.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.webhooks import repository
from pilotwire.domain.webhooks.delivering import attempt
from pilotwire.domain.webhooks.model import DeliveriesWaiting, Poster, WebhooksChanged
from pilotwire.domain.webhooks.outbox import Outbox
from pilotwire.domain.webhooks.repository import Due

__all__ = ["DeliveryRunner"]

log = structlog.get_logger(__name__)

_LOOK_S = 2.0
_CLEAN_S = 3600.0
_SIDE_BY_SIDE = 8


class DeliveryRunner:
    """Looks for deliveries that are due, and makes them; a slow receiver holds up its own only."""

    def __init__(
        self,
        database: Database,
        bus: LocalBus,
        poster: Poster,
        outbox: Outbox,
        pepper: bytes,
        clock: Clock,
        *,
        disable_after: timedelta,
        retention: timedelta,
    ) -> None:
        self._database = database
        self._poster = poster
        self._outbox = outbox
        self._pepper = pepper
        self._clock = clock
        self._disable_after = disable_after
        self._retention = retention
        self._busy: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._clean_at = 0.0
        bus.subscribe(DeliveriesWaiting, lambda _: self._wake.set())
        bus.subscribe(WebhooksChanged, lambda _: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled; what is under way then is made again by the next process."""
        try:
            while True:
                try:
                    await retry_while_away(self._pass, lambda: True)
                except Exception:
                    log.exception("webhooks could not be looked at; next try soon")
                    await asyncio.sleep(_LOOK_S)
                try:
                    await asyncio.wait_for(self._wake.wait(), _LOOK_S)
                except TimeoutError:
                    continue
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self) -> None:
        self._wake.clear()
        async with self._database.service.acquire() as connection:
            self._outbox.wanted = await repository.list_wanted(connection)
            due = await repository.claim(connection, self._clock(), list(self._busy), _SIDE_BY_SIDE)
            if (now_s := asyncio.get_running_loop().time()) >= self._clean_at:
                await repository.delete_old(connection, self._clock() - self._retention)
                self._clean_at = now_s + _CLEAN_S
        groups: defaultdict[UUID, list[Due]] = defaultdict(list)
        for each in due:
            groups[each.webhook_id].append(each)
        for webhook_id, group in groups.items():
            self._busy.add(webhook_id)
            task = asyncio.create_task(self._deliver_all(webhook_id, group), name="webhook deliveries")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, webhook_id: UUID, group: list[Due]) -> None:
        try:
            await asyncio.gather(*(self._deliver(each) for each in group))
        except Exception:
            log.exception("deliveries failed", webhook=str(webhook_id))
            await asyncio.sleep(_LOOK_S)
        finally:
            self._busy.discard(webhook_id)
            self._wake.set()

    async def _deliver(self, due: Due) -> None:
        outcome = await attempt(self._poster, self._pepper, due, self._clock())

        async def keep() -> None:
            async with self._database.service.acquire() as connection:
                disabled = await repository.keep_outcome(
                    connection, due, outcome, self._clock(), self._disable_after
                )
            if disabled:
                log.warning(
                    "a webhook was disabled: its receiver does not take deliveries",
                    webhook=str(due.webhook_id),
                )

        await retry_while_away(keep, lambda: True)
