"""Local lists in SQL, for what keeps them; over all tenants."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from pilotwire.domain.local_lists.model import (
    Abilities,
    ListEntry,
    ListPlace,
    ListState,
    Wanted,
    pack,
    unpack,
)
from pilotwire.domain.relays.repository import list_led_by_other

__all__ = [
    "drop_unused",
    "find_content",
    "keep_content",
    "list_places",
    "list_stations",
    "list_tenants",
    "note_held",
    "note_state",
    "note_wanted",
    "number_of",
]
_TOLD = (
    "station_id", "tenant_id", "identity", "ocpp_version", "site_id", "kept", "detail", "version", "digest",
    "attempts", "next_at",
)  # fmt: skip


async def list_tenants(connection: asyncpg.Connection) -> list[int]:
    """Give all tenants that have stations."""
    return [row["tenant_id"] for row in await connection.fetch("SELECT DISTINCT tenant_id FROM station")]


async def list_stations(connection: asyncpg.Connection, tenant_id: int, after: int, limit: int) -> list[int]:
    """Give the numbers of a tenant's stations that have been connected, in their order."""
    rows = await connection.fetch(
        "SELECT id FROM station WHERE tenant_id = $1 AND id > $2 AND ocpp_version IS NOT NULL ORDER BY id LIMIT $3",
        tenant_id,
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def number_of(connection: asyncpg.Connection, tenant_id: int, identity: str) -> int | None:
    """Give the number of a station."""
    found: int | None = await connection.fetchval(
        "SELECT id FROM station WHERE tenant_id = $1 AND identity = $2", tenant_id, identity
    )
    return found


async def list_places(
    connection: asyncpg.Connection, station_ids: Sequence[int], *, kept_by_default: bool
) -> list[ListPlace]:
    """Give stations with what is known of their lists; the rule of the station wins over its site's, that over all."""
    rows = await connection.fetch(
        "SELECT s.id AS station_id, s.tenant_id, s.identity, coalesce(s.ocpp_version, '') AS ocpp_version, s.site_id,"
        " coalesce((SELECT r.kept FROM local_list_rule r WHERE r.tenant_id = s.tenant_id"
        "   AND (r.station_id = s.id OR r.site_id = s.site_id OR (r.station_id IS NULL AND r.site_id IS NULL))"
        "   ORDER BY (r.station_id IS NOT NULL) DESC, (r.site_id IS NOT NULL) DESC LIMIT 1), $2) AS kept,"
        " coalesce(l.state, 'unknown') AS stands, coalesce(l.detail, '') AS detail, coalesce(l.version, 0) AS version,"
        " l.digest, coalesce(l.attempts, 0) AS attempts, l.next_at"
        " FROM station s LEFT JOIN local_list l ON l.station_id = s.id"
        " WHERE s.id = ANY($1::int[]) ORDER BY s.id",
        station_ids,
        kept_by_default,
    )
    led_by_other = await list_led_by_other(connection, station_ids)
    return [
        ListPlace(
            **{name: row[name] for name in _TOLD},
            led_by_other=row["station_id"] in led_by_other,
            state=ListState(row["stands"]),
        )
        for row in rows
    ]


async def find_content(
    connection: asyncpg.Connection, tenant_id: int, digest: bytes
) -> tuple[ListEntry, ...] | None:
    """Give the list of a digest."""
    content = await connection.fetchval(
        "SELECT entries FROM local_list_content WHERE tenant_id = $1 AND digest = $2", tenant_id, digest
    )
    return None if content is None else unpack(content)


async def keep_content(connection: asyncpg.Connection, tenant_id: int, wanted: Wanted) -> None:
    """Keep a list, once for all stations that have the same."""
    await connection.execute(
        "INSERT INTO local_list_content (tenant_id, digest, entries) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        tenant_id,
        wanted.digest,
        pack(wanted.entries).decode(),
    )


async def drop_unused(connection: asyncpg.Connection) -> None:
    """Forget lists that no station holds any more."""
    await connection.execute(
        "DELETE FROM local_list_content c WHERE NOT EXISTS"
        " (SELECT FROM local_list l WHERE l.tenant_id = c.tenant_id AND l.digest = c.digest)"
    )


async def note_wanted(
    connection: asyncpg.Connection, places: Mapping[int, tuple[Abilities, Wanted]], now: datetime
) -> None:
    """Keep what stations' lists should be; one that holds something else is behind."""
    await connection.executemany(
        "INSERT INTO local_list AS l (station_id, tenant_id, state, wanted_digest, wanted_entries, left_out,"
        " most_entries, items_per_message, checked_at) SELECT id, tenant_id, 'behind', $2, $3, $4, $5, $6, $7"
        " FROM station WHERE id = $1 ON CONFLICT (station_id) DO UPDATE SET wanted_digest = excluded.wanted_digest,"
        " wanted_entries = excluded.wanted_entries, left_out = excluded.left_out, most_entries = excluded.most_entries,"
        " items_per_message = excluded.items_per_message, checked_at = excluded.checked_at,"
        " detail = CASE WHEN l.next_at > $7 THEN l.detail ELSE '' END,"
        " state = CASE WHEN l.digest = excluded.wanted_digest THEN 'in_step' WHEN l.next_at > $7 THEN l.state"
        " ELSE 'behind' END",
        [
            (number, wanted.digest, len(wanted.entries), wanted.left_out, able.most_entries,
             able.items_per_message, now)
            for number, (able, wanted) in places.items()
        ],
    )  # fmt: skip


async def note_state(
    connection: asyncpg.Connection,
    station_id: int,
    state: ListState,
    detail: str,
    *,
    next_at: datetime | None = None,
    attempts: int = 0,
) -> bool:
    """Keep where a station's list stands; whether that is news."""
    row = await connection.fetchrow(
        "WITH before AS (SELECT state, detail FROM local_list WHERE station_id = $1)"
        " INSERT INTO local_list AS l (station_id, tenant_id, state, detail, next_at, attempts)"
        " SELECT id, tenant_id, $2, $3, $4, $5 FROM station WHERE id = $1"
        " ON CONFLICT (station_id) DO UPDATE SET state = excluded.state, detail = excluded.detail,"
        " next_at = excluded.next_at, attempts = excluded.attempts"
        " RETURNING coalesce((SELECT (before.state, before.detail) FROM before) IS DISTINCT FROM ($2, $3), true) AS new",
        station_id,
        state.value,
        detail[:500],
        next_at,
        attempts,
    )
    return row is not None and bool(row["new"])


async def note_held(
    connection: asyncpg.Connection, station_id: int, version: int, wanted: Wanted | None, now: datetime
) -> ListState:
    """Keep which version a station holds, and what is in it (None: nobody knows); give where its list stood before.

    Somebody may have said meanwhile that it is not to be kept, or changed tokens: that stays as it is.
    """
    values: tuple[Any, ...] = (None, 0) if wanted is None else (wanted.digest, len(wanted.entries))
    row = await connection.fetchrow(
        "WITH before AS (SELECT state FROM local_list WHERE station_id = $1 FOR UPDATE)"
        " UPDATE local_list l SET version = $2, digest = $3, entries = $4, sent_at = coalesce($5, sent_at),"
        " attempts = 0, next_at = NULL, detail = CASE WHEN l.state IN ('not_kept', 'unsupported') THEN detail ELSE '' END,"
        " state = CASE WHEN l.state IN ('not_kept', 'unsupported') AND l.next_at IS NULL THEN l.state"
        " WHEN l.wanted_digest = $3 THEN 'in_step' ELSE 'behind' END"
        " FROM before WHERE l.station_id = $1 RETURNING before.state",
        station_id,
        version,
        *values,
        None if wanted is None else now,
    )
    return ListState.UNKNOWN if row is None else ListState(row["state"])
