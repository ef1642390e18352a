"""Commands whose end later messages of their stations tell."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from pilotwire.domain.operations.followup import Step, step_of
from pilotwire.domain.operations.model import CommandState
from pilotwire.domain.operations.repository import Following, Head

__all__ = ["Watch", "Watches"]


class Watch:
    """One such command; what is told of it before its answer is kept is put by."""

    __slots__ = ("early", "following", "open")

    def __init__(self, following: Following, *, is_open: bool) -> None:
        self.following = following
        self.open = is_open
        self.early: list[Any] = []


class Watches:
    """Hears what stations tell, and calls `on_step` for each step of a command."""

    def __init__(self, on_step: Callable[[Following, Step], None]) -> None:
        self._on_step = on_step
        self._by_station: defaultdict[int, dict[int, Watch]] = defaultdict(dict)

    def begin(self, head: Head, now: datetime, about: dict[str, Any]) -> Watch:
        """Watch a command that is about to be sent."""
        until = head.command.follow_until(now)
        place = (head.id, head.tenant_id, head.task_id, head.station_id, head.identity)
        watch = Watch(Following(*place, head.command, now, until, about), is_open=False)
        self._by_station[head.station_id][head.id] = watch
        return watch

    def take_up(self, following: Following) -> None:
        """Watch a command that was accepted before a restart."""
        self._by_station[following.station_id][following.id] = Watch(following, is_open=True)

    def open(self, watch: Watch, outcome: str, result: dict[str, Any]) -> None:
        """Go on with a command of which the answer is kept, and with what was told before that."""
        known = {**watch.following.result, **result}
        watch.following = msgspec.structs.replace(watch.following, result=known, outcome=outcome)
        watch.open = True
        early, watch.early = watch.early, []
        for notice in early:
            self.heard(notice)

    def forget(self, station_id: int, command_id: int) -> bool:
        """End a watch; False when there is none any more."""
        watches = self._by_station.get(station_id, {})
        known = watches.pop(command_id, None) is not None
        if not watches:
            self._by_station.pop(station_id, None)
        return known

    def heard(self, notice: Any) -> None:
        """Take what a station tells."""
        for watch in list(self._by_station.get(notice.station_id, {}).values()):
            following = watch.following
            if not watch.open:
                watch.early.append(notice)
            elif (step := step_of(following, notice)) is not None:
                if step.state is not CommandState.ACCEPTED:
                    self.forget(following.station_id, following.id)
                else:  # what comes in several messages is put together
                    known = {**following.result, **step.result}
                    watch.following = msgspec.structs.replace(following, result=known, outcome=step.outcome)
                self._on_step(following, step)
                return
