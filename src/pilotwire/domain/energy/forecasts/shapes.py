"""What forecasts are made from and what they are, as plain data."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from pilotwire.domain.energy.forecasts.trees import Ensemble

__all__ = [
    "SERIES_QUANTILES",
    "SERIES_TARGETS",
    "STAY_QUANTILES",
    "STAY_TARGETS",
    "STEP_S",
    "TARGETS",
    "Errors",
    "Method",
    "Model",
    "Place",
    "PlainTable",
    "SeriesPast",
    "SitePast",
    "StayPast",
    "Target",
]

Target = Literal["base_w", "solar_w", "wind_w", "arrivals", "stay_h", "energy_wh"]
SERIES_TARGETS: tuple[Target, ...] = ("base_w", "solar_w", "wind_w", "arrivals")
STAY_TARGETS: tuple[Target, ...] = ("stay_h", "energy_wh")
TARGETS = SERIES_TARGETS + STAY_TARGETS
Method = Literal["boosted", "plain", "none"]
"""Which model is used; `none`: there is too little past for either."""

SERIES_QUANTILES = (0.1, 0.5, 0.9)
STAY_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
STEP_S = 3600.0
"""The series go by whole hours of UTC."""


class Place(msgspec.Struct, frozen=True):
    """Where a site is; degrees, and the name of its time zone."""

    time_zone: str
    latitude: float | None = None
    longitude: float | None = None


class SeriesPast(msgspec.Struct, frozen=True):
    """The means of the hours from `starts_s` on; None where nothing is known."""

    starts_s: float
    values: list[float | None]


class StayPast(msgspec.Struct, frozen=True):
    """One past session. `driver` is a digest of its token; empty where there was none."""

    began_s: float
    stay_h: float
    energy_wh: float
    driver: str = ""
    power_w: float = 0.0
    """The most that its EVSE gives."""


class SitePast(msgspec.Struct, frozen=True):
    """All that a site's models are fitted on."""

    place: Place
    series: dict[str, SeriesPast]
    stays: list[StayPast]


class Errors(msgspec.Struct, frozen=True):
    """How wrong a model was on the later part of the past, which it had not seen.

    `pinball` is the mean loss over all quantiles, `mae` the mean error of the median, `inside` the part of the true values
    between the lowest and the highest quantile. Units: those of the target.
    """

    pinball: float
    mae: float
    inside: float


class PlainTable(msgspec.Struct, frozen=True):
    """Quantiles by hour: `rows[kind][hour]` has one value per quantile; `kind` 0 is a working day, 1 a weekend."""

    rows: list[list[list[float]]]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model of one target. `least` and `most` bound what it may say; `widen` is by how much of its own width the
    band between the outer quantiles grows on either side, so that it holds as much as it says."""

    target: Target
    method: Method
    quantiles: tuple[float, ...]
    samples: int
    needed: int = 0
    """So many samples would be enough for the boosted model."""
    since_s: float = 0.0
    until_s: float = 0.0
    errors: Mapping[str, Errors] = {}
    """By method."""
    ensembles: list[Ensemble] = []
    plain: PlainTable | None = None
    drivers: Mapping[str, tuple[float, float, int]] = {}
    """By digest: the median stay in h, the median energy in Wh, how many sessions."""
    least: float = 0.0
    most: float = 0.0
    widen: float = 0.0
