"""Whether a station has room for one more reservation: pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

__all__ = ["Window", "find_conflict", "free_places"]

Places = Mapping[int, frozenset[str]]
"""The EVSEs of a station, and the types of their connectors as far as they are known."""


class Window(msgspec.Struct, frozen=True):
    """A time for which a place is wanted or reserved. `until_at` is not part of it."""

    from_at: datetime
    until_at: datetime
    evse_no: int | None = None
    connector_type: str | None = None

    def at(self, moment: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.from_at <= moment < self.until_at

    def fits(self, evse_no: int, types: frozenset[str]) -> bool:
        """Whether an EVSE will do."""
        if self.evse_no is not None:
            return evse_no == self.evse_no
        return self.connector_type is None or self.connector_type.casefold() in {
            each.casefold() for each in types
        }


def find_conflict(places: Places, others: Sequence[Window], wanted: Window) -> str | None:
    """Say in words why there is no room, None when there is.

    Every reservation that holds at a moment must get an EVSE of its own, and one for any EVSE may get any.
    """
    if not any(wanted.fits(evse_no, types) for evse_no, types in places.items()):
        return _no_such_place(places, wanted)
    moments = {wanted.from_at} | {other.from_at for other in others if wanted.at(other.from_at)}
    for moment in sorted(moments):
        holding = [other for other in others if other.at(moment)]
        if _assignment(places, [*holding, wanted]) is not None:
            continue
        same = next(
            (each for each in holding if wanted.evse_no is not None and each.evse_no == wanted.evse_no), None
        )
        if same is not None:
            return f"EVSE {same.evse_no} is reserved from {_text(same.from_at)} until {_text(same.until_at)}"
        return f"every EVSE that would do is taken at {_text(moment)}: {len(holding)} other reservations hold then"
    return None


def free_places(places: Places, others: Sequence[Window], wanted: Window) -> list[int]:
    """Give the EVSEs that will do for a reservation while every other that holds at its begin keeps its own."""
    holding = [other for other in others if other.at(wanted.from_at)]
    return [
        evse_no
        for evse_no, types in sorted(places.items())
        if wanted.fits(evse_no, types)
        and _assignment({other: kinds for other, kinds in places.items() if other != evse_no}, holding)
        is not None
    ]


def _assignment(places: Places, windows: Sequence[Window]) -> dict[int, int] | None:
    """Give each reservation an EVSE of its own by augmenting paths; None when that cannot be."""
    owner: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for evse_no, types in places.items():
            if evse_no in tried or not windows[index].fits(evse_no, types):
                continue
            tried.add(evse_no)
            if evse_no not in owner or place(owner[evse_no], tried):
                owner[evse_no] = index
                return True
        return False

    return owner if all(place(index, set()) for index in range(len(windows))) else None


def _no_such_place(places: Places, wanted: Window) -> str:
    if wanted.evse_no is not None:
        known = ", ".join(str(evse_no) for evse_no in sorted(places)) or "none free"
        return f"the station has no EVSE {wanted.evse_no} for this now; there are: {known}"
    if wanted.connector_type is not None:
        kinds = sorted({kind for types in places.values() for kind in types}) or ["none known"]
        return f"no EVSE of the station has a connector of type {wanted.connector_type}; types: {', '.join(kinds)}"
    return "every EVSE of the station is in use"


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes").replace("+00:00", "Z")
