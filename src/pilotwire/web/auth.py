"""Who asks: an API key in the header, or the cookie of a login."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from pilotwire.core.errors import Forbidden, Invalid, Unauthenticated
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.usecases.sign_in import identify_by_key, identify_by_login
from pilotwire.web.services import WebServices

__all__ = ["COOKIE", "Asking", "Services", "address_of", "identify", "require_same_origin"]

COOKIE = "pilotwire_login"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, scheme_name="apiKey", description="An API key: `pw_...`")
_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, scheme_name="login", description="The cookie of `POST /login`"
)


def get_services(request: Request) -> WebServices:
    """Give what the application was made with."""
    services: WebServices = request.app.state.services
    return services


Services = Annotated[WebServices, Depends(get_services)]


async def identify(request: Request) -> Principal:
    """Tell who asks.

    Raises: Unauthenticated; Forbidden for a cookie that another site's page may have sent.
    """
    services = get_services(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not key.strip():
            raise Unauthenticated("send 'Authorization: Bearer <API key>'")
        return await identify_by_key(services.db, key.strip(), services.clock(), address_of(request))
    token = request.cookies.get(COOKIE)
    if not token:
        raise Unauthenticated("send 'Authorization: Bearer <API key>', or sign in")
    if request.method not in _SAFE_METHODS:
        require_same_origin(request, strictly=True)
    return await identify_by_login(services.db, token, services.clock(), address_of(request))


def address_of(request: Request) -> str:
    """Tell from where somebody asks."""
    return request.client.host if request.client else ""


def require_same_origin(request: Request, *, strictly: bool) -> None:
    """Refuse a request that a page of another site may have made a browser send.

    `strictly` asks for a proof: the header `X-Pilotwire`, which such a page cannot set, or our own origin.
    Raises: Forbidden.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("the request comes from a page of another site")
    if strictly and origin is None and "x-pilotwire" not in request.headers:
        raise Forbidden("with a login's cookie, send the header 'X-Pilotwire: 1'")


async def _asking(
    request: Request,
    _key: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _token: Annotated[str | None, Security(_cookie)],
) -> Principal:
    return await identify(request)


Asking = Annotated[Principal, Depends(_asking)]


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse query parameters that the address does not know: a mistyped filter must not show everything.

    Raises: Invalid.
    """
    for name, value in request.query_params.multi_items():
        if "\0" in value:
            raise Invalid(f"the parameter '{name[:40]}' has a NUL character")
    if any("\0" in str(value) for value in request.path_params.values()):
        raise Invalid("the address has a NUL character")
    if not request.query_params:
        return
    known = _known_parameters(request)
    if known is None:  # a page, which may be linked to with anything behind it
        return
    unknown = sorted(name for name in request.query_params if name not in known)
    if unknown:
        names = ", ".join(f"'{name[:40]}'" for name in unknown[:5])
        raise Invalid(f"unknown parameter {names}; known here: {', '.join(sorted(known)) or 'none'}")


def _known_parameters(request: Request) -> frozenset[str] | None:
    table: dict[str, frozenset[str]] | None = getattr(request.app.state, "query_parameters", None)
    if table is None:
        table = {
            operation["operationId"]: frozenset(
                parameter["name"]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            )
            for operations in request.app.openapi()["paths"].values()
            for operation in operations.values()
        }
        request.app.state.query_parameters = table
    return table.get(request.scope["route"].name)
