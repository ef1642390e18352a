"""What goes into the two loops and what comes out of them, as plain data."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from pilotwire.domain.energy.model import Phase, PhaseAmps

__all__ = [
    "Allocation",
    "Balance",
    "Binding",
    "Car",
    "CarPlan",
    "MeterReading",
    "Moment",
    "Plan",
    "PlanRequest",
    "Reason",
    "Series",
    "Trust",
]


class Car(msgspec.Struct, frozen=True, kw_only=True):
    """A session at an EVSE and what its car wants.

    `energy_wh` is what it still wants (None: as much as it takes), `departs_s` until when (None: unknown). A lower `tier`
    is served first, whatever the rest wait for; `weight` divides the power within a tier. `drawn_a` is what the EVSE's
    own L1, L2, L3 were seen to draw at `drawn_at_s`, None when nothing tells. `max_a` and `min_a` are those of the car
    and cable where known. `wants_power` False: full, or paused by the car.
    """

    session_id: str
    evse_id: str
    connected_s: float
    energy_wh: float | None = None
    departs_s: float | None = None
    tier: int = 0
    weight: float = 1.0
    min_a: float | None = None
    max_a: float | None = None
    drawn_a: tuple[float, ...] | None = None
    drawn_at_s: float | None = None
    wants_power: bool = True
    phases_used: tuple[bool, ...] | None = None
    """Which of the EVSE's conductors the car uses, once it was seen to charge; None counts all of them."""
    max_discharge_w: float = 0.0
    capacity_wh: float | None = None
    soc: float | None = None


class MeterReading(msgspec.Struct, frozen=True):
    """What the meter of a node said: current per phase, positive towards the loads."""

    at_s: float
    current_a: PhaseAmps


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """All that the balancing loop is told at one moment.

    `may_draw_a` names, per EVSE, the highest limit that its station may be acting upon now: the largest of the confirmed
    one and of those sent but not confirmed. EVSEs that are missing count with what they were given last; every EVSE counts
    at least with its offline bound. `delivered_w` is what batteries under a node were told and measured to give:
    chargers may use it beyond the fuse. `offline` are the EVSEs that cannot be told anything now. `planned_a` is what the
    plan would give; it weighs, and never permits. `overrides_a` are ceilings set by people.

    `excess_a` is by how much an EVSE was seen to draw more than its limit, as one does that rounds up: it counts on top of
    whatever it is given. `stuck` are those that are not seen to follow: what they are told is worth nothing for now, so they
    count with `may_draw_a`, and the others live on what that leaves.
    """

    at_s: float
    cars: tuple[Car, ...] = ()
    meters: Mapping[str, MeterReading] = {}
    may_draw_a: Mapping[str, float] = {}
    delivered_w: Mapping[str, float] = {}
    offline: frozenset[str] = frozenset()
    planned_a: Mapping[str, float] = {}
    overrides_a: Mapping[str, float] = {}
    excess_a: Mapping[str, float] = {}
    stuck: frozenset[str] = frozenset()


class Reason(StrEnum):
    """Why an EVSE got what it got: what would have to change for it to get more."""

    NO_CAR = "no_car"
    """Nothing is plugged in; it keeps its offline bound."""
    EVSE = "evse"
    """It has all that the EVSE, the cable or the car can take."""
    CAR = "car"
    """The car takes no more than this; the rest was given to others, and is offered again from time to time."""
    FULL = "full"
    """The car wants nothing."""
    FUSE = "fuse"
    """A limit of the tree is used up; `binding` names it."""
    QUEUE = "queue"
    """It waits: the limit in `binding` does not leave the least current that a car needs."""
    PAUSE = "pause"
    """It waits for its shortest pause to end."""
    PLAN = "plan"
    """The plan gives it this much now and the rest later: cheaper, or better for all."""
    RAMP = "ramp"
    """It is rising; or it waits until others have confirmed that they draw less."""
    STALE = "stale"
    """A meter is silent: not raised, later held to what is safe without the meter."""
    OFFLINE = "offline"
    """The station is away: it draws by itself what it was last told, then its offline bound."""
    OVERRIDE = "override"
    """A person has set a ceiling."""


class Trust(StrEnum):
    """How far the meters of a node are believed."""

    FRESH = "fresh"
    FROZEN = "frozen"
    SILENT = "silent"


class Binding(msgspec.Struct, frozen=True):
    """The limit that stops an EVSE from getting more, and who else uses it.

    `phase` is None for a limit in W. `used` includes the base load; unit is A, or W when `phase` is None. `others` are the
    EVSEs that share it, largest first, with what they are allowed.
    """

    node_id: str
    phase: Phase | None
    limit: float
    base: float
    used: float
    others: tuple[tuple[str, float], ...] = ()


class Allocation(msgspec.Struct, frozen=True):
    """What one EVSE may draw from now on: A per conductor, and the same in W for stations that are told W."""

    evse_id: str
    limit_a: float
    limit_w: float
    reason: Reason
    binding: Binding | None = None
    planned_a: float | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What the balancing loop decided: one allocation per EVSE, in the order of the site, and the state of its meters.

    `leans`: more is given than fuses bear without what batteries deliver. `overdrawn`: by what stations say that they draw,
    a limit is exceeded now, whether a meter sees it or not.
    """

    at_s: float
    allocations: tuple[Allocation, ...]
    trust: Mapping[str, Trust]
    leans: bool = False
    overdrawn: bool = False


class Series(msgspec.Struct, frozen=True):
    """A forecast: `values[k]` is the mean from `starts_s + k * step_s` on; beyond its end the last value holds."""

    starts_s: float
    step_s: float
    values: tuple[float, ...]


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the planning loop is told.

    `base_w` forecasts the load other than chargers by node, `generation_w` by generator. `prices` overrides the contract's
    (day-ahead, price per kWh). `peak_w` is this month's highest demand so far, `battery_soc` the present charge by battery.
    `unmet_price_per_kwh` says what a kWh missing at departure is worth: far above any price, so that money never wins.
    """

    at_s: float
    cars: tuple[Car, ...] = ()
    base_w: Mapping[str, Series] = {}
    generation_w: Mapping[str, Series] = {}
    prices: Series | None = None
    peak_w: float = 0.0
    battery_soc: Mapping[str, float] = {}
    unmet_price_per_kwh: float = 10.0


class CarPlan(msgspec.Struct, frozen=True):
    """The planned currents of one EVSE, A per conductor in each step, and what will be missing when its car leaves."""

    evse_id: str
    session_id: str
    current_a: tuple[float, ...]
    unmet_wh: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan: `starts_s[k]` begins step k of length `steps_s[k]`; one series of W per asset and for the connection."""

    at_s: float
    starts_s: tuple[float, ...]
    steps_s: tuple[float, ...]
    cars: tuple[CarPlan, ...]
    grid_w: tuple[float, ...]
    battery_w: Mapping[str, tuple[float, ...]]
    """Positive while charging."""
    generation_w: Mapping[str, tuple[float, ...]]
    peak_w: float
    cost: float
    """Of energy, feed-in and the rise of the month's peak; not of unmet energy."""
    optimal: bool
