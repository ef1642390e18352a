"""Stations: `/stations`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import Field

from pilotwire.domain.stations.model import Admission
from pilotwire.domain.stations.overview import StationOverview
from pilotwire.domain.stations.queries import StationFilter
from pilotwire.domain.stations.usecases import add_stations, view_stations
from pilotwire.domain.stations.usecases import call_station as calling
from pilotwire.domain.stations.usecases import change_station as changing
from pilotwire.domain.stations.usecases import renew_secret as renewing
from pilotwire.web.api.fields import Given, Line, Shown, Tags
from pilotwire.web.auth import Asking, Services
from pilotwire.web.events import EventHub
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, encode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["stations"])

StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]
Status = Literal[
    "available", "preparing", "charging", "suspended_ev", "suspended_evse", "finishing", "occupied",
    "reserved", "unavailable", "faulted", "offline", "unknown",
]  # fmt: skip
Switch = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Connector(Shown):
    """A connector as last reported; `type` is null while the station has not said it."""

    id: int = Field(examples=[1])
    type: str | None
    status: str = Field(examples=["charging"])
    error_code: str
    status_at: datetime


class Evse(Shown):
    """An EVSE: what charges one vehicle at a time."""

    id: int = Field(examples=[1])
    status: str
    connectors: list[Connector]


class Station(Shown):
    """A station. `status` is that of the connector that needs attention most, `offline` or `unknown`."""

    id: str = Field(examples=["CP-0001"])
    name: str
    site_id: UUID | None
    tags: list[str]
    group_ids: list[UUID]
    admission: Admission
    security_profile: int = Field(description="The lowest OCPP security profile with which it may connect.")
    connected: bool
    connected_at: datetime | None
    ocpp_version: str | None = Field(examples=["2.0.1"])
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    booted_at: datetime | None
    boot_reason: str
    firmware_status: str
    log_status: str
    quirk_switches: dict[str, bool]
    last_seen_at: datetime | None
    created_at: datetime
    status: Status
    evses: list[Evse]


class StationWithPassword(Station):
    """A new station with the password that was generated for it: it is shown this once."""

    password: str


class NewStation(Given):
    """A station to be added."""

    id: str = Field(
        min_length=1,
        max_length=48,
        description="The identity: letters, digits and . _ - = + | @ *, a letter or digit first.",
        examples=["CP-0001"],
    )
    password: str | None = Field(None, description="16 to 64 characters; without it one is generated.")
    security_profile: Literal[1, 2, 3] = 1
    site_id: UUID | None = None
    name: Line = ""
    tags: Tags = Field([])
    admission: Admission = Admission.ACCEPTED


class StationChanges(Given):
    """What is to change; fields that are left out stay."""

    admission: Admission = Admission.ACCEPTED
    password: str = Field("", description="The secret that holds from now on.")
    security_profile: Literal[1, 2, 3] = Field(1, description="Lowering it needs the role admin.")
    name: Line = ""
    site_id: UUID | None = None
    tags: Tags = Field([])
    quirk_switches: dict[Switch, bool] = Field(
        {}, max_length=100, description="Repairs switched on or off by hand."
    )


class StationMessage(Shown):
    """A frame as it went over the wire. An unreadable one has its text as payload."""

    at: datetime
    direction: Literal["in", "out"]
    type: Literal["call", "result", "error", "result_error", "send"]
    message_id: str
    action: str
    payload: Any
    deviations: list[str] = Field(description="Repairs that were needed to understand it.")


class SecurityEvent(Shown):
    """Something that matters to security, reported by the station or noticed here."""

    type: str = Field(examples=["FirmwareUpdated"])
    at: datetime
    received_at: datetime
    technical_info: str


class Report(Shown):
    """Something that the station reported and that is kept as it came."""

    kind: str = Field(description="The OCPP action.", examples=["NotifyReport"])
    received_at: datetime
    content: dict[str, Any] = Field(description="The payload as the station sent it.")


class CallResult(Shown):
    """What the station answered: a result has its payload, an error its code and description."""

    outcome: Literal["result", "error"]
    payload: dict[str, Any] | None = None
    code: str | None = Field(None, examples=["NotSupported"])
    description: str | None = None


class _RawMessages(msgspec.Struct):
    items: list[Any]
    next: str | None


def show_station(station: StationOverview) -> Station:
    """Give a station the API's shape."""
    return Station(**_fields(station))


def _fields(station: StationOverview) -> dict[str, Any]:
    row = station.row
    kept = (
        "name", "site_id", "tags", "group_ids", "admission", "connected_at", "vendor", "model", "serial_number",
        "firmware_version", "booted_at", "boot_reason", "firmware_status", "log_status", "quirk_switches",
        "created_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in kept},
        "id": row.identity,
        "security_profile": row.minimum_security_profile,
        "connected": station.connected,
        "ocpp_version": station.ocpp_version,
        "last_seen_at": station.last_seen_at,
        "status": station.status,
        "evses": [
            Evse(
                id=evse.number,
                status=evse.status,
                connectors=[
                    Connector(
                        id=connector.connector_no,
                        type=connector.type or None,
                        status=connector.status,
                        error_code=connector.error_code,
                        status_at=connector.status_at,
                    )
                    for connector in evse.connectors
                ],
            )
            for evse in station.evses
        ],
    }


@router.post("/stations", status_code=201)
async def create_station(
    asking: Asking, services: Services, body: NewStation
) -> StationWithPassword | Station:
    """Add a station: it may connect at once. A generated password is in the answer, and nowhere else."""
    draft = add_stations.StationDraft(
        body.id,
        body.password,
        body.security_profile,
        body.site_id,
        body.name,
        body.admission,
        tuple(body.tags),
    )
    record, password = await add_stations.create_station(
        services.db, services.bus, services.pepper, asking, draft
    )
    station = await view_stations.get_station(services.db, services.caller, asking, record.identity)
    if password is None:
        return show_station(station)
    return StationWithPassword(**_fields(station), password=password)


def _wanted(
    connected: bool | None = None,
    status: Status | Literal[""] = "",
    admission: Admission | Literal[""] = "",
    site_id: UUID | None = None,
    tag: Annotated[str, Query(max_length=40)] = "",
    group_id: UUID | None = None,
    q: Annotated[
        str, Query(max_length=100, description="A part of identity, name, vendor, model or serial.")
    ] = "",
) -> StationFilter:
    return StationFilter(
        connected,
        status or None,
        admission or None,
        site_id,
        q.strip() or None,
        tag.strip() or None,
        group_id,
    )


@router.get("/stations")
async def list_stations(
    asking: Asking,
    services: Services,
    wanted: Annotated[StationFilter, Depends(_wanted)],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Station]:
    """List stations by identity."""
    stations = await view_stations.list_stations(
        services.db, services.caller, asking, wanted, decode_cursor(cursor, str), limit + 1
    )
    return make_page(stations, limit, show_station, lambda station: (station.row.identity,))


@router.get("/stations/{station_id}")
async def get_station(asking: Asking, services: Services, station_id: StationId) -> Station:
    """Get a station as it is now."""
    return show_station(await view_stations.get_station(services.db, services.caller, asking, station_id))


@router.patch("/stations/{station_id}")
async def change_station(
    asking: Asking, services: Services, station_id: StationId, body: StationChanges
) -> Station:
    """Change what the next boot is answered, which secret and lowest profile hold, or its name and site."""
    changes = body.model_dump(exclude_unset=True)
    await changing.change_station(services.db, services.bus, services.pepper, asking, station_id, changes)
    return show_station(await view_stations.get_station(services.db, services.caller, asking, station_id))


@router.delete("/stations/{station_id}", status_code=204)
async def remove_station(request: Request, asking: Asking, services: Services, station_id: StationId) -> None:
    """Remove a station that has never charged. One with sessions is refused: reject its admission instead."""
    await changing.remove_station(services.db, services.bus, asking, station_id)
    # The bus says only which station it was, not whose: readers of events are told from here.
    hub: EventHub = request.app.state.hub
    hub.announce(asking.tenant_id, "station.removed", {"station_id": station_id})


@router.get("/stations/{station_id}/messages", response_model=Page[StationMessage])
async def list_messages(
    asking: Asking,
    services: Services,
    station_id: StationId,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the frames of a station as sent and received, the newest first.

    A call and its answer share a page.
    """
    messages, following = await view_stations.list_messages(
        services.db, asking, station_id, decode_cursor(cursor, datetime, str), limit
    )
    page = _RawMessages(messages, None if following is None else encode_cursor(*following))
    # Straight to JSON: payloads may be deep and large, and nothing of them is ours to check.
    return Response(msgspec.json.encode(page), media_type="application/json")


@router.post("/stations/{station_id}/call/{action}", response_model=CallResult)
async def call_station(
    request: Request,
    asking: Asking,
    services: Services,
    station_id: StationId,
    action: Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$", examples=["TriggerMessage"])],
    payload: Annotated[
        dict[str, Any], Body(description="The OCPP payload.", examples=[{"requestedMessage": "Heartbeat"}])
    ],
    timeout_s: Annotated[float, Query(gt=0, le=300, description="How long to wait for the answer.")] = 30,
) -> Response:
    """Send an OCPP call and wait for the station's answer."""
    del payload  # declared for its check and its documentation; the station gets the bytes that were sent
    answer = await calling.call_station(
        services.db, services.caller, asking, station_id, action, await request.body(), timeout_s
    )
    if answer.payload is None:
        found: dict[str, Any] = {
            "outcome": "error",
            "code": answer.error_code,
            "description": answer.error_description,
        }
    else:
        found = {"outcome": "result", "payload": msgspec.Raw(answer.payload)}
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.post("/stations/{station_id}/secret/renew", status_code=204)
async def renew_station_secret(asking: Asking, services: Services, station_id: StationId) -> None:
    """Give a connected station a new password that nobody sees; the old one is good until the new one was used."""
    await renewing.renew_secret(services.db, services.caller, asking, station_id)


@router.get("/stations/{station_id}/security-events")
async def list_security_events(
    asking: Asking, services: Services, station_id: StationId, limit: Limit = 100, cursor: Cursor = None
) -> Page[SecurityEvent]:
    """List a station's security events, the newest first."""
    rows = await view_stations.list_security_events(
        services.db, asking, station_id, decode_cursor(cursor, datetime), limit + 1
    )
    return make_page(rows, limit, SecurityEvent.model_validate, lambda row: (row.received_at,))


@router.get("/stations/{station_id}/reports")
async def list_reports(
    asking: Asking,
    services: Services,
    station_id: StationId,
    kind: Annotated[str | None, Query(description="One OCPP action only, such as NotifyEvent.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Report]:
    """List a station's reports (NotifyReport, NotifyEvent, ReportChargingProfiles, ...), the newest first."""
    rows = await view_stations.list_reports(
        services.db, asking, station_id, kind, decode_cursor(cursor, datetime), limit + 1
    )
    return make_page(rows, limit, Report.model_validate, lambda row: (row.received_at,))
