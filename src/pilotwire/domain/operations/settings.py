"""From commands about settings to what is asked of a station, and from its answers to what is kept."""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
import msgspec

from pilotwire.core.errors import Invalid
from pilotwire.domain.configuration.compare import refusal_of
from pilotwire.domain.configuration.keys import key_of, variable_of
from pilotwire.domain.configuration.model import Reported, Setting, Source, Variable, Written, read_name
from pilotwire.domain.configuration.repository import list_actual, list_repairs, list_spellings
from pilotwire.domain.operations.commands import (
    Command,
    GetConfiguration,
    GetVariables,
    ReadSettings,
    RepairSettings,
    SetConfiguration,
    SetVariables,
    WriteSettings,
)

__all__ = ["TAKEN", "describe", "outcomes_of", "reports_of", "settings_meant"]

TAKEN = frozenset({"accepted", "reboot_required"})


async def settings_meant(
    connection: asyncpg.Connection, command: Command, station_id: int | None
) -> tuple[Setting, ...]:
    """Give the settings that a command means, spelt as the station spells them, if it is known.

    Raises: Invalid for one that cannot be written there.
    """
    if isinstance(command, RepairSettings):
        if station_id is None:
            return ()
        return tuple(setting for setting, _ in await list_repairs(connection, station_id))
    if isinstance(command, ReadSettings):
        wanted = [Setting(_named(name), "") for name in command.names]
    elif isinstance(command, WriteSettings):
        wanted = [Setting(_named(each.name), each.value, each.attribute) for each in command.settings]
    else:
        return ()
    wanted = [msgspec.structs.replace(each, key=key_of(each.variable) or "") for each in wanted]
    if station_id is None or not wanted:
        return tuple(wanted)
    spelt = await list_spellings(connection, station_id, [each.variable.path for each in wanted])
    settings = [_as_spelt(each, spelt) for each in wanted]
    if isinstance(command, WriteSettings):
        known = await list_actual(
            connection, station_id, [(each.variable.path, each.attribute) for each in settings]
        )
        for each in settings:
            if refusal := refusal_of(each, known.get((each.variable.path, each.attribute))):
                raise Invalid(refusal)
    return tuple(settings)


def _named(name: str) -> Variable:
    variable = read_name(name)
    return variable if variable.component else variable_of(name)


def _as_spelt(setting: Setting, spelt: Mapping[str, tuple[Variable, str]]) -> Setting:
    variable, key = spelt.get(setting.variable.path, (setting.variable, ""))
    return msgspec.structs.replace(setting, variable=variable, key=key or setting.key)


def describe(found: Iterable[Written]) -> list[dict[str, Any]]:
    """Give settings that were written as they stand in the result of their command."""
    return [
        {
            "name": each.setting.variable.name,
            "attribute": each.setting.attribute,
            "key": each.setting.key,
            "value": each.setting.value,
            "outcome": each.outcome,
            "actual": each.actual,
        }
        for each in found
    ]


def reports_of(command: Command, result: Mapping[str, Any]) -> tuple[Source, list[Reported]]:
    """Give what the result of a command says of a station's variables."""
    match command:
        case ReadSettings():
            return Source.REPORT, [
                _read(each) for each in result.get("settings", ()) if "outcome" not in each
            ]
        case WriteSettings() | RepairSettings():
            found = [_written(each) for each in result.get("settings", ())]
            return Source.WRITE, [each for each in found if each is not None]
        case GetConfiguration():
            values = result.get("configuration", {})
            return Source.REPORT, [
                Reported(variable=variable_of(key), key=key, value=value) for key, value in values.items()
            ]
        case SetConfiguration():
            return Source.WRITE, [
                Reported(variable=variable_of(command.key), key=command.key, value=command.value)
            ]
        case GetVariables() | SetVariables():
            source = Source.REPORT if isinstance(command, GetVariables) else Source.WRITE
            return source, _variables(command, result)
        case _:
            return Source.REPORT, []


def _read(each: Mapping[str, Any]) -> Reported:
    key = each.get("key") or ""
    variable = variable_of(key) if key else read_name(each["name"])
    return Reported(
        variable=variable,
        key=key,
        attribute=each.get("attribute") or "actual",
        value=each.get("value"),
        mutability=each.get("mutability") or "",
    )


def _written(each: Mapping[str, Any]) -> Reported | None:
    value = each.get("actual")
    if value is None and each["outcome"] == "accepted":
        value = each["value"]  # it could not be read back
    if value is None:
        return None
    variable = read_name(each["name"])
    return Reported(variable=variable, key=each.get("key") or "", attribute=each["attribute"], value=value)


def _variables(command: GetVariables | SetVariables, result: Mapping[str, Any]) -> list[Reported]:
    """Answers come in the order of what was asked. Spec: 2.0.1 B05.FR.01, B06.FR.01: one result for each."""
    found = []
    answered = result.get("variables", ())
    if len(answered) != len(command.variables):
        return []
    for asked, each in zip(command.variables, answered, strict=True):
        if (
            each.get("outcome") != "accepted"
            or (each.get("variable") or "").casefold() != asked.variable.casefold()
        ):
            continue
        value = each.get("value") if isinstance(command, GetVariables) else getattr(asked, "value", None)
        place = Variable(
            asked.variable,
            asked.component,
            asked.component_instance or "",
            asked.variable_instance or "",
            asked.evse_id or 0,
            asked.connector_id or 0,
        )
        found.append(Reported(variable=place, attribute=asked.attribute or "actual", value=value))
    return found


def outcomes_of(command: Command, result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give what came of each setting that a command wrote: (path, attribute, outcome)."""
    if not isinstance(command, WriteSettings | RepairSettings):
        return []
    return [
        (read_name(each["name"]).path, each["attribute"], each["outcome"])
        for each in result.get("settings", ())
    ]
