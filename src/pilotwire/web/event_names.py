"""What readers of events are told: names and shapes of what the bus says."""

from collections.abc import Callable, Mapping
from typing import Any

from pilotwire.domain.operations.events import CommandChanged, TaskChanged
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import StationChanged, StationConnected
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
    StationProgressKept,
)
from pilotwire.web.api.fields import exact, rounded
from pilotwire.web.api.sessions import show_transaction_id

__all__ = ["SHAPES", "session_name", "show_session_event"]

Shape = Callable[[Any], Mapping[str, Any]]


def _connected(notice: StationConnected) -> Mapping[str, Any]:
    return {"station_id": notice.identity, "ocpp_version": notice.ocpp_version, "at": notice.at}


def _disconnected(notice: StationDisconnected) -> Mapping[str, Any]:
    return {"station_id": notice.identity, "reason": notice.reason, "at": notice.at}


def _booted(notice: StationBootKept) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "vendor": notice.vendor,
        "model": notice.model,
        "serial_number": notice.serial_number,
        "firmware_version": notice.firmware_version,
        "reason": notice.reason,
        "admission": notice.admission,
        "at": notice.booted_at,
    }


def _connector(notice: ConnectorStatusChanged) -> Mapping[str, Any]:
    # EVSE 0 is the station itself.
    return {
        "station_id": notice.identity,
        "evse_id": notice.evse_no or None,
        "connector_id": notice.connector_no or None,
        "status": notice.status,
        "error_code": notice.error_code,
        "info": notice.info,
        "at": notice.status_at,
    }


def _security(notice: SecurityEventKept) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "type": notice.type,
        "technical_info": notice.technical_info,
        "at": notice.at,
    }


def _progress(notice: StationProgressKept) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "subject": notice.subject,
        "status": notice.status,
        "request_id": notice.request_id,
    }


def _changed(notice: StationChanged) -> Mapping[str, Any]:
    record = notice.record
    return {
        "station_id": record.identity,
        "admission": record.admission,
        "security_profile": record.minimum_security_profile,
        "site_id": record.site_id,
    }


def _command(notice: CommandChanged) -> Mapping[str, Any]:
    return {
        "task_id": notice.task_id,
        "number": notice.number,
        "station_id": notice.identity,
        "command": notice.command,
        "state": notice.state,
        "outcome": notice.outcome,
        "detail": notice.detail,
    }


def _task(notice: TaskChanged) -> Mapping[str, Any]:
    return {
        "id": notice.task_id,
        "command": notice.command,
        "state": notice.state,
        "total": notice.total,
        "succeeded": notice.succeeded,
        "failed": notice.failed,
    }


def session_name(notice: SessionKept) -> str:
    """Name the event of a session: a session of which the start was missed starts with what came first."""
    if notice.change == "ended":
        return "session.ended"
    return "session.started" if notice.new or notice.change == "started" else "session.updated"


def show_session_event(notice: SessionKept) -> Mapping[str, Any]:
    """Give a session as its events show it: the live figures, without the token."""
    facts = notice.facts
    return {
        "id": facts.id,
        "station_id": notice.identity,
        "evse_id": facts.evse_no,
        "connector_id": facts.connector_no,
        "transaction_id": show_transaction_id(facts.transaction_ref, facts.start_key),
        "state": notice.state,
        "charging_state": facts.charging_state[1] if facts.charging_state else None,
        "started_at": facts.started_at or facts.first_at,
        "ended_at": facts.ended_at,
        "meter_start_wh": exact(facts.meter_start_wh),
        "meter_wh": exact(facts.meter_end_wh),
        "energy_wh": exact(facts.energy_wh),
        "power_w": rounded(facts.last_power[1], 1) if facts.last_power and not facts.ended else None,
        "soc_percent": rounded(facts.last_soc[1], 1) if facts.last_soc else None,
        "stop_reason": facts.stop_reason,
        "review": sorted(notice.review),
    }


SHAPES: Mapping[type, tuple[str, Shape]] = {
    StationConnected: ("station.connected", _connected),
    StationDisconnected: ("station.disconnected", _disconnected),
    StationBootKept: ("station.booted", _booted),
    StationProgressKept: ("station.progress", _progress),
    SecurityEventKept: ("station.security", _security),
    ConnectorStatusChanged: ("connector.status", _connector),
    StationChanged: ("station.changed", _changed),
    CommandChanged: ("command.changed", _command),
    TaskChanged: ("task.changed", _task),
}
