"""Bring the schema up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["migrate"]

_LOCK = 7_045_318  # any number that nothing else locks; two processes starting at once take turns


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Run the migrations up to `revision`.

    Repeats: does nothing when the schema is there already; safe from several processes at once.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
