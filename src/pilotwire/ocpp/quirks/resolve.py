"""From a station's make to its behaviour."""

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from pilotwire.domain.stations.model import StationRecord
from pilotwire.ocpp.quirks.catalog import CATALOG
from pilotwire.ocpp.quirks.model import NO_QUIRKS, Behaviour, Quirk

__all__ = ["behaviour_of", "quirks_for"]


def quirks_for(record: StationRecord) -> Behaviour:
    """Give the behaviour for a station as it was last known."""
    return behaviour_of(record.vendor, record.model, record.firmware_version, record.quirk_switches)


def behaviour_of(vendor: str, model: str, firmware: str, switches: Mapping[str, bool]) -> Behaviour:
    """Give the behaviour for a make of station; `switches` turn single quirks on or off by name."""
    return _resolve(vendor, model, firmware, tuple(sorted(switches.items())))


@lru_cache(maxsize=4096)
def _resolve(vendor: str, model: str, firmware: str, switches: tuple[tuple[str, bool], ...]) -> Behaviour:
    wanted = dict(switches)
    active = [
        quirk
        for quirk in CATALOG
        if not quirk.always and wanted.get(quirk.name, _fits(quirk, vendor, model, firmware))
    ]
    if not active:
        return NO_QUIRKS
    changes: dict[str, object] = {}
    for quirk in active:
        changes.update(quirk.changes)
    return msgspec.structs.replace(NO_QUIRKS, names=tuple(quirk.name for quirk in active), **changes)


def _fits(quirk: Quirk, vendor: str, model: str, firmware: str) -> bool:
    if not (quirk.vendor or quirk.model):
        return False  # only by switch
    return all(
        not pattern or re.fullmatch(pattern, value, re.IGNORECASE)
        for pattern, value in ((quirk.vendor, vendor), (quirk.model, model), (quirk.firmware, firmware))
    )
