"""How the batteries of a site are told their set points."""

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
from pilotwire.domain.energy.battery_controls import HttpControl, MqttControl, read_control
from pilotwire.domain.energy.definition import EnergyTree, read_tree
from pilotwire.domain.energy.outside_tables import energy_battery_control
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["SEAL_PURPOSE", "list_controls", "remove_control", "set_control"]

SEAL_PURPOSE = "battery"


async def set_control(
    db: Database,
    seal: Seal | None,
    principal: Principal,
    site_id: UUID,
    battery: str,
    *,
    given: object,
    password: str = "",
) -> Any:
    """Let the loops tell a battery its set point; it replaces how that was done before.

    Raises: NotFound for a site or a battery that is not in its tree, Invalid.
    """
    require(principal, Right.MANAGE_ENERGY)
    control = read_control(given)
    if password and (seal is None or not isinstance(control, MqttControl | HttpControl)):
        raise Invalid("a password is for MQTT and HTTP, in a process that keeps secrets")
    async with db.tenant(principal.scope) as connection:
        tree = await _tree(connection, site_id)
        known = next((each for each in tree.batteries if each.id == battery), None)
        if known is None:
            raise NotFound(f"the site's energy tree has no battery '{battery}'; put it there first")
        if known.meter is None:
            raise Invalid(
                f"the battery '{battery}' has no meter: what it is told is checked by what it is measured to do"
            )
        values = {
            "id": new_uuid(),
            "control": msgspec.to_builtins(control),
            "password": seal.close(password.encode(), SEAL_PURPOSE) if seal and password else None,
            "created_by": principal.name,
            "error": "",
            "told_at": None,
        }
        key = {"site_id": site_id, "battery": battery, "tenant_id": principal.tenant_id}
        query = insert(energy_battery_control).values(**key, **values, created_at=func.now())
        query = query.on_conflict_do_update(
            index_elements=["site_id", "battery"], set_={**values, "created_at": func.now()}
        )
        made = (await connection.execute(query.returning(*energy_battery_control.c))).one()
        after = {"battery": battery, "control": values["control"]}
        await keep_audit(connection, principal, "energy.battery_control_set", str(site_id), after=after)
    return made


async def list_controls(db: Database, principal: Principal, site_id: UUID) -> Sequence[Any]:
    """List how a site's batteries are told their set points. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        query = select(energy_battery_control).where(energy_battery_control.c.site_id == site_id)
        return (await connection.execute(query.order_by(energy_battery_control.c.battery))).all()


async def remove_control(db: Database, principal: Principal, site_id: UUID, battery: str) -> None:
    """Tell a battery nothing any more; it is set free. Raises: NotFound."""
    require(principal, Right.MANAGE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        query = energy_battery_control.delete().where(
            energy_battery_control.c.site_id == site_id, energy_battery_control.c.battery == battery
        )
        row = (await connection.execute(query.returning(*energy_battery_control.c))).one_or_none()
        if row is None:
            raise NotFound(f"the battery '{battery}' is told nothing")
        before = {"battery": battery, "control": row.control}
        await keep_audit(connection, principal, "energy.battery_control_removed", str(site_id), before=before)


async def _tree(connection: Any, site_id: UUID) -> EnergyTree:
    row = await queries.get_site_with_tree(connection, site_id)
    return EnergyTree() if row.tree is None else read_tree(row.tree)
