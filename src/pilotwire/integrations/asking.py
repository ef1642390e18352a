"""Asking somebody else's server for JSON, checked by the egress policy, bounded in time and size."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.pinned import PinnedClient

__all__ = ["AskFailed", "HttpAsker"]

_MOST_BYTES = 4 * 1024 * 1024


class AskFailed(Exception):
    """There is no useful answer. `status` is that of the answer, 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class HttpAsker:
    """Asks by HTTP, within the egress policy."""

    def __init__(
        self, policy: EgressPolicy, *, trusted: ssl.SSLContext | None = None, patience_s: float = 15.0
    ) -> None:
        self._patience_s = patience_s
        self._client = PinnedClient(
            policy,
            patience_s=patience_s,
            connections=32,
            headers={"accept": "application/json"},
            trusted=trusted,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.close()

    def refusal(self, url: str) -> str | None:
        """Say why an address can never be asked; None: it may be tried."""
        return self._client.refusal(url)

    async def ask(
        self,
        method: str,
        url: str,
        *,
        token: str = "",
        body: Any = None,
        form: Mapping[str, str] | None = None,
        wants_json: bool = True,
    ) -> Any:
        """Ask once and read the JSON of the answer; None for an empty one, or where none is wanted.

        Raises: AskFailed with the reason.
        """
        headers = {"authorization": f"Bearer {token}"} if token else {}
        content = b""
        if form is not None:
            content, headers["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            content, headers["content-type"] = msgspec.json.encode(body), "application/json"
        try:
            async with asyncio.timeout(self._patience_s):
                status, answer = await self._ask(method, url, content, headers)
        except EgressRefused as error:
            raise AskFailed(f"not allowed: {error}") from error
        except TimeoutError as error:
            raise AskFailed(f"no answer within {self._patience_s:g} s") from error
        except (OSError, ssl.SSLError, httpx.HTTPError, UnicodeError) as error:
            raise AskFailed(f"{type(error).__name__}: {error}"[:300]) from error
        if not 200 <= status < 300:
            text = answer[:200].decode("utf-8", "replace")
            raise AskFailed(f"{method} {url.partition('?')[0]} was answered with {status}: {text}", status)
        if not wants_json:
            return None
        try:
            return msgspec.json.decode(answer) if answer.strip() else None
        except msgspec.DecodeError as error:
            raise AskFailed(f"the answer is no JSON: {error}", status) from error

    async def _ask(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        async with self._client.send(method, url, content, headers) as response:
            answer = b""
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > _MOST_BYTES:
                    raise AskFailed(f"the answer is longer than {_MOST_BYTES} bytes", response.status_code)
        return response.status_code, answer
