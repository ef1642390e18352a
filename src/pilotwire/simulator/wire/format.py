"""Figures and timestamps as stations write them, common to all versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pilotwire.simulator.model import MAINS_VOLTAGE_V, StationQuirks
from pilotwire.simulator.rpc import CallFaultError
from pilotwire.simulator.states import Reading

ENERGY = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure."""

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    location: str | None = None


def figures(reading: Reading, measurands: frozenset[str], energy_wh: int | None = None) -> Iterator[Figure]:
    """The figures of a reading that are asked for. `energy_wh` replaces the register."""
    if ENERGY in measurands:
        yield Figure(ENERGY, reading.register_wh if energy_wh is None else energy_wh, "Wh")
    if "Power.Active.Import" in measurands:
        yield Figure("Power.Active.Import", round(reading.power_w, 1), "W")
    if "Power.Offered" in measurands:
        yield Figure("Power.Offered", round(reading.offered_w, 1), "W")
    phases = len(reading.currents_a)
    if "Current.Offered" in measurands:
        volts = MAINS_VOLTAGE_V * phases if reading.kind == "AC" else max(1.0, reading.voltages_v[0])
        yield Figure("Current.Offered", round(reading.offered_w / volts, 2), "A")
    for measurand, values, suffix, unit in (
        ("Current.Import", reading.currents_a, "", "A"),
        ("Voltage", reading.voltages_v, "-N", "V"),
    ):
        if measurand not in measurands:
            continue
        for number, value in enumerate(values, start=1):
            phase = f"L{number}{suffix}" if reading.kind == "AC" else None
            yield Figure(measurand, round(value, 2), unit, phase)
    if "SoC" in measurands and reading.soc_percent is not None:
        yield Figure("SoC", round(reading.soc_percent, 1), "Percent", location="EV")
    if "Temperature" in measurands and reading.temperature_c is not None:
        yield Figure("Temperature", reading.temperature_c, "Celsius", location="Body")


def stamp(at: datetime, quirks: StationQuirks | None = None) -> str:
    """A timestamp in UTC with milliseconds."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
    return text if quirks is not None and quirks.timestamps_without_zone else text + "Z"


def moment(text: object) -> datetime | None:
    """A timestamp of the server; None stays None.

    Raises: CallFaultError when it is not a timestamp.
    """
    return None if text is None else moment_of(text)


def expiry(text: object) -> datetime | None:
    """When a verdict of the server lapses; what cannot be read never does, and charging goes on."""
    try:
        return moment(text)
    except CallFaultError:
        return None


def moment_of(text: object) -> datetime:
    """A timestamp that must be there.

    Raises: CallFaultError when it is not a timestamp.
    """
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise CallFaultError("FormatViolation", f"{text!r} is not a date and time") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
