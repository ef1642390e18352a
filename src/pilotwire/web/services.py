"""What the people's edge is given by whoever puts the system together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock, utc_now
from pilotwire.core.errors import Unavailable
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.ports import EnergyView
from pilotwire.domain.identity.ports import IdentityProvider, SignOnRules
from pilotwire.domain.operations.model import CommandDesk
from pilotwire.domain.reservations.model import Policy
from pilotwire.domain.sessions.settle import SessionDesk
from pilotwire.domain.stations.ports import StationCaller
from pilotwire.domain.transfers.ports import FileStore
from pilotwire.domain.webhooks.model import Poster

__all__ = ["KnownQuirk", "Measure", "OcppSchemas", "WebServices"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure for Prometheus: `read` gives a number, or a number per label value if there is a `label`.

    `name` is without the leading `pilotwire_`. Neither name nor labels may tell who is connected.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    read: Callable[[], float | Mapping[str, float]]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class OcppSchemas:
    """What calls to stations look like: their names in a version, and the JSON schema of each."""

    actions: Callable[[str], Sequence[str]] = lambda _version: ()
    schema: Callable[[str, str], dict[str, Any] | None] = lambda _version, _action: None


@dataclass(frozen=True, slots=True)
class KnownQuirk:
    """A way in which some stations differ, and whether a station is treated by it.

    `switched` is what somebody has decided by hand for this station, None where its make decides.
    """

    name: str
    section: str
    summary: str
    applies: str
    active: bool
    switched: bool | None


def _no_quirks(*_: object) -> Sequence[KnownQuirk]:
    return ()


def _no_handshakes() -> Sequence[Mapping[str, Any]]:
    return ()


def _nothing_to_report() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class WebServices:
    """Everything that the web edge works with.

    `handshakes` gives the failed handshakes, newest first, each with `subject`, `remote_address`, `problem`,
    `count`, `first_at`, `last_at`, `detail` and `explanation`. `health` names the components and says of each
    `ok` or what is wrong.
    """

    db: Database
    bus: LocalBus
    caller: StationCaller
    pepper: bytes
    handshakes: Callable[[], Sequence[Mapping[str, Any]]] = _no_handshakes
    health: Callable[[], Mapping[str, str]] = _nothing_to_report
    measures: Sequence[Measure] = ()
    ocpp: OcppSchemas = field(default_factory=OcppSchemas)
    clock: Clock = utc_now
    desk: CommandDesk | None = None
    """Takes commands to stations; None in a process without a stations' edge."""
    reservation_policy: Policy = field(default_factory=Policy)
    session_desk: SessionDesk | None = None
    """Ends sessions that their stations never will; None in a process without a stations' edge."""
    energy: EnergyView | None = None
    """Tells of sites' energy as it is now; None in a process that runs no loops."""
    store: FileStore | None = None
    """Where firmware and logs are kept; None in a process that keeps none."""
    maximum_firmware_bytes: int = 512 * 1024 * 1024
    maximum_log_bytes: int = 256 * 1024 * 1024
    poster: Poster | None = None
    """Posts to webhooks; None in a process that delivers none."""
    stations_url: str = ""
    """Where stations connect, for the page that says so: `ws://host:9000/ocpp`."""
    stations_tls_url: str = ""
    """Where stations connect over TLS: `wss://host:9443/ocpp`; empty when there is no such port."""
    trusted_proxies: str = "127.0.0.1"
    """Networks of proxies that are believed when they say who asks."""
    keeps_local_lists: bool = True
    """Whether stations' lists of tokens are kept where no rule says anything."""
    relay_state: Callable[[int], tuple[bool, str]] = lambda _: (False, "no stations' edge in this process")
    """Tells of a station's relay whether it is connected, and if not what is wrong."""
    quirks: Callable[[str, str, str, Mapping[str, bool]], Sequence[KnownQuirk]] = _no_quirks
    """Tells by vendor, model, firmware and switches which quirks there are, and which hold."""
    seal: Seal | None = None
    """Seals secrets that have to be read again; None in a process that keeps none."""
    console_url: str = ""
    """Where browsers find the console; empty: as they name it themselves."""
    provider: IdentityProvider | None = None
    """Single sign-on, if there is a provider."""
    sign_on_rules: SignOnRules = field(default_factory=SignOnRules)
    event_capacity: int = field(default=10_000)

    def vault(self) -> Seal:
        """Give the seal.

        Raises: Unavailable in a process that keeps no secrets.
        """
        if self.seal is None:
            raise Unavailable("this process keeps no secrets: ask the one that runs the stations' edge")
        return self.seal
