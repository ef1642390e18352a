"""Certificates of stations: looking, revoking, answering requests by hand, and the roots that stations shall trust."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.certificates import queries
from pilotwire.domain.certificates.authority import read_chain
from pilotwire.domain.certificates.events import CertificateChanged, CertificateHeld
from pilotwire.domain.certificates.model import CertificateState, RequestState
from pilotwire.domain.certificates.repository import keep_issued
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = [
    "add_root",
    "answer_request",
    "get_certificate",
    "list_certificates",
    "list_requests",
    "list_roots",
    "refuse_request",
    "remove_root",
    "revoke_certificate",
]

_LARGEST_CHAIN = 10_000  # characters, of CertificateSigned


async def list_certificates(
    db: Database,
    principal: Principal,
    *,
    identity: str | None,
    state: str | None,
    expires_before: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List stations' certificates, those that end soonest first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_certificates(
            connection,
            identity=identity,
            state=state,
            expires_before=expires_before,
            after=after,
            limit=limit,
        )


async def get_certificate(db: Database, principal: Principal, certificate_id: UUID) -> Row[Any]:
    """Get a certificate with its chain.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return _there(await queries.find_certificate(connection, certificate_id), certificate_id)


async def revoke_certificate(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, certificate_id: UUID, reason: str
) -> None:
    """Let a certificate open nothing any more; a connection that was made with it ends.

    Raises: NotFound, Conflict when it is revoked already.
    """
    require(principal, Right.MANAGE_CERTIFICATES)
    now = clock()
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.lock_certificate(connection, certificate_id), certificate_id)
        if row.state == CertificateState.REVOKED:
            raise Conflict(say("certificate_revoked", "the certificate is revoked already"))
        values = {"state": CertificateState.REVOKED.value, "revoked_at": now, "revocation_reason": reason}
        await queries.update_certificate(connection, certificate_id, values)
        before, after = {"state": row.state}, {"state": "revoked", "reason": reason}
        await keep_audit(
            connection, principal, "certificate.revoked", row.identity, before=before, after=after
        )
    bus.publish(CertificateHeld(row.sha256, row.station_id, revoked=True))
    bus.publish(
        CertificateChanged(
            principal.tenant_id, row.station_id, row.identity, row.id, row.purpose, "revoked", now, row.not_after,
            reason,
        )
    )  # fmt: skip


async def list_requests(
    db: Database,
    principal: Principal,
    *,
    identity: str | None,
    state: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List requests for certificates, the newest first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_requests(
            connection, identity=identity, state=state, after=after, limit=limit
        )


async def answer_request(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, request_id: UUID, chain_pem: str
) -> UUID:
    """Hand over the chain that another authority has made for a waiting request; it is sent to the station.

    Raises: NotFound, Conflict when the request does not wait, Invalid for a chain that does not fit.
    """
    require(principal, Right.MANAGE_CERTIFICATES)
    async with db.tenant(principal.scope) as connection:
        request = await _waiting(connection, request_id)
        await keep_audit(connection, principal, "certificate_request.answered", request.identity)
    if len(chain_pem) > _LARGEST_CHAIN:
        raise Invalid(f"chain: more than {_LARGEST_CHAIN} characters, which is what OCPP carries")
    try:
        issued = read_chain(new_uuid(), chain_pem, request.csr_pem)
    except ValueError as error:
        raise Invalid(f"chain: {error}") from error
    now = clock()
    if issued.not_after <= now:
        raise Invalid(f"chain: the certificate has ended on {issued.not_after:%Y-%m-%d}")
    async with db.service.acquire() as connection:
        if not await keep_issued(connection, dict(request._mapping), issued, "external", now):
            raise Conflict(say("request_over", "the request does not wait any more"))
    bus.publish(CertificateHeld(issued.sha256, request.station_id, revoked=False))
    bus.publish(
        CertificateChanged(
            principal.tenant_id, request.station_id, request.identity, issued.id, request.purpose, "issued", now,
            issued.not_after,
        )
    )  # fmt: skip
    return issued.id


async def refuse_request(
    db: Database, clock: Clock, principal: Principal, request_id: UUID, reason: str
) -> None:
    """Leave a waiting request without a certificate.

    Raises: NotFound, Conflict when the request does not wait.
    """
    require(principal, Right.MANAGE_CERTIFICATES)
    async with db.tenant(principal.scope) as connection:
        request = await _waiting(connection, request_id)
        values = {"state": RequestState.REFUSED.value, "reason": reason, "finished_at": clock()}
        await queries.update_request(connection, request_id, values)
        await keep_audit(
            connection,
            principal,
            "certificate_request.refused",
            request.identity,
            after={"reason": reason},
        )


async def _waiting(connection: Any, request_id: UUID) -> Row[Any]:
    request: Row[Any] | None = await queries.find_request(connection, request_id)
    if request is None:
        raise NotFound(
            say("request_unknown", "there is no certificate request {request}", request=request_id)
        )
    if request.state != RequestState.WAITING:
        raise Conflict(f"the request does not wait: it is {request.state}")
    return request


async def list_roots(db: Database, principal: Principal) -> Sequence[Row[Any]]:
    """List the roots that are kept for stations."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_roots(connection)


async def add_root(
    db: Database, clock: Clock, principal: Principal, use: str, pem: str, note: str
) -> Row[Any]:
    """Keep a root certificate, to be installed into stations by the command `install_certificate`.

    Raises: Invalid when it is none, Conflict when it is there already.
    """
    require(principal, Right.MANAGE_CERTIFICATES)
    if "PRIVATE KEY" in pem:
        raise Invalid(say("pem_private_key", "pem: there is a private key in it; send the certificate only"))
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Invalid(
            say("pem_wrong", "pem: not an authority's certificate in PEM (it needs the basic constraint CA)")
        ) from error
    if not is_authority:
        raise Invalid(say("pem_no_authority", "pem: the certificate is no authority's"))
    now = clock()
    if certificate.not_valid_after_utc <= now:
        raise Invalid(f"pem: the certificate has ended on {certificate.not_valid_after_utc:%Y-%m-%d}")
    values = {
        "id": new_uuid(),
        "tenant_id": principal.tenant_id,
        "use": use,
        "pem": pem,
        "subject": certificate.subject.rfc4514_string(),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_after": certificate.not_valid_after_utc,
        "note": note,
        "created_at": now,
    }
    async with db.tenant(principal.scope) as connection:
        row = await queries.insert_root(connection, values)
        if row is None:
            raise Conflict(say("root_there", "this root is there already for this use"))
        await keep_audit(connection, principal, "trusted_root.added", row.subject, after={"use": use})
    return row


async def remove_root(db: Database, principal: Principal, root_id: UUID) -> None:
    """Forget a root. Stations keep what was installed; `delete_certificate` removes it there.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_CERTIFICATES)
    async with db.tenant(principal.scope) as connection:
        if not await queries.delete_root(connection, root_id):
            raise NotFound(f"there is no root {root_id}")
        await keep_audit(connection, principal, "trusted_root.removed", str(root_id))


def _there(row: Row[Any] | None, certificate_id: UUID) -> Row[Any]:
    if row is None:
        raise NotFound(f"there is no certificate {certificate_id}")
    return row
