"""SunSpec: a device says itself which models it has; those of inverters, meters and batteries are read.

Spec: SunSpec Device Information Model Specification; models 101-103 and 111-113 (inverters), 201-204 and 211-214 (meters),
124, 713 and 802 (batteries).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient

from pilotwire.domain.energy.meter_sources import SourceFailed
from pilotwire.integrations.modbus import decode, read_block

__all__ = ["Model", "decode_model", "find_model", "list_models", "read_charge", "read_model"]

_BASES = (40_000, 50_000, 0)
_MARK = [0x5375, 0x6E53]
_END = 0xFFFF
_MOST_MODELS = 100
_PHASES = ("current_l1_a", "current_l2_a", "current_l3_a")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where points lie, counted in registers from behind the model's length. Without scales they are floats."""

    currents: tuple[int, int, int]
    power: int
    current_scale: int | None = None
    power_scale: int | None = None


_INVERTER = _Layout((1, 2, 3), 12, 4, 13)
_METER = _Layout((1, 2, 3), 16, 4, 20)
_FLOAT_INVERTER = _Layout((2, 4, 6), 20)
_FLOAT_METER = _Layout((2, 4, 6), 26)
_LAYOUTS = {
    **dict.fromkeys((101, 102, 103), _INVERTER),
    **dict.fromkeys((111, 112, 113), _FLOAT_INVERTER),
    **dict.fromkeys((201, 202, 203, 204), _METER),
    **dict.fromkeys((211, 212, 213, 214), _FLOAT_METER),
}
_CHARGES = {124: (6, 20), 713: (2, 6), 802: (9, 54)}
"""By model of a battery: where its charge in percent lies, and its scale."""
_LENGTH = 28
"""As many registers as the longest layout needs."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a device: its number, where its points begin, and how many registers they take."""

    number: int
    address: int
    length: int


async def list_models(client: AsyncModbusTcpClient, unit: int) -> list[Model]:
    """List the models that a device has. Raises: SourceFailed."""
    base = await _base(client, unit)
    address, found = base + 2, []
    for _ in range(_MOST_MODELS):
        number, length = await read_block(client, unit, address, 2)
        if number == _END:
            break
        found.append(Model(number, address + 2, length))
        address += 2 + length
    return found


def find_model(models: Sequence[Model]) -> Model:
    """Find the first model that tells power. Raises: SourceFailed."""
    for model in models:
        if model.number in _LAYOUTS:
            return model
    seen = ", ".join(str(model.number) for model in models)
    raise SourceFailed(f"the device has no SunSpec model of an inverter or a meter, only {seen or 'none'}")


async def read_charge(client: AsyncModbusTcpClient, unit: int, models: Sequence[Model]) -> dict[str, float]:
    """Read how full a battery is, where one of the models tells it. Raises: SourceFailed."""
    for model in models:
        place, scale_at = _CHARGES.get(model.number, (0, 0))
        if not place or model.length <= scale_at:
            continue
        block = await read_block(client, unit, model.address, scale_at + 1)
        value = _point(block, place, scale_at, signed=False)
        if value is not None:
            return {"soc_percent": min(100.0, value)}
    return {}


async def read_model(client: AsyncModbusTcpClient, unit: int, model: Model) -> dict[str, float]:
    """Read power and currents. Raises: SourceFailed."""
    block = await read_block(client, unit, model.address, min(_LENGTH, model.length))
    return decode_model(model.number, block)


def decode_model(number: int, block: Sequence[int]) -> dict[str, float]:
    """Make numbers of a model's registers; points that the device does not have are left out.

    Raises: SourceFailed when it has no power.
    """
    layout = _LAYOUTS[number]
    found = {}
    for name, place in zip(_PHASES, layout.currents, strict=True):
        value = _point(block, place, layout.current_scale, signed=number >= 201)
        if value is not None:
            found[name] = value
    power = _point(block, layout.power, layout.power_scale, signed=True)
    if power is None:
        raise SourceFailed(f"SunSpec model {number} tells no power")
    return {**found, "power_w": power}


def _point(block: Sequence[int], place: int, scale_at: int | None, *, signed: bool) -> float | None:
    if scale_at is None:
        value = decode(block[place : place + 2], "float32")
        return None if value != value else value  # noqa: PLR0124 - NaN says: not there
    raw = block[place]
    if raw == (0x8000 if signed else 0xFFFF) or block[scale_at] == 0x8000:
        return None
    value = decode([raw], "int16" if signed else "uint16")
    scale = decode([block[scale_at]], "int16")
    if not -10 <= scale <= 10:
        raise SourceFailed(f"a scale factor of {scale:g} is none")
    return float(value * 10.0**scale)


async def _base(client: AsyncModbusTcpClient, unit: int) -> int:
    problem = ""
    for base in _BASES:
        try:
            if await read_block(client, unit, base, 2) == _MARK:
                return base
        except SourceFailed as error:
            problem = str(error)
    raise SourceFailed(f"the device does not speak SunSpec at 40000, 50000 or 0. {problem}".strip())
