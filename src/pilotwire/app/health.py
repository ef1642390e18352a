"""Figures of health for people, one line each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["report_lines", "station_lines"]


def report_lines(groups: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Put groups of stations on lines."""
    for group in groups:
        name = group["name"] or group["key"] or "(no site)"
        yield f"{name}: {group['connected']} of {group['stations']} connected, {_figures(group)}"


def station_lines(station: Mapping[str, Any]) -> Iterator[str]:
    """Put a station on lines."""
    state = "connected" if station["connected"] else "not connected"
    if station["flapping"]:
        state += f", flapping ({station['connects_last_hour']} connections in an hour)"
    yield f"{station['station_id']}: {state}, {_figures(station)}"
    if station["clock_offset_s"] is not None:
        yield f"  clock ahead by {station['clock_offset_s']} s"
    for evse in station["evses"]:
        uptime = _percent(evse["nevi_percent"])
        yield f"  EVSE {evse['id']}: uptime {uptime}, out for {evse['outage_s']} s, {evse['excluded_s']} s of it excluded"
        for outage in evse["outages"][:5]:
            yield f"    {outage['from'][:19]} to {outage['to'][:19]}  {outage['cause']}"


def _figures(group: Mapping[str, Any]) -> str:
    return (
        f"uptime {_percent(group['nevi_percent'])}, plug-ins {_percent(group['plug_in_success_percent'])} of"
        f" {group['plug_ins']}, sessions {_percent(group['session_success_percent'])} of {group['sessions']},"
        f" messages {group['messages']} ({group['repaired']} repaired)"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} %"
