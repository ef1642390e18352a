"""Tokens: what a driver presents, and what it entitles to."""

from datetime import datetime
from enum import StrEnum

import msgspec

__all__ = [
    "Token",
    "TokenAnswer",
    "TokenKind",
    "TokenPresented",
    "TokenStatus",
    "TokenVerdict",
    "fold_uid",
    "judge",
]


class TokenKind(StrEnum):
    """How a token is presented."""

    RFID = "rfid"
    APP = "app"
    CODE = "code"
    EMAID = "emaid"
    MAC = "mac"
    CENTRAL = "central"
    OTHER = "other"


class TokenStatus(StrEnum):
    """What the operator has said of a token."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    INVALID = "invalid"


class TokenVerdict(StrEnum):
    """What a station is told about a token."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    INVALID = "invalid"
    CONCURRENT = "concurrent"
    UNKNOWN = "unknown"


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token as it decides over a charge."""

    uid: str
    status: TokenStatus
    group_id: str | None
    valid_until: datetime | None


class TokenPresented(msgspec.Struct, frozen=True, gc=False):
    """Somebody asks to charge. Spec: OCPP 1.6 4.1; 2.0.1 C01."""

    uid: str
    kind: str = ""
    certified: bool = False
    """Whether a contract certificate came with it."""


class TokenAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a station is told about a token."""

    verdict: TokenVerdict
    group_id: str | None = None
    valid_until: datetime | None = None


def fold_uid(uid: str) -> str:
    """Give the form under which a uid is looked up: idTokens are case-insensitive (OCPP 1.6 7.28; 2.0.1 C01)."""
    return uid.strip().casefold()


def judge(token: Token | None, now: datetime) -> TokenAnswer:
    """Say whether a token may charge now. `None` is a token that nobody knows."""
    if token is None:
        return TokenAnswer(TokenVerdict.UNKNOWN)
    if token.status is TokenStatus.ACCEPTED and token.valid_until is not None and token.valid_until <= now:
        return TokenAnswer(TokenVerdict.EXPIRED, token.group_id, token.valid_until)
    return TokenAnswer(TokenVerdict(token.status.value), token.group_id, token.valid_until)
