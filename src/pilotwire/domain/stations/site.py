"""What is known of a site besides its address: contacts, grid connection, tags."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.stations.opening import read_hours

__all__ = ["Contact", "GridConnection", "checked_site", "checked_tags", "checked_zone"]

_LONGEST_TAG = 40
_MOST_TAGS = 50
_MOST_CONTACTS = 20

Amperes = Annotated[float, Meta(gt=0, le=10_000)]


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to call: `role` says when (operations, security, owner, emergency, ...)."""

    role: Annotated[str, Meta(max_length=60)]
    name: Annotated[str, Meta(max_length=200)] = ""
    phone: Annotated[str, Meta(max_length=60)] = ""
    email: Annotated[str, Meta(max_length=200)] = ""
    note: Annotated[str, Meta(max_length=500)] = ""


class GridConnection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the grid operator lets the site draw. Units: A per phase, kW in all, V between phase and neutral."""

    limit_l1_a: Amperes | None = None
    limit_l2_a: Amperes | None = None
    limit_l3_a: Amperes | None = None
    limit_kw: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    voltage_v: Annotated[float, Meta(ge=50, le=50_000)] | None = None
    metering_point: Annotated[str, Meta(max_length=60)] = ""


def checked_site(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a site as they are kept, if they can be.

    Raises: Invalid.
    """
    checked = dict(values)
    if values.get("time_zone") is not None:
        checked_zone(values["time_zone"])
    if values.get("opening_hours") is not None:
        checked["opening_hours"] = _plain(read_hours(values["opening_hours"]))
    if "contacts" in values:
        contacts = _converted(values["contacts"] or [], list[Contact], "contacts")
        if len(contacts) > _MOST_CONTACTS:
            raise Invalid(say("contacts_too_many", "contacts: at most {most}", most=_MOST_CONTACTS))
        checked["contacts"] = _plain(contacts)
    if values.get("grid_connection") is not None:
        checked["grid_connection"] = _plain(
            _converted(values["grid_connection"], GridConnection, "grid_connection")
        )
    if "tags" in values:
        checked["tags"] = checked_tags(values["tags"] or [])
    return checked


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Return tags in their order of writing, each once.

    Raises: Invalid.
    """
    found = sorted({tag.strip() for tag in tags} - {""})
    if len(found) > _MOST_TAGS:
        raise Invalid(say("tags_too_many", "tags: at most {most}", most=_MOST_TAGS))
    for tag in found:
        if len(tag) > _LONGEST_TAG or not tag.isprintable() or ";" in tag:
            raise Invalid(
                say(
                    "tag_characters",
                    "tags: '{tag}': at most {most} printable characters without semicolon",
                    tag=tag[:50],
                    most=_LONGEST_TAG,
                )
            )
    return found


def checked_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises: Invalid for one that nobody knows.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            say(
                "time_zone_unknown",
                "'{name}' is no time zone of the IANA database (such as Europe/Berlin)",
                name=name[:60],
            )
        ) from error


def _plain(value: Any) -> Any:
    """Give what the database gives back: lists, where `to_builtins` leaves tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _converted(value: Any, kind: Any, name: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name}: {error}") from error
