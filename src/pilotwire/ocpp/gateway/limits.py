"""Limits on sockets, handshakes and guesses. Pure: the time is always an argument.

Every table is bounded and forgets what was touched longest ago, so that an attack cannot grow the process.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_ROUNDING_S = 1e-6

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway allows. Rates are token buckets: `_per_s` refills, `_burst` is the most at once.

    The values per address are wide because a site, a mobile operator or a load balancer shows many stations
    under one address.
    """

    max_message_bytes: int = 512 * 1024
    write_buffer_bytes: int = 128 * 1024
    max_head_bytes: int = 8 * 1024
    handshake_timeout_s: float = 10.0
    close_timeout_s: float = 3.0
    max_connections: int = 100_000
    max_connections_per_address: int = 50_000
    max_pending: int = 4_000
    max_pending_per_address: int = 2_000
    handshakes_per_s_per_address: float = 500.0
    handshakes_burst_per_address: int = 2_000
    admissions_per_s: float = 1_000.0
    admissions_burst: int = 2_000
    tls_handshakes_per_s: float = 400.0
    tls_handshakes_burst: int = 800
    guesses_per_min_per_identity: float = 5.0
    guesses_burst_per_identity: int = 5
    guesses_per_min_per_pair: float = 3.0
    guesses_burst_per_pair: int = 3
    guesses_per_min_known_address: float = 10.0
    guesses_burst_known_address: int = 10
    success_memory_s: float = 7 * 86_400.0
    table_size: int = 16_384
    ping_interval_s: float = 60.0
    compress_from_bytes: int = 256


class BucketTable(Generic[Key]):
    """Token buckets by key, each kept as one number: the time at which it will be full again."""

    __slots__ = ("_capacity", "_full_at", "_period_s", "_tolerance_s")

    def __init__(self, per_s: float, burst: int, capacity: int) -> None:
        self._period_s = 1.0 / per_s
        self._tolerance_s = (burst - 1) * self._period_s
        self._capacity = capacity
        self._full_at: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: Key, now: float) -> float:
        """How long until a token is there; 0 when there is one. Takes nothing."""
        full_at = self._full_at.get(key)
        if full_at is None:
            return 0.0
        wait = full_at - now - self._tolerance_s
        return wait if wait > _ROUNDING_S else 0.0

    def take(self, key: Key, now: float) -> float:
        """Take a token and return 0, or take nothing and return how long to wait."""
        wait = self.wait_s(key, now)
        full_at = self._full_at.pop(key, now)
        # Re-inserted also when refused: the key under attack must be the last to be forgotten.
        self._full_at[key] = full_at if wait > 0 else max(full_at, now) + self._period_s
        if len(self._full_at) > self._capacity:
            del self._full_at[next(iter(self._full_at))]
        return wait


class AttemptLimiter:
    """Bounds guesses at stations' secrets without ever locking out the station itself.

    Strangers to an identity share one budget per identity, of which one address gets only a part. An address
    from which the identity was admitted lately has a budget of its own, which strangers cannot use up.
    """

    __slots__ = ("_known", "_known_capacity", "_memory_s", "_per_identity", "_per_known", "_per_pair")

    _ADDRESSES_PER_IDENTITY = 4

    def __init__(self, limits: Limits) -> None:
        size = limits.table_size
        self._per_identity = BucketTable[str](
            limits.guesses_per_min_per_identity / 60, limits.guesses_burst_per_identity, size
        )
        self._per_pair = BucketTable[tuple[str, str]](
            limits.guesses_per_min_per_pair / 60, limits.guesses_burst_per_pair, size
        )
        self._per_known = BucketTable[tuple[str, str]](
            limits.guesses_per_min_known_address / 60, limits.guesses_burst_known_address, size
        )
        self._memory_s = limits.success_memory_s
        self._known: dict[str, dict[str, float]] = {}
        # Only genuine stations get in here: as many as may be connected.
        self._known_capacity = max(size, limits.max_connections)

    def wait_s(self, identities: Sequence[str], address: str, now: float) -> float:
        """How long the address must wait before its claim to an identity is looked at; 0 for now."""
        return max((self._wait_for(i.casefold(), address, now) for i in identities), default=0.0)

    def _wait_for(self, identity: str, address: str, now: float) -> float:
        if self._knows(identity, address, now):
            return self._per_known.wait_s((identity, address), now)
        return max(self._per_identity.wait_s(identity, now), self._per_pair.wait_s((identity, address), now))

    def failed(self, identities: Sequence[str], address: str, now: float) -> None:
        """Count a claim that was looked at and refused, against everything it may have meant."""
        for identity in {identity.casefold() for identity in identities}:
            if self._knows(identity, address, now):
                self._per_known.take((identity, address), now)
            else:
                self._per_identity.take(identity, now)
                self._per_pair.take((identity, address), now)

    def remember(self, identity: str, address: str, now: float) -> None:
        """Note that the identity was admitted from the address; also used to recall it after a restart."""
        folded = identity.casefold()
        addresses = self._known.pop(folded, {})
        addresses.pop(address, None)
        addresses[address] = now
        if len(addresses) > self._ADDRESSES_PER_IDENTITY:
            del addresses[next(iter(addresses))]
        self._known[folded] = addresses
        if len(self._known) > self._known_capacity:
            del self._known[next(iter(self._known))]

    def _knows(self, identity: str, address: str, now: float) -> bool:
        at = self._known.get(identity, {}).get(address)
        return at is not None and now - at <= self._memory_s


class Census:
    """Counts what is open, in total and per address."""

    __slots__ = ("_max_per_address", "_max_total", "_per_address", "total")

    def __init__(self, max_total: int, max_per_address: int) -> None:
        self._max_total = max_total
        self._max_per_address = max_per_address
        self._per_address: dict[str, int] = {}
        self.total = 0

    def has_room(self, address: str) -> bool:
        """Whether one more from the address is allowed."""
        return self.total < self._max_total and self._per_address.get(address, 0) < self._max_per_address

    def enter(self, address: str) -> None:
        """Count one in."""
        self.total += 1
        self._per_address[address] = self._per_address.get(address, 0) + 1

    def leave(self, address: str) -> None:
        """Count one out."""
        self.total -= 1
        left = self._per_address[address] - 1
        if left:
            self._per_address[address] = left
        else:
            del self._per_address[address]
