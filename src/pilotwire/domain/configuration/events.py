"""What others are told of device models, templates and drift."""

from datetime import datetime

import msgspec

from pilotwire.domain.configuration.model import ReadingState

__all__ = ["DeviceModelRead", "DriftChanged", "ReportAsked", "TemplatesChanged"]


class ReportAsked(msgspec.Struct, frozen=True):
    """A station is about to be asked for a report of its device model; `whole` means of all its variables."""

    tenant_id: int
    station_id: int
    identity: str
    number: int
    whole: bool
    at: datetime


class DeviceModelRead(msgspec.Struct, frozen=True):
    """The reading of a station's device model is over."""

    tenant_id: int
    station_id: int
    identity: str
    number: int
    state: ReadingState
    pages: int
    variables: int
    detail: str = ""


class TemplatesChanged(msgspec.Struct, frozen=True):
    """Somebody added, changed or removed a template of a tenant."""

    tenant_id: int


class DriftChanged(msgspec.Struct, frozen=True):
    """A station has another number of settings than before that differ from its templates."""

    tenant_id: int
    station_id: int
    identity: str
    drifting: int
