"""The energy screens in a real browser: a proposal is drafted, faults are said at their field, it is switched on."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import EMAIL, PASSWORD, Site
from tests.e2e.pages import PATIENCE_MS


@pytest.fixture
def desk(browser: Browser, site: Site) -> Any:
    page = browser.new_page(locale="en-GB", viewport={"width": 1440, "height": 900})
    page.goto(f"{site.url}/energy")
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    yield page
    page.close()


def _make_site(page: Page, name: str) -> str:
    page.get_by_role("heading", name="Energy management on").wait_for(timeout=PATIENCE_MS)
    made = page.evaluate(
        """async name => (await (await fetch('/api/v1/sites', {
            method: 'POST', headers: {'content-type': 'application/json', 'X-Pilotwire': '1'},
            body: JSON.stringify({name})})).json()).id""",
        name,
    )
    assert isinstance(made, str)
    return made


def test_circuits_are_described_checked_and_switched_on(desk: Page, site: Site) -> None:
    site_id = _make_site(desk, "Depot")
    desk.goto(f"{site.url}/energy/{site_id}?tab=circuits")
    expect(desk.get_by_text("a proposal made of the site's stations")).to_be_visible(timeout=PATIENCE_MS)
    limit = desk.get_by_label("Limit (A)", exact=True).first
    expect(limit).to_have_attribute("aria-invalid", "true")
    limit.fill("abc")
    expect(desk.get_by_text("This is not a number.")).to_be_visible()
    limit.fill("63 / 63 / 50")
    expect(desk.get_by_text("Nothing is wrong")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("button", name="Save circuits").click()
    expect(desk.get_by_text("The circuits are saved.")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("button", name="Switch on").click()
    desk.get_by_role("alertdialog").get_by_role("button", name="Switch on").click()
    expect(desk.get_by_text("Energy management is on: limits")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("link", name="Live", exact=True).click()
    expect(desk.get_by_text("Where power flows")).to_be_visible(timeout=PATIENCE_MS)

    desk.get_by_role("button", name="Set limit").click()
    desk.get_by_label("At most").fill("20")
    desk.get_by_role("dialog").get_by_role("button", name="Set limit").click()
    expect(desk.get_by_text("The limit holds.")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.get_by_text(re.compile("≤ 20.0"))).to_be_visible(timeout=PATIENCE_MS)


def test_the_site_is_limited_from_outside_and_follows_a_programme(desk: Page, site: Site) -> None:
    site_id = _make_site(desk, "Depot of the utility")
    desk.evaluate(
        """async site => await fetch(`/api/v1/sites/${site}/energy`, {
            method: 'PUT', headers: {'content-type': 'application/json', 'X-Pilotwire': '1'},
            body: JSON.stringify({tree: {nodes: [{id: 'grid', kind: 'grid', limit_a: 63}]}, enabled: true})})""",
        site_id,
    )
    desk.goto(f"{site.url}/energy/{site_id}?tab=outside")
    expect(desk.get_by_text("Nobody limits the site.")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("button", name="Limit", exact=True).click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("At most (kW)").fill("4,2")
    dialog.get_by_label("Reason").fill("dimming")
    dialog.get_by_role("button", name="Limit site").click()
    expect(desk.get_by_text("The limit is kept.")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.get_by_text(re.compile("grid ≤ 4.2"))).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("button", name="Withdraw").click()
    desk.get_by_role("alertdialog").get_by_role("button", name="Withdraw").click()
    expect(desk.get_by_text("Nobody limits the site.")).to_be_visible(timeout=PATIENCE_MS)

    desk.get_by_role("button", name="Follow a server").click()
    dialog.get_by_label("Address").fill("https://192.0.2.1/OpenADR2/Simple/2.0b")
    dialog.get_by_label("Version").select_option("2.0b")
    dialog.get_by_label("Our name there").fill("depot-ven")
    dialog.get_by_label("Limits of levels").fill("60 / thirty")
    expect(dialog.get_by_text("Numbers, with slashes between them.")).to_be_visible()
    dialog.get_by_label("Limits of levels").fill("60 / 30 / 10")
    dialog.get_by_role("button", name="Follow server").click()
    expect(desk.get_by_text(re.compile(r"OpenADR 2\.0b · depot-ven"))).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.get_by_text("No event so far")).to_be_visible()
    # The address is no public one: what is wrong stands beside the programme.
    expect(desk.get_by_text(re.compile("not a public address"))).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_role("button", name="Leave").click()
    desk.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    expect(desk.get_by_text(re.compile("Follow the server of a utility"))).to_be_visible(timeout=PATIENCE_MS)


def test_what_the_plan_makes_of_forecasts_is_chosen(desk: Page, site: Site) -> None:
    site_id = _make_site(desk, "Depot that looks ahead")
    put = """async ([site, tree]) => await fetch(`/api/v1/sites/${site}/energy`, {
        method: 'PUT', headers: {'content-type': 'application/json', 'X-Pilotwire': '1'},
        body: JSON.stringify({tree, enabled: false})})"""
    desk.evaluate(put, [site_id, {"nodes": [{"id": "grid", "kind": "grid", "limit_a": 63}]}])
    desk.goto(f"{site.url}/energy/{site_id}?tab=circuits")
    panel = desk.locator("section").filter(has=desk.get_by_role("heading", name="Forecasts in the plan"))
    expect(panel.get_by_label("other loads")).to_be_checked(timeout=PATIENCE_MS)
    panel.get_by_label("sun and wind").uncheck()
    panel.get_by_label("Forecast when cars leave").select_option("Never")
    expect(panel.get_by_label("Have left by then (%)")).to_have_count(0)
    panel.get_by_label("Forecast when cars leave").select_option("Also where drivers have said")
    share = panel.get_by_label("Have left by then (%)")
    expect(share).to_have_value("25")
    save = desk.get_by_role("button", name="Save circuits")
    share.fill("91")
    expect(panel.get_by_text("From 5 to 90")).to_be_visible()
    expect(save).to_be_disabled(timeout=PATIENCE_MS)  # the server agrees
    share.fill("90")
    expect(panel.get_by_text("From 5 to 90")).to_have_count(0)
    share.fill("12,5")
    panel.get_by_label("Forecast how much they take").select_option("Never")
    expect(save).to_be_enabled(timeout=PATIENCE_MS)
    save.click()
    expect(desk.get_by_text("The circuits are saved.")).to_be_visible(timeout=PATIENCE_MS)
    kept = desk.evaluate(
        "async site => (await (await fetch(`/api/v1/sites/${site}/energy`)).json()).tree.forecast", site_id
    )
    assert kept == {
        "load": True,
        "generation": False,
        "departures": "instead",
        "departure_quantile": 0.125,
        "energies": "off",
        "energy_quantile": 0.6,
    }
