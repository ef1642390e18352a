"""An EVSE: plug, authorisation, transaction, meter.

A state machine without a clock, a socket or a version.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pilotwire.simulator.car import Car, Flow, Offer
from pilotwire.simulator.model import EvseSpec, TokenSpec
from pilotwire.simulator.profiles import Limit
from pilotwire.simulator.states import (
    ChargingState,
    Context,
    EventKind,
    Fault,
    Reading,
    Reservation,
    Status,
    StopReason,
    Transaction,
    Trigger,
    TxEvent,
)


class Host(Protocol):
    """What an EVSE needs of its station."""

    def now(self) -> datetime:
        """Time on the wire."""

    def is_online(self) -> bool:
        """Whether messages reach the server at present."""

    def limit_for(self, evse: Evse) -> Limit:
        """What the charging profiles allow at present."""

    def start_points(self) -> frozenset[str]:
        """Of `Authorized`, `EVConnected`, `PowerPathClosed`: any of them begins a transaction."""

    def stop_points(self) -> frozenset[str]:
        """Of the same: the end of any of them ends a transaction."""

    def status_changed(self, evse: Evse) -> None:
        """The status of a connector is another one."""

    def transaction_event(self, event: TxEvent) -> None:
        """Something happened that the server must hear of."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Who may charge here now."""

    token: TokenSpec
    trigger: Trigger
    remote_start_id: int | None = None


class Evse:
    """One EVSE and the car at it."""

    def __init__(self, spec: EvseSpec, host: Host, register_wh: float | None = None) -> None:
        self.spec = spec
        self.register_wh = float(spec.register_wh if register_wh is None else register_wh)
        self.car: Car | None = None
        self.connector_id = spec.connectors[0].id
        self.flow = Flow.none(spec.current, spec.phases)
        self.tx: Transaction | None = None
        self.authorisation: Authorisation | None = None
        self.operative = True
        self.operative_later: bool | None = None
        self.fault: Fault | None = None
        self.reservation: Reservation | None = None
        self.offered_w = 0.0
        self._host = host
        self._state = ChargingState.IDLE
        self._finished = False
        self._told: Status | None = None

    # what it is

    @property
    def id(self) -> int:
        """Its number in the station."""
        return self.spec.id

    @property
    def state(self) -> ChargingState:
        """State of charging."""
        return self._state

    @property
    def status(self) -> Status:
        """Status of its connector in use (or of all, when none is)."""
        if self.fault is not None:
            return Status.FAULTED
        if self.car is None:
            if not self.operative:
                return Status.UNAVAILABLE
            if self.authorisation is not None:
                return Status.PREPARING
            return Status.RESERVED if self.reservation is not None else Status.AVAILABLE
        if self._state in (ChargingState.CHARGING, ChargingState.SUSPENDED_EV, ChargingState.SUSPENDED_EVSE):
            return Status(self._state.value)
        return Status.FINISHING if self._finished else Status.PREPARING

    @property
    def free(self) -> bool:
        """Whether a car could come and charge."""
        return (
            self.car is None
            and self.operative
            and self.fault is None
            and self.tx is None
            and self.authorisation is None
        )

    @property
    def active(self) -> bool:
        """Whether time matters here: energy may flow or samples are due."""
        return self.tx is not None or self.flow.power_w > 0

    @property
    def charging_allowed(self) -> bool:
        """Whether the power path may close."""
        return (
            self.tx is not None
            and self.authorisation is not None
            and self.car is not None
            and self.fault is None
        )

    def reading(self, context: Context, at: datetime | None = None) -> Reading:
        """What the meter shows now."""
        car = self.car
        dc_car = car if self.spec.current == "DC" and self.tx is not None else None
        power_share = self.flow.power_w / self.spec.max_power_w
        return Reading(
            at=at or self._host.now(),
            context=context,
            kind=self.spec.current,
            register_wh=int(self.register_wh + 1e-6),
            power_w=self.flow.power_w,
            currents_a=self.flow.currents_a,
            voltages_v=self.flow.voltages_v,
            offered_w=self.offered_w,
            soc_percent=None if dc_car is None else dc_car.soc_percent,
            temperature_c=round(22.0 + 24.0 * power_share, 1),
        )

    # what people do

    def plug(self, car: Car, connector_id: int | None = None) -> None:
        """A car is plugged in."""
        if self.car is not None:
            raise ValueError("a car is plugged in already")
        self.car = car
        self.connector_id = connector_id or self.spec.connectors[0].id
        self._finished = False
        self._state = ChargingState.EV_CONNECTED
        if self.tx is not None:
            self._emit("updated", Trigger.CABLE_PLUGGED_IN)
        elif self._may_begin():
            self._begin(Trigger.CABLE_PLUGGED_IN)
        self.tell()

    def unplug(self) -> None:
        """The car leaves."""
        if self.car is None:
            return
        self.flow = Flow.none(self.spec.current, self.spec.phases)
        self.car = None
        self._finished = False
        self._state = ChargingState.IDLE
        if self.tx is not None:
            self._end(Trigger.EV_DEPARTED, StopReason.EV_DISCONNECTED)
        self.authorisation = None
        self.settle()

    def authorise(self, who: Authorisation) -> None:
        """Someone may charge; the transaction begins as soon as its start point is reached."""
        self.authorisation = who
        if self.reservation is not None and self._covers(self.reservation, who.token):
            reservation, self.reservation = self.reservation, None
        else:
            reservation = None
        if self.tx is not None:
            self.tx.token = who.token
            self.tx.remote_start_id = who.remote_start_id
            self._emit("updated", who.trigger, token=who.token)
        elif self._may_begin():
            self._begin(who.trigger, reservation)
        self._finished = False
        self.tell()

    def stop(self, trigger: Trigger, reason: StopReason, token: TokenSpec | None = None) -> None:
        """Charging is over by someone's wish; the car stays plugged."""
        self.flow = Flow.none(self.spec.current, self.spec.phases)
        self.authorisation = None
        if self.car is not None:
            self._state = ChargingState.EV_CONNECTED
            self._finished = True
        if self.tx is not None:
            wished = reason in (StopReason.LOCAL, StopReason.REMOTE)
            if wished and "Authorized" not in self._host.stop_points():
                self._emit("updated", trigger, token=token)
            else:
                self._end(trigger, reason, token)
        self.settle()

    def fail(self, fault: Fault) -> None:
        """Something breaks; energy stops at once."""
        self.fault = fault
        if fault.ends_session and self.tx is not None:
            self.stop(Trigger.ABNORMAL, StopReason.FAULT)
        self.flow = Flow.none(self.spec.current, self.spec.phases)
        if not fault.ends_session and self.tx is not None and self.car is not None:
            self._state = ChargingState.SUSPENDED_EVSE
        self.tell()

    def recover(self) -> None:
        """The fault is gone."""
        self.fault = None
        self.settle()

    # time

    def offer(self) -> Offer:
        """What the hardware and the profiles let the car take now."""
        spec = self.spec
        limit = self._host.limit_for(self)
        phases = min(spec.phases, limit.phases if limit.phases is not None else spec.phases)
        power_w = float(spec.max_power_w) if limit.power_w is None else min(spec.max_power_w, limit.power_w)
        current_a = (
            spec.max_current_a if limit.current_a is None else min(spec.max_current_a, limit.current_a)
        )
        if spec.current == "DC" and limit.current_a is not None:
            # A limit in amperes for a DC station speaks of the mains side, three phases of it.
            power_w = min(power_w, limit.in_unit("W", 3, Limit(power_w=power_w)))
            current_a = spec.max_current_a
        return Offer(spec.current, max(0.0, current_a), max(0.0, power_w), max(0, phases))

    def step(self, dt_s: float) -> None:
        """Let time pass: energy flows, the state follows."""
        car, tx = self.car, self.tx
        if car is None or tx is None or not self.charging_allowed:
            return
        offer = self.offer()
        flow = car.step(dt_s, offer)
        # A phase that the limit excludes still belongs to the meter.
        missing = self.spec.phases - len(flow.currents_a) if self.spec.current == "AC" else 0
        if missing > 0:
            volts = car.phase_voltages_v[: self.spec.phases]
            flow = Flow(flow.power_w, flow.energy_wh, flow.currents_a + (0.0,) * missing, volts)
        self.flow = flow
        self.offered_w = 0.0 if offer.pauses else offer.power_w
        self.register_wh += flow.energy_wh
        if flow.power_w > 0:
            tx.charging_s += dt_s
        state = ChargingState.CHARGING
        if offer.pauses:
            state = ChargingState.SUSPENDED_EVSE
        elif flow.power_w <= 0 or car.full:
            state = ChargingState.SUSPENDED_EV
            self.flow = Flow.none(self.spec.current, self.spec.phases)
        if state is not self._state:
            self._state = state
            self._emit("updated", Trigger.CHARGING_STATE_CHANGED)
            self.tell()

    def sample(self, context: Context, trigger: Trigger) -> None:
        """Report the meter within the transaction."""
        if self.tx is not None:
            self._emit("updated", trigger, context=context)

    def resume(self) -> None:
        """Say that a transaction goes on after a reset."""
        if self.tx is not None:
            self._emit("updated", Trigger.RESUMED)

    # inside

    def settle(self) -> None:
        """Apply what had to wait until the EVSE was free, and tell the status."""
        if self.operative_later is not None and self.tx is None:
            self.operative, self.operative_later = self.operative_later, None
        self.tell()

    def tell(self, *, again: bool = False) -> None:
        """Tell the status if it changed, or `again` after a reconnect."""
        status = self.status
        if again or status is not self._told:
            self._told = status
            self._host.status_changed(self)

    def _covers(self, reservation: Reservation, token: TokenSpec) -> bool:
        return reservation.token_uid == token.uid or (
            reservation.group is not None and reservation.group == token.group
        )

    def _may_begin(self) -> bool:
        reached = set()
        if self.car is not None:
            reached.add("EVConnected")
        if self.authorisation is not None:
            reached.add("Authorized")
        if len(reached) == 2:
            reached.add("PowerPathClosed")
        return bool(reached & self._host.start_points())

    def _begin(self, trigger: Trigger, reservation: Reservation | None = None) -> None:
        who = self.authorisation
        now = self._host.now()
        reading = self.reading("Transaction.Begin", now)
        self.tx = Transaction(
            id=str(uuid.uuid4()),
            evse_id=self.id,
            connector_id=self.connector_id,
            started_at=now,
            start_wh=reading.register_wh,
            token=who.token if who else None,
            remote_start_id=who.remote_start_id if who else None,
            reservation_id=reservation.id if reservation else None,
        )
        self._emit("started", trigger, token=self.tx.token, reading=reading)

    def _end(self, trigger: Trigger, reason: StopReason, token: TokenSpec | None = None) -> None:
        self._emit("ended", trigger, token=token, reason=reason, context="Transaction.End")
        self.tx = None

    def _emit(
        self,
        kind: EventKind,
        trigger: Trigger,
        *,
        token: TokenSpec | None = None,
        reason: StopReason | None = None,
        context: Context | None = None,
        reading: Reading | None = None,
    ) -> None:
        tx = self.tx
        if tx is None:
            raise ValueError("no transaction to tell of")
        if reading is None and context is not None:
            reading = self.reading(context)
        event = TxEvent(
            kind=kind,
            tx=tx,
            seq_no=tx.seq_no,
            at=reading.at if reading else self._host.now(),
            trigger=trigger,
            state=self._state,
            reading=reading,
            offline=not self._host.is_online(),
            token=token,
            stop_reason=reason,
            charging_s=int(tx.charging_s),
            phases=sum(1 for current in self.flow.currents_a if current > 0),
        )
        tx.seq_no += 1
        self._host.transaction_event(event)
