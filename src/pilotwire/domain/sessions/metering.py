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
        parts = [part for part in self.phases if part is not None]
        if not parts:
            return self.total
        total = sum(parts)
        if self.total is None:
            return total
        if abs(self.total - total) > 0.1 * max(abs(total), 1.0) and len(parts) == 3:
            notes.add("meter_total_off")
            return total
        return self.total


def fold_readings(at: datetime, readings: Iterable[Reading]) -> tuple[Sample, set[str]]:
    """Make one sample of the readings of one moment; also say which repairs were needed.

    A reading that is not a number is left out and noted; whatever has no column of its own is kept in `other`.
    """
    notes: set[str] = set()
    energy: Decimal | None = None
    energy_phases: list[Decimal] = []
    power_in, power_out = _Quantity(), _Quantity()
    current_in, current_out, voltage = _Quantity(), _Quantity(), _Quantity()
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
            elif measurand == "Power.Active.Import" and reading.location in _MAIN_LOCATIONS:
                _put(power_in, reading, _number(reading, kilo="kW"))
            elif measurand == "Current.Import" and reading.location in _MAIN_LOCATIONS:
                _put(current_in, reading, _number(reading))
            elif measurand == "Voltage" and reading.location in _MAIN_LOCATIONS:
                if reading.phase in _LINES:
                    lines[_LINES[reading.phase]] = _number(reading)
                else:
                    _put(voltage, reading, _number(reading))
            elif measurand == "SoC":
                soc = _number(reading)
            elif measurand == "Power.Active.Export":
                _put(power_out, reading, _number(reading, kilo="kW"))
            elif measurand == "Current.Export":
                _put(current_out, reading, _number(reading))
            elif reading.signed is None:
                other.append(_kept_apart(reading))
        except (ValueError, InvalidOperation):
            notes.add("meter_value_not_a_number")
            other.append(_kept_apart(reading))
    if energy is None and energy_phases:
        energy = sum(energy_phases, Decimal(0))
    power = _power_w(power_in, power_out, notes)
    if current_in.total is None and not any(p is not None for p in current_in.phases):
        if current_out.total is not None or any(p is not None for p in current_out.phases):
            if power is None or power >= 0:
                notes.add("current_export_for_import")
            current_in = current_out
    amps = _phases(current_in)
    volts = _phases(voltage)
    if volts == [None, None, None] and any(line is not None for line in lines):
        notes.add("voltage_between_lines")
        volts = [None if line is None else line / _SQRT3 for line in lines]
    return (
        Sample(
            at, context, energy, power, amps[0], amps[1], amps[2], volts[0], volts[1], volts[2], soc,
            _encode(other).decode() if other else None,
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


def _number(reading: Reading, kilo: str = "") -> float:
    value = float(reading.value)
    if not -1e12 < value < 1e12:  # also refuses what is not a number, which a real column could not be summed over
        raise ValueError(reading.value)
    if reading.multiplier:
        value *= 10.0**reading.multiplier
    return value * 1000 if kilo and reading.unit == kilo else value


def _put(quantity: _Quantity, reading: Reading, value: float) -> None:
    phase = reading.phase
    if phase is None:
        quantity.total = value
    elif phase in _PHASES:
        quantity.phases[_PHASES[phase]] = value
    # A lonely N carries what is left over; it is no phase.


def _power_w(power_in: _Quantity, power_out: _Quantity, notes: set[str]) -> float | None:
    imported, exported = power_in.summed(notes), power_out.summed(notes)
    if exported:
        return (imported or 0.0) - abs(exported)
    return imported if imported is not None else exported


def _phases(quantity: _Quantity) -> list[float | None]:
    if quantity.total is not None and quantity.phases == [None, None, None]:
        return [quantity.total, None, None]  # direct current, or one phase that is not named
    return quantity.phases


def _kept_apart(reading: Reading) -> dict[str, object]:
    kept = {name: getattr(reading, name) for name in reading.__struct_fields__}
    return {name: value for name, value in kept.items() if value not in (None, 0)}
