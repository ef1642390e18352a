"""Who charged lately, and where, in SQL; over all tenants."""

from collections.abc import Sequence

import asyncpg

__all__ = ["tokens_used_at", "tokens_used_by"]

# Ids are ordered by time: the newest sessions are found without reading the others.
_NEWEST_OF_STATION = 2_000
_NEWEST_OF_TENANT = 50_000


async def tokens_used_at(connection: asyncpg.Connection, station_ids: Sequence[int]) -> dict[int, list[str]]:
    """Give by station the folded uids of its newest sessions, the latest first."""
    rows = await connection.fetch(
        "SELECT w.id, u.uid FROM unnest($1::int[]) AS w (id) CROSS JOIN LATERAL ("
        " SELECT lower(n.token_uid) AS uid, max(n.started_at) AS at FROM ("
        "  SELECT token_uid, started_at FROM session WHERE station_id = w.id ORDER BY id DESC LIMIT $2) AS n"
        " WHERE n.token_uid IS NOT NULL GROUP BY 1) AS u ORDER BY w.id, u.at DESC",
        station_ids,
        _NEWEST_OF_STATION,
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row["uid"])
    return found


async def tokens_used_by(connection: asyncpg.Connection, tenant_id: int) -> list[str]:
    """Give the folded uids of a tenant's newest sessions, the latest first."""
    rows = await connection.fetch(
        "SELECT lower(n.token_uid) AS uid, max(n.started_at) AS at FROM ("
        " SELECT token_uid, started_at FROM session WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2) AS n"
        " WHERE n.token_uid IS NOT NULL GROUP BY 1 ORDER BY at DESC",
        tenant_id,
        _NEWEST_OF_TENANT,
    )
    return [row["uid"] for row in rows]
