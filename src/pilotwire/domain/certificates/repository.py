"""Certificates in SQL, over all tenants: the writer's sink, what the door knows, and the clerk's work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Sink
from pilotwire.domain.certificates.events import CertificateHeld
from pilotwire.domain.certificates.model import Issued
from pilotwire.domain.certificates.records import CertificateRequestKept

__all__ = [
    "SINKS",
    "expiring",
    "finish_request",
    "first_use",
    "keep_issued",
    "list_held",
    "list_issuers",
    "list_roots",
    "move_upgrade",
    "open_requests",
    "open_upgrades",
    "renewal_asked",
    "sending",
]

_OPEN = ("waiting", "sending")


async def _write_requests(target: Writing, records: list[CertificateRequestKept]) -> None:
    for r in records:  # they are rare
        # A newer request comes from a newer key: what was asked before has no use any more.
        await target.execute(
            "UPDATE certificate_request SET state = 'replaced', finished_at = $3"
            " WHERE station_id = $1 AND purpose = $2 AND state IN ('waiting', 'sending')",
            r.station_id,
            r.purpose,
            r.received_at,
        )
        await target.execute(
            "INSERT INTO certificate_request (id, tenant_id, station_id, purpose, csr_pem, request_id, state, reason,"
            " received_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            r.id,
            r.tenant_id,
            r.station_id,
            r.purpose,
            r.csr_pem.replace("\0", ""),
            r.request_id,
            "refused" if r.reason else "waiting",
            r.reason,
            r.received_at,
            r.received_at if r.reason else None,
        )


SINKS: Mapping[type, Sink] = {CertificateRequestKept: _write_requests}


async def list_held(connection: asyncpg.Connection) -> list[CertificateHeld]:
    """Give every certificate for connections that was issued here and has not expired."""
    rows = await connection.fetch(
        "SELECT sha256, station_id, state = 'revoked' AS revoked FROM station_certificate"
        " WHERE purpose = 'charging_station' AND not_after > now()"
    )
    return [CertificateHeld(**dict(row)) for row in rows]


async def list_roots(connection: asyncpg.Connection, purpose: str) -> list[tuple[str, str]]:
    """Give root and issuing certificate (PEM) of every authority for a purpose, retired ones too."""
    rows = await connection.fetch(
        "SELECT root_pem, issuing_pem FROM certificate_authority WHERE purpose = $1", purpose
    )
    return [(row["root_pem"], row["issuing_pem"]) for row in rows]


async def list_issuers(connection: asyncpg.Connection) -> list[str]:
    """Give every certificate (PEM) of an issuer that is kept here: own authorities and the roots for stations."""
    rows = await connection.fetch(
        "SELECT root_pem AS pem FROM certificate_authority UNION SELECT issuing_pem FROM certificate_authority"
        " UNION SELECT pem FROM trusted_root"
    )
    return [row["pem"] for row in rows]


async def open_requests(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Give the requests that are not settled, the oldest first, each with its station's identity."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT r.*, s.identity FROM certificate_request r JOIN station s ON s.id = r.station_id"
        " WHERE r.state = ANY($1) ORDER BY r.id",
        _OPEN,
    )
    return rows


async def keep_issued(
    connection: asyncpg.Connection, request: Mapping[str, Any], issued: Issued, issuer: str, now: datetime
) -> bool:
    """Keep a certificate that was made for a waiting request; False when the request has been settled meanwhile."""
    async with connection.transaction():
        taken = await connection.fetchval(
            "SELECT id FROM certificate_request WHERE id = $1 AND state = 'waiting' FOR UPDATE", request["id"]
        )
        if taken is None:
            return False
        await connection.execute(
            "INSERT INTO station_certificate (id, tenant_id, station_id, purpose, serial_number, subject, sha256,"
            " chain_pem, issuer, not_before, not_after, issued_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            issued.id,
            request["tenant_id"],
            request["station_id"],
            request["purpose"],
            issued.serial_number,
            issued.subject,
            issued.sha256,
            issued.chain_pem,
            issuer,
            issued.not_before,
            issued.not_after,
            now,
        )
        await connection.execute(
            "UPDATE certificate_request SET state = 'sending', certificate_id = $2 WHERE id = $1",
            request["id"],
            issued.id,
        )
    return True


async def sending(connection: asyncpg.Connection, request_id: UUID, task_id: UUID | None) -> asyncpg.Record:
    """Note by which task a certificate is sent, if it is given; return the certificate."""
    if task_id is not None:
        await connection.execute(
            "UPDATE certificate_request SET task_id = $2 WHERE id = $1 AND state = 'sending'",
            request_id,
            task_id,
        )
    row: asyncpg.Record = await connection.fetchrow(
        "SELECT c.* FROM station_certificate c JOIN certificate_request r ON r.certificate_id = c.id WHERE r.id = $1",
        request_id,
    )
    return row


async def finish_request(
    connection: asyncpg.Connection, request_id: UUID, reason: str, now: datetime
) -> asyncpg.Record | None:
    """Settle a request: its certificate was delivered, or with a reason it was not; return the certificate."""
    async with connection.transaction():
        certificate_id = await connection.fetchval(
            "UPDATE certificate_request SET state = CASE WHEN $2 = '' THEN 'delivered' ELSE 'refused' END, reason = $2,"
            " finished_at = $3 WHERE id = $1 AND state IN ('waiting', 'sending') RETURNING certificate_id",
            request_id,
            reason,
            now,
        )
        row: asyncpg.Record | None = await connection.fetchrow(
            "UPDATE station_certificate SET state = CASE WHEN $2 = '' THEN 'delivered' ELSE 'refused' END,"
            " delivered_at = CASE WHEN $2 = '' THEN $3::timestamptz END WHERE id = $1 AND state = 'issued' RETURNING *",
            certificate_id,
            reason,
            now,
        )
    return row


async def first_use(connection: asyncpg.Connection, sha256: str, now: datetime) -> None:
    """Note that a station has connected with a certificate. Repeats: the first time stays."""
    await connection.execute(
        "UPDATE station_certificate SET first_used_at = $2 WHERE sha256 = $1 AND first_used_at IS NULL",
        sha256,
        now,
    )


async def expiring(
    connection: asyncpg.Connection, before: datetime, again_since: datetime
) -> list[asyncpg.Record]:
    """Give each station's newest good certificate of a purpose that ends before a moment and was not asked for again."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT * FROM (SELECT DISTINCT ON (c.station_id, c.purpose) c.*, s.identity, s.ocpp_version"
        " FROM station_certificate c JOIN station s ON s.id = c.station_id"
        " WHERE c.state = 'delivered' ORDER BY c.station_id, c.purpose, c.issued_at DESC) newest"
        " WHERE not_after < $1 AND not_after > now() AND coalesce(renewal_asked_at, '-infinity') < $2"
        " ORDER BY not_after LIMIT 500",
        before,
        again_since,
    )
    return rows


async def renewal_asked(connection: asyncpg.Connection, certificate_id: UUID, now: datetime) -> None:
    """Note that a station was asked to renew a certificate."""
    await connection.execute(
        "UPDATE station_certificate SET renewal_asked_at = $2 WHERE id = $1", certificate_id, now
    )


async def open_upgrades(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Give the stations that are on their way to a safer profile."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT u.*, s.identity, s.ocpp_version, p.connected, p.security_profile, p.connected_at,"
        " EXISTS (SELECT FROM station_certificate c WHERE c.station_id = u.station_id AND c.state = 'delivered'"
        "   AND c.purpose = 'charging_station' AND c.not_after > now()) AS has_certificate,"
        " EXISTS (SELECT FROM certificate_request r WHERE r.station_id = u.station_id AND r.purpose = 'charging_station'"
        "   AND r.state IN ('waiting', 'sending')) AS has_request"
        " FROM security_upgrade u JOIN station s ON s.id = u.station_id"
        " JOIN station_presence p ON p.station_id = u.station_id WHERE u.finished_at IS NULL ORDER BY u.station_id"
    )
    return rows


async def move_upgrade(
    connection: asyncpg.Connection,
    station_id: int,
    step: str,
    now: datetime,
    *,
    task_id: UUID | None = None,
    detail: str = "",
) -> None:
    """Bring an upgrade to a step, with the task that carries it out if one was given."""
    await connection.execute(
        "UPDATE security_upgrade SET step = $2, step_at = CASE WHEN step = $2 THEN step_at ELSE $3 END, task_id = $4,"
        " detail = $5, finished_at = CASE WHEN $2 IN ('done', 'failed') THEN $3::timestamptz END"
        " WHERE station_id = $1 AND finished_at IS NULL",
        station_id,
        step,
        now,
        task_id,
        detail,
    )
