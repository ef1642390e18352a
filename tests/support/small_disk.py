"""A small file system of a test's own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["small_file_system"]


@contextmanager
def small_file_system(directory: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of a size (as mount takes it: `12m`) on a new directory; skip the test where that is not allowed."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("a small file system needs the commands mount and umount")
    directory.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run([umount, "--lazy", str(directory)], check=True)
