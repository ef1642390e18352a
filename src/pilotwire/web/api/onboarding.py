"""How stations come in, and why some do not: enrolment keys, handshakes, deviations."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from pilotwire.domain.identity.model import Right, require, require_no_limit
from pilotwire.domain.stations.usecases import manage_enrolment, view_stations
from pilotwire.web.api.fields import Given, Moment, Name, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["onboarding"])


class NewEnrolmentKey(Given):
    """An enrolment key to be made."""

    name: Name = Field(examples=["Harbour car park, phase 2"])
    site_id: UUID | None = None
    admit: bool = Field(False, description="Let its stations charge at once; else they wait to be admitted.")
    maximum_uses: int = Field(100, ge=1, le=100_000)
    expires_at: Moment | None = None


class EnrolmentKey(Shown):
    """A key with which unknown stations may introduce themselves, as their password."""

    id: UUID
    name: str
    site_id: UUID | None
    admit: bool
    maximum_uses: int
    uses: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class EnrolmentKeyWithSecret(EnrolmentKey):
    """A new enrolment key with the key itself: it is shown this once."""

    key: str


class Handshake(Shown):
    """Attempts to connect that failed in one way, and what to do about it."""

    subject: str = Field(description="The identity, or the path where there was none.")
    remote_address: str
    problem: str = Field(examples=["wrong_password"])
    count: int
    first_at: datetime
    last_at: datetime
    detail: str
    explanation: str


class Deviation(Shown):
    """How often stations of a model needed a repair."""

    vendor: str
    model: str
    code: str
    count: int
    last_at: datetime
    last_station_id: str | None


@router.post("/enrolment-keys", status_code=201)
async def create_enrolment_key(
    asking: Asking, services: Services, body: NewEnrolmentKey
) -> EnrolmentKeyWithSecret:
    """Make an enrolment key. The key is in the answer, and nowhere else."""
    row, key = await manage_enrolment.create_enrolment_key(
        services.db,
        services.bus,
        services.pepper,
        asking,
        manage_enrolment.EnrolmentDraft(**body.model_dump()),
    )
    return EnrolmentKeyWithSecret(**EnrolmentKey.model_validate(row).model_dump(), key=key)


@router.get("/enrolment-keys")
async def list_enrolment_keys(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[EnrolmentKey]:
    """List enrolment keys, oldest first."""
    rows = await manage_enrolment.list_enrolment_keys(
        services.db, asking, decode_cursor(cursor, UUID), limit + 1
    )
    return make_page(rows, limit, EnrolmentKey.model_validate, lambda row: (row.id,))


@router.delete("/enrolment-keys/{key_id}")
async def revoke_enrolment_key(asking: Asking, services: Services, key_id: UUID) -> EnrolmentKey:
    """Revoke an enrolment key; it stays in the list, and stations that came in with it stay."""
    row = await manage_enrolment.revoke_enrolment_key(services.db, services.bus, asking, key_id)
    return EnrolmentKey.model_validate(row)


@router.get("/handshakes")
async def list_handshakes(asking: Asking, services: Services) -> Page[Handshake]:
    """List the newest failed handshakes with an explanation in words; they are kept in memory only."""
    require(asking, Right.VIEW_MESSAGES)
    require_no_limit(asking)  # who failed to come in stands at no site
    return Page(items=[Handshake.model_validate(dict(entry)) for entry in services.handshakes()], next=None)


@router.get("/deviations")
async def list_deviations(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Deviation]:
    """List how often each model of station needed which repair."""
    rows = await view_stations.list_deviations(
        services.db, asking, decode_cursor(cursor, str, str, str), limit + 1
    )
    return make_page(rows, limit, Deviation.model_validate, lambda row: (row.vendor, row.model, row.code))
