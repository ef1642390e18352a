"""A name that one process at a time goes by: two gateways of one name would take each other's stations for their own."""

import asyncio

import asyncpg
import structlog

from pilotwire.core.errors import Conflict
from pilotwire.db.connection import connect
from pilotwire.db.writer import is_transient

__all__ = ["NameTaken", "SoleName"]

log = structlog.get_logger(__name__)

_SPACE = 7_045_319  # the first half of the lock's key: any number that nothing else uses
_PATIENCE_S = 10.0
_RETRY_S = 1.0


class NameTaken(Conflict):
    """Another process goes by the name of this one."""

    code = "name_taken"


class SoleName:
    """Holds a name by a lock of a session of its own, for as long as the process lives."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Take the name; one that died a moment ago is waited for.

        Raises: NameTaken.
        """
        await self._take()
        self._keeping = asyncio.create_task(self._keep(), name="sole name")

    async def give_up(self) -> None:
        """Let another process have the name. Repeats: nothing happens."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _take(self) -> None:
        connection = await connect(self._dsn, server_settings={"application_name": "pilotwire name"})
        try:
            await connection.execute(f"SET lock_timeout = '{_PATIENCE_S}s'")
            await connection.execute("SELECT pg_advisory_lock($1, hashtext($2))", _SPACE, self._name)
        except asyncpg.LockNotAvailableError as error:
            connection.terminate()
            raise NameTaken(
                f"another process runs on this database as '{self._name}': stop it, or give this one a name of its own"
                " with PILOTWIRE_GATEWAY_NAME"
            ) from error
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())

    async def _keep(self) -> None:
        """Take the name again after the database was away; what another wrote meanwhile is fenced by the epochs."""
        while True:
            await self._lost.wait()
            await asyncio.sleep(_RETRY_S)
            try:
                await self._take()
            except NameTaken as error:
                log.error("the name of this process was taken while the database was away", reason=str(error))  # noqa: TRY400
            except Exception as error:
                if not is_transient(error):
                    raise
                log.debug("the name is not held", error=repr(error))
