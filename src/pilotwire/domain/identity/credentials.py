"""People's passwords, and the random secrets of API keys and logins."""

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say

__all__ = [
    "MINIMUM_PASSWORD_LENGTH",
    "checked_password",
    "digest_of",
    "hash_password",
    "new_api_key",
    "new_login_token",
    "password_fits",
]

MINIMUM_PASSWORD_LENGTH = 12
_MAXIMUM_PASSWORD_LENGTH = 256

_hasher = PasswordHasher()  # argon2id by RFC 9106's second choice: 64 MiB, three passes
# Each hash takes 64 MiB and a core for a while: more than two at once would hurt the stations.
_threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")


def new_api_key() -> str:
    """Return a new API key: 256 random bits behind a mark that scanners of leaked secrets can find."""
    return "pw_" + secrets.token_urlsafe(32)


def new_login_token() -> str:
    """Return the random value of a login cookie: 256 bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """Return the digest under which a random secret is kept.

    The secret has 256 random bits, so neither salt nor slowness would add anything.
    """
    return hashlib.blake2b(
        secret.encode("utf-8", "surrogatepass"), digest_size=32, person=b"pilotwire-key"
    ).digest()


def checked_password(password: str) -> str:
    """Return a password that a person chose, if it is good enough.

    Raises: Invalid when it is too short or too long.
    """
    if not MINIMUM_PASSWORD_LENGTH <= len(password) <= _MAXIMUM_PASSWORD_LENGTH:
        raise Invalid(
            say(
                "password_length",
                "a password has {least} to {most} characters",
                least=MINIMUM_PASSWORD_LENGTH,
                most=_MAXIMUM_PASSWORD_LENGTH,
            )
        )
    return password


async def hash_password(password: str) -> str:
    """Hash a password with argon2id, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def password_fits(password_hash: str | None, password: str) -> bool:
    """Tell whether a password fits its hash; without a hash it takes as long and says no."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _fits, password_hash, password)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def _fits(password_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(password_hash or _hash_of_nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
