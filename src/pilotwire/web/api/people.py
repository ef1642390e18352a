"""Signing in, people, API keys and the audit trail."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.model import Principal, Right, Role
from pilotwire.domain.identity.usecases import list_audit, manage_api_keys, manage_users, sign_in
from pilotwire.web.api.fields import Given, Line, Moment, Name, Shown
from pilotwire.web.auth import COOKIE, Asking, Services, require_same_origin
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["people"])

Password = Annotated[str, Field(max_length=1000, description="12 to 256 characters.")]


class Credentials(Given):
    """Who wants to sign in."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[str, StringConstraints(max_length=1000)]


class Me(Shown):
    """Who is asking, and what they may do."""

    name: str
    role: Role
    rights: list[Right]


class NewApiKey(Given):
    """An API key to be made."""

    name: Name = Field(examples=["billing export"])
    role: Role
    expires_at: Moment | None = None


class ApiKey(Shown):
    """A key with which a program asks."""

    id: UUID
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeyWithSecret(ApiKey):
    """A new API key with the key itself: it is shown this once."""

    key: str


class NewUser(Given):
    """A person to be added."""

    email: Annotated[str, StringConstraints(max_length=254)] = Field(examples=["ada@example.com"])
    name: Line = ""
    role: Role
    password: Password


class UserChanges(Given):
    """What is to change; fields that are left out stay."""

    name: Name = ""
    role: Role = Role.VIEWER
    password: Password = ""
    disabled: bool = False


class User(Shown):
    """A person who may sign in, unless disabled."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


class AuditEntry(Shown):
    """Who did what to what, with the facts that it changed; secrets are not in it."""

    id: UUID
    at: datetime
    actor: str
    action: str = Field(examples=["station.changed"])
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def _me(principal: Principal) -> Me:
    rights = [right for right in Right if principal.may(right)]
    return Me(name=principal.name, role=principal.role, rights=rights)


@router.post("/login")
async def login(request: Request, response: Response, services: Services, body: Credentials) -> Me:
    """Sign in: the answer sets a cookie that lasts twelve hours."""
    require_same_origin(request, strictly=False)
    attempts: LoginAttempts = request.app.state.attempts
    principal, token = await sign_in.sign_in(
        services.db,
        attempts,
        services.clock(),
        email=body.email,
        password=body.password,
        address=request.client.host if request.client else "",
    )
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sign_in.LOGIN_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return _me(principal)


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, services: Services) -> None:
    """End the login of the cookie; without one there is nothing to do."""
    token = request.cookies.get(COOKIE)
    if token:
        require_same_origin(request, strictly=True)
        await sign_in.sign_out(services.db, token)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")


@router.get("/me")
async def get_me(asking: Asking) -> Me:
    """Tell who is asking, and with which rights."""
    return _me(asking)


@router.post("/api-keys", status_code=201)
async def create_api_key(asking: Asking, services: Services, body: NewApiKey) -> ApiKeyWithSecret:
    """Make an API key. The key is in the answer, and nowhere else."""
    row, key = await manage_api_keys.create_api_key(
        services.db, asking, body.name, body.role, body.expires_at
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
        services.db, asking, email=body.email, name=body.name, role=body.role, password=body.password
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


@router.get("/audit")
async def list_audit_entries(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[AuditEntry]:
    """List who did what, the newest first."""
    rows = await list_audit.list_audit(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, AuditEntry.model_validate, lambda row: (row.id,))
