"""Limits from outside: a grid operator dims a site, until a moment, until withdrawn, or until it is no longer heard.

A sender that promised to be heard regularly and is not leaves its fail-safe value behind: the site holds that by itself,
for as long as was agreed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from pilotwire.domain.energy.model import LimitWindow

__all__ = ["GridLimit", "LimitState", "state_of", "windows_of_limits"]

LimitState = Literal["limited", "ahead", "free", "failsafe"]


class GridLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What one source has said of a node. `limit_w` None: it limits nothing, but is heard.

    `silent_after_s`: it counts as silent so long after it was last heard, and `failsafe_w` holds from then on, for
    `failsafe_for_s` or until it is heard again. Units: W, s.
    """

    source: str
    node_id: str
    limit_w: float | None = None
    starts_at: datetime
    ends_at: datetime | None = None
    silent_after_s: float | None = None
    failsafe_w: float | None = None
    failsafe_for_s: float | None = None
    reason: str = ""
    heard_at: datetime

    @property
    def silent_from_s(self) -> float:
        """The moment from which the source counts as silent."""
        if self.silent_after_s is None or self.failsafe_w is None:
            return float("inf")
        return self.heard_at.timestamp() + self.silent_after_s

    @property
    def ends_s(self) -> float:
        """The moment at which the limit ends by itself."""
        return float("inf") if self.ends_at is None else self.ends_at.timestamp()


def windows_of_limits(
    limits: Iterable[GridLimit], since_s: float, far_s: float
) -> Mapping[str, tuple[LimitWindow, ...]]:
    """Give the windows of limits by node, from `since_s` on; `far_s` stands for what has no end."""
    found: dict[str, tuple[LimitWindow, ...]] = {}
    for limit in limits:
        silent_s = limit.silent_from_s
        made = []
        if limit.limit_w is not None:
            reason = limit.reason or f"limit of {limit.source}"
            end = min(limit.ends_s, silent_s, far_s)
            made.append(LimitWindow(limit.starts_at.timestamp(), end, None, limit.limit_w, reason))
        if silent_s < far_s:
            end = far_s if limit.failsafe_for_s is None else min(silent_s + limit.failsafe_for_s, far_s)
            reason = f"{limit.source} is not heard: its fail-safe value"
            made.append(LimitWindow(silent_s, end, None, limit.failsafe_w, reason))
        kept = tuple(each for each in made if each.starts_s < each.ends_s and each.ends_s > since_s)
        if kept:
            found[limit.node_id] = (*found.get(limit.node_id, ()), *kept)
    return found


def state_of(limit: GridLimit, now: datetime) -> tuple[LimitState, float | None]:
    """Tell what a source's limit is at a moment, and the W that hold then (None: no limit)."""
    now_s, silent_s = now.timestamp(), limit.silent_from_s
    if now_s >= silent_s:
        if limit.failsafe_for_s is None or now_s < silent_s + limit.failsafe_for_s:
            return "failsafe", limit.failsafe_w
        return "free", None
    if limit.limit_w is None or now_s >= limit.ends_s:
        return "free", None
    return ("ahead", None) if now < limit.starts_at else ("limited", limit.limit_w)
