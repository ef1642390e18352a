"""Rights, passwords, keys, and limits on guessing."""

import pytest

from pilotwire.core.errors import Forbidden, Invalid
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import (
    checked_password,
    digest_of,
    hash_password,
    new_api_key,
    password_fits,
)
from pilotwire.domain.identity.errors import TooManyAttempts
from pilotwire.domain.identity.model import RIGHTS, Principal, Right, Role, require
from pilotwire.domain.identity.usecases.manage_users import checked_email


def test_every_right_is_given_and_grows_with_the_role() -> None:
    assert set(RIGHTS) == set(Right)
    of_role = {role: {right for right in Right if role in RIGHTS[right]} for role in Role}
    assert of_role[Role.VIEWER] < of_role[Role.OPERATOR] < of_role[Role.OWNER] == set(Right)
    for role in Role:
        assert of_role[Role.PARTNER] <= of_role[role] <= of_role[Role.OWNER]
    assert Role("admin") is Role.OWNER, "what it was called at first"


def test_without_the_right_there_is_no_going_on() -> None:
    require(Principal(1, "ada", Role.OWNER), Right.MANAGE_PEOPLE)
    with pytest.raises(Forbidden, match="manage_people"):
        require(Principal(1, "ada", Role.OPERATOR), Right.MANAGE_PEOPLE)


async def test_a_password_is_kept_as_argon2id_and_fits_itself_alone() -> None:
    kept = await hash_password("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert await password_fits(kept, "correct horse battery")
    assert not await password_fits(kept, "correct horse batterz")
    assert not await password_fits(None, "correct horse battery")
    assert not await password_fits("no hash at all", "correct horse battery")


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 257])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(Invalid):
        checked_password(password)


def test_keys_are_long_marked_and_different() -> None:
    keys = {new_api_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(key.startswith("pw_") and len(key) >= 43 for key in keys)
    assert len({digest_of(key) for key in keys}) == 50
    assert digest_of("\ud800") != digest_of("")


@pytest.mark.parametrize(("given", "kept"), [(" a@b.c ", "a@b.c"), ("ü@example.com", "ü@example.com")])
def test_an_address_is_taken_as_it_is(given: str, kept: str) -> None:
    assert checked_email(given) == kept


@pytest.mark.parametrize("email", ["", "a", "@b", "a@", "a b@c", "a\x00@b", "a@b\n.c", "a" * 251 + "@b.c"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid):
        checked_email(email)


class Seconds:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_failures_are_forgotten_with_time() -> None:
    clock = Seconds()
    attempts = LoginAttempts(clock)
    for _ in range(5):
        attempts.begin("ada", "one")
    with pytest.raises(TooManyAttempts) as refused:
        attempts.begin("ada", "one")
    assert refused.value.retry_after_s == 301
    clock.now += 301
    attempts.begin("ada", "one")


def test_one_address_cannot_try_many_accounts() -> None:
    attempts = LoginAttempts(Seconds())
    for i in range(30):
        attempts.begin(f"account {i}", "one")
    with pytest.raises(TooManyAttempts):
        attempts.begin("account 31", "one")
    attempts.begin("account 31", "two")


def test_many_addresses_cannot_try_one_account_for_ever() -> None:
    attempts = LoginAttempts(Seconds())
    for i in range(100):
        attempts.begin("ada", f"address {i}")
    with pytest.raises(TooManyAttempts):
        attempts.begin("ada", "another")


def test_success_gives_the_attempts_back() -> None:
    attempts = LoginAttempts(Seconds())
    for _ in range(200):
        attempts.begin("ada", "one")
        attempts.succeeded("ada", "one")


def test_an_attack_cannot_grow_the_process() -> None:
    attempts = LoginAttempts(Seconds())
    for i in range(12_000):
        attempts.begin(f"account {i}", f"address {i}")
    assert len(attempts._failures) <= 20_000
