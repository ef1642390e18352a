"""What is simulated: tokens, connectors, EVSEs, stations and sites, as the caller describes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OcppVersion = Literal["1.6", "2.0.1", "2.1"]
CurrentKind = Literal["AC", "DC"]
ConnectorType = Literal["type2_socket", "type2_cable", "ccs2", "chademo"]
SiteKind = Literal["office", "public", "home", "highway", "fleet"]

OCPP_VERSIONS: tuple[OcppVersion, ...] = ("1.6", "2.0.1", "2.1")
MAINS_VOLTAGE_V = 230.0
"""Phase to neutral. The figure with which amperes and watts of charging profiles are converted."""
MIN_AC_CURRENT_A = 6.0
"""Spec: IEC 61851-1. Below it an AC car cannot charge, so a lower limit means a pause."""


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """An RFID card and the person who carries it."""

    uid: str
    holder: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """A plug or socket of an EVSE."""

    id: int
    type: ConnectorType


@dataclass(frozen=True, slots=True)
class EvseSpec:
    """A place where one car at a time charges.

    Units: `max_power_w` is the output at the connector; `register_wh` is the lifetime register at the start.
    """

    id: int
    current: CurrentKind
    max_power_w: int
    phases: int
    connectors: tuple[ConnectorSpec, ...]
    register_wh: int = 0

    @property
    def max_current_a(self) -> float:
        """The greatest current per phase (AC) or of the direct-current output at 400 V."""
        if self.current == "AC":
            return self.max_power_w / (MAINS_VOLTAGE_V * self.phases)
        return min(500.0, self.max_power_w / 400.0)


@dataclass(frozen=True, slots=True)
class StationQuirks:
    """Ways in which real stations differ from the specification; all off by default."""

    boot_on_reconnect: bool = False
    """Sends BootNotification after every reconnect, not only after a reboot."""
    silent_reconnect: bool = False
    """Sends no StatusNotification after a reconnect."""
    answer_delay_s: float = 0.0
    """Answers the server's calls this late."""
    timestamps_without_zone: bool = False
    """Leaves the `Z` out of timestamps."""
    kwh_labelled_wh: bool = False
    """Sampled energy in kWh under the label Wh (start and stop registers stay right)."""
    session_relative_samples: bool = False
    """Sampled energy counts from the start of the session though it is called a register."""
    firmware_fails: Literal["", "download", "signature", "install"] = ""
    """Firmware updates fail at this step."""
    log_fails: bool = False
    """Logs are never delivered."""
    no_subprotocol: bool = False
    """Offers no WebSocket subprotocol."""


@dataclass(frozen=True, slots=True)
class StationSpec:
    """A charging station as it leaves the factory."""

    identity: str
    version: OcppVersion
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    evses: tuple[EvseSpec, ...]
    quirks: StationQuirks = field(default_factory=StationQuirks)

    def __post_init__(self) -> None:
        if [evse.id for evse in self.evses] != list(range(1, len(self.evses) + 1)):
            raise ValueError("EVSEs are numbered from 1 without a gap")
        if self.version == "1.6" and any(len(evse.connectors) != 1 for evse in self.evses):
            raise ValueError("a 1.6 station knows no EVSEs: give each of its connectors an EVSE of its own")


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """A place with stations and the habits of the people who charge there."""

    id: str
    name: str
    kind: SiteKind
    address: str
    postal_code: str
    city: str
    country: str
    latitude: float
    longitude: float
    time_zone: str
    stations: tuple[StationSpec, ...]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Everything that is simulated. `country` of a site is an ISO 3166-1 alpha-2 code."""

    sites: tuple[SiteSpec, ...]
    tokens: tuple[TokenSpec, ...]

    @property
    def stations(self) -> tuple[StationSpec, ...]:
        """The stations of all sites in order."""
        return tuple(station for site in self.sites for station in site.stations)
