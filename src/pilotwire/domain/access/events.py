"""What others are told about tokens."""

import msgspec

from pilotwire.domain.access.model import Token

__all__ = ["TokenChanged"]


class TokenChanged(msgspec.Struct, frozen=True):
    """Somebody added, changed or (with None) removed a token."""

    tenant_id: int
    folded_uid: str
    token: Token | None
