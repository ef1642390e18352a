"""What is expected at a site, and where its energy came from: `/sites/{id}/energy/forecast`, `.../origin`, `.../series`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from pilotwire.core.errors import Invalid
from pilotwire.domain.energy.usecases import manage_series, view_forecasts, view_origins
from pilotwire.domain.energy.usecases.manage_series import Kind, SeriesValue
from pilotwire.web.api.fields import Given, Moment, Name, Shown
from pilotwire.web.api.origins import Origin, show_origin, show_rest
from pilotwire.web.auth import Asking, Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
SeriesKind = Annotated[Kind, Path(description="Prices are per kWh, intensities in g/kWh.")]
Since = Annotated[Moment | None, Query(description="Left out: a day before `until`.")]
Until = Annotated[Moment | None, Query(description="Left out: now.")]


class Band(Shown):
    """What is expected of one quantity: a list of one value per step for each quantile."""

    target: str = Field(
        description="`base_w`, `solar_w`, `wind_w`, or `arrivals` per step.", examples=["solar_w"]
    )
    quantiles: list[float] = Field(examples=[[0.1, 0.5, 0.9]])
    values: list[list[float]]


class StayExpected(Shown):
    """What is expected of a session of an unknown driver that begins in an hour of this day, by quantile."""

    hour: int = Field(description="Of the day at the site.")
    stay_h: list[float] = Field(default_factory=list)
    energy_wh: list[float] = Field(default_factory=list)


class ModelErrors(Shown):
    """How wrong a model was on the latest quarter of the past, which it had not seen; in units of the target.

    `mae` is the mean error of the median, `pinball` the mean loss over the quantiles, `inside` the part of what came that
    lay within the band.
    """

    mae: float
    pinball: float
    inside: float


class ForecastModel(Shown):
    """The model of one target. `method` `none`: there is too little past; `plain`: quantiles by hour; `boosted`: trees."""

    target: str
    method: str = Field(examples=["boosted"])
    samples: int
    needed: int = Field(description="So many samples are enough for the boosted model to be tried.")
    since: datetime | None
    until: datetime | None
    fitted_at: datetime
    errors: dict[str, ModelErrors] = Field(description="By method, also of the one that is not used.")


class EnergyForecast(Shown):
    """What is expected at a site. The lists are empty, and `made_at` is null, until enough is known."""

    site_id: UUID
    made_at: datetime | None
    starts_at: list[datetime]
    step_s: float
    bands: list[Band]
    stay_quantiles: list[float]
    stays: list[StayExpected]
    models: list[ForecastModel]


class SeriesGiven(Given):
    """What holds in spans of time; what was said before of the whole span gives way."""

    source: Name = Field(description="Who says so.", examples=["grid operator"])
    values: list["SpanGiven"] = Field(min_length=1, max_length=5_000)


class SpanGiven(Given):
    """A value from a moment to another."""

    starts_at: Moment
    ends_at: Moment
    value: float = Field(ge=-100_000, le=100_000, allow_inf_nan=False)


class SeriesTaken(Shown):
    """So many values were kept."""

    taken: int


class SeriesSpan(Shown):
    """A value of a series, and who brought it."""

    starts_at: datetime
    ends_at: datetime
    value: float
    source: str
    received_at: datetime


class OriginStep(Shown):
    """A step: what the site used in all, what of it its sessions took, and the rest."""

    at: datetime
    site: Origin
    sessions: Origin
    rest: Origin


class SiteOrigin(Shown):
    """Where a site's energy came from, in steps."""

    step_s: int
    items: list[OriginStep]


@router.get("/sites/{site_id}/energy/forecast")
async def get_energy_forecast(asking: Asking, services: Services, site_id: SiteId) -> EnergyForecast:
    """Get what is expected at a site as bands of quantiles, and how far the models behind it can be believed."""
    found = await view_forecasts.get_forecast(services.db, asking, site_id)
    content: dict[str, Any] = {} if found.forecast is None else found.forecast.content
    bands = content.get("bands", [])
    steps = len(bands[0]["values"][0]) if bands else 0
    starts_s, step_s = content.get("starts_s", 0.0), content.get("step_s", 3600.0)
    return EnergyForecast(
        site_id=site_id,
        made_at=None if found.forecast is None else found.forecast.made_at,
        starts_at=[datetime.fromtimestamp(starts_s + number * step_s, UTC) for number in range(steps)],
        step_s=step_s,
        bands=[Band.model_validate(each) for each in bands],
        stay_quantiles=content.get("stay_quantiles", []),
        stays=[StayExpected.model_validate(each) for each in content.get("stays", [])],
        models=[_show_model(row) for row in found.models],
    )


@router.post("/sites/{site_id}/energy/forecast", status_code=202)
async def fit_energy_forecast(asking: Asking, services: Services, site_id: SiteId) -> None:
    """Have a site's models fitted anew, within a minute or so; they are once a day anyway."""
    await view_forecasts.want_forecast(services.db, services.bus, asking, site_id)


@router.get("/sites/{site_id}/energy/origin")
async def get_energy_origin(
    asking: Asking,
    services: Services,
    site_id: SiteId,
    since: Since = None,
    until: Until = None,
    step_s: Annotated[int, Query(ge=900, le=31 * 86_400, multiple_of=900)] = 3600,
) -> SiteOrigin:
    """Get where a site's energy came from, and what it emitted; `site` is always `sessions` and `rest` together."""
    end = until or services.clock()
    begin = since or end - timedelta(days=1)
    origin = datetime.fromtimestamp(begin.timestamp() // 900 * 900, UTC)
    found = await view_origins.get_site_origin(services.db, asking, site_id, origin, end, step_s)
    return SiteOrigin(step_s=step_s, items=[_show_step(*each) for each in found])


@router.put("/sites/{site_id}/energy/series/{series}")
async def put_energy_series(
    asking: Asking, services: Services, site_id: SiteId, series: SeriesKind, body: SeriesGiven
) -> SeriesTaken:
    """Bring what a kWh of the grid emits at a site (average or marginal), or what it costs, hour by hour or finer."""
    return await _put(asking, services, site_id, series, body)


@router.get("/sites/{site_id}/energy/series/{series}")
async def list_energy_series(
    asking: Asking,
    services: Services,
    site_id: SiteId,
    series: SeriesKind,
    since: Since = None,
    until: Annotated[Moment | None, Query(description="Left out: two days from now.")] = None,
) -> list[SeriesSpan]:
    """List the values of a series of a site, also those that a VTN has told."""
    return await _list(asking, services, site_id, series, (since, until))


@router.put("/energy/series/{series}")
async def put_common_series(
    asking: Asking, services: Services, series: SeriesKind, body: SeriesGiven
) -> SeriesTaken:
    """Bring what a kWh of the grid emits for all sites; what is known of a site itself goes before."""
    return await _put(asking, services, None, series, body)


@router.get("/energy/series/{series}")
async def list_common_series(
    asking: Asking,
    services: Services,
    series: SeriesKind,
    since: Since = None,
    until: Annotated[Moment | None, Query(description="Left out: two days from now.")] = None,
) -> list[SeriesSpan]:
    """List the values of a series that holds for all sites."""
    return await _list(asking, services, None, series, (since, until))


async def _put(
    asking: Asking, services: Services, site_id: UUID | None, kind: Kind, body: SeriesGiven
) -> SeriesTaken:
    if site_id is None and kind == "price":
        raise Invalid("prices are those of a site: bring them to /sites/ID/energy/series/price")
    values = [SeriesValue(each.starts_at, each.ends_at, each.value) for each in body.values]
    taken = await manage_series.push_series(
        services.db, services.bus, asking, site_id, kind, body.source, values
    )
    return SeriesTaken(taken=taken)


async def _list(
    asking: Asking,
    services: Services,
    site_id: UUID | None,
    kind: Kind,
    span: tuple[datetime | None, datetime | None],
) -> list[SeriesSpan]:
    until = span[1] or services.clock() + timedelta(days=2)
    since = span[0] or until - timedelta(days=3)
    found = await manage_series.list_series(services.db, asking, site_id, kind, since, until)
    return [SeriesSpan.model_validate(row) for row in found]


def _show_model(row: Any) -> ForecastModel:
    values = {name: getattr(row, name) for name in ForecastModel.model_fields if name != "errors"}
    errors = {
        method: ModelErrors(**{name: round(value, 4) for name, value in each.items()})
        for method, each in row.errors.items()
    }
    return ForecastModel(**values, errors=errors)


def _show_step(at: datetime, used: Any, taken: Any) -> OriginStep:
    site, sessions = show_origin(used), show_origin(taken)
    # Energy of sessions in quarters of which no mix is known is the site's too.
    if taken is not None and taken.unknown_wh:
        site = site.model_copy(
            update={
                "energy_wh": round(site.energy_wh + sessions.unknown_wh, 1),
                "unknown_wh": round(site.unknown_wh + sessions.unknown_wh, 1),
            }
        )
    return OriginStep(at=at, site=site, sessions=sessions, rest=show_rest(site, sessions))
