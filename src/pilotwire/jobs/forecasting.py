"""Keeps the forecasts of sites: models are fitted anew once a day, what is expected is written down every hour."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.db.engine import Database
from pilotwire.domain.energy import forecast_repository as rows
from pilotwire.domain.energy import repository as sites
from pilotwire.domain.energy.definition import EnergyTree, read_tree
from pilotwire.domain.energy.events import ForecastMade, ForecastWanted
from pilotwire.domain.energy.forecasts.predicting import predict_series, predict_stay
from pilotwire.domain.energy.forecasts.shapes import (
    SERIES_TARGETS,
    STAY_TARGETS,
    STEP_S,
    Model,
    Place,
    SeriesPast,
    SitePast,
)
from pilotwire.domain.energy.ports import ModelFitter
from pilotwire.domain.energy.repository import SiteRow

__all__ = ["STEPS", "Forecaster", "expected_of", "powers_of"]

log = structlog.get_logger(__name__)

STEPS = 48
_LOOK_S = 30.0
_PAST = timedelta(days=60)
_RECENT = timedelta(days=9)
_AGAIN = timedelta(hours=1)
"""After a failure the models of a site wait so long."""
_SOON = timedelta(hours=3)
"""A site of which too little is known is looked at again so soon."""


class Forecaster:
    """The job that keeps models and forecasts of all sites at which energy management runs."""

    def __init__(
        self,
        database: Database,
        bus: LocalBus,
        clock: Clock,
        fitter: ModelFitter,
        *,
        fit_every: timedelta = timedelta(days=1),
        retention: timedelta = timedelta(days=30),
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._fitter = fitter
        self._fit_every = fit_every
        self._retention = retention
        self._wanted: set[UUID] = set()
        self._failed: dict[UUID, datetime] = {}
        self._fresh: set[UUID] = set()
        self._hour: datetime | None = None
        self._wake = asyncio.Event()
        bus.subscribe(ForecastWanted, self._want)

    def _want(self, notice: ForecastWanted) -> None:
        self._wanted.add(notice.site_id)
        self._failed.pop(notice.site_id, None)
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.look()
            except Exception:
                log.exception("forecasts could not be kept; next try soon")
            try:
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Fit what is due, then write down what is expected where a new hour has begun.

        Repeats: harmless; two processes that do the same keep the same.
        """
        now = self._clock()
        await self._fit_due(now)
        await self._expect_due(now)

    async def _fit_due(self, now: datetime) -> None:
        wanted, self._wanted = self._wanted, set()
        async with self._database.service.acquire() as connection:
            due = await rows.list_stale(connection, now - self._fit_every, now - _SOON)
            due = {
                site_id for site_id in due if now - self._failed.get(site_id, now - _AGAIN) >= _AGAIN
            } | wanted
            if not due:
                return
            found = [row for row in await sites.list_sites(connection) if row.site_id in due]
            await rows.delete_old(connection, now - self._retention)
        try:
            await self._fit(found, now)
        except (RuntimeError, TimeoutError, OSError) as error:
            for row in found:
                self._failed[row.site_id] = now
            log.warning("models of sites could not be fitted; next try in an hour", error=str(error)[:500])

    async def _fit(self, found: Sequence[SiteRow], now: datetime) -> None:
        order: list[SiteRow] = []

        async def pasts() -> AsyncIterator[SitePast]:
            for row in found:
                async with self._database.service.acquire() as connection:
                    past = await _past_of(connection, row, now)
                if past is not None:
                    order.append(row)
                    yield past

        async with aclosing(self._fitter.fit(pasts())) as fitted:
            async for models in fitted:
                row = order[-1]
                async with self._database.service.acquire() as connection, connection.transaction():
                    await rows.keep_models(connection, row.tenant_id, row.site_id, models, now)
                self._fresh.add(row.site_id)
                self._bus.publish(ForecastMade(row.tenant_id, row.site_id, fitted=True))

    async def _expect_due(self, now: datetime) -> None:
        hour, fresh = _hour_of(now), self._fresh
        if hour == self._hour and not fresh:
            return
        async with self._database.service.acquire() as connection:
            found = await sites.list_sites(connection)
        self._fresh = set()
        for row in found:
            if hour != self._hour or row.site_id in fresh:
                await self._expect(row, hour)
        self._hour = hour

    async def _expect(self, row: SiteRow, hour: datetime) -> None:
        async with self._database.service.acquire() as connection:
            models = await rows.list_models(connection, row.site_id)
            place = await rows.find_place(connection, row.site_id)
            if not models or place is None:
                return
            series = await _series_of(connection, row.site_id, hour - _RECENT, hour)
        content = await asyncio.to_thread(
            expected_of, place, series, models, hour, powers_of(read_tree(row.tree))
        )
        async with self._database.service.acquire() as connection:
            await rows.keep_forecast(connection, row.tenant_id, row.site_id, hour, content)
        self._bus.publish(ForecastMade(row.tenant_id, row.site_id, fitted=False))


def expected_of(
    place: Place,
    series: Mapping[str, SeriesPast],
    models: Mapping[str, Model],
    hour: datetime,
    powers_w: Mapping[tuple[str, int], float],
) -> dict[str, Any]:
    """Put together what is expected at a site: quantiles of the hours to come, and of sessions by their hour of arrival."""
    made_s = hour.timestamp()
    bands = []
    for target in SERIES_TARGETS:
        if target in models:
            past = series.get(target) or SeriesPast(made_s, [])
            found = predict_series(models[target], past, place, made_s, STEPS)
            values = [[round(each, 2) for each in column] for column in found.T.tolist()]
            bands.append({"target": target, "quantiles": list(models[target].quantiles), "values": values})
    zone = ZoneInfo(place.time_zone)
    midnight = hour.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    power_w = max(powers_w.values(), default=0.0)
    stays = []
    for number in range(24):
        began_s = midnight.replace(hour=number).timestamp()
        said: dict[str, Any] = {
            target: [round(each, 2) for each in predict_stay(models[target], began_s, zone, "", power_w)]
            for target in STAY_TARGETS
            if target in models
        }
        if said:
            stays.append({"hour": number, **said})
    quantiles = next((list(models[each].quantiles) for each in STAY_TARGETS if each in models), [])
    return {"starts_s": made_s, "step_s": STEP_S, "bands": bands, "stay_quantiles": quantiles, "stays": stays}


def powers_of(tree: EnergyTree) -> dict[tuple[str, int], float]:
    """Give what each EVSE of a tree can draw, in W."""
    return {
        (each.station_id, each.evse_id): each.max_a * each.voltage_v * (3 if each.dc else each.number_phases)
        for each in tree.evses
    }


async def _past_of(connection: Any, row: SiteRow, now: datetime) -> SitePast | None:
    until = _hour_of(now)
    # One look at everything: sessions and flows that come together are seen together.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        place = await rows.find_place(connection, row.site_id)
        if place is None:
            return None
        powers_w = powers_of(read_tree(row.tree))
        stays = await rows.list_stays(connection, row.site_id, now - _PAST, powers_w)
        return SitePast(place, await _series_of(connection, row.site_id, until - _PAST, until), stays)


async def _series_of(
    connection: Any, site_id: UUID, since: datetime, until: datetime
) -> dict[str, SeriesPast]:
    found = await rows.read_hours(connection, site_id, since, until)
    arrivals = await rows.read_arrivals(connection, site_id, since, until)
    if arrivals is not None:
        found["arrivals"] = arrivals
    return found


def _hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
