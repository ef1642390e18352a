"""Commands that move a file: with an address of this system, made for one station and one command."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.operations.commands import Command, GetLogs, UpdateFirmware
from pilotwire.domain.operations.model import CommandState, Order, Reply
from pilotwire.domain.operations.repository import Following
from pilotwire.domain.stations.records import StationBootKept, StationProgressKept
from pilotwire.domain.stations.repository import clear_progress, find_make, find_told
from pilotwire.domain.transfers import repository as transfers
from pilotwire.domain.transfers.addresses import FileAddresses
from pilotwire.domain.transfers.model import FirmwareImage, fits_make, new_token

__all__ = ["address_file", "image_of", "missed_notices", "spell_image", "wrong_make"]

Place = tuple[int, int, int]
"""Tenant, station and command."""


def image_of(command: Command) -> UUID | None:
    """Give the firmware image that a command installs."""
    return command.image_id if isinstance(command, UpdateFirmware) and command.location is None else None


def wrong_make(command: Command, image: FirmwareImage, vendor: str, model: str) -> str:
    """Say why an image is not for a station; empty when it is."""
    if fits_make(image, vendor, model) or (isinstance(command, UpdateFirmware) and command.any_make):
        return ""
    meant = f"{image.vendor} {image.model}".strip()
    return f"the firmware is for {meant}, the station is {f'{vendor} {model}'.strip()} (any_make installs it anyway)"


def spell_image(order: Order, image: FirmwareImage | None, location: str) -> Order:
    """Put the address and, of a signed image, the signature into an order."""
    more: dict[str, Any] = {"location": location}
    if image is not None and isinstance(order.command, UpdateFirmware) and order.command.signed:
        more |= {"signature": image.signature, "signing_certificate": image.signing_certificate}
    return msgspec.structs.replace(order, command=msgspec.structs.replace(order.command, **more))


async def address_file(
    connection: asyncpg.Connection, order: Order, place: Place, addresses: FileAddresses, now: datetime
) -> Order | Reply:
    """Grant the transfer that an order needs and put its address in; a Reply when there is nothing to do.

    Raises: Invalid when it cannot be, with the reason.
    """
    command = order.command
    if not isinstance(command, UpdateFirmware | GetLogs) or command.location is not None:
        return order
    await clear_progress(connection, place[1], "log" if isinstance(command, GetLogs) else "firmware")
    token, until = new_token(), command.follow_until(now)
    uses = 1 + (command.retries or 0)
    if isinstance(command, GetLogs):
        await transfers.insert_grant(connection, place, command.kind, token, until)
        return spell_image(order, None, addresses.log(token))
    image_id = command.image_id
    image = None if image_id is None else await transfers.find_image(connection, place[0], image_id)
    if image is None:
        raise Invalid(say("firmware_gone", "there is no firmware {image} any more", image=image_id))
    make = await find_make(connection, place[1])
    if reason := wrong_make(command, image, make.vendor, make.model):
        raise Invalid(reason)
    if make.firmware_version == image.version and not command.reinstall:
        return Reply(
            CommandState.DONE,
            "already_installed",
            say("version_there", "the station reports this version (reinstall installs it again)"),
            {"firmware_version": make.firmware_version},
        )
    await transfers.insert_grant(connection, place, "firmware", token, until, uses=uses, image_id=image.id)
    spelt = spell_image(order, image, addresses.firmware(image.file_name, token))
    about = {"wanted_version": image.version, "previous_version": make.firmware_version}
    return msgspec.structs.replace(spelt, about=about)


async def missed_notices(connection: asyncpg.Connection, following: Following) -> list[Any]:
    """Give what a station told of a command that was kept when an earlier process ended, before it was acted upon.

    A station tells it once only. What it told of earlier commands was cleared when this one was sent.
    """
    command = following.command
    if not isinstance(command, UpdateFirmware | GetLogs) or command.location is not None:
        return []
    told = await find_told(connection, following.station_id)
    if told is None:
        return []
    place = (following.tenant_id, following.station_id, following.identity)
    if isinstance(command, GetLogs):
        received = await transfers.find_log_of(connection, *place, following.id)
        status = StationProgressKept(*place, "log", told.log_status, None)
        return [received] if received is not None else [status] if told.log_status else []
    notices: list[Any] = []
    if told.booted_at and following.sent_at and told.booted_at > following.sent_at:
        make = (told.vendor, told.model, "", told.firmware_version, "", "", "")
        notices.append(StationBootKept(*place, *make, told.booted_at, ""))
    if told.firmware_status:
        notices.append(StationProgressKept(*place, "firmware", told.firmware_status, None))
    return notices
