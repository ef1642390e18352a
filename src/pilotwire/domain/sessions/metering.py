"""From the readings of a meter to one sample: units, phases and directions as chargers really report them.

The names of measurands, phases and units are the same in all OCPP versions (1.6 7.31, 7.33; 2.0.1 3.56, 3.60).
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation

import msgspec

from pilotwire.domain.sessions.messages import Sample

__all__ = ["Reading", "fold_readings"]

_KILO = Decimal(1000)
_SQRT3 = 1.7320508
_MAIN_LOCATIONS = (None, "Outlet")
_PHASES = {"L1": 0, "L1-N": 0, "L2": 1, "L2-N": 1, "L3": 2, "L3-N": 2}
_LINES = {"L1-L2": 0, "L2-L3": 1, "L3-L1": 2}
_NO_LINES: list[float | None] = [None, None, None]
_POWER_ONLY = {"Power.Active.Import", "Power.Active.Export"}
_FOLDED = _POWER_ONLY | {"Current.Import", "Current.Export", "Voltage"}
_encode = msgspec.json.Encoder().encode


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value as a station reports it. `multiplier` is a power of ten (2.x)."""

    value: str
    measurand: str = "Energy.Active.Import.Register"
    unit: str | None = None
    phase: str | None = None
    location: str | None = None
    context: str | None = None
    multiplier: int = 0
    signed: str | None = None


class _Quantity:
    """A total and its phases, as they come in."""

    __slots__ = ("phases", "total")

    def __init__(self) -> None:
        self.total: float | None = None
        self.phases: list[float | None] = [None, None, None]

    def summed(self, notes: set[str]) -> float | None:
        """The total; the sum of the phases where it is missing or more than 10 % off."""
        if self.phases == _NO_LINES:
            return self.total
        parts = [part for part in self.phases if part is not None]
        total = sum(parts)
        if self.total is None:
            return total
        if abs(self.total - total) > 0.1 * max(abs(total), 1.0) and len(parts) == 3:
            notes.add("meter_total_off")
            return total
        return self.total


def fold_readings(  # noqa: C901, PLR0912 - one branch per measurand, and it runs for every message
    at: datetime, readings: Iterable[Reading]
) -> tuple[Sample, set[str]]:
    """Make one sample of the readings of one moment; also say which repairs were needed.

    A reading that is not a number is left out and noted; whatever has no column of its own is kept in `other`.
    """
    notes: set[str] = set()
    energy: Decimal | None = None
    energy_phases: list[Decimal] = []
    found: dict[str, _Quantity] = {}
    lines: list[float | None] = [None, None, None]
    soc: float | None = None
    context: str | None = None
    other: list[dict[str, object]] = []
    for reading in readings:
        context = context or reading.context
        measurand = reading.measurand
        try:
            if reading.signed is not None:
                other.append(_kept_apart(reading))
            if measurand == "Energy.Active.Import.Register" and reading.location in _MAIN_LOCATIONS:
                value = _energy_wh(reading)
                if reading.phase is None:
                    energy = value
                else:
                    energy_phases.append(value)
            elif measurand in _FOLDED and reading.location in _MAIN_LOCATIONS:
                if reading.phase in _LINES:
                    lines[_LINES[reading.phase]] = _number(reading)
                else:
                    _put(found, reading)
            elif measurand == "SoC":
                soc = _number(reading)
            elif reading.signed is None:
                other.append(_kept_apart(reading))
        except (ValueError, InvalidOperation):
            notes.add("meter_value_not_a_number")
            other.append(_kept_apart(reading))
    if energy is None and energy_phases:
        energy = sum(energy_phases, Decimal(0))
    kept = _encode(other).decode() if other else None
    power = _power_w(found, notes) if found else None
    if found.keys() <= _POWER_ONLY and lines == _NO_LINES:  # most samples: energy and power
        return Sample(at, context, energy, power, soc_percent=soc, other=kept), notes
    amps = _amps(found, power, notes)
    volts = _volts(found, lines, notes)
    return (
        Sample(
            at, context, energy, power, amps[0], amps[1], amps[2], volts[0], volts[1], volts[2], soc, kept,
        ),
        notes,
    )  # fmt: skip


def _energy_wh(reading: Reading) -> Decimal:
    value = Decimal(reading.value)
    if not value.is_finite() or abs(value) >= 10**12:
        raise ValueError(reading.value)
    if reading.multiplier:
        value = value.scaleb(reading.multiplier)
    return value * _KILO if reading.unit == "kWh" else value


def _number(reading: Reading) -> float:
    value = float(reading.value)
    if (
        not -1e12 < value < 1e12
    ):  # also refuses what is not a number, which a real column could not be summed over
        raise ValueError(reading.value)
    if reading.multiplier:
        value *= 10.0**reading.multiplier
    return value * 1000 if reading.unit == "kW" else value


def _put(found: dict[str, _Quantity], reading: Reading) -> None:
    value = _number(reading)
    quantity = found.get(reading.measurand)
    if quantity is None:
        quantity = found[reading.measurand] = _Quantity()
    if reading.phase is None:
        quantity.total = value
    elif reading.phase in _PHASES:
        quantity.phases[_PHASES[reading.phase]] = value
    # A lonely N carries what is left over; it is no phase.


def _power_w(found: dict[str, _Quantity], notes: set[str]) -> float | None:
    bought, sold = found.get("Power.Active.Import"), found.get("Power.Active.Export")
    imported = None if bought is None else bought.summed(notes)
    exported = None if sold is None else sold.summed(notes)
    if exported:
        return (imported or 0.0) - abs(exported)
    return imported if imported is not None else exported


def _amps(found: dict[str, _Quantity], power_w: float | None, notes: set[str]) -> list[float | None]:
    current = found.get("Current.Import")
    if (
        current is None
        and (current := found.get("Current.Export")) is not None
        and (power_w is None or power_w >= 0)
    ):
        notes.add("current_export_for_import")
    return _phases(current)


def _volts(found: dict[str, _Quantity], lines: list[float | None], notes: set[str]) -> list[float | None]:
    volts = _phases(found.get("Voltage"))
    if volts == _NO_LINES and lines != _NO_LINES:
        notes.add("voltage_between_lines")
        return [None if line is None else line / _SQRT3 for line in lines]
    return volts


def _phases(quantity: _Quantity | None) -> list[float | None]:
    if quantity is None:
        return _NO_LINES
    if quantity.total is not None and quantity.phases == _NO_LINES:
        return [quantity.total, None, None]  # direct current, or one phase that is not named
    return quantity.phases


def _kept_apart(reading: Reading) -> dict[str, object]:
    kept = {name: getattr(reading, name) for name in reading.__struct_fields__}
    return {name: value for name, value in kept.items() if value not in (None, 0)}
