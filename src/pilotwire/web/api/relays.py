"""Relays: a station's frames also go to another back end: `/relays`, `/stations/{id}/relay`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, SecretStr
from sqlalchemy import Row

from pilotwire.domain.relays.model import Authority
from pilotwire.domain.relays.usecases import manage_relays
from pilotwire.web.api.fields import Given, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Page
from pilotwire.web.services import WebServices

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["relays"])

StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]


class NewRelay(Given):
    """Where a station's frames also go."""

    url: str = Field(
        max_length=500,
        description="The other back end's address for stations, without the identity.",
        examples=["wss://cpms.example.com/ocpp"],
    )
    password: SecretStr = Field(
        SecretStr(""), max_length=64, description="The station's password there; empty: none is sent."
    )
    authority: Authority = Field(
        Authority.PILOTWIRE, description="Whose answers the station gets, and whose calls reach it."
    )


class ShownRelay(Shown):
    """A station's relay. `detail` says what is wrong while it is not connected."""

    station_id: str
    url: str
    authority: Authority
    connected: bool
    detail: str
    created_by: str
    created_at: datetime


def _shown(services: WebServices, row: Row[tuple[object, ...]]) -> ShownRelay:
    connected, detail = services.relay_state(row.station_id)
    return ShownRelay.model_validate(
        {**row._mapping, "station_id": row.identity, "connected": connected, "detail": detail}
    )


@router.get("/relays")
async def list_relays(asking: Asking, services: Services) -> Page[ShownRelay]:
    """List all relays by station."""
    rows = await manage_relays.list_relays(services.db, asking)
    return Page[ShownRelay](items=[_shown(services, row) for row in rows], next=None)


@router.get("/stations/{station_id}/relay")
async def get_relay(asking: Asking, services: Services, station_id: StationId) -> ShownRelay:
    """Get a station's relay."""
    return _shown(services, await manage_relays.get_relay(services.db, asking, station_id))


@router.put("/stations/{station_id}/relay")
async def set_relay(asking: Asking, services: Services, station_id: StationId, body: NewRelay) -> ShownRelay:
    """Send a station's frames to another back end too. A connected station is asked to connect again for it."""
    relay = (body.url, body.password.get_secret_value(), body.authority)
    await manage_relays.set_relay(
        services.db, services.bus, services.vault(), services.clock, asking, station_id, relay
    )
    return _shown(services, await manage_relays.get_relay(services.db, asking, station_id))


@router.delete("/stations/{station_id}/relay", status_code=204)
async def remove_relay(asking: Asking, services: Services, station_id: StationId) -> None:
    """End a station's relay: from now on it speaks to this system alone."""
    await manage_relays.remove_relay(services.db, services.bus, asking, station_id)
