"""What the people's edge is given by whoever puts the system together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock, utc_now
from pilotwire.db.engine import Database
from pilotwire.domain.operations.model import CommandDesk
from pilotwire.domain.stations.ports import StationCaller

__all__ = ["Measure", "WebServices"]


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
    clock: Clock = utc_now
    desk: CommandDesk | None = None
    """Takes commands to stations; None in a process without a stations' edge."""
    stations_url: str = ""
    """Where stations connect, for the page that says so: `ws://host:9000/ocpp`."""
    event_capacity: int = field(default=10_000)
