"""What calls to stations have to look like, for forms: `/ocpp-schemas`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.core.errors import NotFound
from pilotwire.domain.identity.model import Right, require
from pilotwire.web.api.fields import Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["stations"])

Version = Annotated[str, Path(max_length=20, description="An OCPP version.", examples=["2.0.1"])]


class Actions(Shown):
    """The calls that can be sent to a station of a version."""

    items: list[str] = Field(examples=[["Reset", "TriggerMessage"]])


@router.get("/ocpp-schemas/{version}")
async def list_ocpp_actions(asking: Asking, services: Services, version: Version) -> Actions:
    """List the calls that can be sent to stations of an OCPP version."""
    require(asking, Right.VIEW_NETWORK)
    found = services.ocpp.actions(version)
    if not found:
        raise NotFound(f"no calls are sent in OCPP {version!r} here; the versions are 1.6, 2.0.1 and 2.1")
    return Actions(items=list(found))


@router.get("/ocpp-schemas/{version}/{action}")
async def get_ocpp_schema(
    asking: Asking,
    services: Services,
    version: Version,
    action: Annotated[str, Path(max_length=64, examples=["TriggerMessage"])],
) -> dict[str, Any]:
    """Get the JSON schema of a call's payload, as this server checks it before it is sent."""
    require(asking, Right.VIEW_NETWORK)
    found = services.ocpp.schema(version, action)
    if found is None:
        raise NotFound(f"no call {action!r} is sent in OCPP {version!r}")
    return found
