"""What of PostgreSQL's settings could lose a message that its station was answered for."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.db.connection import name_each_host

__all__ = ["Durability", "find_risks", "name_risks"]


@dataclass(frozen=True, slots=True)
class Durability:
    """The settings that decide when a commit counts as safe; `hosts`: how many the URL names."""

    hosts: int
    fsync: bool
    synchronous_commit: str
    synchronous_standby_names: str


async def find_risks(connection: AsyncConnection, dsn: str) -> list[str]:
    """Ask a database for its settings, and name what could lose answered messages; one cheap query."""
    row = (
        await connection.execute(
            text(
                "SELECT current_setting('fsync')::bool, current_setting('synchronous_commit'),"
                " current_setting('synchronous_standby_names')"
            )
        )
    ).one()
    return name_risks(Durability(len(name_each_host(dsn)), row[0], row[1], row[2].strip()))


def name_risks(found: Durability) -> list[str]:
    """Say in words what could lose answered messages. Of one host in the URL, standbys are not asked for."""
    risks = []
    if not found.fsync:
        risks.append("fsync is off: a power cut may lose answered messages and damage the database")
    if found.synchronous_commit == "off":
        risks.append("synchronous_commit is off: a crash of PostgreSQL may lose answered messages")
    if found.hosts > 1 and not found.synchronous_standby_names:
        risks.append(
            "synchronous_standby_names is empty: a standby that takes over may lack answered messages"
        )
    elif found.synchronous_standby_names and found.synchronous_commit == "local":
        risks.append("synchronous_commit is local: a standby that takes over may lack answered messages")
    elif found.synchronous_standby_names and found.synchronous_commit == "remote_write":
        risks.append(
            "synchronous_commit is remote_write: a standby that takes over after a power cut of its own may lack"
            " answered messages"
        )
    return risks
