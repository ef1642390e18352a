"""The report of an OpenADR 2.0b VEN: what the site buys, and what it usually buys at such hours.

Spec: OpenADR 2.0b Profile Specification 1.1, EiReport: METADATA_TELEMETRY_USAGE, TELEMETRY_USAGE.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4
from xml.etree.ElementTree import Element

from pilotwire.domain.energy.demand_ports import Used
from pilotwire.domain.energy.demand_response import read_duration
from pilotwire.integrations.openadr2_xml import all_of, at, element, text_at

__all__ = ["Wanted", "metadata_report", "read_wanted", "usage_report"]

_SPECIFIER = "site-energy"
_POINTS = {"usage": ("usage", "Direct Read"), "baseline": ("baseline", "Mean")}
"""What is offered: id, type of the report, how it is read."""
_MOST_SPANS = 96


@dataclass(slots=True)
class Wanted:
    """A VTN's request of our report. Without a granularity only results of events are told."""

    request_id: str
    points: frozenset[str]
    granularity: timedelta | None
    every: timedelta | None
    told_until: datetime
    ends_at: datetime | None = None
    sent: set[tuple[datetime, datetime]] = field(default_factory=set)

    def due(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Give the spans that have ended, once as many have as are to be told together."""
        if self.granularity is None or now < self.told_until + (self.every or self.granularity):
            return []
        found, cursor = [], max(self.told_until, now - _MOST_SPANS * self.granularity)
        while cursor + self.granularity <= now and (self.ends_at is None or cursor < self.ends_at):
            found.append((cursor, cursor + self.granularity))
            cursor += self.granularity
        return found

    def told(self, used: Sequence[Used], now: datetime) -> None:
        """Note what was told, or was not measured and will never be."""
        for each in used:
            self.sent.add((each.starts_at, each.ends_at))
            if self.granularity == each.ends_at - each.starts_at and each.starts_at >= self.told_until:
                self.told_until = each.ends_at
        self.sent = {span for span in self.sent if span[1] > now - timedelta(days=8)}


def metadata_report(now: datetime) -> Element:
    """Offer what can be told."""
    described = [
        element(
            "oadr:oadrReportDescription",
            element("ei:rID", name),
            element("ei:reportType", kind),
            element(
                "power:energyReal",
                element("power:itemDescription", "RealEnergy"),
                element("power:itemUnits", "Wh"),
                element("scale:siScaleCode", "none"),
            ),
            element("ei:readingType", reading),
            element(
                "oadr:oadrSamplingRate",
                element("oadr:oadrMinPeriod", "PT1M"),
                element("oadr:oadrMaxPeriod", "P1D"),
                element("oadr:oadrOnChange", "false"),
            ),
        )
        for name, (kind, reading) in _POINTS.items()
    ]
    return element(
        "oadr:oadrReport",
        element("xcal:duration", element("xcal:duration", "P14D")),
        *described,
        element("ei:reportRequestID", "0"),
        element("ei:reportSpecifierID", _SPECIFIER),
        element("ei:reportName", "METADATA_TELEMETRY_USAGE"),
        element("ei:createdDateTime", _text(now)),
    )


def read_wanted(request: Element, now: datetime) -> Wanted:
    """Read an oadrReportRequest. Raises: ValueError."""
    specifier = at(request, "reportSpecifier")
    period = at(specifier, "reportInterval", "properties")
    begins = text_at(period, "dtstart", "date-time")
    begins_at = datetime.fromisoformat(begins) if begins else now
    length = read_duration(text_at(period, "duration", "duration") or "PT0S")
    granularity = read_duration(text_at(specifier, "granularity", "duration") or "PT0S")
    every = read_duration(text_at(specifier, "reportBackDuration", "duration") or "PT0S")
    points = {text_at(each, "rID") for each in all_of(specifier, "specifierPayload")}
    request_id = text_at(request, "reportRequestID")
    if not request_id:
        raise ValueError("it has no reportRequestID")
    if granularity is not None and granularity < timedelta(seconds=1):
        raise ValueError("its granularity is shorter than a second")
    return Wanted(
        request_id,
        frozenset(points & _POINTS.keys()) or frozenset(_POINTS),
        granularity,
        every,
        max(begins_at, now) if begins_at.tzinfo else now,
        None if length is None or begins_at.tzinfo is None else begins_at + length,
    )


def usage_report(wanted: Wanted, used: Sequence[Used], now: datetime) -> Element | None:
    """Write the report for one request; None where nothing of it was measured or it was told already."""
    intervals = []
    for each in used:
        if (each.starts_at, each.ends_at) in wanted.sent:
            continue
        values = {"usage": each.used_wh, "baseline": each.baseline_wh}
        intervals += [
            _interval(each, name, value)
            for name, value in values.items()
            if value is not None and name in wanted.points
        ]
    if not intervals:
        return None
    return element(
        "oadr:oadrReport",
        element("xcal:dtstart", element("xcal:date-time", _text(min(each.starts_at for each in used)))),
        element("strm:intervals", *intervals),
        element("ei:eiReportID", uuid4().hex),
        element("ei:reportRequestID", wanted.request_id),
        element("ei:reportSpecifierID", _SPECIFIER),
        element("ei:reportName", "TELEMETRY_USAGE"),
        element("ei:createdDateTime", _text(now)),
    )


def _interval(used: Used, name: str, value_wh: float) -> Element:
    length_s = round((used.ends_at - used.starts_at).total_seconds())
    return element(
        "ei:interval",
        element("xcal:dtstart", element("xcal:date-time", _text(used.starts_at))),
        element("xcal:duration", element("xcal:duration", f"PT{length_s}S")),
        element(
            "oadr:oadrReportPayload",
            element("ei:rID", name),
            element("ei:payloadFloat", element("ei:value", f"{value_wh:.1f}")),
        ),
    )


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
