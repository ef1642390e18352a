"""Tokens in memory."""

import pytest

from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.model import Token, TokenStatus
from pilotwire.domain.lookups import TokenLookup
from pilotwire.ocpp.tokens import TokenCache

CARD = Token("CARD", TokenStatus.ACCEPTED, None, None)
BLOCKED = Token("CARD", TokenStatus.BLOCKED, None, None)


def test_what_was_not_read_is_asked_for_once() -> None:
    cache = TokenCache()
    with pytest.raises(TokenLookup) as caught:
        cache.find(1, "card ")
    assert caught.value.uid == "card "
    cache.keep(1, "card ", None, as_of=cache.changes)
    assert cache.find(1, "CARD") is None


def test_tenants_do_not_share_tokens() -> None:
    cache = TokenCache()
    cache.keep(1, "CARD", CARD, as_of=0)
    assert cache.find(1, "card") is CARD
    with pytest.raises(TokenLookup):
        cache.find(2, "CARD")


def test_a_change_that_came_while_reading_is_not_overwritten() -> None:
    cache = TokenCache()
    before = cache.changes
    cache.changed(TokenChanged(1, "card", BLOCKED))
    cache.keep(1, "CARD", CARD, as_of=before)
    assert cache.find(1, "CARD") is BLOCKED


def test_a_removed_token_is_known_to_be_nobodys() -> None:
    cache = TokenCache()
    cache.keep(1, "CARD", CARD, as_of=0)
    cache.changed(TokenChanged(1, "card", None))
    assert cache.find(1, "CARD") is None


def test_the_memory_is_bounded() -> None:
    cache = TokenCache(size=10)
    for number in range(30):
        cache.keep(1, f"T{number}", CARD, as_of=0)
    with pytest.raises(TokenLookup):
        cache.find(1, "T0")
    assert cache.find(1, "T29") is CARD
