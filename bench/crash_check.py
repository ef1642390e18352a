"""The verdict on a crash run: what the stations know was answered, against what the database holds."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from bench.crash_stations import Charge, Journal


@dataclass
class Findings:
    """What is missing, what is there twice, what is there but wrong; all empty when the promise was kept."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def add(self, other: "Findings") -> None:
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong


async def check(dsn: str, journal: Journal, since: datetime) -> Findings:
    """Compare a journal with the rows received since `since`."""
    connection = await asyncpg.connect(dsn)
    try:
        findings = Findings()
        await _check_frames(connection, journal, since, findings)
        await _check_sessions(connection, journal, since, findings)
        await _check_samples(connection, journal, since, findings)
        return findings
    finally:
        await connection.close()


async def _check_frames(
    connection: asyncpg.Connection, journal: Journal, since: datetime, findings: Findings
) -> None:
    rows = await connection.fetch(
        "SELECT station.identity, frame.message_id FROM frame JOIN station ON station.id = frame.station_id"
        " WHERE frame.received_at >= $1 AND frame.direction = 0 AND frame.response IS NOT NULL",
        since,
    )
    stored = {(row["identity"], row["message_id"]) for row in rows}
    findings.lost += [f"frame {identity} {message_id}" for identity, message_id in journal.answered - stored]


async def _check_sessions(
    connection: asyncpg.Connection, journal: Journal, since: datetime, findings: Findings
) -> None:
    rows = await connection.fetch(
        "SELECT station.identity, s.transaction_ref, s.started_at, s.ended_at, s.state, s.meter_start_wh,"
        " s.meter_end_wh, s.energy_wh FROM session s JOIN station ON station.id = s.station_id"
        " WHERE s.first_received_at >= $1",
        since,
    )
    stored: dict[tuple[str, datetime], list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        stored[row["identity"], row["started_at"]].append(row)
    for charge in journal.charges:
        name = f"session {charge.identity} {charge.transaction_id} of {charge.started_at.isoformat()}"
        found = stored.pop((charge.identity, charge.started_at), [])
        if len(found) > 1:
            findings.doubled.append(f"{name}: {len(found)} rows")
        if charge.start_answered and not found:
            findings.lost.append(name)
        elif charge.start_answered:
            findings.wrong += [f"{name}: {fault}" for fault in _compare(charge, found[0])]
    for identity, started_at in stored:
        findings.wrong.append(f"session {identity} of {started_at.isoformat()}: no station started it")


def _compare(charge: Charge, row: Any) -> list[str]:
    """Name the fields of a session's row that are not what its station was answered for."""
    wanted: dict[str, Any] = {
        "transaction_ref": str(charge.transaction_id),
        "meter_start_wh": charge.meter_start_wh,
    }
    if charge.stop_answered:
        wanted.update(
            meter_end_wh=charge.meter_stop_wh,
            energy_wh=charge.meter_stop_wh - charge.meter_start_wh,
            state="ended",
        )
    return [f"{key} is {row[key]}, should be {value}" for key, value in wanted.items() if row[key] != value]


async def _check_samples(
    connection: asyncpg.Connection, journal: Journal, since: datetime, findings: Findings
) -> None:
    rows = await connection.fetch(
        "SELECT station.identity, sample.at, sample.energy_wh, session.transaction_ref"
        " FROM sample JOIN station ON station.id = sample.station_id"
        " LEFT JOIN session ON session.id = sample.session_id WHERE sample.received_at >= $1",
        since,
    )
    places = Counter((row["identity"], row["at"]) for row in rows)
    contents = {(row["identity"], row["at"]): (row["energy_wh"], row["transaction_ref"]) for row in rows}
    findings.doubled += [f"sample {place}: {n} rows" for place, n in places.items() if n > 1]
    for charge in journal.charges:
        for at, (energy_wh, answered) in charge.samples.items():
            name = f"sample {charge.identity} {charge.transaction_id} at {at.isoformat()}"
            content = contents.get((charge.identity, at))
            if content is None:
                findings.lost += [name] if answered else []
            elif content != (energy_wh, str(charge.transaction_id)):
                findings.wrong.append(f"{name}: {content}, should be {energy_wh} Wh")
