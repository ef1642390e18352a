"""OCPP 2.x: what a station reports and watches, and firmware that it hands on: commands, answers and notices."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.operations import commands as c
from pilotwire.domain.operations.model import CommandState, Order, Reply
from pilotwire.domain.operations.report_commands import ComponentPlace, FirmwarePublished, PartTold
from pilotwire.domain.stations.messages import ReportReceived
from pilotwire.ocpp.codec.inbound import number, number_or_none
from pilotwire.ocpp.codec.outbound import given, reply_by_status, words
from pilotwire.ocpp.codec.v2.wire import diagnostics, display, firmware

__all__ = ["customer_told", "firmware_told", "messages_told", "monitors_told", "read_answer", "spell"]

_CRITERIA = {"threshold": "ThresholdMonitoring", "delta": "DeltaMonitoring", "periodic": "PeriodicMonitoring"}
_BASES = {"all": "All", "factory_default": "FactoryDefault", "hard_wired_only": "HardWiredOnly"}
_KINDS = {
    "upper_threshold": "UpperThreshold",
    "lower_threshold": "LowerThreshold",
    "delta": "Delta",
    "periodic": "Periodic",
    "periodic_clock_aligned": "PeriodicClockAligned",
}


def spell(order: Order) -> tuple[str, dict[str, Any]] | None:
    """Give action and payload of a command of this kind; None for any other."""
    command = order.command
    match command:
        case c.GetReport():
            criteria = [each.capitalize() for each in command.criteria] or None
            return "GetReport", _report(order, command.places) | given(componentCriteria=criteria)
        case c.GetMonitoringReport():
            criteria = [_CRITERIA[each] for each in command.criteria] or None
            return "GetMonitoringReport", _report(order, command.places) | given(monitoringCriteria=criteria)
        case c.SetMonitoringBase():
            return "SetMonitoringBase", {"monitoringBase": _BASES[command.base]}
        case c.SetMonitoringLevel():
            return "SetMonitoringLevel", {"severity": command.severity}
        case c.SetMonitors():
            return "SetVariableMonitoring", {
                "setMonitoringData": [_monitor(each) for each in command.monitors]
            }
        case c.ClearMonitors():
            return "ClearVariableMonitoring", {"id": list(command.monitor_ids)}
        case c.PublishFirmware():
            tries = given(retries=command.retries, retryInterval=command.retry_interval_s)
            file = {"location": command.location, "checksum": command.checksum, "requestId": order.number}
            return "PublishFirmware", file | tries
        case c.UnpublishFirmware():
            return "UnpublishFirmware", {"checksum": command.checksum}
        case _:
            return None


def _report(order: Order, places: tuple[ComponentPlace, ...]) -> dict[str, Any]:
    return {"requestId": order.number} | given(componentVariable=[_place(each) for each in places] or None)


def _place(place: ComponentPlace | c.Monitor) -> dict[str, Any]:
    evse = None if place.evse_id is None else {"id": place.evse_id} | given(connectorId=place.connector_id)
    component = {"name": place.component} | given(instance=place.component_instance, evse=evse)
    if place.variable is None:
        return {"component": component}
    return {
        "component": component,
        "variable": {"name": place.variable} | given(instance=place.variable_instance),
    }


def _monitor(monitor: c.Monitor) -> dict[str, Any]:
    return {
        **_place(monitor),
        "type": _KINDS[monitor.kind],
        "value": monitor.value,
        "severity": monitor.severity,
        "transaction": monitor.during_sessions_only,
    } | given(id=monitor.monitor_id)


def read_answer(order: Order, answer: dict[str, Any]) -> Reply | None:
    """Say what an answer to a command of this kind means; None for any other."""
    status, info = answer.get("status"), answer.get("statusInfo")
    match order.command:
        case c.GetReport() | c.GetMonitoringReport() if status == "EmptyResultSet":
            # Spec: B08.FR.15, N02.FR.10: nothing fits, and no report follows.
            return Reply(CommandState.DONE, "empty_result_set", final=True)
        case c.SetMonitors():
            return _each(answer.get("setMonitoringResult"), frozenset({"accepted"}))
        case c.ClearMonitors():
            return _each(answer.get("clearMonitoringResult"), frozenset({"accepted", "not_found"}))
        case c.UnpublishFirmware() if status == "NoFirmware":
            return Reply(CommandState.DONE, "no_firmware")
        case c.GetReport() | c.GetMonitoringReport() | c.PublishFirmware():
            return reply_by_status(status, info, request_id=order.number)
        case _:
            return None


def _each(results: Any, good: frozenset[str]) -> Reply:
    """Say how each monitor fared; all must be as wanted for the whole to be."""
    found = []
    for each in results if isinstance(results, list) else ():
        component, variable = each.get("component") or {}, each.get("variable") or {}
        found.append(
            given(
                monitor_id=each.get("id"),
                component=component.get("name"),
                variable=variable.get("name"),
                outcome=words(str(each.get("status", ""))),
            )
        )
    bad = [each["outcome"] for each in found if each["outcome"] not in good]
    if bad or not found:
        detail = f"{len(bad)} of {len(found)} monitors were refused"
        return Reply(CommandState.REJECTED, min(bad, default="not_understood"), detail, {"monitors": found})
    return Reply(CommandState.DONE, "accepted", result={"monitors": found})


def monitors_told(request: diagnostics.NotifyMonitoringReportRequest, notes: list[str]) -> ReportReceived:
    """Read a part of a monitoring report."""
    del notes
    entries = 0 if request.monitor is UNSET else len(request.monitor)
    part = PartTold("monitors", number("requestId", request.requestId), entries, request.tbc is True)
    return ReportReceived("NotifyMonitoringReport", b"", part)


def customer_told(request: diagnostics.NotifyCustomerInformationRequest, notes: list[str]) -> ReportReceived:
    """Read a part of what a station knows of a customer; the text itself stays in the report."""
    del notes
    part = PartTold(
        "customer", number("requestId", request.requestId), int(bool(request.data)), request.tbc is True
    )
    return ReportReceived("NotifyCustomerInformation", b"", part)


def messages_told(request: display.NotifyDisplayMessagesRequest, notes: list[str]) -> ReportReceived:
    """Read a part of the messages of a display."""
    del notes
    entries = 0 if request.messageInfo is UNSET else len(request.messageInfo)
    part = PartTold("messages", number("requestId", request.requestId), entries, request.tbc is True)
    return ReportReceived("NotifyDisplayMessages", b"", part)


def firmware_told(
    request: firmware.PublishFirmwareStatusNotificationRequest, notes: list[str]
) -> ReportReceived:
    """Read how far a local controller is with firmware."""
    locations = () if request.location is UNSET else tuple(request.location)
    told = FirmwarePublished(request.status, number_or_none(request.requestId, notes), locations)
    return ReportReceived("PublishFirmwareStatusNotification", b"", told)
