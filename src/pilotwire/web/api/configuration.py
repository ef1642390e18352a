"""What stations are set to, and where they differ from their templates."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.configuration.model import Variable
from pilotwire.domain.configuration.queries import VariableFilter
from pilotwire.domain.configuration.usecases import view_configuration as viewing
from pilotwire.domain.operations.commands import ReadSettings, RepairSettings
from pilotwire.domain.operations.usecases import give_commands as giving
from pilotwire.domain.operations.usecases.repair_drift import repair_drift
from pilotwire.web.api.fields import Given, Line, Shown
from pilotwire.web.api.tasks import StationId, TaskGiven, means_of
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["Attribute", "SettingName", "router"]

router = APIRouter(prefix="/api/v1", tags=["configuration"])

Attribute = Literal["actual", "target", "min_set", "max_set"]
_NAME = "A key of OCPP 1.6, or Component[instance]#evse.connector/Variable[instance]."
SettingName = Annotated[
    str, Field(min_length=1, max_length=300, description=_NAME, examples=["HeartbeatInterval"])
]
_EXPIRES = Field(86_400, ge=1, le=90 * 86_400, description="How long it may wait for the station.")
_RESET: Any = Field(
    "never", description="on_idle: a station that needs a reboot is reset when no session runs."
)


class StationVariable(Shown):
    """An attribute of a variable as a station last gave it. `value` is null where it holds a secret."""

    name: str = Field(description=_NAME, examples=["OCPPCommCtrlr/HeartbeatInterval"])
    attribute: Attribute
    key: str | None = Field(description="The key, as a 1.6 station writes it.")
    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str
    variable_instance: str | None
    value: str | None
    secret: bool
    mutability: Literal["read_only", "read_write", "write_only"] | None
    data_type: str | None = Field(examples=["integer"])
    unit: str | None
    min_limit: float | None
    max_limit: float | None
    values: list[str] | None = Field(description="The values that it takes, where it says so.")
    persistent: bool | None
    constant: bool | None
    source: Literal["report", "event", "write"]
    changed_by: str | None
    changed_at: datetime
    reported_at: datetime


class Reading(Shown):
    """How far the reading of a station's variables has come, and what of it does not hold yet."""

    state: Literal["never", "reading", "complete", "incomplete", "failed"]
    detail: str
    pages: int
    asked_at: datetime | None
    read_at: datetime | None
    firmware_version: str
    drifting: int
    compared_at: datetime | None
    reboot_pending: bool
    reset_on_idle: bool


_NEVER = Reading(
    state="never", detail="", pages=0, asked_at=None, read_at=None, firmware_version="", drifting=0, compared_at=None,
    reboot_pending=False, reset_on_idle=False,
)  # fmt: skip


class StationVariables(Page[StationVariable]):
    """A page of a station's variables, with how far their reading has come."""

    reading: Reading


class PastValue(Shown):
    """A value that a variable had from `at` on."""

    name: str
    attribute: Attribute
    value: str | None
    source: Literal["report", "event", "write"]
    changed_by: str | None
    at: datetime


class NewValue(Given):
    """A setting and the value that it is to have."""

    name: SettingName
    value: Annotated[str, Field(max_length=2500)]
    attribute: Attribute = "actual"


class NewValues(Given):
    """Settings to be written, one after the other."""

    settings: list[NewValue] = Field(min_length=1, max_length=100)
    reset: Literal["never", "on_idle"] = _RESET
    when_offline: Literal["queue", "refuse"] = "queue"
    expires_in_s: int = _EXPIRES
    note: Line = ""


class ToRead(Given):
    """Which settings to read; without `names` all."""

    names: list[SettingName] = Field(default_factory=list, max_length=100)
    when_offline: Literal["queue", "refuse"] = "queue"
    expires_in_s: int = _EXPIRES


class DriftingStation(Shown):
    """A station that differs from its templates, and in how many settings."""

    station_id: str
    vendor: str
    model: str
    firmware_version: str
    site_id: UUID | None
    drifting: int
    read_at: datetime | None
    compared_at: datetime | None
    reboot_pending: bool


class DriftingSetting(Shown):
    """A setting that a station does not have as its template gives it."""

    name: str
    attribute: Attribute
    key: str | None
    state: Literal["different", "missing", "read_only"]
    wanted: str
    actual: str | None
    outcome: str | None = Field(
        description="What came of the last attempt to write it.", examples=["rejected"]
    )
    template_id: UUID
    since: datetime


class Drift(Shown):
    """All settings of a station that differ from its templates."""

    items: list[DriftingSetting]
    next: None = None


class ToRepair(Given):
    """Which stations to repair: those named, else all that drift (of a site)."""

    stations: list[Annotated[str, Field(max_length=200)]] | None = Field(
        None, min_length=1, max_length=100_000
    )
    site_id: UUID | None = None
    reset: Literal["never", "on_idle"] = _RESET
    expires_in_s: int = _EXPIRES
    concurrency: int = Field(50, ge=1, le=10_000, description="At most so many stations at once.")
    stop_when_failed_percent: float | None = Field(
        None, gt=0, le=100, description="Pause when so many percent of all stations have failed."
    )
    note: Line = ""


Search = Annotated[Line | None, Query(description="A part of a name, a key or a value.")]


def _wanted(
    q: Search = None,
    component: Annotated[Line | None, Query(description="Only of components of this name.")] = None,
    evse_id: Annotated[int | None, Query(ge=0, lt=2**31, description="Only of this EVSE.")] = None,
    writable: Annotated[
        bool | None, Query(description="Only what may be written, or only what may not.")
    ] = None,
) -> VariableFilter:
    return VariableFilter(q or None, component or None, evse_id, writable)


@router.get("/stations/{station_id}/variables", tags=["stations"])
async def list_variables(
    asking: Asking,
    services: Services,
    station_id: StationId,
    wanted: Annotated[VariableFilter, Depends(_wanted)],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> StationVariables:
    """List what a station is set to and knows of itself, as it last said."""
    rows, model = await viewing.list_variables(
        services.db,
        asking,
        station_id,
        wanted,
        after=decode_cursor(cursor, str, str),
        limit=limit + 1,
    )
    page = make_page(rows, limit, _show_variable, lambda row: (row.path, row.attribute))
    reading = _NEVER if model is None else Reading.model_validate(model)
    return StationVariables(items=page.items, next=page.next, reading=reading)


@router.get("/stations/{station_id}/variables/history", tags=["stations"])
async def list_variable_history(
    asking: Asking,
    services: Services,
    station_id: StationId,
    name: Annotated[SettingName | None, Query(description="Only of this setting.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[PastValue]:
    """List the values that a station's variables have had, the newest first: from what, and by whom."""
    rows = await viewing.list_history(
        services.db,
        asking,
        station_id,
        name,
        before=decode_cursor(cursor, datetime, str, str),
        limit=limit + 1,
    )
    return make_page(rows, limit, _show_past, lambda row: (row.received_at, row.path, row.attribute))


@router.patch("/stations/{station_id}/variables", status_code=202, tags=["stations"])
async def write_variables(
    asking: Asking, services: Services, station_id: StationId, body: NewValues
) -> TaskGiven:
    """Write settings, one after the other, each read back; the task tells what became of each."""
    command = giving.read_command(
        {
            "command": "write_settings",
            "settings": [setting.model_dump() for setting in body.settings],
            "reset": body.reset,
        }
    )
    plan = giving.Plan(expires_in_s=body.expires_in_s, note=body.note)
    means = means_of(services)
    return TaskGiven(
        task_id=await giving.give_command(means, asking, station_id, command, plan, body.when_offline)
    )


@router.post("/stations/{station_id}/variables/read", status_code=202, tags=["stations"])
async def read_variables(
    asking: Asking, services: Services, station_id: StationId, body: ToRead
) -> TaskGiven:
    """Have a station say what it is set to: everything, or the settings named."""
    command = ReadSettings(names=tuple(body.names))
    plan = giving.Plan(expires_in_s=body.expires_in_s)
    means = means_of(services)
    return TaskGiven(
        task_id=await giving.give_command(means, asking, station_id, command, plan, body.when_offline)
    )


@router.get("/stations/{station_id}/drift", tags=["stations"])
async def get_drift(asking: Asking, services: Services, station_id: StationId) -> Drift:
    """List where a station differs from its templates."""
    return Drift(
        items=[_show_drift(row) for row in await viewing.list_drift(services.db, asking, station_id)]
    )


@router.get("/drift")
async def list_drift(
    asking: Asking,
    services: Services,
    site_id: Annotated[UUID | None, Query(description="Only of this site.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DriftingStation]:
    """List the stations that differ from their templates, by identity."""
    rows = await viewing.list_drifting(
        services.db, asking, site_id=site_id, after=decode_cursor(cursor, str), limit=limit + 1
    )
    return make_page(rows, limit, _show_drifting, lambda row: (row.identity,))


@router.post("/drift/repair", status_code=202)
async def repair(asking: Asking, services: Services, body: ToRepair) -> TaskGiven:
    """Write what differs from the templates: one task, with a result for each station."""
    if body.stations is not None and body.site_id is not None:
        raise Invalid(say("stations_or_site", "give stations or a site_id, not both"))
    plan = giving.Plan(body.expires_in_s, body.concurrency, body.stop_when_failed_percent, note=body.note)
    task_id = await repair_drift(
        means_of(services),
        asking,
        RepairSettings(reset=body.reset),
        plan,
        stations=body.stations,
        site_id=body.site_id,
    )
    return TaskGiven(task_id=task_id)


def _show_variable(row: Any) -> StationVariable:
    kept = (
        "attribute", "value", "secret", "min_limit", "max_limit", "persistent", "constant", "source", "changed_at",
        "reported_at", "variable",
    )  # fmt: skip
    blank = (
        "key", "component", "component_instance", "variable_instance", "mutability", "data_type", "unit", "changed_by"
    )  # fmt: skip
    values: dict[str, Any] = {name: getattr(row, name) for name in kept}
    values |= {name: getattr(row, name) or None for name in blank}
    return StationVariable(
        name=Variable(
            row.variable,
            row.component,
            row.component_instance,
            row.variable_instance,
            row.evse_no,
            row.connector_no,
        ).name,
        evse_id=row.evse_no or None,
        connector_id=row.connector_no or None,
        values=None if row.values_list is None else [each.strip() for each in row.values_list.split(",")],
        **values,
    )


def _show_past(row: Any) -> PastValue:
    return PastValue(
        name=row.name,
        attribute=row.attribute,
        value=row.value,
        source=row.source,
        changed_by=row.changed_by or None,
        at=row.received_at,
    )


def _show_drifting(row: Any) -> DriftingStation:
    kept = (
        "vendor", "model", "firmware_version", "site_id", "drifting", "read_at", "compared_at", "reboot_pending"
    )  # fmt: skip
    return DriftingStation(station_id=row.identity, **{name: getattr(row, name) for name in kept})


def _show_drift(row: Any) -> DriftingSetting:
    return DriftingSetting(
        name=row.name,
        attribute=row.attribute,
        key=row.key or None,
        state=row.state,
        wanted=row.wanted,
        actual=row.actual,
        outcome=row.outcome or None,
        template_id=row.template_id,
        since=row.since,
    )
