"""A command with the tokens and settings that it means, read when it is sent."""

from datetime import datetime

import asyncpg

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.access.lookup import list_for_stations
from pilotwire.domain.access.model import TokenKind, TokenStatus, fold_uid
from pilotwire.domain.operations.commands import (
    Command,
    ReadSettings,
    RepairSettings,
    SendLocalList,
    WriteSettings,
)
from pilotwire.domain.operations.model import KnownToken, Order
from pilotwire.domain.operations.settings import settings_meant

__all__ = ["compose_order", "number_of"]

_LONGEST_LIST = 500


def number_of(command_id: int) -> int:
    """Give the number by which a command is known to its station: 31 bits, never 0."""
    return (command_id - 1) % (2**31 - 1) + 1


async def compose_order(
    connection: asyncpg.Connection,
    tenant_id: int,
    number: int,
    command: Command,
    now: datetime,
    station_id: int | None = None,
) -> Order:
    """Read the tokens and settings that a command means; settings as the station named spells them.

    Raises: Invalid when the local list would be longer than a message may be, or a setting cannot be written.
    """
    if isinstance(command, SendLocalList):
        uids = command.token_uids
        tokens = await _tokens(connection, tenant_id, uids)
        if len(tokens) > _LONGEST_LIST:
            raise Invalid(
                say(
                    "list_too_long",
                    "more than {most} tokens may charge, too many for one message:"
                    " name the token_uids that this station needs",
                    most=_LONGEST_LIST,
                )
            )
        if uids is not None:
            tokens = _in_order(uids, tokens, keep_unknown=command.mode == "differential")
        return Order(number, command, now, tuple(tokens))
    if isinstance(command, ReadSettings | WriteSettings | RepairSettings):
        return Order(number, command, now, settings=await settings_meant(connection, command, station_id))
    uid = getattr(command, "token_uid", None)
    if uid is None:
        return Order(number, command, now)
    found = await _tokens(connection, tenant_id, (uid,))
    return Order(number, command, now, tuple(_in_order((uid,), found, keep_unknown=True)))


async def _tokens(
    connection: asyncpg.Connection, tenant_id: int, uids: tuple[str, ...] | None
) -> list[KnownToken]:
    rows = await list_for_stations(connection, tenant_id, uids, _LONGEST_LIST + 1)
    return [
        KnownToken(
            row["uid"],
            TokenKind(row["kind"]),
            TokenStatus(row["status"]),
            row["group_id"],
            row["valid_until"],
        )
        for row in rows
    ]


def _in_order(uids: tuple[str, ...], known: list[KnownToken], *, keep_unknown: bool) -> list[KnownToken]:
    by_uid = {fold_uid(token.uid): token for token in known}
    wanted = {fold_uid(uid): uid for uid in uids}
    return [
        by_uid.get(folded) or KnownToken(uid)
        for folded, uid in wanted.items()
        if keep_unknown or folded in by_uid
    ]
