"""How a stationary battery is told its set point, and what speaks to it.

A set point is in W, positive when the battery gives, as its meter says it. Every interface is told again and again, and
falls back by itself when nobody speaks to it any more, where it can.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from pilotwire.core.errors import Invalid

__all__ = [
    "BatteryControl",
    "BatteryDesk",
    "ControlFailed",
    "HttpControl",
    "ModbusControl",
    "MqttControl",
    "NextSetPoint",
    "Rating",
    "SetRegister",
    "SunSpecControl",
    "read_control",
]

_Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
_Port = Annotated[int, Meta(ge=1, le=65535)]
_Interval = Annotated[float, Meta(ge=0.2, le=60)]
_Silent = Annotated[float, Meta(ge=1, le=3600)]
_FieldName = Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9_.-]*$")]


class ControlFailed(Exception):
    """A battery could not be told its set point; the message says why."""


class _Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`interval_s`: it is told again so often. `silent_after_s`: how long a set point holds without being told again."""

    interval_s: _Interval = 5.0
    silent_after_s: _Silent = 60.0


class SunSpecControl(_Control, frozen=True, kw_only=True, tag="sunspec", tag_field="kind"):
    """A device with the storage control (model 124) or the active power set point (model 704) of SunSpec."""

    host: _Host
    port: _Port = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1


class SetRegister(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holding register that takes the set point: W divided by `factor`, which also makes the sign."""

    address: Annotated[int, Meta(ge=0, le=65_535)]
    type: Literal["int16", "int32", "float32"] = "int16"
    words: Literal["big", "little"] = "big"
    factor: float = 1.0


class ModbusControl(_Control, frozen=True, kw_only=True, tag="modbus", tag_field="kind"):
    """A device that takes the set point in a register. `before` are registers written ahead of it, such as a mode."""

    host: _Host
    port: _Port = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    register: SetRegister
    before: dict[Annotated[str, Meta(pattern=r"^\d{1,5}$")], Annotated[int, Meta(ge=0, le=65_535)]] = {}


class MqttControl(_Control, frozen=True, kw_only=True, tag="mqtt", tag_field="kind"):
    """A topic to which the set point is published: as the named field of an object, or as a bare number if it is empty.

    An object also has `valid_s`: for so long it holds.
    """

    host: _Host
    port: _Port = 1883
    tls: bool = False
    username: Annotated[str, Meta(max_length=200)] = ""
    topic: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^#+]+$")]
    field: _FieldName = "power_w"
    factor: float = 1.0


class HttpControl(_Control, frozen=True, kw_only=True, tag="http", tag_field="kind"):
    """An address that takes an object with the named field and `valid_s`; the password is sent as a bearer token."""

    url: Annotated[str, Meta(min_length=8, max_length=2000)]
    method: Literal["PUT", "POST"] = "PUT"
    field: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")] = "power_w"
    factor: float = 1.0


BatteryControl = SunSpecControl | ModbusControl | MqttControl | HttpControl


class Rating(msgspec.Struct, frozen=True):
    """The most that a battery takes and gives, in W."""

    max_charge_w: float
    max_discharge_w: float


NextSetPoint = Callable[[], Awaitable[float | None]]
"""Waits until the battery is to be told (again), and gives the set point; None sets it free: it does as it likes."""


class BatteryDesk(Protocol):
    """Speaks to batteries."""

    async def follow(
        self,
        control: BatteryControl,
        rating: Rating,
        password: str,
        following: NextSetPoint,
        told: Callable[[float | None], None],
    ) -> None:
        """Tell a battery every set point until cancelled, and `told` what it has taken; at the end it is set free.

        Raises: ControlFailed when it cannot go on.
        """
        ...


def read_control(given: object) -> BatteryControl:
    """Read a control as people give it. Raises: Invalid."""
    try:
        control: BatteryControl = msgspec.convert(given, BatteryControl, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error
    factor = (
        control.register.factor if isinstance(control, ModbusControl) else getattr(control, "factor", 1.0)
    )
    if not 1e-6 <= abs(factor) <= 1e6:
        raise Invalid("factor: a number between 0.000001 and 1000000; negative turns the sign")
    if control.silent_after_s < 2 * control.interval_s:
        raise Invalid("silent_after_s: at least twice interval_s, or it would fall back between two messages")
    return control
