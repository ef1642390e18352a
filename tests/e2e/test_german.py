"""What the server tells, in the language of the reader: refusals of forms, and why a command was not done."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import STATIONS, Site
from tests.e2e.pages import ask, signed_in

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who reads German."""
    with signed_in(browser, site, locale="de-DE") as page:
        yield page


def test_a_form_is_refused_in_german(page: Page, site: Site) -> None:
    ask(page, "/sites", "POST", {"name": "Hafen"})
    page.goto(f"{site.url}/sites")
    page.get_by_role("button", name="Standort anlegen").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Hafen")
    form.get_by_role("button", name="Standort anlegen").click()
    expect(form.get_by_role("alert")).to_have_text("Den Standort „Hafen“ gibt es schon")


def test_a_refused_command_says_why_in_german_and_in_english(
    browser: Browser, page: Page, site: Site
) -> None:
    # A reset when nobody charges is not in OCPP 1.6: some of the stations refuse it before it is sent.
    body = {"command": "reset", "mode": "on_idle", "stations": STATIONS}
    task = ask(page, "/commands", "POST", body)["task_id"]
    page.goto(f"{site.url}/tasks/{task}?state=rejected")
    results = page.get_by_role("table", name="Ergebnis je Station")
    expect(
        results.get_by_text(re.compile("^OCPP 1.6 kennt den Neustart „on_idle“ nicht")).first
    ).to_be_visible()
    expect(results.get_by_text("Nicht unterstützt").first).to_be_visible()
    with signed_in(browser, site, f"/tasks/{task}?state=rejected") as english:
        said = english.get_by_role("table", name="Result per station")
        expect(said.get_by_text(re.compile("^OCPP 1.6 has no reset 'on_idle'")).first).to_be_visible()
        expect(said.get_by_text("Not supported").first).to_be_visible()
