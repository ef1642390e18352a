"""The group-commit writer: what many stations said, on disk in one transaction, before any of them is answered.

Entries that arrive while a commit runs make up the next batch. A batch is one transaction of set-based statements;
its entries are released after the commit. A poison record is found by halving the batch, so that its neighbours are
kept. While the database is away nothing is released: the batch is tried again until it is there.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import asyncpg
import structlog

from pilotwire.db.bulk import as_array
from pilotwire.db.bundle import Bundle, Prepared, Writing, quoted, take_whole_batches
from pilotwire.db.connection import connect

__all__ = ["Entry", "Fenced", "GroupWriter", "Sink", "is_transient"]

log = structlog.get_logger(__name__)

_STALE = "PW001"  # what hold_fences() raises
# SQLSTATE classes that say 'not now' rather than 'not this': connection, resources, operator, internal, rollback.
_TRANSIENT_CLASSES = frozenset({"08", "53", "57", "58", "XX", "40", "55", "25"})
_CONNECTION_FAULTS = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut at a moment that the driver does not expect
)


class Fenced(Exception):
    """The station has connected elsewhere since: this connection writes nothing any more."""


class Sink(Protocol):
    """Puts records of one type into their table by set-based SQL."""

    async def __call__(self, target: Writing, records: list[Any], /) -> None: ...


class Entry:
    """What one message leaves: records to keep, and what to do once they are kept (or never will be)."""

    __slots__ = ("epoch", "records", "station_id", "told")

    def __init__(self, station_id: int, epoch: int, records: Sequence[Any], told: Sequence[Any] = ()) -> None:
        self.station_id = station_id
        self.epoch = epoch  # 0: not bound to a connection, never fenced
        self.records = records
        self.told = told  # what others are to hear of once it is kept

    def kept(self) -> None:
        """The records are committed."""

    def failed(self, error: BaseException) -> None:
        """The records will never be kept: they are poison, or the connection was fenced."""


def _tell_nobody(_: list[Any]) -> None:
    """Nobody listens."""


class _Mark(Entry):
    """A place in the queue, to wait for."""

    __slots__ = ("passed",)

    def __init__(self) -> None:
        super().__init__(0, 0, ())
        self.passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kept(self) -> None:
        if not self.passed.done():
            self.passed.set_result(None)


class _Attempt:
    """How far the writing of a batch has come."""

    __slots__ = ("batch", "committing", "fences", "refused", "stale")

    def __init__(self, batch: list[Entry], spoilt: Mapping[int, int]) -> None:
        self.batch = batch
        self.fences = {(entry.station_id, entry.epoch) for entry in batch if entry.epoch}
        self.stale = {fence for fence in self.fences if spoilt.get(fence[0]) == fence[1]} if spoilt else set()
        self.committing = False  # it may have been committed though we have not heard of it
        self.refused = False  # some of the fences are stale, and we have to ask which


def is_transient(error: BaseException) -> bool:
    """Tell whether trying the same again later can help."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "XX")[:2] in _TRANSIENT_CLASSES
    return isinstance(error, _CONNECTION_FAULTS)


class GroupWriter:
    """Writes entries in batches, one batch at a time, on a connection of its own."""

    def __init__(
        self,
        dsn: str,
        name: str,
        sinks: Mapping[type, Sink],
        *,
        tell: Callable[[list[Any]], None] = _tell_nobody,
        gateway: str = "",
        capacity: int = 50_000,
        batch_size: int = 1_000,
    ) -> None:
        self._dsn = dsn
        self._name = name
        self._sinks = sinks  # in the order of their foreign keys
        self._tell = tell
        self._capacity = capacity
        self._batch_size = batch_size
        self._queue: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self._prepared: Prepared = {}
        # From a random place, so that no number of another process can be taken for one of ours.
        self._batch_no = secrets.randbits(62)
        self._literal = quoted(name)
        # What takes over stations knows which gateway had them, not which of its writers.
        self._lock = quoted(gateway or name)
        self._backend_pid = 0
        self._spoilt: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.available = True
        self.batches = 0
        self.entries = 0
        self.poisoned = 0

    async def start(self) -> None:
        """Start writing in a task of the running loop.

        When this returns, nothing that a former process of the same name had begun to write can still arrive.
        Raises: OSError, asyncpg.PostgresError when the database is not there.
        """
        await self._connected()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="group writer")

    @property
    def waiting(self) -> int:
        """How many entries wait for the next batch."""
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether producers should stop reading until what they submitted is kept."""
        return len(self._queue) >= self._capacity

    def submit(self, entry: Entry) -> bool:
        """Add an entry to the next batch. Its `kept` or `failed` is called later, exactly once.

        Return whether the queue is full: then the producer should stop reading until what it submitted is kept.
        """
        queue = self._queue
        queue.append(entry)
        if not self._wake.is_set():
            self._wake.set()
        return len(queue) >= self._capacity

    async def settled(self) -> None:
        """Wait until everything submitted before has been kept or has failed."""
        mark = _Mark()
        self.submit(mark)
        await mark.passed

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
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._keep(self._take())

    def _take(self) -> list[Entry]:
        queue = self._queue
        if len(queue) > self._batch_size:
            return [queue.popleft() for _ in range(self._batch_size)]
        batch = list(queue)
        queue.clear()
        return batch

    async def _keep(self, batch: list[Entry]) -> None:
        """Write a batch; halve it when it holds poison."""
        try:
            stale = await self._write_until_answered(batch)
        except Exception as error:
            if len(batch) == 1:
                await self._give_up(batch[0], error)
                return
            middle = len(batch) // 2
            await self._keep(batch[:middle])
            await self._keep(batch[middle:])
            return
        self.batches += 1
        self.entries += len(batch)
        self._release(batch, stale)

    def _release(self, batch: list[Entry], stale: set[tuple[int, int]]) -> None:
        """Let all stations of a batch have their answers, then tell the others; nothing else runs in between."""
        told: list[Any] = []
        for entry in batch:
            try:
                if stale and (entry.station_id, entry.epoch) in stale:
                    entry.failed(Fenced())
                else:
                    told += entry.told
                    entry.kept()
            except Exception:
                log.exception("releasing an entry failed", station_id=entry.station_id)
        self._tell(told)

    async def _write_until_answered(self, batch: list[Entry]) -> set[tuple[int, int]]:
        """Try until the database says yes, or says no for a reason of the data itself."""
        if not any(entry.records for entry in batch):
            return set()
        self._batch_no += 1
        attempt = _Attempt(batch, self._spoilt)
        delay_s = 0.05
        while True:
            try:
                await self._try(attempt)
            except Exception as error:
                await self._abandon(error)
                if isinstance(error, asyncpg.PostgresError) and error.sqlstate == _STALE:
                    attempt.refused = True
                    continue
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
                return attempt.stale

    async def _try(self, attempt: _Attempt) -> None:
        connection = await self._connected()
        if attempt.committing and await self._was_committed(connection):
            return
        attempt.committing = False
        if attempt.refused:
            attempt.stale |= await self._find_stale(connection, attempt.fences)
            attempt.refused = False
        bundle = await self._gather(connection, attempt)
        if bundle is None:
            return
        attempt.committing = True
        # The batch number tells after a lost connection whether this commit came through.
        await bundle.commit(
            f"UPDATE writer_position SET batch = {self._batch_no}"  # noqa: S608 - a number and a quoted name
            f" WHERE writer = {self._literal};COMMIT"
        )

    async def _gather(self, connection: asyncpg.Connection, attempt: _Attempt) -> Bundle | None:
        """Put the records of a batch into a transaction; None when all of them are stale."""
        stale = attempt.stale
        groups: defaultdict[type, list[Any]] = defaultdict(list)
        for entry in attempt.batch:
            if stale and (entry.station_id, entry.epoch) in stale:
                continue
            for record in entry.records:
                groups[type(record)].append(record)
        if not groups:
            return None
        # Whoever takes over a station from this writer holds this lock exclusively while it raises the epoch: after
        # the fences are held no batch of ours can carry an old epoch.
        fences = attempt.fences - stale if stale else attempt.fences
        held = ", ".join(
            [f"'{as_array(column)}'" for column in zip(*fences, strict=True)] or ["'{}'", "'{}'"]
        )
        bundle = Bundle(connection, self._prepared, f"BEGIN;SELECT hold_fences({self._lock}, {held})")
        for kind, sink in self._sinks.items():
            group = groups.pop(kind, None)
            if group is not None:
                await sink(bundle, group)
        if groups:
            raise TypeError(f"no table takes records of {sorted(kind.__name__ for kind in groups)}")
        return bundle

    async def _find_stale(
        self, connection: asyncpg.Connection, fences: set[tuple[int, int]]
    ) -> set[tuple[int, int]]:
        rows = await connection.fetch(
            "SELECT f.id, f.epoch FROM unnest($1::int[], $2::bigint[]) AS f (id, epoch)"
            " LEFT JOIN station_presence p ON p.station_id = f.id WHERE p.connection_epoch IS DISTINCT FROM f.epoch",
            [fence[0] for fence in fences],
            [fence[1] for fence in fences],
        )
        return {(row[0], row[1]) for row in rows}

    async def _was_committed(self, connection: asyncpg.Connection) -> bool:
        # A write, because only a commit waits for a synchronous standby: what was cut off while it waited for one is to be
        # seen here, and the standby may still lack it.
        batch = await connection.fetchval(
            "UPDATE writer_position SET batch = batch WHERE writer = $1 RETURNING batch", self._name
        )
        return bool(batch == self._batch_no)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            connection = await connect(
                self._dsn,
                command_timeout=60,
                server_settings={"application_name": self._name, "standard_conforming_strings": "on"},
            )
            try:
                await self._end_former(connection)
                await connection.execute(
                    "INSERT INTO writer_position (writer, batch) VALUES ($1, 0) ON CONFLICT DO NOTHING",
                    self._name,
                )
            except BaseException:
                connection.terminate()
                raise
            take_whole_batches(connection)
            self._connection = connection
            self._prepared = {}
            self._backend_pid = connection.get_server_pid()
        return self._connection

    async def _end_former(self, connection: asyncpg.Connection) -> None:
        """End what is left of our former connection and wait until its transaction is over.

        The server may not have noticed that it was lost, and may even be about to commit. At the start the
        former connection is whichever has our name: a process before us left it.
        """
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = current_setting('application_name') AND datname = current_database()"
            " AND pid <> pg_backend_pid() AND ($1 = 0 OR pid = $1)",
            self._backend_pid,
        )
        await connection.execute(
            f"BEGIN; SELECT pg_advisory_xact_lock(hashtext({self._lock})); COMMIT", timeout=15
        )

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

    async def _give_up(self, entry: Entry, error: BaseException) -> None:
        """Put poison aside. What its station says after it on the same connection builds on it: no more of that."""
        self.poisoned += 1
        if entry.epoch:
            self._spoilt[entry.station_id] = entry.epoch
        await self._quarantine(entry, error)
        try:
            entry.failed(error)
        except Exception:
            log.exception("failing an entry failed", station_id=entry.station_id)

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
        except (asyncpg.PostgresError, *_CONNECTION_FAULTS) as second:
            log.warning("quarantine failed", error=repr(second))
            await self._disconnect()
