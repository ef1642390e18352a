"""What the domain asks of an identity provider outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pilotwire.domain.identity.model import DEFAULT_TENANT, Role

__all__ = ["Claims", "IdentityProvider", "SignOnRules"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of a person, after its signature has been checked. `values` are all the claims."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    values: Mapping[str, Any]


class IdentityProvider(Protocol):
    """A provider of OpenID Connect."""

    @property
    def name(self) -> str:
        """How the provider is called on the page."""
        ...

    async def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Give the address to which the browser is sent.

        Raises: ProviderFailed.
        """
        ...

    async def redeem(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> Claims:
        """Trade the code that the browser brought back for what the provider says of the person.

        Raises: ProviderFailed, also when the answer is not signed, or not for us, or too old.
        """
        ...


@dataclass(frozen=True, slots=True)
class SignOnRules:
    """Which role somebody gets by single sign-on.

    `roles` maps values of the claim `role_claim` to roles; who has none of them gets `default_role`, or no access with
    None unless an owner has added them. A role that a claim gives holds from sign-in to sign-in.
    """

    role_claim: str = ""
    roles: Mapping[str, Role] | None = None
    default_role: Role | None = None
    tenant_id: int = DEFAULT_TENANT
