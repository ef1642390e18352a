"""What energy management asks of those that run it and of the stations' edge."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from pilotwire.domain.energy.exchange import Plan, PlanRequest, Series
from pilotwire.domain.energy.forecasts.shapes import Model, SitePast
from pilotwire.domain.operations.model import Order, Readiness, Reply

__all__ = [
    "ChargingAbilities",
    "EnergyView",
    "Forecasts",
    "ModelFitter",
    "NoForecasts",
    "PlanSolver",
    "ProfileDesk",
    "SiteForecast",
]


class ChargingAbilities(msgspec.Struct, frozen=True, kw_only=True):
    """How a model of station takes charging profiles; the defaults are for one that follows the specification.

    Each field is what experience with the model has shown; `units` and `purposes` are in the order in which they are tried.
    """

    units: tuple[Literal["a", "w"], ...] = ("a", "w")
    purposes: tuple[Literal["session", "default", "station"], ...] = ("session", "default", "station")
    most_stack_level: int = 10
    relative_only: bool = False
    """It takes profiles of the kind `relative` only."""
    most_periods: int = 24
    steps_a: tuple[float, ...] = ()
    """The only currents that it takes besides 0."""
    zero_ends_session: bool = False
    """A limit of 0 (or below 6 A) ends the transaction: it is given its least current instead of a pause."""
    names: tuple[str, ...] = ()
    """The quirks that led to this."""


class SiteForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected at a site: load besides chargers by node, generation by generator, prices. What is empty or None
    is not known, and the present goes on."""

    base_w: Mapping[str, Series] = {}
    generation_w: Mapping[str, Series] = {}
    prices: Series | None = None


class PlanSolver(Protocol):
    """Plans a site ahead."""

    def solve(self, request: PlanRequest) -> Plan:
        """Plan from the moment of the request on; runs in a thread, one call at a time."""
        ...


class Forecasts(Protocol):
    """Tells what is expected at a site."""

    async def forecast(self, tenant_id: int, site_id: UUID, at_s: float) -> SiteForecast:
        """Give what is expected from a moment on."""
        ...


class ModelFitter(Protocol):
    """Fits the models of sites, away from the event loop."""

    def fit(self, pasts: AsyncIterator[SitePast]) -> AsyncGenerator[list[Model], None]:
        """Give the models of one site after the other, in their order. Raises: RuntimeError, TimeoutError."""
        ...


class NoForecasts:
    """Knows nothing of the future."""

    async def forecast(self, tenant_id: int, site_id: UUID, at_s: float) -> SiteForecast:
        """Say that nothing is known."""
        del tenant_id, site_id, at_s
        return SiteForecast()


class ProfileDesk(Protocol):
    """Speaks charging profiles to stations; the stations' edge is one."""

    def readiness(self, station_id: int) -> Readiness:
        """Tell whether a command can go out now."""
        ...

    def abilities(self, station_id: int) -> ChargingAbilities | None:
        """Tell how a connected station takes charging profiles; None when it is not connected."""
        ...

    async def send(self, station_id: int, order: Order) -> Reply:
        """Send a command and wait for the answer. Raises: see CommandDesk."""
        ...


class EnergyView(Protocol):
    """What the runner of the loops tells of a site. Every figure is of this moment, nothing is read from the database."""

    def live(self, tenant_id: int, site_id: UUID) -> dict[str, Any] | None:
        """Give flows, nodes and EVSEs; None where no loop runs."""
        ...

    def plan(self, tenant_id: int, site_id: UUID) -> dict[str, Any] | None:
        """Give the newest plan; None where there is none."""
        ...
