"""OCPP 2.0.1 and 2.1: charging profiles on the wire. Spec: OCPP 2.0.1 K, OCPP 2.1 K28 for dynamic ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pilotwire.simulator import commands
from pilotwire.simulator.profiles import Kind, Period, Profile, Purpose
from pilotwire.simulator.rpc import Call, Payload
from pilotwire.simulator.wire.format import moment, stamp

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

PURPOSES: dict[str, Purpose] = {
    "ChargingStationMaxProfile": "station_max",
    "TxDefaultProfile": "tx_default",
    "TxProfile": "tx",
}
KINDS: dict[str, Kind] = {
    "Absolute": "absolute",
    "Recurring": "recurring",
    "Relative": "relative",
    "Dynamic": "absolute",
}
RECURRENCY_S = {"Daily": 86_400, "Weekly": 604_800}


def profile_of(raw: Payload, evse_id: int, now: datetime) -> Profile | None:
    """A charging profile from its wire form.

    None when it is of a sort that a station must refuse or cannot obey.
    """
    purpose = PURPOSES.get(raw["chargingProfilePurpose"])
    schedule = raw["chargingSchedule"][0]
    periods = _periods(schedule["chargingSchedulePeriod"])
    if purpose is None or periods is None:
        return None
    dynamic = raw["chargingProfileKind"] == "Dynamic"
    recurrency = raw.get("recurrencyKind")
    return Profile(
        id=raw["id"],
        evse_id=evse_id,
        purpose=purpose,
        stack_level=raw["stackLevel"],
        kind=KINDS[raw["chargingProfileKind"]],
        unit=schedule["chargingRateUnit"],
        periods=periods,
        start_at=now if dynamic else moment(schedule.get("startSchedule")),
        duration_s=schedule.get("duration"),
        recurrency_s=RECURRENCY_S.get(recurrency) if recurrency else None,
        valid_from=moment(raw.get("validFrom")),
        valid_to=moment(raw.get("validTo")),
        transaction_id=raw.get("transactionId"),
        raw=raw,
    )


def set_profile(station: Station, payload: Payload) -> Payload:
    """SetChargingProfile."""
    profile = profile_of(payload["chargingProfile"], payload["evseId"], station.now())
    taken = profile is not None and commands.set_profile(station, profile)
    return {"status": "Accepted" if taken else "Rejected"}


def clear_profile(station: Station, payload: Payload) -> Payload:
    """ClearChargingProfile: by id, or by criteria that all must fit."""
    number, criteria = payload.get("chargingProfileId"), payload.get("chargingProfileCriteria") or {}
    purpose = criteria.get("chargingProfilePurpose")
    if purpose is not None and purpose not in PURPOSES:
        return {"status": "Unknown"}
    chosen = station.profiles.find(
        ids=None if number is None else [number],
        evse_id=criteria.get("evseId"),
        purpose=None if purpose is None else PURPOSES[purpose],
        stack_level=criteria.get("stackLevel"),
    )
    station.ticker.advance()
    return {"status": "Accepted" if station.profiles.remove(chosen) else "Unknown"}


def get_profiles(station: Station, payload: Payload) -> Payload:
    """GetChargingProfiles and the ReportChargingProfiles that follow, one for each EVSE."""
    criteria = payload["chargingProfile"]
    purpose = criteria.get("chargingProfilePurpose")
    if purpose is not None and purpose not in PURPOSES:
        return {"status": "NoProfiles"}
    found = station.profiles.find(
        ids=criteria.get("chargingProfileId"),
        evse_id=payload.get("evseId"),
        purpose=None if purpose is None else PURPOSES[purpose],
        stack_level=criteria.get("stackLevel"),
    )
    sources = criteria.get("chargingLimitSource")
    if not found or (sources and "CSO" not in sources):
        return {"status": "NoProfiles"}
    evse_ids = sorted({profile.evse_id for profile in found})
    for evse_id in evse_ids:
        report: dict[str, Any] = {
            "requestId": payload["requestId"],
            "chargingLimitSource": "CSO",
            "evseId": evse_id,
            "chargingProfile": [profile.raw for profile in found if profile.evse_id == evse_id],
            "tbc": evse_id != evse_ids[-1],
        }
        station.say(Call("ReportChargingProfiles", report))
    return {"status": "Accepted"}


def composite_schedule(station: Station, payload: Payload) -> Payload:
    """GetCompositeSchedule."""
    evse_id = payload["evseId"]
    schedule = commands.composite(station, evse_id, payload["duration"], payload.get("chargingRateUnit"))
    if schedule is None:
        return {"status": "Rejected"}
    return {
        "status": "Accepted",
        "schedule": {
            "evseId": evse_id,
            "duration": schedule.duration_s,
            "scheduleStart": stamp(schedule.start_at),
            "chargingRateUnit": schedule.unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start_s, "limit": limit} for start_s, limit in schedule.periods
            ],
        },
    }


def update_dynamic(station: Station, payload: Payload) -> Payload:
    """UpdateDynamicSchedule: a new limit for a dynamic profile that is held."""
    update = payload["scheduleUpdate"]
    for held in station.profiles.find(ids=[payload["chargingProfileId"]]):
        if held.raw.get("chargingProfileKind") == "Dynamic" and "limit" in update:
            station.ticker.advance()
            station.profiles.install(
                replace(held, periods=(Period(0, float(update["limit"])),), start_at=station.now())
            )
            return {"status": "Accepted"}
    return {"status": "Rejected"}


def priority(station: Station, payload: Payload) -> Payload:
    """UsePriorityCharging: no profile for it is ever held here."""
    known = commands.find_transaction(station, payload["transactionId"])
    return {"status": "NoProfile" if known else "Rejected"}


def _periods(raw: list[Payload]) -> tuple[Period, ...] | None:
    """The periods in order.

    None when one has no limit (2.1 also knows set points, which these cars do not follow).
    """
    periods = []
    for period in raw:
        limits = [period[name] for name in ("limit", "limit_L2", "limit_L3") if name in period]
        if not limits:
            return None
        periods.append(Period(int(period["startPeriod"]), float(min(limits)), period.get("numberPhases")))
    return tuple(sorted(periods, key=lambda period: period.start_s))
