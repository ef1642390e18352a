"""A station as people see it: its record, its connection, and the state of its EVSEs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from pilotwire.domain.stations.model import summarise_status
from pilotwire.domain.stations.ports import LinkInfo

__all__ = ["EvseOverview", "StationOverview", "overview_of", "status_of_station"]


@dataclass(frozen=True, slots=True)
class EvseOverview:
    """An EVSE with its connectors as last reported."""

    number: int
    status: str
    connectors: tuple[Row[Any], ...]


@dataclass(frozen=True, slots=True)
class StationOverview:
    """A station: `row` is what is kept of it, the rest is what holds now."""

    row: Row[Any]
    connected: bool
    ocpp_version: str | None
    last_seen_at: datetime | None
    status: str
    evses: tuple[EvseOverview, ...]


def overview_of(row: Row[Any], connectors: Sequence[Row[Any]], link: LinkInfo | None) -> StationOverview:
    """Put together what is kept of a station and what its live connection says."""
    by_evse: dict[int, list[Row[Any]]] = {}
    whole: list[str] = []
    for connector in connectors:
        if connector.evse_no == 0:
            whole.append(connector.status)
        else:
            by_evse.setdefault(connector.evse_no, []).append(connector)
    evses = tuple(
        EvseOverview(number, summarise_status(True, [c.status for c in group]), tuple(group))
        for number, group in by_evse.items()
    )
    connected = link is not None or row.connected
    return StationOverview(
        row=row,
        connected=connected,
        ocpp_version=link.ocpp_version if link else row.ocpp_version,
        last_seen_at=max(filter(None, (link.last_seen_at if link else None, row.last_seen_at)), default=None),
        status=status_of_station(connected, whole, [evse.status for evse in evses]),
        evses=evses,
    )


def status_of_station(connected: bool, whole: list[str], evses: list[str]) -> str:
    """Give one word for a station: of what it said of itself (`whole`), and of its EVSEs."""
    # A fault of the station itself counts; otherwise it speaks for itself only while no connector has spoken.
    return summarise_status(connected, [*evses, *whole] if not evses or "faulted" in whole else evses)
