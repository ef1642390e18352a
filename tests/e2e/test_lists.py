"""Long lists in a real browser: `/` goes to the search, the address keeps it, the download has what is found."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, Route, expect

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


def test_settings_of_the_database_that_could_lose_messages_are_told(browser: Browser, site: Site) -> None:
    risk = "fsync is off: a power cut may lose answered messages and damage the database"

    def answer(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json=told | {"warnings": [risk]})

    with signed_in(browser, site) as page:
        page.route("**/health/ready", answer)
        page.goto(f"{site.url}/administration?tab=system")
        expect(page.get_by_text("The server is ready")).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text=risk)).to_be_visible()


def _in_pages_of(page: Page, size: int, fails: set[int] | None = None) -> list[str]:
    """Have what asks for whole lists get pages so small; requests whose number is in `fails` are refused."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if "limit=1000" not in route.request.url:
            route.continue_()
            return
        asked.append(route.request.url)
        if fails and len(asked) in fails:
            body = '{"code": "forbidden", "title": "This needs a right.", "detail": "not for you"}'
            route.fulfill(status=403, content_type="application/problem+json", body=body)
        else:
            route.continue_(url=route.request.url.replace("limit=1000", f"limit={size}"))

    page.route("**/api/v1/**", answer)
    return asked


def _saved(page: Page, path: Path, press: Callable[[], None]) -> list[dict[str, str]]:
    with page.expect_download() as saved:
        press()
    saved.value.save_as(path)
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _downloads(page: Page) -> list[Download]:
    found: list[Download] = []

    def note(download: Download) -> None:
        found.append(download)

    page.on("download", note)
    return found


WHOLE = {
    "sessions": ("/sessions", "/sessions", 1),
    "sessions found": ("/sessions?q=sim-0002", "/sessions?station_id=SIM-0002", 1),
    "audit": ("/administration?tab=audit", "/audit", 2),
    "audit filtered": ("/administration?tab=audit&action=webhook", "/audit?action=webhook", 1),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_download_has_all_that_fits_and_not_only_what_was_scrolled_to(
    desk: Page, site: Site, name: str, tmp_path: Path
) -> None:
    path, question, size = WHOLE[name]
    known = ask(desk, question + ("&" if "?" in question else "?") + "limit=900")["items"]
    assert len(known) > size or name == "sessions found", "there is nothing to go through page by page"
    asked = _in_pages_of(desk, size)
    try:
        desk.goto(site.url + path)
        button = desk.get_by_role("button", name="Download as CSV")
        expect(button).to_be_enabled()
        rows = _saved(desk, tmp_path / "all.csv", button.click)
    finally:
        desk.unroute_all()
    assert len(asked) >= min(len(known), 6) // size, asked
    key = "id" if "id" in rows[0] else "at"
    have = {row[key] for row in rows}
    assert {each[key] for each in known} <= have
    assert len(have) == len(rows)


def test_messages_are_saved_with_their_answers_from_all_pages(desk: Page, site: Site, tmp_path: Path) -> None:
    asked = _in_pages_of(desk, 3)
    try:
        desk.goto(f"{site.url}/messages?station=SIM-0001&q=bootnotification")
        desk.get_by_role("button", name="Export").click()
        rows = _saved(desk, tmp_path / "messages.csv", desk.get_by_role("menuitem", name="CSV").click)
    finally:
        desk.unroute_all()
    assert len(asked) > 2, "the boot is on the last of many pages"
    assert {row["action"] for row in rows} == {"BootNotification"}
    assert all(row["answer_type"] == "result" for row in rows)


def test_a_list_that_breaks_off_gives_no_file_and_goes_on_where_it_was(
    desk: Page, site: Site, tmp_path: Path
) -> None:
    known = ask(desk, "/audit?limit=900")["items"]
    downloads = _downloads(desk)
    asked = _in_pages_of(desk, 2, fails={3})
    try:
        desk.goto(f"{site.url}/administration?tab=audit")
        desk.get_by_role("button", name="Download as CSV").click()
        notice = desk.get_by_text(re.compile(r"broke off after 4 rows: not for you"))
        expect(notice).to_be_visible()
        assert downloads == []
        rows = _saved(desk, tmp_path / "all.csv", desk.get_by_role("button", name="Try again").click)
    finally:
        desk.unroute_all()
    assert asked[2] == asked[3]
    assert len(rows) >= len(known)


def test_a_download_that_takes_long_counts_and_can_be_cancelled(desk: Page, site: Site) -> None:
    downloads = _downloads(desk)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "limit=1000" not in route.request.url:
            route.continue_()
        elif "cursor=" in route.request.url:
            held.append(route)
        else:
            route.continue_(url=route.request.url.replace("limit=1000", "limit=2"))

    desk.route("**/api/v1/audit*", hold)
    try:
        desk.goto(f"{site.url}/administration?tab=audit")
        desk.get_by_role("button", name="Download as CSV").click()
        notices = desk.locator("[role=status][aria-live=polite]")
        expect(notices.get_by_text("2 rows")).to_be_visible()
        notices.get_by_role("button", name="Cancel").click()
        expect(notices.get_by_text("2 rows")).to_have_count(0)
    finally:
        desk.unroute_all()
    assert downloads == []
