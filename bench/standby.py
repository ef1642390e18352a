"""Two PostgreSQLs, one the standby of the other, for failovers: killed, promoted, rebuilt, again and again.

Each has a TCP port on this machine, so that the server reaches them as it would reach two hosts. A commit waits until
the standby has it on disk too, unless `synchronous` is false. After a promotion the new primary stands alone until the
old one was made its standby, by pg_rewind and pg_basebackup in turns.
"""

import asyncio
import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.servers import BenchError
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
    server_arguments,
)
from pilotwire.db.embedded.files import make_private_directory
from pilotwire.db.embedded.processes import is_alive, list_cluster_processes, signal_process
from pilotwire.db.embedded.sockets import choose_socket_directory, remove_socket_directory

__all__ = ["Node", "StandbyPair", "free_ports"]

_PATIENCE_S = 60.0
_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "200ms",
}


@dataclass
class Node:
    """One of the two: where its files lie, and its port."""

    home: Path
    port: int
    socket_directory: Path

    @property
    def cluster(self) -> Path:
        return self.home / "cluster"


class StandbyPair:
    """A primary and its standby below `directory`."""

    def __init__(self, directory: Path, *, synchronous: bool = True) -> None:
        self._directory = directory
        self._synchronous = synchronous
        self._password = secrets.token_urlsafe(18)
        self._account: Account
        self._binaries: Binaries
        self._nodes: list[Node] = []
        self.primary: Node
        self.standby: Node
        self.promotions = 0

    @property
    def dsn(self) -> str:
        """The address that names both and means whichever takes writes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self._nodes)
        return f"postgresql://{USER}:{self._password}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def dsn_of(self, node: Node) -> str:
        """The address of one of them."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{node.port}/{DATABASE}"

    async def start(self) -> None:
        """Make both, and wait until commits wait for the standby.

        Raises: BenchError with the last words of the PostgreSQL that does not come.
        """
        await asyncio.to_thread(self._make)
        self.primary, self.standby = self._nodes
        await self._run(self.primary)
        connection = await asyncpg.connect(
            host=str(self.primary.socket_directory), port=self.primary.port, user=USER, database="postgres"
        )
        try:
            await connection.execute(f"ALTER ROLE {USER} PASSWORD '{self._password}'")
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        await self._copy()
        await self._join()

    async def stop(self) -> None:
        """End both."""
        for node in self._nodes:
            await self._kill(node)
            (node.socket_directory / f".s.PGSQL.{node.port}").unlink(missing_ok=True)
            await asyncio.to_thread(remove_socket_directory, node.socket_directory)

    async def kill_primary(self) -> None:
        """End every process of the primary at once, as a power cut does."""
        await self._kill(self.primary)

    async def kill_standby(self) -> None:
        """End the standby: from now on it gets nothing."""
        await self._kill(self.standby)

    async def start_standby(self) -> None:
        """Start it again; it catches up if there is a primary."""
        await self._run(self.standby)

    async def promote(self) -> None:
        """Make the standby the primary; it goes on alone, without waiting for anybody."""
        new = self.standby
        connection = await asyncpg.connect(self.dsn_of(new))
        try:
            await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await connection.execute("SELECT pg_reload_conf()")
            if not await connection.fetchval("SELECT pg_promote(true, 60)"):
                raise BenchError("the standby was not promoted in 60 s")
        finally:
            await connection.close()
        self.primary, self.standby = new, self.primary
        self.promotions += 1

    async def rebuild(self) -> None:
        """Make the old primary the standby of the new one, and wait until commits wait for it."""
        if self.promotions % 2:
            await self._rewind()
        else:
            await asyncio.to_thread(shutil.rmtree, self.standby.cluster)
            await self._copy()
        await self._join()

    def _make(self) -> None:
        root = self._directory.absolute()
        root.mkdir(parents=True, exist_ok=True)
        homes = [root / name for name in ("left", "right")]
        self._account = choose_account(homes[0], homes[0] / "cluster")
        self._binaries = find_binaries(self._account)
        for home, port in zip(homes, free_ports(2), strict=True):
            make_private_directory(home, uid=self._account.uid, gid=self._account.gid)
            sockets = choose_socket_directory(
                home, f"pilotwire-bench-{secrets.token_hex(4)}", self._account, None
            )
            self._nodes.append(Node(home, port, sockets))
        first = self._nodes[0]
        create_cluster(first.cluster, self._binaries, self._account, sync=False)
        with (first.cluster / "pg_hba.conf").open("w") as rules:
            rules.write("local all all trust\n")
            rules.write("host all all 127.0.0.1/32 scram-sha-256\n")
            rules.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        with (first.cluster / "postgresql.conf").open("a") as settings:
            # In the file, for the recovery before a rewind, which has no arguments of ours: it needs what was
            # written since the two were one.
            settings.write("wal_keep_size = 512MB\n")

    async def _run(self, node: Node) -> None:
        name = cluster_name(node.cluster)
        arguments = [
            *server_arguments(_SETTINGS, name=name, socket_directory=node.socket_directory),
            *("-c", "listen_addresses=127.0.0.1", "-c", f"port={node.port}"),
        ]
        with (node.home / "startup.log").open("wb") as output:
            self._account.launch(
                [
                    self._binaries.program("postgres"),
                    "-D",
                    cluster_argument(node.cluster, self._account),
                    *arguments,
                ],
                directory=node.cluster,
                output=output,
            )
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                connection = await asyncpg.connect(
                    host=str(node.socket_directory), port=node.port, user=USER, database="postgres", timeout=5
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if time.monotonic() > until:
                    raise BenchError(f"PostgreSQL did not start\n{_last_words(node)}") from None
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return

    async def _kill(self, node: Node) -> None:
        if not node.cluster.exists():
            return
        name = cluster_name(node.cluster)
        until = time.monotonic() + _PATIENCE_S
        # The first process first: it would start those again that it sees die.
        while found := sorted(list_cluster_processes(name), key=lambda process: process.started):
            for process in found:
                signal_process(process, signal.SIGKILL)
            while any(map(is_alive, found)):
                if time.monotonic() > until:
                    raise BenchError(f"PostgreSQL in {node.cluster} does not die")
                await asyncio.sleep(0.01)
        # The dead one's number may wait to be collected, or belong to another by now; PostgreSQL would take it for alive.
        for stale in (node.cluster / "postmaster.pid", node.socket_directory / f".s.PGSQL.{node.port}.lock"):
            stale.unlink(missing_ok=True)

    async def _copy(self) -> None:
        """Fill the standby's empty place from the primary."""
        node = self.standby
        node.cluster.mkdir(mode=0o700)
        if self._account.switch:
            os.chown(node.cluster, self._account.uid, self._account.gid)
        await self._tool(
            node, "pg_basebackup", "-D", cluster_argument(node.cluster, self._account), "-R", "-X", "stream",
            "-c", "fast", "--no-sync", "-d", self.dsn_of(self.primary),
        )  # fmt: skip

    async def _rewind(self) -> None:
        """Take back what the killed primary has and the new one does not: what nobody was answered for."""
        node = self.standby
        await self._tool(
            node, "pg_rewind", "-D", cluster_argument(node.cluster, self._account), "-R", "--no-sync",
            "--source-server", self.dsn_of(self.primary),
        )  # fmt: skip

    async def _tool(self, node: Node, name: str, *arguments: str) -> None:
        done = await asyncio.to_thread(
            self._account.run, [self._binaries.program(name), *arguments], directory=node.cluster
        )
        if done.returncode:
            raise BenchError(f"{name} ended with {done.returncode}\n{done.stdout[-2000:]}")

    async def _join(self) -> None:
        """Start the standby, and have commits wait for it."""
        await self._run(self.standby)
        name = cluster_name(self.standby.cluster)
        connection = await asyncpg.connect(self.dsn_of(self.primary))
        try:
            if self._synchronous:
                await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (\"{name}\")'")
                await connection.execute("SELECT pg_reload_conf()")
            wanted = "quorum" if self._synchronous else "async"
            until = time.monotonic() + _PATIENCE_S
            while not await connection.fetchval(
                "SELECT true FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'"
                " AND sync_state = $2",
                name,
                wanted,
            ):
                if time.monotonic() > until:
                    raise BenchError(f"the standby does not follow\n{_last_words(self.standby)}")
                await asyncio.sleep(0.02)
        finally:
            await connection.close()


def free_ports(count: int) -> list[int]:
    """Find TCP ports of this machine that nobody listens on, and that no connection is given as its own.

    Of the ports that the system gives to connections, one might be taken while what listens there is being restarted.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = random.randrange(10_240, 32_000)
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    return found


def _last_words(node: Node) -> str:
    return "\n".join([*last_lines(node.home / "startup.log"), *last_lines(current_log(node.cluster))])
