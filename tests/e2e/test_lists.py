"""Long lists in a real browser: `/` goes to the search, the address keeps it, the download has what is found."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import EMAIL, Site
from tests.e2e.pages import ask, knocks, signed_in

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who has signed in; there is something to find in every list."""
    with signed_in(browser, site) as page:
        for name in ("Billing of sessions", "Dashboard in the hall"):
            ask(
                page, "/api-keys", "POST", {"name": name, "role": "viewer", "sites": None, "expires_at": None}
            )
            ask(page, "/enrolment-keys", "POST", {"name": name, "maximum_uses": 5})
            ask(page, "/groups", "POST", {"name": name, "note": ""})
            ask(page, "/sites", "POST", {"name": name, "tags": [name.split()[0].lower()]})
        for name, role in (("Billing of sessions", "finance"), ("Dashboard in the hall", "viewer")):
            email = f"{name.split()[0].lower()}@pilotwire.example"
            ask(page, "/users", "POST", {"email": email, "name": name, "role": role, "sites": None})
            url = f"https://{email.partition('@')[0]}.example.com/hook"
            ask(page, "/webhooks", "POST", {"name": name, "url": url, "events": ["session.started"]})
        yield page


LISTS = {
    "people": ("/administration?tab=people", "People", "Name"),
    "api-keys": ("/administration?tab=keys", "API keys", "Name"),
    "enrolment-keys": ("/administration?tab=enrolment", "Enrolment keys", "Name"),
    "webhooks": ("/administration?tab=webhooks", "Webhooks", "Name"),
    "groups": ("/sites?tab=groups", "Groups", "Name"),
    "tags": ("/sites?tab=tags", "Tags", "Tag"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_searched_by_a_key_and_saved_as_found(
    desk: Page, site: Site, name: str, tmp_path: Path
) -> None:
    path, label, column = LISTS[name]
    desk.goto(site.url + path)
    table = desk.get_by_role("table", name=label)
    expect(table.get_by_text(re.compile("^dashboard", re.IGNORECASE)).first).to_be_visible()
    desk.keyboard.press("/")
    field = desk.get_by_label(f"Search in {label}")
    expect(field).to_be_focused()
    desk.keyboard.type("billing")
    expect(table.get_by_text(re.compile("^dashboard", re.IGNORECASE))).to_have_count(0)
    expect(table.get_by_text(re.compile("^billing", re.IGNORECASE)).first).to_be_visible()
    expect(desk).to_have_url(re.compile(r"[?&]q=billing\b"))

    with desk.expect_download() as saved:
        desk.get_by_role("button", name="Download as CSV").click()
    assert saved.value.suggested_filename.startswith(f"{name}-")
    saved.value.save_as(tmp_path / "found.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text(encoding="utf-8"))))
    assert [row[column].lower().split()[0] for row in rows] == ["billing"], rows

    desk.reload()  # who is sent the address sees the same
    expect(table.get_by_text(re.compile("^billing", re.IGNORECASE)).first).to_be_visible()
    expect(table.get_by_text(re.compile("^dashboard", re.IGNORECASE))).to_have_count(0)
    field.fill("nothing is called this")
    expect(desk.get_by_text("Nothing found for “nothing is called this”")).to_be_visible()
    expect(desk.get_by_role("button", name="Download as CSV")).to_be_disabled()
    desk.get_by_role("button", name="Show all").click()
    expect(table.get_by_text(re.compile("^dashboard", re.IGNORECASE)).first).to_be_visible()


def test_people_are_found_by_what_their_row_says(desk: Page, site: Site) -> None:
    desk.goto(f"{site.url}/administration?tab=people&q=finance")
    table = desk.get_by_role("table", name="People")
    expect(table.get_by_text("billing@pilotwire.example")).to_be_visible()
    expect(table.get_by_text(EMAIL)).to_have_count(0)
    # What was looked for in one tab says nothing in another.
    desk.get_by_role("link", name="Webhooks", exact=True).click()
    expect(desk.get_by_role("table", name="Webhooks").get_by_text("Dashboard in the hall")).to_be_visible()


def test_failed_handshakes_are_found_and_saved_with_their_explanation(
    desk: Page, site: Site, tmp_path: Path
) -> None:
    for identity in ("STRANGER-1", "WANDERER-1"):
        assert site.start(knocks(site, identity, "nobody knows this one")).result(60) == 401
    desk.goto(f"{site.url}/security?tab=handshakes")
    failed = desk.get_by_role("list", name="Failed handshakes")
    expect(failed.get_by_text("WANDERER-1")).to_be_visible()
    desk.keyboard.press("/")
    desk.keyboard.type("stranger")
    expect(failed.get_by_text("WANDERER-1")).to_have_count(0)
    with desk.expect_download() as saved:
        desk.get_by_role("button", name="Download as CSV").click()
    saved.value.save_as(tmp_path / "found.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text(encoding="utf-8")))
    assert row["Station"] == "STRANGER-1"
    expect(failed.get_by_text(row["What to do"])).to_be_visible()


def test_the_health_report_keeps_its_search_when_it_is_asked_otherwise(desk: Page, site: Site) -> None:
    desk.goto(f"{site.url}/administration?tab=report&by=station")
    table = desk.get_by_role("table", name="Health report")
    expect(table.get_by_role("link", name="SIM-0002")).to_be_visible()
    desk.get_by_label("Search in Health report").fill("sim-0001")
    expect(table.get_by_role("link", name="SIM-0001")).to_be_visible()
    expect(table.get_by_role("link", name="SIM-0002")).to_have_count(0)
    desk.get_by_role("button", name="Model").click()
    expect(desk).to_have_url(re.compile(r"by=model.*q=sim-0001|q=sim-0001.*by=model"))


def test_stations_are_filtered_by_status_in_the_address_and_by_a_click(desk: Page, site: Site) -> None:
    shown = desk.locator("header [role=status]")
    desk.goto(f"{site.url}/stations?status=faulted")
    expect(shown).to_have_text(re.compile(r"^0 of [1-9]"))
    expect(desk.get_by_text("No station fits")).to_be_visible()
    desk.get_by_role("button", name=re.compile("^Charging")).click()
    expect(desk).to_have_url(re.compile(r"status=(charging(,|%2C)faulted|faulted(,|%2C)charging)"))
    expect(shown).not_to_have_text(re.compile("^0 of"))
    desk.reload()
    expect(shown).not_to_have_text(re.compile("^0 of"))
    desk.get_by_role("button", name=re.compile("^Charging")).click()
    expect(shown).to_have_text(re.compile(r"^0 of [1-9]"))


def test_on_a_phone_the_tab_that_is_shown_is_seen_and_is_the_only_current_one(
    browser: Browser, site: Site
) -> None:
    with signed_in(browser, site, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{site.url}/administration?tab=system")
        tabs = page.get_by_role("navigation", name="Parts")
        current = tabs.locator("[aria-current=page]")
        expect(current).to_have_text(["System"])
        expect(current).to_be_in_viewport(ratio=0.9)
