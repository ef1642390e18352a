"""Commands to payloads of every version that the official schemas accept, and answers to outcomes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.operations.commands import Trigger
from pilotwire.domain.operations.model import CommandState, Order, Reply
from pilotwire.domain.stations.ports import CallAnswer
from pilotwire.ocpp.codec.errors import PayloadError, UnknownAction
from pilotwire.ocpp.codec.outbound import NotInVersion
from pilotwire.ocpp.codec.v2 import outbound as v2
from pilotwire.ocpp.codec.v16 import outbound as v16
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import decode_request, encode, format_time

__all__ = ["one_by_one", "spell", "understand"]

_NOT_SUPPORTED = frozenset({"NotSupported", "NotImplemented"})


def spell(version: OcppVersion, order: Order) -> tuple[str, bytes]:
    """Give the action and the payload of a command.

    Raises: NotInVersion; Invalid where a value does not fit the version.
    """
    if version is OcppVersion.V16:
        action, payload = v16.spell(order)
    else:
        action, payload = v2.spell(order, since_21=version is OcppVersion.V21)
    try:
        text = msgspec.json.encode(_with_times(payload))
        request = decode_request(version, action, text)
        if version is OcppVersion.V201:
            return action, text  # its own type is read, and a 2.1 type would be written
        return action, encode(version, action, "request", request)
    except UnknownAction as error:
        raise NotInVersion(str(error)) from error
    except PayloadError as error:
        raise Invalid(f"{order.command.name} does not fit OCPP {version} ({action}): {error}") from error


def one_by_one(version: OcppVersion, order: Order, connectors: Sequence[tuple[int, int]]) -> list[Order]:
    """Ask 2.x stations for the status of each connector that is meant by itself.

    One request is for one connector there (Spec: 2.0.1 F06.FR.12); 1.6 stations tell of all of them at once.
    Raises: NotInVersion, when none of the connectors is known.
    """
    command = order.command
    if (
        version is OcppVersion.V16
        or not isinstance(command, Trigger)
        or command.message != "status_notification"
        or command.connector_id is not None
    ):
        return [order]
    meant = [key for key in connectors if all(key) and command.evse_id in (None, key[0])]
    if not meant:
        raise NotInVersion(
            say(
                "status_of_one_unknown",
                "OCPP 2.x asks for the status of one connector, and the station has told of none:"
                " give evse_id and connector_id",
            )
        )
    places = [
        msgspec.structs.replace(command, evse_id=evse, connector_id=connector) for evse, connector in meant
    ]
    return [msgspec.structs.replace(order, command=place) for place in places]


def understand(version: OcppVersion, order: Order, answer: CallAnswer) -> Reply:
    """Say what a station's answer means; lenient, as answers of real stations are."""
    if answer.payload is None:
        detail = f"{answer.error_code}: {answer.error_description}".strip(": ")[:1000]
        if answer.error_code in _NOT_SUPPORTED:
            return Reply(CommandState.REJECTED, "not_supported", detail)
        return Reply(CommandState.FAILED, "error", detail)
    try:
        content = msgspec.json.decode(answer.payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return Reply(
            CommandState.FAILED, "not_understood", say("answer_no_object", "the answer is not a JSON object")
        )
    read = v16.read_answer if version is OcppVersion.V16 else v2.read_answer
    try:
        return read(order, content)
    except (AttributeError, TypeError, ValueError, KeyError):
        shape = say("answer_shape", "the answer has another shape than its version's")
        return Reply(CommandState.FAILED, "not_understood", shape)


def _with_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_times(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_times(each) for each in value]
    return format_time(value) if hasattr(value, "isoformat") else value
