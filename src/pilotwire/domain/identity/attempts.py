"""Limits on guessing passwords: per address, per account, and per account from one address.

An attacker who guesses at an account from one address is stopped early; the account's owner, from another
address, is not, until the guessing comes from very many addresses.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from pilotwire.domain.identity.errors import TooManyAttempts

__all__ = ["LoginAttempts"]


@dataclass(frozen=True, slots=True)
class _Rule:
    failures: int
    window_s: float


_PAIR = _Rule(5, 300)
_ADDRESS = _Rule(30, 300)
_ACCOUNT = _Rule(100, 3600)
_STEPS = _Rule(60, 300)
_MOST_KEYS = 20_000


class LoginAttempts:
    """Counts failed sign-ins.

    An attempt counts as failed until it is known to be good, so that many at once do not slip by.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: dict[Hashable, list[float]] = {}

    def begin(self, account: str, address: str) -> None:
        """Count an attempt.

        Raises: TooManyAttempts when there were too many failures; such an attempt is not counted.
        """
        now = self._now()
        keys = _keys(account, address)
        for key, rule in keys:
            recent = [at for at in self._failures.get(key, ()) if at > now - rule.window_s]
            if len(recent) >= rule.failures:
                raise TooManyAttempts(max(1, int(recent[-rule.failures] + rule.window_s - now) + 1))
        for key, rule in keys:
            recent = [at for at in self._failures.pop(key, ()) if at > now - rule.window_s]
            self._failures[key] = [*recent, now]
        while len(self._failures) > _MOST_KEYS:
            del self._failures[next(iter(self._failures))]

    def begin_step(self, address: str) -> None:
        """Count the beginning of a sign-in that goes over several steps, each of which is remembered here.

        Raises: TooManyAttempts when there were too many from this address.
        """
        now, key = self._now(), ("steps", address, "")
        recent = [at for at in self._failures.pop(key, ()) if at > now - _STEPS.window_s]
        self._failures[key] = recent
        if len(recent) >= _STEPS.failures:
            raise TooManyAttempts(int(recent[-_STEPS.failures] + _STEPS.window_s - now) + 1)
        recent.append(now)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of this account from this address, and the one just counted elsewhere."""
        pair, *others = (key for key, _ in _keys(account, address))
        self._failures.pop(pair, None)
        for key in others:
            if self._failures.get(key):
                self._failures[key].pop()


def _keys(account: str, address: str) -> tuple[tuple[Hashable, _Rule], ...]:
    return (
        ((account, address), _PAIR),
        (("address", address, ""), _ADDRESS),
        (("account", account, ""), _ACCOUNT),
    )
