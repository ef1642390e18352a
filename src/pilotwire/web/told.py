"""What webhooks can be told of: the events of the stream, and what each says."""

from collections.abc import Callable, Mapping
from typing import Any

from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.records import ConnectorStatusChanged
from pilotwire.web.event_names import SHAPES, session_name, show_session_event

__all__ = ["CATALOGUE", "TOLD"]

Told = Callable[[Any], tuple[int, str, Mapping[str, Any]] | None]


def _told_of(name: str, shape: Callable[[Any], Mapping[str, Any]]) -> Told:
    return lambda notice: (notice.tenant_id, name, shape(notice))


def _connector(notice: ConnectorStatusChanged) -> tuple[int, str, Mapping[str, Any]] | None:
    name, shape = SHAPES[ConnectorStatusChanged]
    # A late report of an older state is history, not news.
    return (notice.tenant_id, name, shape(notice)) if notice.current else None


def _station(notice: StationChanged) -> tuple[int, str, Mapping[str, Any]]:
    name, shape = SHAPES[StationChanged]
    return notice.record.tenant_id, name, shape(notice)


def _session(notice: SessionKept) -> tuple[int, str, Mapping[str, Any]]:
    return notice.tenant_id, session_name(notice), show_session_event(notice)


TOLD: Mapping[type, Told] = {
    **{kind: _told_of(name, shape) for kind, (name, shape) in SHAPES.items()},
    ConnectorStatusChanged: _connector,
    StationChanged: _station,
    SessionKept: _session,
}
"""By the type of a notice: tenant, name and data of what is told of it, or None."""

_SESSIONS = {
    "session.started": "A session has started, or was first heard of.",
    "session.updated": "A session goes on; once for every message of its station, so often.",
    "session.ended": "A session has ended; also told again when something late changes its figures.",
}

CATALOGUE: Mapping[str, str] = dict(
    sorted(
        {
            **{name: (kind.__doc__ or name).strip().splitlines()[0] for kind, (name, _) in SHAPES.items()},
            **_SESSIONS,
        }.items()
    )
)
"""Every event that a webhook can ask for, with a sentence about it."""
