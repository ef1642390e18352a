"""The operator console in a real browser, on a running server with simulated stations."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import EMAIL, PASSWORD, STATIONS, Site
from tests.e2e.line import Line
from tests.e2e.pages import PATIENCE_MS

pytestmark = pytest.mark.xdist_group("e2e")


def _open(browser: Browser, look: str, complaints: list[str]) -> BrowserContext:
    context = browser.new_context(
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 844} if look == "phone" else {"width": 1280, "height": 800},
        locale="en-GB",
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "request",
        lambda asked: None if "127.0.0.1" in asked.url else complaints.append(f"left for {asked.url}"),
    )
    return context


@pytest.fixture(params=["light", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of a fresh visitor; a fault in the browser, or a request to a third party, fails the test."""
    complaints: list[str] = []
    context = _open(browser, request.param, complaints)
    yield context.new_page()
    context.close()
    assert complaints == []


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A wide page of somebody who has signed in."""
    complaints: list[str] = []
    context = _open(browser, "light", complaints)
    page = context.new_page()
    _sign_in(page, site)
    yield page
    context.close()
    assert complaints == []


def _sign_in(page: Page, site: Site, password: str = PASSWORD, path: str = "/") -> None:
    page.goto(f"{site.url}{path}")
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")


def _ask(page: Page, path: str) -> Any:
    return page.evaluate("path => fetch('/api/v1' + path).then(answer => answer.json())", path)


def _authorized_session(page: Page) -> Any:
    """A session that charges now; one of a car that is plugged in and has shown no card yet is none."""
    found = page.wait_for_function(
        """async () => {
            const sessions = await (await fetch('/api/v1/sessions?state=active')).json();
            return sessions.items.find(session => session.token_uid !== null);
        }""",
        timeout=PATIENCE_MS,
    )
    return found.json_value()


def test_a_deep_link_survives_signing_in_and_every_station_is_there(page: Page, site: Site) -> None:
    _sign_in(page, site, path="/stations?q=sim")
    for identity in STATIONS:
        expect(page.get_by_text(identity).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Stations")).to_be_visible()
    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wrong_password_is_said_and_lets_nobody_in(page: Page, site: Site) -> None:
    _sign_in(page, site, "not the right password")
    expect(page.locator("[role=alert]")).not_to_be_empty(timeout=PATIENCE_MS)
    expect(page.get_by_text(STATIONS[0])).to_have_count(0)


def test_power_moves_and_the_figures_add_up(desk: Page) -> None:
    figures = desk.get_by_label("The network in figures")
    power = figures.locator("div", has_text="Power now").locator("dd").first
    expect(power).to_have_text(re.compile(r"[1-9]"), timeout=PATIENCE_MS)
    before = power.inner_text()
    expect(power).not_to_have_text(before, timeout=PATIENCE_MS)
    shown = figures.locator("div", has_text="Charging").locator("dd").first.inner_text()
    assert shown.endswith("connectors")


def test_a_station_is_found_by_the_palette_and_its_frames_are_read(desk: Page) -> None:
    expect(desk.get_by_text(f"Live, {len(STATIONS)} stations")).to_be_visible(timeout=PATIENCE_MS)
    desk.keyboard.press("Control+k")
    desk.get_by_role("combobox").fill(STATIONS[2].lower())
    expect(desk.get_by_role("option").first).to_contain_text(STATIONS[2])
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(rf"/stations/{STATIONS[2]}$"))
    row = desk.get_by_role("row").filter(has_text="BootNotification").first
    desk.get_by_label("Filter by action or content").fill("bootnotification")
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    row.get_by_role("button", name="BootNotification").click()
    whole = desk.get_by_label("Message BootNotification").first
    expect(whole).to_contain_text("Accepted")
    whole.get_by_role("button", name="Raw").click()
    expect(whole).to_contain_text('"BootNotification"')


def test_a_session_is_stopped_and_another_one_started(desk: Page, site: Site) -> None:
    expect(desk.get_by_text(f"Live, {len(STATIONS)} stations")).to_be_visible(timeout=PATIENCE_MS)
    running = _authorized_session(desk)
    station, evse, token = running["station_id"], running["evse_id"], running["token_uid"]
    desk.goto(f"{site.url}/stations/{station}")
    desk.get_by_label(f"Stop charging at EVSE {evse}").click()
    dialog = desk.get_by_role("alertdialog")
    expect(dialog).to_contain_text(f"Ends the session of EVSE {evse}")
    dialog.get_by_role("button", name="Stop charging").click()
    expect(desk.get_by_text("Stop charging: done")).to_be_visible(timeout=PATIENCE_MS)
    desk.wait_for_function(
        "async id => (await (await fetch('/api/v1/sessions/' + id)).json()).ended_at !== null",
        arg=running["id"],
        timeout=PATIENCE_MS,
    )
    desk.get_by_label(f"Start charging at EVSE {evse}").click(timeout=PATIENCE_MS)
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Start charging").click()
    expect(desk.get_by_text(re.compile("^Start charging: (done|not done)$"))).to_be_visible(
        timeout=PATIENCE_MS
    )


def test_a_stream_that_breaks_is_told_and_heals(browser: Browser, site: Site) -> None:
    line = Line(int(site.url.rpartition(":")[2]))
    complaints: list[str] = []
    context = _open(browser, "light", complaints)
    page = context.new_page()
    _sign_in(page, Site(line.url))
    mark = page.locator("[data-link]")
    expect(mark).to_have_attribute("data-link", "live", timeout=PATIENCE_MS)
    line.cut()
    told = page.get_by_text("No live data for")
    expect(told).to_be_visible(timeout=PATIENCE_MS)
    expect(mark).to_have_attribute("data-link", "lost")
    line.mend()
    expect(mark).to_have_attribute("data-link", "live", timeout=PATIENCE_MS)
    expect(told).to_have_count(0)
    context.close()
    line.close()
    assert complaints == []
