"""Where power flows at a site, worked out from what meters and stations have said lately."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilotwire.domain.energy.definition import per_phase
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.model import GeneratorKind, Metering

if TYPE_CHECKING:
    from pilotwire.jobs.energy.site import SiteLoop

__all__ = ["Flows", "asset_w", "drawn_w", "flows_of", "power_of"]

_VOLTAGE_V = 230.0
_FRESH_S = 60.0


@dataclass(slots=True)
class Flows:
    """Where power flows, in W; the grid's is positive when bought, a battery's when it gives."""

    grid_w: float | None = None
    solar_w: float = 0.0
    wind_w: float = 0.0
    battery_w: float = 0.0
    chargers_w: float = 0.0
    base_w: float | None = None
    battery_soc_percent: float | None = None


def flows_of(site: "SiteLoop", now_s: float) -> Flows:
    """Work out where power flows, from what meters and stations have said lately."""
    flows = Flows(chargers_w=sum(drawn_w(site, key, now_s) or 0.0 for key in site.plugged))
    for generator in site.tree.generators:
        power = max(0.0, asset_w(site, generator.meter, now_s))
        if generator.kind is GeneratorKind.WIND:
            flows.wind_w += power
        else:
            flows.solar_w += power
    charge = []
    for battery in site.tree.batteries:
        flows.battery_w += asset_w(site, battery.meter, now_s)
        heard = site.readings.get(battery.meter or "")
        if heard is not None and heard[1].soc_percent is not None:
            charge.append((battery.capacity_wh, heard[1].soc_percent))
    if charge:
        flows.battery_soc_percent = sum(size * soc for size, soc in charge) / sum(size for size, _ in charge)
    made = flows.solar_w + flows.wind_w + flows.battery_w
    root = next((node for node in site.tree.nodes if node.parent_id is None), None)
    heard = None if root is None or root.metering is Metering.NONE else site.readings.get(root.meter or "")
    if root is not None and heard is not None and now_s - heard[0] < 2 * _FRESH_S:
        measured = power_of(heard[1])
        if root.metering is Metering.TOTAL:
            flows.grid_w = measured
            flows.base_w = measured - flows.chargers_w + made
        else:
            flows.grid_w = measured + flows.chargers_w
            flows.base_w = measured + made
    elif root is not None and root.metering is Metering.NONE:
        declared = sum(sum(per_phase(node.base_a) or ()) * _VOLTAGE_V for node in site.tree.nodes)
        flows.base_w, flows.grid_w = declared, declared + flows.chargers_w - made
    return flows


def drawn_w(site: "SiteLoop", key: str, now_s: float) -> float | None:
    """Give what an EVSE draws, None where nobody has said lately."""
    car = site.plugged.get(key)
    if car is None or car.drawn_w is None or car.drawn_at_s is None or now_s - car.drawn_at_s > 2 * _FRESH_S:
        return None
    return car.drawn_w


def asset_w(site: "SiteLoop", meter: str | None, now_s: float) -> float:
    """Give the power of an asset's meter, 0 where it is silent."""
    heard = site.readings.get(meter or "")
    if heard is None or now_s - heard[0] > 2 * _FRESH_S:
        return 0.0
    return power_of(heard[1])


def power_of(reading: Reading) -> float:
    """Give the power of a reading."""
    if reading.power_w is not None:
        return reading.power_w
    return sum(reading.current_a or ()) * _VOLTAGE_V
