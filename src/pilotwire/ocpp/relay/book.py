"""Which stations have a relay, in memory, so that an arriving station waits for nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.db.writer import Entry
from pilotwire.domain.relays.events import RelayChanged, RelayLinkChanged
from pilotwire.domain.relays.model import Authority, Relay, SharedTransaction
from pilotwire.domain.relays.ports import Dial
from pilotwire.domain.relays.records import RelayMessageKept, RelayMessageOver
from pilotwire.domain.relays.repository import (
    keep_transaction,
    list_every_relay,
    list_transactions,
    list_waiting,
)
from pilotwire.domain.relays.usecases.manage_relays import SEALED_FOR
from pilotwire.domain.stations.repository import find_answer

__all__ = ["RelayBook"]


class Writer(Protocol):
    """What keeps what stations said, in the order in which it was handed in for each of them."""

    def submit(self, entry: Entry, /) -> bool: ...
    async def settled(self) -> None: ...


class RelayBook:
    """The relays of all stations, and what a relay needs to work."""

    def __init__(
        self, database: Database, bus: LocalBus, seal: Seal, dial: Dial, clock: Clock, writer: Writer
    ) -> None:
        self._database = database
        self._writer = writer
        self._bus = bus
        self._seal = seal
        self.dial = dial
        self.now: Callable[[], datetime] = clock
        self._relays: dict[int, Relay] = {}
        self._connected: dict[int, tuple[bool, str]] = {}
        bus.subscribe(RelayChanged, self._changed)

    async def fill(self) -> None:
        """Take over what the database holds."""
        async with self._database.service.acquire() as connection:
            rows = await list_every_relay(connection)
        for row in rows:
            password = self._seal.open(row["sealed_password"], SEALED_FOR)
            self._relays[row["station_id"]] = Relay(
                row["station_id"], row["identity"], row["url"], password, Authority(row["authority"])
            )

    def find(self, station_id: int) -> Relay | None:
        """Find a station's relay."""
        return self._relays.get(station_id)

    def state(self, station_id: int) -> tuple[bool, str]:
        """Tell whether a station's relay is connected now, and if not what is wrong."""
        return self._connected.get(station_id, (False, "the station is not connected"))

    def tell(self, record: Any, *, connected: bool, detail: str = "") -> None:
        """Note and tell that a relay's connection was made or lost."""
        if self._connected.get(record.id) == (connected, detail):
            return
        self._connected[record.id] = (connected, detail)
        self._bus.publish(
            RelayLinkChanged(record.tenant_id, record.id, record.identity, connected, detail, self.now())
        )

    def forget(self, station_id: int) -> None:
        """The station has left."""
        self._connected.pop(station_id, None)

    async def transactions(self, station_id: int) -> list[SharedTransaction]:
        """Read the numbers of a station's newest transactions."""
        async with self._database.service.acquire() as connection:
            return await list_transactions(connection, station_id)

    async def keep(self, station_id: int, shared: SharedTransaction) -> None:
        """Keep the numbers of a transaction."""
        async with self._database.service.acquire() as connection:
            await keep_transaction(connection, station_id, shared, self.now())

    def keep_message(self, message: RelayMessageKept) -> None:
        """Keep a message for the other back end.

        It goes to disk with or before what its station says next, so before that is answered.
        """
        self._writer.submit(Entry(message.station_id, 0, (message,)))

    def end_message(self, station_id: int, message_key: UUID) -> None:
        """Take a message off the disk: the other back end has been told, or is not told any more."""
        self._writer.submit(Entry(station_id, 0, (RelayMessageOver(message_key),)))

    async def waiting(self, station_id: int) -> list[tuple[RelayMessageKept, str | None]]:
        """Read what the other back end is still to be told, with the answers that starts of 1.6 had from us."""
        await (
            self._writer.settled()
        )  # an earlier connection of the station may have left something a moment ago
        async with self._database.service.acquire() as connection:
            return [
                (
                    each,
                    await find_answer(connection, station_id, each.message_id, each.received_at)
                    if each.action == "StartTransaction"
                    else None,
                )
                for each in await list_waiting(connection, station_id)
            ]

    def _changed(self, notice: RelayChanged) -> None:
        if notice.relay is None:
            self._relays.pop(notice.station_id, None)
        else:
            self._relays[notice.station_id] = notice.relay
