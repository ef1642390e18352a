"""The clerk: reads and writes a station's settings by as many calls as its version and its make need.

Settings are written one at a time, as some stations lose those that come together, and each is read back: some say
`Accepted` and do nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid
from pilotwire.domain.configuration.compare import same_value, spelt_for
from pilotwire.domain.configuration.keys import KEYS, find_key
from pilotwire.domain.configuration.model import Setting, Written
from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.model import CommandState, Order, Reply
from pilotwire.domain.operations.settings import TAKEN, describe
from pilotwire.domain.stations.ports import CallAnswer, NoAnswer
from pilotwire.ocpp.codec.errors import PayloadError
from pilotwire.ocpp.codec.orders import spell, understand
from pilotwire.ocpp.codec.outbound import NotInVersion
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.quirks import Behaviour
from pilotwire.ocpp.quirks.answers import StatedSetting, listed, read_settings
from pilotwire.ocpp.redaction import redacted

__all__ = ["Clerk", "check_settings"]

Call = Callable[[str, bytes], Awaitable[CallAnswer]]
_KINDS = ("string", "integer", "boolean", "member_list")
_MEASURANDS = frozenset(
    {"MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData"}
)
_KEYS_AT_ONCE = 5


def check_settings(version: OcppVersion, order: Order) -> None:
    """Check that a version has a name for every setting that is to be written.

    Raises: NotInVersion.
    """
    for setting in order.settings:
        if spelt_for(setting, version.value) is None:
            other = (
                "no such key"
                if version is OcppVersion.V16
                else "no variable of that name: give Component/Variable"
            )
            raise NotInVersion(f"'{setting.variable.name}': OCPP {version} has {other}")


class Clerk:
    """Reads and writes the settings of one connected station."""

    def __init__(self, call: Call, version: OcppVersion, behaviour: Behaviour, clock: Clock) -> None:
        self._call = call
        self._version = version
        self._behaviour = behaviour
        self._clock = clock

    # Reading

    async def read(self, order: Order, asking: Callable[[int, bool], None]) -> Reply:
        """Read the settings of an order, or everything; `asking` is told the number of a report before it is asked for.

        Raises: NotConnected, NoAnswer.
        """
        if order.settings:
            return await self._read_named(order)
        if self._version is OcppVersion.V16:
            return await self._read_keys()
        for kind in ("full", "configuration"):
            asking(order.number, kind == "full")
            reply = await self._ask(c.GetBaseReport(kind=kind), order.number)
            if reply.outcome == "empty_result_set":
                return msgspec.structs.replace(reply, final=True)
            if reply.outcome != "not_supported":
                return msgspec.structs.replace(reply, result={**reply.result, "report": kind})
        return reply

    async def _read_named(self, order: Order) -> Reply:
        found: list[dict[str, Any]] = []
        for setting in order.settings:
            spelt = spelt_for(setting, self._version.value) or setting
            value, outcome = await self._read_one(spelt)
            entry: dict[str, Any] = {
                "name": setting.variable.name,
                "key": spelt.key,
                "attribute": setting.attribute,
                "value": value,
            }
            found.append(entry if outcome == "accepted" else entry | {"outcome": outcome})
        bad = [each for each in found if "outcome" in each]
        result = {"settings": found}
        if bad:
            detail = ", ".join(f"{each['name']}: {each['outcome']}" for each in bad)
            return Reply(CommandState.REJECTED, bad[0]["outcome"], detail[:1000], result)
        return Reply(CommandState.DONE, "read", result=result, final=True)

    async def _read_one(self, setting: Setting) -> tuple[str | None, str]:
        if self._version is OcppVersion.V16:
            stated = await self._get_keys([setting.key])
            known = {each.key.casefold(): each for each in stated or ()}.get(setting.key.casefold())
            return (None, "unknown_variable") if known is None else (known.value, "accepted")
        reply = await self._ask(c.GetVariables(variables=(_wire(c.Variable, setting),)))
        answered = reply.result.get("variables") or [{}]
        if reply.state is not CommandState.DONE:
            return None, str(answered[0].get("outcome") or reply.outcome)
        return answered[0].get("value"), "accepted"

    async def _read_keys(self) -> Reply:
        """Read all keys at once; of a station that gives none, or is cut off, the standard ones in small groups."""
        answer = await self._call(*spell(self._version, Order(1, c.GetConfiguration(), self._clock())))
        stated, unknown, whole = self._stated(answer)
        if not whole:
            have = {each.key.casefold() for each in stated}
            missing = [
                key.key for key in KEYS if key.key.casefold() not in have and key.access != "write_only"
            ]
            for start in range(0, len(missing), _KEYS_AT_ONCE):
                more = await self._get_keys(missing[start : start + _KEYS_AT_ONCE])
                if more is None:
                    break
                stated += more
        if not stated:
            if answer.payload is None:
                return understand(self._version, Order(1, c.GetConfiguration(), self._clock()), answer)
            return Reply(CommandState.FAILED, "not_understood", "the station gave no key at all")
        result = {
            "settings": [
                {
                    "name": each.key,
                    "key": each.key,
                    "value": each.value,
                    "mutability": "read_only" if each.read_only else "read_write",
                }
                for each in stated
            ],
            "unknown_keys": list(unknown),
            "whole": whole,
        }
        return Reply(CommandState.DONE, "read" if whole else "incomplete", result=result, final=True)

    async def _get_keys(self, keys: Sequence[str]) -> list[StatedSetting] | None:
        """Ask for some keys; None when the station answers with an error."""
        command = c.GetConfiguration(keys=tuple(keys))
        try:
            request = spell(self._version, Order(1, command, self._clock()))
        except Invalid:
            return []
        answer = await self._call(*request)
        return None if answer.payload is None else self._stated(answer)[0]

    def _stated(self, answer: CallAnswer) -> tuple[list[StatedSetting], tuple[str, ...], bool]:
        if answer.payload is None:
            return [], (), False
        try:
            stated, unknown, whole = read_settings(redacted(answer.payload), self._clock())
        except PayloadError:
            return [], (), False
        return stated, unknown, whole and "truncated_configuration" not in answer.repairs and bool(stated)

    # Writing

    async def write(self, order: Order) -> Reply:
        """Write the settings of an order, one after the other, and read each back.

        Raises: NotConnected, ConnectionLost.
        """
        if not order.settings:
            return Reply(CommandState.DONE, "nothing_to_repair")
        written: list[Written] = []
        silent = False
        for setting in order.settings:
            if silent:
                written.append(Written(setting, "not_tried"))
                continue
            try:
                written.append(await self._write_one(setting))
            except NoAnswer:
                written.append(Written(setting, "no_answer"))
                silent = True
        return _sum_up(written, silent=silent)

    async def _write_one(self, setting: Setting) -> Written:
        spelt = spelt_for(setting, self._version.value)
        if spelt is None:
            return Written(setting, "not_in_version")
        if await self._too_much(spelt):
            return Written(spelt, "held_back")
        try:
            if self._version is OcppVersion.V16:
                reply = await self._ask(c.SetConfiguration(key=spelt.key, value=spelt.value))
            else:
                reply = await self._ask(c.SetVariables(variables=(_wire(c.VariableValue, spelt),)))
        except Invalid:
            return Written(spelt, "not_possible")
        outcome = reply.outcome
        if outcome not in TAKEN:
            variables = reply.result.get("variables") or [{}]
            return Written(spelt, str(variables[0].get("outcome") or outcome))
        if outcome == "reboot_required":
            return Written(spelt, outcome)  # what it gives before its boot says nothing
        actual = await self._read_back(spelt)
        if actual is not None and not _alike(spelt, actual):
            outcome = "not_applied"
        return Written(spelt, outcome, actual)

    async def _read_back(self, setting: Setting) -> str | None:
        try:
            value, _ = await self._read_one(setting)
        except (NoAnswer, Invalid):
            return None
        return value

    async def _too_much(self, setting: Setting) -> bool:
        """Whether a list of measurands has more than one new one, for stations that break of a bad one."""
        known = find_key(setting.key) or next((key for key in KEYS if key.variable == setting.variable), None)
        if not self._behaviour.measurands_one_by_one or known is None or known.key not in _MEASURANDS:
            return False
        value, _ = await self._read_one(setting)
        return len(set(listed(setting.value)) - set(listed(value))) > 1

    async def _ask(self, command: c.Command, number: int = 1) -> Reply:
        order = Order(number, command, self._clock())
        answer = await self._call(*spell(self._version, order))
        if answer.payload is not None:
            answer = msgspec.structs.replace(answer, payload=redacted(answer.payload))
        return understand(self._version, order, answer)


def _wire(kind: type[c.Variable], setting: Setting) -> Any:
    """Make the variable of a command of a setting."""
    place = setting.variable
    fields: dict[str, Any] = {
        "component": place.component,
        "variable": place.variable,
        "component_instance": place.component_instance or None,
        "variable_instance": place.variable_instance or None,
        "evse_id": place.evse_id or None,
        "connector_id": place.connector_id or None,
        "attribute": None if setting.attribute == "actual" else setting.attribute,
    }
    return kind(**fields, value=setting.value) if kind is c.VariableValue else kind(**fields)


def _alike(setting: Setting, actual: str) -> bool:
    known = find_key(setting.key)
    kinds = _KINDS if known is None else (known.data_type, "string")
    return any(same_value(setting.value, actual, kind) for kind in kinds)


def _sum_up(written: Sequence[Written], *, silent: bool) -> Reply:
    result = {"settings": describe(written)}
    bad = [each for each in written if each.outcome not in TAKEN]
    if not bad:
        outcomes = {each.outcome for each in written}
        outcome = "reboot_required" if "reboot_required" in outcomes else "accepted"
        return Reply(CommandState.DONE, outcome, result=result)
    named = ", ".join(f"{each.setting.variable.name}: {each.outcome}" for each in bad)
    detail = f"{len(bad)} of {len(written)} settings were not taken ({named})"
    if any(each.outcome == "held_back" for each in bad):
        detail += "; this make breaks of a measurand that it does not know: add one at a time"
    state = CommandState.TIMED_OUT if silent else CommandState.REJECTED
    first = next((each.outcome for each in bad if each.outcome == "no_answer"), bad[0].outcome)
    return Reply(state, first, detail[:1000], result)
