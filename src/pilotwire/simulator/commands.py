"""What the server's calls do to a station, without the spelling of a version.

Results are the words both versions share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pilotwire.simulator.device import Setting
from pilotwire.simulator.evse import Authorisation, Evse
from pilotwire.simulator.lifecycle import reboot
from pilotwire.simulator.model import TokenSpec
from pilotwire.simulator.profiles import Limit, Profile, Unit, change_times, limit_at, station_limit
from pilotwire.simulator.states import Reservation, StopReason, Transaction, Trigger

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """The server's wish to start. `evse_id` None lets the station choose."""

    uid: str
    evse_id: int | None
    remote_start_id: int | None = None
    group: str | None = None
    profile: Profile | None = None
    no_authorise: bool = False


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite schedule: (seconds from the start, limit) pairs."""

    start_at: datetime
    duration_s: int
    unit: Unit
    periods: tuple[tuple[int, float], ...]


def remote_start(station: Station, wish: RemoteStart) -> Evse | None:
    """Start charging for a token; None when refused. Spec: OCPP 1.6 5.11, OCPP 2.0.1 F01, F02."""
    evse = _choose(station, wish)
    if evse is None or not station.lifecycle.accepted or station.reset_when_idle is not None:
        return None
    if wish.profile is not None and wish.profile.purpose != "tx":
        return None
    token = TokenSpec(wish.uid, "remote", wish.group)
    who = Authorisation(token, Trigger.REMOTE_START, wish.remote_start_id)
    ask = station.device.switch("authorize_remote") and not wish.no_authorise
    station.spawn(_start(station, evse, who, wish.profile, ask=ask))
    return evse


async def _start(
    station: Station, evse: Evse, who: Authorisation, profile: Profile | None, *, ask: bool
) -> None:
    if ask and not (await station.check_token(who.token.uid)).accepted:
        return
    if evse.authorisation is not None:
        return
    if profile is not None:
        station.profiles.install(replace(profile, evse_id=evse.id, transaction_id=None))
    station.authorise(evse, who)
    station.notify("remote_start", evse=evse.id, token=who.token.uid)


def _choose(station: Station, wish: RemoteStart) -> Evse | None:
    def fits(evse: Evse) -> bool:
        if evse.fault is not None or not evse.operative or evse.authorisation is not None:
            return False
        held = evse.reservation
        return (
            held is None
            or held.token_uid == wish.uid
            or (held.group is not None and held.group == wish.group)
        )

    if wish.evse_id is not None:
        evse = station.evse(wish.evse_id)
        return evse if evse is not None and fits(evse) else None
    candidates = [evse for evse in station.evses if fits(evse)]
    return min(candidates, key=lambda evse: (evse.car is None, evse.id), default=None)


def find_transaction(station: Station, reference: str) -> Evse | None:
    """The EVSE on which a transaction runs."""
    for evse in station.evses:
        if evse.tx is not None and station.reference(evse.tx) == reference:
            return evse
    return None


def remote_stop(station: Station, reference: str) -> bool:
    """Stop a transaction; False when it is not known."""
    evse = find_transaction(station, reference)
    if evse is None:
        return False
    asyncio.get_running_loop().call_soon(
        _if_still, station, evse, evse.tx, Trigger.REMOTE_STOP, StopReason.REMOTE
    )
    return True


def _if_still(
    station: Station, evse: Evse, tx: Transaction | None, trigger: Trigger, reason: StopReason
) -> None:
    if evse.tx is tx:
        station.ticker.advance()
        evse.stop(trigger, reason)


def reset(station: Station, reason: str, stop_reason: StopReason | None, *, when_idle: bool = False) -> bool:
    """Reboot soon; True when it has to wait for the end of a transaction.

    Spec: OCPP 1.6 5.14, OCPP 2.0.1 B11, B12.
    """
    orderly = stop_reason is not StopReason.HARD_RESET

    def go() -> None:
        station.spawn(_soon(station, reason, stop_reason, orderly=orderly))

    if when_idle and any(evse.tx is not None for evse in station.evses):
        station.reset_when_idle = go
        return True
    go()
    return False


async def _soon(station: Station, reason: str, stop_reason: StopReason | None, *, orderly: bool) -> None:
    await asyncio.sleep(0.05)
    await reboot(station, reason, stop_reason, orderly=orderly)


def change_availability(station: Station, evse_id: int, *, operative: bool) -> str:
    """Take an EVSE (0.

    The station) in or out of service: `Accepted`, `Scheduled` while it charges, `Rejected`.
    """
    if evse_id == 0:
        chosen = station.evses
        station.operative = operative
        station.say(station.wire.station_status(station.status, station.now()))
    else:
        evse = station.evse(evse_id)
        if evse is None:
            return "Rejected"
        chosen = [evse]
    scheduled = False
    for evse in chosen:
        evse.operative_later = operative
        if evse.tx is not None:
            scheduled = scheduled or evse.operative != operative
            continue
        evse.settle()
    return "Scheduled" if scheduled else "Accepted"


def unlock(station: Station, evse: Evse) -> str:
    """Open the plug's lock; a transaction ends before. `NotSupported` for a DC cable, which the car locks."""
    if evse.spec.current == "DC":
        return "NotSupported"
    if evse.tx is not None:
        loop = asyncio.get_running_loop()
        loop.call_soon(_if_still, station, evse, evse.tx, Trigger.UNLOCK, StopReason.UNLOCK)
    return "Unlocked"


def reserve(station: Station, wish: Reservation) -> str:
    """Keep an EVSE (0: any) for a token until a moment. Spec: OCPP 1.6 5.13, OCPP 2.0.1 H01."""
    for evse in station.evses:
        if evse.reservation is not None and evse.reservation.id == wish.id:
            evse.reservation = None
            evse.tell()
    chosen = [station.evse(wish.evse_id)] if wish.evse_id else list(station.evses)
    evses = [evse for evse in chosen if evse is not None]
    if not evses or wish.expires_at <= station.now():
        return "Rejected"
    free = next((evse for evse in evses if evse.free and evse.reservation is None), None)
    if free is None:
        if all(evse.fault is not None for evse in evses):
            return "Faulted"
        return "Unavailable" if all(not evse.operative for evse in evses) else "Occupied"
    free.reservation = wish
    free.tell()
    seconds = (wish.expires_at - station.now()).total_seconds()
    asyncio.get_running_loop().call_later(seconds, _reservation_over, station, free, wish)
    return "Accepted"


def _reservation_over(station: Station, evse: Evse, held: Reservation) -> None:
    if evse.reservation is held:
        evse.reservation = None
        station.say(station.wire.reservation_over(held.id, "Expired"))
        evse.tell()


def cancel_reservation(station: Station, reservation_id: int) -> bool:
    """Give a reserved EVSE free."""
    for evse in station.evses:
        if evse.reservation is not None and evse.reservation.id == reservation_id:
            evse.reservation = None
            evse.tell()
            return True
    return False


def set_profile(station: Station, profile: Profile) -> bool:
    """Hold and obey a charging profile. Spec: OCPP 1.6 5.16, OCPP 2.0.1 K01."""
    device = station.device
    if profile.stack_level > device.number("stack_level") or not profile.periods:
        return False
    if len(profile.periods) > device.number("schedule_periods") or profile.periods[0].start_s != 0:
        return False
    if profile.evse_id and station.evse(profile.evse_id) is None:
        return False
    if profile.purpose == "station_max" and (profile.evse_id != 0 or profile.kind == "relative"):
        return False
    if profile.purpose == "tx":
        evse = station.evse(profile.evse_id)
        if evse is None or evse.tx is None:
            return False
        if profile.transaction_id not in (None, station.reference(evse.tx)):
            return False
        profile = replace(profile, transaction_id=station.reference(evse.tx))
    if profile.purpose == "station_max" and profile.kind == "absolute" and profile.start_at is None:
        profile = replace(profile, start_at=station.now())
    station.ticker.advance()
    if len(station.profiles) >= device.number("profiles") and not station.profiles.find(ids=[profile.id]):
        return False
    station.profiles.install(profile)
    station.ticker.wake()
    return True


def composite(station: Station, evse_id: int, duration_s: int, unit: Unit | None) -> Composite | None:
    """What the profiles will allow, from now for a span; None for an unknown EVSE."""
    evse = station.evse(evse_id)
    if evse is None and evse_id != 0:
        return None
    unit = unit or ("A" if station.spec.evses[0].current == "AC" else "W")
    start = station.now()
    tx = evse.tx if evse else None
    started_at = tx.started_at if tx else None
    chosen = [evse] if evse else station.evses
    phases = max(one.spec.phases if one.spec.current == "AC" else 3 for one in chosen)
    ceiling = Limit(power_w=float(sum(one.spec.max_power_w for one in chosen)))
    periods: list[tuple[int, float]] = []
    end = start + timedelta(seconds=duration_s)
    for at in change_times(station.profiles, start, end, started_at):
        if evse is None:
            limit = station_limit(station.profiles, at)
        else:
            reference = station.reference(tx) if tx else None
            limit = limit_at(station.profiles, evse_id, at, started_at=started_at, transaction_id=reference)
        figure = round(limit.in_unit(unit, phases, ceiling), 1)
        if not periods or periods[-1][1] != figure:
            periods.append((int((at - start).total_seconds()), figure))
    return Composite(start, duration_s, unit, tuple(periods))


def trigger(station: Station, message: str, evse_id: int | None) -> str:
    """Send a message because the server asks: `Accepted`, `Rejected` or `NotImplemented`."""
    if evse_id and station.evse(evse_id) is None:
        return "Rejected"
    chosen = [evse for evse in station.evses if not evse_id or evse.id == evse_id]
    if message == "TransactionEvent" and all(evse.tx is None for evse in chosen):
        return "Rejected"
    actions: dict[str, Callable[[], None]] = {
        "BootNotification": station.lifecycle.boot_again,
        "Heartbeat": lambda: station.say(station.wire.heartbeat()),
        "StatusNotification": lambda: _each(chosen, station.tell_status),
        "MeterValues": lambda: _each(chosen, partial(_meter, station)),
        "TransactionEvent": lambda: _each(chosen, _sample),
        "FirmwareStatusNotification": lambda: station.say(
            station.wire.firmware_status(station.firmware_status, None)
        ),
        "DiagnosticsStatusNotification": lambda: station.say(
            station.wire.log_status(station.log_status, None)
        ),
        "LogStatusNotification": lambda: station.say(station.wire.log_status(station.log_status, 0)),
        "SignChargePointCertificate": partial(_request_certificate, station),
        "SignChargingStationCertificate": partial(_request_certificate, station),
    }
    action = actions.get(message)
    if action is None:
        return "NotImplemented"
    action()
    return "Accepted"


def _each(evses: list[Evse], action: Callable[[Evse], None]) -> None:
    for evse in evses:
        action(evse)


def _sample(evse: Evse) -> None:
    evse.sample("Trigger", Trigger.TRIGGERED)


def _meter(station: Station, evse: Evse) -> None:
    station.ticker.advance()
    station.say(station.wire.meter(evse.id, evse.reading("Trigger"), evse.tx))


def _request_certificate(station: Station) -> None:
    csr = station.certificates.signing_request(station.spec.identity, station.device.text("operator"))
    station.say(station.wire.sign_certificate(csr, None))


def setting_changed(station: Station, setting: Setting) -> None:
    """What a new value moves at once. A new password is used at the next connection."""
    if setting.name == "password":
        station.notify("password_changed", password=station.device.text("password"))
        kind = "ReconfigurationOfSecurityParameters"
        station.say(station.wire.security_event(kind, station.now(), "password"), durable=True)
    elif setting.name == "heartbeat_interval_s":
        station.lifecycle.heartbeat_interval_changed()
    station.ticker.wake()
