"""What an EVSE can be and what can happen in a transaction, without the spelling of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pilotwire.simulator.model import CurrentKind, TokenSpec


class Status(StrEnum):
    """Status of a connector; 2.x folds the charging ones into Occupied."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargingState(StrEnum):
    """State of charging within a transaction (2.x)."""

    IDLE = "Idle"
    EV_CONNECTED = "EVConnected"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"


class Trigger(StrEnum):
    """Why a transaction event is sent (2.x)."""

    AUTHORIZED = "Authorized"
    CABLE_PLUGGED_IN = "CablePluggedIn"
    CHARGING_STATE_CHANGED = "ChargingStateChanged"
    METER_PERIODIC = "MeterValuePeriodic"
    METER_CLOCK = "MeterValueClock"
    TRIGGERED = "Trigger"
    REMOTE_START = "RemoteStart"
    REMOTE_STOP = "RemoteStop"
    STOP_AUTHORIZED = "StopAuthorized"
    DEAUTHORIZED = "Deauthorized"
    EV_DEPARTED = "EVDeparted"
    EV_CONNECT_TIMEOUT = "EVConnectTimeout"
    EV_COMMUNICATION_LOST = "EVCommunicationLost"
    UNLOCK = "UnlockCommand"
    RESET = "ResetCommand"
    ABNORMAL = "AbnormalCondition"
    RESUMED = "TxResumed"


class StopReason(StrEnum):
    """Why a transaction ended."""

    LOCAL = "local"
    REMOTE = "remote"
    EV_DISCONNECTED = "ev_disconnected"
    DEAUTHORIZED = "deauthorized"
    POWER_LOSS = "power_loss"
    HARD_RESET = "hard_reset"
    SOFT_RESET = "soft_reset"
    UNLOCK = "unlock"
    EMERGENCY_STOP = "emergency_stop"
    FAULT = "fault"
    TIMEOUT = "timeout"


EventKind = Literal["started", "updated", "ended"]
Context = Literal[
    "Transaction.Begin", "Transaction.End", "Sample.Periodic", "Sample.Clock", "Trigger", "Other",
    "Interruption.Begin", "Interruption.End",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter of an EVSE shows. `register_wh` is the lifetime register, whole Wh rounded down."""

    at: datetime
    context: Context
    kind: CurrentKind
    register_wh: int
    power_w: float
    currents_a: tuple[float, ...]
    voltages_v: tuple[float, ...]
    offered_w: float
    soc_percent: float | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure of a connector. `code` is an error code of 1.6."""

    code: str
    info: str
    ends_session: bool = True


@dataclass(frozen=True, slots=True)
class Reservation:
    """A right to an EVSE (0: any) until a moment."""

    id: int
    evse_id: int
    token_uid: str
    group: str | None
    expires_at: datetime


@dataclass(slots=True)
class Transaction:
    """A transaction as the station knows it.

    `id` is its own name for it (2.x); `number` is the server's (1.6).
    """

    id: str
    evse_id: int
    connector_id: int
    started_at: datetime
    start_wh: int
    token: TokenSpec | None = None
    number: int | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seq_no: int = 0
    charging_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TxEvent:
    """One happening of a transaction, to be told to the server in order."""

    kind: EventKind
    tx: Transaction
    seq_no: int
    at: datetime
    trigger: Trigger
    state: ChargingState
    reading: Reading | None
    offline: bool
    token: TokenSpec | None = None
    stop_reason: StopReason | None = None
    charging_s: int = 0
    phases: int = 0
