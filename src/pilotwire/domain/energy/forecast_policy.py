"""What a site does with the forecasts that are made of it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["ForecastGiven", "StayUse"]

StayUse = Literal["off", "missing", "instead"]
"""`missing`: a forecast stands in for what nobody has said; `instead`: also for what the driver or the car has said."""


class ForecastGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the plan uses forecasts.

    `load` and `generation`: it reckons with the forecast medians of other loads and of sun and wind. `departure_quantile` is
    the part of the cars that have left before the deadline it reckons with: a low one is on the safe side.
    """

    load: bool = True
    generation: bool = True
    departures: StayUse = "missing"
    departure_quantile: Annotated[float, Meta(ge=0.05, le=0.9)] = 0.25
    energies: StayUse = "missing"
    energy_quantile: Annotated[float, Meta(ge=0.05, le=0.95)] = 0.6
