"""What the demo says of its sites besides their places: hours, grid connections, people to call, words."""

from collections.abc import Iterable
from typing import Any

from pilotwire.simulator.model import SiteKind, SiteSpec

__all__ = ["about", "fast_stations"]

_WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_TAGS: dict[SiteKind, list[str]] = {
    "office": ["staff"],
    "public": ["public", "kerbside"],
    "home": [],
    "highway": ["public", "fast"],
    "fleet": ["fleet"],
}
# In all, in kW. The offices have 3 x 100 A, of which their circuits are given 80.
_GRID_KW: dict[SiteKind, float] = {"office": 69, "public": 250, "home": 17, "highway": 1600, "fleet": 160}


def about(site: SiteSpec) -> dict[str, Any]:
    """Give what a site of this kind is like. Numbers and addresses are made up, and reach nobody."""
    hours: dict[str, Any] = {"always_open": True}
    if site.kind == "office":
        hours = {"weekdays": {day: [{"opens": "06:30", "closes": "21:00"}] for day in _WORKDAYS}}
    return {
        "opening_hours": hours,
        "grid_connection": {"limit_kw": _GRID_KW[site.kind], "voltage_v": 230},
        "contacts": [
            {
                "role": "emergency",
                "name": f"Caretaker of {site.name}",
                "email": f"{site.id}@pilotwire.example",
            }
        ],
        "tags": _TAGS[site.kind],
    }


def fast_stations(sites: Iterable[SiteSpec]) -> list[str]:
    """Name the stations that give direct current."""
    return [
        station.identity
        for site in sites
        for station in site.stations
        if any(evse.current == "DC" for evse in station.evses)
    ]
