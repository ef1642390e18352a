"""The clerk of certificates: signs what stations ask for, hands it over, renews in time, moves stations to safer profiles.

Everything it knows is in the database, and every step can be taken again: it looks at what is open, does the next
thing, and looks again when something has happened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.db.sealing import Seal
from pilotwire.domain.certificates import repository as rows
from pilotwire.domain.certificates.authority import issue_certificate
from pilotwire.domain.certificates.events import (
    AuthorityMade,
    CertificateChanged,
    CertificateHeld,
    UpgradeChanged,
)
from pilotwire.domain.certificates.model import Purpose
from pilotwire.domain.certificates.records import CertificateRequestKept
from pilotwire.domain.certificates.usecases.keep_authorities import authority_of
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.operations.commands import SendCertificate, Trigger
from pilotwire.domain.operations.events import CommandChanged
from pilotwire.domain.operations.model import FINAL, CommandState
from pilotwire.domain.operations.repository import outcome_of
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.stations.ports import StationConnected
from pilotwire.jobs.profile_upgrades import next_move

__all__ = ["CertificateClerk", "CertificatePolicy", "trust_own_roots"]

log = structlog.get_logger(__name__)

_LOOK_S = 30.0
_ASK_AGAIN = timedelta(days=1)
_DELIVERY_S = 7 * 86_400
_COMMANDS = frozenset(
    {
        "send_certificate", "trigger", "install_certificate", "set_configuration", "set_network_profile",
        "set_variables", "get_variables", "reset",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CertificatePolicy:
    """Who signs, for how long, and when a station is asked to renew. Units: days.

    `root_pem` is the root that stations must know to trust this server, empty when they know it anyway.
    """

    signs_itself: bool = True
    station_days: int = 365
    v2g_days: int = 90
    renew_before_days: int = 30
    root_pem: str = ""


class CertificateClerk:
    """Carries open requests, renewals and moves to safer profiles on."""

    def __init__(self, means: Means, seal: Seal, policy: CertificatePolicy) -> None:
        self._means = means
        self._database = means.db
        self._bus = means.bus
        self._clock = means.clock
        self._seal = seal
        self._policy = policy
        self._wake = asyncio.Event()
        for kind in (CertificateRequestKept, CertificateChanged, UpgradeChanged):
            means.bus.subscribe(kind, lambda _: self._wake.set())
        means.bus.subscribe(CommandChanged, self._command_changed)
        means.bus.subscribe(StationConnected, self._connected)
        self._used: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await retry_while_away(self._pass, lambda: True)
            except Exception:
                log.exception("certificates could not be looked after; next try soon")
            try:
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            except TimeoutError:
                continue

    def _command_changed(self, notice: CommandChanged) -> None:
        if notice.command in _COMMANDS and notice.state in FINAL:
            self._wake.set()

    def _connected(self, notice: StationConnected) -> None:
        if notice.certificate_sha256:
            self._used.add(notice.certificate_sha256)
        if notice.security_profile > 1:
            self._wake.set()

    async def _pass(self) -> None:
        now = self._clock()
        async with self._database.service.acquire() as connection:
            while self._used:
                sha256 = next(iter(self._used))
                await rows.first_use(connection, sha256, now)
                self._used.discard(sha256)
            requests = await rows.open_requests(connection)
            upgrades = await rows.open_upgrades(connection)
            before = now + timedelta(days=self._policy.renew_before_days)
            renewals = await rows.expiring(connection, before, now - _ASK_AGAIN)
        for request in requests:
            await self._carry_on(request)
        for upgrade in upgrades:
            await self._move(upgrade)
        for certificate in renewals:
            await self._renew(certificate)

    # Requests

    async def _carry_on(self, request: asyncpg.Record) -> None:
        if request["state"] == "waiting":
            if not self._policy.signs_itself or not await self._sign(request):
                return
            await self._hand_over(request)
        elif request["task_id"] is None:
            await self._hand_over(request)
        else:
            await self._look_at_delivery(request)

    async def _sign(self, request: asyncpg.Record) -> bool:
        purpose = Purpose(request["purpose"])
        keys = await authority_of(
            self._database, self._bus, self._seal, self._clock, request["tenant_id"], purpose
        )
        days = self._policy.station_days if purpose is Purpose.CHARGING_STATION else self._policy.v2g_days
        now = self._clock()
        issued = issue_certificate(keys, new_uuid(), request["csr_pem"], purpose, now, days)
        async with self._database.service.acquire() as connection:
            if not await rows.keep_issued(connection, request, issued, "own", now):
                return False
        self._bus.publish(CertificateHeld(issued.sha256, request["station_id"], revoked=False))
        self._tell(request, issued.id, "issued", issued.not_after)
        return True

    async def _hand_over(self, request: asyncpg.Record) -> None:
        async with self._database.service.acquire() as connection:
            certificate = await rows.sending(connection, request["id"], None)
        command = SendCertificate(
            purpose=request["purpose"], chain=certificate["chain_pem"], request_id=request["request_id"]
        )
        plan = Plan(expires_in_s=_DELIVERY_S, note="the certificate that the station asked for")
        task_id = await give_command(
            self._means, system_principal(request["tenant_id"]), request["identity"], command, plan
        )
        async with self._database.service.acquire() as connection:
            await rows.sending(connection, request["id"], task_id)

    async def _look_at_delivery(self, request: asyncpg.Record) -> None:
        async with self._database.service.acquire() as connection:
            outcome = await outcome_of(connection, request["task_id"])
            if outcome is not None and outcome.state not in FINAL:
                return
            if outcome is None:
                reason = "its task was removed"
            elif outcome.state == CommandState.DONE:
                reason = ""
            else:
                reason = f"the station did not take it: {outcome.outcome} {outcome.detail}".strip()
            certificate = await rows.finish_request(connection, request["id"], reason, self._clock())
        if certificate is not None:
            state = certificate["state"]
            self._tell(request, certificate["id"], state, certificate["not_after"], reason)

    def _tell(
        self, request: asyncpg.Record, certificate_id: Any, state: str, not_after: datetime, detail: str = ""
    ) -> None:
        self._bus.publish(
            CertificateChanged(
                request["tenant_id"], request["station_id"], request["identity"], certificate_id, request["purpose"],
                state, self._clock(), not_after, detail,
            )
        )  # fmt: skip

    # Renewal

    async def _renew(self, certificate: asyncpg.Record) -> None:
        v2g = certificate["purpose"] == Purpose.V2G
        command = Trigger(message="sign_v2g_certificate" if v2g else "sign_certificate")
        note = f"its certificate ends on {certificate['not_after']:%Y-%m-%d}"
        await give_command(
            self._means,
            system_principal(certificate["tenant_id"]),
            certificate["identity"],
            command,
            Plan(note=note),
        )
        async with self._database.service.acquire() as connection:
            await rows.renewal_asked(connection, certificate["id"], self._clock())

    # Safer profiles

    async def _move(self, upgrade: asyncpg.Record) -> None:
        await next_move(self._means, upgrade, self._policy.root_pem)


async def trust_own_roots(db: Database, bus: LocalBus, trust: Callable[[str], None]) -> None:
    """Have listeners trust the stations' certificates that this system signs, now and when an authority is new."""

    async def read() -> str:
        async with db.service.acquire() as connection:
            found = await rows.list_roots(connection, Purpose.CHARGING_STATION.value)
        return "".join(root + issuing for root, issuing in found)

    trust(await read())

    def made(notice: AuthorityMade) -> None:
        if notice.purpose == Purpose.CHARGING_STATION:
            task = asyncio.ensure_future(read())
            task.add_done_callback(lambda done: None if done.cancelled() else trust(done.result()))

    bus.subscribe(AuthorityMade, made)
