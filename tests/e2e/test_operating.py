"""An operator's day in a real browser: a fault, a broken line, a command for fifty stations."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pilotwire.simulator.demo import generated_network
from pilotwire.simulator.run import SimulatorOptions, simulate
from tests.e2e.conftest import STATIONS, Site
from tests.e2e.line import Line
from tests.e2e.pages import PATIENCE_MS, SECRET, add_station, ask, signed_in
from tests.support.stations import moment, station

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A wide page of somebody who has signed in."""
    with signed_in(browser, site) as page:
        yield page


class Wired:
    """A station that says what a test tells it to say."""

    def __init__(self, site: Site, identity: str) -> None:
        self._site = site
        self._identity = identity
        self._say: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        self._run: Future[None] = site.start(self._live())

    async def _live(self) -> None:
        async with station(self._site.stations_url, self._identity, "1.6", password=SECRET) as wired:
            await wired.boot()
            while (said := await self._say.get()) is not None:
                await wired.call(*said)

    def says_status(self, status: str, error: str = "NoError") -> None:
        """Report the status of its connector."""
        payload = {"connectorId": 1, "status": status, "errorCode": error, "timestamp": moment()}
        self._put(("StatusNotification", payload))

    def leaves(self) -> None:
        """Disconnect; what went wrong at the station is told here."""
        self._put(None)
        self._run.result(60)

    def _put(self, what: tuple[str, dict[str, Any]] | None) -> None:
        assert self._site.loop is not None
        self._site.loop.call_soon_threadsafe(self._say.put_nowait, what)


@contextmanager
def on_the_wire(site: Site, identity: str) -> Iterator[Wired]:
    """A station that is connected as long as a test runs, however it ends."""
    wired = Wired(site, identity)
    try:
        yield wired
    finally:
        wired.leaves()


def test_a_fault_appears_in_the_attention_list_and_goes_when_it_is_mended(desk: Page, site: Site) -> None:
    add_station(desk, "FAULT-1")
    matters = desk.get_by_role("list", name="Needs attention")
    mine = matters.get_by_role("listitem").filter(has_text="FAULT-1").filter(has_text="Fault")
    with on_the_wire(site, "FAULT-1") as wired:
        wired.says_status("Faulted", "GroundFailure")
        expect(mine).to_be_visible(timeout=PATIENCE_MS)
        expect(mine).to_contain_text("EVSE 1")
        expect(mine).to_contain_text("Ground fault")
        mine.get_by_role("link").click()
        expect(desk).to_have_url(re.compile(r"/stations/FAULT-1$"))
        expect(desk.get_by_text("Faulted").first).to_be_visible()
        wired.says_status("Available")
        expect(desk.get_by_text("Available").first).to_be_visible(timeout=PATIENCE_MS)
        desk.goto(site.url)
        expect(desk.get_by_text(f"Live, {len(STATIONS)}")).to_have_count(
            0
        )  # one more than the simulated ones
        expect(desk.get_by_role("heading", name="Needs attention")).to_be_visible()
        expect(mine).to_have_count(0, timeout=PATIENCE_MS)


def test_what_happened_while_the_line_was_cut_is_told_when_it_heals(browser: Browser, site: Site) -> None:
    line = Line(int(site.url.rpartition(":")[2]))
    with signed_in(browser, Site(line.url)) as page, ExitStack() as stack:
        add_station(page, "CUT-1")
        wired = stack.enter_context(on_the_wire(site, "CUT-1"))
        wired.says_status("Available")
        page.goto(f"{line.url}/stations?q=cut-1")
        row = page.get_by_role("row").filter(has_text="CUT-1")
        expect(row).to_contain_text("Available", timeout=PATIENCE_MS)
        mark = page.locator("[data-link]")
        expect(mark).to_have_attribute("data-link", "live", timeout=PATIENCE_MS)

        line.cut()
        expect(page.get_by_text("No live data for")).to_be_visible(timeout=PATIENCE_MS)
        wired.says_status("Faulted", "OverVoltage")
        expect(row).to_contain_text("Available")  # what is seen is old, and marked as old
        asked_before = len(line.asked)
        line.mend()
        expect(row).to_contain_text("Faulted", timeout=PATIENCE_MS)
        expect(page.get_by_text("No live data for")).to_have_count(0, timeout=PATIENCE_MS)

        streams = [head for head in line.asked[asked_before:] if "/live/stream" in head.partition("\r\n")[0]]
        assert streams, line.asked
        assert re.search(r"last-event-id: \S+", streams[-1], re.IGNORECASE), streams[-1]
        # It went on where it broke off: the whole picture was not fetched again.
        assert not any("/live/snapshot" in head.partition("\r\n")[0] for head in line.asked[asked_before:])
    line.close()


def test_a_command_goes_to_fifty_stations_with_progress_and_a_result_of_each(desk: Page, site: Site) -> None:
    network = generated_network(50, ("1.6", "2.0.1", "2.1"), prefix="CROWD-")
    for spec in network.stations:
        add_station(desk, spec.identity)
    stop = asyncio.Event()
    crowd = site.start(
        simulate(
            SimulatorOptions(
                url=site.stations_url,
                network=network,
                passwords={spec.identity: SECRET for spec in network.stations},
                busyness=0,
                least_occupied=None,
                tick_s=5,
            ),
            stop=stop,
        )
    )
    desk.goto(f"{site.url}/stations?q=crowd&status=available")
    expect(desk.get_by_text(re.compile(r"^50 of \d+$"))).to_be_visible(timeout=2 * PATIENCE_MS)
    desk.get_by_label("Select all").check()
    bar = desk.get_by_role("toolbar", name="Commands for the selected stations")
    expect(bar.get_by_text("50 selected")).to_be_visible()
    bar.get_by_role("button", name="More").click()
    desk.get_by_role("menuitem", name="Clear token cache").click()
    dialog = desk.get_by_role("alertdialog")
    give = dialog.get_by_role("button", name="Clear token cache")
    expect(give).to_be_disabled()
    dialog.get_by_label("Type “50” to go on").fill("50")
    with desk.expect_response(lambda answer: answer.url.endswith("/api/v1/commands")) as given:
        give.click()
    task_id = given.value.json()["task_id"]

    desk.goto(f"{site.url}/tasks/{task_id}")
    expect(desk.get_by_role("img", name=re.compile("^50 done, 0 not done, 0 open of 50$"))).to_be_visible(
        timeout=2 * PATIENCE_MS
    )
    results = desk.get_by_role("table", name="Result per station")
    expect(results.get_by_text("CROWD-0001")).to_be_visible()
    expect(results.get_by_text("Done").first).to_be_visible()
    results_of = {
        each["station_id"]: each["state"] for each in ask(desk, f"/tasks/{task_id}")["results"]["items"]
    }
    assert results_of == {spec.identity: "done" for spec in network.stations}
    assert site.loop is not None
    site.loop.call_soon_threadsafe(stop.set)
    crowd.result(60)
