"""What every address of the API asks of the caller: one table, for the description of the API and its reference.

The use cases decide; a test asks every address as every role, and fails where this table says otherwise.
"""

from collections.abc import Mapping
from enum import StrEnum

from pilotwire.domain.identity.model import RIGHTS, Right, Role

__all__ = ["ACCESS", "Access", "Needed", "right_for", "roles_for"]


class Access(StrEnum):
    """What is no right of a role."""

    ANYBODY = "anybody"
    """No sign-in is needed."""
    SIGNED_IN = "signed_in"
    """Any person or API key."""
    PERSON = "person"
    """Any person; API keys are refused."""


Needed = Access | Right

_STATIONS: Mapping[str, Needed | Mapping[str, Needed]] = {
    "POST /api/v1/stations": Right.CHANGE_STATIONS,
    "GET /api/v1/stations": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}": Right.VIEW_NETWORK,
    "PATCH /api/v1/stations/{station_id}": Right.CHANGE_STATIONS,
    "DELETE /api/v1/stations/{station_id}": Right.REMOVE_STATIONS,
    "GET /api/v1/stations/{station_id}/messages": Right.VIEW_MESSAGES,
    "GET /api/v1/stations/{station_id}/reports": Right.VIEW_MESSAGES,
    "GET /api/v1/stations/{station_id}/security-events": Right.VIEW_NETWORK,
    "POST /api/v1/stations/{station_id}/secret/renew": Right.CHANGE_STATIONS,
    "POST /api/v1/stations/{station_id}/call/{action}": Right.CALL_STATIONS,
    "GET /api/v1/ocpp-schemas/{version}": Right.VIEW_NETWORK,
    "GET /api/v1/ocpp-schemas/{version}/{action}": Right.VIEW_NETWORK,
    "POST /api/v1/stations/{station_id}/commands": Right.CALL_STATIONS,
    "POST /api/v1/commands": Right.CALL_STATIONS,
    "GET /api/v1/tasks": Right.VIEW_NETWORK,
    "GET /api/v1/tasks/{task_id}": Right.VIEW_NETWORK,
    "POST /api/v1/tasks/{task_id}/resume": Right.CALL_STATIONS,
    "POST /api/v1/tasks/{task_id}/pause": Right.CALL_STATIONS,
    "POST /api/v1/tasks/{task_id}/cancel": Right.CALL_STATIONS,
    "POST /api/v1/tasks/{task_id}/retry": Right.CALL_STATIONS,
    "GET /api/v1/stations/{station_id}/variables": Right.VIEW_MESSAGES,
    "GET /api/v1/stations/{station_id}/variables/history": Right.VIEW_MESSAGES,
    "PATCH /api/v1/stations/{station_id}/variables": Right.CALL_STATIONS,
    "POST /api/v1/stations/{station_id}/variables/read": Right.CALL_STATIONS,
    "GET /api/v1/stations/{station_id}/drift": Right.VIEW_MESSAGES,
    "GET /api/v1/drift": Right.VIEW_NETWORK,
    "POST /api/v1/drift/repair": Right.CALL_STATIONS,
    "POST /api/v1/sites": Right.CHANGE_STATIONS,
    "GET /api/v1/sites": Right.VIEW_NETWORK,
    "GET /api/v1/sites/{site_id}": Right.VIEW_NETWORK,
    "PATCH /api/v1/sites/{site_id}": Right.CHANGE_STATIONS,
    "DELETE /api/v1/sites/{site_id}": Right.REMOVE_STATIONS,
    "GET /api/v1/stations/{station_id}/health": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}/commands": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}/time-line": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}/quirks": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}/notes": Right.KEEP_NOTES,
    "POST /api/v1/stations/{station_id}/notes": Right.KEEP_NOTES,
    "DELETE /api/v1/stations/{station_id}/notes/{note_id}": Right.KEEP_NOTES,
    "GET /api/v1/health-report": Right.VIEW_NETWORK,
    "POST /api/v1/downtime": Right.CHANGE_STATIONS,
    "GET /api/v1/downtime": Right.VIEW_NETWORK,
    "DELETE /api/v1/downtime/{downtime_id}": Right.CHANGE_STATIONS,
    "POST /api/v1/groups": Right.CHANGE_STATIONS,
    "GET /api/v1/groups": Right.VIEW_NETWORK,
    "GET /api/v1/groups/{group_id}": Right.VIEW_NETWORK,
    "PATCH /api/v1/groups/{group_id}": Right.CHANGE_STATIONS,
    "DELETE /api/v1/groups/{group_id}": Right.CHANGE_STATIONS,
    "POST /api/v1/groups/{group_id}/stations": Right.CHANGE_STATIONS,
    "POST /api/v1/imports/{kind}": {
        "stations": Right.CHANGE_STATIONS,
        "sites": Right.CHANGE_STATIONS,
        "tokens": Right.CHANGE_TOKENS,
    },
    "GET /api/v1/exports/{kind}.csv": {
        "stations": Right.VIEW_NETWORK,
        "sites": Right.VIEW_NETWORK,
        "tokens": Right.VIEW_TOKENS,
    },
    "POST /api/v1/enrolment-keys": Right.MANAGE_ONBOARDING,
    "GET /api/v1/enrolment-keys": Right.MANAGE_ONBOARDING,
    "DELETE /api/v1/enrolment-keys/{key_id}": Right.MANAGE_ONBOARDING,
    "POST /api/v1/configuration-templates": Right.MANAGE_ONBOARDING,
    "GET /api/v1/configuration-templates": Right.MANAGE_ONBOARDING,
    "GET /api/v1/configuration-templates/{template_id}": Right.MANAGE_ONBOARDING,
    "PATCH /api/v1/configuration-templates/{template_id}": Right.MANAGE_ONBOARDING,
    "DELETE /api/v1/configuration-templates/{template_id}": Right.MANAGE_ONBOARDING,
    "GET /api/v1/handshakes": Right.VIEW_MESSAGES,
    "GET /api/v1/deviations": Right.VIEW_MESSAGES,
}

_ENERGY: Mapping[str, Needed | Mapping[str, Needed]] = {
    "GET /api/v1/sites/{site_id}/energy": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy": Right.MANAGE_ENERGY,
    "POST /api/v1/sites/{site_id}/energy/check": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy/nodes/{node_id}": Right.MANAGE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/nodes/{node_id}": Right.MANAGE_ENERGY,
    "PUT /api/v1/sites/{site_id}/energy/evses/{station_id}/{evse_id}": Right.MANAGE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/evses/{station_id}/{evse_id}": Right.MANAGE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/live": Right.VIEW_NETWORK,
    "GET /api/v1/sites/{site_id}/energy/plan": Right.VIEW_NETWORK,
    "GET /api/v1/sites/{site_id}/energy/history": Right.VIEW_NETWORK,
    "GET /api/v1/sites/{site_id}/energy/forecast": Right.VIEW_NETWORK,
    "POST /api/v1/sites/{site_id}/energy/forecast": Right.MANAGE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/origin": Right.VIEW_NETWORK,
    "GET /api/v1/sites/{site_id}/energy/series/{series}": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy/series/{series}": Right.PUSH_READINGS,
    "GET /api/v1/energy/series/{series}": Right.VIEW_NETWORK,
    "PUT /api/v1/energy/series/{series}": Right.PUSH_READINGS,
    "GET /api/v1/sites/{site_id}/energy/overrides": Right.VIEW_NETWORK,
    "POST /api/v1/sites/{site_id}/energy/overrides": Right.OVERRIDE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/overrides/{override_id}": Right.OVERRIDE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/grid-limits": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy/grid-limits/{source}": Right.OVERRIDE_ENERGY,
    "POST /api/v1/sites/{site_id}/energy/grid-limits/{source}/heartbeat": Right.OVERRIDE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/grid-limits/{source}": Right.OVERRIDE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/batteries": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy/batteries/{battery}/control": Right.MANAGE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/batteries/{battery}/control": Right.MANAGE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/vtns": Right.VIEW_NETWORK,
    "POST /api/v1/sites/{site_id}/energy/vtns": Right.MANAGE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/energy/vtns/{vtn_id}": Right.MANAGE_ENERGY,
    "GET /api/v1/sites/{site_id}/energy/events": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/energy/vtns/{vtn_id}/events/{event_id}/opt": Right.OVERRIDE_ENERGY,
    "GET /api/v1/sites/{site_id}/meter-sources": Right.VIEW_NETWORK,
    "PUT /api/v1/sites/{site_id}/meters/{name}/source": Right.MANAGE_ENERGY,
    "DELETE /api/v1/sites/{site_id}/meters/{name}/source": Right.MANAGE_ENERGY,
    "GET /api/v1/sites/{site_id}/meters": Right.VIEW_NETWORK,
    "POST /api/v1/sites/{site_id}/meters/{name}/readings": Right.PUSH_READINGS,
    "GET /api/v1/sessions/{session_id}/charging-wish": Right.VIEW_NETWORK,
    "PUT /api/v1/sessions/{session_id}/charging-wish": Right.CALL_STATIONS,
    "DELETE /api/v1/sessions/{session_id}/charging-wish": Right.CALL_STATIONS,
}

_FILES: Mapping[str, Needed | Mapping[str, Needed]] = {
    "POST /api/v1/firmware": Right.MANAGE_FIRMWARE,
    "GET /api/v1/firmware": Right.VIEW_NETWORK,
    "GET /api/v1/firmware/{image_id}": Right.VIEW_NETWORK,
    "PATCH /api/v1/firmware/{image_id}": Right.MANAGE_FIRMWARE,
    "DELETE /api/v1/firmware/{image_id}": Right.MANAGE_FIRMWARE,
    "PUT /api/v1/firmware/{image_id}/content": Right.MANAGE_FIRMWARE,
    "GET /api/v1/firmware/{image_id}/content": Right.MANAGE_FIRMWARE,
    "GET /api/v1/firmware-versions": Right.VIEW_NETWORK,
    "GET /api/v1/logs": Right.VIEW_MESSAGES,
    "GET /api/v1/logs/{log_id}": Right.VIEW_MESSAGES,
    "GET /api/v1/logs/{log_id}/content": Right.VIEW_MESSAGES,
    "DELETE /api/v1/logs/{log_id}": Right.CHANGE_STATIONS,
}

_WEBHOOKS: Mapping[str, Needed | Mapping[str, Needed]] = {
    "GET /api/v1/webhook-events": Access.SIGNED_IN,
    "POST /api/v1/webhooks": Right.MANAGE_WEBHOOKS,
    "GET /api/v1/webhooks": Right.MANAGE_WEBHOOKS,
    "GET /api/v1/webhooks/{webhook_id}": Right.MANAGE_WEBHOOKS,
    "PATCH /api/v1/webhooks/{webhook_id}": Right.MANAGE_WEBHOOKS,
    "DELETE /api/v1/webhooks/{webhook_id}": Right.MANAGE_WEBHOOKS,
    "POST /api/v1/webhooks/{webhook_id}/rotate-secret": Right.MANAGE_WEBHOOKS,
    "POST /api/v1/webhooks/{webhook_id}/ping": Right.MANAGE_WEBHOOKS,
    "POST /api/v1/webhooks/{webhook_id}/replay": Right.MANAGE_WEBHOOKS,
    "GET /api/v1/webhooks/{webhook_id}/deliveries": Right.MANAGE_WEBHOOKS,
    "GET /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}": Right.MANAGE_WEBHOOKS,
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": Right.MANAGE_WEBHOOKS,
}

_CERTIFICATES: Mapping[str, Needed | Mapping[str, Needed]] = {
    "POST /api/v1/stations/{station_id}/security-upgrade": Right.CHANGE_STATIONS,
    "GET /api/v1/stations/{station_id}/security-upgrade": Right.VIEW_NETWORK,
    "DELETE /api/v1/stations/{station_id}/security-upgrade": Right.CHANGE_STATIONS,
    "GET /api/v1/certificates": Right.VIEW_NETWORK,
    "GET /api/v1/certificates/{certificate_id}": Right.VIEW_NETWORK,
    "POST /api/v1/certificates/{certificate_id}/revoke": Right.MANAGE_CERTIFICATES,
    "GET /api/v1/certificate-requests": Right.VIEW_NETWORK,
    "POST /api/v1/certificate-requests/{request_id}/certificate": Right.MANAGE_CERTIFICATES,
    "POST /api/v1/certificate-requests/{request_id}/refuse": Right.MANAGE_CERTIFICATES,
    "GET /api/v1/certificate-authorities": Right.VIEW_NETWORK,
    "GET /api/v1/certificate-authorities/{purpose}/root.pem": Right.VIEW_NETWORK,
    "POST /api/v1/certificate-authorities": Right.LOWER_SECURITY,
    "GET /api/v1/trusted-roots": Right.VIEW_NETWORK,
    "POST /api/v1/trusted-roots": Right.MANAGE_CERTIFICATES,
    "DELETE /api/v1/trusted-roots/{root_id}": Right.MANAGE_CERTIFICATES,
    "GET /api/v1/security-upgrades": Right.VIEW_NETWORK,
    "GET /api/v1/local-lists": Right.VIEW_NETWORK,
    "GET /api/v1/stations/{station_id}/local-list": Right.VIEW_NETWORK,
    "POST /api/v1/stations/{station_id}/local-list/send": Right.CALL_STATIONS,
    "GET /api/v1/local-list-rules": Right.VIEW_NETWORK,
    "PUT /api/v1/local-list-rules": Right.CHANGE_TOKENS,
    "DELETE /api/v1/local-list-rules": Right.CHANGE_TOKENS,
    "GET /api/v1/relays": Right.VIEW_MESSAGES,
    "PUT /api/v1/stations/{station_id}/relay": Right.LOWER_SECURITY,
    "GET /api/v1/stations/{station_id}/relay": Right.VIEW_MESSAGES,
    "DELETE /api/v1/stations/{station_id}/relay": Right.LOWER_SECURITY,
}

_CHARGING: Mapping[str, Needed | Mapping[str, Needed]] = {
    "GET /api/v1/sessions": Right.VIEW_NETWORK,
    "GET /api/v1/sessions/{session_id}": Right.VIEW_NETWORK,
    "GET /api/v1/sessions/{session_id}/samples": Right.VIEW_NETWORK,
    "GET /api/v1/sessions/{session_id}/events": Right.VIEW_NETWORK,
    "PUT /api/v1/sessions/{session_id}/target": Right.CALL_STATIONS,
    "DELETE /api/v1/sessions/{session_id}/target": Right.CALL_STATIONS,
    "POST /api/v1/sessions/{session_id}/end": Right.CALL_STATIONS,
    "POST /api/v1/reservations": Right.CALL_STATIONS,
    "GET /api/v1/reservations": Right.VIEW_NETWORK,
    "GET /api/v1/reservations/{reservation_id}": Right.VIEW_NETWORK,
    "POST /api/v1/reservations/{reservation_id}/cancel": Right.CALL_STATIONS,
    "GET /api/v1/overview": Right.VIEW_NETWORK,
    "GET /api/v1/overview/power": Right.VIEW_NETWORK,
    "GET /api/v1/events": Right.VIEW_NETWORK,
    "GET /api/v1/live/snapshot": Right.VIEW_NETWORK,
    "GET /api/v1/live/stream": Right.VIEW_NETWORK,
    "POST /api/v1/tokens": Right.CHANGE_TOKENS,
    "GET /api/v1/tokens": Right.VIEW_TOKENS,
    "GET /api/v1/tokens/{uid}": Right.VIEW_TOKENS,
    "PATCH /api/v1/tokens/{uid}": Right.CHANGE_TOKENS,
    "DELETE /api/v1/tokens/{uid}": Right.CHANGE_TOKENS,
}

_PEOPLE: Mapping[str, Needed | Mapping[str, Needed]] = {
    "GET /api/v1/login/methods": Access.ANYBODY,
    "POST /api/v1/login": Access.ANYBODY,
    "POST /api/v1/login/passkey/options": Access.ANYBODY,
    "POST /api/v1/login/passkey": Access.ANYBODY,
    "GET /api/v1/login/single-sign-on": Access.ANYBODY,
    "GET /api/v1/login/single-sign-on/callback": Access.ANYBODY,
    "POST /api/v1/logout": Access.ANYBODY,
    "POST /api/v1/password": Access.ANYBODY,
    "GET /api/v1/me": Access.SIGNED_IN,
    "POST /api/v1/me/password": Access.PERSON,
    "GET /api/v1/me/logins": Access.PERSON,
    "DELETE /api/v1/me/logins": Access.PERSON,
    "DELETE /api/v1/me/logins/{login_id}": Access.PERSON,
    "GET /api/v1/me/passkeys": Access.PERSON,
    "POST /api/v1/me/passkeys/options": Access.PERSON,
    "POST /api/v1/me/passkeys": Access.PERSON,
    "DELETE /api/v1/me/passkeys/{passkey_id}": Access.PERSON,
    "POST /api/v1/me/totp": Access.PERSON,
    "POST /api/v1/me/totp/confirm": Access.PERSON,
    "POST /api/v1/me/totp/remove": Access.PERSON,
    "POST /api/v1/api-keys": Right.MANAGE_PEOPLE,
    "GET /api/v1/api-keys": Right.MANAGE_PEOPLE,
    "DELETE /api/v1/api-keys/{key_id}": Right.MANAGE_PEOPLE,
    "POST /api/v1/users": Right.MANAGE_PEOPLE,
    "GET /api/v1/users": Right.MANAGE_PEOPLE,
    "PATCH /api/v1/users/{user_id}": Right.MANAGE_PEOPLE,
    "POST /api/v1/users/{user_id}/password-link": Right.MANAGE_PEOPLE,
    "DELETE /api/v1/users/{user_id}/second-factors": Right.MANAGE_PEOPLE,
    "GET /api/v1/users/{user_id}/logins": Right.MANAGE_PEOPLE,
    "DELETE /api/v1/users/{user_id}/logins": Right.MANAGE_PEOPLE,
    "GET /api/v1/audit": Right.VIEW_AUDIT,
}

_MACHINES: Mapping[str, Needed | Mapping[str, Needed]] = {
    "GET /health/live": Access.ANYBODY,
    "GET /health/ready": Access.ANYBODY,
    "GET /metrics": Access.ANYBODY,
}

ACCESS: Mapping[str, Needed | Mapping[str, Needed]] = {
    **_STATIONS,
    **_ENERGY,
    **_FILES,
    **_WEBHOOKS,
    **_CERTIFICATES,
    **_CHARGING,
    **_PEOPLE,
    **_MACHINES,
}
"""By method and path. Where the last part of a path decides (`{kind}`), a table from it to what is needed."""


def right_for(route: str) -> Mapping[str, Needed]:
    """Give what an address needs, by the value of the part that decides; that is empty for nearly all.

    Raises: KeyError for an address that is not in the table.
    """
    needed = ACCESS[route]
    return needed if isinstance(needed, Mapping) else {"": needed}


def roles_for(needed: Needed) -> frozenset[Role]:
    """Give the roles that may."""
    return RIGHTS[needed] if isinstance(needed, Right) else frozenset(Role)
