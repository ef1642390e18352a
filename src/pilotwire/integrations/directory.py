"""Files in a directory of this machine."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

__all__ = ["DirectoryStore"]

_PART = 512 * 1024
_UNFINISHED = ".part"


class DirectoryStore:
    """Keeps each file under its key below a directory, readable by the server's own account only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def write(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Keep a file; it has its name when it is whole and on the disk."""
        path = self._root / key
        unfinished = path.with_name(f"{path.name}-{uuid.uuid4().hex}{_UNFINISHED}")
        file = await asyncio.to_thread(_create, unfinished)
        try:
            try:
                waiting = bytearray()
                async for part in content:
                    waiting += part
                    if len(waiting) >= _PART:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(file.write, bytes(waiting))
            finally:
                await asyncio.to_thread(_close, file)
            await asyncio.to_thread(_rename, unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Give a part of a file."""
        file = await asyncio.to_thread(_open, self._root / key, start)
        try:
            left = end - start
            while left > 0:
                part = await asyncio.to_thread(file.read, min(left, _PART))
                if not part:
                    raise OSError(f"the file of {key} is shorter than it was")
                left -= len(part)
                yield part
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Remove a file."""
        await asyncio.to_thread((self._root / key).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[tuple[str, datetime]]:
        """Give every file, also those of which the writing broke off."""
        for each in await asyncio.to_thread(lambda: [*self._files()]):
            yield each

    def _files(self) -> Iterator[tuple[str, datetime]]:
        for directory, _, names in os.walk(self._root):
            for name in names:
                path = Path(directory) / name
                with contextlib.suppress(FileNotFoundError):
                    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield path.relative_to(self._root).as_posix(), written


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _open(path: Path, start: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(start)
    return file


def _close(file: BinaryIO) -> None:
    with file:
        file.flush()
        os.fsync(file.fileno())


def _rename(unfinished: Path, path: Path) -> None:
    unfinished.rename(path)
    # The name itself must be on the disk before anybody is told that the file is kept.
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
