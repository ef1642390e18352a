"""Commands that read and write what stations are set to, in the same words for every OCPP version.

They are like the others: see `commands`. A name is a key of OCPP 1.6 (`HeartbeatInterval`) or a variable of a component
(`OCPPCommCtrlr/HeartbeatInterval`); where both mean the same, either does for every station.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pilotwire.domain.configuration.model import is_secret
from pilotwire.domain.operations.given import Given

__all__ = ["NewValue", "ReadSettings", "RepairSettings", "WriteSettings", "refuse_secret"]

Name = Annotated[
    str, Meta(min_length=1, max_length=300, description="A key, or Component#evse.connector/Variable.")
]
WhenReset = Literal["never", "on_idle"]


def refuse_secret(name: str) -> None:
    """Refuse a name that is a secret's. Raises: ValueError."""
    if is_secret(name):
        raise ValueError(
            f"'{name}' is a secret, and commands are kept: set it by POST /stations/ID/call/ACTION, which keeps none"
        )


class ReadSettings(Given, frozen=True, kw_only=True, tag="read_settings"):
    """Read the settings named, or without `names` everything a station knows of itself. Spec: 1.6 5.8; 2.0.1 B06, B07."""

    REPEATABLE = True
    FOLLOW_S = 900
    names: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()

    @property
    def follow_s(self) -> int:
        """How long the report is waited for; settings by name are in the answer."""
        return 0 if self.names else self.FOLLOW_S


class NewValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting and the value that it is to have."""

    name: Name
    value: Annotated[str, Meta(max_length=2500)]
    attribute: Literal["actual", "target", "min_set", "max_set"] = "actual"

    def __post_init__(self) -> None:
        refuse_secret(self.name)


class WriteSettings(Given, frozen=True, kw_only=True, tag="write_settings"):
    """Write settings, one after the other, and read each back. Spec: 1.6 5.3; 2.0.1 B05.

    With `reset` on_idle a station that needs a reboot for them is reset as soon as no session runs.
    """

    REPEATABLE = True
    settings: Annotated[tuple[NewValue, ...], Meta(min_length=1, max_length=100)]
    reset: WhenReset = "never"


class RepairSettings(Given, frozen=True, kw_only=True, tag="repair_settings"):
    """Write what differs from the configuration templates, as it is when the command is sent."""

    REPEATABLE = True
    reset: WhenReset = "never"
