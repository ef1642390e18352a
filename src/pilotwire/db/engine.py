"""The doors to PostgreSQL: one for the stations' path, one for people's requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pilotwire.db.connection import WatchedConnection, connect, name_each_host

__all__ = ["Database", "Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees: those of a tenant, of these only what stands at `sites` unless that is None.

    `actor` is who asks; of tasks somebody who is limited to sites sees their own.
    """

    tenant_id: int
    sites: frozenset[UUID] | None = None
    actor: str = ""


class Database:
    """Connections to one PostgreSQL.

    The stations' path has a pool of its own (`service`), so that a slow report cannot hold up a boot. Requests of
    people take `tenant(...)`: one transaction, as a role that sees the rows of one tenant only.
    """

    def __init__(self, dsn: str, *, people: int = 8, service: int = 4) -> None:
        self.dsn = asyncpg_dsn(dsn)
        self._service_size = service
        self._pool: asyncpg.Pool | None = None
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda **_: connect(
                self.dsn, server_settings={"application_name": "pilotwire web"}
            ),
            pool_size=people,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
        )

    async def open(self) -> None:
        """Connect the pool of the stations' path."""
        self._pool = await asyncpg.create_pool(
            self.dsn,
            connect=connect,
            connection_class=WatchedConnection,
            min_size=0,  # asyncpg would log every failed attempt to keep one while the database is away
            max_size=self._service_size,
            command_timeout=30,
            server_settings={"application_name": "pilotwire service"},
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None
        await self.engine.dispose()

    @property
    def service(self) -> asyncpg.Pool:
        """The pool of the stations' path and of jobs; it sees every tenant.

        Raises: RuntimeError before `open`.
        """
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return self._pool

    @asynccontextmanager
    async def tenant(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that sees the rows of the scope only; it is committed when the block ends well."""
        sites = "" if scope.sites is None else "{" + ",".join(map(str, sorted(scope.sites))) + "}"
        async with self.engine.begin() as connection:
            await connection.execute(
                text(
                    "SELECT set_config('role', 'pilotwire_app', true),"
                    " set_config('pilotwire.tenant_id', :tenant, true),"
                    " set_config('pilotwire.sites', :sites, true), set_config('pilotwire.actor', :actor, true)"
                ),
                {"tenant": str(scope.tenant_id), "sites": sites, "actor": scope.actor},
            )
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction of the system itself, over all tenants (sign-in, command line, jobs)."""
        async with self.engine.begin() as connection:
            yield connection


def asyncpg_dsn(url: str) -> str:
    """Give the form that asyncpg reads of a SQLAlchemy or libpq URL.

    Of several hosts the one is meant that takes writes, unless the URL says otherwise: a standby takes none.
    """
    scheme, _, rest = url.partition("://")
    dsn = f"postgresql://{rest}" if scheme.startswith("postgres") else url
    if len(name_each_host(dsn)) == 1 or "target_session_attrs=" in dsn:
        return dsn
    return f"{dsn}{'&' if '?' in dsn else '?'}target_session_attrs=read-write"
