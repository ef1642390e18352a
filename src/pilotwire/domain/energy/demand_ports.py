"""What demand response asks of whoever speaks to VTNs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

__all__ = ["EventResult", "Used", "Vtn", "VtnDesk", "VtnFailed"]


class VtnFailed(Exception):
    """A VTN gave no useful answer; the message says why."""


class Vtn(msgspec.Struct, frozen=True, kw_only=True):
    """A VTN and how to speak to it. For 2.0b `client_secret` is the VEN's key and certificates in PEM, or empty."""

    id: UUID
    version: str
    url: str
    token_url: str
    client_id: str
    client_secret: str
    scope: str
    program: str
    ven_name: str


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a site bought in a span, and what it usually buys then; None: it was not measured."""

    starts_at: datetime
    ends_at: datetime
    used_wh: float | None
    baseline_wh: float | None


class EventResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an event."""

    event_id: str
    name: str
    program_id: str
    used: Used
    taken_part: bool


class VtnDesk(Protocol):
    """Speaks OpenADR to VTNs."""

    async def events(self, vtn: Vtn) -> list[Mapping[str, Any]]:
        """Give the events that are for us, in the words of OpenADR 3. Raises: VtnFailed."""
        ...

    async def answer(self, vtn: Vtn, takes_part: Mapping[str, bool]) -> None:
        """Say in which events the site takes part, where the VTN wants to know. Raises: VtnFailed."""
        ...

    async def report(self, vtn: Vtn, result: EventResult) -> None:
        """Send what came of an event. Raises: VtnFailed."""
        ...

    def wanted_spans(self, vtn: Vtn, now: datetime) -> Sequence[tuple[datetime, datetime]]:
        """Give the spans of which the VTN wants to know by now what was used."""
        ...

    async def tell_usage(self, vtn: Vtn, used: Sequence[Used]) -> None:
        """Tell what was used in spans that the VTN wanted. Raises: VtnFailed."""
        ...
