"""The statements of one transaction, sent to PostgreSQL together.

Every answer that is waited for costs a turn of the event loop, which on a busy server is full of stations' frames. So
what a batch has to say is gathered first, and then said in as few messages as the protocol allows: all that takes
rows as JSON in the first, and one for each table that is appended to.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import asyncpg

__all__ = ["Bundle", "Prepared", "Writing", "append_csv", "quoted"]

Prepared = dict[str, str]
"""The statements that one connection has prepared, and their names there."""


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

    async def run_with_json(self, statement: str, rows: str) -> None:
        """Have a statement run whose only parameter, `$1`, is JSON."""
        name = self._prepared.get(statement)
        if name is None:
            name = f"bundled_{len(self._prepared)}"
            await self._connection.execute(f"PREPARE {name} (json) AS {statement}")
            self._prepared[statement] = name
        self._statements.append(f"EXECUTE {name}({quoted(rows)})")

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
        if not self._appends:
            self._statements.append(closing)
            await self._send()
            return
        await self._send()
        for append in self._appends:
            await append_csv(self._connection, *append)
        await self._connection.execute(closing)

    async def _send(self) -> None:
        if self._statements:
            statements, self._statements = self._statements, []
            await self._connection.execute(";".join(statements))


async def append_csv(connection: asyncpg.Connection, table: str, columns: Sequence[str], csv: bytes) -> None:
    """Append lines of CSV, with quotes that are escaped by a backslash, to a table."""
    # A view of the bytes is sent as it is; bytes themselves would be taken for the path of a file.
    await connection.copy_to_table(
        table, source=memoryview(csv), columns=columns, format="csv", quote='"', escape="\\", null="null"
    )


def quoted(text: str) -> str:
    """Give a text as a literal of SQL, for a connection with `standard_conforming_strings`."""
    return "'" + text.replace("'", "''") + "'"
