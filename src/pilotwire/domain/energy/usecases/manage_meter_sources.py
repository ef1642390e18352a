"""Where readings of a site's meters are fetched."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.meter_sources import MqttSource, read_source
from pilotwire.domain.energy.outside_tables import energy_meter_source
from pilotwire.domain.energy.usecases.push_readings import meters_of
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["SEAL_PURPOSE", "list_sources", "remove_source", "set_source"]

SEAL_PURPOSE = "meter source"


async def set_source(
    db: Database,
    seal: Seal | None,
    principal: Principal,
    site_id: UUID,
    meter: str,
    *,
    given: object,
    password: str = "",
) -> Any:
    """Say where a meter's readings are fetched; it replaces what was said before.

    Raises: NotFound for a site or a meter that is not in its tree, Invalid.
    """
    require(principal, Right.MANAGE_ENERGY)
    source = read_source(given)
    if password and (seal is None or not isinstance(source, MqttSource)):
        raise Invalid("a password is for MQTT, in a process that keeps secrets")
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
        if row.tree is None or meter not in meters_of(read_tree(row.tree)):
            raise NotFound(f"the site's energy tree has no meter '{meter}'; name it there first")
        values = {
            "id": new_uuid(),
            "source": msgspec.to_builtins(source),
            "password": seal.close(password.encode(), SEAL_PURPOSE) if seal and password else None,
            "created_by": principal.name,
            "error": "",
            "read_at": None,
        }
        key = {"site_id": site_id, "meter": meter, "tenant_id": principal.tenant_id}
        query = insert(energy_meter_source).values(**key, **values, created_at=func.now())
        query = query.on_conflict_do_update(
            index_elements=["site_id", "meter"], set_={**values, "created_at": func.now()}
        )
        made = (await connection.execute(query.returning(*energy_meter_source.c))).one()
        after = {"meter": meter, "source": values["source"]}
        await keep_audit(connection, principal, "energy.meter_source_set", str(site_id), after=after)
    return made


async def list_sources(db: Database, principal: Principal, site_id: UUID) -> Sequence[Any]:
    """List where a site's meters are read. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        query = select(energy_meter_source).where(energy_meter_source.c.site_id == site_id)
        return (await connection.execute(query.order_by(energy_meter_source.c.meter))).all()


async def remove_source(db: Database, principal: Principal, site_id: UUID, meter: str) -> None:
    """Fetch a meter's readings no more. Raises: NotFound."""
    require(principal, Right.MANAGE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        query = energy_meter_source.delete().where(
            energy_meter_source.c.site_id == site_id, energy_meter_source.c.meter == meter
        )
        row = (await connection.execute(query.returning(*energy_meter_source.c))).one_or_none()
        if row is None:
            raise NotFound(f"readings of the meter '{meter}' are not fetched")
        before = {"meter": meter, "source": row.source}
        await keep_audit(connection, principal, "energy.meter_source_removed", str(site_id), before=before)
