"""What can be wrong with people and keys."""

from pilotwire.core.errors import Conflict, PilotwireError, Unauthenticated

__all__ = ["AccountExists", "TooManyAttempts", "WrongCredentials"]


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong."""

    code = "wrong_credentials"


class TooManyAttempts(PilotwireError):
    """Too many failed attempts; try again later."""

    code = "too_many_attempts"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class AccountExists(Conflict):
    """Somebody has an account with this e-mail address."""

    code = "account_exists"
