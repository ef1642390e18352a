"""Files and directories that nobody else can have prepared for us."""

import os
import stat
from pathlib import Path

from pilotwire.db.embedded.errors import DataDirectoryError

__all__ = ["make_private_directory", "open_private_file"]


def make_private_directory(path: Path, *, uid: int, gid: int) -> None:
    """Make a directory that only `uid` can enter, or accept one that already is so.

    Raises: DataDirectoryError if something else is there: a link, a stranger's directory, or an open one.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise DataDirectoryError(f"cannot make the directory {path}: {error.strerror}") from error
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise DataDirectoryError(f"{path} is in the way: it is not a directory (or only a link to one)")
    if found.st_uid == os.geteuid() != uid:
        os.chown(path, uid, gid, follow_symlinks=False)
    elif found.st_uid != uid:
        raise DataDirectoryError(
            f"{path} belongs to user {found.st_uid}, not to {uid}; remove it or choose another place"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise DataDirectoryError(f"{path} is open to other users; make it private with chmod 700")


def open_private_file(path: Path) -> int:
    """Open a file for reading and writing, made if absent, and return its descriptor.

    The file takes the owner of its directory, so that root and that owner can take turns. Links are refused,
    soft and hard: as root we must not be led to somebody else's file.

    Raises: DataDirectoryError if the file cannot be opened or is not a plain file of its own.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise DataDirectoryError(f"cannot open {path}: {error.strerror}") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise DataDirectoryError(f"{path} is in the way: it is not a plain file")
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
