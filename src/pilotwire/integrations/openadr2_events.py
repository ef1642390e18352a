"""Events of OpenADR 2.0b as those of OpenADR 3, so that both have one meaning.

Signals become payload types of OpenADR 3. What has no counterpart keeps its 2.0b name and type and is only shown.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element

from pilotwire.domain.energy.demand_response import read_duration
from pilotwire.integrations.openadr2_xml import all_of, at, name_of, text_at

__all__ = ["read_events"]

_TYPES = {
    ("SIMPLE", "level"): "SIMPLE",
    ("ELECTRICITY_PRICE", "price"): "PRICE",
    ("ENERGY_PRICE", "price"): "PRICE",
    ("LOAD_DISPATCH", "setpoint"): "DISPATCH_SETPOINT",
    ("LOAD_DISPATCH", "delta"): "DISPATCH_SETPOINT_RELATIVE",
    ("LOAD_DISPATCH", "multiplier"): "DISPATCH_SETPOINT_MULTIPLIER",
    ("CHARGE_STATE", "setpoint"): "CHARGE_STATE_SETPOINT",
}
_UNITS = {
    "PRICE": "KWH",
    "DISPATCH_SETPOINT": "W",
    "DISPATCH_SETPOINT_RELATIVE": "W",
    "CHARGE_STATE_SETPOINT": "WH",
}
_SCALES = {
    "p": 1e-12, "n": 1e-9, "micro": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1, "none": 1.0, "": 1.0,
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
_OTHERS = {"eventDescriptor", "eiActivePeriod", "eiEventSignals", "eiTarget"}


def read_events(distribution: Element) -> list[dict[str, Any]]:
    """Read an oadrDistributeEvent; an event that cannot be read has its reason under `unreadable`."""
    found = []
    for each in all_of(distribution, "oadrEvent"):
        event = at(each, "eiEvent")
        if event is None:
            continue
        descriptor = at(event, "eventDescriptor")
        made: dict[str, Any] = {
            "id": text_at(descriptor, "eventID"),
            "eventName": text_at(descriptor, "vtnComment"),
            "programID": text_at(descriptor, "eiMarketContext", "marketContext"),
            "modificationNumber": text_at(descriptor, "modificationNumber"),
            "status": text_at(descriptor, "eventStatus"),
            "priority": text_at(descriptor, "priority"),
            "testEvent": text_at(descriptor, "testEvent").casefold() not in ("", "false", "0"),
            "responseRequired": text_at(each, "oadrResponseRequired") or "always",
            "vens": [name.text or "" for name in all_of(at(event, "eiTarget"), "venID")],
            "intervals": [],
        }
        try:
            made |= _signals(event)
        except (ValueError, OverflowError) as error:
            made["unreadable"] = str(error)
        found.append(made)
    return found


def _signals(event: Element) -> dict[str, Any]:
    period = at(event, "eiActivePeriod", "properties")
    begins_at = _moment(text_at(period, "dtstart", "date-time"))
    whole = text_at(period, "duration", "duration")
    intervals: list[dict[str, Any]] = []
    descriptors: dict[str, str] = {}
    for signal in all_of(at(event, "eiEventSignals"), "eiEventSignal"):
        name, sort = text_at(signal, "signalName").upper(), text_at(signal, "signalType")
        kind = _TYPES.get((name, sort), f"{name}/{sort}")
        if kind in _UNITS:
            descriptors[kind] = _UNITS[kind]
        scale = _scale(signal)
        for starts_at, duration, value in _intervals(signal, begins_at, whole):
            intervals.append(
                {
                    "id": len(intervals),
                    "intervalPeriod": {"start": starts_at.isoformat(), "duration": duration},
                    "payloads": [{"type": kind, "values": [value * scale]}],
                }
            )
    return {
        "intervals": intervals,
        "payloadDescriptors": [{"payloadType": kind, "units": unit} for kind, unit in descriptors.items()],
    }


def _intervals(signal: Element, begins_at: datetime, whole: str) -> Iterator[tuple[datetime, str, float]]:
    cursor: datetime | None = begins_at
    for each in all_of(at(signal, "intervals"), "interval"):
        own = text_at(each, "dtstart", "date-time")
        starts_at = _moment(own) if own else cursor
        if starts_at is None:
            raise ValueError("an interval follows one that has no end")
        duration = text_at(each, "duration", "duration") or whole
        length: timedelta | None = read_duration(duration)
        cursor = None if length is None else starts_at + length
        text = text_at(each, "signalPayload", "payloadFloat", "value")
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError(f"'{text}' is no value of a signal") from error
        yield starts_at, duration, value


def _scale(signal: Element) -> float:
    """Give the factor of the signal's unit: only what has a unit has a scale."""
    for each in signal:
        if any(name_of(part) == "siScaleCode" for part in each):
            code = text_at(each, "siScaleCode")
            if code not in _SCALES:
                raise ValueError(f"'{code}' is no scale of a unit")
            return _SCALES[code]
    return 1.0


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
