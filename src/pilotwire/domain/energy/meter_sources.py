"""Where a meter's readings are fetched, and what of what is found there means what.

Readings have the same fields as those that are pushed: `power_w`, `current_l1_a`, `current_l2_a`, `current_l3_a`,
`soc_percent`. A mapping gives each its place and a factor that makes its unit, and its sign: towards the loads is positive,
a generator's and a battery's power out of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from pilotwire.core.errors import Invalid
from pilotwire.domain.energy.events import Reading

__all__ = [
    "FIELDS",
    "Field",
    "MeterFetcher",
    "MeterSource",
    "ModbusSource",
    "MqttSource",
    "Register",
    "SourceFailed",
    "Value",
    "read_json",
    "read_source",
    "reading_of",
]

FIELDS = ("power_w", "current_l1_a", "current_l2_a", "current_l3_a", "soc_percent")
Field = Literal["power_w", "current_l1_a", "current_l2_a", "current_l3_a", "soc_percent"]
_Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
_Port = Annotated[int, Meta(ge=1, le=65535)]
_FURTHEST = 1e9


class SourceFailed(Exception):
    """A source gave no useful reading; the message says why."""


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are refused, so that a typing error is noticed."""


class Value(_Given, frozen=True, kw_only=True):
    """A number in a JSON payload: names and list indices from the outside in, separated by dots; empty: all of it."""

    path: Annotated[str, Meta(max_length=200)] = ""
    factor: float = 1.0


class MqttSource(_Given, frozen=True, kw_only=True, tag="mqtt", tag_field="kind"):
    """A topic of an MQTT broker. Retained messages count only when they are sent anew: nobody knows their age."""

    host: _Host
    port: _Port = 1883
    tls: bool = False
    username: Annotated[str, Meta(max_length=200)] = ""
    topic: Annotated[str, Meta(min_length=1, max_length=500)]
    values: dict[Field, Value]


class Register(_Given, frozen=True, kw_only=True):
    """A number in the registers of a device; `address` counts from 0. `little` words: the lower word comes first."""

    address: Annotated[int, Meta(ge=0, le=65_535)]
    type: Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] = "int16"
    table: Literal["holding", "input"] = "holding"
    words: Literal["big", "little"] = "big"
    factor: float = 1.0


class ModbusSource(_Given, frozen=True, kw_only=True, tag="modbus", tag_field="kind"):
    """A device that speaks Modbus TCP, polled: by its registers, or by the SunSpec models that it says it has."""

    host: _Host
    port: _Port = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    interval_s: Annotated[float, Meta(ge=0.2, le=300)] = 2.0
    sunspec: bool = False
    sunspec_factor: float = 1.0
    registers: dict[Field, Register] = {}


MeterSource = MqttSource | ModbusSource


class MeterFetcher(Protocol):
    """Fetches readings from where they are."""

    async def follow(
        self, source: MeterSource, password: str, take: Callable[[Reading], Awaitable[None]]
    ) -> None:
        """Hand over every reading until cancelled. Raises: SourceFailed when it cannot go on."""
        ...


def read_source(given: object) -> MeterSource:
    """Read a source as people give it. Raises: Invalid."""
    try:
        source: MeterSource = msgspec.convert(given, MeterSource, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error
    if isinstance(source, MqttSource):
        if not source.values:
            raise Invalid("values: say where in the payload power_w, currents or soc_percent are")
        if "#" in source.topic[:-1]:
            raise Invalid("topic: # stands at the end only")
    elif source.sunspec == bool(source.registers):
        raise Invalid("give sunspec or registers: one of both")
    return source


def read_json(payload: bytes, values: Mapping[Field, Value]) -> dict[str, float]:
    """Find the numbers of a payload; what it does not have is left out.

    Raises: SourceFailed when there is none of them, or one is no number.
    """
    try:
        whole = msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise SourceFailed(f"the payload is no JSON: {error}") from error
    found: dict[str, float] = {}
    for name, value in values.items():
        number = _at(whole, value.path)
        if number is None:
            continue
        try:
            found[name] = float(number) * value.factor
        except (TypeError, ValueError) as error:
            raise SourceFailed(f"{value.path or 'the payload'} is no number") from error
    if not found:
        raise SourceFailed("the payload has none of the paths: " + ", ".join(v.path for v in values.values()))
    return found


def reading_of(found: Mapping[str, float], at: datetime) -> Reading:
    """Make a reading of numbers by field. Currents count where there are any: phases without one carry nothing.

    Raises: SourceFailed for numbers that no meter tells.
    """
    for name, number in found.items():
        if not abs(number) < _FURTHEST:
            raise SourceFailed(f"{name} is {number}: no meter tells that")
    phases = tuple(found.get(name, 0.0) for name in FIELDS[1:4])
    current = (phases[0], phases[1], phases[2]) if any(name in found for name in FIELDS[1:4]) else None
    soc = found.get("soc_percent")
    if soc is not None and not 0 <= soc <= 100:
        raise SourceFailed(f"soc_percent is {soc:g}: not between 0 and 100")
    return Reading(at, current, found.get("power_w"), soc)


def _at(whole: Any, path: str) -> Any:
    here = whole
    for part in filter(None, path.split(".")):
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return None if isinstance(here, bool) else here
