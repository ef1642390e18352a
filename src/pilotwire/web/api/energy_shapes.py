"""Shapes of energy management in the API."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from pilotwire.web.api.fields import Given, Line, Moment, Shown

__all__ = [
    "EnergyHistory",
    "EnergyLive",
    "EnergyOverride",
    "EnergyPlan",
    "EnergyProblem",
    "EnergySite",
    "Meter",
    "MeterTaken",
    "NewOverride",
    "NewReading",
    "NewReadings",
    "NewWish",
    "ProblemList",
    "SessionWish",
]


class EnergyProblem(Shown):
    """A fault of a tree, or with `severity` warning something to look at."""

    code: str = Field(examples=["no_limit"])
    where: str = Field(description="The node, EVSE or asset concerned.", examples=["grid"])
    message: str
    severity: Literal["error", "warning"]


class ProblemList(Shown):
    """What is wrong with a tree."""

    problems: list[EnergyProblem]


class EnergySite(Shown):
    """A site's energy tree. `derived`: nobody has given one, this is a proposal and nothing is done by it."""

    site_id: UUID
    enabled: bool
    derived: bool
    version: int
    changed_by: str
    changed_at: datetime | None
    tree: dict[str, Any] = Field(json_schema_extra={"allOf": [{"$ref": "#/components/schemas/EnergyTree"}]})
    problems: list[EnergyProblem]


class NewReading(Given):
    """What a meter said. Towards the loads is positive; a generator's or battery's power is positive towards the site."""

    at: Moment | None = Field(None, description="When it was measured; left out: now.")
    current_a: tuple[float, float, float] | None = Field(None, description="L1, L2 and L3, in A.")
    power_w: float | None = Field(None, description="In all, in W.")
    power_per_phase_w: tuple[float, float, float] | None = Field(
        None, description="L1, L2 and L3, in W; made into currents at 230 V where current_a is missing."
    )
    soc_percent: float | None = Field(None, ge=0, le=100, description="Charge of a battery.")


class NewReadings(Given):
    """Several readings; the newest is used."""

    readings: list[NewReading] = Field(min_length=1, max_length=1000)


class MeterTaken(Shown):
    """A reading was taken. `measures`: the nodes and assets of the meter."""

    meter: str
    measures: list[str]
    note: str = ""


class Meter(Shown):
    """A meter of a site's tree and its newest reading."""

    name: str
    measures: list[str]
    at: datetime | None
    received_at: datetime | None
    current_a: tuple[float, float, float] | None
    power_w: float | None
    soc_percent: float | None


class NewOverride(Given):
    """A limit for a time, of a node or of an EVSE."""

    node_id: str | None = Field(None, max_length=100)
    station_id: str | None = Field(None, max_length=200)
    evse_id: int | None = Field(None, ge=1, le=10_000)
    limit_a: float | None = Field(None, ge=0, le=100_000, allow_inf_nan=False)
    limit_w: float | None = Field(None, ge=0, le=1e10, allow_inf_nan=False)
    expires_at: Moment
    reason: Line = ""


class EnergyOverride(Shown):
    """A limit that somebody has set for a time."""

    id: UUID
    node_id: str | None
    station_id: str | None
    evse_id: int | None
    limit_a: float | None
    limit_w: float | None
    reason: str
    created_by: str
    created_at: datetime
    expires_at: datetime


class NewWish(Given):
    """What a session wants. What is left out is unsaid: as much as the car takes, until it leaves."""

    source: Literal["driver", "operator"] = "driver"
    energy_wh: float | None = Field(
        None, ge=0, le=10_000_000, description="In all, from the session's start."
    )
    departure_at: Moment | None = None
    priority: int | None = Field(None, ge=0, le=9, description="0 is served first; for operators.")


class SessionWish(Shown):
    """What a session wants in all, and what was said by whom."""

    session_id: UUID
    energy_wh: float | None
    departure_at: datetime | None
    priority: int | None
    said: dict[str, dict[str, Any]] = Field(description="By source: operator, driver, car.")


class _Open(BaseModel):
    """Made by the loops out of plain data."""

    model_config = ConfigDict(extra="forbid")


class Flows(_Open):
    """Where power flows, in W. The grid's is positive when bought, a battery's when it gives."""

    grid_w: float | None
    solar_w: float
    wind_w: float
    battery_w: float
    chargers_w: float
    base_w: float | None
    battery_soc_percent: float | None
    renewable_percent: float | None = Field(description="Share of sun and wind in what is used now.")


class PhaseState(_Open):
    """A phase of a node, in A. `reserve_a` is what is left below the limit after the margin."""

    phase: Literal["L1", "L2", "L3"]
    limit_a: float | None
    measured_a: float | None
    base_a: float
    allocated_a: float
    reserve_a: float | None


class NodeState(_Open):
    """A node with its phases. `trust` is how far its meter is believed."""

    id: str
    parent_id: str | None
    kind: str
    name: str
    trust: Literal["fresh", "frozen", "silent", "none"]
    limit_w: float | None
    allocated_w: float
    measured_w: float | None
    limit_reason: str = Field(description="Why the limit is tighter than the fuse: a schedule, an override.")
    phases: list[PhaseState]


class Sharer(_Open):
    """Another EVSE that uses the same limit."""

    key: str
    limit_a: float


class BindingLimit(_Open):
    """The limit that binds. `phase` None: a limit in W."""

    node_id: str
    phase: Literal["L1", "L2", "L3"] | None
    limit: float
    base: float
    used: float
    others: list[Sharer]


class EvseState(_Open):
    """An EVSE: what it may draw, what it draws, and why. `drive` says how the limit stands at its station."""

    key: str
    station_id: str
    evse_id: int
    node_id: str
    lines: list[Literal["L1", "L2", "L3"]]
    dc: bool
    connected: bool
    session_id: UUID | None
    limit_a: float
    limit_w: float
    planned_a: float | None
    drawn_a: list[float] | None
    drawn_w: float | None
    offline_bound_a: float
    reason: str = Field(examples=["fuse"])
    explanation: str
    binding: BindingLimit | None
    drive: Literal["idle", "sending", "confirmed", "rejecting", "ignoring", "offline", "unprepared"]
    drive_detail: str
    told_a: float | None = Field(description="What the station was told last.")
    external_limit_a: float | None
    override_a: float | None
    energy_wh: float | None
    wished_wh: float | None
    departure_at: datetime | None
    expected_departure_at: datetime | None = Field(
        None, description="When it is expected to leave: the quantile that the site's forecast policy names."
    )
    expected_wh: float | None = Field(None, description="How much it is expected to take in all.")


class BatteryState(_Open):
    """A battery now; powers are positive while it gives. `set_point_w` is what it was told, null: it does as it likes."""

    id: str
    name: str
    power_w: float | None
    soc_percent: float | None
    set_point_w: float | None
    planned_w: float | None
    state: Literal["uncontrolled", "failed", "free", "sending", "following", "ignoring"]
    why: Literal["plan", "buffer", "idle", "no_room", "unmetered", "empty", "full", "stale"] | None
    error: str


class EnergyLive(_Open):
    """A site as it is now."""

    site_id: UUID
    at: datetime
    version: int
    flows: Flows
    currency: str
    price_per_kwh: float | None
    month_peak_w: float
    nodes: list[NodeState]
    evses: list[EvseState]
    batteries: list[BatteryState]
    balance_ms: float


class EvsePlan(_Open):
    """What an EVSE is planned to draw in each step, in A per phase, and what will be missing at departure."""

    key: str
    session_id: str
    current_a: list[float]
    unmet_wh: float


class EnergyPlan(_Open):
    """A site's plan; every list has one value per step. Battery power is positive while it gives."""

    site_id: UUID
    at: datetime
    starts_at: list[datetime]
    steps_s: list[float]
    grid_w: list[float]
    base_w: list[float]
    chargers_w: list[float]
    generation_w: dict[str, list[float]]
    battery_w: dict[str, list[float]]
    price_per_kwh: list[float]
    evses: list[EvsePlan]
    peak_w: float
    cost: float
    currency: str
    optimal: bool
    plan_ms: float


class HistoryStep(Shown):
    """Means over a step."""

    at: datetime
    grid_w: float | None
    solar_w: float | None
    wind_w: float | None
    battery_w: float | None
    chargers_w: float | None
    base_w: float | None
    highest_grid_w: float | None
    battery_soc_percent: float | None
    price_per_kwh: float | None


class EnergyHistory(Shown):
    """A site's flows in the past."""

    step_s: int
    items: list[HistoryStep]
