"""OCPP 2.x, block K: charging profiles and limits, in both directions."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import UNSET

from pilotwire.core.texts import say
from pilotwire.domain.energy.messages import (
    CarScheduleReported,
    ChargingLimitCleared,
    ChargingLimitNotified,
    ChargingNeedsReported,
    Schedule,
)
from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.charging_commands import ProfilesReported, SchedulePeriod
from pilotwire.domain.operations.model import CommandState, Order, Reply
from pilotwire.domain.stations.messages import ReportReceived
from pilotwire.ocpp.codec.inbound import Inbound, nothing, number, or_none
from pilotwire.ocpp.codec.outbound import NotInVersion, given, kind_of, limits_of, profile_id, reply_by_status
from pilotwire.ocpp.codec.v2.wire import smart_charging as wire

__all__ = ["INBOUND", "PURPOSES", "profile_of", "read_answer", "spell"]

PURPOSES = {
    "station": "ChargingStationMaxProfile",
    "default": "TxDefaultProfile",
    "session": "TxProfile",
    "external": "ChargingStationExternalConstraints",
    "priority": "PriorityCharging",
    "local_generation": "LocalGeneration",
}
_SINCE_21 = frozenset({"priority", "local_generation"})
_NAMES = {wire_name: name for name, wire_name in PURPOSES.items()}
_KINDS = {"Daily": "daily", "Weekly": "weekly"}
_PHASES = {"AC_single_phase": 1, "AC_two_phase": 2, "AC_three_phase": 3}


def spell(order: Order, transaction: Callable[[Order], str], *, since_21: bool) -> tuple[str, dict[str, Any]]:
    """Give action and payload of a command about charging profiles; `transaction` names the session that is meant.

    Raises: NotInVersion, Invalid.
    """
    command = order.command
    match command:
        case c.SetChargingProfile():
            profile = profile_of(order, command.profile, transaction, since_21=since_21)
            return "SetChargingProfile", {"evseId": command.evse_id, "chargingProfile": profile}
        case c.ClearChargingProfiles():
            return "ClearChargingProfile", _clear(command, since_21=since_21)
        case c.GetChargingProfiles():
            which = _criteria(command.purpose, command.stack_level, since_21=since_21) | given(
                chargingProfileId=command.profile_ids and list(command.profile_ids)
            )
            # Spec: K09.FR.03: the criteria may be empty only where an EVSE is named.
            payload = {"requestId": order.number, "chargingProfile": which} | given(evseId=command.evse_id)
            return "GetChargingProfiles", payload
        case c.SetLimit():
            return "SetChargingProfile", _limit(order, command, transaction)
        case c.ClearLimit():
            purpose = None if command.scope is None else PURPOSES[command.scope]
            which = given(evseId=command.evse_id, chargingProfilePurpose=purpose)
            # Spec: K10.FR.02: a number or criteria are needed.
            if not which:
                raise NotInVersion(
                    say(
                        "v2_clear_limit", "OCPP 2.x clears by scope or EVSE: give a scope, an evse_id or both"
                    )
                )
            return "ClearChargingProfile", {"chargingProfileCriteria": which}
        case c.GetCompositeSchedule():
            unit = command.unit and command.unit.upper()
            payload = {"evseId": command.evse_id, "duration": command.duration_s}
            return "GetCompositeSchedule", payload | given(chargingRateUnit=unit)
        case _:
            raise NotInVersion(say("v2_no_command", "OCPP 2.x has no {name}", name=command.name))


def read_answer(order: Order, answer: dict[str, Any]) -> Reply | None:
    """Say what an answer means that is special here, None for one that its status explains."""
    status, info = answer.get("status"), answer.get("statusInfo")
    match order.command:
        case c.ClearLimit() | c.ClearChargingProfiles() if status == "Unknown":
            return Reply(CommandState.DONE, "nothing_to_clear")
        case c.GetChargingProfiles() if status == "NoProfiles":
            # A word other than `accepted`, so that no report is waited for.
            return Reply(CommandState.DONE, "no_profiles", result={"profiles": []})
        case c.GetChargingProfiles():
            return reply_by_status(status, info, request_id=order.number)
        case c.GetCompositeSchedule():
            schedule = answer.get("schedule")
            limits = None if schedule is None else limits_of(schedule, schedule.get("scheduleStart"))
            return reply_by_status(status, info, schedule=schedule, limits=limits)
        case _:
            return None


def _clear(command: c.ClearChargingProfiles, *, since_21: bool) -> dict[str, Any]:
    if command.profile_id is not None:
        return {"chargingProfileId": command.profile_id}
    which = _criteria(command.purpose, command.stack_level, since_21=since_21) | given(evseId=command.evse_id)
    if command.purpose == "external":
        # Spec: K10.FR.06: what others have set is theirs.
        raise NotInVersion(say("external_limits", "external limits are cleared by those who set them"))
    if not which:
        raise NotInVersion(
            say(
                "v2_clear_profiles",
                "OCPP 2.x clears by number or criteria: give a profile_id, purpose, stack_level or evse_id",
            )
        )
    return {"chargingProfileCriteria": which}


def _criteria(purpose: str | None, stack_level: int | None, *, since_21: bool) -> dict[str, Any]:
    return given(
        chargingProfilePurpose=None if purpose is None else _purpose(purpose, since_21=since_21),
        stackLevel=stack_level,
    )


def _purpose(purpose: str, *, since_21: bool) -> str:
    if purpose in _SINCE_21 and not since_21:
        raise NotInVersion(
            say("v21_purpose", "profiles of the purpose '{purpose}' need OCPP 2.1", purpose=purpose)
        )
    return PURPOSES[purpose]


def profile_of(
    order: Order, profile: c.ChargingProfile, transaction: Callable[[Order], str], *, since_21: bool
) -> dict[str, Any]:
    """Spell a profile; that of a session yet to begin names no transaction. Raises: NotInVersion, Invalid."""
    periods = []
    for period in profile.periods:
        if not since_21 and (period.limit_l2 is not None or period.limit_l3 is not None):
            raise NotInVersion(
                say("v21_phases", "limits of single phases need OCPP 2.1: leave limit_l2 and limit_l3 out")
            )
        if period.phase_to_use is not None and period.number_phases != 1:
            # Spec: K01.FR.19
            raise NotInVersion("phase_to_use goes with number_phases 1")
        periods.append(
            {"startPeriod": period.start_s, "limit": period.limit}
            | given(
                numberPhases=period.number_phases,
                phaseToUse=period.phase_to_use,
                limit_L2=period.limit_l2,
                limit_L3=period.limit_l3,
            )
        )
    kind, recurrency = kind_of(profile)
    schedule = {"id": 1, "chargingRateUnit": profile.unit.upper(), "chargingSchedulePeriod": periods} | given(
        duration=profile.duration_s,
        startSchedule=None if kind == "Relative" else profile.start_at or order.now,
        minChargingRate=profile.minimum_rate,
    )
    made = {
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": _purpose(profile.purpose, since_21=since_21),
        "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
    } | given(recurrencyKind=recurrency, validFrom=profile.valid_from, validTo=profile.valid_to)
    if profile.purpose == "session" and not isinstance(order.command, c.StartCharging):
        made["transactionId"] = transaction(order)
    return made


def _limit(order: Order, command: c.SetLimit, transaction: Callable[[Order], str]) -> dict[str, Any]:
    amount, unit = (command.limit_w, "W") if command.limit_a is None else (command.limit_a, "A")
    period = {"startPeriod": 0, "limit": amount} | given(numberPhases=command.number_phases)
    schedule = {
        "id": 1,
        "chargingRateUnit": unit,
        "startSchedule": order.now,
        "chargingSchedulePeriod": [period],
    }
    profile = {
        "id": profile_id(command.scope, command.evse_id),
        "stackLevel": command.stack_level,
        "chargingProfilePurpose": PURPOSES[command.scope],
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule | given(duration=command.duration_s)],
    }
    if command.scope == "session":
        profile["transactionId"] = transaction(order)
    return {"evseId": command.evse_id or 0, "chargingProfile": profile}


# From the station


def _schedule(schedule: Any) -> Schedule:
    unit: Literal["a", "w"] = "a" if schedule.chargingRateUnit == "A" else "w"
    periods = tuple(
        SchedulePeriod(
            start_s=period.startPeriod,
            limit=period.limit,
            number_phases=or_none(period.numberPhases),
            phase_to_use=or_none(period.phaseToUse),
            limit_l2=or_none(period.limit_L2),
            limit_l3=or_none(period.limit_L3),
        )
        for period in schedule.chargingSchedulePeriod
        if period.limit is not UNSET  # 2.1 may give a set point in its place
    )
    return Schedule(unit, periods, or_none(schedule.startSchedule), or_none(schedule.duration))


def _limit_notified(request: wire.NotifyChargingLimitRequest, notes: list[str]) -> ReportReceived:
    del notes
    schedules = () if request.chargingSchedule is UNSET else request.chargingSchedule
    meaning = ChargingLimitNotified(
        request.chargingLimit.chargingLimitSource,
        None if request.evseId is UNSET else number("evseId", request.evseId),
        request.chargingLimit.isGridCritical is True,
        tuple(_schedule(each) for each in schedules),
    )
    return ReportReceived("NotifyChargingLimit", b"", meaning)


def _limit_cleared(request: wire.ClearedChargingLimitRequest, notes: list[str]) -> ReportReceived:
    del notes
    evse_no = None if request.evseId is UNSET else number("evseId", request.evseId)
    meaning = ChargingLimitCleared(request.chargingLimitSource, evse_no)
    return ReportReceived("ClearedChargingLimit", b"", meaning)


def _needs(request: wire.NotifyEVChargingNeedsRequest, notes: list[str]) -> ReportReceived:
    del notes
    needs = request.chargingNeeds
    ac, dc, v2x = needs.acChargingParameters, needs.dcChargingParameters, needs.v2xChargingParameters
    transfer = needs.requestedEnergyTransfer
    found: dict[str, Any] = {}
    if ac is not UNSET:
        found |= {
            "energy_wh": ac.energyAmount,
            "least_current_a": ac.evMinCurrent,
            "most_current_a": ac.evMaxCurrent,
        }
    if dc is not UNSET:
        found |= {
            "energy_wh": or_none(dc.energyAmount),
            "most_power_w": or_none(dc.evMaxPower),
            "capacity_wh": or_none(dc.evEnergyCapacity),
            "soc_percent": or_none(dc.stateOfCharge),
        }
        target = or_none(dc.fullSoC)
        if found["energy_wh"] is None and found["capacity_wh"] and found["soc_percent"] is not None:
            share = max(0, (target or 100) - found["soc_percent"]) / 100
            found["energy_wh"] = found["capacity_wh"] * share
    if v2x is not UNSET:
        wanted = or_none(v2x.evTargetEnergyRequest)
        found["energy_wh"] = wanted if wanted is not None else found.get("energy_wh")
        found["most_power_w"] = or_none(v2x.maxChargePower) or found.get("most_power_w")
        found["can_discharge"] = (or_none(v2x.maxDischargePower) or 0) != 0
    meaning = ChargingNeedsReported(
        number("evseId", request.evseId),
        "ac" if transfer.startswith("AC") else "dc",
        _PHASES.get(transfer, 3),
        departure_at=or_none(needs.departureTime),
        most_periods=or_none(request.maxScheduleTuples),
        **found,
    )
    return ReportReceived("NotifyEVChargingNeeds", b"", meaning)


def _needs_answer(answer: Any, request: Any) -> Any:
    del request
    # Spec: K15.FR.03, FR.04: a schedule follows at once, or none is made and the station goes on by itself.
    return wire.NotifyEVChargingNeedsResponse(status="Accepted" if answer.planned else "Rejected")


def _car_schedule(request: wire.NotifyEVChargingScheduleRequest, notes: list[str]) -> ReportReceived:
    del notes
    schedule = _schedule(request.chargingSchedule)
    if schedule.start_at is None:
        schedule = Schedule(schedule.unit, schedule.periods, request.timeBase, schedule.duration_s)
    meaning = CarScheduleReported(number("evseId", request.evseId), schedule)
    return ReportReceived("NotifyEVChargingSchedule", b"", meaning)


def _schedule_answer(answer: Any, request: Any) -> Any:
    del answer, request
    return wire.NotifyEVChargingScheduleResponse(status="Accepted")


def _profiles(request: wire.ReportChargingProfilesRequest, notes: list[str]) -> ReportReceived:
    del notes
    meaning = ProfilesReported(
        number("requestId", request.requestId),
        number("evseId", request.evseId),
        request.chargingLimitSource,
        tuple(_shown(profile) for profile in request.chargingProfile),
        request.tbc is True,
    )
    return ReportReceived("ReportChargingProfiles", b"", meaning)


def _shown(profile: Any) -> dict[str, Any]:
    kind = profile.chargingProfileKind.lower()
    if kind == "recurring":
        kind = _KINDS.get(or_none(profile.recurrencyKind) or "Daily", "daily")
    schedules = []
    for each in profile.chargingSchedule:
        schedule = _schedule(each)
        periods = [
            given(**{name: getattr(period, name) for name in period.__struct_fields__})
            for period in schedule.periods
        ]
        schedules.append(
            {"unit": schedule.unit, "periods": periods}
            | given(start_at=schedule.start_at, duration_s=schedule.duration_s)
        )
    return {
        "id": profile.id,
        "purpose": _NAMES[profile.chargingProfilePurpose],
        "stack_level": profile.stackLevel,
        "kind": kind,
        "schedules": schedules,
    } | given(
        valid_from=or_none(profile.validFrom),
        valid_to=or_none(profile.validTo),
        transaction_id=or_none(profile.transactionId),
    )


INBOUND = {
    "NotifyChargingLimit": Inbound(_limit_notified, nothing),
    "ClearedChargingLimit": Inbound(_limit_cleared, nothing),
    "NotifyEVChargingNeeds": Inbound(_needs, _needs_answer),
    "NotifyEVChargingSchedule": Inbound(_car_schedule, _schedule_answer),
    "ReportChargingProfiles": Inbound(_profiles, nothing),
}
