"""The outbox: what is to be told goes to the disk with what happened, in the same transaction.

Records of stations and sessions pass the group-commit writer; their sinks are wrapped, so that an event is kept if and
only if its record is. What others tell over the bus is handed to the writer the moment it is told.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.ids import new_uuid
from pilotwire.db.bulk import run_with_rows
from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Entry, Sink
from pilotwire.domain.webhooks.model import DeliveriesWaiting

__all__ = ["EventKept", "Outbox", "Told"]

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode

Told = Callable[[Any], tuple[int, str, Mapping[str, Any]] | None]
"""Gives tenant, name and data of what is told of a notice; None when it is nothing to tell."""

_KEEP = """
WITH told AS (
    INSERT INTO webhook_event (id, tenant_id, type, at, data)
    SELECT n.id, n.tenant_id, n.type, n.at, n.data FROM json_to_recordset($1) AS n (
        id uuid, tenant_id int, type text, at timestamptz, data text)
    RETURNING id, tenant_id, type)
INSERT INTO webhook_delivery (tenant_id, webhook_id, event_id, next_at)
SELECT t.tenant_id, w.id, t.id, now() FROM told t JOIN webhook w
    ON w.tenant_id = t.tenant_id AND w.disabled_at IS NULL AND t.type = ANY (w.events)
"""


class EventKept(msgspec.Struct, frozen=True, gc=False):
    """Something that somebody wants to be told of."""

    id: UUID
    tenant_id: int
    type: str
    at: datetime
    data: str


class _Handed(Entry):
    """An event on its way through the writer."""

    __slots__ = ()

    def __init__(self, event: EventKept) -> None:
        super().__init__(0, 0, (event,), told=(DeliveriesWaiting(),))

    def failed(self, error: BaseException) -> None:
        log.error(
            "an event could not be kept for webhooks", event_type=self.records[0].type, error=repr(error)
        )


class Outbox:
    """Keeps what somebody wants to be told of; what nobody wants costs one look into an empty set."""

    def __init__(self, bus: LocalBus, told: Mapping[type, Told], clock: Clock) -> None:
        self._bus = bus
        self._told = told
        self._clock = clock
        self.wanted: frozenset[tuple[int, str]] = frozenset()
        """Tenant and name of the events that some webhook asks for."""

    def around(self, sinks: Mapping[type, Sink]) -> dict[type, Sink]:
        """Wrap sinks so that each also keeps what is told of its records; one more takes single events."""
        wrapped = {
            kind: self._with_events(sink, self._told[kind]) if kind in self._told else sink
            for kind, sink in sinks.items()
        }
        return {**wrapped, EventKept: _write}

    def listen(self, kinds: Sequence[type], submit: Callable[[Entry], object]) -> None:
        """Hand what the bus tells of these kinds to the writer."""

        def hear(notice: Any) -> None:
            if self.wanted and (event := self._event(self._told[type(notice)], notice)) is not None:
                submit(_Handed(event))

        for kind in kinds:
            self._bus.subscribe(kind, hear)

    def _with_events(self, sink: Sink, told: Told) -> Sink:
        async def write(target: Writing, records: list[Any]) -> None:
            await sink(target, records)
            if self.wanted:
                events = [event for each in records if (event := self._event(told, each)) is not None]
                if events:
                    await _write(target, events)

        return write

    def _event(self, told: Told, notice: Any) -> EventKept | None:
        said = told(notice)
        if said is None or said[:2] not in self.wanted:
            return None
        tenant_id, name, data = said
        at = self._clock()
        # PostgreSQL's text takes no NUL; inside JSON it is an escape, and a station's word is no reason to fail.
        return EventKept(new_uuid(at), tenant_id, name, at, _encode(data).decode())


async def _write(target: Writing, records: list[EventKept]) -> None:
    await run_with_rows(target, _KEEP, records)
