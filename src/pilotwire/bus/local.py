"""The bus of one process: what was committed is told to whoever asked for its type."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog

__all__ = ["LocalBus"]

log = structlog.get_logger(__name__)

T = TypeVar("T")


class LocalBus:
    """Calls subscribers at once and in order; a subscriber that fails is logged and does not hurt the others."""

    def __init__(self) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[T], call: Callable[[T], None]) -> Callable[[], None]:
        """Have `call` called with every notice of exactly this type; return a function that ends it.

        Subscribers must be quick: they run between two frames of stations.
        """
        calls = self._subscribers.setdefault(kind, [])
        calls.append(call)

        def end() -> None:
            if call in calls:
                calls.remove(call)

        return end

    def publish(self, notice: object) -> None:
        """Tell the subscribers of the notice's type."""
        self.publish_all((notice,))

    def publish_all(self, notices: Iterable[object]) -> None:
        """Tell several notices, in order."""
        subscribers = self._subscribers
        for notice in notices:
            for call in subscribers.get(type(notice), ()):
                try:
                    call(notice)
                except Exception:
                    log.exception("a subscriber failed", notice=type(notice).__name__)
