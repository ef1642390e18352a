"""Reading what stations answer to our calls, and giving them what they can take."""

import secrets
from collections.abc import Mapping
from datetime import datetime

import msgspec

from pilotwire.ocpp.codec.lenient import decode_response_leniently
from pilotwire.ocpp.codec.v16.wire.core import GetConfigurationResponse
from pilotwire.ocpp.codec.version import OcppVersion

__all__ = [
    "Configuration",
    "StatedSetting",
    "listed",
    "new_remote_tag",
    "read_configuration",
    "read_settings",
]


class Configuration(msgspec.Struct, frozen=True):
    """What a 1.6 station says of its settings; names are found in any letter case."""

    values: Mapping[str, str | None]
    unknown: tuple[str, ...]
    deviations: tuple[str, ...]

    def find(self, name: str) -> str | None:
        """Give the value of a setting, None where the station did not give it."""
        return self.values.get(name.strip().casefold())


class StatedSetting(msgspec.Struct, frozen=True):
    """A setting as a 1.6 station gave it, with its name as the station writes it."""

    key: str
    value: str | None
    read_only: bool


def read_settings(payload: bytes, received_at: datetime) -> tuple[list[StatedSetting], tuple[str, ...], bool]:
    """Read the answer to GetConfiguration: the settings, the keys that are unknown, and whether it came whole.

    Raises: PayloadError when nothing can be made of it.
    """
    answer, deviations = decode_response_leniently(OcppVersion.V16, "GetConfiguration", payload, received_at)
    assert isinstance(answer, GetConfigurationResponse)  # noqa: S101 - the type of that answer
    settings = [
        StatedSetting(
            each.key.strip(),
            None if each.value is msgspec.UNSET else each.value.strip(),
            each.readonly is True,
        )
        for each in answer.configurationKey or ()
    ]
    whole = all(found.code != "truncated_configuration" for found in deviations)
    return settings, tuple(answer.unknownKey or ()), whole


def read_configuration(payload: bytes, received_at: datetime) -> Configuration:
    """Read the answer to GetConfiguration: also cut off, without its lists, in another letter case.

    Raises: PayloadError when nothing can be made of it.
    """
    answer, deviations = decode_response_leniently(OcppVersion.V16, "GetConfiguration", payload, received_at)
    assert isinstance(answer, GetConfigurationResponse)  # noqa: S101 - the type of that answer
    values: dict[str, str | None] = {}
    for each in answer.configurationKey or ():
        values[each.key.strip().casefold()] = None if each.value is msgspec.UNSET else each.value.strip()
    return Configuration(values, tuple(answer.unknownKey or ()), tuple(found.code for found in deviations))


def listed(value: str | None) -> tuple[str, ...]:
    """Give the items of a comma-separated setting, without the blanks that some stations put between them."""
    return tuple(item for part in (value or "").split(",") if (item := part.strip()))


def new_remote_tag() -> str:
    """Give a token for a remote start: 16 characters, as some stations add to those that have 20."""
    return secrets.token_hex(8).upper()
