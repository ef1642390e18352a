"""Tokens: `/tokens`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.domain.access.model import TokenKind, TokenStatus
from pilotwire.domain.access.usecases import manage_tokens
from pilotwire.web.api.fields import Given, Line, Moment, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["tokens"])

Uid = Annotated[str, Path(max_length=255, description="The token's uid, in any letter case.")]
Group = Annotated[Line, Field(max_length=36)]


class NewToken(Given):
    """A token to be added."""

    uid: str = Field(min_length=1, max_length=255, examples=["04A2B3C4D5E6F7"])
    kind: TokenKind = TokenKind.RFID
    status: TokenStatus = TokenStatus.ACCEPTED
    group_id: Group | None = None
    valid_until: Moment | None = None
    holder: Line = ""


class TokenChanges(Given):
    """What is to change; fields that are left out stay."""

    kind: TokenKind = TokenKind.RFID
    status: TokenStatus = TokenStatus.ACCEPTED
    group_id: Group | None = None
    valid_until: Moment | None = None
    holder: Line = ""


class Token(Shown):
    """What a driver presents at a station."""

    uid: str
    kind: str
    status: TokenStatus
    group_id: str | None
    valid_until: datetime | None
    holder: str
    created_at: datetime


@router.post("/tokens", status_code=201)
async def create_token(asking: Asking, services: Services, body: NewToken) -> Token:
    """Add a token."""
    draft = manage_tokens.TokenDraft(**body.model_dump())
    return Token.model_validate(await manage_tokens.create_token(services.db, services.bus, asking, draft))


@router.get("/tokens")
async def list_tokens(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Token]:
    """List tokens by uid."""
    rows = await manage_tokens.list_tokens(services.db, asking, decode_cursor(cursor, str), limit + 1)
    return make_page(rows, limit, Token.model_validate, lambda row: (row.folded_uid,))


@router.get("/tokens/{uid:path}")
async def get_token(asking: Asking, services: Services, uid: Uid) -> Token:
    """Get a token."""
    return Token.model_validate(await manage_tokens.get_token(services.db, asking, uid))


@router.patch("/tokens/{uid:path}")
async def change_token(asking: Asking, services: Services, uid: Uid, body: TokenChanges) -> Token:
    """Change a token; stations are told the next time they ask."""
    changes = body.model_dump(exclude_unset=True)
    return Token.model_validate(
        await manage_tokens.change_token(services.db, services.bus, asking, uid, changes)
    )


@router.delete("/tokens/{uid:path}", status_code=204)
async def remove_token(asking: Asking, services: Services, uid: Uid) -> None:
    """Remove a token for good."""
    await manage_tokens.remove_token(services.db, services.bus, asking, uid)
