"""Reading what was done by whom."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import AuditFilter

__all__ = ["list_audit"]


async def list_audit(
    db: Database,
    principal: Principal,
    wanted: AuditFilter = AuditFilter(),  # noqa: B008 - it is frozen
    before: UUID | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List the audit trail of the tenant, the newest first."""
    require(principal, Right.VIEW_AUDIT)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_audit_entries(connection, wanted, before, limit)
