"""Where meters are read: `/sites/{id}/meters/{name}/source`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.domain.energy.meter_sources import ModbusSource, MqttSource
from pilotwire.domain.energy.usecases import manage_meter_sources
from pilotwire.web.api.fields import Given, Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["router", "source_schemas"]

router = APIRouter(prefix="/api/v1/sites/{site_id}", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
MeterName = Annotated[str, Path(max_length=200, description="The name of a meter in the site's tree.")]
_REF = "#/components/schemas/{name}"
_EITHER: dict[str, Any] = {
    "oneOf": [{"$ref": _REF.format(name=name)} for name in ("MqttSource", "ModbusSource")]
}


def source_schemas() -> dict[str, Any]:
    """Give the JSON schemas of sources, for the description of the API."""
    _, schemas = msgspec.json.schema_components([MqttSource, ModbusSource], ref_template=_REF)
    return schemas


class NewSource(Given):
    """Where a meter's readings are fetched."""

    source: dict[str, Any] = Field(json_schema_extra=_EITHER)
    password: str = Field("", max_length=1000, description="Of the MQTT broker; it is never shown again.")


class MeterSourceShown(Shown):
    """Where a meter's readings are fetched, when that worked last, and what is wrong with it now."""

    meter: str
    source: dict[str, Any] = Field(json_schema_extra=_EITHER)
    created_by: str
    created_at: datetime
    read_at: datetime | None
    error: str


@router.get("/meter-sources")
async def list_meter_sources(asking: Asking, services: Services, site_id: SiteId) -> list[MeterSourceShown]:
    """List the meters of a site that are read over MQTT and Modbus."""
    found = await manage_meter_sources.list_sources(services.db, asking, site_id)
    return [MeterSourceShown.model_validate(row) for row in found]


@router.put("/meters/{name}/source")
async def set_meter_source(
    asking: Asking, services: Services, site_id: SiteId, name: MeterName, body: NewSource
) -> MeterSourceShown:
    """Say where a meter's readings are fetched: a topic of an MQTT broker, or a device that speaks Modbus TCP."""
    row = await manage_meter_sources.set_source(
        services.db, services.seal, asking, site_id, name, given=body.source, password=body.password
    )
    return MeterSourceShown.model_validate(row)


@router.delete("/meters/{name}/source", status_code=204)
async def remove_meter_source(asking: Asking, services: Services, site_id: SiteId, name: MeterName) -> None:
    """Fetch a meter's readings no more."""
    await manage_meter_sources.remove_source(services.db, asking, site_id, name)
