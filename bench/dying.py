"""`python -m bench.dying POINT COUNT ARGUMENTS`: the `pilotwire` command, which kills itself at a named point of a message.

received      a frame has come and nothing is decided
uncommitted   the rows of a batch are at the database, the commit is not
unanswered    the batch is committed, its stations have no answer yet
answered      the answers of a batch have left
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pilotwire.cli import main
from pilotwire.db.bundle import Bundle
from pilotwire.db.writer import GroupWriter
from pilotwire.ocpp.link import StationLink

__all__ = ["POINTS"]


class Fate:
    """Counts how often a point is passed, and ends the process with the last time."""

    def __init__(self, count: int) -> None:
        self.left = count

    def passed(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _received(fate: Fate) -> None:
    receive = StationLink.text_received

    def received(self: StationLink, text: bytes) -> None:
        fate.passed()
        receive(self, text)

    StationLink.text_received = received  # type: ignore[method-assign]


def _uncommitted(fate: Fate) -> None:
    commit = Bundle.commit

    async def uncommitted(self: Bundle, closing: str) -> None:
        if fate.left == 1:
            await commit(self, "SELECT 1")  # everything but the commit
        fate.passed()
        await commit(self, closing)

    Bundle.commit = uncommitted  # type: ignore[method-assign]


def _unanswered(fate: Fate) -> None:
    commit = Bundle.commit

    async def unanswered(self: Bundle, closing: str) -> None:
        await commit(self, closing)
        fate.passed()

    Bundle.commit = unanswered  # type: ignore[method-assign]


def _answered(fate: Fate) -> None:
    keep = GroupWriter._keep

    async def answered(self: GroupWriter, batch: list[Any]) -> None:
        await keep(self, batch)
        fate.passed()

    GroupWriter._keep = answered  # type: ignore[method-assign]


_INSTALL: dict[str, Callable[[Fate], None]] = {
    "received": _received,
    "uncommitted": _uncommitted,
    "unanswered": _unanswered,
    "answered": _answered,
}
POINTS = tuple(_INSTALL)

if __name__ == "__main__":
    _INSTALL[sys.argv[1]](Fate(int(sys.argv[2])))
    sys.argv = ["pilotwire", *sys.argv[3:]]
    main()
