"""The group-commit writer: what many stations said, on disk in one transaction, before any of them is answered.

Entries that arrive while a commit runs make up the next batch. A batch is one transaction of set-based statements;
its entries are released after the commit. A poison record is found by halving the batch, so that its neighbours are
kept. While the database is away nothing is released: the batch is tried again until it is there.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import asyncpg
import msgspec
import structlog

__all__ = ["Entry", "Fenced", "GroupWriter", "Sink", "is_transient"]

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode

# SQLSTATE classes that say 'not now' rather than 'not this': connection, resources, operator, internal, rollback.
_TRANSIENT_CLASSES = frozenset({"08", "53", "57", "58", "XX", "40", "55", "25"})


class Fenced(Exception):
    """The station has connected elsewhere since: this connection writes nothing any more."""


class Sink(Protocol):
    """Puts records of one type into their table by set-based SQL."""

    async def __call__(self, connection: asyncpg.Connection, records: list[Any], /) -> None: ...


class Entry:
    """What one message leaves: records to keep, and what to do once they are kept (or never will be)."""

    __slots__ = ("epoch", "records", "station_id")

    def __init__(self, station_id: int, epoch: int, records: Sequence[Any]) -> None:
        self.station_id = station_id
        self.epoch = epoch  # 0: not bound to a connection, never fenced
        self.records = records

    def kept(self) -> None:
        """The records are committed."""

    def failed(self, error: BaseException) -> None:
        """The records will never be kept: they are poison, or the connection was fenced."""


def is_transient(error: BaseException) -> bool:
    """Tell whether trying the same again later can help."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "XX")[:2] in _TRANSIENT_CLASSES
    return isinstance(error, (OSError, asyncpg.InterfaceError, TimeoutError, asyncio.IncompleteReadError))


class GroupWriter:
    """Writes entries in batches, one batch at a time, on a connection of its own."""

    def __init__(
        self,
        dsn: str,
        name: str,
        sinks: Mapping[type, Sink],
        *,
        capacity: int = 50_000,
        batch_size: int = 1_000,
    ) -> None:
        self._dsn = dsn
        self._name = name
        self._sinks = sinks  # in the order of their foreign keys
        self._capacity = capacity
        self._batch_size = batch_size
        self._queue: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self._batch_no = 0
        self._task: asyncio.Task[None] | None = None
        self.on_room: list[Callable[[], None]] = []
        self.available = True
        self.batches = 0
        self.entries = 0
        self.poisoned = 0

    def start(self) -> None:
        """Start writing in a task of the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="group writer")

    @property
    def waiting(self) -> int:
        """How many entries wait for the next batch."""
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether producers should stop reading until `on_room` is called."""
        return len(self._queue) >= self._capacity

    def submit(self, entry: Entry) -> None:
        """Add an entry to the next batch. Its `kept` or `failed` is called later, exactly once."""
        self._queue.append(entry)
        if not self._wake.is_set():
            self._wake.set()
            self._idle.clear()

    async def drained(self) -> None:
        """Wait until everything submitted so far has been kept or has failed."""
        await self._idle.wait()

    async def close(self, timeout_s: float = 10) -> None:
        """Write what waits, then stop. What the database cannot take within `timeout_s` is given up unanswered."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, timeout_s)
            if not self._task.cancelled() and self._task.done() and (error := self._task.exception()):
                raise error
        await self._disconnect()

    async def _run(self) -> None:
        while True:
            if not self._queue:
                self._idle.set()
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            was_full = self.full
            take = min(len(self._queue), self._batch_size)
            batch = [self._queue.popleft() for _ in range(take)]
            await self._keep(batch)
            if was_full and not self.full:
                for call in self.on_room:
                    call()

    async def _keep(self, batch: list[Entry]) -> None:
        """Write a batch; halve it when it holds poison."""
        try:
            stale = await self._write_until_answered(batch)
        except Exception as error:
            if len(batch) == 1:
                self.poisoned += 1
                await self._quarantine(batch[0], error)
                _fail(batch[0], error)
                return
            middle = len(batch) // 2
            await self._keep(batch[:middle])
            await self._keep(batch[middle:])
            return
        self.batches += 1
        self.entries += len(batch)
        for entry in batch:
            try:
                if stale and (entry.station_id, entry.epoch) in stale:
                    entry.failed(Fenced())
                else:
                    entry.kept()
            except Exception:
                log.exception("releasing an entry failed", station_id=entry.station_id)

    async def _write_until_answered(self, batch: list[Entry]) -> set[tuple[int, int]]:
        """Try until the database says yes, or says no for a reason of the data itself."""
        self._batch_no += 1
        delay_s = 0.05
        committing = False
        stale: set[tuple[int, int]] = set()
        while True:
            try:
                connection = await self._connected()
                if committing and await self._was_committed(connection):
                    return stale
                committing = False
                stale = await self._write(connection, batch)
                committing = True
                # The batch number tells after a lost connection whether this commit came through.
                await connection.execute(
                    f"UPDATE writer_position SET batch = {self._batch_no} WHERE writer = '{self._name}'; COMMIT"
                )
            except Exception as error:
                await self._abandon(error)
                if not is_transient(error):
                    raise
                if self.available:
                    self.available = False
                    log.warning("database away; stations wait for their answers", error=repr(error))
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 1.0)
            else:
                if not self.available:
                    self.available = True
                    log.info("database back", waiting=len(self._queue))
                return stale

    async def _write(self, connection: asyncpg.Connection, batch: list[Entry]) -> set[tuple[int, int]]:
        # Whoever takes over a station from this writer holds this lock exclusively while it raises the epoch:
        # after that moment no batch of ours can carry the old epoch past the check below.
        await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('{self._name}'))")
        fences = {(entry.station_id, entry.epoch) for entry in batch if entry.epoch}
        stale: set[tuple[int, int]] = set()
        if fences:
            rows = await connection.fetch(
                "SELECT (f.f ->> 0)::int, (f.f ->> 1)::bigint FROM json_array_elements($1) AS f (f)"
                " LEFT JOIN station_presence p ON p.station_id = (f.f ->> 0)::int"
                " WHERE p.connection_epoch IS DISTINCT FROM (f.f ->> 1)::bigint",
                _encode(tuple(fences)).decode(),
            )
            stale = {(row[0], row[1]) for row in rows}
        groups: dict[type, list[Any]] = {}
        for entry in batch:
            if stale and (entry.station_id, entry.epoch) in stale:
                continue
            for record in entry.records:
                kind = type(record)
                group = groups.get(kind)
                if group is None:
                    groups[kind] = [record]
                else:
                    group.append(record)
        for kind, sink in self._sinks.items():
            group = groups.pop(kind, None)
            if group is not None:
                await sink(connection, group)
        if groups:
            raise TypeError(f"no table takes records of {sorted(kind.__name__ for kind in groups)}")
        return stale

    async def _was_committed(self, connection: asyncpg.Connection) -> bool:
        batch = await connection.fetchval("SELECT batch FROM writer_position WHERE writer = $1", self._name)
        return batch is not None and batch >= self._batch_no

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn, timeout=5, command_timeout=60, server_settings={"application_name": self._name}
            )
            await self._connection.execute(
                "INSERT INTO writer_position (writer, batch) VALUES ($1, 0) ON CONFLICT DO NOTHING",
                self._name,
            )
        return self._connection

    async def _abandon(self, error: BaseException) -> None:
        """Leave the broken transaction: roll back when the connection lives, else drop it."""
        connection = self._connection
        if connection is None:
            return
        if isinstance(error, asyncpg.PostgresError) and not connection.is_closed():
            with contextlib.suppress(Exception):
                await connection.execute("ROLLBACK")
                return
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _quarantine(self, entry: Entry, error: BaseException) -> None:
        log.error("a record was refused by the database", station_id=entry.station_id, error=repr(error))
        try:
            connection = await self._connected()
            await connection.execute(
                "INSERT INTO quarantine (station_id, error, records) VALUES ($1, $2, $3)",
                entry.station_id,
                repr(error)[:2000].replace("\0", ""),
                repr(entry.records)[:20000].replace("\0", ""),
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as second:
            log.warning("quarantine failed", error=repr(second))
            await self._disconnect()


def _fail(entry: Entry, error: BaseException) -> None:
    try:
        entry.failed(error)
    except Exception:
        log.exception("failing an entry failed", station_id=entry.station_id)
