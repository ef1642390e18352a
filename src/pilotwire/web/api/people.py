"""People, API keys and the audit trail."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from pilotwire.domain.identity.model import Role
from pilotwire.domain.identity.repository import AuditFilter
from pilotwire.domain.identity.usecases import list_audit, manage_api_keys, manage_passwords, manage_users
from pilotwire.web.api.fields import Given, Line, Moment, Name, Shown
from pilotwire.web.api.login import Login, Password, show_login
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["people"])

Sites = Annotated[
    list[UUID] | None,
    Field(
        max_length=1000, description="Only what stands at these sites is seen and changed; null is no limit."
    ),
]


class NewApiKey(Given):
    """An API key to be made."""

    name: Name = Field(examples=["billing export"])
    role: Role
    sites: Sites = None
    expires_at: Moment | None = None


class ApiKey(Shown):
    """A key with which a program asks."""

    id: UUID
    name: str
    role: Role
    sites: list[UUID] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeyWithSecret(ApiKey):
    """A new API key with the key itself: it is shown this once."""

    key: str


class NewUser(Given):
    """A person to be added; without a password they choose one by a link, or use single sign-on."""

    email: Annotated[str, StringConstraints(max_length=254)] = Field(examples=["ada@example.com"])
    name: Line = ""
    role: Role
    sites: Sites = None
    password: Password | None = None


class UserChanges(Given):
    """What is to change; fields that are left out stay."""

    name: Name = ""
    role: Role = Role.VIEWER
    sites: Sites = None
    password: Password = ""
    disabled: bool = False


class User(Shown):
    """A person who may sign in, unless disabled."""

    id: UUID
    email: str
    name: str
    role: Role
    sites: list[UUID] | None
    created_at: datetime
    disabled_at: datetime | None
    last_signed_in_at: datetime | None
    has_password: bool
    has_totp: bool
    has_single_sign_on: bool


class PasswordLink(Shown):
    """A link by which a person chooses a password: an invitation, or a reset. The token is shown this once."""

    token: str
    expires_at: datetime


class AuditEntry(Shown):
    """Who did what to what, with the facts that it changed; secrets are not in it."""

    id: UUID
    at: datetime
    actor: str
    action: str = Field(examples=["station.changed"])
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    remote_address: str
    via: str = Field(description="The login, API key, link or other way by which the actor came.")


@router.post("/api-keys", status_code=201)
async def create_api_key(asking: Asking, services: Services, body: NewApiKey) -> ApiKeyWithSecret:
    """Make an API key. The key is in the answer, and nowhere else."""
    row, key = await manage_api_keys.create_api_key(
        services.db, asking, body.name, body.role, body.expires_at, sites=body.sites
    )
    return ApiKeyWithSecret(**ApiKey.model_validate(row).model_dump(), key=key)


@router.get("/api-keys")
async def list_api_keys(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[ApiKey]:
    """List API keys, oldest first."""
    rows = await manage_api_keys.list_api_keys(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, ApiKey.model_validate, lambda row: (row.id,))


@router.delete("/api-keys/{key_id}")
async def revoke_api_key(asking: Asking, services: Services, key_id: UUID) -> ApiKey:
    """Revoke an API key; it stays in the list."""
    return ApiKey.model_validate(await manage_api_keys.revoke_api_key(services.db, asking, key_id))


@router.post("/users", status_code=201)
async def create_user(asking: Asking, services: Services, body: NewUser) -> User:
    """Add a person who may sign in."""
    row = await manage_users.create_user(
        services.db,
        asking,
        email=body.email,
        name=body.name,
        role=body.role,
        password=body.password,
        sites=body.sites,
    )
    return User.model_validate(row)


@router.get("/users")
async def list_users(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[User]:
    """List people, oldest first."""
    rows = await manage_users.list_users(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, User.model_validate, lambda row: (row.id,))


@router.patch("/users/{user_id}")
async def change_user(asking: Asking, services: Services, user_id: UUID, body: UserChanges) -> User:
    """Change a person's name, role or password, or disable them; both latter ones end their logins."""
    changes = body.model_dump(exclude_unset=True)
    return User.model_validate(await manage_users.change_user(services.db, asking, user_id, changes))


@router.post("/users/{user_id}/password-link", status_code=201)
async def make_password_link(asking: Asking, services: Services, user_id: UUID) -> PasswordLink:
    """Make a link by which a person chooses a password, for an invitation or a reset; it is good for three days, once.

    Hand the token out by a way that you trust; the person sends it with `POST /password`.
    """
    token, expires_at = await manage_passwords.make_link(services.db, asking, user_id, services.clock())
    return PasswordLink(token=token, expires_at=expires_at)


@router.delete("/users/{user_id}/second-factors")
async def remove_second_factors(asking: Asking, services: Services, user_id: UUID) -> User:
    """Remove a person's authenticator app and passkeys, for one who has lost them."""
    return User.model_validate(await manage_users.remove_second_factors(services.db, asking, user_id))


@router.get("/users/{user_id}/logins")
async def list_logins(asking: Asking, services: Services, user_id: UUID) -> Page[Login]:
    """List a person's logins that are still good, the newest first."""
    rows = await manage_users.list_logins(services.db, asking, user_id, services.clock())
    return Page(items=[show_login(row, asking) for row in rows], next=None)


@router.delete("/users/{user_id}/logins", status_code=204)
async def end_logins(asking: Asking, services: Services, user_id: UUID) -> None:
    """End every login of a person."""
    await manage_users.end_logins(services.db, asking, user_id)


@router.get("/audit")
async def list_audit_entries(  # noqa: PLR0913, PLR0917 - one per parameter of the address
    asking: Asking,
    services: Services,
    actor: Annotated[str, Query(max_length=300)] = "",
    action: Annotated[
        str, Query(max_length=100, description="`user.changed`, or `user` for all of them.")
    ] = "",
    object: Annotated[str, Query(max_length=300)] = "",  # noqa: A002 - the name in the address
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AuditEntry]:
    """List who did what, the newest first."""
    wanted = AuditFilter(actor or None, action or None, object or None, since, until)
    rows = await list_audit.list_audit(services.db, asking, wanted, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, AuditEntry.model_validate, lambda row: (row.id,))
