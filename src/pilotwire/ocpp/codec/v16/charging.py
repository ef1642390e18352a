"""OCPP 1.6: charging profiles and limits."""

from typing import Any

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.model import Order
from pilotwire.ocpp.codec.outbound import NotInVersion, given, kind_of, profile_id

__all__ = ["PURPOSES", "profile_of", "spell", "transaction_number"]

PURPOSES = {"station": "ChargePointMaxProfile", "default": "TxDefaultProfile", "session": "TxProfile"}


def spell(order: Order) -> tuple[str, dict[str, Any]]:
    """Give action and payload of a command about charging profiles.

    Raises: NotInVersion, Invalid.
    """
    command = order.command
    match command:
        case c.SetChargingProfile():
            return "SetChargingProfile", {
                "connectorId": command.evse_id,
                "csChargingProfiles": profile_of(order, command.profile),
            }
        case c.ClearChargingProfiles():
            purpose = None if command.purpose is None else _purpose(command.purpose)
            return "ClearChargingProfile", given(
                id=command.profile_id,
                connectorId=command.evse_id,
                chargingProfilePurpose=purpose,
                stackLevel=command.stack_level,
            )
        case c.SetLimit():
            return "SetChargingProfile", _limit(order, command)
        case c.ClearLimit():
            purpose = None if command.scope is None else PURPOSES[command.scope]
            return "ClearChargingProfile", given(connectorId=command.evse_id, chargingProfilePurpose=purpose)
        case c.GetCompositeSchedule():
            unit = command.unit and command.unit.upper()
            payload = {"connectorId": command.evse_id, "duration": command.duration_s}
            return "GetCompositeSchedule", payload | given(chargingRateUnit=unit)
        case _:
            raise NotInVersion(
                say("v16_no_profiles", "OCPP 1.6 does not tell its profiles: use get_composite_schedule")
            )


def transaction_number(order: Order) -> int:
    """Give the number of the transaction that is meant. Raises: Invalid."""
    ref = order.transaction_ref
    if ref is None:
        raise Invalid(say("no_open_session", "no open session is known there; give its transaction_id"))
    if not ref.isascii() or not ref.isdigit() or int(ref) >= 2**31:
        raise Invalid(
            say(
                "not_a_16_transaction",
                "'{ref}' is not the number of a 1.6 transaction: a station cannot be told to stop it",
                ref=ref,
            )
        )
    return int(ref)


def _purpose(purpose: str) -> str:
    if purpose not in PURPOSES:
        raise NotInVersion(
            say(
                "v16_no_purpose",
                "OCPP 1.6 has no profiles of the purpose '{purpose}'; there are {known}",
                purpose=purpose,
                known=", ".join(PURPOSES),
            )
        )
    return PURPOSES[purpose]


def _tenths(amount: float | None) -> float | None:
    if amount is not None and round(amount, 1) != amount:
        raise NotInVersion(say("v16_one_decimal", "OCPP 1.6 takes limits with one decimal at most"))
    return amount


def profile_of(order: Order, profile: c.ChargingProfile) -> dict[str, Any]:
    """Spell a profile; that of a session yet to begin names no transaction. Raises: NotInVersion, Invalid."""
    periods = []
    for period in profile.periods:
        if period.phase_to_use is not None or period.limit_l2 is not None or period.limit_l3 is not None:
            raise NotInVersion(
                say(
                    "v16_phases_alike",
                    "OCPP 1.6 limits all phases alike: leave phase_to_use, limit_l2 and limit_l3 out",
                )
            )
        periods.append(
            {"startPeriod": period.start_s, "limit": _tenths(period.limit)}
            | given(numberPhases=period.number_phases)
        )
    kind, recurrency = kind_of(profile)
    schedule = {"chargingRateUnit": profile.unit.upper(), "chargingSchedulePeriod": periods} | given(
        duration=profile.duration_s,
        startSchedule=None if kind == "Relative" else profile.start_at or order.now,
        minChargingRate=_tenths(profile.minimum_rate),
    )
    made = {
        "chargingProfileId": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": _purpose(profile.purpose),
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
    } | given(recurrencyKind=recurrency, validFrom=profile.valid_from, validTo=profile.valid_to)
    if profile.purpose == "session" and not isinstance(order.command, c.StartCharging):
        made["transactionId"] = transaction_number(order)
    return made


def _limit(order: Order, command: c.SetLimit) -> dict[str, Any]:
    amount, unit = (command.limit_w, "W") if command.limit_a is None else (command.limit_a, "A")
    period = {"startPeriod": 0, "limit": _tenths(amount)} | given(numberPhases=command.number_phases)
    schedule = {"chargingRateUnit": unit, "startSchedule": order.now, "chargingSchedulePeriod": [period]}
    profile = {
        "chargingProfileId": profile_id(command.scope, command.evse_id),
        "stackLevel": command.stack_level,
        "chargingProfilePurpose": PURPOSES[command.scope],
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule | given(duration=command.duration_s),
    }
    if command.scope == "session":
        profile["transactionId"] = transaction_number(order)
    return {"connectorId": command.evse_id or 0, "csChargingProfiles": profile}
