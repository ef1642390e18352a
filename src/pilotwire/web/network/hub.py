"""Keeps a picture for each tenant whose network somebody looks at, and drives all feeds by one clock."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from pilotwire.bus import LocalBus
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.web.network.attention import Matter, find_matters
from pilotwire.web.network.feed import Audience, Feed
from pilotwire.web.network.picture import NOTICES, Picture

__all__ = ["NetworkHub"]

log = structlog.get_logger(__name__)

TICK_S = 0.25
_FORGOTTEN_AFTER_S = 150.0
_ATTENTION_EVERY = 20  # ticks
_UPKEEP_EVERY = 120


class _Network:
    """One tenant's picture with its feeds."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.feeds: dict[Audience, Feed] = {}
        self.matters: list[Matter] = []
        self.loading: asyncio.Task[None] = asyncio.create_task(picture.load())
        self.upkeep: asyncio.Task[None] | None = None


class NetworkHub:
    """The live pictures of this process. Lives on one event loop; nothing is kept of what nobody looks at."""

    def __init__(self, db: Database, bus: LocalBus, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._networks: dict[int, _Network] = {}
        self._ticking: asyncio.Task[None] | None = None
        self._ticks = 0
        self._unsubscribe = [bus.subscribe(kind, self._taker(kind)) for kind in NOTICES]
        self.closed = False

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return sum(
            len(feed.readers) for network in self._networks.values() for feed in network.feeds.values()
        )

    async def feed(self, principal: Principal) -> Feed:
        """Give the feed of what somebody may see; the first one to look has the picture read."""
        audience = Audience(principal.tenant_id, principal.may(Right.VIEW_TOKENS), principal.sites)
        network = self._networks.get(audience.tenant_id)
        if network is None:
            network = self._networks[audience.tenant_id] = _Network(
                Picture(self._db, audience.tenant_id, self._clock)
            )
            if self._ticking is None:
                self._ticking = asyncio.create_task(self._tick_for_ever(), name="network ticks")
        try:
            await asyncio.shield(network.loading)
        except Exception:
            if self._networks.get(audience.tenant_id) is network:
                del self._networks[audience.tenant_id]
            raise
        feed = network.feeds.get(audience)
        if feed is None:
            network.matters = network.matters or find_matters(
                network.picture.stations.values(), self._clock()
            )
            feed = Feed(network.picture, audience, network.matters, time.monotonic())
            network.feeds[audience] = feed
        return feed

    def close(self) -> None:
        """End every stream, and take no more notices."""
        self.closed = True
        for end in self._unsubscribe:
            end()
        if self._ticking is not None:
            self._ticking.cancel()
        for tenant_id in list(self._networks):
            self._forget(tenant_id)

    def _taker(self, kind: type) -> Callable[[Any], None]:
        networks = self._networks
        if kind is StationRemoved:

            def take_removal(notice: Any) -> None:  # it does not say whose station it was
                for network in networks.values():
                    network.picture.take(notice)

            return take_removal

        def take(notice: Any) -> None:
            tenant_id = notice.record.tenant_id if kind is StationChanged else notice.tenant_id
            network = networks.get(tenant_id)
            if network is not None:
                network.picture.take(notice)

        return take

    async def _tick_for_ever(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + TICK_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            self._ticks += 1
            for tenant_id, network in list(self._networks.items()):
                try:
                    self._tick(tenant_id, network)
                except Exception:
                    log.exception("a tick of the live picture failed", tenant_id=tenant_id)

    def _tick(self, tenant_id: int, network: _Network) -> None:
        now, picture = time.monotonic(), network.picture
        if not picture.ready.is_set():
            return
        changes, events = picture.tick()
        if self._ticks % _ATTENTION_EVERY == 0:
            network.matters = find_matters(picture.stations.values(), self._clock())
            for feed in network.feeds.values():
                feed.set_matters(network.matters)
        at = self._clock()
        for audience, feed in list(network.feeds.items()):
            feed.tell(changes, events, at, now)
            if feed.readers:
                feed.used_at = now
            elif now - feed.used_at > _FORGOTTEN_AFTER_S:
                del network.feeds[audience]
        if not network.feeds:
            self._forget(tenant_id)
        elif self._ticks % _UPKEEP_EVERY == 0 and (network.upkeep is None or network.upkeep.done()):
            network.upkeep = asyncio.create_task(self._keep_up(picture))

    async def _keep_up(self, picture: Picture) -> None:
        try:
            await picture.read_sites()
            if picture.day_is_over():
                await picture.read_sums()
        except Exception as error:  # most likely the database is away; the next time will do
            log.warning("the live picture could not be kept up", error=repr(error)[:300])

    def _forget(self, tenant_id: int) -> None:
        network = self._networks.pop(tenant_id)
        network.picture.stop()
        for task in (network.loading, network.upkeep):
            if task is not None:
                task.cancel()
        for feed in network.feeds.values():
            feed.close()
