"""Firmware images: `/firmware`, and which stations have which: `/firmware-versions`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import Field, StringConstraints
from starlette.requests import ClientDisconnect

from pilotwire.core.errors import Invalid, PilotwireError
from pilotwire.core.texts import say
from pilotwire.domain.operations.usecases.remove_firmware import remove_firmware as remove
from pilotwire.domain.transfers.usecases import manage_firmware
from pilotwire.domain.transfers.usecases.manage_firmware import Announced
from pilotwire.web.api.fields import Given, Line, Name, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.file_streams import Body, FileAnswer, stated_size
from pilotwire.web.files import counter_of
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["firmware"])

ImageId = Annotated[UUID, Path(description="The id of firmware.")]
Version = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
Notes = Annotated[str, StringConstraints(max_length=10_000)]
_FILE: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class NewFirmware(Given):
    """Firmware to be added; its file is uploaded afterwards."""

    vendor: Name = Field(examples=["ACME"])
    model: Line = Field("", description="Empty: all models of the vendor.")
    version: Version = Field(description="As stations report it when they boot.", examples=["2.1.0"])
    file_name: Name = Field("firmware.bin", description="Stations see it; many look at its ending.")
    notes: Notes = Field("", description="Release notes.")
    signature: Annotated[str, StringConstraints(max_length=800)] | None = Field(
        None, description="Base64, of the file's SHA-256; checked when the file is uploaded."
    )
    signing_certificate: Annotated[str, StringConstraints(max_length=5500)] | None = Field(
        None, description="PEM."
    )


class FirmwareChanges(Given):
    """What can change of firmware."""

    notes: Notes


class Firmware(Shown):
    """Firmware. Without `uploaded_at` its file is still to come."""

    id: UUID
    vendor: str
    model: str
    version: str
    file_name: str
    size_bytes: int | None
    sha256: str | None = Field(description="Hexadecimal.")
    signed: bool
    notes: str
    created_by: str
    created_at: datetime
    uploaded_at: datetime | None


class FirmwareVersion(Shown):
    """How many stations of a make run a version, and whether there is other, newer firmware for them."""

    vendor: str
    model: str
    firmware_version: str
    stations: int
    connected: int
    newest_image_id: UUID | None
    newest_version: str | None = Field(description="The firmware that was added last for this make.")
    behind: bool


@router.post("/firmware", status_code=201)
async def add_firmware(asking: Asking, services: Services, body: NewFirmware) -> Firmware:
    """Add firmware; then upload its file."""
    return _show(await manage_firmware.add_firmware(services.db, asking, body.model_dump()))


@router.get("/firmware")
async def list_firmware(
    asking: Asking,
    services: Services,
    vendor: Annotated[str | None, Query(max_length=200)] = None,
    model: Annotated[str | None, Query(max_length=200, description="Also what is for all models.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Firmware]:
    """List firmware, the newest first."""
    before = decode_cursor(cursor, UUID)
    rows = await manage_firmware.list_firmware(
        services.db, asking, vendor=vendor, model=model, before=before, limit=limit + 1
    )
    return make_page(rows, limit, _show, lambda row: (row.id,))


@router.get("/firmware/{image_id}")
async def get_firmware(asking: Asking, services: Services, image_id: ImageId) -> Firmware:
    """Get firmware."""
    return _show(await manage_firmware.get_firmware(services.db, asking, image_id))


@router.patch("/firmware/{image_id}")
async def change_firmware(
    asking: Asking, services: Services, image_id: ImageId, body: FirmwareChanges
) -> Firmware:
    """Change the release notes; all else stays as it was uploaded."""
    return _show(await manage_firmware.change_firmware(services.db, asking, image_id, body.notes))


@router.delete("/firmware/{image_id}", status_code=204)
async def remove_firmware(asking: Asking, services: Services, image_id: ImageId) -> None:
    """Remove firmware that no task is about to install."""
    await remove(services.db, counter_of(services).store, asking, image_id)


@router.put(
    "/firmware/{image_id}/content", openapi_extra={"requestBody": {"required": True, "content": _FILE}}
)
async def upload_firmware(
    asking: Asking,
    services: Services,
    image_id: ImageId,
    request: Request,
    x_checksum_sha256: Annotated[
        str | None, Header(description="Hexadecimal; the file is refused when its own is another.")
    ] = None,
) -> Firmware:
    """Upload the file as the body, of any type. It is checked against checksum and signature before it is kept."""
    store, body = counter_of(services).store, Body(request)
    try:
        announced = Announced(stated_size(request), _checksum(x_checksum_sha256))
        row = await manage_firmware.upload_firmware(
            services.db, store, asking, image_id, body.parts(), announced, services.maximum_firmware_bytes
        )
    except PilotwireError:
        await body.drain()
        raise
    except ClientDisconnect as error:
        raise Invalid(say("upload_broke_off", "the upload broke off")) from error
    return _show(row)


@router.get(
    "/firmware/{image_id}/content",
    response_model=None,
    responses={200: {"description": "The file.", "content": _FILE}},
)
async def get_firmware_content(asking: Asking, services: Services, image_id: ImageId) -> FileAnswer:
    """Download the file."""
    row, parts = await manage_firmware.get_firmware_file(
        services.db, counter_of(services).store, asking, image_id
    )
    return file_answer(row.file_name, row.size_bytes, parts)


@router.get("/firmware-versions")
async def list_firmware_versions(
    asking: Asking, services: Services, limit: Limit = 1000, cursor: Cursor = None
) -> Page[FirmwareVersion]:
    """Count stations by vendor, model and firmware, and say which are behind the newest firmware added here."""
    after = decode_cursor(cursor, str, str, str)
    rows = await manage_firmware.count_versions(services.db, asking, after, limit + 1)
    return make_page(
        rows,
        limit,
        FirmwareVersion.model_validate,
        lambda row: (row.vendor, row.model, row.firmware_version),
    )


def file_answer(file_name: str, size_bytes: int, parts: Any) -> FileAnswer:
    """Make the answer that is a file to be kept."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Content-Length": str(size_bytes),
    }
    return FileAnswer(200, headers, parts)


def _checksum(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Invalid("X-Checksum-Sha256: 64 hexadecimal digits")
    return digest


def _show(row: Any) -> Firmware:
    values = {name: getattr(row, name) for name in Firmware.model_fields if name not in ("sha256", "signed")}
    return Firmware(
        **values, sha256=None if row.sha256 is None else row.sha256.hex(), signed=row.signature is not None
    )
