"""What a station should be set to, and where it differs: pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.domain.configuration.keys import find_key, key_of, variable_of
from pilotwire.domain.configuration.model import (
    HIDDEN,
    Drift,
    DriftState,
    Setting,
    TemplateScope,
    Variable,
    is_secret,
    read_name,
)

__all__ = [
    "Actual",
    "Make",
    "Template",
    "Wanted",
    "entry_refusal",
    "find_drift",
    "refusal_of",
    "same_value",
    "setting_of",
    "spelt_for",
    "wanted_settings",
]


class Make(msgspec.Struct, frozen=True):
    """What of a station decides which templates apply to it."""

    station_id: int
    vendor: str
    model: str
    firmware_version: str
    site_id: UUID | None
    ocpp_version: str


class Template(msgspec.Struct, frozen=True):
    """A configuration template. '' fits all; `model` and `firmware_version` may hold `*` for any characters."""

    id: UUID
    vendor: str
    model: str
    firmware_version: str
    site_id: UUID | None
    station_id: int | None
    entries: tuple[dict[str, Any], ...]

    @property
    def scope(self) -> TemplateScope:
        """To whom it applies."""
        if self.station_id is not None:
            return TemplateScope.STATION
        return TemplateScope.TENANT if self.site_id is None else TemplateScope.SITE


class Wanted(msgspec.Struct, frozen=True):
    """A setting, and the template that gives it."""

    setting: Setting
    template_id: UUID


class Actual(msgspec.Struct, frozen=True):
    """What a station last said of an attribute of a variable."""

    value: str | None
    mutability: str = ""
    data_type: str = ""
    values_list: str | None = None
    min_limit: float | None = None
    max_limit: float | None = None


def setting_of(entry: Mapping[str, Any]) -> Setting:
    """Read an entry of a template: a `name`, a 1.6 `key`, or a component and its variable, and the value."""
    attribute = entry.get("attribute") or "actual"
    if entry.get("component"):
        variable = Variable(
            entry.get("variable") or "",
            entry["component"],
            entry.get("component_instance") or "",
            entry.get("variable_instance") or "",
            entry.get("evse_id") or 0,
            entry.get("connector_id") or 0,
        )
    else:
        variable = read_name(entry.get("key") or entry.get("name") or "")
        if not variable.component:
            variable = variable_of(entry.get("key") or entry.get("name") or "")
    return Setting(variable, entry["value"], attribute, entry.get("key") or key_of(variable) or "")


def wanted_settings(templates: Iterable[Template], make: Make) -> dict[tuple[str, str], Wanted]:
    """Give what the templates that fit a station want, by path and attribute: the most specific one wins.

    First counts the scope (tenant, site, station), then how closely vendor, model and firmware are named.
    """
    fitting = sorted((template for template in templates if _fits(template, make)), key=_closeness)
    wanted: dict[tuple[str, str], Wanted] = {}
    for template in fitting:
        for entry in template.entries:
            setting = setting_of(entry)
            if make.ocpp_version == "1.6" and setting.key:  # a vendor's key may be given beside its variable
                setting = msgspec.structs.replace(setting, variable=variable_of(setting.key))
            wanted[setting.variable.path, setting.attribute] = Wanted(setting, template.id)
    return wanted


def _fits(template: Template, make: Make) -> bool:
    if template.station_id not in (None, make.station_id) or template.site_id not in (None, make.site_id):
        return False
    return all(
        _like(pattern, value)
        for pattern, value in (
            (template.vendor, make.vendor),
            (template.model, make.model),
            (template.firmware_version, make.firmware_version),
        )
    )


def _like(pattern: str, value: str) -> bool:
    return not pattern or fnmatchcase(value.casefold(), pattern.casefold().replace("[", "[[]"))


def _closeness(template: Template) -> tuple[Any, ...]:
    scopes = list(TemplateScope)
    named = (template.vendor, template.model, template.firmware_version)
    return (
        scopes.index(template.scope),
        *((bool(text), "*" not in text, len(text)) for text in named),
        template.id,
    )


def spelt_for(setting: Setting, ocpp_version: str, own_key: str = "") -> Setting | None:
    """Give a setting with the name that stations of a version have for it, None when they have none."""
    if ocpp_version == "1.6":
        if setting.attribute != "actual" or setting.variable.evse_id:
            return None
        key = own_key or setting.key or key_of(setting.variable)
        return None if not key else msgspec.structs.replace(setting, key=key)
    if not setting.variable.component:
        return None
    return msgspec.structs.replace(setting, key="")


def same_value(wanted: str, actual: str, data_type: str) -> bool:
    """Tell whether two values mean the same to a station."""
    wanted, actual = wanted.strip(), actual.strip()
    if wanted == actual:
        return True
    match data_type:
        case "boolean":
            return wanted.casefold() == actual.casefold()
        case "integer" | "decimal":
            try:
                return Decimal(wanted) == Decimal(actual)
            except InvalidOperation:
                return False
        case "member_list":
            return _items(wanted) == _items(actual)
        case "sequence_list":
            return [item.strip() for item in wanted.split(",")] == [
                item.strip() for item in actual.split(",")
            ]
        case "" | "string" if {wanted.casefold(), actual.casefold()} <= {"true", "false"}:
            return wanted.casefold() == actual.casefold()
        case _:
            return False


def _items(text: str) -> dict[str, None]:
    """Give the members of a list: their order says nothing, and some stations put blanks between them."""
    return dict.fromkeys(sorted(item.strip() for item in text.split(",") if item.strip()))


def find_drift(
    wanted: Mapping[tuple[str, str], Wanted],
    actual: Mapping[tuple[str, str], Actual],
    ocpp_version: str,
    *,
    complete: bool,
) -> list[Drift]:
    """Compare what a station should have with what it said it has.

    `complete` tells whether all its variables are known: only then one that is not among them is missing. What cannot
    be read back, or has no name in the station's version, is no drift.
    """
    found = []
    for place, want in wanted.items():
        setting = want.setting
        if spelt_for(setting, ocpp_version) is None:
            continue
        known = actual.get(place)
        if known is None:
            if complete:
                found.append(Drift(setting, DriftState.MISSING, None, want.template_id))
            continue
        if known.value is None or known.value == HIDDEN or known.mutability == "write_only":
            continue
        if same_value(setting.value, known.value, known.data_type):
            continue
        state = DriftState.READ_ONLY if known.mutability == "read_only" else DriftState.DIFFERENT
        found.append(Drift(setting, state, known.value, want.template_id))
    return found


def refusal_of(setting: Setting, known: Actual | None) -> str:
    """Say why a setting cannot be written, '' when nothing speaks against it; a station may still refuse."""
    name = setting.variable.name
    if is_secret(name) or is_secret(setting.key):
        return (
            f"'{name}' is a secret, and what is kept here is no place for one: set it by"
            " POST /stations/ID/call/ACTION, or have the station given its own password by onboarding"
        )
    if known is None:
        return ""
    if known.mutability == "read_only":
        return f"'{name}' is read-only at this station"
    return _misfit(name, setting.value, known)


def _misfit(name: str, value: str, known: Actual) -> str:
    text = value.strip()
    if known.data_type in ("integer", "decimal"):
        try:
            figure = Decimal(text)
        except InvalidOperation:
            return f"'{name}' takes a number, and '{value}' is none"
        if known.data_type == "integer" and figure != figure.to_integral_value():
            return f"'{name}' takes a whole number, and '{value}' is none"
        if known.min_limit is not None and figure < Decimal(str(known.min_limit)):
            return f"'{name}' takes {known.min_limit:g} at least"
        if known.max_limit is not None and figure > Decimal(str(known.max_limit)):
            return f"'{name}' takes {known.max_limit:g} at most"
        return ""
    if known.data_type == "boolean" and text.casefold() not in ("true", "false"):
        return f"'{name}' takes true or false"
    if known.data_type in ("option_list", "member_list", "sequence_list") and known.values_list:
        allowed = _items(known.values_list)
        items = [text] if known.data_type == "option_list" else list(_items(text))
        if wrong := [item for item in items if item not in allowed]:
            return f"'{name}' does not take '{wrong[0]}'; it takes {', '.join(allowed)}"
    if known.data_type == "string" and known.max_limit is not None and len(text) > known.max_limit:
        return f"'{name}' takes {known.max_limit:g} characters at most"
    return ""


def entry_refusal(entry: Mapping[str, Any]) -> str:
    """Say what is wrong with an entry of a template, '' when nothing is."""
    setting = setting_of(entry)
    name = setting.variable.name
    if is_secret(name) or is_secret(setting.key):
        return f"'{name}' is a secret: templates are readable, so they hold none; each station gets its own password"
    known = find_key(setting.key) if setting.key else None
    if known is None:
        return ""
    if known.access == "read_only":
        return f"'{known.key}' is read-only by the specification: a template cannot set it"
    return _misfit(known.key, setting.value, Actual(None, data_type=known.data_type))
