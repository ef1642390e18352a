"""Several group-commit writers side by side: while one waits for its commit, messages for another are decoded."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pilotwire.db.writer import Entry, GroupWriter, Sink

__all__ = ["WriterLanes"]


class WriterLanes:
    """Group-commit writers that share the stations among them; all of a station's entries go through the same one.

    Two are enough for the event loop never to wait for a commit; a third one made batches smaller, and what a batch costs
    by itself (a transaction, a flush of the log) is then shared by fewer.
    """

    def __init__(
        self,
        dsn: str,
        gateway: str,
        sinks: Mapping[type, Sink],
        tell: Callable[[list[Any]], None],
        *,
        lanes: int = 2,
    ) -> None:
        self._lanes = [
            GroupWriter(dsn, f"{gateway}/{lane}", sinks, tell=tell, gateway=gateway) for lane in range(lanes)
        ]

    async def start(self) -> None:
        """Start all lanes.

        Raises: OSError, asyncpg.PostgresError when the database is not there.
        """
        # Together: each ends what a former process left in its lane, and waits for what was left in any.
        await asyncio.gather(*(lane.start() for lane in self._lanes))

    async def close(self, timeout_s: float = 10) -> None:
        """Write what waits, then stop. What the database cannot take within `timeout_s` is given up unanswered."""
        await asyncio.gather(*(lane.close(timeout_s) for lane in self._lanes))

    def submit(self, entry: Entry) -> bool:
        """Add an entry to the next batch of its station's lane. `kept` or `failed` is called later, exactly once.

        Return whether that lane is full: then the producer should stop reading until what it submitted is kept.
        """
        return self._lanes[entry.station_id % len(self._lanes)].submit(entry)

    async def settled(self) -> None:
        """Wait until everything submitted before has been kept or has failed."""
        await asyncio.gather(*(lane.settled() for lane in self._lanes))

    @property
    def available(self) -> bool:
        """Whether the last commits came through."""
        return all(lane.available for lane in self._lanes)

    @property
    def waiting(self) -> int:
        """How many entries wait for the next batch."""
        return sum(lane.waiting for lane in self._lanes)

    @property
    def batches(self) -> int:
        """How many batches were committed."""
        return sum(lane.batches for lane in self._lanes)

    @property
    def entries(self) -> int:
        """How many entries were kept."""
        return sum(lane.entries for lane in self._lanes)

    @property
    def poisoned(self) -> int:
        """How many entries the database refused."""
        return sum(lane.poisoned for lane in self._lanes)
