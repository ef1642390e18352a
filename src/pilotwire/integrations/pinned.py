"""HTTP to addresses that somebody has given: the connection is made to the address that the egress policy has checked."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from ipaddress import IPv6Address

import certifi
import httpx

from pilotwire.integrations.egress import EgressPolicy, EgressRefused

__all__ = ["PinnedClient"]

_CONNECT_S = 5.0


class PinnedClient:
    """Sends within the egress policy. No proxy, no redirect, no cookie, no connection that is used twice."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        patience_s: float,
        connections: int,
        headers: Mapping[str, str],
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        if trusted is None:
            trusted = ssl.create_default_context()
            trusted.load_verify_locations(certifi.where())
        self._client = httpx.AsyncClient(
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(patience_s, connect=_CONNECT_S),
            # Connections are kept by address, not by name: one that is kept could serve another name.
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=0),
            headers={"user-agent": f"Pilotwire/{version('pilotwire')}", **headers},
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    def refusal(self, url: str) -> str | None:
        """Say why an address can never be asked; None: it may be tried."""
        try:
            self._policy.check(url)
        except EgressRefused as refusal:
            return str(refusal)
        return None

    @asynccontextmanager
    async def send(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Send once and give the answer, whose content is still to be read.

        Raises: EgressRefused, OSError, httpx.HTTPError.
        """
        parts = self._policy.check(url)
        address, port = await self._policy.resolve(parts)
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = self._client.build_request(
            method,
            f"{parts.scheme}://{host}:{port}{path}",
            content=content,
            headers={**headers, "host": parts.netloc},
            # The certificate must be the name's, although the connection is made to the address.
            extensions={"sni_hostname": parts.hostname},
        )
        response = await self._client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()
