"""What the generated wire modules of all versions are made of."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

Direction = Literal["cs", "csms", "both"]
MessageKind = Literal["request", "response"]

FIRST_YEAR = 1970
LAST_YEAR = 9998
MAX_VENDOR_ID = 255
MAX_DEPTH = 64


class WireStruct(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False, kw_only=True, gc=False
):
    """A JSON object of an OCPP message; fields are named as on the wire."""


class ActionTypes(NamedTuple):
    """The types of one action and who sends it.

    `direction` names the sender of the request; `response` is None for a message that is never answered.
    """

    request: type[WireStruct]
    response: type[WireStruct] | None
    direction: Direction
    since: str


class Difference(NamedTuple):
    """How a type of OCPP 2.0.1 differs from the 2.1 type of the same name.

    `absent`: fields that exist only since 2.1. `narrowed`: fields with another type.
    `required`: fields that 2.1 made optional.
    """

    absent: tuple[str, ...] = ()
    narrowed: Mapping[str, Any] = {}
    required: tuple[str, ...] = ()


class CustomData:
    """Vendor data that may be attached to any object of OCPP 2.x: any JSON object with a `vendorId`."""

    __slots__ = ("content",)

    def __init__(self, content: Mapping[str, Any]) -> None:
        vendor_id = content.get("vendorId")
        if vendor_id is None:
            raise ValueError("Object missing required field `vendorId`")
        if not isinstance(vendor_id, str):
            raise ValueError(f"Expected `str`, got `{type(vendor_id).__name__}` for `vendorId`")  # noqa: TRY004
        if len(vendor_id) > MAX_VENDOR_ID:
            raise ValueError(f"Expected `str` of length <= {MAX_VENDOR_ID} for `vendorId`")
        require_shallow(content)
        self.content = content

    @property
    def vendor_id(self) -> str:
        """Who defined the content."""
        return str(self.content["vendorId"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomData) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.vendor_id)

    def __repr__(self) -> str:
        return f"CustomData({self.content!r})"


class Absent:
    """Type of a field that the version does not have: no value is one of it."""


def decode_custom(wanted: type, value: object) -> object:
    """Build what msgspec cannot build by itself. Raises: ValueError for a value that does not fit."""
    if wanted is CustomData:
        if not isinstance(value, dict):
            raise ValueError(f"Expected `object`, got `{type(value).__name__}`")
        return CustomData(value)
    raise ValueError("Object contains unknown field of a later version")


def encode_custom(value: object) -> object:
    """Turn what msgspec cannot encode by itself into what it can. Raises: NotImplementedError otherwise."""
    if isinstance(value, CustomData):
        return value.content
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def require_plausible(*moments: datetime | UnsetType) -> None:
    """Refuse times that no station can mean and that later arithmetic cannot hold.

    The years 1970 to 9998 leave room for every UTC offset and for the database's range.
    Raises: ValueError.
    """
    for moment in moments:
        if moment is not UNSET and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValueError(f"Implausible timestamp: year {moment.year}")


def require_shallow(*contents: Any) -> None:
    """Refuse free JSON that is nested so deeply that later code could run out of stack on it.

    Raises: ValueError.
    """
    level: list[Any] = [each for each in contents if isinstance(each, dict | list)]
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    raise ValueError(f"Nested deeper than {MAX_DEPTH} levels")


def require_tenths(*amounts: float | UnsetType) -> None:
    """Refuse numbers with more than one decimal. Spec: `multipleOf` 0.1 in the schemas of OCPP 1.6.

    Binary floats cannot be tested by remainder (21.4 is not a multiple of 0.1 there), decimals can.
    Raises: ValueError.
    """
    for amount in amounts:
        if amount is UNSET:
            continue
        scaled = Decimal(repr(amount)).scaleb(1)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"Expected a multiple of 0.1, got {amount}")


_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:"
    r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
)


def require_uri(*addresses: str | UnsetType) -> None:
    """Refuse text that is not an absolute URI. Spec: `format` uri in the schemas of OCPP 1.6; RFC 3986.

    Raises: ValueError.
    """
    for address in addresses:
        if address is not UNSET and not _URI.fullmatch(address):
            raise ValueError(f"Expected a URI, got {address[:60]!r}")
