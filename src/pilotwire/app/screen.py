"""The demo's live view in the terminal."""

import asyncio
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pilotwire.app.demo import DemoLogin
from pilotwire.app.server import Server
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.model import summarise_status
from pilotwire.domain.stations.ports import StationConnected
from pilotwire.domain.stations.records import ConnectorStatusChanged, StationDisconnected

__all__ = ["Screen"]

_LOOKS = {
    "available": ("○", "green"),
    "charging": ("ϟ", "bright_blue"),
    "occupied": ("◐", "cyan"),
    "reserved": ("◷", "magenta"),
    "unavailable": ("▬", "yellow"),
    "faulted": ("▲", "red"),
    "offline": ("✕", "bright_black"),
}
_OCCUPIED = frozenset({"preparing", "suspended_ev", "suspended_evse", "finishing", "occupied"})


class Screen:
    """Listens to the bus and draws a table of stations."""

    def __init__(self, server: Server, login: DemoLogin) -> None:
        self._server = server
        self._login = login
        self._connected: dict[str, str] = {}
        self._statuses: dict[str, dict[tuple[int, int], str]] = {}
        self._sessions: dict[str, dict[str, SessionKept]] = {}
        self._news: deque[str] = deque(maxlen=5)
        bus = server.edge.bus
        bus.subscribe(StationConnected, self._on_connected)
        bus.subscribe(StationDisconnected, self._on_disconnected)
        bus.subscribe(ConnectorStatusChanged, self._on_status)
        bus.subscribe(SessionKept, self._on_session)

    async def show(self, stop: asyncio.Event) -> None:
        """Draw twice a second until the stop."""
        with Live(console=Console(), auto_refresh=False, screen=True) as live:
            while not stop.is_set():
                live.update(self._draw(), refresh=True)
                try:
                    await asyncio.wait_for(stop.wait(), 0.5)
                except TimeoutError:
                    continue

    def _on_connected(self, notice: StationConnected) -> None:
        self._connected[notice.identity] = notice.ocpp_version

    def _on_disconnected(self, record: StationDisconnected) -> None:
        self._connected.pop(record.identity, None)
        self._news.append(f"{record.at:%H:%M:%S}  {record.identity} went offline")

    def _on_status(self, record: ConnectorStatusChanged) -> None:
        if record.current and record.evse_no:
            self._statuses.setdefault(record.identity, {})[record.evse_no, record.connector_no] = (
                record.status
            )
            if record.status == "faulted":
                self._news.append(
                    f"{record.received_at:%H:%M:%S}  {record.identity} faulted: {record.error_code}"
                )

    def _on_session(self, record: SessionKept) -> None:
        sessions = self._sessions.setdefault(record.identity, {})
        ref = record.facts.transaction_ref
        if record.state == "active":
            sessions[ref] = record
        else:
            sessions.pop(ref, None)
        if record.change != "updated":
            energy = record.facts.energy_wh
            what = (
                "a car charges"
                if record.change == "started"
                else f"a car leaves with {(energy or 0) / 1000:.1f} kWh"
            )
            self._news.append(f"{record.received_at:%H:%M:%S}  {record.identity}: {what}")

    def _draw(self) -> Group:
        head = Text.assemble(
            ("Pilotwire demo", "bold"), "   console ", (self._server.web.url, "bright_blue underline"),
            "   sign in as ", (self._login.email, "bold"), " with ", (self._login.password, "bold"), "   Ctrl-C ends it",
        )  # fmt: skip
        table = Table(expand=True, box=None, header_style="bright_black", pad_edge=False)
        for name, justify in (("Station", "left"), ("Status", "left"), ("OCPP", "left"), ("Power", "right"),
                              ("Energy", "right"), ("Battery", "right")):  # fmt: skip
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        total_w = 0.0
        identities = sorted({*self._connected, *self._statuses})
        for identity in identities:
            status = summarise_status(
                identity in self._connected, list(self._statuses.get(identity, {}).values())
            )
            status = "occupied" if status in _OCCUPIED else status
            sessions = self._sessions.get(identity, {}).values()
            power_w = sum(s.facts.last_power[1] for s in sessions if s.facts.last_power)
            if power_w > 0 and status == "occupied":
                status = "charging"
            energy_wh = sum((s.facts.energy_wh or 0) for s in sessions)
            socs = [s.facts.last_soc[1] for s in sessions if s.facts.last_soc]
            total_w += power_w
            shape, colour = _LOOKS.get(status, ("·", "white"))
            table.add_row(
                identity,
                Text(f"{shape} {status}", style=colour),
                self._connected.get(identity, ""),
                f"{power_w / 1000:.1f} kW" if power_w else "",
                f"{energy_wh / 1000:.1f} kWh" if energy_wh else "",
                f"{socs[0]:.0f} %" if socs else "",
            )
        foot = Text(f"{len(self._connected)} stations connected, {total_w / 1000:.1f} kW", style="bold")
        return Group(head, Text(), table, Text(), foot, Text("\n".join(self._news), style="bright_black"))
