"""Firmware that a station really fetches and checks, and logs that it really delivers, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pilotwire.simulator.lifecycle import reboot
from pilotwire.simulator.states import StopReason

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

__all__ = ["FirmwareOrder", "LogOrder", "update_firmware", "upload_log"]

_PATIENCE_S = 30.0
_LOG_LINES = 2_000
_SHA256 = hashes.SHA256()
T = TypeVar("T")


class TransferError(Exception):
    """The file could not be fetched or delivered, or is not the one that was promised."""


@dataclass(frozen=True, slots=True)
class FirmwareOrder:
    """What the server said of new firmware. `request_id` None is an update of 1.6 without signatures."""

    location: str
    request_id: int | None
    fetch_at: datetime | None = None
    install_at: datetime | None = None
    signature: str | None = None
    certificate: str | None = None
    retries: int = 0
    retry_interval_s: float = 0


@dataclass(frozen=True, slots=True)
class LogOrder:
    """Where a log is wanted. `request_id` None is GetDiagnostics of 1.6."""

    location: str
    file_name: str
    request_id: int | None
    retries: int = 0
    retry_interval_s: float = 0


async def update_firmware(station: Station, order: FirmwareOrder) -> None:
    """Go through an update: fetch the file, check it, install it at a reboot; the progress is told.

    The version after it is the one that the file's name promises. Spec: OCPP 1.6 6.19 and security whitepaper L01,
    OCPP 2.0.1 L01, L02.
    """

    async def progress(status: str, pause_s: float = 1.0) -> None:
        station.firmware_status = status
        station.say(station.wire.firmware_status(status, order.request_id), durable=True)
        await asyncio.sleep(station.clock.real_s(pause_s))

    fails = station.spec.quirks.firmware_fails
    await _sleep_until(station, order.fetch_at)
    await progress("Downloading", 2)
    try:
        sha256 = await _again(
            station, order.retries, order.retry_interval_s, lambda: _fetch(station, order.location)
        )
    except TransferError as error:
        station.notify("firmware_failed", reason=str(error))
        await progress("DownloadFailed")
        return
    await progress("Downloaded")
    if order.signature is not None:
        if fails == "signature" or not _is_signed(sha256, order.signature, order.certificate or ""):
            await progress("InvalidSignature")
            return
        await progress("SignatureVerified")
    await _sleep_until(station, order.install_at)
    await progress("Installing", 3)
    if fails == "install":
        await progress("InstallationFailed")
        return
    await station.idle.wait()
    station.firmware_version = _next_version(station.firmware_version, order.location)
    await reboot(station, "FirmwareUpdate", StopReason.SOFT_RESET, orderly=True)
    await progress("Installed")
    station.firmware_status = "Idle"


async def upload_log(station: Station, order: LogOrder) -> None:
    """Deliver a log by PUT; the progress is told. Spec: OCPP 1.6 6.27, OCPP 2.0.1 N01."""

    def tell(status: str) -> None:
        station.log_status = status
        station.say(station.wire.log_status(status, order.request_id), durable=True)

    tell("Uploading")
    await asyncio.sleep(station.clock.real_s(2))
    try:
        await _again(station, order.retries, order.retry_interval_s, lambda: _deliver(station, order))
    except TransferError as error:
        station.notify("log_failed", reason=str(error))
        # 1.6 without the whitepaper has a word of its own for it.
        tell("UploadFailed" if order.request_id is None else "UploadFailure")
    else:
        tell("Uploaded")
    station.log_status = "Idle"


async def _again(station: Station, retries: int, interval_s: float, work: Callable[[], Awaitable[T]]) -> T:
    """Try as often as the server said."""
    while True:
        try:
            return await work()
        except TransferError:
            if retries <= 0:
                raise
        retries -= 1
        await asyncio.sleep(station.clock.real_s(interval_s))


async def _fetch(station: Station, location: str) -> bytes:
    """Fetch a file and forget it; give its SHA-256, which has to be the one that the server names, if it does."""
    if station.spec.quirks.firmware_fails == "download":
        raise TransferError("it is told to fail")
    digest = hashlib.sha256()
    try:
        async with (
            _client(station, location) as client,
            client.stream("GET", location, follow_redirects=True) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise TransferError(f"GET answered {answer.status_code}")
            async for part in answer.aiter_raw():
                digest.update(part)
            promised = _promised(answer.headers.get("Repr-Digest", ""))
            size = answer.num_bytes_downloaded
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TransferError(f"{type(error).__name__}: {error}") from error
    if not size:
        raise TransferError("the file is empty")
    if promised is not None and promised != digest.digest():
        raise TransferError("the file is not the one that the server named")
    return digest.digest()


async def _deliver(station: Station, order: LogOrder) -> None:
    if station.spec.quirks.log_fails:
        raise TransferError("it is told to fail")
    location = order.location
    if location.endswith("/"):  # a directory, as 1.6 has it
        location += order.file_name
    try:
        async with _client(station, location) as client:
            answer = await client.put(
                location, content=_lines(station), headers={"Content-Type": "application/octet-stream"}
            )
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TransferError(f"{type(error).__name__}: {error}") from error
    if not answer.is_success:
        raise TransferError(f"PUT answered {answer.status_code}")


async def _lines(station: Station) -> AsyncIterator[bytes]:
    spec, now = station.spec, station.now()
    yield f"{spec.vendor} {spec.model} {spec.serial_number}, firmware {station.firmware_version}\n".encode()
    for number in range(_LOG_LINES):
        at = now - timedelta(seconds=_LOG_LINES - number)
        yield f"{at:%Y-%m-%dT%H:%M:%SZ} tick {number}, {len(station.outbox)} messages wait\n".encode()


def _client(station: Station, location: str) -> httpx.AsyncClient:
    if urlsplit(location).scheme not in ("http", "https"):
        raise TransferError("it speaks http and https only")
    trust: ssl.SSLContext | bool = station.options.ssl_context or True
    return httpx.AsyncClient(timeout=_PATIENCE_S, verify=trust if location.startswith("https") else False)


def _promised(header: str) -> bytes | None:
    """Read the SHA-256 of Repr-Digest. Spec: RFC 9530."""
    found = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", header)
    try:
        return None if found is None else base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return None


def _is_signed(sha256: bytes, signature: str, certificate: str) -> bool:
    """Check a signature over the file's SHA-256: RSA-PSS, RSA PKCS #1 v1.5 or ECDSA."""
    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        signed = base64.b64decode("".join(signature.split()), validate=True)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _holds(lambda: key.verify(signed, sha256, ec.ECDSA(Prehashed(_SHA256))))
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(_SHA256), padding.PSS.AUTO)
        return _holds(lambda: key.verify(signed, sha256, pss, Prehashed(_SHA256))) or _holds(
            lambda: key.verify(signed, sha256, padding.PKCS1v15(), Prehashed(_SHA256))
        )
    return False


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except InvalidSignature:
        return False
    return True


async def _sleep_until(station: Station, at: datetime | None) -> None:
    if at is not None:
        await asyncio.sleep(max(0.0, (at - station.now()).total_seconds()))


def _next_version(version: str, location: str) -> str:
    """The version that the file's name promises, or the next one."""
    promised = re.findall(r"\d+(?:\.\d+)+", urlsplit(location).path.rpartition("/")[2])
    if promised:
        return str(promised[-1])[:50]
    head, dot, last = version.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if last.isdigit() else f"{version}.1"
