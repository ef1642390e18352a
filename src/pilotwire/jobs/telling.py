"""What others are told of commands and tasks."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pilotwire.bus import LocalBus
from pilotwire.domain.operations.events import CommandChanged, TaskChanged
from pilotwire.domain.operations.model import CommandState
from pilotwire.domain.operations.repository import Following

__all__ = ["Teller"]

_TELL_S = 1.0


class Teller:
    """Publishes changes; `on_wave` is called with the moment at which a next wave opens."""

    def __init__(self, bus: LocalBus, on_wave: Callable[[datetime], None]) -> None:
        self._bus = bus
        self._on_wave = on_wave
        self._told: dict[UUID, float] = {}

    def command(self, changed: tuple[CommandChanged, TaskChanged] | None) -> None:
        """Tell of the end of a command; of None there is nothing to tell."""
        if changed is not None:
            self._bus.publish(changed[0])
            self.task(changed[1])

    def step(self, following: Following, outcome: str, detail: str) -> None:
        """Tell of a step on the way of a command."""
        self._bus.publish(
            CommandChanged(
                following.tenant_id,
                following.task_id,
                following.id,
                following.identity,
                following.command.name,
                CommandState.ACCEPTED,
                outcome,
                detail,
            )
        )

    def task(self, changed: TaskChanged) -> None:
        """Tell of a task's progress once a second, of its stops and its end at once."""
        if changed.next_wave_at is not None and changed.state == "running":
            self._on_wave(changed.next_wave_at)
        now = asyncio.get_running_loop().time()
        if changed.state == "running":
            if now - self._told.get(changed.task_id, -_TELL_S) < _TELL_S:
                return
            self._told[changed.task_id] = now
        else:
            self._told.pop(changed.task_id, None)
        self._bus.publish(changed)
