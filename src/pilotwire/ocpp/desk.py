"""The command desk: commands to the stations that are connected here."""

import asyncio
from typing import Any

import msgspec

from pilotwire.bus import LocalBus
from pilotwire.domain.operations.commands import DataTransfer, SetLimit, StopCharging
from pilotwire.domain.operations.events import StationReady
from pilotwire.domain.operations.model import Order, Readiness, Reply
from pilotwire.domain.stations.model import Admission
from pilotwire.domain.stations.ports import NotConnected, StationConnected
from pilotwire.domain.stations.records import StationBootKept
from pilotwire.ocpp.codec.orders import spell, understand
from pilotwire.ocpp.codec.outbound import NotInVersion
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.redaction import redacted
from pilotwire.ocpp.switchboard import Switchboard

__all__ = ["Desk"]

# Many stations come back after a loss of the network without a new boot; others break when they are called before.
_BOOT_GRACE_S = 5.0
# The answer to the boot goes out right after its commit; some stations need a moment to take it in.
_AFTER_BOOT_S = 0.2


class Desk:
    """Tells when stations take commands, spells commands in their version and reads their answers."""

    def __init__(self, board: Switchboard, bus: LocalBus, *, boot_grace_s: float = _BOOT_GRACE_S) -> None:
        self._board = board
        self._bus = bus
        self._grace_s = boot_grace_s
        self._rested: dict[int, int] = {}  # by station: the epoch that has been silent for the grace
        bus.subscribe(StationConnected, self._connected)
        bus.subscribe(StationBootKept, self._booted)

    def readiness(self, station_id: int) -> Readiness:
        """Tell whether a command can go out now."""
        link = self._board.links.get(station_id)
        if link is None:
            return Readiness.OFFLINE
        if not link.station.admitted:
            return Readiness.NOT_ADMITTED
        known = bool(link.station.record.vendor)
        if link.station.booted_at is None and not (known and self._rested.get(station_id) == link.epoch):
            return Readiness.NOT_BOOTED
        return Readiness.READY

    def check(self, ocpp_version: str, order: Order) -> None:
        """Check that a version has a way to say the command. Raises: NotInVersion, Invalid."""
        try:
            version = OcppVersion(ocpp_version)
        except ValueError:
            raise NotInVersion(f"OCPP {ocpp_version} is not spoken here") from None
        if order.transaction_ref is None and isinstance(order.command, StopCharging | SetLimit):
            order = msgspec.structs.replace(order, transaction_ref="1")  # looked up when it is sent
        spell(version, order)

    async def send(self, station_id: int, order: Order) -> Reply:
        """Send a command and wait for the answer. Raises: see CommandDesk."""
        link = self._board.links.get(station_id)
        if link is None:
            raise NotConnected("the station is not connected now")
        order = self._with_transaction(link.sessions, order)
        version, epoch = link.version, link.epoch
        action, payload = spell(version, order)
        answer = await self._board.call(station_id, action, payload)
        if answer.payload is not None and not isinstance(order.command, DataTransfer):
            answer = msgspec.structs.replace(answer, payload=redacted(answer.payload))
        return msgspec.structs.replace(understand(version, order, answer), epoch=epoch)

    @staticmethod
    def _with_transaction(sessions: Any, order: Order) -> Order:
        """Find the transaction that is meant by an EVSE: the open one that began last."""
        command = order.command
        if order.transaction_ref is not None or not isinstance(command, StopCharging | SetLimit):
            return order
        if isinstance(command, SetLimit) and command.scope != "session":
            return order
        if isinstance(command, StopCharging) and command.transaction_id is not None:
            return msgspec.structs.replace(order, transaction_ref=command.transaction_id)
        found = [
            facts
            for facts in sessions.by_ref.values()
            if facts is not None and not facts.ended and facts.evse_no == command.evse_id
        ]
        if not found:
            return order
        newest = max(found, key=lambda facts: facts.started_at or facts.first_at)
        return msgspec.structs.replace(order, transaction_ref=newest.transaction_ref)

    def _connected(self, notice: StationConnected) -> None:
        self._board.run(self._rest(notice))

    async def _rest(self, notice: StationConnected) -> None:
        await asyncio.sleep(self._grace_s)
        link = self._board.links.get(notice.station_id)
        if link is None or link.epoch != notice.epoch or link.station.booted_at is not None:
            return
        self._rested[notice.station_id] = notice.epoch
        if self.readiness(notice.station_id) is Readiness.READY:
            self._bus.publish(StationReady(notice.tenant_id, notice.station_id))

    def _booted(self, notice: StationBootKept) -> None:
        if notice.admission == Admission.ACCEPTED:
            self._board.run(self._after_boot(notice))

    async def _after_boot(self, notice: StationBootKept) -> None:
        await asyncio.sleep(_AFTER_BOOT_S)
        if self.readiness(notice.station_id) is Readiness.READY:
            self._bus.publish(StationReady(notice.tenant_id, notice.station_id))
