"""What ties certificates together: the seal, this server's own certificate, whom its TLS port trusts, and the clerk."""

import asyncio
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from pilotwire.core.clock import Clock
from pilotwire.db.sealing import Seal, open_seal
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.jobs.certificates import CertificateClerk, CertificatePolicy, trust_own_roots
from pilotwire.jobs.server_certificate import keep_server_certificate, keep_server_certificate_for_ever
from pilotwire.ocpp.gateway import Listener, TlsFiles
from pilotwire.settings import Settings

__all__ = ["Trust", "open_certificates", "tls_names"]


@dataclass(frozen=True)
class Trust:
    """What the server signs and seals with; `tls` are the files of its TLS port, None without one."""

    seal: Seal
    tls: TlsFiles | None


def tls_names(settings: Settings) -> list[str]:
    """Give the names under which stations reach this server over TLS."""
    given = [name.strip() for name in settings.tls_names.split(",") if name.strip()]
    return given or list(dict.fromkeys((socket.gethostname(), "localhost", "127.0.0.1")))


async def open_certificates(
    settings: Settings, means: Means, listener: Listener, stack: AsyncExitStack, clock: Clock
) -> Trust:
    """Start the clerk; have the TLS port's certificate made if the operator gave none.

    Raises: ValueError for files that do not go together, OSError.
    """
    seal = open_seal(settings.secret_key.get_secret_value(), settings.data_dir / "secret.key")
    await trust_own_roots(means.db, means.bus, listener.trust)
    tls, root_pem = _given_files(settings), ""
    if settings.ocpp_tls and tls is None:
        names = tls_names(settings)
        directory = settings.data_dir / "tls"
        place = (means.db, means.bus, seal, clock, directory, names)
        chain, key, root_pem = await keep_server_certificate(*place)
        _beside(stack, keep_server_certificate_for_ever(*place), "server certificate")
        tls = TlsFiles(chain, key, settings.client_ca)
    policy = CertificatePolicy(
        signs_itself=settings.certificate_issuer == "own",
        station_days=settings.station_certificate_days,
        v2g_days=settings.v2g_certificate_days,
        renew_before_days=settings.certificate_renewal_days,
        root_pem=root_pem,
    )
    _beside(stack, CertificateClerk(means, seal, policy).run(), "certificate clerk")
    return Trust(seal, tls)


def _beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> None:
    running = asyncio.create_task(work, name=name)

    async def stop() -> None:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    stack.push_async_callback(stop)


def _given_files(settings: Settings) -> TlsFiles | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise ValueError(
            "--tls-cert and --tls-key go together: the PEM files of the server's certificate; leave both out to have"
            " one made"
        )
    return TlsFiles(settings.tls_cert, settings.tls_key, settings.client_ca)
