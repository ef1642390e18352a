"""OpenID Connect: the code flow with PKCE, found by discovery.

Spec: OpenID Connect Core 1.0, 3.1; Discovery 1.0, 4; RFC 7636.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pilotwire.domain.identity.errors import ProviderFailed
from pilotwire.domain.identity.ports import Claims

__all__ = ["OpenIdProvider"]

log = structlog.get_logger(__name__)

# What is signed with the client's own secret proves nothing to others, and none is no signature.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_PATIENCE_S = 10.0
_GOOD_FOR_S = 3600.0
_CLOCKS_DIFFER_S = 60
_LARGEST = 1024 * 1024


class OpenIdProvider:
    """One provider, known by the address of its issuer."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str = "",
        name: str = "Single sign-on",
        scopes: str = "openid email profile",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._now = now
        self._found: tuple[float, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    async def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Give the address to which the browser is sent.

        Raises: ProviderFailed.
        """
        endpoint = (await self._discover())["authorization_endpoint"]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": redirect_uri,
                "scope": self._scopes,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def redeem(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> Claims:
        """Trade the code that the browser brought back for what the provider says of the person.

        Raises: ProviderFailed, also when the answer is not signed, or not for us, or too old.
        """
        found = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        auth = None
        if self._client_secret:
            methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in methods:
                auth = (self._client_id, self._client_secret)
            else:
                form["client_secret"] = self._client_secret
        tokens = await self._ask("POST", found["token_endpoint"], data=form, auth=auth)
        values = await self._checked(str(tokens.get("id_token", "")), nonce)
        if "email" not in values and "userinfo_endpoint" in found:
            headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
            more = await self._ask("GET", found["userinfo_endpoint"], headers=headers)
            if more.get("sub") == values["sub"]:  # else it may be about somebody else (Core, 5.3.2)
                values = {**more, **values}
        return Claims(
            issuer=self._issuer,
            subject=values["sub"],
            email=str(values.get("email", "")),
            email_verified=values.get("email_verified") in (True, "true"),
            name=str(values.get("name", "")),
            values=values,
        )

    async def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Give the claims of a token that is signed by the provider, for us, for this sign-in, and not too old."""
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=_CLOCKS_DIFFER_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        for attempt in (1, 2):
            keys = await self._read_keys(again=attempt == 2)
            try:
                token = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
                rules.validate(token.claims)
            except (JoseError, ValueError) as error:
                # The provider may have changed its keys since they were read.
                if attempt == 1:
                    continue
                log.warning("the identity provider's token was refused", error=repr(error)[:300])
                raise ProviderFailed("the identity provider's token does not hold") from error
            claims = dict(token.claims)
            if isinstance(claims["aud"], list) and claims.get("azp", self._client_id) != self._client_id:
                raise ProviderFailed("the identity provider's token is for somebody else")
            return claims
        raise AssertionError("unreachable")

    async def _discover(self) -> Mapping[str, Any]:
        if self._found is not None and self._now() - self._found[0] < _GOOD_FOR_S:
            return self._found[1]
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = await self._ask("GET", address)
        if found.get("issuer") != self._issuer:
            raise ProviderFailed(f"{address} is about another issuer: {str(found.get('issuer'))[:100]}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str):
                raise ProviderFailed(f"{address} lacks {name}")
        self._found = (self._now(), found)
        return found

    async def _read_keys(self, *, again: bool) -> KeySet:
        if self._keys is None or again:
            found = await self._ask("GET", (await self._discover())["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set({"keys": found.get("keys", [])})
            except (JoseError, ValueError, TypeError) as error:
                raise ProviderFailed("the identity provider's keys cannot be read") from error
        return self._keys

    async def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
                answer = await client.request(method, address, **more)
            answer.raise_for_status()
            if len(answer.content) > _LARGEST:
                raise ProviderFailed("the identity provider's answer is too large")
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError) as error:
            log.warning("the identity provider failed", address=address, error=repr(error)[:300])
            raise ProviderFailed("the identity provider does not answer, or not as it should") from error
        if not isinstance(found, dict):
            raise ProviderFailed("the identity provider does not answer as it should")
        return found
