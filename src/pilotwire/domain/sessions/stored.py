"""A session's facts as they are stored: the whole, and beside it what has moved on since the whole was written."""

from datetime import datetime
from decimal import Decimal

import msgspec

from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.model import Meter, OrderKey, SessionFacts, replace
from pilotwire.domain.sessions.records import SessionKept

__all__ = ["Progress", "is_progress", "progress_of", "read_facts"]

_UPDATED = Phase.UPDATED


class Progress(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an update changes of a session's facts when nothing but the meter and the charging state moves on.

    It is what nearly every message leaves, so that it is kept by itself, without names.
    """

    first_at: datetime
    last_at: datetime
    first_meter: Meter | None
    last_meter: Meter | None
    last_power: tuple[OrderKey, float] | None
    last_soc: tuple[OrderKey, float] | None
    charging_state: tuple[OrderKey, str] | None
    seen: tuple[tuple[int, int], ...]
    recent: tuple[int | tuple[datetime, str | None], ...]
    powered_at: datetime | None
    rise: tuple[Decimal, datetime] | None


def is_progress(record: SessionKept) -> bool:
    """Tell whether nothing but what `Progress` has differs from the facts before, and no column beside it."""
    return not (
        record.new
        or record.change != _UPDATED
        or record.review
        or record.more
        # A late update may clear up what was to be reviewed.
        or record.facts.ended_at is not None
        or record.facts.settlement is not None
    )


def progress_of(facts: SessionFacts) -> Progress:
    """Give the part of the facts that moves on."""
    return Progress(
        facts.first_at,
        facts.last_at,
        facts.first_meter,
        facts.last_meter,
        facts.last_power,
        facts.last_soc,
        facts.charging_state,
        facts.seen,
        facts.recent,
        facts.powered_at,
        facts.rise,
    )


_read_facts = msgspec.json.Decoder(SessionFacts).decode
_read_progress = msgspec.json.Decoder(Progress).decode


def read_facts(facts: str, progress: str | None) -> SessionFacts:
    """Read facts as they are stored (JSON), with the progress that was kept since.

    Raises: msgspec.ValidationError.
    """
    read = _read_facts(facts)
    if progress is None:
        return read
    moved = _read_progress(progress)
    return replace(read, {name: getattr(moved, name) for name in Progress.__struct_fields__})
