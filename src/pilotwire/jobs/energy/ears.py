"""What the loops hear from the bus: sessions, samples, meters, limits of others. Quick, as all that listens to the bus."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from pilotwire.domain.energy.definition import evse_key
from pilotwire.domain.energy.events import MeterRead, Reading
from pilotwire.domain.energy.messages import Schedule
from pilotwire.domain.energy.records import ExternalLimitCleared, ExternalLimitKept
from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.stations.records import StationBootKept
from pilotwire.jobs.energy.site import Plugged, SiteLoop

__all__ = ["Ears", "ocpp_meter"]

_NEWS_S = 900.0


class Ears:
    """Puts what is heard where the loops look for it."""

    def __init__(self, sites: dict[UUID, SiteLoop], alarm: Callable[[], None]) -> None:
        self._sites = sites
        self._alarm = alarm
        self._by_station: dict[int, tuple[SiteLoop, str]] = {}
        self._meters: dict[tuple[int, int], list[tuple[SiteLoop, str]]] = {}

    def index(self) -> None:
        """Note again which station belongs to which site, and which OCPP meters are looked at."""
        self._by_station.clear()
        self._meters.clear()
        for site in self._sites.values():
            for identity, station_id in site.station_ids.items():
                self._by_station[station_id] = (site, identity)
            for name in {node.meter for node in site.tree.nodes if node.meter}:
                place = ocpp_meter(name)
                if place is not None and place[0] in site.station_ids:
                    self._meters.setdefault((site.station_ids[place[0]], place[1]), []).append((site, name))

    def knows(self, station_id: int) -> bool:
        """Tell whether a station belongs to a site whose loops run."""
        return station_id in self._by_station

    def meter_read(self, notice: MeterRead) -> None:
        """A meter of a site was read."""
        site = self._sites.get(notice.site_id)
        if site is not None:
            at_s = min(notice.reading.at, notice.received_at).timestamp()
            before = site.readings.get(notice.name)
            if before is None or before[0] <= at_s:
                site.readings[notice.name] = (at_s, notice.reading)
                if site.overloaded():
                    self._alarm()

    def sample_kept(self, notice: SampleKept) -> None:
        """The meter of an EVSE, or of a whole station, was read."""
        found = self._by_station.get(notice.station_id)
        if found is None or notice.evse_no is None:
            return
        at_s, sample = notice.received_at.timestamp(), notice.sample
        for site, name in self._meters.get((notice.station_id, notice.evse_no), ()):
            currents = (sample.current_l1_a, sample.current_l2_a, sample.current_l3_a)
            if all(current is not None for current in currents):
                site.readings[name] = (at_s, Reading(notice.received_at, currents, sample.power_w))  # type: ignore[arg-type]
            elif sample.power_w is not None:
                site.readings[name] = (at_s, Reading(notice.received_at, None, sample.power_w))
        site, identity = found
        key = evse_key(identity, notice.evse_no)
        # Of samples that were queued for hours only the moment says that they are no news.
        if key in site.given and abs((notice.received_at - sample.at).total_seconds()) < _NEWS_S:
            site.heard_sample(key, sample, at_s)
            if site.is_surprised(key, at_s):
                self._alarm()

    def session_kept(self, notice: SessionKept) -> SiteLoop | None:
        """A session began, went on or ended; give its site when the cars there have changed."""
        found = self._by_station.get(notice.station_id)
        facts = notice.facts
        if found is None or facts.evse_no is None:
            return None
        site, identity = found
        key = evse_key(identity, facts.evse_no)
        if key not in site.given:
            return None
        car = site.plugged.get(key)
        if facts.ended:
            if car is None or car.session_id != facts.id:
                return None
            del site.plugged[key]
            site.drives[key].begin(None)
            return site
        began = facts.started_at or facts.first_at
        is_new = car is None or car.session_id != facts.id
        if car is not None and is_new and began < car.began_at:
            return None  # an older session that was never ended
        if car is None or is_new:
            car = site.plugged[key] = Plugged(facts.id, began)
            site.drives[key].begin(str(facts.id))
        _take_facts(car, facts)
        return site if is_new else None

    def limit_kept(self, notice: ExternalLimitKept) -> None:
        """Somebody else limits a station."""
        found = self._by_station.get(notice.station_id)
        if found is not None:
            site, identity = found
            schedules = msgspec.convert(notice.schedules, tuple[Schedule, ...])
            site.external[identity, notice.evse_no, notice.source] = (
                notice.received_at.timestamp(),
                schedules,
            )

    def limit_cleared(self, notice: ExternalLimitCleared) -> None:
        """The limit of somebody else is gone."""
        found = self._by_station.get(notice.station_id)
        if found is not None:
            site, identity = found
            site.external.pop((identity, notice.evse_no, notice.source), None)

    def booted(self, notice: StationBootKept) -> None:
        """A station has started: it may have lost its default profile, so it is told again."""
        found = self._by_station.get(notice.station_id)
        if found is None:
            return
        site, identity = found
        for key, given in site.given.items():
            if given.station_id == identity:
                drive = site.drives[key]
                if drive.bound_a is not None:
                    drive.sent_bound_a = drive.bound_a
                drive.again = drive.told_a is not None


def _take_facts(car: Plugged, facts: SessionFacts) -> None:
    if car.token_uid is None and facts.token_uid is not None:
        car.token_uid, car.expected = facts.token_uid, None
    if facts.energy_wh is not None:
        car.energy_wh = float(facts.energy_wh)
    if facts.charging_state is not None:
        car.charging_state = facts.charging_state[1]
    if facts.last_soc is not None:
        car.soc_percent = facts.last_soc[1]


def ocpp_meter(name: str) -> tuple[str, int] | None:
    """Read the name of a meter that a station reads: `ocpp:STATION/EVSE`, EVSE 0 for the station's own."""
    if not name.startswith("ocpp:"):
        return None
    identity, slash, number = name.removeprefix("ocpp:").rpartition("/")
    if not slash or not number.isdigit():
        return name.removeprefix("ocpp:"), 0
    return identity, int(number)
