"""Signing in by every way, and one's own account: `/login`, `/logout`, `/password`, `/me`."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, StringConstraints

from pilotwire.core.errors import NotFound, PilotwireError
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.model import Principal, Right, Role
from pilotwire.domain.identity.usecases import (
    manage_passwords,
    manage_users,
    second_factor,
    sign_in,
    sign_on_by_provider,
    use_passkeys,
)
from pilotwire.domain.identity.usecases.second_factor import require_person
from pilotwire.domain.identity.usecases.sign_in import LOGIN_LASTS, Visitor
from pilotwire.domain.identity.usecases.use_passkeys import Site
from pilotwire.web.api.fields import Given, Name, Shown
from pilotwire.web.auth import COOKIE, Asking, Services, address_of, require_same_origin
from pilotwire.web.paging import Page
from pilotwire.web.services import WebServices

__all__ = ["Login", "Password", "router", "show_login"]

router = APIRouter(prefix="/api/v1", tags=["login"])

_STEP_COOKIE = "pilotwire_sign_in"
_CALLBACK = "/api/v1/login/single-sign-on/callback"

Password = Annotated[str, Field(max_length=1000, description="12 to 256 characters.")]
Code = Annotated[
    str, StringConstraints(max_length=40), Field(description="Of the authenticator app, or a recovery code.")
]
Secret = Annotated[str, StringConstraints(max_length=200)]


class Credentials(Given):
    """Who wants to sign in. `code` is needed where the answer without it is `code_needed`."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[str, StringConstraints(max_length=1000)]
    code: Code = ""


class Me(Shown):
    """Who is asking, and what they may do."""

    id: UUID | None = Field(description="The person; null for an API key.")
    name: str = Field(description="The e-mail address, or `key:` and the API key's name.")
    role: Role
    roles: list[Role]
    permissions: list[Right]
    sites: list[UUID] | None = Field(description="Only what stands there is seen; null is no limit.")


class SingleSignOn(Shown):
    """Where single sign-on begins: send the browser to `address`."""

    name: str
    address: str


class SignInMethods(Shown):
    """By which ways people may sign in here."""

    password: bool
    passkey: bool
    single_sign_on: SingleSignOn | None


class PasskeyStep(Shown):
    """What to give to the browser: `options` for `navigator.credentials`; send `step` back with its answer."""

    step: str
    options: dict[str, Any]


class PasskeyAnswer(Given):
    """What the browser answered, with binary parts in base64url (`PublicKeyCredential.toJSON()`)."""

    step: Secret
    credential: dict[str, Any]


class NewPasskey(PasskeyAnswer):
    """A passkey to be added."""

    name: Name = Field(examples=["Work laptop"])


class Passkey(Shown):
    """A device that signs one in. `backed_up`: it is on several devices of the person."""

    id: UUID
    name: str
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


class NewTotp(Shown):
    """A secret for an authenticator app: to be typed, or `uri` as a QR code. It counts once confirmed."""

    secret: str
    uri: str


class CodeGiven(Given):
    """A code of the authenticator app, or a recovery code."""

    code: Code


class RecoveryCodes(Shown):
    """Codes for the day on which the phone is lost, each good once. They are shown this once."""

    recovery_codes: list[str]


class OwnPassword(Given):
    """One's own new password. `current` may be empty for those who have none yet."""

    current: Annotated[str, StringConstraints(max_length=1000)] = ""
    password: Password


class PasswordByLink(Given):
    """A password chosen by a link."""

    token: Secret
    password: Password


class PasswordChosen(Shown):
    """Whose password was chosen."""

    email: str


class Login(Shown):
    """A login that is still good. `current`: the one that asks."""

    id: UUID
    method: str = Field(examples=["password", "password+code", "passkey", "single_sign_on"])
    remote_address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime | None
    expires_at: datetime
    current: bool


def _show_me(principal: Principal) -> Me:
    return Me(
        id=principal.user_id,
        name=principal.name,
        role=principal.role,
        roles=[principal.role],
        permissions=[right for right in Right if principal.may(right)],
        sites=None if principal.sites is None else sorted(principal.sites),
    )


def show_login(row: Any, principal: Principal) -> Login:
    """Give a login the API's shape."""
    same = ("id", "method", "remote_address", "user_agent", "created_at", "last_seen_at", "expires_at")
    return Login(**{name: getattr(row, name) for name in same}, current=principal.via == f"login:{row.id}")


def _visitor(request: Request) -> Visitor:
    return Visitor(address_of(request), request.headers.get("user-agent", ""))


def _attempts(request: Request) -> LoginAttempts:
    attempts: LoginAttempts = request.app.state.attempts
    return attempts


def _origin(request: Request, services: WebServices) -> str:
    """Give the site's own address as browsers know it."""
    return services.console_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"


def _site(request: Request, services: WebServices) -> Site:
    origin = _origin(request, services)
    return Site(urlsplit(origin).hostname or "", origin)


def _enter(request: Request, response: Response, opened: tuple[Principal, str]) -> Me:
    principal, token = opened
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LOGIN_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return _show_me(principal)


@router.get("/login/methods")
async def list_sign_in_methods(services: Services) -> SignInMethods:
    """Tell by which ways people may sign in."""
    provider = services.provider
    found = (
        None if provider is None else SingleSignOn(name=provider.name, address="/api/v1/login/single-sign-on")
    )
    return SignInMethods(password=True, passkey=True, single_sign_on=found)


@router.post("/login")
async def login(request: Request, response: Response, services: Services, body: Credentials) -> Me:
    """Sign in with a password: the answer sets a cookie that lasts twelve hours.

    `code_needed` asks for the same again with a code of the authenticator app.
    """
    require_same_origin(request, strictly=False)
    opened = await sign_in.sign_in(
        services.db,
        services.vault(),
        _attempts(request),
        services.clock(),
        _visitor(request),
        email=body.email,
        password=body.password,
        code=body.code,
    )
    return _enter(request, response, opened)


@router.post("/login/passkey/options")
async def begin_passkey_sign_in(request: Request, services: Services) -> PasskeyStep:
    """Begin to sign in with a passkey: give `options` to `navigator.credentials.get`."""
    require_same_origin(request, strictly=False)
    step, options = await use_passkeys.begin_sign_in(
        services.db, _attempts(request), _site(request, services), _visitor(request), services.clock()
    )
    return PasskeyStep(step=step, options=options)


@router.post("/login/passkey")
async def sign_in_with_passkey(
    request: Request, response: Response, services: Services, body: PasskeyAnswer
) -> Me:
    """Sign in with what the device answered: the answer sets a cookie that lasts twelve hours."""
    require_same_origin(request, strictly=False)
    opened = await use_passkeys.sign_in(
        services.db,
        _attempts(request),
        _site(request, services),
        _visitor(request),
        services.clock(),
        step=body.step,
        credential=body.credential,
    )
    return _enter(request, response, opened)


@router.get("/login/single-sign-on", status_code=303, response_class=RedirectResponse)
async def begin_single_sign_on(request: Request, services: Services) -> RedirectResponse:
    """Send the browser to the identity provider; it comes back signed in."""
    if services.provider is None:
        raise NotFound("no identity provider is set up: see PILOTWIRE_OIDC_ISSUER")
    address, browser = await sign_on_by_provider.begin(
        services.db,
        _attempts(request),
        services.provider,
        _visitor(request),
        services.clock(),
        _origin(request, services) + _CALLBACK,
    )
    answer = RedirectResponse(address, 303)
    answer.set_cookie(
        _STEP_COOKIE, browser, max_age=300, httponly=True, samesite="lax", secure=request.url.scheme == "https",
        path=_CALLBACK,
    )  # fmt: skip
    return answer


@router.get("/login/single-sign-on/callback", status_code=303, response_class=RedirectResponse)
async def finish_single_sign_on(
    request: Request,
    services: Services,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> RedirectResponse:
    """Take the browser back from the identity provider and send it to the console, signed in.

    If that cannot be, the console gets the reason: `/?sign_in_error=no_account`.
    """
    if services.provider is None:
        raise NotFound("no identity provider is set up: see PILOTWIRE_OIDC_ISSUER")
    try:
        if error or not code:
            return RedirectResponse("/?sign_in_error=refused_by_provider", 303)
        opened = await sign_on_by_provider.finish(
            services.db,
            services.provider,
            services.sign_on_rules,
            _visitor(request),
            services.clock(),
            state=state,
            code=code,
            browser=request.cookies.get(_STEP_COOKIE, ""),
        )
    except PilotwireError as problem:
        return RedirectResponse(f"/?sign_in_error={quote(problem.code)}", 303)
    answer = RedirectResponse("/", 303)
    _enter(request, answer, opened)
    answer.delete_cookie(_STEP_COOKIE, path=_CALLBACK)
    return answer


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, services: Services) -> None:
    """End the login of the cookie; without one there is nothing to do."""
    token = request.cookies.get(COOKIE)
    if token:
        require_same_origin(request, strictly=True)
        await sign_in.sign_out(services.db, token)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")


@router.post("/password")
async def choose_password(request: Request, services: Services, body: PasswordByLink) -> PasswordChosen:
    """Choose a password by the token of an invitation or a reset; then sign in with it."""
    require_same_origin(request, strictly=False)
    email = await manage_passwords.use_link(
        services.db,
        _attempts(request),
        address_of(request),
        services.clock(),
        secret=body.token,
        password=body.password,
    )
    return PasswordChosen(email=email)


@router.get("/me")
async def get_me(asking: Asking) -> Me:
    """Tell who is asking, and what they may do."""
    return _show_me(asking)


@router.post("/me/password", status_code=204)
async def change_own_password(
    request: Request, asking: Asking, services: Services, body: OwnPassword
) -> None:
    """Change one's own password; every other login of the person ends."""
    await manage_passwords.change_own_password(
        services.db, _attempts(request), asking, current=body.current, password=body.password
    )


@router.get("/me/logins")
async def list_own_logins(asking: Asking, services: Services) -> Page[Login]:
    """List one's own logins that are still good, the newest first."""
    rows = await manage_users.list_logins(services.db, asking, require_person(asking), services.clock())
    return Page(items=[show_login(row, asking) for row in rows], next=None)


@router.delete("/me/logins", status_code=204)
async def end_other_logins(asking: Asking, services: Services) -> None:
    """End every login of one's own but this one."""
    current = UUID(asking.via.partition(":")[2]) if asking.via.startswith("login:") else None
    await manage_users.end_logins(services.db, asking, require_person(asking), but=current)


@router.delete("/me/logins/{login_id}", status_code=204)
async def end_own_login(asking: Asking, services: Services, login_id: UUID) -> None:
    """End one of one's own logins; one that has ended stays so."""
    await manage_users.end_logins(services.db, asking, require_person(asking), only=login_id)


@router.get("/me/passkeys")
async def list_passkeys(asking: Asking, services: Services) -> Page[Passkey]:
    """List one's own passkeys."""
    rows = await use_passkeys.list_passkeys(services.db, asking)
    return Page(items=[Passkey.model_validate(row) for row in rows], next=None)


@router.post("/me/passkeys/options")
async def begin_adding_passkey(request: Request, asking: Asking, services: Services) -> PasskeyStep:
    """Begin to add a passkey: give `options` to `navigator.credentials.create`."""
    step, options = await use_passkeys.begin_adding(
        services.db, asking, _site(request, services), services.clock()
    )
    return PasskeyStep(step=step, options=options)


@router.post("/me/passkeys", status_code=201)
async def add_passkey(request: Request, asking: Asking, services: Services, body: NewPasskey) -> Passkey:
    """Add the passkey that the device made."""
    row = await use_passkeys.add_passkey(
        services.db,
        asking,
        _site(request, services),
        services.clock(),
        step=body.step,
        name=body.name,
        credential=body.credential,
    )
    return Passkey.model_validate(row)


@router.delete("/me/passkeys/{passkey_id}", status_code=204)
async def remove_passkey(asking: Asking, services: Services, passkey_id: UUID) -> None:
    """Remove one of one's own passkeys."""
    await use_passkeys.remove_passkey(services.db, asking, passkey_id)


@router.post("/me/totp")
async def begin_totp(asking: Asking, services: Services) -> NewTotp:
    """Begin to set up an authenticator app; it counts once `POST /me/totp/confirm` has seen a code."""
    secret, uri = await second_factor.begin_totp(services.db, services.vault(), asking)
    return NewTotp(secret=secret, uri=uri)


@router.post("/me/totp/confirm")
async def confirm_totp(asking: Asking, services: Services, body: CodeGiven) -> RecoveryCodes:
    """Ask for codes at every sign-in with a password from now on."""
    codes = await second_factor.confirm_totp(
        services.db, services.vault(), asking, body.code, services.clock()
    )
    return RecoveryCodes(recovery_codes=list(codes))


@router.post("/me/totp/remove", status_code=204)
async def remove_totp(request: Request, asking: Asking, services: Services, body: CodeGiven) -> None:
    """Ask for codes no more."""
    await second_factor.remove_totp(
        services.db, services.vault(), _attempts(request), asking, body.code, services.clock()
    )
