"""A new station gets a secret of its own and the configuration of its make.

The station is told the new secret only after its digest is on disk, and the old one stays good until the new one
was used: a station that dies in between comes back with either.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import msgspec
import structlog

from pilotwire.core.errors import PilotwireError
from pilotwire.db.engine import Database
from pilotwire.domain.configuration.compare import Make, spelt_for
from pilotwire.domain.configuration.model import Setting, Variable
from pilotwire.domain.configuration.repository import find_wanted
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.ports import CallAnswer, StationChanged
from pilotwire.domain.stations.repository import keep_next_secret, list_records
from pilotwire.ocpp.codec.v2.outbound import variable_of
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.link import StationLink

__all__ = ["Onboarding"]

log = structlog.get_logger(__name__)

_PASSWORD = Setting(Variable("BasicAuthPassword", "SecurityCtrlr"), "", key="AuthorizationKey")


class OnboardingHost(Protocol):
    """What onboarding asks of the switchboard."""

    def publish(self, records: list[Any]) -> None: ...


class Onboarding:
    """Welcomes stations that came with an enrolment key, once they are admitted."""

    def __init__(self, host: OnboardingHost, database: Database, pepper: bytes) -> None:
        self._host = host
        self._database = database
        self._pepper = pepper
        self._welcoming: set[int] = set()
        self._offered: dict[int, str] = {}

    async def ask_for_boot(self, link: StationLink, after_s: float) -> None:
        """Ask for a BootNotification, unless one has come by itself; a station that does not know how is let be."""
        await asyncio.sleep(after_s)
        if not link.alive or (after_s and link.station.booted_at is not None):
            return
        await _quietly(
            link,
            "TriggerMessage",
            lambda: link.call("TriggerMessage", b'{"requestedMessage":"BootNotification"}', 30),
        )

    async def welcome(self, link: StationLink) -> None:
        """Set the station's configuration, then its own secret: many stations reconnect as soon as they have it.

        Repeats: one at a time; a further boot before the secret is used offers the same secret again, so that
        a station that took an earlier offer is not locked out.
        """
        station_id = link.station.record.id
        if station_id in self._welcoming:
            return
        self._welcoming.add(station_id)
        try:
            if await self._configure(link):
                await self._set_secret(link)
        finally:
            self._welcoming.discard(station_id)

    async def renew(self, link: StationLink) -> bool:
        """Give a station another secret of its own; whether it was taken.

        Repeats: until it is used the same secret is offered again, so that nobody is locked out.
        """
        return await self._set_secret(link)

    def secret_used(self, station_id: int) -> None:
        """The station came in with its own secret: nothing is left to offer."""
        self._offered.pop(station_id, None)

    async def _set_secret(self, link: StationLink) -> bool:
        record = link.station.record
        # Hexadecimal, because some stations take an AuthorizationKey for hexadecimal and some for text.
        secret = self._offered.setdefault(record.id, secrets.token_hex(16))
        digest = digest_secret(self._pepper, secret.encode())
        async with self._database.service.acquire() as connection:
            await keep_next_secret(connection, record.id, digest)
            for fresh in await list_records(connection, [record.id]):
                self._host.publish([StationChanged(fresh)])
        answer = await _quietly(
            link, "its own secret", lambda: _write(link, msgspec.structs.replace(_PASSWORD, value=secret))
        )
        taken = answer is not None and _accepted(link.version, answer)
        log.info("own secret", station=link.identity, taken=taken)
        return taken

    async def _configure(self, link: StationLink) -> bool:
        """Write the settings of the station's make; False when the station went away over it."""
        station = link.station
        record = station.record
        make = Make(
            record.id,
            station.vendor,
            station.model,
            station.firmware_version,
            record.site_id,
            link.version.value,
        )
        async with self._database.service.acquire() as connection:
            wanted = await find_wanted(connection, record.tenant_id, make)
        for setting in wanted:  # one at a time: some stations lose settings that come together
            spelt = spelt_for(setting, make.ocpp_version)
            if spelt is None:
                continue
            answer = await _quietly(link, "a setting", partial(_write, link, spelt))
            if not link.alive:
                return False
            taken = answer is not None and _accepted(link.version, answer)
            log.info("setting", station=link.identity, setting=setting.variable.name, taken=taken)
        return True


async def _write(link: StationLink, setting: Setting) -> CallAnswer:
    """Write one setting: a configuration key of 1.6, or a variable of a component of 2.x."""
    if link.version is OcppVersion.V16:
        payload = {"key": setting.key, "value": setting.value}
        return await link.call("ChangeConfiguration", msgspec.json.encode(payload), 30)
    data = variable_of(setting) | {"attributeValue": setting.value}
    return await link.call("SetVariables", msgspec.json.encode({"setVariableData": [data]}), 30)


def _accepted(version: OcppVersion, answer: CallAnswer) -> bool:
    if answer.payload is None:
        return False
    try:
        content = msgspec.json.decode(answer.payload)
        result = content if version is OcppVersion.V16 else content["setVariableResult"][0]
        status = result["status"] if version is OcppVersion.V16 else result["attributeStatus"]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError):
        return False
    return status in ("Accepted", "RebootRequired")


async def _quietly(
    link: StationLink, what: str, call: Callable[[], Awaitable[CallAnswer]]
) -> CallAnswer | None:
    """Call the station; that it has gone or does not answer is logged, not raised."""
    try:
        return await call()
    except PilotwireError as error:
        log.info("the station did not take a call", station=link.identity, what=what, reason=str(error))
        return None
