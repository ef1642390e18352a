"""Secrets that have to be read again are sealed before they go into the database.

The key lies outside the database: whoever holds a copy of the database alone reads none of them.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pilotwire.core.errors import Unavailable

__all__ = ["Seal", "open_seal"]

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Seal:
    """Seals and opens with AES-256-GCM; `purpose` binds a sealed value to its use, so that none serves for another."""

    def __init__(self, key: bytes) -> None:
        derive = HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=b"pilotwire sealing 1")
        self._cipher = AESGCM(derive.derive(key))

    def close(self, plain: bytes, purpose: str) -> bytes:
        """Seal a secret."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Open what was sealed for the same purpose.

        Raises: Unavailable when the key is another one.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except InvalidTag as error:
            raise Unavailable(
                f"what is kept for '{purpose}' was sealed with another key: start the server with the PILOTWIRE_SECRET_KEY"
                " (or the data directory's secret.key) of before"
            ) from error


def open_seal(secret_key: str, file: Path) -> Seal:
    """Give the seal of a secret key; without one its key is in a file, which the first start makes.

    Raises: OSError when the file can be neither read nor made.
    """
    if secret_key:
        return Seal(secret_key.encode())
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = os.urandom(_KEY_BYTES)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(fresh)
            target.flush()
            os.fsync(target.fileno())
        try:
            os.link(temporary, file)  # fails if another process was faster; then its key holds
        except FileExistsError:
            pass  # read below
        finally:
            temporary.unlink()
        key = file.read_bytes()
    return Seal(key)
