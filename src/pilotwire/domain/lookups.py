"""Facts that a decision needs and does not have in memory."""

__all__ = ["LookupNeeded", "NumberLookup", "SessionLookup", "StartLookup", "TokenLookup"]


class LookupNeeded(Exception):
    """A decision cannot be taken from memory: fetch the fact, then decide again."""


class TokenLookup(LookupNeeded):
    """The token of this uid has not been read yet."""

    def __init__(self, uid: str) -> None:
        super().__init__(uid)
        self.uid = uid


class SessionLookup(LookupNeeded):
    """Whether the station has had a session of this reference has not been read yet."""

    def __init__(self, transaction_ref: str) -> None:
        super().__init__(transaction_ref)
        self.transaction_ref = transaction_ref


class NumberLookup(LookupNeeded):
    """All transaction numbers that were reserved are given out."""


class StartLookup(LookupNeeded):
    """Whether this very start was reported before has not been read yet."""

    def __init__(self, start_key: str) -> None:
        super().__init__(start_key)
        self.start_key = start_key
