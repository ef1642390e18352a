"""Tells the plan what is expected at a site: forecasts that were made of it, and series that others have brought."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pilotwire.db.engine import Database
from pilotwire.domain.energy import repository as sites
from pilotwire.domain.energy.definition import EnergyTree, compile_site, read_tree
from pilotwire.domain.energy.exchange import Series
from pilotwire.domain.energy.forecast_repository import newest_forecast
from pilotwire.domain.energy.model import GeneratorKind
from pilotwire.domain.energy.outlook import prices_of
from pilotwire.domain.energy.outside_repository import list_series
from pilotwire.domain.energy.ports import SiteForecast

__all__ = ["SiteOutlook", "forecast_of"]

_AHEAD = timedelta(hours=30)
_OLD = timedelta(hours=6)
"""A forecast that is older than this is no longer believed."""


class SiteOutlook:
    """The hours to come of a site, as its newest forecast and the series in the database have them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forecast(self, tenant_id: int, site_id: UUID, at_s: float) -> SiteForecast:
        """Give what is expected from a moment on."""
        del tenant_id
        since = datetime.fromtimestamp(at_s, UTC)
        until = since + _AHEAD
        async with self._database.service.acquire() as connection:
            rows = await list_series(connection, site_id, "price", since, until)
            content = await newest_forecast(connection, site_id, since - _OLD)
            found = await sites.list_sites(connection, site_id) if rows or content else []
        if not found:
            return SiteForecast()
        tree = read_tree(found[0].tree)
        base_w, generation_w = forecast_of(tree, content or {})
        prices = None
        if rows:
            zone = ZoneInfo(found[0].time_zone)
            site = compile_site(tree, str(site_id), zone, at_s - 3600, until.timestamp())
            known = [(row["starts_at"].timestamp(), row["ends_at"].timestamp(), row["value"]) for row in rows]
            prices = prices_of(site.contract, known, at_s, until.timestamp())
        return SiteForecast(base_w=base_w, generation_w=generation_w, prices=prices)


def forecast_of(
    tree: EnergyTree, content: Mapping[str, Any]
) -> tuple[Mapping[str, Series], Mapping[str, Series]]:
    """Give the medians of a kept forecast as the plan takes them: other loads by node, generation by generator.

    What all generators of a kind make is divided by their peaks.
    """
    medians: dict[str, Series] = {}
    for band in content.get("bands", ()):
        values = band["values"][band["quantiles"].index(0.5)]
        if values:
            medians[band["target"]] = Series(content["starts_s"], content["step_s"], tuple(values))
    base_w, generation_w = {}, {}
    root = next((node for node in tree.nodes if node.parent_id is None), None)
    if tree.forecast.load and root is not None and "base_w" in medians:
        base_w[root.id] = medians["base_w"]
    for kind, target in ((GeneratorKind.SOLAR, "solar_w"), (GeneratorKind.WIND, "wind_w")):
        those = [each for each in tree.generators if each.kind is kind]
        total_w = sum(each.peak_w for each in those)
        if not tree.forecast.generation or target not in medians or total_w <= 0:
            continue
        whole = medians[target]
        for each in those:
            part = tuple(value * each.peak_w / total_w for value in whole.values)
            generation_w[each.id] = Series(whole.starts_s, whole.step_s, part)
    return base_w, generation_w
