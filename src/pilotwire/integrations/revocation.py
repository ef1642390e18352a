"""Asks OCSP responders and reads revocation lists that stations name, within the egress policy."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import httpx
from cryptography import x509

from pilotwire.core.clock import Clock
from pilotwire.domain.certificates.status import Revocation, StatusQuery, StatusSource, StatusTold
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.pinned import PinnedClient
from pilotwire.integrations.revocation_answers import UselessError, question_of, read_answer, read_list

__all__ = ["RevocationChecker"]

_OCSP_BYTES = 64 * 1024
_CRL_BYTES = 8 * 1024 * 1024
_MOST_URLS = 3

Known = Callable[[], Awaitable[Sequence[str]]]
"""Gives the certificates (PEM) of issuers that are kept here."""


class RevocationChecker:
    """Asks one address after the other until one gives a useful answer.

    Answers are signed by those who give them and name their times, so that they come by plain HTTP as a rule
    (RFC 6960 A.1); what must not be asked stays what the egress policy says.
    """

    def __init__(self, policy: EgressPolicy, clock: Clock, known: Known, *, patience_s: float = 6.0) -> None:
        self._clock = clock
        self._known = known
        self._patience_s = patience_s
        self._client = PinnedClient(
            replace(policy, plain_http=True), patience_s=patience_s, connections=16, headers={}
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.close()

    async def check(self, query: StatusQuery) -> StatusTold:
        """Say what is known of a certificate; a failure is an answer with its reason."""
        reasons = []
        try:
            async with asyncio.timeout(self._patience_s):
                for url in query.urls[:_MOST_URLS]:
                    try:
                        return await self._ask(query, url)
                    except EgressRefused as error:
                        reasons.append(f"not allowed: {error}")
                    except UselessError as error:
                        reasons.append(str(error))
                    except (OSError, ssl.SSLError, httpx.HTTPError, UnicodeError) as error:
                        reasons.append(f"{type(error).__name__}: {error}")
        except TimeoutError:
            reasons.append(f"no answer within {self._patience_s:g} s")
        return StatusTold(Revocation.FAILED, reason="; ".join(reasons)[:500] or "no address is named")

    async def _ask(self, query: StatusQuery, url: str) -> StatusTold:
        if query.source is StatusSource.CRL:
            listed = await self._fetch("GET", url, b"", {}, _CRL_BYTES)
            return await asyncio.to_thread(read_list, query, listed, await self._issuers(), self._clock())
        question = question_of(query)
        headers = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
        answer = await self._fetch("POST", url, question, headers, _OCSP_BYTES)
        return read_answer(query, answer, await self._issuers(), self._clock())

    async def _issuers(self) -> list[x509.Certificate]:
        return [each for pem in await self._known() for each in _certificates(pem)]

    async def _fetch(
        self, method: str, url: str, content: bytes, headers: dict[str, str], most: int
    ) -> bytes:
        async with self._client.send(method, url, content, headers) as response:
            if response.status_code != httpx.codes.OK:
                raise UselessError(f"the responder answered {response.status_code}")
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > most:
                    raise UselessError(f"the answer is longer than {most} bytes")
        return bytes(answer)


@lru_cache(maxsize=1_000)
def _certificates(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())
