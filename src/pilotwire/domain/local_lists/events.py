"""What others are told of local lists."""

from datetime import datetime

import msgspec

__all__ = ["LocalListChanged", "LocalListRulesChanged", "LocalListWanted"]


class LocalListChanged(msgspec.Struct, frozen=True):
    """A station's list of tokens is in step with ours now, or could not be brought there."""

    tenant_id: int
    station_id: int
    identity: str
    state: str
    version: int
    entries: int
    detail: str
    at: datetime


class LocalListRulesChanged(msgspec.Struct, frozen=True):
    """Somebody said for which stations of a tenant lists are kept."""

    tenant_id: int


class LocalListWanted(msgspec.Struct, frozen=True):
    """Somebody wants a station's list to be sent whole, now."""

    tenant_id: int
    station_id: int
