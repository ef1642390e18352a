"""Limits beside the fuses: of operators until they expire, and of others by their schedules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pilotwire.domain.energy.definition import per_phase
from pilotwire.domain.energy.exchange import Allocation, Reason
from pilotwire.domain.energy.messages import Schedule
from pilotwire.domain.energy.model import LimitWindow, Node

__all__ = ["Limiter", "capped", "limit_at", "limits_now", "read_schedules", "windows_of"]


@dataclass(frozen=True, slots=True)
class Limiter:
    """A ceiling of an EVSE: of an operator until it expires, or of somebody else by its schedule."""

    limit_a: float | None
    limit_w: float | None
    expires_s: float
    reason: str


def capped(found: Allocation, ceiling_a: float | None) -> Allocation:
    """Give an allocation that is not above a ceiling."""
    if ceiling_a is None or found.limit_a <= ceiling_a:
        return found
    share = ceiling_a / found.limit_a
    return msgspec.structs.replace(
        found, limit_a=ceiling_a, limit_w=found.limit_w * share, reason=Reason.OVERRIDE, binding=None
    )


def limit_at(schedule: Schedule, received_s: float, now_s: float) -> float | None:
    """Give the limit of a schedule at a moment, None where it says nothing then."""
    start_s = received_s if schedule.start_at is None else schedule.start_at.timestamp()
    elapsed = now_s - start_s
    if elapsed < 0 or (schedule.duration_s is not None and elapsed >= schedule.duration_s):
        return None
    limit = None
    for period in schedule.periods:
        if period.start_s > elapsed:
            break
        limit = min(each for each in (period.limit, period.limit_l2, period.limit_l3) if each is not None)
    return limit


def read_schedules(text: str) -> tuple[Schedule, ...]:
    """Read schedules as they are kept."""
    return msgspec.json.decode(text, type=tuple[Schedule, ...])


def windows_of(rows: list[Any], now: datetime) -> dict[str, tuple[LimitWindow, ...]]:
    """Make limits of nodes out of the overrides that people have set."""
    found: dict[str, tuple[LimitWindow, ...]] = {}
    for row in rows:
        if row["node_id"] is None or row["expires_at"] <= now:
            continue
        window = LimitWindow(
            (row["created_at"] - timedelta(seconds=60)).timestamp(),
            row["expires_at"].timestamp(),
            per_phase(row["limit_a"]),
            row["limit_w"],
            row["reason"] or f"set by {row['created_by']}",
        )
        found[row["node_id"]] = (*found.get(row["node_id"], ()), window)
    return found


def limits_now(node: Node, now_s: float) -> tuple[Any, float | None, str]:
    """Give the limits that hold now, and why they are tighter than the fuse."""
    limit_a, limit_w, reason = node.limit_a, node.limit_w, ""
    for window in node.windows:
        if not window.starts_s <= now_s < window.ends_s:
            continue
        if window.limit_a is not None:
            tighter = (
                window.limit_a
                if limit_a is None
                else tuple(min(a, b) for a, b in zip(limit_a, window.limit_a, strict=True))
            )
            reason, limit_a = (window.reason if tighter != limit_a else reason), tighter  # type: ignore[assignment]
        if window.limit_w is not None and (limit_w is None or window.limit_w < limit_w):
            limit_w, reason = window.limit_w, window.reason
    return limit_a, limit_w, reason
