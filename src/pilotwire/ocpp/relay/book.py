"""Which stations have a relay, in memory, so that an arriving station waits for nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.relays.events import RelayChanged, RelayLinkChanged
from pilotwire.domain.relays.model import Authority, Relay, SharedTransaction
from pilotwire.domain.relays.ports import Dial
from pilotwire.domain.relays.repository import keep_transaction, list_every_relay, list_transactions
from pilotwire.domain.relays.usecases.manage_relays import SEALED_FOR

__all__ = ["RelayBook"]


class RelayBook:
    """The relays of all stations, and what a relay needs to work."""

    def __init__(self, database: Database, bus: LocalBus, seal: Seal, dial: Dial, clock: Clock) -> None:
        self._database = database
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

    def _changed(self, notice: RelayChanged) -> None:
        if notice.relay is None:
            self._relays.pop(notice.station_id, None)
        else:
            self._relays[notice.station_id] = notice.relay
