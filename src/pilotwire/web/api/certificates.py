"""Certificates: `/certificates`, `/certificate-requests`, `/certificate-authorities`, `/trusted-roots`, and moving
stations to safer profiles: `/stations/{id}/security-upgrade`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from cryptography import x509
from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Row

from pilotwire.domain.certificates.model import Purpose
from pilotwire.domain.certificates.usecases import keep_authorities, manage_certificates, raise_profile
from pilotwire.web.api.fields import Given, Line, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["certificates"])

StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]
Use = Literal["csms_root", "manufacturer_root", "v2g_root", "mo_root"]
PurposeName = Literal["charging_station", "v2g"]
Pem = Annotated[str, Field(min_length=1, max_length=40_000, description="PEM text.")]
Step = Literal["root", "certificate", "priority", "switch", "prefer", "restart", "return", "done", "failed"]


class Certificate(Shown):
    """A station's certificate. `chain_pem` is given for a single one only."""

    id: UUID
    station_id: str
    purpose: PurposeName
    state: Literal["issued", "delivered", "refused", "revoked"]
    issuer: Literal["own", "external"]
    serial_number: str = Field(description="Hexadecimal.")
    subject: str
    sha256: str
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    delivered_at: datetime | None
    first_used_at: datetime | None = Field(description="When the station first connected with it.")
    renewal_asked_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: str
    chain_pem: str | None = None


class CertificateRequest(Shown):
    """What a station wants signed."""

    id: UUID
    station_id: str
    purpose: PurposeName
    state: Literal["waiting", "sending", "delivered", "refused", "replaced"]
    reason: str
    csr_pem: str
    received_at: datetime
    certificate_id: UUID | None
    task_id: UUID | None
    finished_at: datetime | None


class Authority(Shown):
    """An authority of this system. Stations and cars trust its root; it signs until it is retired."""

    id: UUID
    purpose: PurposeName
    root_pem: str
    subject: str
    not_after: datetime
    created_at: datetime
    retired_at: datetime | None


class NewAuthority(Given):
    """Which authority is to be replaced."""

    purpose: PurposeName


class TrustedRoot(Shown):
    """A root that is kept for installation into stations."""

    id: UUID
    use: Use
    pem: str
    subject: str
    sha256: str
    not_after: datetime
    note: str
    created_at: datetime


class NewRoot(Given):
    """A root to be kept."""

    use: Use
    pem: Pem
    note: Line = ""


class Revocation(Given):
    """Why a certificate is to open nothing any more."""

    reason: Line = Field(min_length=1, examples=["the station was sold"])


class Chain(Given):
    """What another authority has made: the station's certificate first, then those that signed it, without the root."""

    chain: Pem


class CertificateMade(Shown):
    """The certificate that was taken over; it is sent to the station."""

    certificate_id: UUID


class Upgrade(Shown):
    """A station on its way to a safer profile. The former profile is good until `step` is `done`."""

    station_id: str
    security_profile: int
    step: Step
    detail: str
    url: str
    task_id: UUID | None = Field(description="The task that carries out the present step.")
    created_by: str
    started_at: datetime
    step_at: datetime
    finished_at: datetime | None


class NewUpgrade(Given):
    """The profile that a station is to have."""

    security_profile: Literal[2, 3]
    url: str = Field(
        "", max_length=512, description="Where stations find this server over TLS, without the identity."
    )


def _certificate(row: Row[tuple[object, ...]]) -> Certificate:
    return Certificate.model_validate({**row._mapping, "station_id": row.identity, "chain_pem": None})


def _request(row: Row[tuple[object, ...]]) -> CertificateRequest:
    return CertificateRequest.model_validate({**row._mapping, "station_id": row.identity})


def _upgrade(row: Row[tuple[object, ...]]) -> Upgrade:
    values = {**row._mapping, "station_id": row.identity, "security_profile": row.profile}
    if values["step"] in ("switch", "prefer"):
        values["detail"] = ""  # a note of the clerk's own
    return Upgrade.model_validate(values)


@router.get("/certificates")
async def list_certificates(
    asking: Asking,
    services: Services,
    station_id: str | None = None,
    state: Literal["issued", "delivered", "refused", "revoked"] | None = None,
    expires_before: datetime | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Certificate]:
    """List stations' certificates, those that end soonest first."""
    rows = await manage_certificates.list_certificates(
        services.db,
        asking,
        identity=station_id,
        state=state,
        expires_before=expires_before,
        after=decode_cursor(cursor, datetime, UUID),
        limit=limit + 1,
    )
    return make_page(rows, limit, _certificate, lambda row: (row.not_after, row.id))


@router.get("/certificates/{certificate_id}")
async def get_certificate(asking: Asking, services: Services, certificate_id: UUID) -> Certificate:
    """Get a certificate with its chain."""
    row = await manage_certificates.get_certificate(services.db, asking, certificate_id)
    return Certificate.model_validate({**row._mapping, "station_id": row.identity})


@router.post("/certificates/{certificate_id}/revoke", status_code=204)
async def revoke_certificate(
    asking: Asking, services: Services, certificate_id: UUID, body: Revocation
) -> None:
    """Let a certificate open nothing any more; a connection made with it ends."""
    await manage_certificates.revoke_certificate(
        services.db, services.bus, services.clock, asking, certificate_id, body.reason
    )


@router.get("/certificate-requests")
async def list_certificate_requests(
    asking: Asking,
    services: Services,
    station_id: str | None = None,
    state: Literal["waiting", "sending", "delivered", "refused", "replaced"] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[CertificateRequest]:
    """List what stations wanted signed, the newest first."""
    after = decode_cursor(cursor, UUID)
    rows = await manage_certificates.list_requests(
        services.db,
        asking,
        identity=station_id,
        state=state,
        after=None if after is None else after[0],
        limit=limit + 1,
    )
    return make_page(rows, limit, _request, lambda row: (row.id,))


@router.post("/certificate-requests/{request_id}/certificate", status_code=202)
async def answer_certificate_request(
    asking: Asking, services: Services, request_id: UUID, body: Chain
) -> CertificateMade:
    """Hand over the chain that another authority has made; it is sent to the station."""
    made = await manage_certificates.answer_request(
        services.db, services.bus, services.clock, asking, request_id, body.chain
    )
    return CertificateMade(certificate_id=made)


@router.post("/certificate-requests/{request_id}/refuse", status_code=204)
async def refuse_certificate_request(
    asking: Asking, services: Services, request_id: UUID, body: Revocation
) -> None:
    """Leave a waiting request without a certificate."""
    await manage_certificates.refuse_request(services.db, services.clock, asking, request_id, body.reason)


@router.get("/certificate-authorities")
async def list_certificate_authorities(asking: Asking, services: Services) -> Page[Authority]:
    """List the authorities of this system, the newest first."""
    rows = await keep_authorities.list_authorities(services.db, asking)
    return Page[Authority](items=[_authority(row) for row in rows], next=None)


@router.get("/certificate-authorities/{purpose}/root.pem", response_class=Response)
async def get_authority_root(asking: Asking, services: Services, purpose: PurposeName) -> Response:
    """Get the root that stations (or cars) have to trust, as a file; the first time the authority is made."""
    await keep_authorities.list_authorities(services.db, asking)  # who may list may have it
    keys = await keep_authorities.authority_of(
        services.db, services.bus, services.vault(), services.clock, asking.tenant_id, Purpose(purpose)
    )
    headers = {"Content-Disposition": f'attachment; filename="pilotwire-{purpose}-root.pem"'}
    return Response(keys.root_pem, media_type="application/x-pem-file", headers=headers)


@router.post("/certificate-authorities", status_code=201)
async def replace_certificate_authority(
    asking: Asking, services: Services, body: NewAuthority
) -> list[Authority]:
    """Make a new authority; the one of before signs nothing more, but what it has signed stays good."""
    await keep_authorities.replace_authority(
        services.db, services.bus, services.vault(), services.clock, asking, Purpose(body.purpose)
    )
    rows = await keep_authorities.list_authorities(services.db, asking)
    return [_authority(row) for row in rows]


def _authority(row: Row[tuple[object, ...]]) -> Authority:
    certificate = x509.load_pem_x509_certificate(row.root_pem.encode())
    return Authority.model_validate(
        {
            **row._mapping,
            "subject": certificate.subject.rfc4514_string(),
            "not_after": certificate.not_valid_after_utc,
        }
    )


@router.get("/trusted-roots")
async def list_trusted_roots(asking: Asking, services: Services) -> Page[TrustedRoot]:
    """List the roots that are kept for stations; `install_certificate` brings one there."""
    rows = await manage_certificates.list_roots(services.db, asking)
    return Page[TrustedRoot](items=[TrustedRoot.model_validate(row) for row in rows], next=None)


@router.post("/trusted-roots", status_code=201)
async def add_trusted_root(asking: Asking, services: Services, body: NewRoot) -> TrustedRoot:
    """Keep a root."""
    row = await manage_certificates.add_root(
        services.db, services.clock, asking, body.use, body.pem, body.note
    )
    return TrustedRoot.model_validate(row)


@router.delete("/trusted-roots/{root_id}", status_code=204)
async def remove_trusted_root(asking: Asking, services: Services, root_id: UUID) -> None:
    """Forget a root. Stations keep what was installed; `delete_certificate` removes it there."""
    await manage_certificates.remove_root(services.db, asking, root_id)


@router.get("/security-upgrades")
async def list_security_upgrades(
    asking: Asking, services: Services, open_only: bool = False
) -> Page[Upgrade]:
    """List stations that are or were moved to a safer profile, the newest first (at most 1,000)."""
    rows = await raise_profile.list_upgrades(services.db, asking, open_only=open_only)
    return Page[Upgrade](items=[_upgrade(row) for row in rows], next=None)


@router.get("/stations/{station_id}/security-upgrade")
async def get_security_upgrade(asking: Asking, services: Services, station_id: StationId) -> Upgrade:
    """Get a station's newest move to a safer profile."""
    return _upgrade(await raise_profile.get_upgrade(services.db, asking, station_id))


@router.post("/stations/{station_id}/security-upgrade", status_code=202)
async def start_security_upgrade(
    asking: Asking, services: Services, station_id: StationId, body: NewUpgrade
) -> Upgrade:
    """Move a station to a safer profile without losing it: the former holds until it has come back with the new one."""
    url = body.url or services.stations_tls_url
    await raise_profile.start_upgrade(
        services.db, services.bus, services.clock, asking, station_id, body.security_profile, url
    )
    return _upgrade(await raise_profile.get_upgrade(services.db, asking, station_id))


@router.delete("/stations/{station_id}/security-upgrade", status_code=204)
async def stop_security_upgrade(asking: Asking, services: Services, station_id: StationId) -> None:
    """Give a move up; the former profile holds."""
    await raise_profile.stop_upgrade(services.db, services.bus, services.clock, asking, station_id)
