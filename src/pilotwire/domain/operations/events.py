"""What others are told of commands and tasks."""

from datetime import datetime
from uuid import UUID

import msgspec

__all__ = ["CommandChanged", "StationReady", "TaskChanged", "TaskQueued", "TaskResumed"]


class TaskQueued(msgspec.Struct, frozen=True):
    """Commands wait for these stations: somebody gave them, or let a task go on."""

    task_id: UUID
    station_ids: tuple[int, ...]


class TaskResumed(msgspec.Struct, frozen=True):
    """Somebody let a paused task go on."""

    task_id: UUID


class StationReady(msgspec.Struct, frozen=True):
    """A station takes commands from now on: its boot is accepted, or it came back without one."""

    tenant_id: int
    station_id: int


class CommandChanged(msgspec.Struct, frozen=True):
    """The command to one station came a step further."""

    tenant_id: int
    task_id: UUID
    number: int
    identity: str
    command: str
    state: str
    outcome: str
    detail: str


class TaskChanged(msgspec.Struct, frozen=True):
    """A task came a step further."""

    tenant_id: int
    task_id: UUID
    command: str
    state: str
    total: int
    succeeded: int
    failed: int
    wave: int = 0
    next_wave_at: datetime | None = None
