"""What readers of events are told: names and shapes of what the bus says."""

from collections.abc import Callable, Mapping
from typing import Any

from pilotwire.domain.certificates.events import CertificateChanged, UpgradeChanged
from pilotwire.domain.configuration.events import DeviceModelRead, DriftChanged
from pilotwire.domain.energy.events import EnergyMeasured, EnergySiteChanged, EnergyTrouble
from pilotwire.domain.local_lists.events import LocalListChanged
from pilotwire.domain.operations.events import CommandChanged, TaskChanged
from pilotwire.domain.relays.events import RelayLinkChanged
from pilotwire.domain.reservations.events import ReservationChanged
from pilotwire.domain.sessions.model import Settlement
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import StationChanged, StationConnected
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
    StationProgressKept,
)
from pilotwire.domain.supervision.events import (
    CarFull,
    SessionOverlong,
    StartMissing,
    StopMissing,
    TargetChanged,
    TargetMissed,
    TargetReached,
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
        "wave": notice.wave or None,
    }


def _energy(notice: EnergyMeasured) -> Mapping[str, Any]:
    return notice.live


def _energy_site(notice: EnergySiteChanged) -> Mapping[str, Any]:
    return {"site_id": notice.site_id, "version": notice.version, "enabled": notice.enabled}


def _settings_read(notice: DeviceModelRead) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "state": notice.state,
        "pages": notice.pages,
        "variables": notice.variables,
        "detail": notice.detail,
    }


def _drift(notice: DriftChanged) -> Mapping[str, Any]:
    return {"station_id": notice.identity, "drifting": notice.drifting}


def _energy_trouble(notice: EnergyTrouble) -> Mapping[str, Any]:
    return {
        "site_id": notice.site_id,
        "station_id": notice.identity,
        "evse_id": notice.evse_no,
        "state": notice.state,
        "detail": notice.detail,
    }


def _reservation(notice: ReservationChanged) -> Mapping[str, Any]:
    return {
        "id": notice.id,
        "station_id": notice.identity,
        "evse_id": notice.evse_no,
        "state": notice.state,
        "detail": notice.detail,
        "from_at": notice.from_at,
        "until_at": notice.until_at,
        "session_id": notice.session_id,
        "at": notice.at,
    }


def _noticed(notice: Any) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "session_id": notice.session_id,
        "evse_id": notice.evse_no,
        "at": notice.at,
        **notice.detail,
    }


def session_name(notice: SessionKept) -> str:
    """Name the event of a session: a session of which the start was missed starts with what came first."""
    if notice.change in ("ended", "settled"):
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
        "ended_at": facts.closed_at,
        "meter_start_wh": exact(facts.meter_start_wh),
        "meter_wh": exact(facts.meter_end_wh),
        "energy_wh": exact(facts.energy_wh),
        "power_w": rounded(facts.last_power[1], 1) if facts.last_power and not facts.over else None,
        "soc_percent": rounded(facts.last_soc[1], 1) if facts.last_soc else None,
        "stop_reason": facts.stop_reason,
        "review": sorted(notice.review),
        "settlement": _settlement(facts.settlement) if facts.settlement and facts.settled else None,
    }


def _settlement(settlement: Settlement) -> Mapping[str, Any]:
    return {"at": settlement.made_at, "reason": settlement.reason, "by": settlement.by}


def _certificate(notice: CertificateChanged) -> Mapping[str, Any]:
    return {
        "certificate_id": notice.certificate_id,
        "station_id": notice.identity,
        "purpose": notice.purpose,
        "state": notice.state,
        "not_after": notice.not_after,
        "detail": notice.detail,
        "at": notice.at,
    }


def _upgrade(notice: UpgradeChanged) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "security_profile": notice.profile,
        "step": notice.step,
        "detail": notice.detail if notice.step == "failed" else "",
        "at": notice.at,
    }


def _relay(notice: RelayLinkChanged) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "connected": notice.connected,
        "detail": notice.detail,
        "at": notice.at,
    }


def _local_list(notice: LocalListChanged) -> Mapping[str, Any]:
    return {
        "station_id": notice.identity,
        "state": notice.state,
        "version": notice.version,
        "entries": notice.entries,
        "detail": notice.detail,
        "at": notice.at,
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
    DeviceModelRead: ("station.settings_read", _settings_read),
    DriftChanged: ("station.drift", _drift),
    EnergyMeasured: ("energy.live", _energy),
    EnergySiteChanged: ("energy.changed", _energy_site),
    EnergyTrouble: ("energy.trouble", _energy_trouble),
    ReservationChanged: ("reservation.changed", _reservation),
    CarFull: ("session.full", _noticed),
    TargetChanged: ("session.target_changed", _noticed),
    TargetReached: ("session.target_reached", _noticed),
    TargetMissed: ("session.target_missed", _noticed),
    StopMissing: ("session.stop_missing", _noticed),
    StartMissing: ("session.start_missing", _noticed),
    SessionOverlong: ("session.over_long", _noticed),
    CertificateChanged: ("certificate.changed", _certificate),
    UpgradeChanged: ("station.security_upgrade", _upgrade),
    LocalListChanged: ("station.local_list", _local_list),
    RelayLinkChanged: ("station.relay", _relay),
}
