"""The schema as migrated: the queries' tables agree with it, and tenants do not see each other."""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ProgrammingError

import pilotwire.domain
from pilotwire.db.engine import Database, Scope
from pilotwire.db.metadata import metadata
from pilotwire.db.migrate import migrate
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database

# Their tables join the metadata.
for _capability in pkgutil.iter_modules(pilotwire.domain.__path__, "pilotwire.domain."):
    if _capability.ispkg and importlib.util.find_spec(f"{_capability.name}.tables"):
        importlib.import_module(f"{_capability.name}.tables")

# Tables of the server itself: no tenant owns them, and people's requests never see them.
SYSTEM_TABLES = {"quarantine", "schema_version", "server_secret", "sign_in_step", "tenant", "writer_position"}


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    made = Database(dsn)
    await made.open()
    yield made
    await made.close()


async def real_columns(database: Database) -> dict[str, dict[str, tuple[str, bool]]]:
    """Table -> column -> (type, nullable), without partitions."""
    rows = await database.service.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for row in rows:
        found.setdefault(row["relname"], {})[row["attname"]] = (row["type"], row["nullable"])
    return found


def spelt(column: "sa.Column[object]") -> str:
    """A column's type as PostgreSQL names it."""
    name = str(column.type.compile(dialect=postgresql.dialect())).lower()
    renamed = {
        "float": "double precision",
        "numeric(16, 3)": "numeric(16,3)",
    }
    return renamed.get(name, name)


async def test_the_tables_of_the_queries_are_those_of_the_migrations(database: Database) -> None:
    real = await real_columns(database)
    assert set(metadata.tables) <= set(real)
    assert set(real) - set(metadata.tables) <= SYSTEM_TABLES
    for table in metadata.tables.values():
        columns = real[table.name]
        assert {column.name for column in table.columns} == set(columns), table.name
        for column in table.columns:
            type_, nullable = columns[column.name]
            # A real column is read as the same Python float.
            assert spelt(column) == type_.replace("real", "double precision"), f"{table.name}.{column.name}"
            assert column.nullable == nullable, f"{table.name}.{column.name}"


async def test_primary_keys_agree(database: Database) -> None:
    rows = await database.service.fetch(
        "SELECT c.relname, array_agg(a.attname) AS names FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
    )
    real = {row["relname"]: set(row["names"]) for row in rows}
    for table in metadata.tables.values():
        assert {column.name for column in table.primary_key} == real.get(table.name, set()), table.name


async def test_migrating_again_changes_nothing(database: Database) -> None:
    before = await real_columns(database)
    await migrate(database.engine)
    assert await real_columns(database) == before


async def tenant_tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " ORDER BY 1"
    )
    return [row["relname"] for row in rows]


async def fill_every_table(connection: asyncpg.Connection) -> None:
    """Put a row of tenant 1 into every table that has a tenant."""
    await connection.execute("INSERT INTO tenant (id, name) VALUES (2, 'other')")
    # Foreign keys are not the point here; the role of replication does not check them.
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table in await tenant_tables(connection):
            columns = await connection.fetch(
                "SELECT a.attname, format_type(a.atttypid, -1) AS type FROM pg_attribute a"
                " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                " WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull"
                " AND d.oid IS NULL AND a.attidentity = ''",
                table,
            )
            await forget_what_columns_ask_of_each_other(connection, table)
            names = [row["attname"] for row in columns]
            allowed = await allowed_words(connection, table)
            values = [
                "1" if row["attname"] == "tenant_id" else allowed.get(row["attname"]) or _any_value(row)
                for row in columns
            ]
            await connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)})")


async def forget_what_columns_ask_of_each_other(connection: asyncpg.Connection, table: str) -> None:
    """A row of any values cannot fit the check constraints over several columns, and they are not the point here."""
    names = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c' AND cardinality(conkey) > 1",
        table,
    )
    for row in names:
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['conname']}")


async def allowed_words(connection: asyncpg.Connection, table: str) -> dict[str, str]:
    """A value that the check constraints of a table allow, for each column that is one of some words or numbers."""
    rows = await connection.fetch(
        "SELECT a.attname, pg_get_constraintdef(c.oid) AS says FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]"
        " WHERE c.conrelid = $1::regclass AND c.contype = 'c'",
        table,
    )
    found = {row["attname"]: re.search(r"ARRAY\[('[^']*'|\d+)", row["says"]) for row in rows}
    return {name: match[1] for name, match in found.items() if match}


def _any_value(column: asyncpg.Record) -> str:
    by_type = {
        "text": "'x'",
        "uuid": f"'{uuid4()}'",
        "bytea": "'\\x00'",
        "jsonb": "'{}'",
        "text[]": "'{}'",
        "boolean": "false",
        "timestamp with time zone": "now()",
        "date": "current_date",
    }
    return by_type.get(column["type"], "1")


async def test_a_tenant_sees_and_touches_nothing_of_another(database: Database) -> None:
    async with database.service.acquire() as connection:
        await fill_every_table(connection)
        tables = await tenant_tables(connection)
    assert len(tables) >= 19
    for table in tables:
        async with database.tenant(Scope(1)) as mine:
            assert (await mine.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one() == 1, table
        async with database.tenant(Scope(2)) as theirs:
            assert (await theirs.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0, table
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET tenant_id = 2"):
            assert await rows_changed(database, change) == 0, change
        with pytest.raises(ProgrammingError, match=r"row-level security|permission denied"):
            async with database.tenant(Scope(1)) as mine:
                await mine.execute(sa.text(f"UPDATE {table} SET tenant_id = 2"))


async def rows_changed(database: Database, change: str) -> int:
    """How many rows tenant 2 changes; none where requests may not make such a change at all."""
    try:
        async with database.tenant(Scope(2)) as theirs:
            return (await theirs.execute(sa.text(change))).rowcount
    except ProgrammingError as refusal:
        if "permission denied" not in str(refusal):
            raise
        return 0


async def test_the_audit_trail_cannot_be_changed_by_requests(database: Database) -> None:
    async with database.service.acquire() as connection:
        await fill_every_table(connection)
    for statement in ("DELETE FROM audit_entry", "UPDATE audit_entry SET actor = 'nobody'"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.tenant(Scope(1)) as mine:
                await mine.execute(sa.text(statement))


async def test_partitions_and_the_tables_of_the_server_are_out_of_reach(database: Database) -> None:
    """A partition has no policy of its own: whoever could name it would see every tenant in it."""
    rows = await database.service.fetch(
        "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    names = [row["relname"] for row in rows] + sorted(SYSTEM_TABLES - {"tenant"})
    assert len(names) > 4
    for name in names:
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.tenant(Scope(1)) as mine:
                await mine.execute(sa.text(f"SELECT 1 FROM {name}"))


async def test_a_transaction_without_a_tenant_sees_nothing(database: Database) -> None:
    async with database.service.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE pilotwire_app")
        with pytest.raises(asyncpg.PostgresError, match=r"pilotwire\.tenant_id"):
            await connection.fetch("SELECT * FROM station")


async def test_the_tenant_ends_with_its_transaction(database: Database) -> None:
    async with database.tenant(Scope(2)) as theirs:
        assert (await theirs.execute(sa.text("SELECT current_user"))).scalar_one() == "pilotwire_app"
    async with database.system() as system:
        assert (await system.execute(sa.text("SELECT current_user"))).scalar_one() != "pilotwire_app"
        assert (await system.execute(sa.text("SELECT count(*) FROM tenant"))).scalar_one() == 1


async def test_limits_to_sites_reach_every_table_with_a_station_or_a_site(database: Database) -> None:
    """A table added later calls `limit_to_sites` in its migration."""
    rows = await database.service.fetch(
        "SELECT DISTINCT c.relname, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'sites')"
        " AS limited FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relrowsecurity AND (a.attname IN ('station_id', 'site_id') OR c.relname IN ('site', 'task'))"
    )
    assert len(rows) >= 10
    assert [row["relname"] for row in rows if not row["limited"]] == []
