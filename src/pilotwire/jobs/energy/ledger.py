"""What is written down of a site: its flows minute by minute, and the month's highest demand."""

from datetime import date, datetime

import asyncpg

from pilotwire.db.engine import Database
from pilotwire.domain.energy import repository as rows
from pilotwire.jobs.energy.site import SiteLoop

__all__ = ["Ledger"]

_FLOWS = ("grid_w", "solar_w", "wind_w", "battery_w", "chargers_w", "base_w", "battery_soc_percent")
_LONGEST_STEP_S = 120.0


class Ledger:
    """Means over time of one site's flows."""

    def __init__(self, now_s: float, month: date) -> None:
        self._last_s = now_s
        self._since_s = now_s
        self._sums: dict[str, float] = {}
        self._times: dict[str, float] = {}
        self._demand_since_s = 0.0
        self._demand_ws = 0.0
        self._demand_s = 0.0
        self._month = month

    @classmethod
    async def open(cls, connection: asyncpg.Connection, site: SiteLoop, now: datetime) -> "Ledger":
        """Begin where the database stands."""
        month = now.astimezone(site.zone).date().replace(day=1)
        site.peak_w = await rows.read_peak(connection, site.site_id, month)
        return cls(now.timestamp(), month)

    async def keep(self, database: Database, site: SiteLoop, now: datetime, interval_s: float) -> None:
        """Take in the present flows; write when an interval is over."""
        now_s = now.timestamp()
        step_s = min(now_s - self._last_s, _LONGEST_STEP_S)
        self._last_s = now_s
        if step_s <= 0:
            return
        for name in _FLOWS:
            value = getattr(site.flows, name)
            if value is not None:
                self._sums[name] = self._sums.get(name, 0.0) + value * step_s
                self._times[name] = self._times.get(name, 0.0) + step_s
        peak = self._demand(site, now, step_s)
        if now_s - self._since_s < interval_s and peak is None:
            return
        async with database.service.acquire() as connection:
            if peak is not None:
                await rows.write_peak(connection, site.tenant_id, site.site_id, self._month, peak, now)
            if now_s - self._since_s >= interval_s:
                means: dict[str, float | None] = {
                    name: self._sums[name] / self._times[name] for name in self._sums if self._times[name] > 0
                }
                means["price_per_kwh"] = site.price(now_s)
                await rows.write_history(
                    connection, site.tenant_id, site.site_id, now, now_s - self._since_s, means
                )
                self._since_s, self._sums, self._times = now_s, {}, {}

    def _demand(self, site: SiteLoop, now: datetime, step_s: float) -> float | None:
        """Add to the demand of this interval (a quarter of an hour, mostly); give a new highest one of the month."""
        month = now.astimezone(site.zone).date().replace(day=1)
        if month != self._month:
            self._month, site.peak_w = month, 0.0
        length = site.tree.contract.demand_interval_s
        began = now.timestamp() // length * length
        found = None
        if began != self._demand_since_s:
            if self._demand_s > length / 2:
                mean = self._demand_ws / self._demand_s
                if mean > site.peak_w:
                    site.peak_w = found = mean
            self._demand_since_s, self._demand_ws, self._demand_s = began, 0.0, 0.0
        if site.flows.grid_w is not None:
            self._demand_ws += site.flows.grid_w * step_s
            self._demand_s += step_s
        return found
