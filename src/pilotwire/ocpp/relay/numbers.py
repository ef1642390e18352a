"""The numbers of 1.6 transactions, which each back end gives by itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from pilotwire.domain.relays.model import SharedTransaction

__all__ = ["TransactionNumbers", "renumbered"]


class TransactionNumbers:
    """Translates between what the station, this system and the other back end call a transaction."""

    __slots__ = ("from_ours", "from_theirs", "to_ours", "to_theirs")

    def __init__(self, known: Iterable[SharedTransaction] = ()) -> None:
        self.to_ours: dict[int, int] = {}
        self.to_theirs: dict[int, int] = {}
        self.from_ours: dict[int, int] = {}
        self.from_theirs: dict[int, int] = {}
        for shared in known:
            self.add(shared)

    def add(self, shared: SharedTransaction) -> None:
        """Take over one transaction."""
        self.to_ours[shared.at_station] = shared.ours
        self.to_theirs[shared.at_station] = shared.theirs
        self.from_ours[shared.ours] = shared.at_station
        self.from_theirs[shared.theirs] = shared.at_station


def renumbered(payload: Any, numbers: Mapping[int, int]) -> Any:
    """Give a payload with every `transactionId` translated that is known."""
    if isinstance(payload, dict):
        return {
            key: numbers.get(value, value)
            if key == "transactionId" and isinstance(value, int)
            else renumbered(value, numbers)
            for key, value in payload.items()
        }
    return [renumbered(each, numbers) for each in payload] if isinstance(payload, list) else payload
