"""Time: aware UTC datetimes for what is kept, monotonic seconds for what is waited for."""

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "parse_iso", "utc_now"]


class Clock(Protocol):
    """Gives the present moment as an aware UTC datetime."""

    def __call__(self) -> datetime: ...


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def parse_iso(text: str) -> datetime:
    """Read an ISO 8601 moment; one without a zone is taken as UTC.

    Raises: ValueError when the text is not a moment.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
