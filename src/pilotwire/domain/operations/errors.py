"""What people can get wrong with commands and tasks."""

from pilotwire.core.errors import Conflict

__all__ = ["NothingToDo", "StationNotReady", "TaskOver"]


class StationNotReady(Conflict):
    """The station takes no commands now, and the command was not to wait."""

    code = "station_not_ready"


class TaskOver(Conflict):
    """The task is over."""

    code = "task_over"


class NothingToDo(Conflict):
    """There is no station to which this applies."""

    code = "nothing_to_do"
