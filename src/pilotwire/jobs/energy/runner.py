"""Runs the loops of every site where energy management is on, and tells what they do."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.energy import repository as rows
from pilotwire.domain.energy.definition import problems_with, read_tree
from pilotwire.domain.energy.drive import PACE, Pace
from pilotwire.domain.energy.events import (
    EnergyMeasured,
    EnergySiteChanged,
    ForecastMade,
    MeterRead,
    OverridesChanged,
    WishChanged,
)
from pilotwire.domain.energy.ports import Forecasts, NoForecasts, ProfileDesk
from pilotwire.domain.energy.records import ChargingNeedsKept, ExternalLimitCleared, ExternalLimitKept
from pilotwire.domain.energy.repository import SiteRow
from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.domain.stations.records import StationBootKept
from pilotwire.jobs.energy.actuator import Actuator
from pilotwire.jobs.energy.ears import Ears
from pilotwire.jobs.energy.ledger import Ledger
from pilotwire.jobs.energy.live import show_live, show_plan
from pilotwire.jobs.energy.loading import load_site, read_overrides, read_wishes
from pilotwire.jobs.energy.site import MakePlanner, SiteLoop

__all__ = ["EnergyOptions", "EnergyRunner"]

log = structlog.get_logger(__name__)

_THREAD_FROM = 150
_ALARM_GAP_S = 1.0
_PLAN_SOON_S = 3.0


@dataclass(frozen=True, slots=True)
class EnergyOptions:
    """How often the loops turn. Units: s."""

    balance_interval_s: float = 5.0
    plan_interval_s: float = 120.0
    history_interval_s: float = 60.0
    pace: Pace = PACE


class EnergyRunner:
    """The loops of all sites of this process. It is the `EnergyView` of what they do."""

    def __init__(
        self,
        database: Database,
        bus: LocalBus,
        desk: ProfileDesk,
        clock: Clock,
        options: EnergyOptions | None = None,
        forecasts: Forecasts | None = None,
        make_planner: MakePlanner | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self.options = options or EnergyOptions()
        self._forecasts = forecasts or NoForecasts()
        self._make_planner = make_planner
        self.sites: dict[UUID, SiteLoop] = {}
        self.actuator = Actuator(desk, bus, clock, self._keep_drives, self.options.pace)
        self._wake = asyncio.Event()
        self._ears = Ears(self.sites, self._wake.set)
        self._ledgers: dict[UUID, Ledger] = {}
        self._stale: set[UUID] = set()
        self._wished: set[UUID] = set()
        self._limited: set[UUID] = set()
        self._plan_at: dict[UUID, float] = {}
        self._shown: dict[UUID, dict[str, Any]] = {}
        self.turns = 0
        self._subscribe()

    def _subscribe(self) -> None:
        bus, ears = self._bus, self._ears
        bus.subscribe(EnergySiteChanged, self._site_changed)
        bus.subscribe(ForecastMade, self._forecast_made)
        bus.subscribe(WishChanged, lambda notice: self._wished.add(notice.session_id))
        bus.subscribe(OverridesChanged, lambda notice: self._limited.add(notice.site_id))
        bus.subscribe(MeterRead, ears.meter_read)
        bus.subscribe(SampleKept, ears.sample_kept)
        bus.subscribe(SessionKept, self._session_kept)
        bus.subscribe(ChargingNeedsKept, lambda notice: self._wished.add(notice.session_id))
        bus.subscribe(ExternalLimitKept, ears.limit_kept)
        bus.subscribe(ExternalLimitCleared, ears.limit_cleared)
        bus.subscribe(StationBootKept, ears.booted)
        bus.subscribe(StationChanged, lambda notice: self._station_changed(notice.record.identity))
        bus.subscribe(StationRemoved, lambda notice: self._station_changed(notice.identity))

    # EnergyView

    def live(self, tenant_id: int, site_id: UUID) -> dict[str, Any] | None:
        """Give flows, nodes and EVSEs of a site."""
        site = self.sites.get(site_id)
        if site is None or site.tenant_id != tenant_id:
            return None
        return show_live(site, self._unreachable(site), self._clock())

    def plan(self, tenant_id: int, site_id: UUID) -> dict[str, Any] | None:
        """Give a site's newest plan."""
        site = self.sites.get(site_id)
        return None if site is None or site.tenant_id != tenant_id else show_plan(site)

    def manages(self, station_id: int) -> bool:
        """Tell whether the loops run for a station."""
        return self._ears.knows(station_id)

    # The work

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await retry_while_away(self._load_all, lambda: True)
            while True:
                started = time.monotonic()
                for site in list(self.sites.values()):
                    await self._safely(self._turn, site)
                await self._safely(self._catch_up, None)
                self.turns += 1
                pause_s = max(0.05, self.options.balance_interval_s - (time.monotonic() - started))
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), pause_s)
                except TimeoutError:
                    continue
                # An overload is told with every reading of a meter; a turn each second is what it needs.
                await asyncio.sleep(min(pause_s, _ALARM_GAP_S - (time.monotonic() - started)))
        finally:
            await self.actuator.stop()

    async def _safely(self, work: Callable[[Any], Any], site: SiteLoop | None) -> None:
        """Do a part of a turn; a fault is logged and does not stop the others."""
        try:
            await work(site)
        except Exception as error:
            name = None if site is None else str(site.site_id)
            log.exception("a turn of energy management failed", site=name, error=repr(error)[:300])

    async def _turn(self, site: SiteLoop) -> None:
        now = self._clock()
        now_s = now.timestamp()
        site.compile_if_old(now_s)
        overloaded = site.overloaded()
        for key in list(site.plugged):
            self.actuator.watch(site, key, now_s, overloaded=overloaded)
        moment = site.make_moment(now, self._unreachable(site), self.actuator.pace)
        began = time.perf_counter()
        if len(site.evses) >= _THREAD_FROM:
            balancer = site.balancer
            state, balance = await asyncio.to_thread(site.balance_now, moment)
            if site.balancer is not balancer:
                return  # the tree was changed meanwhile
        else:
            state, balance = site.balance_now(moment)
        site.state, site.balance = state, balance
        site.balance_ms = (time.perf_counter() - began) * 1e3
        site.measure(now_s)
        limits = {each.evse_id: each.limit_a for each in balance.allocations if each.evse_id in site.plugged}
        await self.actuator.drive(site, limits)
        ledger = self._ledgers[site.site_id]
        await ledger.keep(self._database, site, now, self.options.history_interval_s)
        if now_s >= self._plan_at.get(site.site_id, 0.0):
            self._plan_at[site.site_id] = now_s + self.options.plan_interval_s
            await self._plan(site, now_s)
        self._tell(site, now)

    async def _plan(self, site: SiteLoop, now_s: float) -> None:
        if site.planner is None:
            return
        forecast = await self._forecasts.forecast(site.tenant_id, site.site_id, now_s)
        request, planner = site.plan_request(now_s, forecast), site.planner
        began = time.perf_counter()
        plan = await asyncio.to_thread(planner.solve, request)
        if site.planner is planner:
            site.plan, site.plan_ms = plan, (time.perf_counter() - began) * 1e3

    def _tell(self, site: SiteLoop, now: datetime) -> None:
        """Tell of flows and nodes, and of the EVSEs that have changed."""
        shown = show_live(site, self._unreachable(site), now)
        if shown is None:
            return
        evses = {each["key"]: each for each in shown["evses"]}
        before = self._shown.get(site.site_id, {})
        changed = [each for key, each in evses.items() if before.get(key) != each]
        self._shown[site.site_id] = evses
        live = {**shown, "evses": changed}
        self._bus.publish(EnergyMeasured(site.tenant_id, site.site_id, live))

    def _unreachable(self, site: SiteLoop) -> frozenset[str]:
        return frozenset(
            key
            for key, given in site.given.items()
            if not self.actuator.reachable(site.station_ids.get(given.station_id))
        )

    # What others change

    def _site_changed(self, notice: EnergySiteChanged) -> None:
        if not notice.enabled:
            self._drop(notice.site_id)
        self._stale.add(notice.site_id)
        self._wake.set()

    def _forecast_made(self, notice: ForecastMade) -> None:
        if notice.site_id not in self.sites:
            return
        if notice.fitted:
            self._stale.add(notice.site_id)
        self._plan_at[notice.site_id] = self._clock().timestamp() + _PLAN_SOON_S

    def _station_changed(self, identity: str) -> None:
        self._stale.update(
            site.site_id
            for site in self.sites.values()
            if any(each.station_id == identity for each in site.tree.evses)
        )

    def _session_kept(self, notice: SessionKept) -> None:
        site = self._ears.session_kept(notice)
        if site is not None:
            self._wished.add(notice.facts.id)
            self._plan_at[site.site_id] = min(
                self._plan_at.get(site.site_id, 0.0), self._clock().timestamp() + _PLAN_SOON_S
            )

    def _drop(self, site_id: UUID) -> None:
        self.sites.pop(site_id, None)
        self._shown.pop(site_id, None)
        self._ledgers.pop(site_id, None)
        self._ears.index()

    async def _catch_up(self, _: SiteLoop | None) -> None:
        """Read what has changed in the database since the last turn."""
        stale, self._stale = self._stale, set()
        limited, self._limited = self._limited, set()
        wished, self._wished = self._wished, set()
        if not (stale or limited or wished):
            return
        try:
            async with self._database.service.acquire() as connection:
                for site_id in stale:
                    found = await rows.list_sites(connection, site_id)
                    if found:
                        await self._load(connection, found[0])
                    else:
                        self._drop(site_id)
                now = self._clock()
                for site_id in limited & self.sites.keys():
                    await read_overrides(connection, self.sites[site_id], now)
                if wished:
                    changed = await read_wishes(connection, self.sites.values(), wished)
                    for site_id in changed:
                        self._plan_at[site_id] = now.timestamp()
        except BaseException:
            self._stale |= stale
            self._limited |= limited
            self._wished |= wished
            raise

    # Loading and keeping

    async def _load_all(self) -> None:
        async with self._database.service.acquire() as connection:
            for row in await rows.list_sites(connection):
                await self._load(connection, row)

    async def _load(self, connection: Any, row: SiteRow) -> None:
        tree = read_tree(row.tree)
        if faults := problems_with(tree):
            log.error("an energy tree cannot be used", site=str(row.site_id), problem=faults[0].message)
            self._drop(row.site_id)
            return
        now = self._clock()
        site = self.sites.get(row.site_id)
        if site is None:
            site = SiteLoop(row, tree, now.timestamp(), self.options.balance_interval_s, self._make_planner)
            await load_site(connection, site, now, fresh=True)
            self.sites[row.site_id] = site
            self._ledgers[row.site_id] = await Ledger.open(connection, site, now)
        else:
            if site.version != row.version or site.zone.key != row.time_zone:
                site.replace_tree(tree, row.version, row.time_zone, now.timestamp())
            await load_site(connection, site, now, fresh=False)
        self._plan_at[row.site_id] = now.timestamp()
        self._ears.index()

    async def _keep_drives(self, site: SiteLoop, keys: list[str]) -> None:
        kept = [
            (station_id, site.given[key].evse_id, site.drives[key])
            for key in keys
            if key in site.given and (station_id := site.station_ids.get(site.given[key].station_id))
        ]
        if kept:
            async with self._database.service.acquire() as connection:
                await rows.write_drives(connection, site.tenant_id, kept)
