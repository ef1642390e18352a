"""Removing firmware: only when nobody is about to install it."""

import contextlib
from uuid import UUID

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.operations.queries import is_installed_by_a_task
from pilotwire.domain.transfers import queries as transfers
from pilotwire.domain.transfers.errors import FirmwareInUse
from pilotwire.domain.transfers.model import firmware_key
from pilotwire.domain.transfers.ports import FileStore

__all__ = ["remove_firmware"]


async def remove_firmware(db: Database, store: FileStore, principal: Principal, image_id: UUID) -> None:
    """Remove firmware and its file.

    Raises: NotFound; FirmwareInUse while a task that is not over installs it.
    """
    require(principal, Right.MANAGE_FIRMWARE)
    async with db.tenant(principal.scope) as connection:
        image = await transfers.lock_image(connection, image_id)
        if image is None:
            raise NotFound(say("firmware_unknown", "there is no firmware {image}", image=image_id))
        if await is_installed_by_a_task(connection, image_id):
            raise FirmwareInUse(say("firmware_in_task", "cancel the task, or wait for its end"))
        await transfers.delete_image(connection, image_id)
        about = {"vendor": image.vendor, "model": image.model, "version": image.version}
        await keep_audit(connection, principal, "firmware.removed", str(image_id), before=about)
    if image.file_id is not None:
        with contextlib.suppress(OSError):  # the sweep takes what is left
            await store.delete(firmware_key(image.file_id))
