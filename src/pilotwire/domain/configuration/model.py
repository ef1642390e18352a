"""Variables of stations: names, values, and what may be done with them. Spec: OCPP 2.0.1 part 1, 4."""

import re
from enum import StrEnum
from uuid import UUID

import msgspec

__all__ = [
    "HIDDEN",
    "Drift",
    "DriftState",
    "ReadingState",
    "ReportPage",
    "Reported",
    "Setting",
    "Source",
    "TemplateScope",
    "Variable",
    "Written",
    "is_secret",
    "read_name",
]

HIDDEN = "***"
"""What stands where a secret was taken out."""

_SECRET = re.compile(
    r"authorizationkey|basicauthpassword|passw(or)?d|passphrase|secret|privatekey|presharedkey|\bpsk\b|pincode",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:(?P<component>[^/\[\]#]+)(?:\[(?P<component_instance>[^\]]+)\])?"
    r"(?:#(?P<evse_id>\d{1,9})(?:\.(?P<connector_id>\d{1,9}))?)?/)?"
    r"(?P<variable>[^/\[\]#]+)(?:\[(?P<variable_instance>[^\]]+)\])?"
)


class Source(StrEnum):
    """Where a value came from."""

    REPORT = "report"
    """The station reported its device model, or was asked for its configuration."""
    EVENT = "event"
    """The station told of a change by itself."""
    WRITE = "write"
    """Somebody wrote it, and the station took it."""


class ReadingState(StrEnum):
    """How far the reading of a station's device model has come."""

    NEVER = "never"
    READING = "reading"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Pages are missing; what came is kept."""
    FAILED = "failed"


class DriftState(StrEnum):
    """Why a station does not have the value that its templates give."""

    DIFFERENT = "different"
    MISSING = "missing"
    """The station has no such variable."""
    READ_ONLY = "read_only"
    """It has another value, and does not let it be written."""


class TemplateScope(StrEnum):
    """To whom a template applies; a later one wins over the ones before."""

    TENANT = "tenant"
    SITE = "site"
    STATION = "station"


class Variable(msgspec.Struct, frozen=True):
    """A variable of a component; a key of OCPP 1.6 that has no standard name has no component."""

    variable: str
    component: str = ""
    component_instance: str = ""
    variable_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0

    @property
    def name(self) -> str:
        """The name as people write it: `Component[instance]#evse.connector/Variable[instance]`, or a key of 1.6."""
        own = self.variable + (f"[{self.variable_instance}]" if self.variable_instance else "")
        if not self.component:
            return own
        place = f"#{self.evse_id}" if self.evse_id else ""
        place += f".{self.connector_id}" if self.connector_id else ""
        instance = f"[{self.component_instance}]" if self.component_instance else ""
        return f"{self.component}{instance}{place}/{own}"

    @property
    def path(self) -> str:
        """The name in which letter case does not matter, as names of OCPP are compared."""
        return self.name.casefold()


def read_name(text: str) -> Variable:
    """Read a name as people write it; what has another form is taken for a key of 1.6."""
    found = _NAME.fullmatch(text.strip())
    if found is None:
        return Variable(text.strip())
    parts = {key: value.strip() for key, value in found.groupdict(default="").items()}
    return Variable(
        parts["variable"],
        parts["component"],
        parts["component_instance"],
        parts["variable_instance"],
        int(parts["evse_id"] or 0),
        int(parts["connector_id"] or 0),
    )


def is_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret. Spec: 1.6 security A00.FR.207; 2.0.1 A01.FR.03."""
    return _SECRET.search(name) is not None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute of a variable as a station gave it; what it did not say is None or ''."""

    variable: Variable
    attribute: str = "actual"
    value: str | None = None
    has_value: bool = True
    """False where only the characteristics are known."""
    key: str = ""
    """The name of a 1.6 key as the station writes it."""
    mutability: str = ""
    """read_only, write_only or read_write."""
    data_type: str = ""
    unit: str = ""
    min_limit: float | None = None
    max_limit: float | None = None
    values_list: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


class ReportPage(msgspec.Struct, frozen=True):
    """What a report of a station says of variables: a page of a report that was asked for, or an event."""

    source: Source
    entries: tuple[Reported, ...]
    number: int = 0
    """The number of the request that it answers."""
    seq_no: int = 0
    last: bool = True


class Setting(msgspec.Struct, frozen=True):
    """A value that a variable is to have. `key` is the name under which a 1.6 station knows it."""

    variable: Variable
    value: str
    attribute: str = "actual"
    key: str = ""


class Written(msgspec.Struct, frozen=True):
    """What became of a setting that was written; `actual` is what the station gave when it was read back."""

    setting: Setting
    outcome: str
    actual: str | None = None


class Drift(msgspec.Struct, frozen=True):
    """A setting that a station does not have as its templates give it."""

    setting: Setting
    state: DriftState
    actual: str | None
    template_id: UUID
