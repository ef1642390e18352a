"""Lists of tokens in stations, in a real browser: in step by themselves, sent by hand, left alone by a rule."""

import asyncio
import csv
import io
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import PASSWORD, Site
from tests.e2e.pages import PATIENCE_MS, SECRET, add_station, ask, signed_in
from tests.e2e.test_screens import AXE, RULES
from tests.support.devices import Keys
from tests.support.stations import station

pytestmark = pytest.mark.xdist_group("e2e")

VIEWER = "looks-on@pilotwire.example"
# A page that hears nothing asks again after twenty seconds.
SOON_MS = 8_000


class Holder:
    """A 1.6 station that keeps the list that it is sent, unless it refuses."""

    def __init__(self, site: Site, identity: str, *, room: int = 500) -> None:
        self.refuses = False
        self.held: dict[int, str] = {}
        """How each version was sent."""
        self._keys = Keys(
            {
                "SupportedFeatureProfiles": ("Core,LocalAuthListManagement", True),
                "LocalAuthListEnabled": ("true", False),
                "LocalAuthListMaxLength": (str(room), True),
                "SendLocalListMaxLength": ("100", True),
            }
        )
        self._site = site
        self._end = asyncio.Event()
        self._life: Future[None] = site.start(self._live(identity))

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "GetLocalListVersion":
            return {"listVersion": max(self.held, default=0)}
        if action == "SendLocalList":
            if self.refuses:
                return {"status": "Failed"}
            self.held[payload["listVersion"]] = payload["updateType"]
            return {"status": "Accepted"}
        return self._keys.answer(action, payload)

    async def _live(self, identity: str) -> None:
        url = self._site.stations_url
        async with station(url, identity, "1.6", password=SECRET, answer=self._answer) as charger:
            await charger.boot()
            await self._end.wait()

    def leaves(self) -> None:
        """Disconnect; what went wrong at the station is told here."""
        assert self._site.loop is not None
        self._site.loop.call_soon_threadsafe(self._end.set)
        self._life.result(60)


@pytest.fixture(scope="module")
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who has signed in."""
    with signed_in(browser, site) as page:
        yield page


def _stands(page: Page) -> Locator:
    return page.get_by_role("region", name="Local list").get_by_role("status").first


def _fact(page: Page, name: str) -> Locator:
    facts = page.get_by_role("region", name="Local list").locator("dl > div")
    return facts.filter(has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd")


def _row(page: Page, identity: str) -> Locator:
    return page.get_by_role("table", name="Local lists").get_by_role("row").filter(has_text=identity)


def test_a_list_comes_in_step_in_the_page_and_goes_whole_when_asked_for(desk: Page, site: Site) -> None:
    add_station(desk, "LIST-1")
    desk.goto(f"{site.url}/stations/LIST-1?tab=local-list")
    expect(_stands(desk)).to_contain_text("Not yet known")
    charger = Holder(site, "LIST-1", room=2)
    expect(_stands(desk)).to_contain_text("In step", timeout=2 * PATIENCE_MS)
    found = ask(desk, "/stations/LIST-1/local-list")
    assert found["left_out"] > 0, "the network has more tokens than the station takes"
    expect(_stands(desk)).to_contain_text(f"The station takes 2: {found['left_out']} tokens have no room")
    expect(_fact(desk, "Tokens")).to_have_text("2")
    expect(_fact(desk, "Version")).to_have_text(str(max(charger.held)))
    expect(desk.get_by_text("Kept in step; no rule says otherwise.")).to_be_visible()

    before = dict(charger.held)
    desk.get_by_role("button", name="Send now").click()
    dialog = desk.get_by_role("alertdialog", name="Send LIST-1 its whole list?")
    expect(dialog).to_contain_text("2 tokens go there at once")
    dialog.get_by_role("button", name="Send now").click()
    expect(desk.get_by_text("The list is on its way")).to_be_visible()
    expect(_fact(desk, "Version")).to_have_text(str(max(before) + 1))
    assert charger.held[max(before) + 1] == "Full"
    charger.leaves()


def test_a_list_that_is_refused_is_told_at_once_and_sent_again_by_hand(desk: Page, site: Site) -> None:
    add_station(desk, "LIST-2")
    desk.goto(f"{site.url}/stations/LIST-2?tab=local-list")
    charger = Holder(site, "LIST-2")
    expect(_stands(desk)).to_contain_text("In step", timeout=2 * PATIENCE_MS)
    charger.refuses = True
    ask(desk, "/tokens", "POST", {"uid": "LATECOMER"})
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while ask(desk, "/stations/LIST-2/local-list")["state"] != "failed":
        assert time.monotonic() < deadline, "the station was not told of a new token"
        time.sleep(0.2)
    expect(_stands(desk)).to_contain_text("Failed", timeout=SOON_MS)
    expect(_stands(desk)).to_contain_text("The station answered that it failed.")
    expect(_stands(desk)).to_contain_text("It has failed once. Next try in")
    charger.refuses = False
    desk.get_by_role("button", name="Send now").click()
    desk.get_by_role("alertdialog").get_by_role("button", name="Send now").click()
    expect(_stands(desk)).to_contain_text("In step")
    charger.leaves()

    # Who is away gets it when it is back.
    expect(desk.get_by_text("last seen")).to_be_visible()
    desk.get_by_role("button", name="Send now").click()
    expect(desk.get_by_role("alertdialog")).to_contain_text("The station is away")
    desk.get_by_role("alertdialog").get_by_role("button", name="Send now").click()
    expect(_stands(desk)).to_contain_text("Waiting")
    expect(_stands(desk)).to_contain_text("It is away and gets its list when it is back.")


def test_a_rule_leaves_a_site_alone_and_its_removal_brings_it_back(desk: Page, site: Site) -> None:
    depot = ask(desk, "/sites", "POST", {"name": "Depot of lists"})["id"]
    ask(desk, "/stations", "POST", {"id": "LIST-3", "password": SECRET, "site_id": depot})
    charger = Holder(site, "LIST-3")
    desk.goto(f"{site.url}/tokens?tab=stations&q=list-3")
    expect(_row(desk, "LIST-3")).to_contain_text("In step", timeout=2 * PATIENCE_MS)

    desk.get_by_role("link", name="Rules for stations").click()
    expect(desk.get_by_text("Where no rule says anything, lists are kept in step.")).to_be_visible()
    desk.get_by_role("button", name="Add a rule").first.click()
    form = desk.get_by_role("dialog", name="Add a rule")
    leave = form.get_by_role("button", name="Leave alone")
    expect(leave).to_be_disabled()
    form.get_by_label("Site", exact=True).select_option("Depot of lists")
    expect(form.get_by_role("status")).to_have_text("The list of 1 station is left alone from now on.")
    leave.click()
    rule = desk.get_by_role("table", name="Rules for local lists").get_by_role("row")
    rule = rule.filter(has_text="Depot of lists")
    expect(rule).to_contain_text("Left alone")

    desk.get_by_role("link", name="In stations").click()
    desk.get_by_role("button", name=re.compile("^Left alone 1$")).click()
    expect(desk).to_have_url(re.compile(r"[?&]list=not_kept\b"))
    desk.reload()  # who is sent the address sees the same
    expect(_row(desk, "LIST-3")).to_contain_text("A rule says that it is left alone.")
    expect(_row(desk, "SIM-0001")).to_have_count(0)

    _row(desk, "LIST-3").get_by_role("cell").nth(2).click()
    expect(desk).to_have_url(re.compile(r"/stations/LIST-3\?tab=local-list$"))
    expect(_stands(desk)).to_contain_text("Left alone")
    expect(desk.get_by_text("Left alone by the rule of Depot of lists.")).to_be_visible()
    expect(desk.get_by_role("button", name="Send now")).to_be_disabled()

    # A rule of its own wins over its site's.
    desk.get_by_role("button", name="Keep in step").click()
    desk.get_by_role("alertdialog").get_by_role("button", name="Keep in step").click()
    expect(desk.get_by_text("Kept in step by a rule of its own.")).to_be_visible()
    expect(_stands(desk)).to_contain_text("In step")
    desk.get_by_role("button", name="Remove rule").click()
    expect(desk.get_by_role("alertdialog")).to_contain_text("The list of 1 station is left alone")
    desk.get_by_role("alertdialog").get_by_role("button", name="Remove rule").click()
    expect(_stands(desk)).to_contain_text("Left alone")

    desk.get_by_role("link", name="All rules").click()
    rule.get_by_role("button", name="Remove the rule for Depot of lists").click()
    expect(desk.get_by_role("alertdialog")).to_contain_text("The list of 1 station is kept in step")
    desk.get_by_role("alertdialog").get_by_role("button", name="Remove rule").click()
    expect(desk.get_by_text("No rule", exact=True)).to_be_visible()
    desk.goto(f"{site.url}/tokens?tab=stations&q=list-3")
    expect(_row(desk, "LIST-3")).to_contain_text("In step")
    charger.leaves()


def test_lists_are_searched_sorted_and_saved_as_found(desk: Page, site: Site, tmp_path: Path) -> None:
    add_station(desk, "LIST-NEVER-SEEN")
    desk.goto(f"{site.url}/tokens?tab=stations")
    expect(_row(desk, "LIST-NEVER-SEEN")).to_contain_text("Not looked at yet")
    expect(_row(desk, "SIM-0001")).to_contain_text("In step", timeout=2 * PATIENCE_MS)
    desk.keyboard.press("/")
    expect(desk.get_by_label("Search in Local lists")).to_be_focused()
    desk.keyboard.type("never-seen not yet")
    expect(_row(desk, "SIM-0001")).to_have_count(0)
    expect(desk.locator("header [role=status]")).to_have_text(re.compile(r"^1 of [1-9]"))
    with desk.expect_download() as saved:
        desk.get_by_role("button", name="Download as CSV").click()
    assert saved.value.suggested_filename.startswith("local-lists-")
    saved.value.save_as(tmp_path / "found.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text(encoding="utf-8")))
    assert (row["station_id"], row["state"], row["kept"]) == ("LIST-NEVER-SEEN", "unknown", "true")

    desk.get_by_role("button", name=re.compile("^In step 0$")).click()
    expect(desk.get_by_text("No list fits")).to_be_visible()
    desk.get_by_role("button", name="Take all filters away").click()
    desk.get_by_role("button", name="Station", exact=True).click()
    expect(desk).to_have_url(re.compile(r"[?&]order=station\b"))
    first = desk.get_by_role("table", name="Local lists").get_by_role("row").nth(1)
    names = sorted(each["station_id"] for each in ask(desk, "/local-lists?limit=1000")["items"])
    expect(first).to_contain_text(names[0])


def test_who_may_only_look_sees_lists_and_rules_and_can_change_nothing(
    browser: Browser, desk: Page, site: Site
) -> None:
    person = {"email": VIEWER, "name": "V", "role": "viewer", "sites": None, "password": PASSWORD}
    ask(desk, "/users", "POST", person)
    with signed_in(browser, site, "/", VIEWER, locale="de-DE") as page:
        page.get_by_role("navigation").get_by_role("link", name="Token").click()
        parts = page.get_by_role("navigation", name="Teile")
        expect(parts.get_by_role("link")).to_have_text(["In Stationen", "Regeln für Stationen"])
        row = page.get_by_role("table", name="Lokale Listen").get_by_role("row").filter(has_text="SIM-0001")
        expect(row).to_contain_text("Aktuell")
        parts.get_by_role("link", name="Regeln für Stationen").click()
        expect(page.get_by_text("Wo keine Regel etwas sagt, werden Listen aktuell gehalten.")).to_be_visible()
        expect(page.get_by_text("Keine Regel", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Regel anlegen")).to_have_count(0)
        page.goto(f"{site.url}/stations/SIM-0001?tab=local-list")
        lists = page.get_by_role("region", name="Lokale Liste")
        expect(lists.get_by_role("status").first).to_contain_text("Aktuell")
        expect(lists.get_by_role("heading", name="Regel")).to_be_visible()
        expect(lists.get_by_role("link", name="Alle Regeln")).to_be_visible()
        expect(lists.get_by_role("button")).to_have_count(0)
        with pytest.raises(Exception, match="403"):
            ask(page, "/stations/SIM-0001/local-list/send", "POST", {})


def test_on_a_phone_a_row_says_what_matters(browser: Browser, desk: Page, site: Site) -> None:
    if not any(each["station_id"] == "LIST-NEVER-SEEN" for each in ask(desk, "/local-lists")["items"]):
        add_station(desk, "LIST-NEVER-SEEN")
    with signed_in(browser, site, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{site.url}/tokens?tab=stations&q=list-never")
        row = _row(page, "LIST-NEVER-SEEN")
        expect(row).to_contain_text("Not yet known")
        expect(row).to_contain_text("Not looked at yet")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        row.get_by_role("link").click()
        expect(_stands(page)).to_contain_text("Not yet known")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_in_rules_and_what_they_ask(browser: Browser, site: Site, look: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: run `npm ci` in console/")
    scheme: Any = {"color_scheme": look, "reduced_motion": "reduce"}
    with signed_in(browser, site, "/tokens?tab=rules", **scheme) as page:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = []

        def examine() -> None:
            report = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            found.extend(f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in report["violations"])

        page.get_by_role("button", name="Add a rule").first.click()
        form = page.get_by_role("dialog", name="Add a rule")
        form.get_by_label("Holds for").select_option("A station")
        form.get_by_label("Station", exact=True).fill("SIM-0006")
        expect(form.get_by_role("status")).to_have_text("The list of 1 station is left alone from now on.")
        examine()
        form.get_by_role("button", name="Leave alone").click()
        remove = page.get_by_role("button", name="Remove the rule for SIM-0006")
        expect(remove).to_be_visible()
        examine()
        remove.click()
        examine()
        page.get_by_role("alertdialog").get_by_role("button", name="Remove rule").click()
        expect(remove).to_have_count(0)
        assert found == []
