"""Firmware for tests, and stations that fetch it and deliver logs over HTTP as real ones do."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.support.operations import Operations
from tests.support.stations import Station

__all__ = ["CONTENT", "Updating", "add_firmware", "sign"]

CONTENT = bytes(range(256)) * 4096  # 1 MiB


async def add_firmware(
    system: Operations, content: bytes = CONTENT, *, upload: bool = True, **fields: Any
) -> dict[str, Any]:
    """Add firmware with its file."""
    body = {"vendor": "Acme", "version": "2.1.0", "file_name": "fw-2.1.0.bin", **fields}
    added = await system.http.post("/api/v1/firmware", json=body)
    assert added.status_code == 201, added.text
    found: dict[str, Any] = added.json()
    if upload:
        answer = await system.http.put(f"/api/v1/firmware/{found['id']}/content", content=content)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["sha256"] == hashlib.sha256(content).hexdigest()
    return found


def sign(content: bytes, kind: str = "pss") -> tuple[str, str]:
    """Sign content; give the signature and the certificate of the key."""
    key: Any = (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    )
    if kind == "ec":
        signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
        signature = key.sign(content, pss if kind == "pss" else padding.PKCS1v15(), hashes.SHA256())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Firmware signing")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return base64.b64encode(signature).decode(), pem


class Updating:
    """A station's firmware: taken orders, real downloads, told progress, a boot with the new version."""

    def __init__(
        self, station: Callable[[], Station], version: str = "1.0.0", *, fails: bool = False
    ) -> None:
        self._station = station
        self._tasks: set[asyncio.Task[None]] = set()
        self.version = version
        self.fails = fails
        self.installed: list[bytes] = []
        self.boots = True

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Take what the server asks."""
        if action not in ("UpdateFirmware", "SignedUpdateFirmware"):
            return None
        location = payload.get("location") or payload["firmware"]["location"]
        working = asyncio.create_task(self._update(location, payload.get("requestId")))
        self._tasks.add(working)
        working.add_done_callback(self._tasks.discard)
        plain = action == "UpdateFirmware" and "location" in payload
        return {} if plain else {"status": "Accepted"}

    async def boot(self) -> None:
        """Boot, and say the version."""
        station = self._station()
        if station.socket.subprotocol == "ocpp1.6":
            make: dict[str, Any] = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            await station.call("BootNotification", make | {"firmwareVersion": self.version})
            return
        made_by = {"vendorName": "Acme", "model": "Two", "firmwareVersion": self.version}
        await station.call("BootNotification", {"reason": "PowerUp", "chargingStation": made_by})

    async def tell(self, status: str, request_id: int | None) -> None:
        """Tell how far the update has come."""
        station = self._station()
        signed = station.socket.subprotocol == "ocpp1.6" and request_id is not None
        action = "SignedFirmwareStatusNotification" if signed else "FirmwareStatusNotification"
        number = {} if request_id is None else {"requestId": request_id}
        await station.call(action, {"status": status, **number})

    async def _update(self, location: str, request_id: int | None) -> None:
        await self.tell("Downloading", request_id)
        async with httpx.AsyncClient() as http:
            answer = await http.get(location)
        if answer.status_code != 200:
            await self.tell("DownloadFailed", request_id)
            return
        await self.tell("Downloaded", request_id)
        await self.tell("Installing", request_id)
        if self.fails:
            await self.tell("InstallationFailed", request_id)
            return
        self.installed.append(answer.content)
        self.version = location.rpartition("-")[2].removesuffix(".bin")
        await self.tell("Installed", request_id)
        if self.boots:
            await self.boot()
