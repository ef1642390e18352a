"""What stations do with the addresses that commands gave them: fetch firmware, deliver a log."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.transfers import repository
from pilotwire.domain.transfers.model import (
    Delivery,
    LogReceived,
    Measured,
    Reception,
    firmware_key,
    log_key,
    plain_name,
    too_large,
)
from pilotwire.domain.transfers.ports import FileStore

__all__ = [
    "Counter",
    "Uploaded",
    "deliver_log",
    "find_reception",
    "give_back",
    "give_back_interrupted",
    "look_up_firmware",
    "note_sent",
    "read_firmware",
    "settle",
]

log = structlog.get_logger(__name__)

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Counter:
    """Who serves files: the database, the store, the bus and the clock."""

    db: Database
    store: FileStore
    bus: LocalBus
    clock: Clock


@dataclass(slots=True)
class Uploaded:
    """A log on its way in; of a form the name is known when its part has begun."""

    content: AsyncIterator[bytes]
    file_name: Callable[[], str]
    size_bytes: int | None
    remote_address: str


async def look_up_firmware(counter: Counter, token: str, remote_address: str, *, start: bool) -> Delivery:
    """Tell what is to be fetched at an address.

    Raises: UnknownAddress, AddressUsed.
    """
    async with counter.db.service.acquire() as connection:
        return await repository.redeem_delivery(
            connection, token, counter.clock(), remote_address, start=start
        )


def read_firmware(counter: Counter, delivery: Delivery, start: int, end: int) -> AsyncIterator[bytes]:
    """Give the bytes from `start` up to `end` (not included)."""
    return counter.store.read(firmware_key(delivery.file_id), start, end)


async def note_sent(counter: Counter, delivery: Delivery, sent_bytes: int, *, to_the_end: bool) -> bool:
    """Count what goes out; True when one use of the address is over with it.

    That is when the file goes out up to its end; a transfer that broke off may be continued or begun anew. Whoever is told
    so either settles the use or gives it back.
    """
    async with counter.db.service.acquire() as connection:
        return await repository.note_sent(
            connection, delivery.grant_id, sent_bytes, counter.clock(), to_the_end=to_the_end
        )


async def settle(counter: Counter, delivery: Delivery) -> None:
    """Keep the use of an address: the file has arrived to its end."""

    async def keep() -> None:
        async with counter.db.service.acquire() as connection:
            await repository.settle_use(connection, delivery.grant_id)

    await _before_long(keep)


async def give_back(counter: Counter, delivery: Delivery) -> None:
    """Give back the use of an address: it has turned out that the file did not arrive to its end."""

    async def keep() -> None:
        async with counter.db.service.acquire() as connection:
            await repository.give_back_use(connection, delivery.grant_id)

    await _before_long(keep)


async def give_back_interrupted(db: Database) -> None:
    """Give back the uses of which a process before us did not learn whether the file arrived to its end.

    For the start of the only process that serves files.
    """
    async with db.service.acquire() as connection:
        if count := await repository.give_back_interrupted(connection):
            log.info("downloads that the end of the server cut off may be continued", count=count)


async def _before_long(keep: Callable[[], Awaitable[None]]) -> None:
    """Keep something though the database may be away for a moment; what is not kept then, the next start gives back."""
    until = time.monotonic() + _PATIENCE_S
    await retry_while_away(keep, lambda: time.monotonic() < until)


async def find_reception(counter: Counter, token: str) -> Reception:
    """Tell what may be delivered at an address.

    Raises: UnknownAddress, AddressUsed.
    """
    async with counter.db.service.acquire() as connection:
        return await repository.redeem_reception(connection, token, counter.clock())


async def deliver_log(counter: Counter, reception: Reception, uploaded: Uploaded, maximum_bytes: int) -> UUID:
    """Keep a log that a station delivers; a delivery that broke off may be tried again.

    Raises: AddressUsed when another delivery was quicker; FileTooLarge, Invalid. Nothing is kept then.
    """
    if uploaded.size_bytes is not None and uploaded.size_bytes > maximum_bytes:
        raise too_large("log", maximum_bytes)
    log_id = new_uuid()
    measured = Measured(uploaded.content, maximum_bytes, "log")

    async def checked() -> AsyncIterator[bytes]:
        async for part in measured.parts():
            yield part
        if measured.size_bytes == 0:
            raise Invalid(say("file_empty", "the file is empty"))

    await counter.store.write(log_key(log_id), checked())
    name = plain_name(uploaded.file_name(), f"{reception.kind}.log")
    async with counter.db.service.acquire() as connection:
        await repository.insert_log(
            connection,
            reception,
            log_id,
            (name, measured.size_bytes, measured.sha256),
            counter.clock(),
            uploaded.remote_address,
        )
    counter.bus.publish(
        LogReceived(
            reception.tenant_id,
            reception.station_id,
            reception.identity,
            reception.command_id,
            log_id,
            reception.kind,
            name,
            measured.size_bytes,
        )
    )
    return log_id
