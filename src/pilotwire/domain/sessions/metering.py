"""From the readings of a meter to one sample: units, phases and directions as chargers really report them.

The names of measurands, phases and units are the same in all OCPP versions (1.6 7.31, 7.33; 2.0.1 3.56, 3.60).
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from pilotwire.domain.sessions.messages import Sample

__all__ = [
    "MOST_PLAIN",
    "SMALLEST_PLAIN",
    "Reading",
    "fold_readings",
    "no_numbers",
    "plain_places",
    "plain_sample",
]

_LARGEST = 10**12  # Wh, W, A, V: what lies beyond is no reading, and would not fit into a column
_FINEST = Decimal("0.000001")
_SMALLEST = 1e-6
_LONGEST = 15  # characters of a number that is certain to be no finer than a column can hold
_SQRT3 = 1.7320508
_MAIN_LOCATIONS = (None, "Outlet")
_PHASES = {"L1": 0, "L1-N": 0, "L2": 1, "L2-N": 1, "L3": 2, "L3-N": 2}
_PARTS = (None, *_PHASES, "N")
_LINES = {"L1-L2": 0, "L2-L3": 1, "L3-L1": 2}
_NO_LINES: list[float | None] = [None, None, None]
_POWER_ONLY = {"Power.Active.Import", "Power.Active.Export"}
# In 2.x units are free text.
_KILO_UNITS = frozenset(
    case(unit) for unit in ("kWh", "kW", "kA", "kV") for case in (str, str.lower, str.upper, str.title)
)
_PLAIN_UNITS = frozenset({None, "Wh", "W", "A", "V", "Percent"})
_MEGA_UNITS = frozenset({"MWh", "MWH", "MW"})
_FOLDED = _POWER_ONLY | {"Current.Import", "Current.Export", "Voltage"}
_encode = msgspec.json.Encoder().encode

_REGISTER, _POWER, _SOC, _CURRENT, _VOLTAGE, _PLACES = 0, 1, 2, 3, 7, 11
SMALLEST_PLAIN, MOST_PLAIN = 0.001, 1e12
"""Plain are the numbers from the one to below the other, and 0 where it is no register."""


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

    __slots__ = ("neutral", "phases", "total")

    def __init__(self) -> None:
        self.total: float | None = None
        self.phases: list[float | None] = [None, None, None]
        self.neutral: float | None = None

    def put(self, phase: str | None, value: float) -> None:
        """Take a value; the phase is one of `_PHASES`, N, or none for the total."""
        if phase is None:
            self.total = value
        elif phase == "N":
            self.neutral = value
        else:
            self.phases[_PHASES[phase]] = value

    def whole(self) -> float | None:
        """The total; a lonely N stands for it, as what flows in the only phase flows back in it."""
        if self.total is None and self.phases == _NO_LINES:
            return self.neutral
        return self.total

    def summed(self, notes: set[str]) -> float | None:
        """The total; the sum of the phases where it is missing or more than 10 % off."""
        if self.phases == _NO_LINES:
            return self.whole()
        parts = [part for part in self.phases if part is not None]
        total = sum(parts)
        if self.total is None:
            return total
        if abs(self.total - total) > 0.1 * max(abs(total), 1.0) and len(parts) == 3:
            notes.add("meter_total_off")
            return total
        return self.total


class _Folding:
    """The readings of one moment, sorted by what they measure."""

    __slots__ = ("context", "energy", "energy_phases", "found", "lines", "notes", "other", "soc")

    def __init__(self) -> None:
        self.context: str | None = None
        self.energy: Decimal | None = None
        self.energy_phases: dict[str, Decimal] = {}
        self.found: dict[str, _Quantity] = {}
        self.lines: list[float | None] = [None, None, None]
        self.soc: float | None = None
        self.notes: set[str] = set()
        self.other: list[dict[str, object]] = []

    def put(self, reading: Reading) -> None:
        """Sort one reading in. Raises: ValueError, ArithmeticError for what is not a number."""
        measurand, phase = reading.measurand, reading.phase
        main = reading.location in _MAIN_LOCATIONS
        if reading.signed is not None:
            self.other.append(_kept_apart(reading))
            if not reading.value:  # 1.6: nothing but the signed data
                return
        if main and measurand == "Energy.Active.Import.Register":
            value = _energy_wh(reading)
            if phase is None:
                self.energy = value
            else:
                self.energy_phases[phase] = value
        elif main and measurand in _FOLDED and phase in _PARTS:
            quantity = self.found.get(measurand)
            if quantity is None:
                quantity = self.found[measurand] = _Quantity()
            quantity.put(phase, _number(reading))
        elif main and measurand == "Voltage" and phase in _LINES:
            self.lines[_LINES[phase]] = _number(reading)
        elif measurand == "SoC":
            self.soc = _percent(reading)
        elif reading.signed is None:
            self.other.append(_kept_apart(reading))

    def energy_wh(self) -> Decimal | None:
        """The register: the total where it is said, or the sum of the phases."""
        if self.energy is not None or not self.energy_phases:
            return self.energy
        phases = {_PHASES[name]: value for name, value in self.energy_phases.items() if name in _PHASES}
        if phases:
            return sum(phases.values(), Decimal(0))
        return self.energy_phases.get("N")


def fold_readings(at: datetime, readings: Iterable[Reading]) -> tuple[Sample, set[str]]:
    """Make one sample of the readings of one moment; also say which repairs were needed.

    A reading that is not a number is left out and noted; whatever has no column of its own is kept in `other`.
    """
    folding = _Folding()
    notes = folding.notes
    for reading in readings:
        if folding.context is None:
            folding.context = reading.context
        try:
            folding.put(reading)
        except (ArithmeticError, ValueError):
            notes.add("meter_value_not_a_number")
            if reading.signed is None:
                folding.other.append(_kept_apart(reading))
    context, energy, soc, found = folding.context, folding.energy_wh(), folding.soc, folding.found
    kept = _encode(folding.other).decode() if folding.other else None
    power = _power_w(found, notes) if found else None
    if found.keys() <= _POWER_ONLY and folding.lines == _NO_LINES:  # most samples: energy and power
        return Sample(at, context, energy, power, soc_percent=soc, other=kept), notes
    amps = _amps(found, power, notes)
    volts = _volts(found, folding.lines, notes)
    return (
        Sample(
            at, context, energy, power, amps[0], amps[1], amps[2], volts[0], volts[1], volts[2], soc, kept,
        ),
        notes,
    )  # fmt: skip


def plain_places(missing: object) -> dict[tuple[object, ...], int]:
    """Give the readings that `plain_sample` takes: measurand, phase, unit and location, and the place in its list.

    The register's place is 0. `missing` stands for what a station leaves out.
    """
    firsts = {
        missing: _REGISTER,
        "Energy.Active.Import.Register": _REGISTER,
        "Power.Active.Import": _POWER,
        "SoC": _SOC,
        "Current.Import": _CURRENT,
        "Voltage": _VOLTAGE,
    }
    places: dict[tuple[object, ...], int] = {}
    for measurand, first in firsts.items():
        for unit in _PLAIN_UNITS:
            for location in _MAIN_LOCATIONS:
                rest = (missing if unit is None else unit, missing if location is None else location)
                places[measurand, missing, *rest] = first
                if first in (_CURRENT, _VOLTAGE):
                    places |= {(measurand, name, *rest): first + 1 + line for name, line in _PHASES.items()}
    return places


def no_numbers() -> list[float | None]:
    """Give an empty list for `plain_sample`."""
    return [None] * _PLACES


def plain_sample(
    at: datetime, context: str | None, register: str | None, numbers: list[float | None]
) -> Sample | None:
    """Make the sample that `fold_readings` would make, of readings that are all plain: most are.

    `numbers` are their values in the places of `plain_places`, `register` is that of the register as a text. None where
    it takes a closer look.
    """
    energy = None
    if register is not None:
        if len(register) > _LONGEST:
            return None
        energy = Decimal(register)
    _, power, soc, amps, amps_1, amps_2, amps_3, volts, volts_1, volts_2, volts_3 = numbers
    if soc is not None and soc > 100:
        return None
    if amps_1 is None and amps_2 is None and amps_3 is None:
        amps_1 = amps  # direct current, or one phase that is not named
    if volts_1 is None and volts_2 is None and volts_3 is None:
        volts_1 = volts
    return Sample(at, context, energy, power, amps_1, amps_2, amps_3, volts_1, volts_2, volts_3, soc)


def _energy_wh(reading: Reading) -> Decimal:
    value = Decimal(reading.value)
    if not value.is_finite():
        raise ValueError(reading.value)
    if reading.multiplier or reading.unit not in _PLAIN_UNITS:
        value = value.scaleb(_scale(reading))
    if abs(value) >= _LARGEST:
        raise ValueError(reading.value)
    if len(reading.value) > _LONGEST or value.adjusted() < -6:
        value = value.quantize(_FINEST)
    return value


def _number(reading: Reading) -> float:
    value = float(reading.value)
    if reading.multiplier or reading.unit not in _PLAIN_UNITS:
        value *= 10.0 ** _scale(reading)
    if not -_LARGEST < value < _LARGEST:  # also refuses what is not a number
        raise ValueError(reading.value)
    return value if not -_SMALLEST < value < _SMALLEST else 0.0


def _percent(reading: Reading) -> float:
    percent = _number(reading)
    if not 0 <= percent <= 100:
        raise ValueError(reading.value)
    return percent


def _scale(reading: Reading) -> int:
    """The power of ten between the value and the plain unit."""
    unit = reading.unit
    if unit in _KILO_UNITS:
        return reading.multiplier + 3
    return reading.multiplier + 6 if unit in _MEGA_UNITS else reading.multiplier


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
    if quantity.phases == _NO_LINES:
        return [quantity.whole(), None, None]  # direct current, or one phase that is not named
    return quantity.phases


def _kept_apart(reading: Reading) -> dict[str, object]:
    kept = {name: getattr(reading, name) for name in reading.__struct_fields__}
    return {name: value for name, value in kept.items() if value not in (None, 0)}
