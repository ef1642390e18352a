"""Kinds of fields that several shapes of the API share."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["Given", "Line", "Moment", "Name", "Reason", "Shown", "Tags", "exact", "rounded"]


class Given(BaseModel):
    """A body that is sent to us: unknown fields are refused, so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """A body that we send."""

    model_config = ConfigDict(from_attributes=True)


class Reason(Shown):
    """A text by its code and values, so that it can be said in another language."""

    code: str = Field(examples=["no_session_began"])
    values: dict[str, str | int | float]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters, in one line")
    return text


def _in_utc(moment: datetime) -> datetime:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if not 1970 <= moment.year <= 9998:
        raise ValueError("a year between 1970 and 9998")
    return moment.astimezone(UTC)


def _not_a_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("a moment as text, such as 2030-12-31T23:59:59Z")  # noqa: TRY004 - pydantic's way
    return value


Line = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_one_line)]
"""A text of one line, which may be empty."""

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_one_line)
]
"""A text of one line that is not empty."""

Tags = Annotated[list[Line], Field(max_length=50, examples=[["pilot", "motorway"]])]
"""Words to find things by."""

Moment = Annotated[
    datetime,
    BeforeValidator(_not_a_number),
    AfterValidator(_in_utc),
    Field(description="ISO 8601; without a zone it is UTC.", examples=["2030-12-31T23:59:59Z"]),
]


def exact(value: Decimal | None) -> int | float | None:
    """Give a register as a JSON number: an integer when it is whole, else with up to three places.

    A float has 15 sure decimal digits; a register of three places needs more only beyond a terawatt-hour.
    """
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(round(value, 3))


def rounded(value: float | None, places: int) -> float | None:
    """Give a measured value without the noise of its binary form."""
    return None if value is None else round(value, places)
