"""Stations in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    LargeBinary,
    Row,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.model import ConnectorStatus, StationRecord, summarise_status
from pilotwire.domain.stations.repository import record_of
from pilotwire.domain.stations.tables import (
    connector,
    deviation_count,
    frame,
    security_event,
    station,
    station_group_member,
    station_presence,
    station_report,
)

__all__ = [
    "RECORD_COLUMNS",
    "NetworkCounts",
    "StationFilter",
    "count_network",
    "delete_station",
    "find_station",
    "find_station_id",
    "insert_station",
    "insert_stations",
    "list_connectors",
    "list_deviations",
    "list_frames",
    "list_reports",
    "list_security_events",
    "list_stations",
    "lock_record",
    "update_station",
]

RECORD_COLUMNS: tuple[Any, ...] = (
    *(station.c[name] for name in (
        "id", "tenant_id", "identity", "admission", "secret_digest", "next_secret_digest",
        "minimum_security_profile", "site_id", "vendor", "model", "firmware_version", "enrolled_with",
        "serial_number",
    )),
    cast(station.c.quirk_switches, Text).label("quirk_switches"),
)  # fmt: skip

_LISTED: tuple[Any, ...] = (
    *(station.c[name] for name in (
        "id", "identity", "name", "site_id", "admission", "minimum_security_profile", "ocpp_version",
        "vendor", "model", "serial_number", "firmware_version", "booted_at", "boot_reason",
        "firmware_status", "log_status", "quirk_switches", "created_at", "tags",
    )),
    func.array(
        select(station_group_member.c.group_id)
        .where(station_group_member.c.station_id == station.c.id)
        .order_by(station_group_member.c.group_id)
        .scalar_subquery(),
        type_=ARRAY(Uuid),
    ).label("group_ids"),
    func.coalesce(station_presence.c.connected, False).label("connected"),
    station_presence.c.connected_at,
    station_presence.c.last_seen_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations to list; None leaves a question open.

    `search` looks into identity, name, vendor, model and serial number.
    """

    connected: bool | None = None
    status: str | None = None
    admission: str | None = None
    site_id: UUID | None = None
    search: str | None = None
    tag: str | None = None
    group_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NetworkCounts:
    """How many stations there are and are connected; how many connectors there are, and charge."""

    stations: int
    connected: int
    connectors: int
    charging: int


def _stations() -> Select[Any]:
    return select(*_LISTED).outerjoin(station_presence, station_presence.c.station_id == station.c.id)


async def list_stations(
    connection: AsyncConnection, wanted: StationFilter, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """List stations by identity; `after` is the last one of the previous page."""
    query = _stations()
    is_connected = func.coalesce(station_presence.c.connected, False)
    if wanted.connected is not None:
        query = query.where(is_connected == wanted.connected)
    if wanted.admission is not None:
        query = query.where(station.c.admission == wanted.admission)
    if wanted.site_id is not None:
        query = query.where(station.c.site_id == wanted.site_id)
    if wanted.tag is not None:
        query = query.where(station.c.tags.contains([wanted.tag]))
    if wanted.group_id is not None:
        members = select(station_group_member.c.station_id)
        query = query.where(
            station.c.id.in_(members.where(station_group_member.c.group_id == wanted.group_id))
        )
    if wanted.status == "offline":
        query = query.where(~is_connected)
    elif wanted.status is not None:
        query = query.where(is_connected, _status_word() == wanted.status)
    if wanted.search:
        pattern = "%" + wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        texts = (
            station.c.identity,
            station.c.name,
            station.c.vendor,
            station.c.model,
            station.c.serial_number,
        )
        query = query.where(func.concat_ws(" ", *texts).ilike(pattern, escape="\\"))
    if after is not None:
        query = query.where(station.c.identity > after)
    found: Sequence[Row[Any]] = (
        await connection.execute(query.order_by(station.c.identity).limit(limit))
    ).all()
    return found


def _status_word() -> Any:
    """Say in SQL what `summarise_status` says of a connected station's connectors."""
    ranks = {word: rank for rank, word in enumerate(_by_urgency())}
    rank = case(ranks, value=connector.c.status)
    words = {rank: word for word, rank in ranks.items()}
    outlets = func.min(rank).filter(connector.c.evse_no > 0)
    # A fault of the station itself counts; otherwise it speaks for itself only while no connector has spoken.
    whole = func.min(rank).filter(connector.c.evse_no == 0)
    worst = case((whole == ranks["faulted"], whole), else_=func.coalesce(outlets, whole))
    found = select(case(words, value=worst)).where(connector.c.station_id == station.c.id).scalar_subquery()
    return func.coalesce(found, literal("unknown"))


def _by_urgency() -> Iterator[str]:
    words = [status.value for status in ConnectorStatus]
    while words:
        worst = summarise_status(True, words)
        words.remove(worst)
        yield worst


async def find_station(connection: AsyncConnection, identity: str) -> Row[Any] | None:
    """Find a station with its presence."""
    query = _stations().where(station.c.identity == identity)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def find_station_id(connection: AsyncConnection, identity: str) -> int | None:
    """Find a station's number."""
    found: int | None = await connection.scalar(select(station.c.id).where(station.c.identity == identity))
    return found


async def list_connectors(
    connection: AsyncConnection, station_ids: Sequence[int]
) -> dict[int, list[Row[Any]]]:
    """Give the connectors of several stations in their order; (0, 0) is a station itself."""
    query = select(connector).where(connector.c.station_id.in_(station_ids))
    found: dict[int, list[Row[Any]]] = {station_id: [] for station_id in station_ids}
    for row in await connection.execute(query.order_by(connector.c.evse_no, connector.c.connector_no)):
        found[row.station_id].append(row)
    return found


async def lock_record(
    connection: AsyncConnection, identity: str
) -> tuple[StationRecord, str, list[str]] | None:
    """Read a station's record, name and tags, and hold it until the end of the transaction."""
    query = (
        select(*RECORD_COLUMNS, station.c.name, station.c.tags)
        .where(station.c.identity == identity)
        .with_for_update()
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (record_of(row._mapping), row.name, row.tags)


async def insert_station(connection: AsyncConnection, values: Mapping[str, Any]) -> StationRecord:
    """Add a station and its presence."""
    row = (await connection.execute(insert(station).values(**values).returning(*RECORD_COLUMNS))).one()
    await connection.execute(insert(station_presence).values(station_id=row.id, tenant_id=row.tenant_id))
    return record_of(row._mapping)


_INSERT_MANY = text(
    "WITH added AS ("
    " INSERT INTO station (tenant_id, identity, admission, secret_digest, minimum_security_profile)"
    " SELECT :tenant_id, n.identity, 'accepted', n.digest, :security_profile"
    " FROM unnest(:identities, :digests) AS n (identity, digest)"
    " RETURNING id, tenant_id"
    ") INSERT INTO station_presence (station_id, tenant_id) SELECT id, tenant_id FROM added"
).bindparams(bindparam("identities", type_=ARRAY(Text)), bindparam("digests", type_=ARRAY(LargeBinary)))


async def insert_stations(
    connection: AsyncConnection, tenant_id: int, digests: Mapping[str, bytes], security_profile: int
) -> list[StationRecord]:
    """Add many stations at once, by identity and digest of their secrets."""
    identities = list(digests)
    await connection.execute(
        _INSERT_MANY,
        {
            "tenant_id": tenant_id,
            "identities": identities,
            "digests": list(digests.values()),
            "security_profile": security_profile,
        },
    )
    query = select(*RECORD_COLUMNS).where(station.c.identity == any_(cast(identities, ARRAY(Text))))
    return [record_of(row._mapping) for row in await connection.execute(query)]


async def update_station(
    connection: AsyncConnection, station_id: int, values: Mapping[str, Any]
) -> StationRecord:
    """Change a station that is known to exist."""
    query = update(station).where(station.c.id == station_id).values(**values).returning(*RECORD_COLUMNS)
    return record_of((await connection.execute(query)).one()._mapping)


async def delete_station(connection: AsyncConnection, station_id: int) -> None:
    """Remove a station; its messages and meter samples go when their time has come."""
    await connection.execute(delete(station).where(station.c.id == station_id))


async def list_frames(
    connection: AsyncConnection, station_id: int, before: tuple[datetime, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """List exchanges with a station, the newest first; `before` is moment and message id of the last seen."""
    query = select(frame).where(frame.c.station_id == station_id)
    if before is not None:
        query = query.where(tuple_(frame.c.received_at, frame.c.message_id) < tuple_(*before))
    query = query.order_by(frame.c.received_at.desc(), frame.c.message_id.desc())
    return (await connection.execute(query.limit(limit))).all()


async def list_security_events(
    connection: AsyncConnection, station_id: int, before: datetime | None, limit: int
) -> Sequence[Row[Any]]:
    """List a station's security events, the newest first."""
    query = select(security_event).where(security_event.c.station_id == station_id)
    if before is not None:
        query = query.where(security_event.c.received_at < before)
    return (await connection.execute(query.order_by(security_event.c.received_at.desc()).limit(limit))).all()


async def list_reports(
    connection: AsyncConnection, station_id: int, kind: str | None, before: datetime | None, limit: int
) -> Sequence[Row[Any]]:
    """List what a station reported besides its own state, the newest first; `kind` is the name of the action."""
    query = select(station_report).where(station_report.c.station_id == station_id)
    if kind is not None:
        query = query.where(station_report.c.kind == kind)
    if before is not None:
        query = query.where(station_report.c.received_at < before)
    return (await connection.execute(query.order_by(station_report.c.received_at.desc()).limit(limit))).all()


async def list_deviations(
    connection: AsyncConnection, after: tuple[str, str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """List how often each model needed which repair, by vendor, model and repair."""
    key = (deviation_count.c.vendor, deviation_count.c.model, deviation_count.c.code)
    shown: tuple[Any, ...] = (
        *key, deviation_count.c.count, deviation_count.c.last_at, station.c.identity.label("last_station_id"),
    )  # fmt: skip
    query = select(*shown).outerjoin(station, station.c.id == deviation_count.c.last_station_id)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return (await connection.execute(query.order_by(*key).limit(limit))).all()


async def count_network(connection: AsyncConnection) -> NetworkCounts:
    """Count stations and connectors."""
    is_connected = func.coalesce(station_presence.c.connected, False)
    stations = select(func.count(), func.count().filter(is_connected)).select_from(
        station.outerjoin(station_presence, station_presence.c.station_id == station.c.id)
    )
    outlets = (
        select(
            func.count(),
            func.count().filter(is_connected, connector.c.status == ConnectorStatus.CHARGING.value),
        )
        .select_from(
            connector.outerjoin(station_presence, station_presence.c.station_id == connector.c.station_id)
        )
        .where(connector.c.evse_no > 0)
    )
    total, connected = (await connection.execute(stations)).one()
    connectors, charging = (await connection.execute(outlets)).one()
    return NetworkCounts(total, connected, connectors, charging)
