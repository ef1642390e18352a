"""Firmware images: add one, upload its file, look at them. Removing one is of `operations`, which knows who uses it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func
from sqlalchemy.exc import IntegrityError

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.transfers import queries
from pilotwire.domain.transfers.errors import (
    ChecksumMismatch,
    FirmwareExists,
    FirmwareIncomplete,
    FirmwareUploaded,
)
from pilotwire.domain.transfers.model import Measured, firmware_key, plain_name, too_large
from pilotwire.domain.transfers.ports import FileStore
from pilotwire.domain.transfers.signature import check_certificate, check_signature

__all__ = [
    "Announced",
    "add_firmware",
    "change_firmware",
    "count_versions",
    "get_firmware",
    "get_firmware_file",
    "list_firmware",
    "upload_firmware",
]


@dataclass(frozen=True, slots=True)
class Announced:
    """What the uploader says of a file before it comes; None leaves a question open."""

    size_bytes: int | None = None
    sha256: bytes | None = None


async def add_firmware(db: Database, principal: Principal, values: Mapping[str, Any]) -> Row[Any]:
    """Add firmware of `vendor`, `model`, `version`, `file_name`, `notes`, `signature` and `signing_certificate`.

    Raises: FirmwareExists, Invalid.
    """
    require(principal, Right.MANAGE_FIRMWARE)
    signature, certificate = values.get("signature"), values.get("signing_certificate")
    if (signature is None) != (certificate is None):
        raise Invalid(say("signature_halves", "signature and signing_certificate come together"))
    if signature is not None and certificate is not None:
        check_certificate(certificate, signature)
    made = {
        **values,
        "id": new_uuid(),
        "tenant_id": principal.tenant_id,
        "file_name": plain_name(values["file_name"], "firmware.bin"),
        "created_by": principal.name,
        "created_at": func.now(),
    }
    about = {key: values[key] for key in ("vendor", "model", "version", "file_name")}
    try:
        async with db.tenant(principal.scope) as connection:
            row = await queries.insert_image(connection, made)
            await keep_audit(connection, principal, "firmware.added", str(row.id), after=about)
    except IntegrityError as error:
        make = f"{values['vendor']} {values['model']}".strip()
        raise FirmwareExists(
            say(
                "firmware_exists",
                "there is firmware {version} for {make} already",
                version=values["version"],
                make=make,
            )
        ) from error
    return row


async def list_firmware(
    db: Database,
    principal: Principal,
    *,
    vendor: str | None,
    model: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List firmware, the newest first; of a `model` also what is for all models."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_images(connection, vendor, model, before, limit)


async def get_firmware(db: Database, principal: Principal, image_id: UUID) -> Row[Any]:
    """Get firmware. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return there(await queries.find_image(connection, image_id), image_id)


async def change_firmware(db: Database, principal: Principal, image_id: UUID, notes: str) -> Row[Any]:
    """Change the release notes; all else stays as it was uploaded.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_FIRMWARE)
    async with db.tenant(principal.scope) as connection:
        before = there(await queries.lock_image(connection, image_id), image_id)
        row = await queries.update_image(connection, image_id, {"notes": notes})
        await keep_audit(
            connection, principal, "firmware.changed", str(image_id), before={"notes": before.notes},
            after={"notes": notes},
        )  # fmt: skip
    return row


async def upload_firmware(
    db: Database,
    store: FileStore,
    principal: Principal,
    image_id: UUID,
    content: AsyncIterator[bytes],
    announced: Announced,
    maximum_bytes: int,
) -> Row[Any]:
    """Take the file of firmware; it never changes afterwards.

    Raises: NotFound, FirmwareUploaded, FileTooLarge, ChecksumMismatch, WrongSignature; nothing is kept then.
    """
    require(principal, Right.MANAGE_FIRMWARE)
    if announced.size_bytes is not None and announced.size_bytes > maximum_bytes:
        raise too_large("firmware", maximum_bytes)
    async with db.tenant(principal.scope) as connection:
        image = there(await queries.find_image(connection, image_id), image_id)
    if image.uploaded_at is not None:
        raise FirmwareUploaded("add the other file as firmware of its own")
    measured = Measured(content, maximum_bytes, "firmware")

    async def checked() -> AsyncIterator[bytes]:
        async for part in measured.parts():
            yield part
        _check(image, measured, announced)

    file_id = new_uuid()
    await store.write(firmware_key(file_id), checked())
    values = {
        "file_id": file_id,
        "size_bytes": measured.size_bytes,
        "sha256": measured.sha256,
        "uploaded_at": func.now(),
    }
    async with db.tenant(principal.scope) as connection:
        image = there(await queries.lock_image(connection, image_id), image_id)
        if image.uploaded_at is not None:
            raise FirmwareUploaded("another upload was quicker")  # the file of this one is swept
        row = await queries.update_image(connection, image_id, values)
        after = {"size_bytes": measured.size_bytes, "sha256": measured.sha256.hex()}
        await keep_audit(connection, principal, "firmware.uploaded", str(image_id), after=after)
    return row


def _check(image: Row[Any], measured: Measured, announced: Announced) -> None:
    if measured.size_bytes == 0:
        raise Invalid("the file is empty: send it as the body of the request")
    if announced.sha256 is not None and measured.sha256 != announced.sha256:
        raise ChecksumMismatch(
            say(
                "checksum_wrong",
                "the file's SHA-256 is {found}, not the announced {announced}",
                found=measured.sha256.hex(),
                announced=announced.sha256.hex(),
            )
        )
    if image.signature is not None:
        check_signature(measured.sha256, image.signature, image.signing_certificate)


async def get_firmware_file(
    db: Database, store: FileStore, principal: Principal, image_id: UUID
) -> tuple[Row[Any], AsyncIterator[bytes]]:
    """Get firmware and its file's bytes.

    Raises: NotFound, FirmwareIncomplete.
    """
    require(principal, Right.MANAGE_FIRMWARE)
    image = await get_firmware(db, principal, image_id)
    if image.size_bytes is None:
        raise FirmwareIncomplete("its file has not been uploaded yet")
    return image, store.read(firmware_key(image.file_id), 0, image.size_bytes)


async def count_versions(
    db: Database, principal: Principal, after: tuple[str, str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Count stations by make and firmware."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.count_versions(connection, after, limit)


def there(row: Row[Any] | None, image_id: UUID) -> Row[Any]:
    """Give a row that must exist. Raises: NotFound."""
    if row is None:
        raise NotFound(say("firmware_unknown", "there is no firmware {image}", image=image_id))
    return row
