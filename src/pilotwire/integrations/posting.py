"""Posting to somebody else's server: one attempt, checked, bounded in time and size."""

import asyncio
import ssl
import time

import httpx

from pilotwire.domain.webhooks.model import Answer, PostFailed
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.pinned import PinnedClient

__all__ = ["HttpPoster"]

_PATIENCE_S = 15.0
_EXCERPT_BYTES = 1000


class HttpPoster:
    """Posts by HTTP, within the egress policy."""

    def __init__(
        self, policy: EgressPolicy, *, trusted: ssl.SSLContext | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        self._patience_s = patience_s
        self._client = PinnedClient(
            policy,
            patience_s=patience_s,
            connections=64,
            headers={"accept-encoding": "identity"},
            trusted=trusted,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.close()

    def refusal(self, url: str) -> str | None:
        """Say why an address can never be posted to; None: it may be tried."""
        return self._client.refusal(url)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post once.

        Raises: PostFailed with the reason.
        """
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._post(url, body, headers, started)
        except EgressRefused as error:
            raise PostFailed(f"not allowed: {error}") from error
        except TimeoutError as error:
            raise PostFailed(f"no answer within {self._patience_s:g} s", _since(started)) from error
        except (OSError, ssl.SSLError, httpx.HTTPError, UnicodeError) as error:
            raise PostFailed(_in_words(error), _since(started)) from error

    async def _post(self, url: str, body: bytes, headers: dict[str, str], started: float) -> Answer:
        async with self._client.send("POST", url, body, headers) as response:
            latency_ms = _since(started)
            excerpt = b""
            async for chunk in response.aiter_raw():
                excerpt += chunk
                if len(excerpt) >= _EXCERPT_BYTES:
                    break
        return Answer(response.status_code, latency_ms, _readable(excerpt[:_EXCERPT_BYTES]))


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _readable(excerpt: bytes) -> str:
    text = excerpt.decode("utf-8", "replace")
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text).strip()


def _in_words(error: Exception) -> str:
    """Say what went wrong; the deepest cause has the words."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(error).__name__}: {cause}"[:400] if str(cause) else type(error).__name__
