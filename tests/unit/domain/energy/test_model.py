"""The site model: what is wrong with a tree is said, and weekly rules become windows of moments."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from pilotwire.domain.energy.model import (
    Battery,
    Connection,
    Evse,
    LimitWindow,
    Node,
    NodeKind,
    Phase,
    Site,
)
from pilotwire.domain.energy.schedule import WeeklyLimit, WeeklyPrice, limit_windows, price_windows
from pilotwire.domain.energy.validation import problems_of

BERLIN = ZoneInfo("Europe/Berlin")


def good_site(**changes: Any) -> Site:
    site = Site(
        id="site",
        nodes=(
            Node(id="grid", parent_id=None, kind=NodeKind.GRID, limit_a=(63.0, 63.0, 63.0)),
            Node(id="garage", parent_id="grid", limit_a=(32.0, 32.0, 32.0)),
        ),
        evses=(
            Evse(id="a", node_id="garage"),
            Evse(id="b", node_id="garage", lines=(Phase.L2, Phase.L3, Phase.L1)),
        ),
    )
    return msgspec.structs.replace(site, **changes)


def codes(site: Site) -> set[str]:
    return {problem.code for problem in problems_of(site)}


def test_a_good_site_has_no_problems() -> None:
    assert problems_of(good_site()) == []


GRID = good_site().nodes[0]
PLACE = good_site().evses[0]
STORE = Battery(id="s", node_id="grid", capacity_wh=1.0, max_charge_w=1.0, max_discharge_w=1.0)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("roots", {"nodes": ()}),
        ("roots", {"nodes": (GRID, msgspec.structs.replace(GRID, id="second"))}),
        ("no_limit", {"nodes": (msgspec.structs.replace(GRID, limit_a=None),)}),
        ("twice", {"evses": (PLACE, PLACE)}),
        ("unknown_parent", {"nodes": (GRID, Node(id="garage", parent_id="nowhere"))}),
        ("circle", {"nodes": (GRID, Node(id="x", parent_id="y"), Node(id="y", parent_id="x"))}),
        ("unknown_node", {"evses": (Evse(id="a", node_id="nowhere"),)}),
        ("bad_limit", {"nodes": (msgspec.structs.replace(GRID, limit_a=(63.0, -1.0, 63.0)),)}),
        ("bad_limit", {"nodes": (msgspec.structs.replace(GRID, limit_w=float("nan")),)}),
        ("margin", {"nodes": (msgspec.structs.replace(GRID, margin_a=63.0),)}),
        ("bad_window", {"nodes": (msgspec.structs.replace(GRID, windows=(LimitWindow(10.0, 10.0, None, 1e3),)),)}),
        ("bad_lines", {"evses": (Evse(id="a", node_id="grid", lines=(Phase.L1, Phase.L1)),)}),
        ("bad_lines", {"evses": (Evse(id="a", node_id="grid", lines=(Phase.L1,), connection=Connection.DELTA),)}),
        ("bad_current", {"evses": (Evse(id="a", node_id="grid", min_a=40.0),)}),
        ("bad_steps", {"evses": (Evse(id="a", node_id="grid", steps_a=(16.0, 8.0)),)}),
        ("bad_soc", {"batteries": (msgspec.structs.replace(STORE, min_soc=1.0),)}),
    ],
)  # fmt: skip
def test_each_fault_of_a_site_is_named(code: str, changes: dict[str, Any]) -> None:
    assert code in codes(good_site(**changes))


def test_a_weekly_limit_keeps_its_wall_clock_over_the_change_to_summer_time() -> None:
    rule = WeeklyLimit(days=(6,), from_minute=60, to_minute=240, limit_w=1000.0, reason="night")
    start = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
    (window,) = limit_windows((rule,), BERLIN, start, start + 2 * 86400)
    assert datetime.fromtimestamp(window.starts_s, BERLIN).hour == 1
    assert datetime.fromtimestamp(window.ends_s, BERLIN).hour == 4
    assert window.ends_s - window.starts_s == 2 * 3600
    assert (window.limit_w, window.reason) == (1000.0, "night")


def test_a_price_over_midnight_belongs_to_the_evening_it_begins_on() -> None:
    rule = WeeklyPrice(days=(4,), from_minute=22 * 60, to_minute=6 * 60, price_per_kwh=0.1)
    friday = datetime(2026, 1, 9, tzinfo=BERLIN).timestamp()
    (window,) = price_windows((rule,), BERLIN, friday, friday + 2 * 86400)
    assert window.starts_s == friday + 22 * 3600
    assert window.ends_s == friday + 30 * 3600


def test_a_running_night_is_found_from_its_middle() -> None:
    rule = WeeklyLimit(from_minute=22 * 60, to_minute=6 * 60, limit_w=1.0)
    night = datetime(2026, 1, 9, 2, tzinfo=BERLIN).timestamp()
    windows = limit_windows((rule,), BERLIN, night, night + 60)
    assert [window.starts_s for window in windows] == [night - 4 * 3600]
