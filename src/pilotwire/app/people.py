"""What the people's edge is told about the stations' edge, and how people sign in elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilotwire.app.edge import Edge
from pilotwire.domain.identity.model import Role
from pilotwire.domain.identity.ports import IdentityProvider, SignOnRules
from pilotwire.integrations.oidc import OpenIdProvider
from pilotwire.ocpp.gateway import HandshakeFailure
from pilotwire.ocpp.quirks.catalog import CATALOG
from pilotwire.ocpp.quirks.resolve import behaviour_of
from pilotwire.settings import Settings, roles_by_value
from pilotwire.web.services import KnownQuirk, Measure

__all__ = ["described", "identity_provider", "known_quirks", "measures", "relay_state", "sign_on_rules"]


def relay_state(edge: Edge) -> Callable[[int], tuple[bool, str]]:
    """Give what tells of a station's relay whether it is connected, and if not what is wrong."""
    book = edge.switchboard.relays
    assert book is not None  # noqa: S101 - opened before
    return book.state


def known_quirks(
    vendor: str, model: str, firmware: str, switches: Mapping[str, bool]
) -> Sequence[KnownQuirk]:
    """Give the quirks that can be switched, and say of each whether it holds for a make of station."""
    active = set(behaviour_of(vendor, model, firmware, switches).names)
    return [
        KnownQuirk(
            quirk.name,
            quirk.section.value,
            quirk.summary,
            quirk.applies,
            quirk.name in active,
            switches.get(quirk.name),
        )
        for quirk in CATALOG
        if not quirk.always
    ]


def measures(edge: Edge) -> tuple[Measure, ...]:
    """Give the figures of the stations' edge for Prometheus."""
    writer, board = edge.writer, edge.switchboard
    return (
        Measure("stations_known", "Stations that may connect.", "gauge", lambda: len(edge.directory)),
        Measure("stations_connected", "Stations connected now.", "gauge", lambda: board.connected),
        Measure(
            "frames_received_total", "Frames received from stations.", "counter", lambda: board.frames_in
        ),
        Measure("writer_batches_total", "Group commits.", "counter", lambda: writer.batches),
        Measure("writer_entries_total", "Messages kept by group commits.", "counter", lambda: writer.entries),
        Measure(
            "writer_poisoned_total", "Messages refused by the database.", "counter", lambda: writer.poisoned
        ),
        Measure(
            "writer_waiting", "Messages that wait for the next group commit.", "gauge", lambda: writer.waiting
        ),
        Measure(
            "database_available",
            "Whether the last group commit came through.",
            "gauge",
            lambda: writer.available,
        ),
    )


def identity_provider(settings: Settings) -> IdentityProvider | None:
    """Give the provider with which people may sign in, None without one. Raises: ValueError for half a setting."""
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise ValueError("PILOTWIRE_OIDC_ISSUER needs PILOTWIRE_OIDC_CLIENT_ID")
    return OpenIdProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
    )


def sign_on_rules(settings: Settings) -> SignOnRules:
    """Read which claims give which roles.

    Raises: ValueError for a role that does not exist.
    """
    return SignOnRules(
        role_claim=settings.oidc_role_claim,
        roles={value: Role(role) for value, role in roles_by_value(settings.oidc_roles).items()},
        default_role=Role(settings.oidc_default_role) if settings.oidc_default_role else None,
    )


def described(entry: HandshakeFailure) -> dict[str, Any]:
    """Give a failed handshake as the API shows it."""
    return {
        "subject": entry.subject,
        "remote_address": entry.remote_address,
        "problem": entry.problem.value,
        "count": entry.count,
        "first_at": entry.first_at,
        "last_at": entry.last_at,
        "detail": entry.detail,
        "explanation": entry.explanation,
    }
