"""Commands to stations and the tasks that carry them out: `/commands`, `/tasks`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import Field, ValidationError

from pilotwire.core.errors import Invalid, Unavailable
from pilotwire.domain.access.usecases.manage_tokens import shorten_uid
from pilotwire.domain.identity.model import Principal, Right
from pilotwire.domain.operations.commands import Command
from pilotwire.domain.operations.model import SAID
from pilotwire.domain.operations.usecases import give_commands as giving
from pilotwire.domain.operations.usecases import manage_tasks
from pilotwire.domain.stations.queries import StationFilter
from pilotwire.web.api.fields import Given, Line, Reason, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page
from pilotwire.web.services import WebServices

__all__ = [
    "CommandName",
    "CommandResult",
    "StationId",
    "TaskGiven",
    "command_after",
    "command_schemas",
    "means_of",
    "router",
    "show_result",
    "shown_parameters",
]

router = APIRouter(prefix="/api/v1", tags=["tasks"])

TaskId = Annotated[UUID, Path(description="The id of a task.")]
StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]
State = Literal["running", "paused", "cancelled", "done"]
CommandState = Literal[
    "queued", "sent", "accepted", "done", "rejected", "failed", "timed_out", "expired", "cancelled", "unknown"
]
CommandName = Annotated[
    str, Query(max_length=40, description="Only of this command.", examples=["update_firmware"])
]
_EXPIRES = Field(86_400, ge=1, le=90 * 86_400, description="How long it may wait for the station.")
_NOT_BEFORE = Field(
    None, description="Send at this moment at the earliest; it then waits for `expires_in_s` from there on."
)
_TOKENS = frozenset({"token_uid", "token_uids", "customer_identifier"})
_REF = "#/components/schemas/{name}"


class TaskGiven(Shown):
    """A task was made; look at it by its id."""

    task_id: UUID


class Choice(Given):
    """Which stations, as in `GET /stations`."""

    connected: bool | None = None
    status: str | None = Field(None, max_length=40)
    admission: Literal["accepted", "pending", "rejected"] | None = None
    site_id: UUID | None = None
    tag: Line | None = None
    group_id: UUID | None = None
    q: Line | None = None


class WaveGiven(Given):
    """A part of the stations, and when it is good enough for the next part; with neither percent nor count the rest."""

    percent: float | None = Field(None, gt=0, le=100)
    count: int | None = Field(None, ge=1, le=1_000_000)
    success_percent: float = Field(95, gt=0, le=100)
    wait_s: int = Field(0, ge=0, le=90 * 86_400, description="How long the next wave waits after that.")


class WindowGiven(Given):
    """A time of the day, by the clock of each station's site or of `time_zone`."""

    start: str = Field(alias="from", examples=["22:00"])
    end: str = Field(alias="to", examples=["05:00"])
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = None
    time_zone: str | None = Field(None, max_length=60)


class Wave(Shown):
    """A wave of a task. `opened_at` says since when it runs, `passed_at` since when it is good enough."""

    number: int
    total: int
    succeeded: int
    failed: int
    success_percent: float
    wait_s: int
    opened_at: datetime | None
    passed_at: datetime | None


class Terms(Given):
    """When a command to one station is given up, and whether it may wait."""

    expires_in_s: int = _EXPIRES
    not_before: datetime | None = _NOT_BEFORE
    when_offline: Literal["queue", "refuse"] = "queue"
    note: Line = ""


class ManyTerms(Given):
    """To which stations a command goes, and how the task goes on."""

    stations: list[Annotated[str, Field(max_length=200)]] | None = Field(
        None, min_length=1, max_length=100_000
    )
    filter: Choice | None = None
    expires_in_s: int = _EXPIRES
    not_before: datetime | None = _NOT_BEFORE
    concurrency: int = Field(50, ge=1, le=10_000, description="At most so many stations at once.")
    stop_when_failed_percent: float | None = Field(
        None, gt=0, le=100, description="Pause when so many percent of all stations have failed."
    )
    random_delay_s: int = Field(0, ge=0, le=86_400, description="Stations start within so many seconds.")
    waves: list[WaveGiven] | None = Field(
        None, min_length=1, max_length=50, description="Go over the stations in waves, in their order."
    )
    window: WindowGiven | None = Field(None, description="Send at these times only.")
    only_idle: bool = Field(False, description="Wait for the end of a session that runs.")
    note: Line = ""


class Task(Shown):
    """A task. `finished_at` is set when nothing of it is open."""

    id: UUID
    command: str = Field(examples=["reset"])
    parameters: dict[str, Any]
    state: State
    created_by: str
    note: str
    concurrency: int
    stop_when_failed_percent: float | None
    total: int
    succeeded: int
    failed: int
    cancelled: int
    wave: int | None = Field(description="The wave that was opened last; null without waves.")
    next_wave_at: datetime | None
    window: dict[str, Any] | None
    only_idle: bool
    pause_reason: str
    retry_of: UUID | None
    created_at: datetime
    finished_at: datetime | None


class ListedTask(Task):
    """A task in a list."""

    station_id: str | None = Field(description="The station, when it is of one only.")


class CommandResult(Shown):
    """What became of a command at one station."""

    number: int
    station_id: str
    state: CommandState
    outcome: str = Field(examples=["accepted"])
    detail: str
    reason: Reason | None = Field(description="The detail by its code, to say it in another language.")
    result: dict[str, Any]
    attempts: int
    wave: int | None
    epoch: int = Field(description="The connection of the station that answered.")
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None


class TaskWithResults(Task):
    """A task with a page of what became of it at each station."""

    waves: list[Wave]
    results: Page[CommandResult]


def command_schemas() -> dict[str, Any]:
    """Give the JSON schemas of all commands, for the description of the API."""
    (_,), schemas = msgspec.json.schema_components([Command], ref_template=_REF)
    return schemas | {each.__name__: each.model_json_schema() for each in (Choice, WaveGiven, WindowGiven)}


def _body_schema(terms: type[Given]) -> dict[str, Any]:
    (commands,), _ = msgspec.json.schema_components([Command], ref_template=_REF)
    names = ", ".join(sorted(str(each.__struct_config__.tag) for each in Command.__args__))
    fields = terms.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
    shape = {
        "type": "object",
        "required": ["command"],
        "description": f"One of: {names}. The parameters of each are in the schema of the same name.",
        "properties": {"command": {"type": "string", "enum": names.split(", ")}, **fields},
        "x-commands": commands,
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape}}}}


def _take(body: dict[str, Any], terms: type[Any]) -> tuple[Any, Command]:
    """Part a body into its terms and its command."""
    fields = terms.model_fields
    own = {key: value for key, value in body.items() if key in fields}
    rest = {key: value for key, value in body.items() if key not in fields}
    try:
        read = terms.model_validate(own)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return read, giving.read_command(rest)


def means_of(services: WebServices) -> giving.Means:
    if services.desk is None:
        raise Unavailable("this process has no stations' edge: commands are not taken here")
    return giving.Means(services.db, services.bus, services.desk, services.clock)


Raw = Annotated[dict[str, Any], Body()]


@router.post(
    "/stations/{station_id}/commands", status_code=202, tags=["stations"], openapi_extra=_body_schema(Terms)
)
async def give_command(asking: Asking, services: Services, station_id: StationId, body: Raw) -> TaskGiven:
    """Give a command to a station, connected or not. Nothing is sent that the station's version cannot take."""
    means = means_of(services)
    terms, command = _take(body, Terms)
    plan = giving.Plan(expires_in_s=terms.expires_in_s, note=terms.note, not_before=terms.not_before)
    return TaskGiven(
        task_id=await giving.give_command(means, asking, station_id, command, plan, terms.when_offline)
    )


@router.post("/commands", status_code=202, openapi_extra=_body_schema(ManyTerms))
async def give_commands(asking: Asking, services: Services, body: Raw) -> TaskGiven:
    """Give a command to many stations, named by `stations` or found by `filter`."""
    means = means_of(services)
    terms, command = _take(body, ManyTerms)
    if (terms.stations is None) == (terms.filter is None):
        raise Invalid("give exactly one of stations and filter; {} is the filter for all")
    plan = giving.Plan(
        terms.expires_in_s,
        terms.concurrency,
        terms.stop_when_failed_percent,
        terms.random_delay_s,
        terms.note,
        tuple(giving.read_wave(each.model_dump()) for each in terms.waves or ()),
        None
        if terms.window is None
        else giving.read_window(terms.window.model_dump(by_alias=True, exclude_none=True)),
        terms.only_idle,
        terms.not_before,
    )
    chosen = terms.stations
    if terms.filter is not None:
        wanted = terms.filter
        chosen = StationFilter(
            wanted.connected,
            wanted.status,
            wanted.admission,
            wanted.site_id,
            wanted.q or None,
            wanted.tag or None,
            wanted.group_id,
        )
    return TaskGiven(task_id=await giving.give_commands(means, asking, chosen, command, plan))


@router.get("/tasks")
async def list_tasks(
    asking: Asking,
    services: Services,
    state: State | Literal[""] = "",
    command: CommandName = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ListedTask]:
    """List tasks, the newest first."""
    rows = await manage_tasks.list_tasks(
        services.db,
        asking,
        state=state or None,
        name=command or None,
        before=decode_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return make_page(
        rows,
        limit,
        lambda row: ListedTask(**_fields(row, asking), station_id=row.identity),
        lambda row: (row.id,),
    )


@router.get("/tasks/{task_id}")
async def get_task(
    asking: Asking,
    services: Services,
    task_id: TaskId,
    state: Annotated[CommandState | Literal[""], Query(description="Only results in this state.")] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> TaskWithResults:
    """Get a task and what became of it at each station."""
    row = await manage_tasks.get_task(services.db, asking, task_id)
    results = await manage_tasks.list_commands(
        services.db, asking, task_id, state=state or None, after=command_after(cursor), limit=limit + 1
    )
    page = make_page(results, limit, show_result, lambda each: (str(each.id),))
    waves = [
        Wave.model_validate(each) for each in await manage_tasks.list_waves(services.db, asking, task_id)
    ]
    return TaskWithResults(**_fields(row, asking), waves=waves, results=page)


@router.post("/tasks/{task_id}/pause")
async def pause_task(asking: Asking, services: Services, task_id: TaskId) -> Task:
    """Pause a task: nothing more is sent until it is resumed; what is under way ends by itself."""
    return _show(await manage_tasks.pause_task(services.db, services.bus, asking, task_id), asking)


@router.post("/tasks/{task_id}/cancel")
async def cancel_task(asking: Asking, services: Services, task_id: TaskId) -> Task:
    """Cancel what has not been sent; what is under way ends by itself."""
    return _show(await manage_tasks.cancel_task(services.db, services.bus, asking, task_id), asking)


@router.post("/tasks/{task_id}/resume")
async def resume_task(asking: Asking, services: Services, task_id: TaskId) -> Task:
    """Let a paused task go on. The stop rule is off from now on; a wave that could not pass is let pass."""
    return _show(await manage_tasks.resume_task(services.db, services.bus, asking, task_id), asking)


@router.post("/tasks/{task_id}/retry", status_code=202)
async def retry_task(asking: Asking, services: Services, task_id: TaskId) -> TaskGiven:
    """Make a new task of the stations where this one did not succeed."""
    return TaskGiven(task_id=await giving.retry_task(means_of(services), asking, task_id, giving.Plan()))


def command_after(cursor: str | None) -> int:
    """Read a cursor of a list of commands; 0 without one."""
    text = decode_cursor(cursor, str)
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("the cursor is not one of this list: take it from `next` of the page before")
    return int(text)


def _fields(row: Any, asking: Principal) -> dict[str, Any]:
    kept = (
        "id", "state", "created_by", "note", "concurrency", "stop_when_failed_percent", "total", "succeeded", "failed",
        "cancelled", "next_wave_at", "only_idle", "pause_reason", "retry_of", "created_at", "finished_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in kept},
        "command": row.name,
        "parameters": shown_parameters(row.command, asking),
        "wave": row.wave or None,
        "window": row.maintenance_window,
    }


def shown_parameters(command: dict[str, Any], asking: Principal) -> dict[str, Any]:
    """Give the parameters of a command as somebody may see them."""
    parameters = {key: value for key, value in command.items() if key != "command" and value is not None}
    if asking.may(Right.VIEW_TOKENS):
        return parameters
    return {key: _shortened(value) if key in _TOKENS else value for key, value in parameters.items()}


def _shortened(value: Any) -> Any:
    return [shorten_uid(each) for each in value] if isinstance(value, list) else shorten_uid(str(value))


def _show(row: Any, asking: Principal) -> Task:
    return Task(**_fields(row, asking))


def show_result(row: Any) -> CommandResult:
    """Give what became of a command the API's shape."""
    kept = (
        "state", "outcome", "detail", "attempts", "epoch", "created_at", "not_before", "expires_at", "sent_at",
        "answered_at", "finished_at",
    )  # fmt: skip
    values = {name: getattr(row, name) for name in kept}
    result = dict(row.result or {})
    said = result.pop(SAID, None)
    return CommandResult(
        number=row.id,
        station_id=row.identity,
        result=result,
        reason=said if row.detail else None,
        wave=row.wave or None,
        **values,
    )
