"""Looking at what is expected at a site, and having its models fitted again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from pilotwire.bus import LocalBus
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.errors import EnergyOff
from pilotwire.domain.energy.events import ForecastWanted
from pilotwire.domain.energy.forecast_tables import energy_forecast, energy_model
from pilotwire.domain.identity.model import Principal, Right, require

__all__ = ["SiteExpected", "get_forecast", "want_forecast"]


@dataclass(frozen=True, slots=True)
class SiteExpected:
    """The newest forecast of a site, None where there is none yet, and its models."""

    site_id: UUID
    forecast: Any
    models: Sequence[Any]


async def get_forecast(db: Database, principal: Principal, site_id: UUID) -> SiteExpected:
    """Get what is expected at a site and how far that can be believed. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        newest = (
            select(energy_forecast)
            .where(energy_forecast.c.site_id == site_id)
            .order_by(energy_forecast.c.made_at.desc())
            .limit(1)
        )
        forecast = (await connection.execute(newest)).one_or_none()
        content = energy_model.c.content
        columns = [each for each in energy_model.c if each is not content]
        models = (
            select(*columns)
            .where(energy_model.c.site_id == site_id, func.octet_length(content) > 0)
            .order_by(energy_model.c.target)
        )
        return SiteExpected(site_id, forecast, (await connection.execute(models)).all())


async def want_forecast(db: Database, bus: LocalBus, principal: Principal, site_id: UUID) -> None:
    """Have a site's models fitted anew, soon. Raises: NotFound, EnergyOff."""
    require(principal, Right.MANAGE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
    if row.tree is None or not row.enabled:
        raise EnergyOff("energy management does not run at this site: switch it on first")
    bus.publish(ForecastWanted(principal.tenant_id, site_id))
