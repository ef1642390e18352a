"""Tokens in memory: those that were presented lately, kept right by notices of changes."""

from collections import OrderedDict

from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.model import Token, fold_uid
from pilotwire.domain.lookups import TokenLookup

__all__ = ["TokenCache"]


class TokenCache:
    """Remembers tokens, and also that a uid is nobody's."""

    def __init__(self, size: int = 200_000) -> None:
        self._size = size
        self._tokens: OrderedDict[tuple[int, str], Token | None] = OrderedDict()
        self.changes = 0

    def find(self, tenant_id: int, uid: str) -> Token | None:
        """Give the token of a uid, None when nobody knows it.

        Raises: TokenLookup when it has to be read first.
        """
        try:
            return self._tokens[tenant_id, fold_uid(uid)]
        except KeyError:
            raise TokenLookup(uid) from None

    def keep(self, tenant_id: int, uid: str, token: Token | None, *, as_of: int) -> None:
        """Remember what was read; `as_of` is the value of `changes` before reading, so that no change is overwritten."""
        if as_of != self.changes and (tenant_id, fold_uid(uid)) in self._tokens:
            return
        self._tokens[tenant_id, fold_uid(uid)] = token
        if len(self._tokens) > self._size:
            self._tokens.popitem(last=False)

    def forget(self) -> None:
        """Read every token again when it is next presented."""
        self.changes += 1
        self._tokens.clear()

    def changed(self, notice: TokenChanged) -> None:
        """Take over a change."""
        self.changes += 1
        self._tokens[notice.tenant_id, notice.folded_uid] = notice.token
