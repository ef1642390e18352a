"""Measure what one message costs between socket and writer: reading, repairing, deciding, answering.

No socket, no database: frames of the charging cycle go into the stations' links, the records are taken at once. Each
kind of message of each version is timed for all stations together, and the best round counts, so that a busy machine
disturbs little. `reference` is a fixed piece of work of the same kind; costs in its unit can be compared across machines.
"""

import argparse
import cProfile
import json
import pstats
import time
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from bench.frames import BOOT, CYCLE, DIALECTS, KIND_NAMES
from pilotwire.core.clock import utc_now
from pilotwire.core.ids import new_uuid
from pilotwire.db.writer import Entry
from pilotwire.domain.access.model import Token, TokenStatus
from pilotwire.domain.lookups import LookupNeeded
from pilotwire.domain.sessions.decide import SessionsView
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.link import StationLink
from pilotwire.ocpp.tokens import TokenCache

REFERENCE_FRAME = (
    b'[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z",'
    b'"sampledValue":[{"value":"10800.0","unit":"W"}]}]}]'
)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Intake:
    """Takes what a writer takes; `keep` says that all of it is on disk."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def submit(self, entry: Entry) -> bool:
        self.entries.append(entry)
        return False

    def keep(self) -> None:
        entries, self.entries = self.entries, []
        for entry in entries:
            entry.kept()


class Host:
    """What links ask of the switchboard, with everything that they need in memory."""

    def __init__(self) -> None:
        self.writer: Any = Intake()
        self.tokens = TokenCache()
        self.now = utc_now
        self.turns: Any = self
        self.frames_in = 0
        numbers = count(1)
        self.services = Services(
            boot_policy=BootPolicy(),
            tokens=self.tokens,
            vendors=VendorRegistry(),
            new_session_id=new_uuid,
            next_transaction_number=lambda: next(numbers),
            maximum_power_w=500_000,
        )

    def may_take(self, _: StationLink) -> bool:
        """There is no event loop whose turns are to be kept short."""
        return True

    def boot_accepted(self, link: StationLink) -> None:
        """Nobody is new."""

    def counted(self, link: StationLink, code: str) -> None:
        """Note a repair; nothing that is said here needs one."""
        raise RuntimeError(f"{link.identity}: {code}")

    def look_up(self, link: StationLink, needed: LookupNeeded) -> Awaitable[None]:
        raise RuntimeError(f"{link.identity} asks for {needed!r}, which a bench never needs")


class Wire:
    """The station's end of a connection."""

    remote_address = "127.0.0.1"

    def __init__(self) -> None:
        self.sent = b""

    def send(self, text: bytes) -> None:
        self.sent = text

    def close(self, code: int = 1000, reason: str = "") -> None:
        raise RuntimeError(f"the link was closed: {code} {reason}")

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


class Speaker:
    """One station: what it says, its link, and a check of every answer."""

    def __init__(self, host: Host, number: int, version: str) -> None:
        self.identity = f"BENCH-{number:05d}"
        self.token_uid = f"BENCHTAG{number:06d}"
        self.transaction_id: int | str = 0
        self.meter_wh = 1000 * number
        self.sequence = 0
        self.status_step = 0
        self.dialect = DIALECTS[version]
        self.wire = Wire()
        self._said = 0
        host.tokens.keep(
            1,
            self.token_uid,
            Token(self.token_uid, TokenStatus.ACCEPTED, None, None),
            as_of=host.tokens.changes,
        )
        record = StationRecord(
            number + 1, 1, self.identity, Admission.ACCEPTED, b"", None, 1, None, "PilotwireBench", "Load",
            "1.0.0", {}, enrolled=False,
        )  # fmt: skip
        connection: Any = self.wire
        link_host: Any = host
        self.link = StationLink(link_host, connection, OcppVersion(version), self.identity)
        view = SessionsView()
        view.complete = True
        self.link.attach(StationView(record), view, 1)

    def frame(self, kind: int, stamp: str) -> bytes:
        """What it says next."""
        self._said += 1
        return self.dialect.build[kind](self, f"{self.identity}-{self._said}", stamp).encode()

    def check(self, kind: int) -> None:
        """Raises: RuntimeError for a wrong answer."""
        number, _, payload = _decode(self.wire.sent)
        fault = "a refusal" if number != 3 else self.dialect.check[kind](self, payload)
        if fault:
            raise RuntimeError(f"{self.identity}: {KIND_NAMES[kind]}: {fault}: {self.wire.sent!r}")


def _reference_us() -> float:
    begun = time.process_time()
    for _ in range(300):
        _encode(_decode(REFERENCE_FRAME))
    return (time.process_time() - begun) / 300 * 1e6


def measure(stations: int, rounds: int, profile: cProfile.Profile | None = None) -> dict[str, Any]:
    """Play whole cycles; give the best cost in microseconds by version and kind, and the mean over the cycle's mix."""
    host = Host()
    best: dict[tuple[str, int], float] = defaultdict(lambda: float("inf"))
    reference_us = float("inf")
    speakers = {
        version: [Speaker(host, n * len(DIALECTS) + place, version) for n in range(stations)]
        for place, version in enumerate(DIALECTS)
    }
    moment = datetime.now(UTC) - timedelta(hours=6)
    for turn in range(rounds):
        reference_us = min(reference_us, _reference_us())
        for kind in CYCLE if turn else (BOOT, *CYCLE):
            moment += timedelta(milliseconds=10)
            stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for version, group in speakers.items():
                frames = [(speaker.link.text_received, speaker.frame(kind, stamp)) for speaker in group]
                if profile is not None:
                    profile.enable()
                begun = time.process_time()
                for receive, frame in frames:
                    receive(frame)
                host.writer.keep()
                spent = time.process_time() - begun
                if profile is not None:
                    profile.disable()
                best[version, kind] = min(best[version, kind], spent / stations * 1e6)
                for speaker in group:
                    speaker.check(kind)
    figures = {
        version: {KIND_NAMES[kind]: round(best[version, kind], 2) for kind in range(len(KIND_NAMES))}
        for version in DIALECTS
    }
    mean = sum(best[version, kind] for version in DIALECTS for kind in CYCLE) / len(CYCLE) / len(DIALECTS)
    return {
        "by_kind_us": figures,
        "mean_us": round(mean, 2),
        "reference_us": round(reference_us, 3),
        "mean_in_references": round(mean / reference_us, 2),
    }


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench inside",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stations", type=int, default=40, help="stations per version")
    parser.add_argument("--rounds", type=int, default=15, help="charging cycles of 40 messages")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    options = parser.parse_args(arguments)
    profile = cProfile.Profile() if options.profile else None
    figures = measure(options.stations, options.rounds, profile)
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(60)
        return 0
    print(json.dumps(figures, indent=2))
    return 0
