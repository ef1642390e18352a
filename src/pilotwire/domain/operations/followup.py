"""What a station's later messages say of a command that it has accepted."""

from datetime import timedelta
from typing import Any

import msgspec

from pilotwire.core.texts import Text, say
from pilotwire.domain.access.model import fold_uid
from pilotwire.domain.configuration.events import DeviceModelRead
from pilotwire.domain.configuration.model import ReadingState, ReportPage
from pilotwire.domain.operations.charging_commands import GetChargingProfiles, ProfilesReported
from pilotwire.domain.operations.commands import (
    CustomerInformation,
    GetBaseReport,
    GetDisplayMessages,
    GetLogs,
    GetMonitoringReport,
    GetReport,
    PublishFirmware,
    ReadSettings,
    Reset,
    StartCharging,
    StopCharging,
    UpdateFirmware,
)
from pilotwire.domain.operations.compose import number_of
from pilotwire.domain.operations.model import CommandState
from pilotwire.domain.operations.report_commands import FirmwarePublished, PartTold
from pilotwire.domain.operations.repository import Following
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.records import ReportKept, StationBootKept, StationProgressKept
from pilotwire.domain.transfers.model import LogReceived

__all__ = ["UNANSWERED", "UNANSWERED_S", "Step", "end_of_wait", "step_of"]

UNANSWERED = "unanswered"
"""The outcome of a command of which the answer was lost, and of which later messages tell whether it arrived."""
UNANSWERED_S = 900
_FILE_LATER_S = 60

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
    """A step of a command: its end, or with the state ACCEPTED something on the way.

    With `wait_s` the end is waited for no longer than that from now on.
    """

    state: CommandState
    outcome: str
    result: dict[str, Any] = {}
    detail: str | Text = ""
    wait_s: int | None = None


def step_of(followed: Following, notice: Any) -> Step | None:  # noqa: C901, PLR0912 - a table
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
            return _firmware_told(followed, followed.command, notice)
        case UpdateFirmware(), StationBootKept():
            return _firmware_booted(followed, notice)
        case GetLogs(), StationProgressKept(subject="log"):
            return _log_told(followed, followed.command, notice)
        case GetLogs(), LogReceived():
            return _log_received(followed, notice)
        case GetChargingProfiles(), ReportKept(meaning=ProfilesReported() as told):
            return _profiles_told(followed, told)
        case GetMonitoringReport(), ReportKept(meaning=PartTold(kind="monitors") as told):
            return _part_told(followed, told.request_id, told.entries, more=told.more)
        case GetDisplayMessages(), ReportKept(meaning=PartTold(kind="messages") as told):
            return _part_told(followed, told.request_id, told.entries, more=told.more)
        case CustomerInformation(), ReportKept(meaning=PartTold(kind="customer") as told):
            return _part_told(followed, told.request_id, told.entries, more=told.more)
        case GetReport() | GetBaseReport(), ReportKept(meaning=ReportPage() as page):
            return _part_told(followed, page.number, len(page.entries), more=not page.last)
        case PublishFirmware(), ReportKept(meaning=FirmwarePublished() as published):
            return _published(followed, published)
        case ReadSettings(), DeviceModelRead():
            return _read(followed, notice)
        case _:
            return None


def _profiles_told(followed: Following, told: ProfilesReported) -> Step | None:
    if told.request_id != number_of(followed.id):
        return None
    place = {"evse_id": told.evse_no, "source": told.source}
    found = [*followed.result.get("profiles", ()), *({**place, **each} for each in told.profiles)]
    state = CommandState.ACCEPTED if told.more else CommandState.DONE
    return Step(state, "under_way" if told.more else "reported", {"profiles": found})


def _part_told(followed: Following, number: int | None, entries: int, *, more: bool) -> Step | None:
    """Count what is told; the report itself is kept with the station's reports."""
    if number != number_of(followed.id):
        return None
    found = {"entries": followed.result.get("entries", 0) + entries}
    if more:
        return Step(CommandState.ACCEPTED, "under_way", found)
    return Step(CommandState.DONE, "reported", found)


def _published(followed: Following, told: FirmwarePublished) -> Step | None:
    if told.request_id not in (None, number_of(followed.id)) or told.status == "Idle":
        return None
    result: dict[str, Any] = {"last_status": told.status}
    if told.status == "Published":
        return Step(CommandState.DONE, "published", {**result, "locations": list(told.locations)})
    if told.status in ("DownloadFailed", "InvalidChecksum", "PublishFailed"):
        return Step(CommandState.FAILED, "failed", result)
    return Step(CommandState.ACCEPTED, "under_way", result)


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


def _firmware_told(followed: Following, command: UpdateFirmware, notice: StationProgressKept) -> Step | None:
    step = _progressed(followed, notice)
    wanted = followed.result.get("wanted_version")
    if step is None or step.outcome != "installed" or wanted is None or not command.confirm_within_s:
        return step
    # The version that a station reports when it boots is the proof; many boot after they have said 'Installed'.
    return Step(CommandState.ACCEPTED, "installed", step.result, wait_s=command.confirm_within_s)


def _firmware_booted(followed: Following, notice: StationBootKept) -> Step | None:
    wanted, version = followed.result.get("wanted_version"), notice.firmware_version
    if wanted is None:
        return None
    result = {"firmware_version": version}
    told = followed.result.get("last_status") == "Installed"
    if version.casefold() == str(wanted).casefold():
        return Step(CommandState.DONE, "installed", result)
    if told and version:
        why = say(
            "booted_otherwise",
            "the station says it has installed {wanted}, and has booted with {version}",
            wanted=wanted,
            version=version,
        )
        return Step(CommandState.FAILED, "other_version", result, why)
    if told:
        return Step(
            CommandState.DONE,
            "installed",
            result,
            say("boots_without_version", "the station reports no version when it boots"),
        )
    if followed.outcome == UNANSWERED:  # booting as before does not tell that it knows of the order
        return None
    return Step(CommandState.ACCEPTED, "under_way", result)


def _log_told(followed: Following, command: GetLogs, notice: StationProgressKept) -> Step | None:
    step = _progressed(followed, notice)
    if step is None or step.outcome != "uploaded" or command.location is not None:
        return step
    return Step(CommandState.ACCEPTED, "uploaded", step.result, wait_s=_FILE_LATER_S)


def _log_received(followed: Following, notice: LogReceived) -> Step | None:
    if notice.command_id != followed.id:
        return None
    about = {"log_id": str(notice.log_id), "file_name": notice.file_name, "size_bytes": notice.size_bytes}
    return Step(CommandState.DONE, "uploaded", about)


def _read(followed: Following, notice: DeviceModelRead) -> Step | None:
    if notice.number != number_of(followed.id):
        return None
    result = {"pages": notice.pages, "variables": notice.variables}
    if notice.state is ReadingState.COMPLETE:
        return Step(CommandState.DONE, "read", result)
    return Step(CommandState.FAILED, notice.state.value, result, notice.detail)


def end_of_wait(followed: Following) -> tuple[CommandState, str, Text]:
    """Say how a command ends whose end was waited for in vain: state, outcome and explanation."""
    if followed.outcome == UNANSWERED:
        why = say(
            "answer_lost",
            "it was sent, its answer was lost, and the station has not told of it since; look at the station",
        )
        return CommandState.UNKNOWN, "interrupted", why
    last = followed.result.get("last_status")
    match followed.command:
        case UpdateFirmware() if last == "Installed":
            return CommandState.DONE, "installed", say("not_booted_since", "the station has not booted since")
        case GetLogs() if last == "Uploaded":
            return (
                CommandState.FAILED,
                "no_file",
                say("nothing_arrived", "the station says it has uploaded, but nothing has arrived here"),
            )
        case StartCharging():
            why = say("no_session_began", "the station accepted, but no session began: was a car plugged in?")
            return CommandState.FAILED, "no_session", why
        case StopCharging():
            why = say("session_goes_on", "the station accepted, but the session goes on")
            return CommandState.FAILED, "not_ended", why
        case Reset():
            why = say("accepted_not_booted", "the station accepted, but has not booted since")
            return CommandState.FAILED, "no_boot", why
        case GetChargingProfiles():
            why = say("profiles_missing", "the station accepted, but has not told all its profiles")
            return CommandState.TIMED_OUT, "no_report", why
        case (
            GetReport()
            | GetBaseReport()
            | GetMonitoringReport()
            | GetDisplayMessages()
            | CustomerInformation()
        ):
            return (
                CommandState.TIMED_OUT,
                "no_report",
                say("report_missing", "the station accepted, but has not told all of its report"),
            )
        case _:
            why = say("end_missing", "the station accepted, but did not say how it ended")
            return CommandState.TIMED_OUT, "no_end", why
