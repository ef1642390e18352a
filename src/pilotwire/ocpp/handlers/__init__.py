"""From a domain message to an answer and records: one table, one function per message."""

from pilotwire.ocpp.handlers.context import Context
from pilotwire.ocpp.handlers.routing import handle

__all__ = ["Context", "handle"]
