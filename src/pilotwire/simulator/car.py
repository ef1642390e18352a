"""Cars: what they draw, how their battery fills, when they have had enough. Pure: no clock, no I/O."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from pilotwire.simulator.model import MAINS_VOLTAGE_V, MIN_AC_CURRENT_A, CurrentKind

AC_EFFICIENCY = 0.91
DC_EFFICIENCY = 0.96
AC_TAPER_FROM_SOC = 96.0
AC_TAPER_FLOOR = 0.25
"""Share of its AC power that a car still draws at 100 %."""

CurvePoint = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CarModel:
    """A type of car.

    `dc_curve` gives (state of charge in percent, greatest power in W), rising in the first.
    """

    name: str
    battery_wh: float
    ac_phases: int
    ac_current_a: float
    dc_curve: tuple[CurvePoint, ...]
    pack_voltage_v: float

    def dc_power_w(self, soc_percent: float) -> float:
        """The greatest DC power at a state of charge, linear between the points of the curve."""
        index = bisect_right(self.dc_curve, (soc_percent, float("inf")))
        if index == 0:
            return self.dc_curve[0][1]
        if index == len(self.dc_curve):
            return self.dc_curve[-1][1]
        (low, at_low), (high, at_high) = self.dc_curve[index - 1], self.dc_curve[index]
        return at_low + (at_high - at_low) * (soc_percent - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the EVSE lets the car take at this moment.

    Units: `current_a` per phase (AC) or of the output (DC); `power_w` in total.
    """

    kind: CurrentKind
    current_a: float
    power_w: float
    phases: int

    @property
    def pauses(self) -> bool:
        """Whether so little is offered that no car can charge."""
        if self.kind == "DC":
            return self.power_w < 1.0 or self.current_a <= 0.0
        usable = min(self.current_a, self.power_w / (MAINS_VOLTAGE_V * max(1, self.phases)))
        return self.phases < 1 or usable < MIN_AC_CURRENT_A - 1e-9


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows at the end of a step, and the energy of the step.

    Units: `energy_wh` = mean power of the step x its duration, at the meter of the EVSE. One current and
    voltage per phase of the EVSE for AC (0 A on unused phases), exactly one for DC.
    """

    power_w: float
    energy_wh: float
    currents_a: tuple[float, ...]
    voltages_v: tuple[float, ...]

    @classmethod
    def none(cls, kind: CurrentKind, phases: int) -> Flow:
        """Nothing flows; the mains voltage is there all the same."""
        if kind == "DC":
            return cls(0.0, 0.0, (0.0,), (0.0,))
        return cls(0.0, 0.0, (0.0,) * phases, (MAINS_VOLTAGE_V,) * phases)


class Car:
    """One car with its battery: `step` moves it through time.

    `scale` divides the battery's size: with 60, a car fills 60 times sooner with a sixtieth of the energy
    while every power, current and voltage stays true (see `clock.SimClock`).
    """

    __slots__ = ("_power_w", "model", "phase_voltages_v", "scale", "soc_percent", "target_soc_percent")

    def __init__(
        self,
        model: CarModel,
        *,
        soc_percent: float,
        target_soc_percent: float = 100.0,
        phase_voltages_v: tuple[float, float, float] = (MAINS_VOLTAGE_V,) * 3,
        scale: float = 1.0,
    ) -> None:
        self.model = model
        self.soc_percent = soc_percent
        self.target_soc_percent = target_soc_percent
        self.phase_voltages_v = phase_voltages_v
        self.scale = scale
        self._power_w = 0.0

    @property
    def full(self) -> bool:
        """Whether the state of charge that the driver wants is reached."""
        return self.soc_percent >= self.target_soc_percent - 1e-6

    def step(self, dt_s: float, offer: Offer) -> Flow:
        """Take what is offered for `dt_s` seconds; never more than offered, and never above the target."""
        phases = offer.phases if offer.kind == "AC" else 1
        if self.full or offer.pauses or dt_s <= 0:
            self._power_w = 0.0
            return Flow.none(offer.kind, phases)
        wanted_w = self._wanted_ac_w(offer) if offer.kind == "AC" else self._wanted_dc_w(offer)
        # A car ramps up in some seconds but has to obey a lower limit at once.
        ramp_w = max(1.0, wanted_w) * self.scale * dt_s / (4.0 if offer.kind == "AC" else 12.0)
        power_w = min(wanted_w, self._power_w + ramp_w)
        room_wh = self._room_wh(offer.kind)
        energy_wh = power_w * dt_s / 3600.0
        if energy_wh >= room_wh:
            energy_wh = room_wh
            power_w = min(power_w, energy_wh * 3600.0 / dt_s)
            self.soc_percent = self.target_soc_percent
        else:
            self.soc_percent += (
                100.0 * energy_wh * _efficiency(offer.kind) * self.scale / self.model.battery_wh
            )
        self._power_w = power_w
        return self._flow(power_w, energy_wh, offer)

    def _room_wh(self, kind: CurrentKind) -> float:
        missing = (self.target_soc_percent - self.soc_percent) / 100.0
        return missing * self.model.battery_wh / (self.scale * _efficiency(kind))

    def _phases(self, offer: Offer) -> int:
        return max(1, min(self.model.ac_phases, offer.phases))

    def _wanted_ac_w(self, offer: Offer) -> float:
        phases = self._phases(offer)
        volts = sum(self.phase_voltages_v[:phases])
        current_a = min(self.model.ac_current_a, offer.current_a)
        if self.soc_percent > AC_TAPER_FROM_SOC:
            rest = (100.0 - self.soc_percent) / (100.0 - AC_TAPER_FROM_SOC)
            tapered = self.model.ac_current_a * (AC_TAPER_FLOOR + (1.0 - AC_TAPER_FLOOR) * max(0.0, rest))
            current_a = min(current_a, max(MIN_AC_CURRENT_A, tapered))
        return min(current_a * volts, offer.power_w)

    def _wanted_dc_w(self, offer: Offer) -> float:
        return min(
            self.model.dc_power_w(self.soc_percent), offer.power_w, offer.current_a * self._pack_voltage_v()
        )

    def _pack_voltage_v(self) -> float:
        return self.model.pack_voltage_v * (0.88 + 0.0016 * self.soc_percent)

    def _flow(self, power_w: float, energy_wh: float, offer: Offer) -> Flow:
        if offer.kind == "DC":
            volts = self._pack_voltage_v()
            return Flow(power_w, energy_wh, (min(power_w / volts, offer.current_a),), (volts,))
        used = self._phases(offer)
        current_a = power_w / sum(self.phase_voltages_v[:used])
        currents = tuple(current_a if index < used else 0.0 for index in range(offer.phases))
        return Flow(power_w, energy_wh, currents, self.phase_voltages_v[: offer.phases])


def _efficiency(kind: CurrentKind) -> float:
    return AC_EFFICIENCY if kind == "AC" else DC_EFFICIENCY
