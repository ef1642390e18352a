"""Energy management: `/sites/{id}/energy`, `/sites/{id}/meters`, `/sessions/{id}/charging-wish`."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Body, Path, Query

from pilotwire.core.errors import Invalid
from pilotwire.domain.energy.definition import EnergyTree
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.usecases import (
    manage_overrides,
    manage_trees,
    manage_wishes,
    push_readings,
    view_energy,
)
from pilotwire.web.api.energy_shapes import (
    EnergyHistory,
    EnergyLive,
    EnergyOverride,
    EnergyPlan,
    EnergyProblem,
    EnergySite,
    HistoryStep,
    Meter,
    MeterTaken,
    NewOverride,
    NewReading,
    NewReadings,
    NewWish,
    ProblemList,
    SessionWish,
)
from pilotwire.web.api.fields import Moment, rounded
from pilotwire.web.auth import Asking, Services

__all__ = ["MOST_BYTES", "PREFIX", "energy_schemas", "router"]

PREFIX, MOST_BYTES = "/api/v1/sites/", 16 * 1024 * 1024
"""How large a tree may be."""

router = APIRouter(prefix="/api/v1", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
SessionId = Annotated[UUID, Path(description="The id of a session.")]
NodeId = Annotated[str, Path(max_length=100, description="The id of a node.", examples=["grid"])]
MeterName = Annotated[str, Path(max_length=200, description="The name of a meter in the site's tree.")]
Raw = Annotated[dict[str, Any], Body()]
_REF = "#/components/schemas/{name}"
_VOLTAGE_V = 230.0


def energy_schemas() -> dict[str, Any]:
    """Give the JSON schemas of trees, for the description of the API."""
    _, schemas = msgspec.json.schema_components([EnergyTree], ref_template=_REF)
    return schemas


def _body(name: str, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"$ref": _REF.format(name=name)}
    if more:
        schema = {"type": "object", "properties": {"tree": schema, **more}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_CHANGE = _body(
    "EnergyTree",
    enabled={"type": "boolean", "description": "Whether energy management runs; left out: as it is."},
    version={"type": "integer", "description": "Refuse when the tree has another version by now."},
)


@router.get("/sites/{site_id}/energy")
async def get_energy(asking: Asking, services: Services, site_id: SiteId) -> EnergySite:
    """Get a site's energy tree and what is wrong with it; where none was given, a proposal made of its stations."""
    return _show(await manage_trees.get_energy(services.db, asking, site_id))


@router.put("/sites/{site_id}/energy", openapi_extra=_CHANGE)
async def put_energy(asking: Asking, services: Services, site_id: SiteId, body: Raw) -> EnergySite:
    """Replace the tree (`tree`), switch energy management on or off (`enabled`), or both.

    A tree with faults is kept as long as energy management is off, with its `problems` in the answer.
    """
    given, enabled, version = _take_change(body)
    return _show(
        await manage_trees.change_energy(
            services.db, services.bus, asking, site_id, given=given, enabled=enabled, version=version
        )
    )


@router.post("/sites/{site_id}/energy/check", openapi_extra=_body("EnergyTree"))
async def check_energy(asking: Asking, services: Services, site_id: SiteId, body: Raw) -> ProblemList:
    """Say what is wrong with a tree, and keep nothing."""
    problems = await manage_trees.check_tree(services.db, asking, site_id, body)
    return ProblemList(problems=[_show_problem(each) for each in problems])


@router.put("/sites/{site_id}/energy/nodes/{node_id}", openapi_extra=_body("NodeGiven"))
async def put_energy_node(
    asking: Asking, services: Services, site_id: SiteId, node_id: NodeId, body: Raw
) -> EnergySite:
    """Add or replace one node."""
    given = {**body, "id": node_id}
    return _show(await manage_trees.put_node(services.db, services.bus, asking, site_id, given))


@router.delete("/sites/{site_id}/energy/nodes/{node_id}")
async def remove_energy_node(
    asking: Asking, services: Services, site_id: SiteId, node_id: NodeId
) -> EnergySite:
    """Remove a node on which nothing hangs."""
    return _show(await manage_trees.remove_node(services.db, services.bus, asking, site_id, node_id))


@router.put("/sites/{site_id}/energy/evses/{station_id}/{evse_id}", openapi_extra=_body("EvseGiven"))
async def put_energy_evse(
    asking: Asking, services: Services, site_id: SiteId, station_id: str, evse_id: int, body: Raw
) -> EnergySite:
    """Add or replace one EVSE of the tree."""
    given = {**body, "station_id": station_id, "evse_id": evse_id}
    return _show(await manage_trees.put_evse(services.db, services.bus, asking, site_id, given))


@router.delete("/sites/{site_id}/energy/evses/{station_id}/{evse_id}")
async def remove_energy_evse(
    asking: Asking, services: Services, site_id: SiteId, station_id: str, evse_id: int
) -> EnergySite:
    """Take an EVSE off the tree: it is no longer managed."""
    return _show(
        await manage_trees.remove_evse(services.db, services.bus, asking, site_id, station_id, evse_id)
    )


@router.get("/sites/{site_id}/energy/live")
async def get_energy_live(asking: Asking, services: Services, site_id: SiteId) -> EnergyLive:
    """Get the site as it is now: flows, every node and phase, every EVSE with its limit and the reason for it."""
    return EnergyLive.model_validate(
        await view_energy.get_live(services.db, services.energy, asking, site_id)
    )


@router.get("/sites/{site_id}/energy/plan")
async def get_energy_plan(asking: Asking, services: Services, site_id: SiteId) -> EnergyPlan:
    """Get the plan for the hours to come."""
    return EnergyPlan.model_validate(
        await view_energy.get_plan(services.db, services.energy, asking, site_id)
    )


@router.get("/sites/{site_id}/energy/history")
async def get_energy_history(
    asking: Asking,
    services: Services,
    site_id: SiteId,
    since: Annotated[Moment | None, Query(description="Left out: a day before `until`.")] = None,
    until: Annotated[Moment | None, Query(description="Left out: now.")] = None,
    step_s: Annotated[int, Query(ge=60, le=86_400)] = 900,
) -> EnergyHistory:
    """Get the means of the site's flows in steps."""
    end = until or services.clock()
    rows = await view_energy.get_history(
        services.db, asking, site_id, since or end - timedelta(days=1), end, step_s
    )
    return EnergyHistory(step_s=step_s, items=[_show_step(row) for row in rows])


@router.get("/sites/{site_id}/energy/overrides")
async def list_energy_overrides(asking: Asking, services: Services, site_id: SiteId) -> list[EnergyOverride]:
    """List the limits that people have set and that hold now."""
    rows = await manage_overrides.list_overrides(services.db, services.clock, asking, site_id)
    return [_show_override(row, row.identity) for row in rows]


@router.post("/sites/{site_id}/energy/overrides", status_code=201)
async def set_energy_override(
    asking: Asking, services: Services, site_id: SiteId, body: NewOverride
) -> EnergyOverride:
    """Limit a node or an EVSE until a moment; it only ever tightens what the tree allows."""
    fields = body.model_dump()
    fields["evse_no"] = fields.pop("evse_id")
    row = await manage_overrides.set_override(
        services.db, services.bus, services.clock, asking, site_id, manage_overrides.Override(**fields)
    )
    return _show_override(row, body.station_id)


@router.delete("/sites/{site_id}/energy/overrides/{override_id}", status_code=204)
async def end_energy_override(asking: Asking, services: Services, site_id: SiteId, override_id: UUID) -> None:
    """Take a limit back."""
    await manage_overrides.end_override(services.db, services.bus, asking, site_id, override_id)


@router.get("/sites/{site_id}/meters")
async def list_meters(asking: Asking, services: Services, site_id: SiteId) -> list[Meter]:
    """List the meters that the site's tree names, with their newest readings."""
    found = await push_readings.list_meters(services.db, asking, site_id)
    return [_show_meter(name, places, row) for name, places, row in found]


@router.post("/sites/{site_id}/meters/{name}/readings", status_code=202)
async def push_meter_readings(
    asking: Asking, services: Services, site_id: SiteId, name: MeterName, body: NewReading | NewReadings
) -> MeterTaken:
    """Bring a reading of a meter, or several of which the newest is used."""
    given = body.readings if isinstance(body, NewReadings) else [body]
    now = services.clock()
    readings, spread = [], False
    for each in given:
        reading, guessed = _reading(each, now)
        spread |= guessed
        readings.append(reading)
    places = await push_readings.push_readings(
        services.db, services.bus, services.clock, asking, site_id, name, readings
    )
    note = "no current per phase: the power counts as spread evenly over the phases" if spread else ""
    return MeterTaken(meter=name, measures=list(places), note=note)


@router.get("/sessions/{session_id}/charging-wish")
async def get_charging_wish(asking: Asking, services: Services, session_id: SessionId) -> SessionWish:
    """Get what a session wants: how much energy, until when."""
    return _show_wish(await manage_wishes.get_wish(services.db, asking, session_id))


@router.put("/sessions/{session_id}/charging-wish")
async def set_charging_wish(
    asking: Asking, services: Services, session_id: SessionId, body: NewWish
) -> SessionWish:
    """Say what a running session wants."""
    return _show_wish(
        await manage_wishes.set_wish(
            services.db, services.bus, services.clock, asking, session_id, **body.model_dump()
        )
    )


@router.delete("/sessions/{session_id}/charging-wish")
async def forget_charging_wish(asking: Asking, services: Services, session_id: SessionId) -> SessionWish:
    """Take back what people have said; what the car has said stays."""
    return _show_wish(await manage_wishes.forget_wish(services.db, services.bus, asking, session_id))


def _take_change(body: dict[str, Any]) -> tuple[Any, bool | None, int | None]:
    try:
        change = msgspec.convert(body, _Change)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}; give tree, enabled, or both") from error
    return change.tree, change.enabled, change.version


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    tree: Any = None
    enabled: bool | None = None
    version: int | None = None


def _reading(given: NewReading, now: datetime) -> tuple[Reading, bool]:
    """Make a reading; and say whether its currents were guessed."""
    current, power = given.current_a, given.power_w
    if given.power_per_phase_w is not None:
        power = sum(given.power_per_phase_w) if power is None else power
        if current is None:
            l1, l2, l3 = (each / _VOLTAGE_V for each in given.power_per_phase_w)
            current = (l1, l2, l3)
    return Reading(given.at or now, current, power, given.soc_percent), current is None and power is not None


def _show(found: manage_trees.SiteEnergy) -> EnergySite:
    return EnergySite(
        site_id=found.site_id,
        enabled=found.enabled,
        derived=found.derived,
        version=found.version,
        changed_by=found.changed_by,
        changed_at=found.changed_at,
        tree=msgspec.to_builtins(found.tree),
        problems=[_show_problem(each) for each in found.problems],
    )


def _show_problem(problem: Any) -> EnergyProblem:
    severity: Literal["error", "warning"] = "warning" if problem.code in manage_trees.WARNINGS else "error"
    return EnergyProblem(code=problem.code, where=problem.where, message=problem.message, severity=severity)


def _show_override(row: Any, identity: str | None) -> EnergyOverride:
    kept = ("id", "node_id", "limit_a", "limit_w", "reason", "created_by", "created_at", "expires_at")
    values = {name: getattr(row, name) for name in kept}
    return EnergyOverride(station_id=identity, evse_id=row.evse_no, **values)


def _show_step(row: Any) -> HistoryStep:
    """Give a step without the noise of its binary form: watts to a tenth, prices to a hundredth of a cent."""
    values = {name: getattr(row, name) for name in HistoryStep.model_fields if name != "at"}
    places = {name: 4 if name == "price_per_kwh" else 1 for name in values}
    return HistoryStep(at=row.at, **{name: rounded(value, places[name]) for name, value in values.items()})


def _show_meter(name: str, places: tuple[str, ...], row: Any) -> Meter:
    if row is None:
        return Meter(
            name=name, measures=list(places), at=None, received_at=None, current_a=None, power_w=None,
            soc_percent=None,
        )  # fmt: skip
    phases = (row.current_l1_a, row.current_l2_a, row.current_l3_a)
    return Meter(
        name=name, measures=list(places), at=row.at, received_at=row.received_at,
        current_a=None if phases[0] is None else tuple(round(each, 2) for each in phases),
        power_w=rounded(row.power_w, 1), soc_percent=rounded(row.soc_percent, 1),
    )  # fmt: skip


def _show_wish(found: manage_wishes.SessionWish) -> SessionWish:
    wish = found.wish
    return SessionWish(
        session_id=found.session_id,
        energy_wh=wish.energy_wh,
        departure_at=wish.departure_at,
        priority=wish.priority,
        said=found.said,
    )
