"""Tasks, the commands in them, and what became of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from pilotwire.core.texts import Text
from pilotwire.domain.access.model import TokenKind, TokenStatus
from pilotwire.domain.configuration.model import Setting
from pilotwire.domain.operations.commands import Command

__all__ = [
    "FINAL",
    "SAID",
    "CommandDesk",
    "CommandState",
    "KnownToken",
    "Order",
    "Readiness",
    "Reply",
    "TaskState",
]


SAID = "said"
"""Where the result of a command keeps the code of its detail, so that it can be said in the reader's language."""


class TaskState(StrEnum):
    """Where a task stands. `paused` is what the stop rule leaves, to be resumed or cancelled."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class CommandState(StrEnum):
    """Where the command to one station stands.

    `accepted`: the station has agreed, and its later messages will tell the end. `unknown`: it was sent, nobody
    knows whether it arrived, and it is not harmless to send it again.
    """

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


FINAL = frozenset(CommandState) - {CommandState.QUEUED, CommandState.SENT, CommandState.ACCEPTED}


class Readiness(StrEnum):
    """Whether a command can go out to a station now."""

    READY = "ready"
    OFFLINE = "offline"
    NOT_ADMITTED = "not_admitted"
    NOT_BOOTED = "not_booted"


class KnownToken(msgspec.Struct, frozen=True):
    """A token that a command names, or `status` None for one that is not known here."""

    uid: str
    kind: TokenKind = TokenKind.RFID
    status: TokenStatus | None = None
    group_id: str | None = None
    valid_until: datetime | None = None


class Order(msgspec.Struct, frozen=True):
    """A command with all that its wording needs: its number, the moment, the tokens, transaction, settings it means."""

    number: int
    command: Command
    now: datetime
    tokens: tuple[KnownToken, ...] = ()
    transaction_ref: str | None = None
    about: dict[str, Any] = {}
    """What is kept of it beside its answer."""
    settings: tuple[Setting, ...] = ()


class Reply(msgspec.Struct, frozen=True):
    """What a station said to a command: a word for the outcome, and its details."""

    state: CommandState
    """DONE for what was taken, REJECTED or FAILED."""
    outcome: str
    detail: str | Text = ""
    result: dict[str, Any] = {}
    epoch: int = 0
    final: bool = False
    """Nothing follows, also where later messages usually tell the end."""


class CommandDesk(Protocol):
    """Speaks commands to stations; the stations' edge is one."""

    def readiness(self, station_id: int) -> Readiness:
        """Tell whether a command can go out now."""
        ...

    def check(self, ocpp_version: str, order: Order) -> None:
        """Check that a version has a way to say the command.

        Raises: Invalid with an explanation.
        """
        ...

    async def send(self, station_id: int, order: Order) -> Reply:
        """Send a command and wait for the answer.

        Raises: ConnectionLost when it may have arrived, NotConnected and Invalid when nothing was sent, NoAnswer.
        """
        ...
