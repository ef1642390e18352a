"""A process that uses an embedded server; tests start it, talk to it and kill it.

`python -m tests.support.embedded_user DATA_DIR UID`: becomes the user UID, starts the server, writes one line
of JSON when it is ready (or has failed), and stops when its standard input gives a line or ends.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401  (what is imported later must be readable for the other user)
import encodings.idna  # noqa: F401
import getpass
import json
import os
import pwd
import sys
from pathlib import Path

import asyncpg

from pilotwire.core.errors import PilotwireError
from pilotwire.db.embedded import EmbeddedPostgres

__all__ = ["main"]


async def main(data_dir: Path) -> None:
    """Use the server of `data_dir` until told to leave."""
    server = EmbeddedPostgres(data_dir, settings={"shared_buffers": "16MB", "fsync": "off"})
    try:
        dsn = await server.start()
    except PilotwireError as error:
        _say({"error": error.code, "detail": str(error)})
        return
    connection = await asyncpg.connect(dsn)
    _say({"dsn": dsn, "pid": server.pid, "answer": await connection.fetchval("SELECT 1")})
    await connection.close()
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop()


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uid = int(sys.argv[2])
    if uid != os.geteuid():
        account = pwd.getpwuid(uid)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(uid)
        os.environ.update(HOME="/", USER=getpass.getuser())
    asyncio.run(main(Path(sys.argv[1])))
