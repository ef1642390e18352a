"""What others are told of sessions that are watched over."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

__all__ = [
    "CarFull",
    "SessionOverlong",
    "StartMissing",
    "StopMissing",
    "TargetChanged",
    "TargetMissed",
    "TargetReached",
]


class _Noticed(msgspec.Struct, frozen=True):
    """Something about a session, or about a connector that should have one."""

    tenant_id: int
    station_id: int
    identity: str
    session_id: UUID | None
    evse_no: int | None
    at: datetime
    detail: dict[str, Any]


class CarFull(_Noticed, frozen=True):
    """A car takes no more, though it could; with `since`, `evidence`."""


class TargetChanged(_Noticed, frozen=True):
    """A session was given a target, another one, or none; with `target`, `by`."""


class TargetReached(_Noticed, frozen=True):
    """A session has reached its target and is being stopped; with `reached`, `target`."""


class TargetMissed(_Noticed, frozen=True):
    """A session has reached its target, and could not be stopped; with `why`."""


class StopMissing(_Noticed, frozen=True):
    """A session seems to be over, and its station has not said so; with `cause`."""


class StartMissing(_Noticed, frozen=True):
    """A connector charges, or a start was accepted, and no session has begun; with `cause`."""


class SessionOverlong(_Noticed, frozen=True):
    """A session goes on for longer than sessions are expected to; with `started_at`."""
