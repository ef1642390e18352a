"""Quirks of smart charging."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.CHARGING)
_driven = partial(_quirk, always=True, where="domain.energy.drive")

QUIRKS: tuple[Quirk, ...] = (
    _quirk(
        name="stack_level_zero_only_wallbox",
        summary="Takes charging profiles of stack level 0 only.",
        reported="lbbrhzn/ocpp#442",
        vendor=r"Wall ?box.*",
        firmware=r"v?5[.].*",
        changes={"charging_stack_level": 0},
    ),
    _quirk(
        name="stack_level_zero_only_abb",
        summary="Takes charging profiles of stack level 0 only.",
        vendor=r"ABB.*",
        model=r".*Terra.*",
        changes={"charging_stack_level": 0},
    ),
    _quirk(
        name="relative_profiles_only",
        summary="Takes charging profiles of the kind Relative only.",
        vendor=r"Wall ?box.*",
        firmware=r"v?6[.].*",
        changes={"charging_relative": True, "charging_periods": 1},
    ),
    _quirk(
        name="watts_only",
        summary="Takes charging profiles in W only.",
        reported="evcc#32170",
        vendor=r"Huawei.*",
        changes={"charging_units": ("w",)},
    ),
    _quirk(
        name="station_maximum_rejected",
        summary="Rejects ChargePointMaxProfile: the default profile is used.",
        reported="lbbrhzn/ocpp#221, lbbrhzn/ocpp#1703",
        vendor=r"EV-?Box.*",
        changes={"charging_purposes": ("session", "default")},
    ),
    _quirk(
        name="session_profile_ignored",
        summary="Accepts the profile of a transaction and ignores it: the default profile is changed in its place.",
        reported="go-eCharger#105",
        vendor=r"go-?e.*",
        changes={"charging_purposes": ("default", "session", "station")},
    ),
    _quirk(
        name="fixed_current_steps",
        summary="Can be set to 6, 8, 10, 13 and 16 A only: limits are rounded down to these.",
        vendor=r"NEcharge.*",
        changes={"charging_steps_a": (6.0, 8.0, 10.0, 13.0, 16.0)},
    ),
    _quirk(
        name="ends_below_six_amperes",
        summary="Ends the transaction at a limit below 6 A: it is given 6 A in place of a pause, which counts against the "
        "fuses.",
        reported="evcc#33020",
        changes={"charging_never_zero": True},
    ),
    _driven(
        name="limit_accepted_and_ignored",
        summary="Accepts a limit and draws more: it is told again, asked for its composite schedule, told in other units "
        "and purposes, and at last counted with what it really draws.",
        reported="go-eCharger#105",
    ),
    _driven(
        name="limit_rejected",
        summary="Rejects a charging profile of one unit or purpose: the others are tried in turn.",
        reported="lbbrhzn/ocpp#221, lbbrhzn/ocpp#1703",
    ),
    _driven(
        name="clock_of_schedules",
        summary="Counts schedules by a clock that is some minutes wrong: profiles begin two minutes early, and their ends "
        "count two minutes longer.",
        reported="lbbrhzn/ocpp#512",
    ),
)
