"""Plays the frames of the corpus through the real gate, codec, quirks and decisions: no socket, no database.

A case is a JSON object. `quirk` names the entry of the catalogue that it needs. Three kinds:

- a message: `frame` (JSON, or its text where that is broken; `hex` for bytes), after the frames in `before`;
  `answer` is what must come back (`{"result": {...}}` with at least these fields, `{"error": code}`, or null) and
  `deviations` are the codes that must be counted for it;
- an answer to a call of ours: `call` is the action, `$ID` in the frame stands for our message id;
- a handshake: `head` are the lines of the request.

`expect` looks at what was kept; see the functions called `_check_...`.
"""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from pilotwire.domain.access.model import Token, TokenStatus
from pilotwire.domain.lookups import LookupNeeded, SessionLookup, StartLookup, TokenLookup
from pilotwire.domain.sessions.decide import SessionsView
from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.model import Admission, StationRecord
from pilotwire.domain.stations.records import ConnectorStatusChanged, FrameKept, StationBootKept
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.link import StationLink
from pilotwire.ocpp.tokens import TokenCache
from pilotwire.ocpp.turns import Turns

FOLDER = Path(__file__).parent
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKENS = {
    uid: Token(uid, TokenStatus.ACCEPTED, None, None)
    for uid in ("CARD", "CARD2", "04A1B2C3D4E5F6", "12345678901234567890")
}
SECTIONS = ("handshake", "boot", "messages", "transactions", "metering", "charging")


def cases(*sections: str) -> list[dict[str, Any]]:
    """The cases of the sections, of all when none is named."""
    return [
        case
        for section in sections or SECTIONS
        for case in json.loads((FOLDER / f"{section}.json").read_text(encoding="utf-8"))
    ]


def bytes_of(frame: Any) -> bytes:
    """The frame as it comes over the wire."""
    if isinstance(frame, dict):
        return bytes.fromhex(frame["hex"])
    return frame.encode() if isinstance(frame, str) else json.dumps(frame, separators=(",", ":")).encode()


@dataclass
class Wire:
    """A connection that remembers what was sent."""

    sent: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    remote_address: str = "192.0.2.1"

    def send(self, text: bytes) -> None:
        self.sent.append(text)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)

    def pause_reading(self) -> None:
        """Nothing is buffered here."""

    def resume_reading(self) -> None:
        """Nothing is buffered here."""


class Books:
    """A writer that keeps everything at once."""

    full = False

    def __init__(self) -> None:
        self.records: list[Any] = []

    def submit(self, entry: Any) -> None:
        self.records += entry.records
        entry.kept()

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]


class Host:
    """What a link asks of the switchboard, with everything in memory."""

    def __init__(self) -> None:
        numbers, ids = count(1001), count(1)
        self.cache = TokenCache()
        self.writer: Any = Books()
        self.codes: list[str] = []
        self.turns = Turns()
        self.frames_in = 0
        self.moment = NOW
        self.services = Services(
            boot_policy=BootPolicy(spread=0),
            tokens=self.cache,
            vendors=VendorRegistry(),
            new_session_id=lambda: UUID(int=next(ids)),
            next_transaction_number=lambda: next(numbers),
            maximum_power_w=350_000,
        )

    def now(self) -> datetime:
        return self.moment

    def boot_accepted(self, link: StationLink) -> None:
        """Nobody is new."""

    def counted(self, link: StationLink, code: str) -> None:
        self.codes.append(code)

    def look_up(self, link: StationLink, needed: LookupNeeded) -> Awaitable[None]:
        return self._look_up(link, needed)

    async def _look_up(self, link: StationLink, needed: LookupNeeded) -> None:
        match needed:
            case TokenLookup(uid=uid):
                self.cache.keep(1, uid, TOKENS.get(uid), as_of=self.cache.changes)
            case SessionLookup(transaction_ref=ref):
                link.sessions.by_ref.setdefault(ref, None)
            case StartLookup(start_key=key):
                link.sessions.starts.setdefault(key, None)


class Played:
    """A case that was played, and what came of it."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.host = Host()
        self.books: Books = self.host.writer
        self.wire = Wire()
        self.payload: bytes | None = None
        make = case.get("station", {})
        record = StationRecord(
            1, 1, "CP1", Admission.ACCEPTED, b"", None, 1, None, make.get("vendor", ""), make.get("model", ""),
            make.get("firmware", ""), dict.fromkeys(make.get("switches", ()), True), enrolled=False,
        )  # fmt: skip
        connection: Any = self.wire
        self.link = StationLink(self.host, connection, OcppVersion(case.get("version", "1.6")), "CP1")
        view = SessionsView()
        view.complete = not case.get("incomplete", False)
        self.link.attach(StationView(record), view, 1)

    async def play_before(self) -> None:
        """Say what comes before the frame that the case is about."""
        for frame in self.case.get("before", ()):
            await self._say(bytes_of(frame))

    async def play(self) -> "Played":
        await self.play_before()
        self.wire.sent.clear()
        self.host.codes.clear()
        if "call" in self.case:
            await self._answer_our_call(self.case["call"])
        else:
            await self._say(bytes_of(self.case["frame"]))
        return self

    async def _say(self, text: bytes) -> None:
        sent = len(self.wire.sent)
        self.link.text_received(text)
        for _ in range(10):
            await asyncio.sleep(0)
        delay_s = max(self.link.behaviour.reply_delay_s.values(), default=0.0)
        if delay_s and len(self.wire.sent) == sent:
            await asyncio.sleep(delay_s * 1.5)

    async def _answer_our_call(self, action: str) -> None:
        call = asyncio.ensure_future(self.link.call(action, b"{}", 5))
        await asyncio.sleep(0)
        message_id = json.loads(self.wire.sent.pop())[1]
        await self._say(bytes_of(self.case["frame"]).replace(b"$ID", message_id.encode()))
        self.payload = (await asyncio.wait_for(call, 1)).payload

    def check(self) -> None:
        """Raise AssertionError where something is otherwise than the case says."""
        assert self.wire.closed is None
        assert self.link.alive
        assert sorted(self.host.codes) == sorted(self.case.get("deviations", []))
        if "call" not in self.case:
            self._check_answer(self.case.get("answer"))
        kept = self.books.of(FrameKept)
        assert len(kept) == len(self.case.get("before", ())) + 1
        for name, wanted in self.case.get("expect", {}).items():
            getattr(self, f"_check_{name}")(wanted)

    def _check_answer(self, wanted: dict[str, Any] | None) -> None:
        if wanted is None:
            assert self.wire.sent == []
            return
        (answer,) = (json.loads(text) for text in self.wire.sent)
        if "error" in wanted:
            assert (answer[0], answer[2]) == (4, wanted["error"])
        else:
            assert answer[0] == 3, answer
            _includes(answer[2], wanted["result"])
        if "id" in wanted:
            assert answer[1] == wanted["id"]

    def _check_sessions(self, wanted: dict[str, dict[str, Any]]) -> None:
        """By reference: fields of the facts, and `state` and `review`. No other session may be there."""
        newest: dict[str, SessionKept] = {}
        for kept in self.books.of(SessionKept):
            newest[kept.facts.transaction_ref] = kept
        assert newest.keys() == wanted.keys()
        for ref, fields in wanted.items():
            for name, value in fields.items():
                found = (
                    getattr(newest[ref], name)
                    if name in ("state", "review")
                    else getattr(newest[ref].facts, name)
                )
                assert _same(found, value), (ref, name, found)

    def _check_sample(self, wanted: dict[str, Any]) -> None:
        """Fields of the sample that was kept last; `session` is the number of its session."""
        kept: SampleKept = self.books.of(SampleKept)[-1]
        for name, value in wanted.items():
            found = (
                kept.session_id and kept.session_id.int if name == "session" else getattr(kept.sample, name)
            )
            assert _same(found, value), (name, found)

    def _check_samples(self, wanted: int) -> None:
        assert len(self.books.of(SampleKept)) == wanted

    def _check_connectors(self, wanted: dict[str, str]) -> None:
        found = {
            f"{evse},{no}": state.status.value for (evse, no), state in self.link.station.connectors.items()
        }
        assert found == wanted

    def _check_status(self, wanted: dict[str, Any]) -> None:
        kept: ConnectorStatusChanged = self.books.of(ConnectorStatusChanged)[-1]
        for name, value in wanted.items():
            assert _same(getattr(kept, name), value), (name, getattr(kept, name))

    def _check_boot(self, wanted: dict[str, Any]) -> None:
        kept: StationBootKept = self.books.of(StationBootKept)[-1]
        for name, value in wanted.items():
            assert _same(getattr(kept, name), value), (name, getattr(kept, name))

    def _check_behaviour(self, wanted: dict[str, Any]) -> None:
        for name, value in wanted.items():
            assert _same(getattr(self.link.behaviour, name), value)

    def _check_payload(self, wanted: Any) -> None:
        assert self.payload is not None
        _includes(json.loads(self.payload), wanted)


def _includes(found: Any, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if isinstance(value, dict):
            _includes(found[name], value)
        else:
            assert found.get(name) == value, (name, found)


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, Decimal):
        return wanted is not None and found == Decimal(str(wanted))
    if isinstance(found, float) and wanted is not None:
        return bool(abs(found - wanted) < 0.01)
    if isinstance(found, datetime):
        return bool(found.isoformat() == wanted)
    if isinstance(found, tuple | frozenset):
        return bool(json.loads(json.dumps(sorted(found))) == sorted(wanted))
    return bool(found == wanted)
