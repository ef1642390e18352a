"""The embedded server: started, found again, shared, watched and stopped."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

import structlog

from pilotwire.db.embedded import shutdown
from pilotwire.db.embedded.account import Account, choose_account
from pilotwire.db.embedded.binaries import Binaries, find_binaries
from pilotwire.db.embedded.cluster import (
    DATABASE,
    USER,
    cluster_argument,
    cluster_name,
    create_cluster,
    current_log,
    last_lines,
    read_pid_file,
    require_compatible,
    require_free,
    server_arguments,
    take_ownership,
)
from pilotwire.db.embedded.errors import DataDirectoryError, ServerStartError
from pilotwire.db.embedded.files import make_private_directory, open_private_file
from pilotwire.db.embedded.processes import (
    Process,
    find_process,
    is_alive,
    is_postmaster_of,
)
from pilotwire.db.embedded.readiness import Lost, until_ready
from pilotwire.db.embedded.sharing import Lease, exclusive, list_other_namespaces
from pilotwire.db.embedded.sockets import PORT, answers, choose_socket_directory, remove_socket_directory

__all__ = ["EmbeddedPostgres", "ServerEvent"]

_log = structlog.get_logger(__name__)
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_WATCH_POLL_S = 0.1
_BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# A server that dies sooner than this after its start is not started again at once.
_WELL_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """Something that happened to a server under `watch`.

    `lost`: its process ended. `restarted`: we started it again. `attached`: another process had been quicker.
    `restart_failed`: it did not start; the next attempt follows. `seconds` counts from the loss.
    """

    kind: Literal["lost", "restarted", "attached", "restart_failed"]
    attempt: int
    pid: int | None
    seconds: float
    detail: str


class EmbeddedPostgres:
    """A PostgreSQL in a directory, shared by every process that starts it there.

    The first to come starts the server and the last to leave stops it. A server whose users were all killed
    goes on as an orphan, which the next start takes over. `settings` are PostgreSQL settings over our
    defaults; they hold from the server's next start on.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] = _NO_SETTINGS) -> None:
        self._home = Path(data_dir).absolute()
        self._cluster = self._home / "cluster"
        self._settings = dict(settings)
        self._binaries: Binaries | None = None
        self._account: Account | None = None
        self._lease: Lease | None = None
        self._process: Process | None = None
        self._socket_directory: Path | None = None
        self._leaving = False
        self._seen_log = 0
        require_free(settings)

    @property
    def pid(self) -> int | None:
        """The number of the server's first process, while we use it."""
        return self._process.pid if self._process is not None else None

    @property
    def dsn(self) -> str:
        """The address of the database, as asyncpg, psycopg and SQLAlchemy (with another scheme) read it.

        Raises: RuntimeError before `start`.
        """
        if self._socket_directory is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        # The port is part of the socket's name; without it PGPORT in somebody's environment would change it.
        return (
            f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._socket_directory), safe='/')}&port={PORT}"
        )

    @property
    def log_path(self) -> Path:
        """The file into which the server logs now; before it has one, what it said at its start."""
        return current_log(self._cluster) or self._home / "startup.log"

    async def start(self, progress: Callable[[str], None] | None = None) -> str:
        """Make the cluster if it is new, start its server or attach to the running one, and return the DSN.

        Waits for crash recovery as long as the server lives; `progress` is told what is waited for, in words.

        Repeats: a second call returns the DSN.
        Raises: DataDirectoryError, IncompatibleDataError, ServerStartError (with the last lines of the log).
        """
        if self._lease is not None:
            return self.dsn
        tell = progress or _say_nothing
        await asyncio.to_thread(self._prepare_home)
        async with exclusive(self._home / "supervisor.lock", tell):
            lease = Lease(self._home / "users")
            try:
                await self._ensure_running(tell)
            except BaseException:
                try:
                    if not lease.others() and self._process is not None:
                        # Nobody would ever stop what we had begun to start.
                        await self._shut_down()
                finally:
                    self._process = None
                    lease.release()
                raise
            self._lease = lease
        return self.dsn

    async def stop(self) -> None:
        """Leave the server; the last to leave stops it.

        Repeats: a second call does nothing.
        """
        if self._lease is None:
            return
        self._leaving = True
        try:
            async with exclusive(self._home / "supervisor.lock"):
                lease = self._take_lease()
                if lease is None:
                    return
                try:
                    if not lease.others():
                        await self._shut_down()
                finally:
                    lease.release()
                    self._process = None
        finally:
            self._leaving = False

    async def watch(self, on_event: Callable[[ServerEvent], None] | None = None) -> None:
        """Restart the server whenever it ends without us, until `stop`. Run it as a task."""
        tell = on_event or _record
        up_since = monotonic()
        while self._in_use():
            if self._process is not None and is_alive(self._process):
                await asyncio.sleep(_WATCH_POLL_S)
                continue
            lost_at = monotonic()
            lines = await asyncio.to_thread(last_lines, current_log(self._cluster), count=3)
            tell(ServerEvent("lost", 0, self.pid, 0.0, "\n".join(lines)))
            await self._restore(tell, lost_at, hasty=lost_at - up_since < _WELL_AFTER_S)
            up_since = monotonic()

    async def _restore(self, tell: Callable[[ServerEvent], None], lost_at: float, *, hasty: bool) -> None:
        """Try to have the server back until it is, or until we leave."""
        for attempt in itertools.count(1):
            # The first attempt follows at once, unless the server dies as soon as it is up.
            pause_s = _BACK_OFF_S[min(attempt - 1 + hasty, len(_BACK_OFF_S) - 1)]
            await asyncio.sleep(pause_s)
            event = await self._restart(attempt, lost_at)
            if event is not None:
                tell(event)
            if event is None or event.kind != "restart_failed":
                return

    async def _restart(self, attempt: int, lost_at: float) -> ServerEvent | None:
        try:
            async with exclusive(self._home / "supervisor.lock"):
                if not self._in_use():
                    return None
                started = await self._ensure_running(_say_nothing)
        except (DataDirectoryError, ServerStartError, OSError) as error:
            return ServerEvent("restart_failed", attempt, None, monotonic() - lost_at, str(error))
        except _LeavingError:
            return None
        kind: Literal["restarted", "attached"] = "restarted" if started else "attached"
        return ServerEvent(kind, attempt, self.pid, monotonic() - lost_at, "")

    def _in_use(self) -> bool:
        return self._lease is not None and not self._leaving

    def _take_lease(self) -> Lease | None:
        lease, self._lease = self._lease, None
        return lease

    def _prepare_home(self) -> None:
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # By its own name from here on: a link that is turned elsewhere must not part us from our server.
            self._home = self._home.resolve(strict=True)
            self._cluster = self._home / "cluster"
            owner = self._home.stat()
            self._account = choose_account(self._home, self._cluster)
            make_private_directory(self._home / "users", uid=owner.st_uid, gid=owner.st_gid)
            self._binaries = find_binaries(self._account)
        except OSError as error:
            raise DataDirectoryError(f"the data directory {self._home} cannot be used: {error}") from error

    async def _ensure_running(self, tell: Callable[[str], None]) -> bool:
        """Start the server or attach to it; return whether it was started. The lock file is held."""
        started = False
        while True:
            process = await asyncio.to_thread(self._find_running)
            if process is None:
                process = await self._launch(tell)
                started = True
            try:
                self._process = process
                self._socket_directory = await until_ready(
                    process, self._cluster, tell, give_up=self._raise_if_leaving, seen_log=self._seen_log
                )
            except Lost as lost:
                if started:
                    raise ServerStartError(self._explain(str(lost))) from lost
                tell("the running PostgreSQL ended or cannot be reached; starting it anew")
                await shutdown.stop(process, self._name(), tell)
                continue
            return started

    def _find_running(self) -> Process | None:
        """Find the living server of the cluster, whoever started it."""
        if not self._cluster.exists():
            return None
        pid_file = read_pid_file(self._cluster)
        process = find_process(pid_file.pid) if pid_file is not None else None
        if process is not None and is_postmaster_of(process, self._name()):
            return process
        return None

    async def _launch(self, tell: Callable[[str], None]) -> Process:
        elsewhere = await asyncio.to_thread(list_other_namespaces, self._home / "users")
        if elsewhere:
            raise DataDirectoryError(
                f"{self._home} is in use by {len(elsewhere)} process(es) in another container, whose "
                "PostgreSQL cannot be seen from here: two servers on the same files would destroy them"
            )
        try:
            return await self._create_and_launch(tell)
        except OSError as error:
            raise ServerStartError(self._explain(f"the server could not be started: {error}")) from error

    async def _create_and_launch(self, tell: Callable[[str], None]) -> Process:
        account, binaries = self._require_prepared()
        if not self._cluster.exists():
            tell("creating the database")
            sync = self._settings.get("fsync", "on") != "off"
            await asyncio.to_thread(create_cluster, self._cluster, binaries, account, sync=sync)
        await asyncio.to_thread(require_compatible, self._cluster, binaries)
        await asyncio.to_thread(take_ownership, self._cluster, account)
        await shutdown.clear_orphans(self._name(), tell)
        self._raise_if_leaving()
        tell("starting PostgreSQL")
        spawning = asyncio.ensure_future(asyncio.to_thread(self._spawn, account, binaries))
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # The thread goes on: what it starts must be known, to be stopped.
            self._process = await spawning
            raise

    def _spawn(self, account: Account, binaries: Binaries) -> Process:
        pid_file = read_pid_file(self._cluster)
        before = self._socket_directory or (pid_file.socket_directory if pid_file else None)
        if before is not None and answers(before):
            raise DataDirectoryError(
                f"a PostgreSQL that cannot be seen from here, as in another container, serves {self._home}: "
                "two servers on the same files would destroy them"
            )
        directory = choose_socket_directory(self._home, self._name(), account, before)
        self._socket_directory = directory
        # The old server's number may belong to a stranger now, or to a dead process that nobody has collected
        # yet; PostgreSQL would take either for a living server.
        for stale in (self._cluster / "postmaster.pid", directory / f".s.PGSQL.{PORT}.lock"):
            stale.unlink(missing_ok=True)
        arguments = server_arguments(self._settings, name=self._name(), socket_directory=directory)
        log = current_log(self._cluster)
        self._seen_log = log.stat().st_size if log is not None else 0
        with open(open_private_file(self._home / "startup.log"), "wb") as output:  # noqa: PTH123  (a descriptor)
            output.truncate(0)
            pid = account.launch(
                [binaries.program("postgres"), "-D", cluster_argument(self._cluster, account), *arguments],
                directory=self._cluster,
                output=output,
            )
        # One that has ended already is looked for, and not found, under its number.
        return find_process(pid) or Process(pid, -1)

    async def _shut_down(self) -> None:
        process = self._process
        if process is None or not is_alive(process):
            process = await asyncio.to_thread(self._find_running)
        if process is not None:
            await shutdown.stop(
                process, self._name(), lambda text: _log.warning("embedded_postgres", detail=text)
            )
        if self._socket_directory is not None:
            await asyncio.to_thread(remove_socket_directory, self._socket_directory)

    def _name(self) -> str:
        return cluster_name(self._cluster)

    def _require_prepared(self) -> tuple[Account, Binaries]:
        if self._account is None or self._binaries is None:
            raise RuntimeError("start() comes first")
        return self._account, self._binaries

    def _raise_if_leaving(self) -> None:
        if self._leaving:
            raise _LeavingError

    def _explain(self, what: str) -> str:
        said = last_lines(self._home / "startup.log") + last_lines(
            current_log(self._cluster), since=self._seen_log
        )
        return "\n".join([what, *said[-20:]])


class _LeavingError(Exception):
    """`stop` was called while the server was being restarted."""


def _say_nothing(_: str) -> None:
    """Take no interest in progress."""


def _record(event: ServerEvent) -> None:
    _log.warning("embedded_postgres_" + event.kind, attempt=event.attempt, pid=event.pid, detail=event.detail)
