"""The words that the link, the wire and the station share: calls, refusals, verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the station, ready to send."""

    action: str
    payload: Payload


class CallFaultError(Exception):
    """The server's call cannot be answered with a result: `code` names why."""

    def __init__(self, code: FaultCode, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


FaultCode = Literal[
    "NotImplemented",
    "NotSupported",
    "FormatViolation",
    "OccurrenceConstraintViolation",
    "PropertyConstraintViolation",
    "TypeConstraintViolation",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "GenericError",
]


class CallRefusedError(Exception):
    """The server answered a call of the station with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


class LinkLostError(Exception):
    """The connection went away, or the answer did not come in time."""


class HandshakeRefusedError(Exception):
    """The server did not let the station in; `status` is the HTTP status, 0 when there was none."""

    def __init__(self, status: int, retry_after_s: float | None, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What the server says to a boot."""

    status: Literal["Accepted", "Pending", "Rejected"]
    interval_s: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server says of a token."""

    status: str
    group: str | None = None
    expires_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """Whether the token may charge."""
        return self.status == "Accepted"


@dataclass(slots=True)
class Outgoing:
    """A message that waits to be sent.

    `build` makes the call at the moment of sending (a 1.6 stop needs the number that the answer to the
    start brought); it gives None when there is nothing to send in this version. A `durable` one survives
    the loss of the connection.
    """

    build: Callable[[], Call | None]
    on_result: Callable[[Payload], None] | None = None
    durable: bool = False
    droppable: bool = False
    about: str | None = None
    """The transaction (2.x) that it tells of."""
    attempts: int = 0
