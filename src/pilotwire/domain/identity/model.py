"""Who asks, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pilotwire.core.errors import Forbidden

__all__ = ["DEFAULT_TENANT", "RIGHTS", "Principal", "Right", "Role", "require", "system_principal"]

DEFAULT_TENANT = 1
"""The tenant that the first migration makes: all there is where one operator runs the system for itself."""


class Role(StrEnum):
    """What somebody is to the network. A new role is a line here and its places in `RIGHTS`."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Right(StrEnum):
    """Something that not everybody may do."""

    VIEW_NETWORK = "view_network"
    """Stations, sites, sessions and events; tokens are shortened."""
    VIEW_MESSAGES = "view_messages"
    """Frames, failed handshakes and deviations: they hold tokens and addresses."""
    CHANGE_STATIONS = "change_stations"
    REMOVE_STATIONS = "remove_stations"
    LOWER_SECURITY = "lower_security"
    CALL_STATIONS = "call_stations"
    MANAGE_ONBOARDING = "manage_onboarding"
    VIEW_TOKENS = "view_tokens"
    CHANGE_TOKENS = "change_tokens"
    MANAGE_PEOPLE = "manage_people"
    """People and API keys."""
    VIEW_AUDIT = "view_audit"


_EVERYBODY = frozenset(Role)
_OPERATING = frozenset({Role.ADMIN, Role.OPERATOR})
_ADMINISTERING = frozenset({Role.ADMIN})

RIGHTS: Mapping[Right, frozenset[Role]] = {
    Right.VIEW_NETWORK: _EVERYBODY,
    Right.VIEW_MESSAGES: _OPERATING,
    Right.CHANGE_STATIONS: _OPERATING,
    Right.REMOVE_STATIONS: _ADMINISTERING,
    Right.LOWER_SECURITY: _ADMINISTERING,
    Right.CALL_STATIONS: _OPERATING,
    Right.MANAGE_ONBOARDING: _OPERATING,
    Right.VIEW_TOKENS: _OPERATING,
    Right.CHANGE_TOKENS: _OPERATING,
    Right.MANAGE_PEOPLE: _ADMINISTERING,
    Right.VIEW_AUDIT: _ADMINISTERING,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks: a person, a program with an API key, or the system itself."""

    tenant_id: int
    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Tell whether the role has the right."""
        return self.role in RIGHTS[right]


def require(principal: Principal, right: Right) -> None:
    """Go on only with the right.

    Raises: Forbidden.
    """
    if not principal.may(right):
        raise Forbidden(f"the role '{principal.role}' may not do this: it needs the right '{right}'")


def system_principal(tenant_id: int = DEFAULT_TENANT) -> Principal:
    """Give the principal of the command line and of jobs: whoever can start them owns the system."""
    return Principal(tenant_id, "system", Role.ADMIN)
