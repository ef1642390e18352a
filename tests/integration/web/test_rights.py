"""Who may do what: every address of the API for every role, and for another tenant's administrator."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from pilotwire.core.clock import utc_now
from pilotwire.core.ids import new_uuid
from pilotwire.domain.certificates.authority import make_authority
from pilotwire.domain.certificates.model import Purpose
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.repository import find_account_by_id
from pilotwire.domain.identity.tables import user_account
from pilotwire.domain.identity.usecases.manage_users import create_user
from pilotwire.domain.identity.usecases.sign_in import Visitor, open_login
from pilotwire.web.auth import COOKIE
from pilotwire.web.rights import ACCESS, Access, Needed, right_for, roles_for
from tests.support.web import Edge, add_station, connected_since, keep_log, keep_session, open_edge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Rule:
    """How to ask an address: the body to send, and whether the address names one thing of one tenant.

    `refused_with` is the code of the problem that answers those who may, where the test's request cannot do more.
    Who may is in `pilotwire.web.rights`.
    """

    body: dict[str, Any] | None = None
    owned: bool = False
    contents: Mapping[str, str] | None = None
    """Bodies that are no JSON, by the part of the address that decides."""
    refused_with: str = ""

    def sent(self, kind: str = "tokens") -> dict[str, Any]:
        return {"json": self.body} if self.contents is None else {"content": self.contents[kind]}


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


TREE = {
    "nodes": [
        {"id": "main", "kind": "grid", "limit_a": 63, "metering": "total", "meter": "M1"},
        {"id": "spare", "parent_id": "main", "limit_a": 32},
    ],
    "evses": [{"station_id": "CP-1", "evse_id": 1, "node_id": "main"}],
    "batteries": [
        {
            "id": "store", "node_id": "main", "capacity_wh": 20_000, "max_charge_w": 11_000,
            "max_discharge_w": 11_000, "meter": "store",
        }
    ],
}  # fmt: skip
STORE = {"kind": "sunspec", "host": "192.0.2.8"}
INTENSITIES = {
    "source": "test",
    "values": [{"starts_at": "2026-05-01T12:00:00Z", "ends_at": "2026-05-01T13:00:00Z", "value": 300}],
}
LIMIT = {"node_id": "main", "limit_a": 10, "expires_at": "2100-01-01T00:00:00Z"}
SUNSPEC = {"kind": "modbus", "host": "192.0.2.7", "sunspec": True}
VTN = {"url": "https://vtn.example.com", "client_id": "x", "client_secret": "y", "ven_name": "z"}
ROOT = make_authority(Purpose.V2G, "Another hub", NOON).root_pem
TEMPLATE = {"vendor": "ACME", "model": "Two", "entries": []}
DOWNTIME = {
    "station_id": "CP-2",
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-01-02T00:00:00Z",
    "reason": "vandalism",
}
RULES = {
    "POST /api/v1/stations/{station_id}/security-upgrade": Rule(
        {"security_profile": 2, "url": "wss://example.com/ocpp"}, owned=True
    ),
    "GET /api/v1/local-lists": Rule(),
    "GET /api/v1/stations/{station_id}/local-list": Rule(owned=True),
    "POST /api/v1/stations/{station_id}/local-list/send": Rule(owned=True),
    "GET /api/v1/local-list-rules": Rule(),
    "PUT /api/v1/local-list-rules": Rule({"kept": False}),
    "DELETE /api/v1/local-list-rules": Rule(),
    "PUT /api/v1/stations/{station_id}/relay": Rule({"url": "wss://example.com/ocpp"}, owned=True),
    "GET /api/v1/stations/{station_id}/security-upgrade": Rule(owned=True),
    "DELETE /api/v1/stations/{station_id}/security-upgrade": Rule(owned=True),
    "DELETE /api/v1/stations/{station_id}/relay": Rule(owned=True),
    "DELETE /api/v1/stations/{station_id}/notes/{note_id}": Rule(owned=True),
    "POST /api/v1/stations": Rule({"id": "CP-NEW"}),
    "GET /api/v1/stations": Rule(),
    "GET /api/v1/stations/{station_id}": Rule(owned=True),
    "PATCH /api/v1/stations/{station_id}": Rule({"name": "x"}, owned=True),
    "DELETE /api/v1/stations/{station_id}": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/messages": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/reports": Rule(owned=True),
    "POST /api/v1/stations/{station_id}/secret/renew": Rule(owned=True),
    "POST /api/v1/stations/{station_id}/call/{action}": Rule({"type": "Soft"}, owned=True),
    "GET /api/v1/ocpp-schemas/{version}": Rule(),
    "GET /api/v1/ocpp-schemas/{version}/{action}": Rule(),
    "POST /api/v1/stations/{station_id}/commands": Rule({"command": "clear_cache"}, owned=True),
    "POST /api/v1/commands": Rule({"command": "clear_cache", "stations": ["CP-1"]}),
    "GET /api/v1/tasks": Rule(),
    "GET /api/v1/tasks/{task_id}": Rule(owned=True),
    "POST /api/v1/tasks/{task_id}/pause": Rule(owned=True),
    "POST /api/v1/tasks/{task_id}/resume": Rule(owned=True),
    "POST /api/v1/tasks/{task_id}/cancel": Rule(owned=True),
    "POST /api/v1/tasks/{task_id}/retry": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/security-events": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/variables": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/variables/history": Rule(owned=True),
    "PATCH /api/v1/stations/{station_id}/variables": Rule(
        {"settings": [{"name": "HeartbeatInterval", "value": "60"}]}, owned=True
    ),
    "POST /api/v1/stations/{station_id}/variables/read": Rule({}, owned=True),
    "GET /api/v1/stations/{station_id}/drift": Rule(owned=True),
    "GET /api/v1/drift": Rule(),
    "POST /api/v1/drift/repair": Rule({"stations": ["CP-1"]}),
    "GET /api/v1/sessions": Rule(),
    "GET /api/v1/sites/{site_id}/energy": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy": Rule({"tree": TREE}, owned=True),
    "POST /api/v1/sites/{site_id}/energy/check": Rule(TREE, owned=True),
    "PUT /api/v1/sites/{site_id}/energy/nodes/{node_id}": Rule({"parent_id": "main"}, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/nodes/{node_id}": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy/evses/{station_id}/{evse_id}": Rule({"node_id": "main"}, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/evses/{station_id}/{evse_id}": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/live": Rule(owned=True, refused_with="energy_off"),
    "GET /api/v1/sites/{site_id}/energy/plan": Rule(owned=True, refused_with="energy_off"),
    "GET /api/v1/sites/{site_id}/energy/history": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/overrides": Rule(owned=True),
    "POST /api/v1/sites/{site_id}/energy/overrides": Rule(LIMIT, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/overrides/{override_id}": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/forecast": Rule(owned=True),
    "POST /api/v1/sites/{site_id}/energy/forecast": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/origin": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/series/{series}": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy/series/{series}": Rule(INTENSITIES, owned=True),
    "GET /api/v1/energy/series/{series}": Rule(),
    "PUT /api/v1/energy/series/{series}": Rule(INTENSITIES),
    "GET /api/v1/sites/{site_id}/energy/grid-limits": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy/grid-limits/{source}": Rule({"limit_w": 4200}, owned=True),
    "POST /api/v1/sites/{site_id}/energy/grid-limits/{source}/heartbeat": Rule({}, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/grid-limits/{source}": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/batteries": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy/batteries/{battery}/control": Rule({"control": STORE}, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/batteries/{battery}/control": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/vtns": Rule(owned=True),
    "POST /api/v1/sites/{site_id}/energy/vtns": Rule(VTN, owned=True),
    "DELETE /api/v1/sites/{site_id}/energy/vtns/{vtn_id}": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/energy/events": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/energy/vtns/{vtn_id}/events/{event_id}/opt": Rule(
        {"takes_part": False}, owned=True, refused_with="not_found"
    ),
    "GET /api/v1/sites/{site_id}/meter-sources": Rule(owned=True),
    "PUT /api/v1/sites/{site_id}/meters/{name}/source": Rule({"source": SUNSPEC}, owned=True),
    "DELETE /api/v1/sites/{site_id}/meters/{name}/source": Rule(owned=True),
    "GET /api/v1/sites/{site_id}/meters": Rule(owned=True),
    "POST /api/v1/sites/{site_id}/meters/{name}/readings": Rule({"power_w": 5}, owned=True),
    "GET /api/v1/sessions/{session_id}/charging-wish": Rule(owned=True),
    "PUT /api/v1/sessions/{session_id}/charging-wish": Rule({"energy_wh": 5000}, owned=True),
    "DELETE /api/v1/sessions/{session_id}/charging-wish": Rule(owned=True),
    "GET /api/v1/sessions/{session_id}": Rule(owned=True),
    "GET /api/v1/sessions/{session_id}/samples": Rule(owned=True),
    "GET /api/v1/sessions/{session_id}/events": Rule(owned=True),
    "PUT /api/v1/sessions/{session_id}/target": Rule({"energy_wh": 1000}, owned=True),
    "DELETE /api/v1/sessions/{session_id}/target": Rule(owned=True),
    "POST /api/v1/sessions/{session_id}/end": Rule({"reason": "gone"}, owned=True),
    "POST /api/v1/reservations": Rule(
        {"station_id": "CP-1", "token_uid": "CARD", "until_at": in_hours(30), "from_at": in_hours(29)}
    ),
    "GET /api/v1/reservations": Rule(),
    "GET /api/v1/reservations/{reservation_id}": Rule(owned=True),
    "POST /api/v1/reservations/{reservation_id}/cancel": Rule(owned=True),
    "GET /api/v1/overview": Rule(),
    "GET /api/v1/overview/power": Rule(),
    "POST /api/v1/firmware": Rule({"vendor": "ACME", "version": "2"}),
    "GET /api/v1/firmware": Rule(),
    "GET /api/v1/firmware/{image_id}": Rule(owned=True),
    "PATCH /api/v1/firmware/{image_id}": Rule({"notes": "x"}, owned=True),
    "DELETE /api/v1/firmware/{image_id}": Rule(owned=True),
    "PUT /api/v1/firmware/{image_id}/content": Rule({"any": "bytes"}, owned=True),
    "GET /api/v1/firmware/{image_id}/content": Rule(owned=True),
    "GET /api/v1/firmware-versions": Rule(),
    "GET /api/v1/logs": Rule(),
    "GET /api/v1/logs/{log_id}": Rule(owned=True),
    "GET /api/v1/logs/{log_id}/content": Rule(owned=True),
    "DELETE /api/v1/logs/{log_id}": Rule(owned=True),
    "POST /api/v1/tokens": Rule({"uid": "NEW"}),
    "GET /api/v1/tokens": Rule(),
    "GET /api/v1/tokens/{uid}": Rule(owned=True),
    "PATCH /api/v1/tokens/{uid}": Rule({"status": "blocked"}, owned=True),
    "DELETE /api/v1/tokens/{uid}": Rule(owned=True),
    "POST /api/v1/sites": Rule({"name": "New"}),
    "GET /api/v1/sites": Rule(),
    "GET /api/v1/sites/{site_id}": Rule(owned=True),
    "PATCH /api/v1/sites/{site_id}": Rule({"city": "x"}, owned=True),
    "DELETE /api/v1/sites/{site_id}": Rule(owned=True),
    "POST /api/v1/imports/{kind}": Rule(
        contents={"tokens": "uid\nBY-TABLE\n", "stations": "id\nBY-TABLE\n", "sites": "name\nBy table\n"}
    ),
    "GET /api/v1/exports/{kind}.csv": Rule(),
    "GET /api/v1/stations/{station_id}/health": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/commands": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/time-line": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/quirks": Rule(owned=True),
    "GET /api/v1/stations/{station_id}/notes": Rule(owned=True),
    "POST /api/v1/stations/{station_id}/notes": Rule({"text": "x"}, owned=True),
    "GET /api/v1/health-report": Rule(),
    "POST /api/v1/downtime": Rule(DOWNTIME),
    "GET /api/v1/downtime": Rule(),
    "DELETE /api/v1/downtime/{downtime_id}": Rule(owned=True),
    "GET /api/v1/webhook-events": Rule(),
    "POST /api/v1/webhooks": Rule({"url": "https://example.com/", "events": ["session.ended"]}),
    "GET /api/v1/webhooks": Rule(),
    "GET /api/v1/webhooks/{webhook_id}": Rule(owned=True),
    "PATCH /api/v1/webhooks/{webhook_id}": Rule({"name": "x"}, owned=True),
    "DELETE /api/v1/webhooks/{webhook_id}": Rule(owned=True),
    "POST /api/v1/webhooks/{webhook_id}/rotate-secret": Rule({}, owned=True),
    "POST /api/v1/webhooks/{webhook_id}/ping": Rule(owned=True),
    "POST /api/v1/webhooks/{webhook_id}/replay": Rule(
        {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, owned=True
    ),
    "GET /api/v1/webhooks/{webhook_id}/deliveries": Rule(owned=True),
    "GET /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}": Rule(owned=True),
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": Rule(owned=True),
    "POST /api/v1/groups": Rule({"name": "New"}),
    "GET /api/v1/groups": Rule(),
    "GET /api/v1/groups/{group_id}": Rule(owned=True),
    "PATCH /api/v1/groups/{group_id}": Rule({"note": "x"}, owned=True),
    "DELETE /api/v1/groups/{group_id}": Rule(owned=True),
    "POST /api/v1/groups/{group_id}/stations": Rule({"add": ["CP-1"]}, owned=True),
    "POST /api/v1/enrolment-keys": Rule({"name": "new"}),
    "GET /api/v1/enrolment-keys": Rule(),
    "DELETE /api/v1/enrolment-keys/{key_id}": Rule(owned=True),
    "POST /api/v1/configuration-templates": Rule(TEMPLATE),
    "GET /api/v1/configuration-templates": Rule(),
    "GET /api/v1/configuration-templates/{template_id}": Rule(owned=True),
    "PATCH /api/v1/configuration-templates/{template_id}": Rule({"entries": []}, owned=True),
    "DELETE /api/v1/configuration-templates/{template_id}": Rule(owned=True),
    "GET /api/v1/certificates": Rule(),
    "GET /api/v1/certificates/{certificate_id}": Rule(owned=True),
    "POST /api/v1/certificates/{certificate_id}/revoke": Rule({"reason": "x"}, owned=True),
    "GET /api/v1/certificate-requests": Rule(),
    "POST /api/v1/certificate-requests/{request_id}/certificate": Rule(
        {"chain": "x"}, owned=True, refused_with="invalid"
    ),
    "POST /api/v1/certificate-requests/{request_id}/refuse": Rule({"reason": "x"}, owned=True),
    "GET /api/v1/certificate-authorities": Rule(),
    "GET /api/v1/certificate-authorities/{purpose}/root.pem": Rule(),
    "POST /api/v1/certificate-authorities": Rule({"purpose": "v2g"}),
    "GET /api/v1/trusted-roots": Rule(),
    "POST /api/v1/trusted-roots": Rule({"use": "v2g_root", "pem": ROOT}),
    "DELETE /api/v1/trusted-roots/{root_id}": Rule(owned=True),
    "GET /api/v1/security-upgrades": Rule(),
    "GET /api/v1/relays": Rule(),
    "GET /api/v1/stations/{station_id}/relay": Rule(owned=True),
    "GET /api/v1/handshakes": Rule(),
    "GET /api/v1/deviations": Rule(),
    "GET /api/v1/events": Rule(),
    "GET /api/v1/live/snapshot": Rule(),
    "GET /api/v1/live/stream": Rule(),
    "POST /api/v1/login": Rule(
        {"email": "nobody@example.com", "password": "wrong"}, refused_with="wrong_credentials"
    ),
    "POST /api/v1/logout": Rule(),
    "GET /api/v1/me": Rule(),
    "POST /api/v1/api-keys": Rule({"name": "new", "role": "viewer"}),
    "GET /api/v1/api-keys": Rule(),
    "DELETE /api/v1/api-keys/{key_id}": Rule(owned=True),
    "POST /api/v1/users": Rule(
        {"email": "new@example.com", "role": "viewer", "password": "a long enough password"}
    ),
    "GET /api/v1/users": Rule(),
    "PATCH /api/v1/users/{user_id}": Rule({"name": "x"}, owned=True),
    "GET /api/v1/audit": Rule(),
    "GET /health/live": Rule(),
    "GET /health/ready": Rule(),
    "GET /metrics": Rule(),
    "GET /api/v1/login/methods": Rule(),
    "POST /api/v1/login/passkey/options": Rule(),
    "POST /api/v1/login/passkey": Rule({"step": "x", "credential": {}}, refused_with="sign_in_step_expired"),
    "GET /api/v1/login/single-sign-on": Rule(refused_with="not_found"),
    "GET /api/v1/login/single-sign-on/callback": Rule(refused_with="not_found"),
    "POST /api/v1/password": Rule(
        {"token": "x", "password": "a long enough password"}, refused_with="link_expired"
    ),
    "POST /api/v1/me/password": Rule(
        {"current": "wrong", "password": "a long enough password"}, refused_with="wrong_credentials"
    ),
    "GET /api/v1/me/logins": Rule(),
    "DELETE /api/v1/me/logins": Rule(),
    "DELETE /api/v1/me/logins/{login_id}": Rule(),
    "GET /api/v1/me/passkeys": Rule(),
    "POST /api/v1/me/passkeys/options": Rule(),
    "POST /api/v1/me/passkeys": Rule(
        {"step": "x", "name": "x", "credential": {}}, refused_with="sign_in_step_expired"
    ),
    "DELETE /api/v1/me/passkeys/{passkey_id}": Rule(refused_with="not_found"),
    "POST /api/v1/me/totp": Rule(),
    "POST /api/v1/me/totp/confirm": Rule({"code": "1"}, refused_with="invalid"),
    "POST /api/v1/me/totp/remove": Rule({"code": "1"}, refused_with="conflict"),
    "POST /api/v1/users/{user_id}/password-link": Rule(owned=True),
    "DELETE /api/v1/users/{user_id}/second-factors": Rule(owned=True),
    "GET /api/v1/users/{user_id}/logins": Rule(owned=True),
    "DELETE /api/v1/users/{user_id}/logins": Rule(owned=True),
}


@dataclass
class Network:
    """A network with one thing of each kind, all of the default tenant, and their names in addresses."""

    edge: Edge
    names: dict[str, str]

    async def sign_in(self, role: Role) -> httpx.AsyncClient:
        """Give a browser in which a person of this role is signed in."""
        edge, client = self.edge, await self.edge.client(None, **{"X-Pilotwire": "1"})
        person = await create_user(
            edge.db, system_principal(), email=f"{role}@example.com", name="", role=role
        )
        async with edge.db.system() as connection:
            account = await find_account_by_id(connection, person.id)
            assert account is not None
            _, token = await open_login(connection, account, "test", Visitor("192.0.2.7"), utc_now())
            await connection.execute(
                update(user_account).where(user_account.c.id == person.id).values(password_hash="none")
            )
        client.cookies.set(COOKIE, token)
        return client

    def address(self, route: str, kind: str = "tokens") -> str:
        path = route.partition(" ")[2].replace("{kind}", kind or "tokens")
        prefix = path.split("/")[3] if path.startswith("/api") else ""
        for name, value in self.names.items():
            for pattern in (name, f"{prefix}:{name}"):
                path = path.replace("{" + pattern + "}", value)
        if "{key_id}" in path:
            path = path.replace("{key_id}", self.names[f"{prefix}:key_id"])
        return path


@pytest.fixture
async def network(web_database: str) -> AsyncIterator[Network]:
    async with open_edge(web_database) as edge:
        admin = await edge.client("admin")
        number = await add_station(admin, "CP-1", edge)
        edge.caller.links[number] = connected_since(NOON)
        charged = await add_station(admin, "CP-2", edge)

        async def made(path: str, body: dict[str, Any]) -> str:
            answer = await admin.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        await admin.post("/api/v1/tokens", json={"uid": "CARD"})
        given = await admin.post("/api/v1/stations/CP-1/commands", json={"command": "clear_cache"})
        certificate_id, request_id = await keep_certificate(edge, number)
        authority = make_authority(Purpose.V2G, "Hub", NOON)
        webhook = await made("webhooks", {"url": "https://example.com/", "events": ["session.ended"]})
        pinged = await admin.post(f"/api/v1/webhooks/{webhook}/ping")
        site_id = await made("sites", {"name": "Harbour"})
        await admin.patch("/api/v1/stations/CP-1", json={"site_id": site_id})
        given_tree = await admin.put(f"/api/v1/sites/{site_id}/energy", json={"tree": TREE, "enabled": True})
        assert given_tree.status_code == 200, given_tree.text
        limits = f"/api/v1/sites/{site_id}/energy/grid-limits"
        assert (await admin.put(f"{limits}/operator", json={"limit_w": 4200})).status_code == 200
        source = f"/api/v1/sites/{site_id}/meters/M1/source"
        assert (await admin.put(source, json={"source": SUNSPEC})).status_code == 200
        battery = f"/api/v1/sites/{site_id}/energy/batteries/store/control"
        assert (await admin.put(battery, json={"control": STORE})).status_code == 200
        names = {
            "battery": "store",
            "source": "operator",
            "series": "average_intensity",
            "vtn_id": await made(f"sites/{site_id}/energy/vtns", VTN),
            "event_id": "none",
            "login_id": str(uuid4()),
            "passkey_id": str(uuid4()),
            "node_id": "spare",
            "evse_id": "1",
            "name": "M1",
            "override_id": await made(f"sites/{site_id}/energy/overrides", LIMIT),
            "webhook_id": webhook,
            "downtime_id": await made("downtime", DOWNTIME),
            "note_id": await made("stations/CP-1/notes", {"text": "mind the dog"}),
            "delivery_id": str(pinged.json()["id"]),
            "certificate_id": certificate_id,
            "request_id": request_id,
            "reservation_id": await made(
                "reservations",
                {"station_id": "CP-1", "group_id": "x", "until_at": in_hours(28), "from_at": in_hours(27)},
            ),
            "purpose": "v2g",
            "root_id": await made("trusted-roots", {"use": "v2g_root", "pem": authority.root_pem}),
            "task_id": given.json()["task_id"],
            "station_id": "CP-1",
            "action": "Reset",
            "version": "1.6",
            "uid": "CARD",
            "session_id": str(await keep_session(edge, charged, "CP-2", NOON)),
            "site_id": site_id,
            "image_id": await made("firmware", {"vendor": "ACME", "version": "1"}),
            "log_id": str(await keep_log(edge, charged)),
            "group_id": await made("groups", {"name": "Night"}),
            "enrolment-keys:key_id": await made("enrolment-keys", {"name": "one"}),
            "api-keys:key_id": await made("api-keys", {"name": "one", "role": "viewer"}),
            "template_id": await made("configuration-templates", {"vendor": "ACME", "entries": []}),
            "user_id": await made(
                "users", {"email": "a@example.com", "role": "viewer", "password": "a long enough password"}
            ),
        }
        yield Network(edge, names)


async def keep_certificate(edge: Edge, station: int) -> tuple[str, str]:
    """A station's certificate, and a request that waits."""
    certificate_id, request_id = new_uuid(), new_uuid()
    await edge.db.service.execute("UPDATE station SET ocpp_version = '2.0.1' WHERE id = $1", station)
    await edge.db.service.execute(
        "INSERT INTO station_certificate (id, tenant_id, station_id, purpose, serial_number, subject, sha256, chain_pem,"
        " issuer, not_before, not_after, issued_at) VALUES ($1, 1, $2, 'charging_station', '1', 'CN=CP-1', '00', '',"
        " 'own', $3, $3, $3)",
        certificate_id,
        station,
        NOON,
    )
    await edge.db.service.execute(
        "INSERT INTO certificate_request (id, tenant_id, station_id, purpose, csr_pem, state, received_at)"
        " VALUES ($1, 1, $2, 'charging_station', '', 'waiting', $3)",
        request_id,
        station,
        NOON,
    )
    return str(certificate_id), str(request_id)


async def test_there_is_a_rule_for_every_address(web_database: str) -> None:
    async with open_edge(web_database) as edge:
        paths = edge.app.openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes == set(ACCESS), "say in pilotwire/web/rights.py what the address needs"
    assert routes == set(RULES), "say above how to ask it"
    assert paths["/api/v1/audit"]["get"]["x-access"] == "view_audit"


def _asked() -> Iterator[tuple[str, str, Needed]]:
    """Give every address with each value of the part that decides, and what it needs then."""
    for route in RULES:
        for kind, needed in right_for(route).items():
            yield route, kind, needed


@pytest.mark.parametrize("who", ["nobody", *Role])
async def test_whoever_may_not_is_refused(network: Network, who: str) -> None:
    before = await _everything(network.edge)
    client = await network.edge.client(None if who == "nobody" else who)
    wrong = []
    tried = 0
    for route, kind, needed in _asked():
        refused_here = needed is not Access.ANYBODY if who == "nobody" else needed is Access.PERSON
        if not refused_here and (who == "nobody" or Role(who) in roles_for(needed)):
            continue
        tried += 1
        rule = RULES[route]
        answer = await client.request(
            route.partition(" ")[0], network.address(route, kind), **rule.sent(kind)
        )
        expected = 401 if who == "nobody" else 403
        if answer.status_code != expected or answer.headers["content-type"] != PROBLEM:
            wrong.append((route, kind, answer.status_code))
    assert wrong == []
    assert tried >= 10
    assert await _everything(network.edge) == before
    assert network.edge.caller.calls == []


async def test_whoever_may_can(network: Network) -> None:
    """The first who asks gets what they want; to the others nobody says that they may not."""
    wrong = []
    people = {role: await network.sign_in(role) for role in Role}
    keys = {role: await network.edge.client(role) for role in Role}
    nobody = await network.edge.client(None)
    # What removes things comes last.
    for route, kind, needed in sorted(_asked(), key=lambda asked: asked[0].startswith("DELETE")):
        rule = RULES[route]
        method, _, path = route.partition(" ")
        if path in ("/api/v1/events", "/api/v1/live/stream"):
            continue  # streams without end: see test_live_server and test_network
        able = [role for role in Role if role in roles_for(needed)]
        clients = [(people if needed is Access.PERSON else keys)[role] for role in able]
        for number, client in enumerate([nobody] if needed is Access.ANYBODY else clients):
            answer = await client.request(method, network.address(route, kind), **rule.sent(kind))
            if rule.refused_with:
                good = answer.json().get("code") == rule.refused_with
            elif number == 0 or method == "GET":
                good = answer.is_success
            else:
                good = answer.status_code not in (401, 403) and answer.status_code < 500
            if not good:
                wrong.append((able[number], route, kind, answer.status_code, answer.text))
    assert wrong == []


async def test_another_tenants_things_are_not_found_and_not_changed(network: Network) -> None:
    before = await _everything(network.edge)
    stranger = await network.edge.client("stranger")
    wrong = []
    for route, rule in RULES.items():
        if not rule.owned:
            continue
        answer = await stranger.request(route.partition(" ")[0], network.address(route), **rule.sent())
        if (answer.status_code, answer.json()["code"]) != (404, "not_found"):
            wrong.append((route, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    assert await _everything(network.edge) == before
    assert network.edge.caller.calls == []


async def test_another_tenants_lists_are_empty(network: Network) -> None:
    stranger = await network.edge.client("stranger")
    for path in (
        "stations", "sessions", "tokens", "sites", "enrolment-keys", "configuration-templates", "deviations",
        "users", "tasks", "reservations", "groups", "firmware", "firmware-versions", "logs", "webhooks", "drift",
        "downtime", "health-report",
    ):  # fmt: skip
        assert (await stranger.get(f"/api/v1/{path}")).json() == {"items": [], "next": None}, path


async def test_another_tenants_site_cannot_be_used(network: Network) -> None:
    """Foreign keys see every tenant: the use case must look first."""
    stranger = await network.edge.client("stranger")
    site = network.names["site_id"]
    refused = await stranger.post("/api/v1/stations", json={"id": "S-1", "site_id": site})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await stranger.post("/api/v1/stations", json={"id": "S-1"})).status_code == 201
    refused = await stranger.patch("/api/v1/stations/S-1", json={"site_id": site})
    assert refused.status_code == 404
    refused = await stranger.post("/api/v1/enrolment-keys", json={"name": "x", "site_id": site})
    assert refused.status_code == 404


async def test_another_tenants_audit_trail_and_keys_are_its_own(network: Network) -> None:
    stranger = await network.edge.client("stranger")
    trail = (await stranger.get("/api/v1/audit")).json()["items"]
    assert [entry["actor"] for entry in trail] == ["system"]
    keys = (await stranger.get("/api/v1/api-keys")).json()["items"]
    assert [key["name"] for key in keys] == ["stranger"]


async def _everything(edge: Edge) -> list[tuple[Any, ...]]:
    tables = (
        "station",
        "token",
        "site",
        "station_group",
        "webhook",
        "webhook_delivery",
        "excluded_downtime",
        "enrolment_key",
        "api_key",
        "user_account",
        "configuration_template",
        "firmware_image",
        "station_log",
        "task",
        "command",
    )
    found: list[tuple[Any, ...]] = []
    for table in tables:
        found += [tuple(row) for row in await edge.db.service.fetch(f"SELECT * FROM {table} ORDER BY id")]
    return found


async def test_a_key_of_nobody_is_refused(network: Network) -> None:
    client: httpx.AsyncClient = await network.edge.client(None)
    for value in ("Bearer pw_wrong", f"Bearer {uuid4()}", "Basic YTpi", "Bearer ", "Bearer \u00fc"):
        answer = await client.get("/api/v1/me", headers={"Authorization": value.encode("utf-8")})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
