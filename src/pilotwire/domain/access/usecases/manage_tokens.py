"""Tokens: who may charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func
from sqlalchemy.exc import IntegrityError

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.access import repository
from pilotwire.domain.access.errors import TokenExists
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.model import Token, TokenKind, TokenStatus, fold_uid
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = [
    "TokenDraft",
    "change_token",
    "create_token",
    "get_token",
    "list_tokens",
    "remove_token",
    "shorten_uid",
]


@dataclass(frozen=True, slots=True)
class TokenDraft:
    """A token to be added."""

    uid: str
    kind: TokenKind = TokenKind.RFID
    status: TokenStatus = TokenStatus.ACCEPTED
    group_id: str | None = None
    valid_until: datetime | None = None
    holder: str = ""


async def create_token(db: Database, bus: LocalBus, principal: Principal, draft: TokenDraft) -> Row[Any]:
    """Add a token.

    Raises: TokenExists, Invalid.
    """
    require(principal, Right.CHANGE_TOKENS)
    uid = draft.uid.strip()
    if not uid or not uid.isprintable():
        raise Invalid(say("token_characters", "a token's uid has printable characters, one at least"))
    try:
        async with db.tenant(principal.scope) as connection:
            row = await repository.insert_token(
                connection,
                {
                    "id": new_uuid(),
                    "tenant_id": principal.tenant_id,
                    "uid": uid,
                    "folded_uid": fold_uid(uid),
                    "kind": draft.kind.value,
                    "status": draft.status.value,
                    "group_id": draft.group_id,
                    "valid_until": draft.valid_until,
                    "holder": draft.holder,
                    "created_at": func.now(),
                },
            )
            await keep_audit(connection, principal, "token.created", shorten_uid(uid), after=_facts(row))
    except IntegrityError as error:
        raise TokenExists(say("token_exists", "there is a token '{uid}' already", uid=uid)) from error
    _tell(bus, principal, row)
    return row


async def get_token(db: Database, principal: Principal, uid: str) -> Row[Any]:
    """Get a token by its uid, whatever the letter case.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_TOKENS)
    async with db.tenant(principal.scope) as connection:
        return await _token(connection, uid)


async def list_tokens(
    db: Database, principal: Principal, after: str | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List tokens; `after` is the folded uid of the last one of the previous page."""
    require(principal, Right.VIEW_TOKENS)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_tokens(connection, after, limit)


async def change_token(
    db: Database, bus: LocalBus, principal: Principal, uid: str, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a token's `kind`, `status`, `group_id`, `valid_until` or `holder`.

    Raises: NotFound.
    """
    require(principal, Right.CHANGE_TOKENS)
    async with db.tenant(principal.scope) as connection:
        before = await _token(connection, uid)
        if not changes:
            return before
        row = await repository.update_token(connection, fold_uid(uid), changes)
        await keep_audit(
            connection,
            principal,
            "token.changed",
            shorten_uid(row.uid),
            before=_facts(before),
            after=_facts(row),
        )
    _tell(bus, principal, row)
    return row


async def remove_token(db: Database, bus: LocalBus, principal: Principal, uid: str) -> None:
    """Remove a token for good; sessions keep the uid with which they were started.

    Raises: NotFound.
    """
    require(principal, Right.CHANGE_TOKENS)
    async with db.tenant(principal.scope) as connection:
        row = await repository.delete_token(connection, fold_uid(uid))
        if row is None:
            raise NotFound(say("token_missing", "there is no such token"))
        await keep_audit(connection, principal, "token.removed", shorten_uid(row.uid), before=_facts(row))
    bus.publish(TokenChanged(principal.tenant_id, row.folded_uid, None))


def shorten_uid(uid: str) -> str:
    """Give enough of a uid to recognise it by, and too little to copy the card."""
    return f"…{uid[-4:]}" if len(uid) > 6 else "…"


async def _token(connection: Any, uid: str) -> Row[Any]:
    row = await repository.find_token(connection, fold_uid(uid))
    if row is None:
        raise NotFound(say("token_missing", "there is no such token"))
    return row


def _facts(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("kind", "status", "group_id", "valid_until", "holder")}


def _tell(bus: LocalBus, principal: Principal, row: Row[Any]) -> None:
    token = Token(row.uid, TokenStatus(row.status), row.group_id, row.valid_until)
    bus.publish(TokenChanged(principal.tenant_id, row.folded_uid, token))
