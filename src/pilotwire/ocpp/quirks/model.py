"""What a quirk is, and how a station that has some is treated."""

from collections.abc import Mapping

import msgspec

__all__ = ["NO_QUIRKS", "Behaviour", "Quirk"]


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
    names: tuple[str, ...] = ()
    """The quirks that led to this."""


NO_QUIRKS = Behaviour()


class Quirk(msgspec.Struct, frozen=True):
    """One way in which some stations differ.

    `vendor`, `model` and `firmware` are regular expressions over the whole value, letter case ignored; an empty one fits
    all. `changes` are fields of `Behaviour`. `always` marks those that apply to every station because they can do no
    harm; they are named here so that people can look them up, and done where `where` says.
    """

    name: str
    summary: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    changes: Mapping[str, object] = {}
    always: bool = False
    where: str = ""
    deviation: str = ""
    """The code under which the repair is counted, where it is a repair."""
