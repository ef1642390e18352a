"""What the demo says of its sites can be kept, and says something of each."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pilotwire.app.demo_sites import about, fast_stations
from pilotwire.domain.stations.opening import is_open, read_hours
from pilotwire.domain.stations.site import checked_site
from pilotwire.simulator.demo import demo_network

SUNDAY_NIGHT = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_every_site_has_hours_a_connection_and_somebody_to_call() -> None:
    for site in demo_network().sites:
        kept = checked_site(about(site))
        assert kept["grid_connection"]["limit_kw"] > 0
        assert kept["contacts"][0]["email"].endswith(".example")
        assert is_open(read_hours(kept["opening_hours"]), ZoneInfo(site.time_zone), MONDAY_NOON)


def test_offices_are_closed_on_a_sunday_and_the_road_is_not() -> None:
    kinds = {
        site.kind: is_open(read_hours(about(site)["opening_hours"]), ZoneInfo(site.time_zone), SUNDAY_NIGHT)
        for site in demo_network().sites
    }
    assert kinds == {"office": False, "public": True, "highway": True, "fleet": True}


def test_fast_chargers_are_those_of_direct_current() -> None:
    sites = demo_network().sites
    fast = fast_stations(sites)
    assert all(identity in fast for identity in ("DE-KAS-01", "FR-LYO-06"))
    assert not any(identity.startswith("NL-UTR") for identity in fast)
