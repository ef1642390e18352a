"""The shape of where energy came from, for sites and for sessions."""

from typing import Any

from pydantic import Field

from pilotwire.web.api.fields import Shown

__all__ = ["Origin", "show_origin", "show_rest"]

_AMOUNTS = ("energy_wh", "unknown_wh", "solar_wh", "wind_wh", "battery_wh", "grid_wh", "renewable_wh")


class Origin(Shown):
    """Where energy came from: `energy_wh` is the sum of `solar_wh`, `wind_wh`, `battery_wh`, `grid_wh` and `unknown_wh`."""

    energy_wh: float
    solar_wh: float
    wind_wh: float
    battery_wh: float = Field(description="By way of the site's battery, whatever filled it.")
    grid_wh: float
    unknown_wh: float = Field(description="Taken while nobody measured the grid connection.")
    renewable_wh: float = Field(description="Sun and wind of the site, also those kept in its battery.")
    renewable_percent: float | None = Field(description="Of what is known.")
    co2_g: float | None = Field(description="By the grid's average intensity; null where none is known.")
    co2_known_wh: float = Field(description="The part of the energy that `co2_g` covers.")
    marginal_co2_g: float | None = Field(description="By the grid's marginal intensity.")
    marginal_co2_known_wh: float


def show_origin(row: Any) -> Origin:
    """Give the sums the API's shape; None is nothing at all."""
    if row is None:
        return _made(dict.fromkeys(_AMOUNTS, 0.0), None, 0.0, (None, 0.0))
    amounts = {name: float(getattr(row, name)) for name in _AMOUNTS}
    return _made(amounts, row.average_g, row.average_wh, (row.marginal_g, row.marginal_wh))


def show_rest(whole: Origin, part: Origin) -> Origin:
    """Give what is left of the whole without a part."""
    amounts = {name: max(0.0, getattr(whole, name) - getattr(part, name)) for name in _AMOUNTS}
    grams = [
        None if total is None else max(0.0, total - (getattr(part, name) or 0.0))
        for name in ("co2_g", "marginal_co2_g")
        for total in (getattr(whole, name),)
    ]
    known = [
        max(0.0, getattr(whole, name) - getattr(part, name))
        for name in ("co2_known_wh", "marginal_co2_known_wh")
    ]
    return _made(amounts, grams[0], known[0], (grams[1], known[1]))


def _made(
    amounts: dict[str, float], co2_g: float | None, known_wh: float, marginal: tuple[float | None, float]
) -> Origin:
    sure = amounts["energy_wh"] - amounts["unknown_wh"]
    percent = None if sure <= 0.05 else round(min(100.0, amounts["renewable_wh"] / sure * 100), 1)
    return Origin(
        **{name: round(value, 1) for name, value in amounts.items()},
        renewable_percent=percent,
        co2_g=None if co2_g is None else round(co2_g, 1),
        co2_known_wh=round(known_wh, 1),
        marginal_co2_g=None if marginal[0] is None else round(marginal[0], 1),
        marginal_co2_known_wh=round(marginal[1], 1),
    )
