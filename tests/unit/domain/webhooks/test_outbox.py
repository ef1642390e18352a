"""The outbox: what the bus tells goes to the writer, and who delivers hears of it once it is kept."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from pilotwire.bus import LocalBus
from pilotwire.db.writer import Entry
from pilotwire.domain.webhooks.model import DeliveriesWaiting
from pilotwire.domain.webhooks.outbox import Outbox


class Opened:
    """A notice."""


def told(_: Opened) -> tuple[int, str, Mapping[str, Any]]:
    return 7, "gate.opened", {"gate": 3}


@pytest.mark.parametrize(
    ("wanted", "handed"), [((7, "gate.opened"), 1), ((7, "gate.closed"), 0), ((8, "gate.opened"), 0)]
)
def test_what_somebody_wants_is_handed_to_the_writer_and_then_to_who_delivers(
    wanted: tuple[int, str], handed: int
) -> None:
    bus, entries = LocalBus(), list[Entry]()
    outbox = Outbox(bus, {Opened: told}, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    outbox.listen([Opened], entries.append)
    bus.publish(Opened())
    assert not entries
    outbox.wanted = frozenset({wanted})
    bus.publish(Opened())
    assert [(entry.records[0].type, entry.records[0].data) for entry in entries] == [
        ("gate.opened", '{"gate":3}')
    ] * handed
    assert [entry.told for entry in entries] == [(DeliveriesWaiting(),)] * handed
