"""A certificate for this server's own TLS port, for whoever brings none."""

import asyncio
import ipaddress
import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.certificates.authority import issue_server_certificate
from pilotwire.domain.certificates.model import AuthorityKeys, Purpose
from pilotwire.domain.certificates.usecases.keep_authorities import authority_of
from pilotwire.domain.identity.model import DEFAULT_TENANT

__all__ = ["keep_server_certificate", "keep_server_certificate_for_ever"]

_SERVER_DAYS = 397
_SERVER_RENEWAL = timedelta(days=120)
_LOOK_S = 86_400.0


async def keep_server_certificate(
    db: Database, bus: LocalBus, seal: Seal, clock: Clock, directory: Path, names: list[str]
) -> tuple[Path, Path, str]:
    """Have a certificate for this server's own TLS port, made by the system's own authority; renew it in time.

    Return the files of chain and key, and the root that stations must know. Repeats: keeps one that still fits.
    """
    keys = await authority_of(db, bus, seal, clock, DEFAULT_TENANT, Purpose.CHARGING_STATION)
    chain_file, key_file = directory / "server.pem", directory / "server.key"
    if not _still_fits(chain_file, key_file, keys, names, clock()):
        issued, key = issue_server_certificate(keys, new_uuid(), names, clock(), _SERVER_DAYS)
        await asyncio.to_thread(_replace_both, key_file, key, chain_file, issued.chain_pem.encode())
    return chain_file, key_file, keys.root_pem


def _still_fits(
    chain_file: Path, key_file: Path, keys: AuthorityKeys, names: list[str], now: datetime
) -> bool:
    try:
        chain = x509.load_pem_x509_certificates(chain_file.read_bytes())
        found = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    wanted = [_plain(name) for name in names]
    held = [str(each.value) for each in found]
    ours = chain[-1] == x509.load_pem_x509_certificate(keys.issuing_pem.encode())
    fresh = chain[0].not_valid_after_utc - now > _SERVER_RENEWAL
    return ours and fresh and sorted(held) == sorted(wanted) and key_file.exists()


def _plain(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _replace_both(key_file: Path, key: bytes, chain_file: Path, chain: bytes) -> None:
    chain_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _replace(key_file, key)
    _replace(chain_file, chain)


def _replace(file: Path, content: bytes) -> None:
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
    temporary.replace(file)


async def keep_server_certificate_for_ever(
    db: Database, bus: LocalBus, seal: Seal, clock: Clock, directory: Path, names: list[str]
) -> None:
    """Look once a day; listeners notice new files by themselves."""
    while True:
        await asyncio.sleep(_LOOK_S)
        await keep_server_certificate(db, bus, seal, clock, directory, names)
