"""How batteries are told their set points: `/sites/{id}/energy/batteries`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.domain.energy.battery_controls import HttpControl, ModbusControl, MqttControl, SunSpecControl
from pilotwire.domain.energy.usecases import manage_batteries
from pilotwire.web.api.fields import Given, Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["control_schemas", "router"]

router = APIRouter(prefix="/api/v1/sites/{site_id}/energy/batteries", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
BatteryId = Annotated[str, Path(max_length=100, description="The id of a battery in the site's tree.")]
_REF = "#/components/schemas/{name}"
_KINDS = (SunSpecControl, ModbusControl, MqttControl, HttpControl)
_EITHER: dict[str, Any] = {"oneOf": [{"$ref": _REF.format(name=kind.__name__)} for kind in _KINDS]}


def control_schemas() -> dict[str, Any]:
    """Give the JSON schemas of controls, for the description of the API."""
    _, schemas = msgspec.json.schema_components(_KINDS, ref_template=_REF)
    return schemas


class NewControl(Given):
    """How a battery is told its set point."""

    control: dict[str, Any] = Field(json_schema_extra=_EITHER)
    password: str = Field("", max_length=1000, description="Of MQTT or HTTP; it is never shown again.")


class BatteryControlShown(Shown):
    """How a battery is told its set point, when it took one last, and what is wrong with it now."""

    battery: str
    control: dict[str, Any] = Field(json_schema_extra=_EITHER)
    created_by: str
    created_at: datetime
    told_at: datetime | None
    error: str


@router.get("")
async def list_battery_controls(
    asking: Asking, services: Services, site_id: SiteId
) -> list[BatteryControlShown]:
    """List the batteries of a site that are told set points."""
    found = await manage_batteries.list_controls(services.db, asking, site_id)
    return [BatteryControlShown.model_validate(row) for row in found]


@router.put("/{battery}/control")
async def set_battery_control(
    asking: Asking, services: Services, site_id: SiteId, battery: BatteryId, body: NewControl
) -> BatteryControlShown:
    """Let the plan steer a battery: over SunSpec or a register of Modbus TCP, by MQTT, or by HTTP."""
    row = await manage_batteries.set_control(
        services.db, services.seal, asking, site_id, battery, given=body.control, password=body.password
    )
    return BatteryControlShown.model_validate(row)


@router.delete("/{battery}/control", status_code=204)
async def remove_battery_control(
    asking: Asking, services: Services, site_id: SiteId, battery: BatteryId
) -> None:
    """Tell a battery nothing any more: it does as it likes."""
    await manage_batteries.remove_control(services.db, asking, site_id, battery)
