"""Errors that people and programs can act on.

Each class has a stable `code`; the first line of its docstring is the title. Every edge has one table from
code to its own language (HTTP status, CALLERROR, exit code).
"""

from typing import ClassVar

from pilotwire.core.texts import Text

__all__ = ["Conflict", "Forbidden", "Invalid", "NotFound", "PilotwireError", "Unauthenticated", "Unavailable"]


class PilotwireError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str | Text = "") -> None:
        super().__init__(str(detail) or self.title())
        self.detail = str(detail)
        self.text = detail if isinstance(detail, Text) else None

    @property
    def said(self) -> str | Text:
        """What the error says, with its code where it has one."""
        return self.text or str(self)

    @classmethod
    def title(cls) -> str:
        """Return the first line of the docstring, which is the error's message in general terms."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]


class NotFound(PilotwireError):
    """What was asked for does not exist."""

    code = "not_found"


class Conflict(PilotwireError):
    """The present state does not allow this."""

    code = "conflict"


class Invalid(PilotwireError):
    """The request cannot be understood or has impossible values."""

    code = "invalid"


class Unauthenticated(PilotwireError):
    """Who is asking is not known."""

    code = "unauthenticated"


class Forbidden(PilotwireError):
    """This needs a right that the caller does not have."""

    code = "forbidden"


class Unavailable(PilotwireError):
    """A part of the system that this needs does not answer now."""

    code = "unavailable"
