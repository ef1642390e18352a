"""The statements of one transaction, sent to PostgreSQL together.

Every answer that is waited for costs a turn of the event loop, which on a busy server is full of stations' frames. So
what a batch has to say is gathered first, and then said at once: one message with all statements, the COPYs among them,
and behind it the rows that these will read, before PostgreSQL has asked for them.
"""

import socket
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Protocol

import asyncpg

__all__ = ["Bundle", "Prepared", "Writing", "append_csv", "quoted", "take_whole_batches"]

Prepared = dict[str, str]
"""The statements that one connection has prepared, and their names there."""

_BUFFER_BYTES = 2**22


class Writing(Protocol):
    """What sinks write to: a connection, or a bundle that is sent later."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...


class Bundle:
    """A transaction that is being gathered.

    Statements run in the order in which they were given, appended rows after all of them: nothing may refer to these.
    """

    def __init__(self, connection: asyncpg.Connection, prepared: Prepared, opening: str) -> None:
        self._connection = connection
        self._prepared = prepared
        self._statements = [opening]
        self._appends: list[tuple[str, Sequence[str], bytes]] = []

    async def run(self, statement: str, *texts: str) -> None:
        """Have a statement run, with its parameters as PostgreSQL reads them; their types must follow from the statement."""
        name = self._prepared.get(statement)
        if name is None:
            name = f"bundled_{len(self._prepared)}"
            await self._connection.execute(f"PREPARE {name} AS {statement}")
            self._prepared[statement] = name
        self._statements.append(f"EXECUTE {name}({','.join(map(quoted, texts))})")

    def append(self, table: str, columns: Sequence[str], csv: bytes) -> None:
        """Have lines of CSV appended to a table."""
        self._appends.append((table, columns, csv))

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement that cannot be gathered; what was given before runs before it."""
        await self._send()
        status: str = await self._connection.execute(query, *args)
        return status

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of several rows; what was given before runs before it."""
        await self._send()
        await self._connection.executemany(command, args)

    async def commit(self, closing: str) -> None:
        """Send what was gathered and is not sent yet, and at the end of it `closing`, which commits."""
        self._statements += [_copy_statement(table, columns) for table, columns, _ in self._appends]
        self._statements.append(closing)
        await self._send([csv for _, _, csv in self._appends])

    async def _send(self, rows: Sequence[bytes] = ()) -> None:
        if self._statements:
            statements, self._statements = self._statements, []
            await _Saying(self._connection, ";".join(statements), rows)


class _Saying:
    """Statements on their way, and behind them the rows for each COPY that is among them.

    A client may send the rows of a COPY before it was asked for them: PostgreSQL reads them when it comes to the COPY, and
    passes over them when a statement has failed (protocol-flow, COPY operations). asyncpg takes no rows for a statement that
    it is told to execute, and does not mind the request for them, so they are written on its transport right after it.
    """

    def __init__(self, connection: asyncpg.Connection, statements: str, rows: Sequence[bytes]) -> None:
        self._connection = connection
        self._statements = statements
        self._rows = rows

    def __await__(self) -> Generator[Any, Any, None]:
        saying = self._connection.execute(self._statements).__await__()
        try:
            answer = next(saying)  # as far as to the wait for PostgreSQL's answer
        except StopIteration:
            return
        if self._rows:
            self._connection._transport.write(b"".join([_copied(csv) for csv in self._rows]))
        while True:
            try:
                sent = yield answer
            except BaseException as error:  # the waiting task was cancelled
                step = saying.throw, error
            else:
                step = saying.send, sent
            try:
                answer = step[0](step[1])
            except StopIteration:
                return


def take_whole_batches(connection: asyncpg.Connection) -> None:
    """Let the kernel take a bundle from us in one piece, as far as it allows (net.core.wmem_max).

    A piece that does not fit waits for another turn of the event loop, and PostgreSQL for it.
    """
    connection._transport.get_extra_info("socket").setsockopt(  # the driver offers no way to its socket
        socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES
    )


async def append_csv(connection: asyncpg.Connection, table: str, columns: Sequence[str], csv: bytes) -> None:
    """Append lines of CSV to a table at once, on a connection that is in no bundle."""
    await _Saying(connection, _copy_statement(table, columns), [csv])


def quoted(text: str) -> str:
    """Give a text as a literal of SQL, for a connection with `standard_conforming_strings`."""
    return "'" + text.replace("'", "''") + "'"


def _copy_statement(table: str, columns: Sequence[str]) -> str:
    """Give the statement that reads lines of CSV, with quotes that are escaped by a backslash."""
    names = ",".join(f'"{column}"' for column in columns)
    return f"""COPY "{table}" ({names}) FROM STDIN (FORMAT csv, QUOTE '"', ESCAPE '\\', NULL 'null')"""


def _copied(csv: bytes) -> bytes:
    """Give the messages CopyData and CopyDone (https://www.postgresql.org/docs/current/protocol-message-formats.html)."""
    return b"d%bc" % ((len(csv) + 4).to_bytes(4) + csv) + b"\0\0\0\4"
