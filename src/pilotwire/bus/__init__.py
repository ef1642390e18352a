"""Notices between the rooms of one process. (Between processes: to come, with NATS.)"""

from pilotwire.bus.local import LocalBus

__all__ = ["LocalBus"]
