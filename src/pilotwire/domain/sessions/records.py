"""What is kept of sessions: one Struct per effect on a table; the repository's sinks write them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.domain.sessions.messages import Phase, Sample
from pilotwire.domain.sessions.model import SessionFacts

__all__ = ["SampleKept", "SessionEventKept", "SessionKept"]


class SessionKept(msgspec.Struct, frozen=True, gc=False):
    """The facts of a session after an event; `change` says what the event was.

    `more` says that an update brought more than the meter's progress: a token, a connector, that it was offline.
    """

    tenant_id: int
    station_id: int
    identity: str
    change: Phase
    new: bool
    received_at: datetime
    facts: SessionFacts
    state: str
    review: tuple[str, ...]
    more: bool = False


class SessionEventKept(msgspec.Struct, frozen=True, gc=False):
    """One event of a session, never changed afterwards."""

    session_id: UUID
    tenant_id: int
    kind: str
    seq_no: int
    at: datetime
    received_at: datetime
    trigger: str | None
    charging_state: str | None
    offline: bool
    detail: dict[str, Any] | None = None


class SampleKept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One meter sample; the fields, and those of the sample, are in the order in which the sink copies them."""

    tenant_id: int
    station_id: int
    evse_no: int | None
    connector_no: int | None
    session_id: UUID | None
    received_at: datetime
    sample: Sample
