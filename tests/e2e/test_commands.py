"""Commands in a real browser: from the form to the result at each station."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import EMAIL, PASSWORD, STATIONS, Site
from tests.e2e.pages import PATIENCE_MS

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who is signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/stations")
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text(STATIONS[-1]).first).to_be_visible(timeout=PATIENCE_MS)
    yield page
    context.close()


def test_a_command_is_given_to_two_stations_and_each_has_its_result(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/tasks/new?command=trigger&stations={STATIONS[0]},{STATIONS[1]}")
    give = page.get_by_role("button", name="Ask for a message at 2 stations")
    expect(page.get_by_text("Still to fill in: Message")).to_be_visible()
    expect(give).to_be_disabled()
    page.get_by_label("Message", exact=True).select_option("heartbeat")
    give.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_text("nothing changes at the stations")).to_be_visible()
    dialog.get_by_role("button", name="Ask for a message").click()
    results = page.get_by_role("table", name="Result per station")
    for identity in STATIONS[:2]:
        expect(results.get_by_text(identity)).to_be_visible()
    expect(results.get_by_text("Done")).to_have_count(2, timeout=PATIENCE_MS)


def test_an_ocpp_call_has_the_form_of_its_version_and_shows_the_answer(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/tasks/new?kind=raw&stations={STATIONS[0]}")
    page.get_by_label("Action").select_option("TriggerMessage")
    page.get_by_label("Requested message").select_option("Heartbeat")
    page.get_by_role("button", name="Send TriggerMessage").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Send TriggerMessage").click()
    expect(page.get_by_text('"Accepted"')).to_be_visible(timeout=PATIENCE_MS)
