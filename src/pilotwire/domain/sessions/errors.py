"""What people can get wrong with sessions."""

from pilotwire.core.errors import Conflict

__all__ = ["SessionOver"]


class SessionOver(Conflict):
    """The session is over."""

    code = "session_over"
