"""What the live picture shows: a station with its EVSEs, and what it adds to the network's figures."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.stations.model import summarise_status
from pilotwire.domain.stations.overview import status_of_station
from pilotwire.web.api.fields import exact, rounded

__all__ = [
    "LiveEvse",
    "LiveStation",
    "Share",
    "Station",
    "Totals",
    "add_share",
    "changed_fields",
    "kpi_of",
    "share_of",
]


class LiveEvse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """An EVSE and the session that goes on there; what does not apply is left out."""

    id: int
    status: str
    connector_status: tuple[str, ...]
    power_w: float
    energy_wh: float
    error_code: str = ""
    session_id: UUID | None = None
    soc: float | None = None
    token_uid: str | None = None
    started_at: datetime | None = None


class LiveStation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A station as the console's first look shows it.

    `last_seen_at` is as of the last change: a connected station is being heard.
    """

    id: str
    name: str
    site_id: UUID | None
    site: str | None
    vendor: str
    model: str
    ocpp_version: str | None
    firmware_version: str
    connected: bool
    admission: str
    status: str
    last_seen_at: datetime | None
    power_w: float
    tags: tuple[str, ...]
    evses: tuple[LiveEvse, ...]


class Station:
    """What is known of a station: the facts from which it is shown, and how it was last shown."""

    __slots__ = (
        "admission", "connected", "connectors", "counted_at", "ended_energy_wh", "ended_sessions", "firmware_version",
        "identity", "last_seen_at", "model", "name", "number", "ocpp_version", "offline_since", "sessions", "share", "shown",
        "site_id", "tags", "vendor",
    )  # fmt: skip

    def __init__(self, row: Any) -> None:
        self.number: int = row.id
        self.connected: bool = row.connected
        self.last_seen_at: datetime | None = row.last_seen_at
        self.offline_since: datetime | None = row.disconnected_at or row.last_seen_at
        self.connectors: dict[tuple[int, int], tuple[str, str, datetime]] = {}
        self.sessions: dict[str, SessionFacts] = {}
        self.ended_sessions = 0
        self.ended_energy_wh = 0.0
        self.shown: LiveStation | None = None
        self.share: Share | None = None
        self.counted_at: UUID | None = None
        self.site_id: UUID | None = None
        self.take_record(row)

    def take_record(self, row: Any) -> None:
        """Take over what people and boots say of the station."""
        self.identity: str = row.identity
        self.name: str = row.name
        self.site_id = row.site_id
        self.admission: str = row.admission
        self.ocpp_version: str | None = row.ocpp_version
        self.vendor: str = row.vendor
        self.model: str = row.model
        self.firmware_version: str = row.firmware_version
        self.tags: tuple[str, ...] = tuple(row.tags)

    def show(self, sites: dict[UUID, str]) -> LiveStation:
        """Give the station as it is now."""
        by_evse: dict[int, list[tuple[int, str, str]]] = {}
        whole: list[str] = []
        for (evse_no, connector_no), (status, error_code, _) in self.connectors.items():
            if evse_no == 0:
                whole.append(status)
            else:
                by_evse.setdefault(evse_no, []).append((connector_no, status, error_code))
        newest: dict[int, SessionFacts] = {}
        for facts in self.sessions.values():
            if facts.evse_no and (
                facts.evse_no not in newest or facts.first_at > newest[facts.evse_no].first_at
            ):
                newest[facts.evse_no] = facts
                by_evse.setdefault(facts.evse_no, [])
        evses = tuple(_show_evse(no, sorted(by_evse[no]), newest.get(no)) for no in sorted(by_evse))
        statuses = [evse.status for evse in evses if evse.connector_status]
        return LiveStation(
            id=self.identity,
            name=self.name,
            site_id=self.site_id,
            site=sites.get(self.site_id) if self.site_id else None,
            vendor=self.vendor,
            model=self.model,
            ocpp_version=self.ocpp_version,
            firmware_version=self.firmware_version,
            connected=self.connected,
            admission=self.admission,
            status=status_of_station(self.connected, whole, statuses),
            last_seen_at=self.last_seen_at,
            power_w=round(sum(evse.power_w for evse in evses), 1) if self.connected else 0.0,
            tags=self.tags,
            evses=evses,
        )


def _show_evse(number: int, connectors: list[tuple[int, str, str]], facts: SessionFacts | None) -> LiveEvse:
    status = summarise_status(True, [status for _, status, _ in connectors])
    error_code = next((code for _, _, code in connectors if code not in ("", "NoError")), "")
    statuses = tuple(status for _, status, _ in connectors)
    if facts is None:
        return LiveEvse(
            id=number,
            status=status,
            connector_status=statuses,
            power_w=0.0,
            energy_wh=0,
            error_code=error_code,
        )
    return LiveEvse(
        id=number,
        status=status,
        connector_status=statuses,
        power_w=rounded(facts.last_power[1], 1) or 0.0 if facts.last_power else 0.0,
        energy_wh=exact(facts.energy_wh) or 0,
        error_code=error_code,
        session_id=facts.id,
        soc=rounded(facts.last_soc[1], 1) if facts.last_soc else None,
        token_uid=facts.token_uid,
        started_at=facts.started_at or facts.first_at,
    )


def changed_fields(old: LiveStation, new: LiveStation) -> dict[str, Any]:
    """Give the fields in which two looks at a station differ; the list of EVSEs is one field."""
    changes: dict[str, Any] = {}
    for name in LiveStation.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before is after or before == after:
            continue
        changes[name] = after
    # A moment alone is no news.
    return {} if changes.keys() == {"last_seen_at"} else changes


class Share(NamedTuple):
    """What one station adds to the network's figures."""

    status: str
    online: bool
    pending: bool
    power_w: float
    evses: tuple[str, ...]
    sessions_active: int
    sessions_today: int
    energy_today_wh: float


def share_of(station: Station, shown: LiveStation, midnight: datetime) -> Share:
    """Say what a station adds to the figures of the day that began at `midnight`."""
    begun = [facts for facts in station.sessions.values() if (facts.started_at or facts.first_at) >= midnight]
    energy_wh = sum((float(facts.energy_wh or 0) for facts in begun), station.ended_energy_wh)
    return Share(
        shown.status,
        shown.connected,
        shown.admission == "pending",
        shown.power_w,
        tuple(evse.status if shown.connected else "offline" for evse in shown.evses),
        len(station.sessions),
        len(begun) + station.ended_sessions,
        energy_wh,
    )


class Totals:
    """The sums of the shares of some stations."""

    __slots__ = (
        "energy_today_wh", "evses", "online", "pending", "power_w", "sessions_active", "sessions_today", "statuses",
        "total",
    )  # fmt: skip

    def __init__(self) -> None:
        self.total = self.online = self.pending = self.sessions_active = self.sessions_today = 0
        self.power_w = self.energy_today_wh = 0.0
        self.statuses: dict[str, int] = {}
        self.evses: dict[str, int] = {}


def add_share(totals: Totals, share: Share, sign: int = 1) -> None:
    """Add what a station contributes; -1 takes it away."""
    totals.total += sign
    totals.online += sign * share.online
    totals.pending += sign * share.pending
    totals.power_w += sign * share.power_w
    totals.sessions_active += sign * share.sessions_active
    totals.sessions_today += sign * share.sessions_today
    totals.energy_today_wh += sign * share.energy_today_wh
    totals.statuses[share.status] = totals.statuses.get(share.status, 0) + sign
    for status in share.evses:
        totals.evses[status] = totals.evses.get(status, 0) + sign


def kpi_of(parts: Iterable[Totals]) -> dict[str, Any]:
    """Give the figures of several totals together. Units: W, Wh."""
    parts = list(parts)
    statuses: dict[str, int] = {}
    evses: dict[str, int] = {}
    for part in parts:
        for whole, some in ((statuses, part.statuses), (evses, part.evses)):
            for status, count in some.items():
                if count:
                    whole[status] = whole.get(status, 0) + count
    return {
        "power_w": round(sum(part.power_w for part in parts), 1) + 0.0,
        "charging": evses.get("charging", 0),
        "sessions_active": sum(part.sessions_active for part in parts),
        "energy_today_wh": round(sum(part.energy_today_wh for part in parts)),
        "sessions_today": sum(part.sessions_today for part in parts),
        "online": sum(part.online for part in parts),
        "total": sum(part.total for part in parts),
        "faulted": statuses.get("faulted", 0),
        "pending": sum(part.pending for part in parts),
        "statuses": statuses,
        "evse_statuses": evses,
    }
