"""Who asks, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from pilotwire.core.errors import Forbidden
from pilotwire.core.texts import say
from pilotwire.db.engine import Scope

__all__ = [
    "DEFAULT_TENANT",
    "RIGHTS",
    "Principal",
    "Right",
    "Role",
    "require",
    "require_no_limit",
    "system_principal",
]

DEFAULT_TENANT = 1
"""The tenant that the first migration makes: all there is where one operator runs the system for itself."""


class Role(StrEnum):
    """What somebody is to the network. A new role is a line here and its places in `RIGHTS`."""

    OWNER = "owner"
    """May everything."""
    OPERATOR = "operator"
    """Runs the network."""
    SUPPORT = "support"
    """Helps drivers: sees everything, starts, stops and resets."""
    FINANCE = "finance"
    """Bills: sees sessions and tokens."""
    VIEWER = "viewer"
    """Looks on."""
    INSTALLER = "installer"
    """Sets stations up, as a rule at some sites only."""
    PARTNER = "partner"
    """Looks on, as a rule at some sites only: a landlord, a municipality."""

    @classmethod
    def _missing_(cls, value: object) -> "Role | None":
        # What the owner was called at first: in rows, scripts and settings of that time.
        return cls.OWNER if value == "admin" else None


class Right(StrEnum):
    """Something that not everybody may do."""

    VIEW_NETWORK = "view_network"
    """Stations, sites, sessions and events; tokens are shortened."""
    VIEW_MESSAGES = "view_messages"
    """Frames, failed handshakes and deviations: they hold tokens and addresses."""
    CHANGE_STATIONS = "change_stations"
    KEEP_NOTES = "keep_notes"
    """What people write down about stations."""
    REMOVE_STATIONS = "remove_stations"
    LOWER_SECURITY = "lower_security"
    CALL_STATIONS = "call_stations"
    MANAGE_ONBOARDING = "manage_onboarding"
    VIEW_TOKENS = "view_tokens"
    CHANGE_TOKENS = "change_tokens"
    MANAGE_PEOPLE = "manage_people"
    """People and API keys."""
    VIEW_AUDIT = "view_audit"
    MANAGE_ENERGY = "manage_energy"
    """Trees of fuses and meters, and whether energy management runs."""
    OVERRIDE_ENERGY = "override_energy"
    """Limits for a time."""
    PUSH_READINGS = "push_readings"
    """Readings of a site's meters."""
    MANAGE_FIRMWARE = "manage_firmware"
    """Images of firmware, which are for the whole network."""
    MANAGE_CERTIFICATES = "manage_certificates"
    """Certificates of stations, and the roots that they trust."""
    MANAGE_WEBHOOKS = "manage_webhooks"
    """Who outside is told what."""


_EVERYBODY = frozenset(Role)
_OPERATING = frozenset({Role.OWNER, Role.OPERATOR})
_ADMINISTERING = frozenset({Role.OWNER})
_INSTALLING = _OPERATING | {Role.INSTALLER}
_HELPING = _OPERATING | {Role.SUPPORT}
_BILLING = _HELPING | {Role.FINANCE}

RIGHTS: Mapping[Right, frozenset[Role]] = {
    Right.VIEW_NETWORK: _EVERYBODY,
    Right.VIEW_MESSAGES: _HELPING | _INSTALLING,
    Right.CHANGE_STATIONS: _INSTALLING,
    Right.KEEP_NOTES: _HELPING | _INSTALLING,
    Right.REMOVE_STATIONS: _ADMINISTERING,
    Right.LOWER_SECURITY: _ADMINISTERING,
    Right.CALL_STATIONS: _HELPING | _INSTALLING,
    Right.MANAGE_ONBOARDING: _OPERATING,
    Right.VIEW_TOKENS: _BILLING,
    Right.CHANGE_TOKENS: _OPERATING,
    Right.MANAGE_PEOPLE: _ADMINISTERING,
    Right.VIEW_AUDIT: _ADMINISTERING,
    Right.MANAGE_ENERGY: _OPERATING,
    Right.OVERRIDE_ENERGY: _OPERATING,
    Right.PUSH_READINGS: _INSTALLING,
    Right.MANAGE_FIRMWARE: _OPERATING,
    Right.MANAGE_CERTIFICATES: _OPERATING,
    Right.MANAGE_WEBHOOKS: _ADMINISTERING,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks: a person, a program with an API key, or the system itself.

    `sites` limits what they see and change to what stands there; None is no limit. `via` says by which login or key
    they came, `remote_address` from where.
    """

    tenant_id: int
    name: str
    role: Role
    sites: frozenset[UUID] | None = None
    user_id: UUID | None = None
    via: str = ""
    remote_address: str = ""

    @property
    def scope(self) -> Scope:
        """Whose rows they see."""
        return Scope(self.tenant_id, self.sites, self.name)

    def may(self, right: Right) -> bool:
        """Tell whether the role has the right."""
        return self.role in RIGHTS[right]


def require(principal: Principal, right: Right) -> None:
    """Go on only with the right.

    Raises: Forbidden.
    """
    if not principal.may(right):
        raise Forbidden(
            say(
                "right_needed",
                "the role '{role}' may not do this: it needs the right '{right}'",
                role=principal.role,
                right=right,
            )
        )


def require_no_limit(principal: Principal) -> None:
    """Go on only if somebody is not limited to sites: what comes next knows of no sites.

    Raises: Forbidden.
    """
    if principal.sites is not None:
        raise Forbidden(
            say("limited_to_sites", "this shows the whole network, and you are limited to some sites")
        )


def system_principal(tenant_id: int = DEFAULT_TENANT) -> Principal:
    """Give the principal of the command line and of jobs: whoever can start them owns the system."""
    return Principal(tenant_id, "system", Role.OWNER, via="system")
