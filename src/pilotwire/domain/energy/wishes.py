"""What a session wants, put together from what the operator, the driver and the car have said."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

__all__ = ["SOURCES", "Wish", "merge_wishes"]

SOURCES = ("operator", "driver", "car")
"""Who may say; who is named first wins, field by field."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a session wants. `energy_wh` is in all, from the start of the session; None: as much as the car takes.

    Units: Wh, A per phase, W, percent.
    """

    energy_wh: float | None = None
    departure_at: datetime | None = None
    priority: int | None = None
    most_current_a: float | None = None
    most_power_w: float | None = None
    capacity_wh: float | None = None
    soc_percent: float | None = None
    phases: int | None = None
    can_discharge: bool | None = None
    most_periods: int | None = None


def merge_wishes(said: Iterable[tuple[str, dict[str, Any]]]) -> Wish:
    """Put together what was said: `(source, fields)` in any order."""
    merged: dict[str, Any] = {}
    known = frozenset(Wish.__struct_fields__)
    for _, fields in sorted(said, key=lambda each: SOURCES.index(each[0]), reverse=True):
        merged |= {name: value for name, value in fields.items() if name in known and value is not None}
    return Wish(**merged)
