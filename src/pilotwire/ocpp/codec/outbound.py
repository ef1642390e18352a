"""What both families of versions share when they spell a command and read its answer."""

import re
from typing import Any

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.operations.charging_commands import ChargingProfile
from pilotwire.domain.operations.model import CommandState, Reply

__all__ = ["NotInVersion", "given", "kind_of", "limits_of", "profile_id", "reply_by_status", "words"]

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAKEN = frozenset(
    {
        "Accepted",
        "Scheduled",
        "RebootRequired",
        "Unlocked",
        "AcceptedCanceled",
        "Unpublished",
        "EmptyResultSet",
    }
)
_FAILED = frozenset({"Failed", "UnlockFailed", "Faulted"})
# The profiles that limits make have numbers of their own, so that a new limit takes the place of the one before.
_PROFILES = {"station": 9_100_000, "default": 9_200_000, "session": 9_300_000}


class NotInVersion(Invalid):
    """The station's OCPP version has no such command."""

    code = "not_in_version"


def words(status: str) -> str:
    """Give a status of the wire in our spelling: `RebootRequired` is `reboot_required`."""
    return _CAPITAL.sub("_", status).lower()


def given(**fields: Any) -> dict[str, Any]:
    """Make a JSON object of the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def kind_of(profile: ChargingProfile) -> tuple[str, str | None]:
    """Give the kind of a profile, and how often it comes again; all versions spell both alike."""
    if profile.kind in ("daily", "weekly"):
        return "Recurring", profile.kind.capitalize()
    return profile.kind.capitalize(), None


def limits_of(schedule: dict[str, Any], start: Any) -> dict[str, Any]:
    """Give a composite schedule in the words that profiles are given in; all versions spell its inside alike."""
    periods = [
        given(
            start_s=int(period["startPeriod"]),
            limit=float(period["limit"]),
            number_phases=period.get("numberPhases"),
        )
        for period in schedule.get("chargingSchedulePeriod") or ()
        if "limit" in period
    ]
    unit = str(schedule.get("chargingRateUnit", "A")).lower()
    return {"unit": unit, "periods": periods} | given(start_at=start, duration_s=schedule.get("duration"))


def profile_id(scope: str, evse_id: int | None) -> int:
    """Give the number of the charging profile that a limit is."""
    return _PROFILES[scope] + (evse_id or 0)


def reply_by_status(status: Any, info: Any = None, **result: Any) -> Reply:
    """Read an answer that says all by a status; one that says nothing understandable has failed."""
    if not isinstance(status, str) or not status:
        detail = say("answer_no_status", "the answer has no status")
        return Reply(CommandState.FAILED, "not_understood", detail, given(**result))
    said = ""
    if isinstance(info, dict):
        said = ": ".join(str(info[key]) for key in ("reasonCode", "additionalInfo") if info.get(key))
    state = (
        CommandState.DONE
        if status in _TAKEN
        else CommandState.FAILED
        if status in _FAILED
        else CommandState.REJECTED
    )
    return Reply(state, words(status), said[:1000], given(**result))
