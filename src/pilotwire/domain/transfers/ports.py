"""What is asked of a place for files."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

__all__ = ["FileStore"]


class FileStore(Protocol):
    """Keeps files under keys such as `firmware/019a...`; a directory or an object store."""

    async def write(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Keep a file, durably, when this returns; nothing is kept when `content` raises."""
        ...

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to `end` (not included), in parts.

        Raises: FileNotFoundError.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a file. Repeats: does nothing."""
        ...

    def list(self) -> AsyncIterator[tuple[str, datetime]]:
        """Give the key of every file and when it was written."""
        ...
