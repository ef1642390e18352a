"""Reading what was done by whom."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository
from pilotwire.domain.identity.model import Principal, Right, require

__all__ = ["list_audit"]


async def list_audit(
    db: Database, principal: Principal, before: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List the audit trail of the tenant, the newest first."""
    require(principal, Right.VIEW_AUDIT)
    async with db.tenant(principal.tenant_id) as connection:
        return await repository.list_audit_entries(connection, before, limit)
