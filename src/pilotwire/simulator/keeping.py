"""What stations keep without power: their passwords, their registers and the transactions going on."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pilotwire.simulator.evse import Evse
from pilotwire.simulator.model import TokenSpec
from pilotwire.simulator.states import (
    ChargingState,
    Reading,
    StopReason,
    Transaction,
    Trigger,
    TxEvent,
)
from pilotwire.simulator.station import Station

SAVE_EVERY_S = 5.0
Kept = dict[str, Any]


class Memory:
    """The memory of all stations of a simulation, in one file (mode 0600) or, without a path, nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.passwords: dict[str, str] = {}
        self.registers: dict[tuple[str, int], float] = {}
        self._open: dict[str, list[Kept]] = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self.passwords = dict(kept["passwords"])
            self._open = dict(kept.get("open_transactions", {}))
            self.registers = {
                (identity, int(evse)): float(wh)
                for identity, evses in kept["registers_wh"].items()
                for evse, wh in evses.items()
            }

    def restore(self, stations: dict[str, Station]) -> None:
        """Let stations tell how the transactions of the last time ended: by loss of power."""
        for identity, kept in self._open.items():
            station = stations.get(identity)
            for entry in kept if station is not None else []:
                if station is not None and station.evse(entry["evse"]) is not None:
                    station.queue(_end_of(entry, station.evses[entry["evse"] - 1]))

    def take(self, stations: dict[str, Station]) -> None:
        """Note how things stand."""
        self._open = {}
        for identity, station in stations.items():
            for evse in station.evses:
                self.registers[identity, evse.id] = evse.register_wh
            going_on = [_keep(evse, evse.tx, station.now()) for evse in station.evses if evse.tx is not None]
            if going_on:
                self._open[identity] = going_on

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self._path is None:
            return
        registers: dict[str, dict[str, float]] = {}
        for (identity, evse), wh in self.registers.items():
            registers.setdefault(identity, {})[str(evse)] = round(wh, 3)
        text = json.dumps(
            {"passwords": self.passwords, "registers_wh": registers, "open_transactions": self._open}
        )
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        fresh.replace(self._path)


def _keep(evse: Evse, tx: Transaction, at: datetime) -> Kept:
    return {
        "id": tx.id,
        "evse": tx.evse_id,
        "connector": tx.connector_id,
        "started_at": tx.started_at.isoformat(),
        "start_wh": tx.start_wh,
        "token": tx.token.uid if tx.token else None,
        "number": tx.number,
        "seq_no": tx.seq_no,
        "charging_s": tx.charging_s,
        "at": at.isoformat(),
        "register_wh": int(evse.register_wh + 1e-6),
    }


def _end_of(kept: Kept, evse: Evse) -> TxEvent:
    at = datetime.fromisoformat(kept["at"])
    tx = Transaction(
        id=kept["id"],
        evse_id=kept["evse"],
        connector_id=kept["connector"],
        started_at=datetime.fromisoformat(kept["started_at"]),
        start_wh=kept["start_wh"],
        token=TokenSpec(kept["token"], "") if kept["token"] else None,
        number=kept["number"],
        seq_no=kept["seq_no"] + 1,
        charging_s=kept["charging_s"],
    )
    reading = Reading(
        at=at,
        context="Transaction.End",
        kind=evse.spec.current,
        register_wh=kept["register_wh"],
        power_w=0.0,
        currents_a=evse.flow.currents_a,
        voltages_v=evse.flow.voltages_v,
        offered_w=0.0,
        soc_percent=None,
        temperature_c=None,
    )
    return TxEvent(
        kind="ended",
        tx=tx,
        seq_no=kept["seq_no"],
        at=at,
        trigger=Trigger.ABNORMAL,
        state=ChargingState.IDLE,
        reading=reading,
        offline=True,
        stop_reason=StopReason.POWER_LOSS,
        charging_s=int(kept["charging_s"]),
    )
