"""The ring of events: what readers get, in which order, and when they are sent away."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pilotwire.bus import LocalBus
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.domain.stations.ports import StationChanged, StationConnected
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
    StationProgressKept,
)
from pilotwire.web.events import EventHub, EventReader
from tests.support.web import session_kept

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Seconds:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def hub(bus: LocalBus, seconds: Seconds) -> AsyncIterator[EventHub]:
    hub = EventHub(bus, capacity=50, clock=seconds)
    yield hub
    hub.close()


def _connected(identity: str = "CP-1", tenant_id: int = 1) -> StationConnected:
    return StationConnected(tenant_id, 7, identity, "2.0.1", 1, NOON, "192.0.2.1")


def _events(chunk: bytes | None) -> list[tuple[str, str, Any]]:
    """Read a chunk as a browser does: (name, id, data)."""
    assert chunk is not None
    found = []
    for block in chunk.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found


async def _begun(hub: EventHub, tenant_id: int = 1, last: str | None = None) -> tuple[EventReader, list[Any]]:
    reader = hub.open(tenant_id, last)
    return reader, _events(await reader.next_chunk(1))


async def test_readers_get_what_happens_from_now_on(bus: LocalBus, hub: EventHub) -> None:
    bus.publish(_connected("CP-0"))
    reader, first = await _begun(hub)
    assert first == []
    bus.publish(_connected("CP-1"))
    bus.publish(_connected("CP-2"))
    events = _events(await reader.next_chunk(5))
    assert [(name, data["station_id"]) for name, _, data in events] == [
        ("station.connected", "CP-1"),
        ("station.connected", "CP-2"),
    ]
    assert [event_id for _, event_id, _ in events] == [f"{hub.run}-2", f"{hub.run}-3"]


async def test_a_reader_sees_its_tenant_only(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub, tenant_id=2)
    bus.publish(_connected("CP-1", 1))
    bus.publish(_connected("CP-2", 2))
    hub.announce(1, "station.removed", {"station_id": "CP-3"})
    hub.announce(2, "station.removed", {"station_id": "CP-4"})
    assert [data["station_id"] for _, _, data in _events(await reader.next_chunk(5))] == ["CP-2", "CP-4"]
    assert await reader.next_chunk(0.05) == b""


async def test_a_reader_comes_back_to_where_it_was(bus: LocalBus, hub: EventHub) -> None:
    for i in range(1, 6):
        bus.publish(_connected(f"CP-{i}"))
    reader, first = await _begun(hub, last=f"{hub.run}-3")
    assert first == []
    assert [data["station_id"] for _, _, data in _events(await reader.next_chunk(1))] == ["CP-4", "CP-5"]


@pytest.mark.parametrize(
    "last", ["other-3", "{run}-99", "{run}-1", "{run}-x", "nonsense", "{run}--1", "-", "{run}-²"]
)
async def test_a_reader_that_was_away_too_long_starts_afresh(bus: LocalBus, hub: EventHub, last: str) -> None:
    for i in range(60):
        bus.publish(_connected(f"CP-{i}"))
    reader, first = await _begun(hub, last=last.format(run=hub.run))
    assert first == [("reset", f"{hub.run}-60", {})]
    bus.publish(_connected("CP-new"))
    assert [data["station_id"] for _, _, data in _events(await reader.next_chunk(5))] == ["CP-new"]


async def test_the_oldest_place_in_the_ring_can_be_taken_up(bus: LocalBus, hub: EventHub) -> None:
    for i in range(60):
        bus.publish(_connected(f"CP-{i}"))
    reader, first = await _begun(hub, last=f"{hub.run}-10")
    assert first == []
    assert len(_events(await reader.next_chunk(1))) == 50


async def test_a_reader_that_falls_out_of_the_ring_is_dropped(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub)
    for i in range(60):
        bus.publish(_connected(f"CP-{i}"))
    assert await reader.next_chunk(5) is None
    assert hub.readers == 0


async def test_an_event_is_encoded_once_for_all(bus: LocalBus, hub: EventHub) -> None:
    one, _ = await _begun(hub)
    two, _ = await _begun(hub)
    bus.publish(_connected())
    assert await one.next_chunk(5) == await two.next_chunk(5)
    entry = hub._ring[1]
    assert entry is not None
    assert entry.encoded("") is entry.encoded("another id is not asked for")


async def test_progress_of_a_session_comes_once_a_second_and_the_end_at_once(
    bus: LocalBus, hub: EventHub, seconds: Seconds
) -> None:
    reader, _ = await _begun(hub)
    start = session_kept(7, "CP-1", NOON)

    def step(change: Phase, register: int) -> SessionKept:
        return session_kept(
            7, "CP-1", NOON, change=change, new=False, id=start.facts.id, stated_end_wh=Decimal(register)
        )

    bus.publish(start)
    for register in (1001, 1002, 1003):
        bus.publish(step(Phase.UPDATED, register))
    assert [name for name, _, _ in _events(await reader.next_chunk(5))] == ["session.started"]
    seconds.now += 1
    [(name, _, data)] = _events(await reader.next_chunk(5))
    assert (name, data["meter_wh"], data["energy_wh"]) == ("session.updated", 1003, 3)
    bus.publish(step(Phase.UPDATED, 1004))
    bus.publish(step(Phase.ENDED, 1005))
    [(name, _, data)] = _events(await reader.next_chunk(5))
    assert (name, data["meter_wh"]) == ("session.ended", 1005)
    seconds.now += 2
    assert await reader.next_chunk(0.6) == b"", "what waited is told by the end already"


async def test_every_session_has_a_pace_of_its_own(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub)
    for i in range(5):
        bus.publish(session_kept(7, "CP-1", NOON, change=Phase.UPDATED, new=False, transaction_ref=str(i)))
    assert len(_events(await reader.next_chunk(5))) == 5


async def test_what_the_bus_says_has_its_names_and_no_token(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub)
    record = StationRecord(
        7, 1, "CP-1", Admission.PENDING, b"digest", None, 2, None, "ACME", "One", "1.0", {}, False
    )
    notices: dict[str, Any] = {
        "station.connected": _connected(),
        "station.disconnected": StationDisconnected(1, 7, "CP-1", 1, NOON, "gone"),
        "station.booted": StationBootKept(
            1, 7, "CP-1", "ACME", "One", "S1", "1.0", "", "", "PowerUp", NOON, "accepted"
        ),
        "station.progress": StationProgressKept(1, 7, "CP-1", "firmware", "Installed", 3),
        "station.security": SecurityEventKept(1, 7, "CP-1", "FirmwareUpdated", NOON, NOON, ""),
        "station.changed": StationChanged(record),
        "connector.status": ConnectorStatusChanged(
            1, 7, "CP-1", 1, 2, "charging", "Charging", "NoError", "", NOON, NOON, True
        ),
        "session.started": session_kept(7, "CP-1", NOON),
        "session.ended": session_kept(
            7, "CP-1", NOON, change=Phase.ENDED, ended_at=NOON + timedelta(hours=1)
        ),
    }
    for notice in notices.values():
        bus.publish(notice)
    chunk = await reader.next_chunk(5)
    events = _events(chunk)
    assert [name for name, _, _ in events] == list(notices)
    assert {data["station_id"] for _, _, data in events} == {"CP-1"}
    assert chunk is not None
    for secret in (b"digest", b"04A2B3C4D5E6F7", b"192.0.2.1"):
        assert secret not in chunk
    status = {name: data for name, _, data in events}["connector.status"]
    assert (status["evse_id"], status["connector_id"], status["at"]) == (1, 2, "2026-05-01T12:00:00Z")


async def test_a_late_report_of_an_old_state_is_no_event(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub)
    bus.publish(ConnectorStatusChanged(1, 7, "CP-1", 1, 1, "available", "", "", "", NOON, NOON, False))
    assert await reader.next_chunk(0.2) == b""


async def test_closing_ends_every_stream_and_takes_no_more(bus: LocalBus, hub: EventHub) -> None:
    reader, _ = await _begun(hub)
    waiting = asyncio.create_task(reader.next_chunk(10))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, 1) is None
    bus.publish(_connected())
    assert hub.newest == 0
    late = hub.open(1)
    await late.next_chunk(1)
    assert await late.next_chunk(1) is None
    assert hub.readers == 0
