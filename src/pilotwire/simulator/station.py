"""A charging station: boots, keeps its connection, lets time pass at its EVSEs.

It knows no OCPP version; its wire does.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pilotwire.simulator.access import KnownTokens
from pilotwire.simulator.car import Car
from pilotwire.simulator.certificates import CertificateStore
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.device import AC_MEASURANDS, DC_MEASURANDS, Device
from pilotwire.simulator.evse import Authorisation, Evse
from pilotwire.simulator.lifecycle import Lifecycle
from pilotwire.simulator.link import Link, LinkOptions, Traffic
from pilotwire.simulator.model import StationSpec, TokenSpec
from pilotwire.simulator.outbox import Outbox
from pilotwire.simulator.profiles import UNLIMITED, Limit, ProfileStore, station_limit, transaction_limit
from pilotwire.simulator.rpc import (
    Call,
    CallFaultError,
    CallRefusedError,
    LinkLostError,
    Outgoing,
    Payload,
    Verdict,
)
from pilotwire.simulator.states import Fault, Status, StopReason, Transaction, Trigger, TxEvent
from pilotwire.simulator.ticker import Ticker
from pilotwire.simulator.wire.spelling import Wire
from pilotwire.simulator.wire.v2 import Wire2
from pilotwire.simulator.wire.v16 import Wire16

Notify = Callable[[str, str, dict[str, Any]], None]
"""Takes the kind of an event, the station's identity and details."""


@dataclass(frozen=True, slots=True)
class StationOptions:
    """How a station is run. All times in real seconds."""

    url: str
    password: str | None = field(default=None, repr=False)
    ssl_context: ssl.SSLContext | None = None
    tick_s: float = 1.0
    sample_interval_s: int = 60
    call_timeout_s: float = 30.0
    reconnect_least_s: float = 1.0
    reconnect_most_s: float = 60.0
    reboot_s: float = 3.0
    settings: tuple[tuple[str, str], ...] = ()
    """Further settings by their names in `device.SETTINGS`, as on the wire."""


class Station:
    """One simulated station; `run` is its life. See `driver` operations for what people do to it."""

    def __init__(
        self,
        spec: StationSpec,
        options: StationOptions,
        *,
        clock: SimClock,
        traffic: Traffic,
        notify: Notify,
        registers_wh: dict[int, float] | None = None,
    ) -> None:
        self.spec = spec
        self.options = options
        self.clock = clock
        self.traffic = traffic
        self.device = Device(_factory_settings(spec, options))
        self.wire: Wire = Wire16(spec, self.device) if spec.version == "1.6" else Wire2(spec, self.device)
        link_options = LinkOptions(
            url=options.url,
            identity=spec.identity,
            subprotocol=None if spec.quirks.no_subprotocol else self.wire.subprotocol,
            ssl_context=options.ssl_context,
            call_timeout_s=options.call_timeout_s,
            answer_delay_s=spec.quirks.answer_delay_s,
            error_codes=self.wire.error_codes,
        )
        self.link = Link(link_options, self._answer, traffic)
        self.outbox = Outbox(self.link)
        self.known = KnownTokens(self.device)
        self.profiles = ProfileStore()
        self.certificates = CertificateStore()
        self.display_messages: dict[int, Payload] = {}
        self.tariffs: dict[str, int] = {}
        """Name of a tariff and the EVSE (0: all) it is for; prices are the server's matter."""
        kept = registers_wh or {}
        self.evses = [Evse(evse, self, kept.get(evse.id)) for evse in spec.evses]
        self.firmware_version = spec.firmware_version
        self.firmware_status = "Idle"
        self.log_status = "Idle"
        self.operative = True
        self.idle = asyncio.Event()
        self.idle.set()
        self.reset_when_idle: Callable[[], None] | None = None
        self.rng = random.Random(spec.identity)  # noqa: S311 - jitter, not a secret
        self.lifecycle = Lifecycle(self)
        self.ticker = Ticker(self)
        self._notify = notify
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> Status:
        """The status of the station as a whole."""
        return Status.AVAILABLE if self.operative else Status.UNAVAILABLE

    # what an EVSE asks of its station (evse.Host)

    def now(self) -> datetime:
        """Time on the wire."""
        return self.clock.now()

    def is_online(self) -> bool:
        """Whether the server has accepted the station on a connection that is open."""
        return self.lifecycle.accepted and self.link.is_open

    def start_points(self) -> frozenset[str]:
        """1.6 begins a transaction when both the car and the right to charge are there."""
        if self.spec.version == "1.6":
            return frozenset({"PowerPathClosed"})
        return self.device.members("tx_start_point")

    def stop_points(self) -> frozenset[str]:
        """1.6 ends it with the first of both."""
        if self.spec.version == "1.6":
            return frozenset({"Authorized", "EVConnected"})
        return self.device.members("tx_stop_point")

    def limit_for(self, evse: Evse) -> Limit:
        """The profiles' limit; the station's maximum is divided equally among the EVSEs that charge."""
        if not self.profiles:
            return UNLIMITED
        now, tx = self.now(), evse.tx
        own = transaction_limit(
            self.profiles,
            evse.id,
            now,
            started_at=tx.started_at if tx else None,
            transaction_id=self.reference(tx) if tx else None,
        )
        whole = station_limit(self.profiles, now)
        sharing = max(
            1, sum(1 for other in self.evses if other.charging_allowed and other.car and not other.car.full)
        )
        share = Limit(
            None if whole.current_a is None else whole.current_a / sharing,
            None if whole.power_w is None else whole.power_w / sharing,
            whole.phases,
        )
        return own.capped_by(share)

    def status_changed(self, evse: Evse) -> None:
        """Tell the server, if it listens; after a reconnect everything is told anew."""
        self.ticker.wake()
        if self.is_online():
            self.tell_status(evse)

    def transaction_event(self, event: TxEvent) -> None:
        """Queue a happening and let everybody know."""
        self.ticker.wake()
        self.queue(event)
        if event.kind == "started":
            self.idle.clear()
            self.notify("session_started", evse=event.tx.evse_id, token=event.token and event.token.uid)
        elif event.kind == "ended":
            self.profiles.end_transaction(event.tx.evse_id, self.reference(event.tx))
            register = event.reading.register_wh if event.reading else event.tx.start_wh
            self.notify("session_ended", evse=event.tx.evse_id, energy_wh=register - event.tx.start_wh)
            asyncio.get_running_loop().call_soon(self._idle_reset)

    def queue(self, event: TxEvent) -> None:
        """Tell the server of a happening; it waits until the server has taken it."""
        self.outbox.put(
            Outgoing(
                build=partial(self.wire.transaction, event),
                on_result=partial(self._transaction_answered, event),
                durable=True,
                about=event.tx.id,
                droppable=event.kind == "updated" and event.trigger is Trigger.METER_PERIODIC,
            )
        )

    # what people do

    def evse(self, evse_id: int) -> Evse | None:
        """An EVSE by its number."""
        return self.evses[evse_id - 1] if 1 <= evse_id <= len(self.evses) else None

    def plug_in(self, evse_id: int, car: Car, connector_id: int | None = None) -> None:
        """A car is plugged in. Raises: ValueError when one is there already."""
        self.ticker.advance()
        self.evses[evse_id - 1].plug(car, connector_id)

    def unplug(self, evse_id: int) -> None:
        """The car is unplugged, which ends its transaction."""
        self.ticker.advance()
        self.evses[evse_id - 1].unplug()

    async def present_token(self, evse_id: int, token: TokenSpec) -> bool:
        """A card is held to the reader.

        Starts charging, or stops it with the card (or group) that started it.
        """
        evse = self.evses[evse_id - 1]
        holder = evse.authorisation
        if holder is not None:
            same = holder.token.uid == token.uid
            if same or (token.group is not None and holder.token.group == token.group):
                self.ticker.advance()
                evse.stop(Trigger.STOP_AUTHORIZED, StopReason.LOCAL, token)
                return True
            return False
        if evse.fault is not None or not evse.operative:
            return False
        verdict = await self.check_token(token.uid)
        if not verdict.accepted or evse.authorisation is not None or not _reserved_for(evse, token, verdict):
            return False
        self.authorise(evse, Authorisation(token, Trigger.AUTHORIZED))
        return True

    async def check_token(self, uid: str) -> Verdict:
        """Ask the server, or decide alone when it is out of reach."""
        if self.is_online():
            known = self.known.recall(uid, self.now()) if self.device.switch("local_preauthorize") else None
            if known is not None and known.accepted:
                return known
            try:
                verdict = self.wire.verdict(await self.link.call(self.wire.authorize(uid)))
            except CallRefusedError:
                return Verdict("Invalid")
            except LinkLostError:
                return self.known.offline_verdict(uid, self.now())
            if verdict is not None:
                self.known.remember(uid, verdict)
                return verdict
        return self.known.offline_verdict(uid, self.now())

    def authorise(self, evse: Evse, who: Authorisation) -> None:
        """Let someone charge; the right lapses if no car comes in time."""
        self.ticker.advance()
        evse.authorise(who)
        if evse.car is None:
            timeout_s = self.device.number("connection_timeout_s")
            asyncio.get_running_loop().call_later(timeout_s, self._nobody_came, evse, who)

    def fail(self, evse_id: int, fault: Fault) -> None:
        """A connector breaks."""
        self.ticker.advance()
        self.evses[evse_id - 1].fail(fault)
        self.notify("fault", evse=evse_id, code=fault.code)

    def recover(self, evse_id: int) -> None:
        """A connector works again."""
        self.ticker.advance()
        self.evses[evse_id - 1].recover()
        self.notify("recovered", evse=evse_id)

    async def run(self) -> None:
        """Live until cancelled."""
        ticking = asyncio.create_task(self.ticker.run())
        try:
            await self.lifecycle.run()
        finally:
            ticking.cancel()
            for job in tuple(self._jobs):
                job.cancel()
            self.lifecycle.accepted = False
            self.link.close()

    async def finish(self, patience_s: float) -> None:
        """End every transaction as if the drivers left, and wait until the server knows."""
        self.ticker.advance()
        for evse in self.evses:
            evse.unplug()
        if self.is_online():
            try:
                async with asyncio.timeout(patience_s):
                    await self.outbox.wait_idle()
            except TimeoutError:
                self.notify("unsent", messages=len(self.outbox))

    def spawn(self, job: Coroutine[Any, Any, None]) -> None:
        """Run something beside; it ends with the station."""
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def say(self, call: Call | None, *, durable: bool = False) -> None:
        """Send a message in turn.

        While the boot is pending only what the server triggered is said, and at once.
        """
        if call is None:
            return
        if self.lifecycle.accepted or durable:
            self.outbox.put(Outgoing(build=lambda: call, durable=durable))
        elif self.link.is_open:
            self.spawn(self._say_now(call))

    def tell_status(self, evse: Evse) -> None:
        """StatusNotification for every connector of an EVSE; those beside the one in use cannot be used."""
        status, now = evse.status, self.now()
        for connector in evse.spec.connectors:
            beside = evse.car is not None and connector.id != evse.connector_id
            told = Status.UNAVAILABLE if beside and status is not Status.FAULTED else status
            self.say(self.wire.status(evse.id, connector.id, told, now, evse.fault))

    def tell_all(self) -> None:
        """The status of everything, after a boot or a reconnect."""
        self.say(self.wire.station_status(self.status, self.now()))
        for evse in self.evses:
            evse.tell(again=True)

    def notify(self, kind: str, **detail: object) -> None:
        """Tell the caller of the simulation."""
        self._notify(kind, self.spec.identity, detail)

    def reference(self, tx: Transaction) -> str:
        """How the server calls a transaction in charging profiles and stops."""
        return str(tx.number) if self.spec.version == "1.6" else tx.id

    async def _say_now(self, call: Call) -> None:
        try:
            await self.link.call(call)
        except (CallRefusedError, LinkLostError) as error:
            self.notify("unsaid", action=call.action, reason=str(error))

    def _answer(self, action: str, payload: Payload) -> Payload:
        """Answer the server; whatever it sends, the station lives on and says what is wrong."""
        try:
            answer = self.wire.answer(self, action, payload)
        except CallFaultError:
            raise
        except KeyError as error:
            raise CallFaultError("OccurrenceConstraintViolation", f"{error} is missing") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise CallFaultError("TypeConstraintViolation", str(error)) from error
        self.notify("called", action=action)
        return answer

    def _transaction_answered(self, event: TxEvent, payload: Payload) -> None:
        verdict = self.wire.transaction_answer(event, payload)
        if verdict is None or event.tx.token is None:
            return
        self.known.remember(event.tx.token.uid, verdict)
        evse = self.evses[event.tx.evse_id - 1]
        if not verdict.accepted and evse.tx is event.tx and self.device.switch("stop_on_invalid"):
            self.ticker.advance()
            evse.stop(Trigger.DEAUTHORIZED, StopReason.DEAUTHORIZED)

    def _nobody_came(self, evse: Evse, who: Authorisation) -> None:
        if evse.authorisation is who and evse.car is None:
            self.profiles.end_transaction(evse.id, "")
            evse.stop(Trigger.EV_CONNECT_TIMEOUT, StopReason.TIMEOUT)

    def _idle_reset(self) -> None:
        if any(evse.tx is not None for evse in self.evses):
            return
        self.idle.set()
        if self.reset_when_idle is not None:
            reset, self.reset_when_idle = self.reset_when_idle, None
            reset()


def _reserved_for(evse: Evse, token: TokenSpec, verdict: Verdict) -> bool:
    held = evse.reservation
    if held is None or held.token_uid == token.uid:
        return True
    return held.group is not None and held.group in (token.group, verdict.group)


def _factory_settings(spec: StationSpec, options: StationOptions) -> dict[str, str]:
    has_dc = any(evse.current == "DC" for evse in spec.evses)
    return {
        "sample_interval_s": str(options.sample_interval_s),
        "sampled_measurands": DC_MEASURANDS if has_dc else AC_MEASURANDS,
        "password": options.password or "",
        "identity": spec.identity,
        "connectors": str(len(spec.evses)),
        "security_profile": "2" if options.url.startswith("wss") else "1",
        "phase_rotation": ",".join(f"{evse.id}.RST" for evse in spec.evses),
        **dict(options.settings),
    }
