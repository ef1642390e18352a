"""Firmware images, delivered logs, and the grants by which stations fetch and deliver."""

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

import msgspec

from pilotwire.domain.transfers.errors import FileTooLarge

__all__ = [
    "TOKEN_LENGTH",
    "Delivery",
    "FirmwareImage",
    "LogReceived",
    "Measured",
    "Reception",
    "digest_of",
    "firmware_key",
    "fits_make",
    "log_key",
    "new_token",
    "plain_name",
    "too_large",
]

TOKEN_LENGTH = 43
"""Characters of a grant's secret: 256 random bits."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FirmwareImage(msgspec.Struct, frozen=True):
    """Firmware with its file. `model` is empty for all models of the vendor."""

    id: UUID
    vendor: str
    model: str
    version: str
    file_name: str
    size_bytes: int
    sha256: bytes
    signature: str | None
    signing_certificate: str | None


class Delivery(msgspec.Struct, frozen=True):
    """A grant to fetch firmware, as the one who serves it needs it."""

    grant_id: UUID
    file_id: UUID
    file_name: str
    size_bytes: int
    sha256: bytes
    signed: bool


class Reception(msgspec.Struct, frozen=True):
    """A grant to deliver a log, as the one who takes it needs it."""

    grant_id: UUID
    tenant_id: int
    station_id: int
    identity: str
    command_id: int
    kind: str


class LogReceived(msgspec.Struct, frozen=True):
    """A station has delivered a log; it is kept."""

    tenant_id: int
    station_id: int
    identity: str
    command_id: int
    log_id: UUID
    kind: str
    file_name: str
    size_bytes: int


def new_token() -> str:
    """Make a grant's secret."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """Give what is kept of a grant's secret; it is random and long, so that a fast digest is right."""
    return hashlib.sha256(token.encode()).digest()


def firmware_key(file_id: UUID) -> str:
    """Name the file of an image in the store."""
    return f"firmware/{file_id}"


def log_key(log_id: UUID) -> str:
    """Name the file of a log in the store."""
    return f"logs/{log_id}"


def plain_name(name: str, otherwise: str) -> str:
    """Give a file name of harmless characters, without directories and not longer than 100."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).lstrip(".")[-100:] or otherwise


def fits_make(image: FirmwareImage, vendor: str, model: str) -> bool:
    """Tell whether firmware is for a make of station; of a station that has not booted yet nothing is known."""
    if not vendor:
        return True
    same_vendor = image.vendor.casefold() == vendor.casefold()
    return same_vendor and (not image.model or image.model.casefold() == model.casefold())


class Measured:
    """Passes a file's bytes on, and knows their number and checksum at the end.

    Raises: FileTooLarge while it is read.
    """

    def __init__(
        self, content: AsyncIterator[bytes], maximum_bytes: int, what: Literal["firmware", "log"]
    ) -> None:
        self._content = content
        self._maximum = maximum_bytes
        self._what = what
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> bytes:
        """The checksum of what has passed."""
        return self._hash.digest()

    async def parts(self) -> AsyncIterator[bytes]:
        """Pass the bytes on."""
        async for part in self._content:
            self.size_bytes += len(part)
            if self.size_bytes > self._maximum:
                raise too_large(self._what, self._maximum)
            self._hash.update(part)
            yield part


def too_large(what: str, maximum_bytes: int) -> FileTooLarge:
    """Make the refusal of a file."""
    setting = f"PILOTWIRE_MAXIMUM_{what.upper()}_MB"
    return FileTooLarge(f"a {what} file has at most {maximum_bytes} bytes here; {setting} changes that")
