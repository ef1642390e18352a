"""What others are told of energy management."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

__all__ = [
    "EnergyMeasured",
    "EnergySiteChanged",
    "EnergyTrouble",
    "ForecastMade",
    "ForecastWanted",
    "MeterRead",
    "OverridesChanged",
    "Reading",
    "WishChanged",
]


class Reading(msgspec.Struct, frozen=True):
    """What a meter of a site said. Currents and power are positive towards the loads; a generator's and a battery's power
    is positive towards the site, out of it. Units: A per phase, W, percent."""

    at: datetime
    current_a: tuple[float, float, float] | None = None
    power_w: float | None = None
    soc_percent: float | None = None


class MeterRead(msgspec.Struct, frozen=True):
    """A meter of a site was read."""

    tenant_id: int
    site_id: UUID
    name: str
    received_at: datetime
    reading: Reading


class ForecastWanted(msgspec.Struct, frozen=True):
    """Somebody wants the models of a site fitted anew."""

    tenant_id: int
    site_id: UUID


class ForecastMade(msgspec.Struct, frozen=True):
    """A site has new models, or a new forecast of the hours to come."""

    tenant_id: int
    site_id: UUID
    fitted: bool


class EnergySiteChanged(msgspec.Struct, frozen=True):
    """Somebody changed a site's tree, or switched its energy management on or off."""

    tenant_id: int
    site_id: UUID
    version: int
    enabled: bool


class WishChanged(msgspec.Struct, frozen=True):
    """Somebody said what a session wants."""

    tenant_id: int
    session_id: UUID


class OverridesChanged(msgspec.Struct, frozen=True):
    """Somebody set a limit for a time, or took it back."""

    tenant_id: int
    site_id: UUID


class EnergyMeasured(msgspec.Struct, frozen=True):
    """A site's flows and allocations as they are now; told when the loop has run, once in a few seconds at most."""

    tenant_id: int
    site_id: UUID
    live: dict[str, Any]


class EnergyTrouble(msgspec.Struct, frozen=True):
    """A station does not do what its limit says, or does again. `state` is `ignoring`, `rejecting` or `obeying`."""

    tenant_id: int
    site_id: UUID
    identity: str
    evse_no: int
    state: str
    detail: str
