"""What a station's later messages say of a command that it has accepted."""

from datetime import timedelta
from typing import Any

import msgspec

from pilotwire.domain.access.model import fold_uid
from pilotwire.domain.operations.commands import GetLogs, Reset, StartCharging, StopCharging, UpdateFirmware
from pilotwire.domain.operations.model import CommandState
from pilotwire.domain.operations.repository import Following
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.records import StationBootKept, StationProgressKept

__all__ = ["Step", "end_of_wait", "step_of"]

_GOOD = {"Installed": "installed", "Uploaded": "uploaded"}
_BAD = frozenset(
    {
        "DownloadFailed", "InstallationFailed", "InvalidSignature", "InstallVerificationFailed", "InvalidCertificate",
        "RevokedCertificate", "UploadFailed", "UploadFailure", "BadMessage", "NotSupportedOperation",
        "PermissionDenied", "AcceptedCanceled",
    }
)  # fmt: skip
_CLOCKS = timedelta(minutes=5)


class Step(msgspec.Struct, frozen=True):
    """A step of a command: its end, or with the state ACCEPTED something on the way."""

    state: CommandState
    outcome: str
    result: dict[str, Any] = {}


def step_of(followed: Following, notice: Any) -> Step | None:
    """Say what a notice means for a command, None when nothing."""
    match followed.command, notice:
        case StartCharging(), SessionKept():
            return _started(followed, followed.command, notice)
        case StopCharging(), SessionKept():
            return _stopped(followed.command, notice)
        case Reset(), StationBootKept():
            result = {"firmware_version": notice.firmware_version, "reason": notice.reason}
            return Step(CommandState.DONE, "rebooted", result)
        case UpdateFirmware(), StationProgressKept(subject="firmware"):
            return _progressed(followed, notice)
        case GetLogs(), StationProgressKept(subject="log"):
            return _progressed(followed, notice)
        case _:
            return None


def _started(followed: Following, command: StartCharging, notice: SessionKept) -> Step | None:
    facts = notice.facts
    if facts.remote_start_id is not None:
        if facts.remote_start_id != followed.id:
            return None
    elif (
        not notice.new
        or fold_uid(facts.token_uid or "") != fold_uid(command.token_uid)
        or command.evse_id not in (None, facts.evse_no)
        or (facts.started_at or facts.first_at) < followed.answered_at - _CLOCKS
    ):
        return None
    return Step(CommandState.DONE, "started", {"session_id": str(facts.id), "evse_id": facts.evse_no})


def _stopped(command: StopCharging, notice: SessionKept) -> Step | None:
    facts = notice.facts
    if notice.change is not Phase.ENDED and not facts.ended:
        return None
    meant = (
        facts.transaction_ref == command.transaction_id
        if command.transaction_id is not None
        else facts.evse_no == command.evse_id
    )
    return Step(CommandState.DONE, "stopped", {"session_id": str(facts.id)}) if meant else None


def _progressed(followed: Following, notice: StationProgressKept) -> Step | None:
    if notice.request_id not in (None, followed.id) or notice.status == "Idle":
        return None
    result = {"last_status": notice.status}
    if notice.status in _GOOD:
        return Step(CommandState.DONE, _GOOD[notice.status], result)
    if notice.status in _BAD:
        return Step(CommandState.FAILED, "failed", result)
    return Step(CommandState.ACCEPTED, "under_way", result)


def end_of_wait(followed: Following) -> tuple[CommandState, str, str]:
    """Say how a command ends whose end was waited for in vain: state, outcome and explanation."""
    match followed.command:
        case StartCharging():
            why = "the station accepted, but no session began: was a car plugged in?"
            return CommandState.FAILED, "no_session", why
        case StopCharging():
            return CommandState.FAILED, "not_ended", "the station accepted, but the session goes on"
        case Reset():
            return CommandState.FAILED, "no_boot", "the station accepted, but has not booted since"
        case _:
            return CommandState.TIMED_OUT, "no_end", "the station accepted, but did not say how it ended"
