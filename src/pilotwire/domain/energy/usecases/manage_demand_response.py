"""VTNs of a site and their events: who is followed, and in which events a site takes part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.errors import EnergyOff
from pilotwire.domain.energy.events import OverridesChanged
from pilotwire.domain.energy.outside_tables import energy_dr_event, energy_grid_limit, energy_vtn
from pilotwire.domain.energy.usecases.manage_grid_limits import node_of
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["SEAL_PURPOSE", "NewVtn", "add_vtn", "list_events", "list_vtns", "opt", "remove_vtn"]

SEAL_PURPOSE = "vtn"


@dataclass(frozen=True, slots=True)
class NewVtn:
    """A VTN to follow. One of 2.0b gives no tokens: `client_id` is our VEN id there, if it was given beforehand.

    `levels_w` are the limits of the levels 1 to 3 of SIMPLE events; without them these ask
    nothing.
    """

    url: str
    ven_name: str
    client_id: str = ""
    client_secret: str = ""
    token_url: str = ""
    version: str = "3.1"
    scope: str = ""
    program: str = ""
    node_id: str | None = None
    levels_w: tuple[float, ...] = ()
    poll_s: int = 60
    opted_in: bool = True


async def add_vtn(
    db: Database, seal: Seal | None, principal: Principal, site_id: UUID, wanted: NewVtn
) -> Any:
    """Follow a VTN. Raises: NotFound, Invalid, EnergyOff."""
    require(principal, Right.MANAGE_ENERGY)
    if wanted.version != "2.0b" and not (wanted.client_id and wanted.client_secret):
        raise Invalid("client_id and client_secret: a server of OpenADR 3 gives tokens to who has both")
    if wanted.version == "2.0b" and wanted.client_secret and "PRIVATE KEY" not in wanted.client_secret:
        raise Invalid(
            "client_secret: for 2.0b this is the VEN's private key and certificate in PEM, or empty"
        )
    if list(wanted.levels_w) != sorted(wanted.levels_w, reverse=True):
        raise Invalid("levels_w: a higher level does not allow more than a lower one")
    if seal is None:
        raise Invalid("this process keeps no secrets")
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
        if row.tree is None:
            raise EnergyOff("the site has no energy tree that could be limited: give it one first")
        values = {
            "id": new_uuid(),
            "tenant_id": principal.tenant_id,
            "site_id": site_id,
            "node_id": node_of(read_tree(row.tree), wanted.node_id),
            "version": wanted.version,
            "url": wanted.url.rstrip("/"),
            "token_url": _token_url(wanted),
            "client_id": wanted.client_id,
            "client_secret": seal.close(wanted.client_secret.encode(), SEAL_PURPOSE),
            "scope": wanted.scope,
            "program": wanted.program,
            "ven_name": wanted.ven_name,
            "levels_w": list(wanted.levels_w),
            "poll_s": wanted.poll_s,
            "opted_in": wanted.opted_in,
            "created_by": principal.name,
            "error": "",
        }
        query = energy_vtn.insert().values(created_at=func.now(), **values).returning(*energy_vtn.c)
        made = (await connection.execute(query)).one()
        after = {"url": made.url, "program": made.program, "node_id": made.node_id}
        await keep_audit(connection, principal, "energy.vtn_added", str(site_id), after=after)
    return made


def _token_url(wanted: NewVtn) -> str:
    if wanted.version == "2.0b":
        return ""
    return wanted.token_url or f"{wanted.url.rstrip('/')}/auth/token"


async def list_vtns(db: Database, principal: Principal, site_id: UUID) -> Sequence[Any]:
    """List the VTNs that a site follows. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        query = select(energy_vtn).where(energy_vtn.c.site_id == site_id).order_by(energy_vtn.c.created_at)
        return (await connection.execute(query)).all()


async def remove_vtn(db: Database, bus: LocalBus, principal: Principal, site_id: UUID, vtn_id: UUID) -> None:
    """Follow a VTN no more; its limits and events go with it. Raises: NotFound."""
    require(principal, Right.MANAGE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        row = await _find_vtn(connection, site_id, vtn_id)
        await connection.execute(
            energy_grid_limit.delete().where(
                energy_grid_limit.c.site_id == site_id,
                energy_grid_limit.c.source.startswith(f"openadr:{vtn_id}:", autoescape=True),
            )
        )
        await connection.execute(energy_vtn.delete().where(energy_vtn.c.id == vtn_id))
        before: Mapping[str, Any] = {"url": row.url, "program": row.program}
        await keep_audit(connection, principal, "energy.vtn_removed", str(site_id), before=before)
    bus.publish(OverridesChanged(principal.tenant_id, site_id))


async def list_events(db: Database, principal: Principal, site_id: UUID, limit: int) -> Sequence[Any]:
    """List a site's events, the newest first, each with whether the site takes part. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        return (await connection.execute(_events(site_id).limit(limit))).all()


async def opt(
    db: Database,
    principal: Principal,
    site_id: UUID,
    vtn_id: UUID,
    event_id: str,
    *,
    opted_in: bool,
) -> Any:
    """Say whether a site takes part in an event; it holds from the next look at the VTN. Raises: NotFound."""
    require(principal, Right.OVERRIDE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        row = await _find_vtn(connection, site_id, vtn_id)
        query = (
            energy_dr_event.update()
            .where(energy_dr_event.c.vtn_id == vtn_id, energy_dr_event.c.event_id == event_id)
            .values(opted_in=opted_in)
        )
        changed = (await connection.execute(query.returning(energy_dr_event.c.name))).one_or_none()
        if changed is None:
            raise NotFound(f"the VTN '{row.ven_name}' has told of no event '{event_id}'")
        # Soon is better than when it is due.
        await connection.execute(energy_vtn.update().where(energy_vtn.c.id == vtn_id).values(polled_at=None))
        after = {"event_id": event_id, "opted_in": opted_in}
        await keep_audit(connection, principal, "energy.event_opted", str(site_id), after=after)
        found = _events(site_id).where(
            energy_dr_event.c.vtn_id == vtn_id, energy_dr_event.c.event_id == event_id
        )
        return (await connection.execute(found)).one()


def _events(site_id: UUID) -> Any:
    takes_part = func.coalesce(energy_dr_event.c.opted_in, energy_vtn.c.opted_in).label("takes_part")
    return (
        select(energy_dr_event, takes_part)
        .join(energy_vtn, energy_vtn.c.id == energy_dr_event.c.vtn_id)
        .where(energy_dr_event.c.site_id == site_id)
        .order_by(energy_dr_event.c.starts_at.desc(), energy_dr_event.c.event_id)
    )


async def _find_vtn(connection: Any, site_id: UUID, vtn_id: UUID) -> Any:
    query = select(energy_vtn).where(energy_vtn.c.id == vtn_id, energy_vtn.c.site_id == site_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"the site has no VTN {vtn_id}")
    return row
