"""Whether a handshake may pass: the limits first, then the doorkeeper. Knows no sockets."""

import ipaddress
import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from pilotwire.ocpp.gateway.handshake import HeadFault, UpgradeRequest, parse_authorization
from pilotwire.ocpp.gateway.handshake_log import HandshakeLog
from pilotwire.ocpp.gateway.identity import identity_candidates
from pilotwire.ocpp.gateway.limits import AttemptLimiter, BucketTable, Census, Limits
from pilotwire.ocpp.gateway.ports import (
    Admit,
    ClientCertificate,
    Doorkeeper,
    Handshake,
    HandshakeProblem,
    Refuse,
)

logger = logging.getLogger(__name__)

# A station that is refused for its credentials counts as a guess; one with, say, a wrong subprotocol does
# not.
_GUESS_STATUSES = (401, 403, 404)
_DRAIN_RETRY_S = 10
_BUSY_RETRY_S = 5
_FULL_RETRY_S = 60
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who knocks, as the socket or a trusted proxy tells it.

    `limit_key` is the address, or the /64 network of an IPv6 one; `counted` says that the handshake was counted when the
    socket was accepted.
    """

    address: str
    limit_key: str
    secure: bool
    certificate: ClientCertificate | None
    counted: bool = False


def limit_key(address: str) -> str:
    """What limits per address count: one IPv6 subscriber owns a whole /64."""
    if ":" not in address:
        return address
    try:
        ip = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))


class Gate:
    """Applies the limits and asks the doorkeeper; writes what it refuses into the handshake log."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        limits: Limits,
        log: HandshakeLog,
        prefix: str,
        clock: Callable[[], float],
    ) -> None:
        self._doorkeeper = doorkeeper
        self._prefix = prefix
        self._clock = clock
        self._per_address = BucketTable[str](
            limits.handshakes_per_s_per_address, limits.handshakes_burst_per_address, limits.table_size
        )
        self._admissions = BucketTable[str](limits.admissions_per_s, limits.admissions_burst, 1)
        self._tls = BucketTable[str](limits.tls_handshakes_per_s, limits.tls_handshakes_burst, 1)
        self.attempts = AttemptLimiter(limits)
        self.connected = Census(limits.max_connections, limits.max_connections_per_address)
        self.pending = Census(limits.max_pending, limits.max_pending_per_address)
        self.log = log
        self.draining = False

    def refusal_at_accept(self, key: str, *, tls: bool) -> Refuse | None:
        """Whether a fresh socket is turned away before anything is read, and before TLS costs anything."""
        if self.draining:
            return Refuse(503, HandshakeProblem.DRAINING, _spread(_DRAIN_RETRY_S))
        if not self.pending.has_room(key):
            return Refuse(503, HandshakeProblem.OVERLOADED, _spread(_BUSY_RETRY_S))
        if not tls:
            return None
        now = self._clock()
        if (wait := self._per_address.take(key, now)) > 0:
            return Refuse(429, HandshakeProblem.TOO_MANY_ATTEMPTS, _spread(wait))
        if (wait := self._tls.take(_ALL, now)) > 0:
            return Refuse(503, HandshakeProblem.OVERLOADED, _spread(wait))
        return None

    def judge(self, request: UpgradeRequest | HeadFault, caller: Caller) -> Admit | Refuse:
        """Decide on a request head; a refusal is in the log when this returns."""
        candidates = identity_candidates(request.raw_path, self._prefix)
        verdict = self._judge(request, candidates, caller)
        if isinstance(verdict, Refuse):
            subject = candidates[0] if candidates else request.raw_path
            self.log.record(subject, caller.address, verdict.reason, verdict.detail)
        return verdict

    def _judge(
        self, request: UpgradeRequest | HeadFault, candidates: tuple[str, ...], caller: Caller
    ) -> Admit | Refuse:
        now = self._clock()
        key = caller.limit_key
        if not caller.counted and (wait := self._per_address.take(key, now)) > 0:
            return Refuse(429, HandshakeProblem.TOO_MANY_ATTEMPTS, _spread(wait))
        if isinstance(request, HeadFault):
            return request.refusal
        if self.draining:
            return Refuse(503, HandshakeProblem.DRAINING, _spread(_DRAIN_RETRY_S))
        if not candidates:
            return Refuse(404, HandshakeProblem.WRONG_PATH)
        if not self.connected.has_room(key):
            return Refuse(503, HandshakeProblem.TOO_MANY_CONNECTIONS, _spread(_FULL_RETRY_S))
        if (wait := self._admissions.wait_s(_ALL, now)) > 0:
            return Refuse(503, HandshakeProblem.OVERLOADED, _spread(max(wait, _BUSY_RETRY_S)))
        if (wait := self.attempts.wait_s(candidates, key, now)) > 0:
            return Refuse(429, HandshakeProblem.TOO_MANY_ATTEMPTS, _spread(wait))
        verdict = self._ask(request, candidates, caller)
        if isinstance(verdict, Admit):
            self._admissions.take(_ALL, now)
            self.attempts.remember(verdict.identity, key, now)
        elif verdict.status in _GUESS_STATUSES:
            self.attempts.failed(candidates, key, now)
        return verdict

    def _ask(self, request: UpgradeRequest, candidates: tuple[str, ...], caller: Caller) -> Admit | Refuse:
        credentials, malformed = parse_authorization(request.authorization)
        handshake = Handshake(
            raw_path=request.raw_path,
            identity_candidates=candidates,
            authorization=credentials,
            offered=request.offered,
            remote_address=caller.address,
            client_certificate=caller.certificate,
            secure=caller.secure,
            user_agent=request.user_agent,
            credentials_malformed=malformed,
        )
        try:
            return self._doorkeeper.decide(handshake)
        except Exception:
            logger.exception("the doorkeeper failed on a handshake from %s", caller.address)
            return Refuse(503, HandshakeProblem.INTERNAL_FAULT, _spread(_BUSY_RETRY_S))


def _spread(wait_s: float) -> int:
    """A Retry-After that does not bring all back at the same second."""
    return math.ceil(wait_s * random.uniform(1.0, 2.0))  # noqa: S311 - spreads load, keeps no secret
