"""The life of a station's connection: power, handshake, boot, heartbeats, loss and return."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pilotwire.simulator.rpc import (
    BootAnswer,
    CallRefusedError,
    HandshakeRefusedError,
    LinkLostError,
    Payload,
)
from pilotwire.simulator.states import StopReason, Trigger

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

BOOT_RETRY_S = 30
"""When the server gives no interval with Pending or Rejected, or refuses the boot with an error."""
SECURITY_EVENTS = {"PowerUp": "StartupOfTheDevice", "FirmwareUpdate": "FirmwareUpdated"}


class Lifecycle:
    """Keeps a station connected and accepted."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.accepted = False
        self.ready = asyncio.Event()
        """Set when the server has accepted the station for the first time."""
        self.boot_status = "Unknown"
        self._boot_reason: str | None = "PowerUp"
        self._boot_now = asyncio.Event()
        self._heartbeat_changed = asyncio.Event()
        self._up = asyncio.Event()
        self._up.set()
        self._back: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Connect, boot, serve, reconnect; until cancelled."""
        failures = 0
        while True:
            await self._up.wait()
            retry_after_s = await self._visit()
            if retry_after_s is None:
                failures = 0
                if self._up.is_set():
                    await asyncio.sleep(self._back_off_s(0))
            else:
                failures += 1
                await asyncio.sleep(max(retry_after_s, self._back_off_s(failures)))

    def go_down(self, seconds: float, boot_reason: str | None = None) -> None:
        """Have no connection for some real seconds; with a reason, boot afterwards."""
        if self._back is not None:
            self._back.cancel()
        self._up.clear()
        self._back = asyncio.get_running_loop().call_later(seconds, self._up.set)
        if boot_reason is not None:
            self._boot_reason = boot_reason
        self.accepted = False

    def boot_again(self) -> None:
        """The server asks for a BootNotification."""
        station = self._station
        if self.accepted:
            station.say(station.wire.boot("Triggered", station.firmware_version))
        else:
            self._boot_now.set()

    def heartbeat_interval_changed(self) -> None:
        """The next heartbeat follows the new interval."""
        self._heartbeat_changed.set()

    async def _visit(self) -> float | None:
        """One connection from handshake to loss.

        None when it came to be, else how long the server asks to wait.
        """
        station = self._station
        device = station.device
        try:
            await station.link.open(device.text("password") or None, device.number("ping_interval_s"))
        except HandshakeRefusedError as refusal:
            station.traffic.handshakes_refused += 1
            station.notify("refused", status=refusal.status, reason=str(refusal))
            return refusal.retry_after_s or 0.0
        except LinkLostError:
            return 0.0
        station.notify("connected")
        conversation = asyncio.create_task(self._converse())
        lost = asyncio.create_task(station.link.wait_lost())
        try:
            await asyncio.wait({conversation, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            conversation.cancel()
            lost.cancel()
            results = await asyncio.gather(conversation, lost, return_exceptions=True)
            self.accepted = False
            station.link.cut()
            station.outbox.drop_volatile()
        station.notify("disconnected")
        trouble = results[0]
        if isinstance(trouble, Exception) and not isinstance(trouble, LinkLostError):
            raise trouble
        return None

    async def _converse(self) -> None:
        station = self._station
        booted = self._boot_reason is not None or station.spec.quirks.boot_on_reconnect
        if booted:
            reason = self._boot_reason or "Unknown"
            await self._boot(reason)
            self._boot_reason = None
            self._say_security_event(reason)
        self.accepted = True
        self.ready.set()
        if booted or not station.spec.quirks.silent_reconnect:
            station.tell_all()
        device = station.device
        await asyncio.gather(
            station.outbox.drain(
                lambda: device.number("message_attempts"), lambda: float(device.number("message_retry_s"))
            ),
            self._heartbeats(),
        )

    async def _boot(self, reason: str) -> None:
        """Spec: OCPP 1.6 4.2, OCPP 2.0.1 B01-B03: repeat at the interval given until accepted."""
        station = self._station
        while True:
            self._boot_now.clear()
            try:
                answer = _boot_answer(
                    await station.link.call(station.wire.boot(reason, station.firmware_version))
                )
            except CallRefusedError:
                answer = BootAnswer("Rejected", 0)
            self.boot_status = answer.status
            station.notify("booted", status=answer.status, interval_s=answer.interval_s)
            if answer.status == "Accepted":
                if answer.interval_s > 0:
                    station.device.set("heartbeat_interval_s", str(answer.interval_s))
                return
            try:
                async with asyncio.timeout(answer.interval_s or BOOT_RETRY_S):
                    await self._boot_now.wait()
                reason = "Triggered"
            except TimeoutError:
                continue

    def _say_security_event(self, reason: str) -> None:
        station = self._station
        kind = SECURITY_EVENTS.get(reason, "ResetOrReboot")
        station.say(station.wire.security_event(kind, station.now(), reason), durable=True)

    async def _heartbeats(self) -> None:
        station = self._station
        while True:
            self._heartbeat_changed.clear()
            try:
                async with asyncio.timeout(station.device.number("heartbeat_interval_s")):
                    await self._heartbeat_changed.wait()
            except TimeoutError:
                try:
                    await station.link.call(station.wire.heartbeat())
                except CallRefusedError:
                    continue

    def _back_off_s(self, failures: int) -> float:
        """Doubles with every failure, with jitter so that a restarted server is not stormed."""
        options = self._station.options
        ceiling = min(options.reconnect_most_s, options.reconnect_least_s * 2.0 ** min(failures, 16))
        return ceiling * (0.5 + 0.5 * self._station.rng.random())


def _boot_answer(payload: Payload) -> BootAnswer:
    status, interval = payload.get("status"), payload.get("interval")
    if status not in ("Accepted", "Pending", "Rejected"):
        return BootAnswer("Rejected", 0)
    return BootAnswer(status, interval if isinstance(interval, int) and interval > 0 else 0)


async def reboot(station: Station, reason: str, stop_reason: StopReason | None, *, orderly: bool) -> None:
    """Stop what charges (unless `stop_reason` is None), be away for a moment, boot.

    An orderly reboot first waits until the server has heard of the stops; else they are told after the boot.
    """
    station.ticker.advance()
    if stop_reason is not None:
        for evse in station.evses:
            if evse.tx is not None:
                evse.stop(Trigger.RESET, stop_reason)
    if orderly and station.is_online():
        try:
            async with asyncio.timeout(station.options.call_timeout_s):
                await station.outbox.wait_idle()
        except TimeoutError:
            station.notify("unsent", messages=len(station.outbox))
    station.notify("rebooted", reason=reason)
    station.lifecycle.go_down(station.options.reboot_s, reason)
    station.link.close()
    if stop_reason is None:
        for evse in station.evses:
            evse.resume()


def power_cut(station: Station, seconds: float) -> None:
    """No power for some real seconds: transactions end now, their stops are told after the boot."""
    station.ticker.advance()
    station.notify("power_cut", seconds=round(seconds, 1))
    station.lifecycle.go_down(seconds, "PowerUp")
    station.link.cut()
    for evse in station.evses:
        if evse.tx is not None:
            evse.stop(Trigger.ABNORMAL, StopReason.POWER_LOSS)


def go_offline(station: Station, seconds: float) -> None:
    """The network is away for some real seconds; charging goes on, its messages wait."""
    station.notify("offline", seconds=round(seconds, 1))
    station.lifecycle.go_down(seconds)
    station.link.cut()
