"""Giving a command to one station or to many."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import Text, say
from pilotwire.db.engine import Database
from pilotwire.domain.access.model import TokenStatus, fold_uid
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.operations import queries
from pilotwire.domain.operations.commands import (
    Command,
    GetLogs,
    Reserve,
    SendLocalList,
    StartCharging,
    StopCharging,
    UpdateFirmware,
)
from pilotwire.domain.operations.compose import compose_order
from pilotwire.domain.operations.errors import NothingToDo, StationNotReady, TaskOver
from pilotwire.domain.operations.events import TaskChanged, TaskQueued
from pilotwire.domain.operations.files import image_of, spell_image, wrong_make
from pilotwire.domain.operations.model import CommandDesk, Order, Readiness, TaskState
from pilotwire.domain.operations.queries import Place
from pilotwire.domain.operations.rollout import Wave, Window, allot_waves, next_opening
from pilotwire.domain.sessions import repository as sessions
from pilotwire.domain.stations import queries as stations
from pilotwire.domain.stations.queries import StationFilter
from pilotwire.domain.transfers.addresses import FileAddresses
from pilotwire.domain.transfers.errors import FirmwareIncomplete
from pilotwire.domain.transfers.model import FirmwareImage
from pilotwire.domain.transfers.queries import share_image

__all__ = [
    "Means",
    "Plan",
    "give_command",
    "give_commands",
    "read_command",
    "read_wave",
    "read_window",
    "retry_task",
]

T = TypeVar("T")
WhenOffline = Literal["queue", "refuse"]
_MOST_STATIONS = 100_000


@dataclass(frozen=True, slots=True)
class Means:
    """What commands are given with."""

    db: Database
    bus: LocalBus
    desk: CommandDesk
    clock: Clock


@dataclass(frozen=True, slots=True)
class Plan:
    """How a task goes on. Units: s, percent of all its stations."""

    expires_in_s: int = 86_400
    concurrency: int = 50
    stop_when_failed_percent: float | None = None
    random_delay_s: int = 0
    note: str = ""
    waves: tuple[Wave, ...] = ()
    window: Window | None = None
    only_idle: bool = False
    not_before: datetime | None = None


def read_command(given: Any, *, strict: bool = True) -> Command:
    """Read a command as people give it; without `strict` texts are read as the numbers that are wanted.

    Raises: Invalid with the reason.
    """
    try:
        command: Command = msgspec.convert(given, Command, strict=strict)
    except (msgspec.ValidationError, ValueError) as error:
        text, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`")
        if field == "command" or not isinstance(given, Mapping) or "command" not in given:
            named = given.get("command") if isinstance(given, Mapping) else given
            known = sorted(str(each.__struct_config__.tag) for each in Command.__args__)
            raise Invalid(
                say(
                    "command_unknown",
                    "there is no command {named}; there are {known}",
                    named=format(repr(named), ".80"),
                    known=", ".join(known),
                )
            ) from error
        if field:
            raise Invalid(f"{field}: {text}") from error
        raise Invalid(f"{text}{_fields_of(given['command'])}" if "field `" in text else text) from error
    return command


def _fields_of(name: str) -> str:
    """Say which fields a command has, for who gave one too many or too few."""
    kind = next(each for each in Command.__args__ if each.__struct_config__.tag == name)
    fields = msgspec.structs.fields(kind)
    return f"; {name} takes " + ", ".join(
        f"{each.encode_name} (needed)" if each.required else each.encode_name for each in fields
    )


def read_wave(given: Mapping[str, Any]) -> Wave:
    """Read a wave as people give it. Raises: Invalid."""
    return _read(given, Wave, "waves")


def read_window(given: Mapping[str, Any]) -> Window:
    """Read a maintenance window as people give it. Raises: Invalid."""
    return _read(given, Window, "window")


def _read(given: Mapping[str, Any], kind: type[T], name: str) -> T:
    try:
        return msgspec.convert(given, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise Invalid(f"{name}: {error}") from error


async def give_command(
    means: Means,
    principal: Principal,
    identity: str,
    command: Command,
    plan: Plan,
    when_offline: WhenOffline = "queue",
) -> UUID:
    """Give a command to a station; it is sent at once, or when the station takes commands, until it expires.

    Raises: NotFound, Invalid (nothing is sent), StationNotReady when it may not wait.
    """
    require(principal, Right.CALL_STATIONS)
    now = means.clock()
    async with means.db.tenant(principal.scope) as connection:
        found = await queries.list_places(connection, [identity])
        if identity not in found:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        place = found[identity]
        station_id, version = place.id, place.ocpp_version
        command = await _resolved(connection, identity, command, now)
        image = await _image(connection, command)
    _check_moment(plan, now)
    if plan.not_before is not None and when_offline == "refuse":
        raise Invalid(
            say(
                "later_must_wait",
                'not_before: a command for later has to wait: leave "when_offline": "refuse" out',
            )
        )
    readiness = means.desk.readiness(station_id)
    if readiness is not Readiness.READY and when_offline == "refuse":
        raise StationNotReady(_not_ready(identity, readiness))
    await _check_tokens(means, principal, command)
    if image is not None and (reason := wrong_make(command, image, place.vendor, place.model)):
        raise Invalid(f"image_id: {reason}")
    if version is not None:
        order = await _order(means, principal, command, station_id)
        means.desk.check(version, _spelt(order, image))
    places = [Place(station_id, plan.not_before)]
    return await _keep(means, principal, command, plan, places, f"station {identity}")


async def give_commands(
    means: Means,
    principal: Principal,
    chosen: Sequence[str] | StationFilter,
    command: Command,
    plan: Plan,
    *,
    retry_of: UUID | None = None,
) -> UUID:
    """Give a command to the stations named or found. Stations whose version has no such command are refused singly.

    Raises: NotFound for a name that is no station, NothingToDo when none is found, Invalid.
    """
    require(principal, Right.CALL_STATIONS)
    _check_moment(plan, means.clock())
    if isinstance(command, StopCharging) and command.evse_id is None:
        raise Invalid(
            say(
                "stop_many_by_evse",
                "many stations are stopped by evse_id; a session_id or transaction_id is of one station",
            )
        )
    async with means.db.tenant(principal.scope) as connection:
        identities = chosen if not isinstance(chosen, StationFilter) else await _found(connection, chosen)
        found = await queries.list_places(connection, identities)
        image = await _image(connection, command)
    missing = [identity for identity in identities if identity not in found]
    if missing:
        raise NotFound(
            f"there is no station '{missing[0]}'" + (f" and {len(missing) - 1} more" * (len(missing) > 1))
        )
    if not found:
        raise NothingToDo(say("no_station_fits", "no station fits the filter"))
    await _check_tokens(means, principal, command)
    order = _spelt(await _order(means, principal, command), image)
    by_version = {
        version: _refusal(means.desk, version, order)
        for version in {each.ocpp_version for each in found.values()}
    }
    refusals = {
        identity: by_version[each.ocpp_version]
        or (wrong_make(command, image, each.vendor, each.model) if image is not None else "")
        for identity, each in found.items()
    }
    if all(refusals.values()):
        raise Invalid(next(iter(refusals.values())))
    now = means.clock()
    places = [
        Place(found[identity].id, _not_before(plan, found[identity].time_zone, now), refusals[identity])
        for identity in dict.fromkeys(identities)
    ]
    return await _keep(means, principal, command, plan, places, f"{len(places)} stations", retry_of)


def _not_ready(identity: str, readiness: Readiness) -> Text:
    match readiness:
        case Readiness.OFFLINE:
            return say(
                "not_ready_offline",
                '\'{station}\' is not connected; with "when_offline": "queue" the command waits',
                station=identity,
            )
        case Readiness.NOT_ADMITTED:
            return say(
                "not_ready_not_admitted",
                "'{station}' is not admitted: set its admission to accepted first;"
                ' with "when_offline": "queue" the command waits',
                station=identity,
            )
        case _:
            return say(
                "not_ready_not_booted",
                "'{station}' is connected, but its boot has not been accepted yet;"
                ' with "when_offline": "queue" the command waits',
                station=identity,
            )


def _check_moment(plan: Plan, now: datetime) -> None:
    if plan.not_before is None:
        return
    if plan.not_before.tzinfo is None:
        raise Invalid(
            say("later_needs_zone", "not_before: give the moment with its zone, such as 2030-01-31T22:00:00Z")
        )
    if not now - timedelta(minutes=1) <= plan.not_before <= now + timedelta(days=366):
        raise Invalid(say("later_in_a_year", "not_before: give a moment to come, within a year"))


def _not_before(plan: Plan, time_zone: str, now: datetime) -> datetime | None:
    now = max(now, plan.not_before or now)
    opens = None if plan.window is None else next_opening(plan.window, time_zone, now)
    if not plan.random_delay_s:
        return opens or plan.not_before
    return (opens or now) + timedelta(seconds=random.uniform(0, plan.random_delay_s))  # noqa: S311


async def retry_task(means: Means, principal: Principal, task_id: UUID, plan: Plan) -> UUID:
    """Give a task's command again to the stations where it did not succeed, as a new task.

    Raises: NotFound, TaskOver while it still runs, NothingToDo when all succeeded.
    """
    require(principal, Right.CALL_STATIONS)
    async with means.db.tenant(principal.scope) as connection:
        row = await queries.find_task(connection, task_id)
        if row is None:
            raise NotFound(say("task_unknown", "there is no task {task}", task=task_id))
        if row.finished_at is None:
            raise TaskOver(
                say("task_not_over", "the task is not over yet: cancel it first, or wait for its end")
            )
        identities = await queries.list_unsuccessful(connection, task_id)
    if not identities:
        raise NothingToDo(say("task_all_done", "the task has succeeded at all its stations"))
    command = read_command(row.command)
    if isinstance(command, StopCharging) and command.evse_id is None:
        return await give_command(means, principal, identities[0], command, plan)
    return await give_commands(means, principal, identities, command, plan, retry_of=task_id)


async def _found(connection: AsyncConnection, wanted: StationFilter) -> list[str]:
    identities: list[str] = []
    after = None
    while len(identities) < _MOST_STATIONS:
        rows = await stations.list_stations(connection, wanted, after, 1000)
        identities += [row.identity for row in rows]
        if len(rows) < 1000:
            break
        after = rows[-1].identity
    return identities


async def _image(connection: AsyncConnection, command: Command) -> FirmwareImage | None:
    """Find the firmware that a command installs; until the end of the transaction nobody removes it."""
    image_id = image_of(command)
    if image_id is None:
        return None
    row = await share_image(connection, image_id)
    if row is None:
        raise Invalid(say("firmware_unknown_here", "image_id: there is no firmware {image}", image=image_id))
    if row.uploaded_at is None:
        raise FirmwareIncomplete(
            say("firmware_without_file", "its file has not been uploaded yet: PUT /firmware/ID/content first")
        )
    return FirmwareImage(*(getattr(row, name) for name in FirmwareImage.__struct_fields__))


def _spelt(order: Order, image: FirmwareImage | None) -> Order:
    """Give an order as it will be spelt, with an address that leads nowhere."""
    command = order.command
    if not isinstance(command, UpdateFirmware | GetLogs) or command.location is not None:
        return order
    addresses = FileAddresses()
    location = addresses.log() if image is None else addresses.firmware(image.file_name)
    return spell_image(order, image, location)


def _refusal(desk: CommandDesk, version: str | None, order: Order) -> str | Text:
    if version is None:
        return ""
    try:
        desk.check(version, order)
    except Invalid as error:
        return error.text or error.detail
    return ""


async def _order(
    means: Means, principal: Principal, command: Command, station_id: int | None = None
) -> Order:
    async with means.db.service.acquire() as connection:
        return await compose_order(connection, principal.tenant_id, 1, command, means.clock(), station_id)


async def _check_tokens(means: Means, principal: Principal, command: Command) -> None:
    """Refuse what the system itself would refuse when the station asks for the token."""
    if isinstance(command, Reserve) and command.until <= means.clock():
        raise Invalid(
            say("reservation_past", "until: the reservation would be over already; give a moment to come")
        )
    order = await _order(means, principal, command)
    if isinstance(command, StartCharging | Reserve):
        token = order.tokens[0]
        if token.status is None:
            raise Invalid(
                say(
                    "token_unknown",
                    "token_uid: there is no token '{uid}'; add it by POST /tokens first",
                    uid=token.uid,
                )
            )
        if token.status is not TokenStatus.ACCEPTED:
            raise Invalid(
                say(
                    "token_not_good",
                    "token_uid: the token '{uid}' is {status}; accept it first",
                    uid=token.uid,
                    status=token.status,
                )
            )
    if isinstance(command, SendLocalList) and command.mode == "full":
        wanted = {fold_uid(uid) for uid in command.token_uids or ()}
        if unknown := wanted - {fold_uid(token.uid) for token in order.tokens}:
            raise Invalid(
                f"token_uids: there is no token '{min(unknown)}'; a full list has known tokens only"
            )


async def _resolved(connection: AsyncConnection, identity: str, command: Command, now: datetime) -> Command:
    """Name a session by its transaction, as stations do."""
    del now
    if not isinstance(command, StopCharging) or command.session_id is None:
        return command
    try:
        session_id = UUID(command.session_id)
    except ValueError:
        raise Invalid(say("session_id_wrong", "session_id: not the id of a session")) from None
    row = await sessions.find_session(connection, session_id)
    if row is None or row.identity != identity:
        raise NotFound(
            say(
                "session_not_of_station",
                "'{station}' has no session {session}",
                station=identity,
                session=session_id,
            )
        )
    if row.ended_at is not None:
        raise TaskOver(say("session_ended", "the session has ended already"))
    return StopCharging(transaction_id=row.transaction_ref)


def _in_waves(places: Sequence[Place], plan: Plan) -> tuple[list[Place], list[dict[str, Any]]]:
    """Share the stations that are not refused out to the waves, in their order."""
    if not plan.waves:
        return list(places), []
    shared = allot_waves(sum(not place.refusal for place in places), plan.waves)
    numbers = iter([number for number, (_, size) in enumerate(shared, 1) for _ in range(size)])
    waves = [
        {
            "number": number,
            "total": size,
            "success_percent": wave.success_percent,
            "wait_s": wave.wait_s,
            "opened_at": func.now() if number == 1 else None,
        }
        for number, (wave, size) in enumerate(shared, 1)
    ]
    return [place if place.refusal else replace(place, wave=next(numbers)) for place in places], waves


async def _keep(
    means: Means,
    principal: Principal,
    command: Command,
    plan: Plan,
    places: Sequence[Place],
    what_for: str,
    retry_of: UUID | None = None,
) -> UUID:
    task_id = new_uuid()
    places, waves = _in_waves(places, plan)
    refused = sum(bool(place.refusal) for place in places)
    async with means.db.tenant(principal.scope) as connection:
        await _image(connection, command)
        await queries.insert_task(
            connection,
            {
                "id": task_id,
                "tenant_id": principal.tenant_id,
                "name": command.name,
                "command": msgspec.to_builtins(command),
                "state": TaskState.RUNNING.value,
                "created_by": principal.name,
                "note": plan.note,
                "concurrency": plan.concurrency,
                "stop_when_failed_percent": plan.stop_when_failed_percent,
                "total": len(places),
                "failed": refused,
                "retry_of": retry_of,
                "wave": 1 if waves else 0,
                "maintenance_window": None if plan.window is None else msgspec.to_builtins(plan.window),
                "only_idle": plan.only_idle,
                "expires_in_s": plan.expires_in_s,
                "random_delay_s": plan.random_delay_s,
                "created_at": func.now(),
            },
        )
        if waves:
            of_task = {"task_id": task_id, "tenant_id": principal.tenant_id}
            await queries.insert_waves(connection, [{**of_task, **wave} for wave in waves])
        begin = max(means.clock(), plan.not_before or means.clock())
        expires_at = begin + timedelta(seconds=plan.expires_in_s)
        await queries.insert_commands(connection, principal.tenant_id, task_id, expires_at, places)
        after = {"task_id": str(task_id), "command": command.name, "note": plan.note}
        await keep_audit(connection, principal, "command.given", what_for, after=after)
    means.bus.publish(
        TaskChanged(principal.tenant_id, task_id, command.name, "running", len(places), 0, refused)
    )
    means.bus.publish(TaskQueued(task_id, tuple(place.station_id for place in places if not place.refusal)))
    return task_id
