"""What stations say of charging, free of any OCPP version."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from pilotwire.domain.access.model import TokenAnswer

__all__ = ["Phase", "Sample", "SamplesReported", "SessionAnswer", "SessionEvent"]


class Phase(StrEnum):
    """Where in a session's life an event stands; `settled` is no station's word but ours."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"
    SETTLED = "settled"


class Sample(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a meter read at one moment.

    Units: Wh of the import register, W of import (negative: export), A and V per phase, percent of charge.
    """

    at: datetime
    context: str | None = None
    energy_wh: Decimal | None = None
    power_w: float | None = None
    current_l1_a: float | None = None
    current_l2_a: float | None = None
    current_l3_a: float | None = None
    voltage_l1_v: float | None = None
    voltage_l2_v: float | None = None
    voltage_l3_v: float | None = None
    soc_percent: float | None = None
    other: str | None = None
    """Every other reading, as a JSON list; signed values among them."""


class SessionEvent(msgspec.Struct, frozen=True, gc=False):
    """A session begins, goes on or ends.

    `transaction_ref` is None for a start that we are to number (1.6). `seq_no` is None where the protocol has
    none (1.6): then the start is known by its content and the end by its reference.
    Spec: OCPP 1.6 4.8, 4.10; 2.0.1 E01-E08.
    """

    phase: Phase
    transaction_ref: str | None
    at: datetime
    seq_no: int | None = None
    evse_no: int | None = None
    connector_no: int | None = None
    token_uid: str | None = None
    meter_wh: Decimal | None = None
    """The register at the start or the end where it is said apart from the samples (1.6)."""
    samples: tuple[Sample, ...] = ()
    trigger: str | None = None
    charging_state: str | None = None
    stop_reason: str | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None


class SamplesReported(msgspec.Struct, frozen=True, gc=False):
    """Meter samples outside a session event. Spec: OCPP 1.6 4.7; 2.0.1 J01."""

    evse_no: int
    connector_no: int
    transaction_ref: str | None
    samples: tuple[Sample, ...]
    in_session: bool = True
    """Whether samples without a reference belong to the running session. In 2.x they do not (J01.FR.01)."""


class SessionAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a station is told about a session event."""

    transaction_ref: str
    token: TokenAnswer | None = None
