"""What can be wrong with people and keys."""

from pilotwire.core.errors import Conflict, PilotwireError, Unauthenticated
from pilotwire.core.texts import say

__all__ = [
    "AccountExists",
    "CodeNeeded",
    "LinkExpired",
    "NoAccount",
    "ProviderFailed",
    "SignInStepExpired",
    "TooManyAttempts",
    "WrongCredentials",
]


class WrongCredentials(Unauthenticated):
    """The e-mail address, the password or the code is wrong."""

    code = "wrong_credentials"


class CodeNeeded(Unauthenticated):
    """A code of the authenticator app is needed as well."""

    code = "code_needed"


class SignInStepExpired(Unauthenticated):
    """Signing in took too long, or was finished already: begin again."""

    code = "sign_in_step_expired"


class LinkExpired(Unauthenticated):
    """The link is used up, replaced or too old: ask for a new one."""

    code = "link_expired"


class NoAccount(Unauthenticated):
    """The identity provider knows you, but nobody has given you access here."""

    code = "no_account"


class ProviderFailed(PilotwireError):
    """The identity provider does not answer, or not as it should."""

    code = "provider_failed"


class TooManyAttempts(PilotwireError):
    """Too many failed attempts; try again later."""

    code = "too_many_attempts"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(say("try_again_in", "try again in {seconds} s", seconds=retry_after_s))
        self.retry_after_s = retry_after_s


class AccountExists(Conflict):
    """Somebody has an account with this e-mail address."""

    code = "account_exists"
