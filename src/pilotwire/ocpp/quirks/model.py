"""What a quirk is, and how a station that has some is treated."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

__all__ = ["NO_QUIRKS", "Behaviour", "Quirk", "Section"]


class Behaviour(msgspec.Struct, frozen=True):
    """How we treat a station; the defaults are for one that follows the specification. Units: s."""

    answers_ping: bool = True
    """False: it never answers a WebSocket ping, so that silence must not be taken for death."""
    boot_trigger: bool = True
    """False: being asked for a BootNotification makes it reboot."""
    reply_delay_s: Mapping[str, float] = {}
    """By action: it hangs up when the answer comes too soon."""
    token_suffix: str = ""
    """A pattern of what it appends to the uid of a token."""
    answers_with_other_id: bool = False
    """Its answers carry another message id than our call."""
    measurands_one_by_one: bool = False
    """It breaks of a measurand that it does not know: a list is given at most one new one at a time."""
    charging_units: tuple[Literal["a", "w"], ...] = ("a", "w")
    """The units in which it takes charging profiles, best first."""
    charging_purposes: tuple[Literal["session", "default", "station"], ...] = (
        "session",
        "default",
        "station",
    )
    """The purposes of profiles that it obeys, best first."""
    charging_stack_level: int = 10
    """The highest stack level that it takes."""
    charging_relative: bool = False
    """It takes profiles that count from the start of the session only."""
    charging_periods: int = 24
    """How many periods of a schedule it takes."""
    charging_steps_a: tuple[float, ...] = ()
    """The only currents that it can be set to besides 0."""
    charging_never_zero: bool = False
    """A limit below 6 A makes it end the transaction: it gets its least current in place of a pause."""
    names: tuple[str, ...] = ()
    """The quirks that led to this."""


NO_QUIRKS = Behaviour()


class Section(StrEnum):
    """What a quirk is about; the order is that of the documentation."""

    HANDSHAKE = "Handshake and transport"
    BOOT = "Boot and configuration"
    MESSAGES = "Messages"
    TRANSACTIONS = "Transactions"
    METERING = "Meter values"
    CHARGING = "Smart charging"


class Quirk(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which some stations differ.

    `vendor`, `model` and `firmware` are regular expressions over the whole value, letter case ignored; an empty one fits
    all. `changes` are fields of `Behaviour`. `always` marks those that apply to every station because they can do no
    harm; they are named here so that people can look them up, and done in the module that `where` names.
    """

    name: str
    section: Section
    summary: str
    """What stations do, and what is done about it."""
    reported: str = ""
    """Where it was reported: threads of public issue trackers."""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    changes: Mapping[str, object] = {}
    always: bool = False
    where: str = ""
    deviation: str = ""
    """The code under which the repair is counted, where it is a repair."""

    @property
    def applies(self) -> str:
        """Say in words to which stations it applies by itself."""
        if self.always:
            return "every station"
        makes = [each for each in (self.vendor, self.model, self.firmware) if each]
        return " / ".join(makes) if makes else "switched on by the operator"
