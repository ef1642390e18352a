"""What people can get wrong with tokens."""

from pilotwire.core.errors import Conflict

__all__ = ["TokenExists"]


class TokenExists(Conflict):
    """A token of this uid exists; letter case makes no difference."""

    code = "token_exists"
