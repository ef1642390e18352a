"""Daily partitions: made ahead, dropped when their time has come."""

from datetime import UTC, date, datetime, timedelta

import asyncpg

__all__ = ["PARTITIONED_TABLES", "drop_old_partitions", "make_partitions"]

PARTITIONED_TABLES = (
    "connector_status", "station_report", "frame", "sample", "energy_history", "device_value",
)  # fmt: skip

# To make or drop a partition is to lock its table against everybody. While that lock is waited for, behind a long
# report for example, all writers would queue up behind it: better to give up and try again later.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"


async def make_partitions(connection: asyncpg.Connection, first: date, last: date) -> int:
    """Make the partitions of all tables for the days from `first` to `last`, both included; return how many are new.

    Rows of a day that has no partition go to the table's `_rest` partition, so nothing is refused if this runs late;
    a day that already has rows there stays there. Call it in a transaction.
    Raises: asyncpg.LockNotAvailableError when a table is in use for longer than a moment; nothing was done then.
    """
    await connection.execute(_LOCK_TIMEOUT)
    existing = {
        row["relname"]
        for row in await connection.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = ANY($1::regclass[])",
            list(PARTITIONED_TABLES),
        )
    }
    made = 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for table in PARTITIONED_TABLES:
            name = partition_name(table, day)
            if name in existing or await _day_is_in_rest(connection, table, day):
                continue
            # Names come from the constant above and a date: nothing a user could have written.
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}"
                f" FOR VALUES FROM ('{_midnight(day)}') TO ('{_midnight(day + timedelta(days=1))}')"
            )
            made += 1
    return made


async def drop_old_partitions(connection: asyncpg.Connection, table: str, before: date) -> list[str]:
    """Drop the partitions of `table` whose whole day lies before `before`; return their names.

    Call it in a transaction.
    Raises: ValueError for a table that is not partitioned; asyncpg.LockNotAvailableError as `make_partitions`.
    """
    if table not in PARTITIONED_TABLES:
        raise ValueError(f"{table} is not partitioned by day")
    await connection.execute(_LOCK_TIMEOUT)
    names = [
        row["relname"]
        for row in await connection.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = $1::regclass AND c.relname ~ '_p[0-9]{8}$' ORDER BY 1",
            table,
        )
    ]
    old = [name for name in names if name < partition_name(table, before)]
    for name in old:
        await connection.execute(f"DROP TABLE {name}")
    await connection.execute(
        f"DELETE FROM {table}_rest WHERE received_at < $1",  # noqa: S608 - a constant of this module
        datetime(before.year, before.month, before.day, tzinfo=UTC),
    )
    return old


def partition_name(table: str, day: date) -> str:
    """Return the name of a table's partition of a day."""
    return f"{table}_p{day:%Y%m%d}"


def _midnight(day: date) -> str:
    return f"{day:%Y-%m-%d} 00:00:00+00"


async def _day_is_in_rest(connection: asyncpg.Connection, table: str, day: date) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = await connection.fetchval(
        f"SELECT 1 FROM {table}_rest WHERE received_at >= $1 AND received_at < $2 LIMIT 1",  # noqa: S608
        start,
        start + timedelta(days=1),
    )
    return found is not None
