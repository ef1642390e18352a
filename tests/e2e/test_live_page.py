"""The live page in a real browser, on a running server with simulated stations."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import EMAIL, PASSWORD, STATIONS, Site

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of a fresh visitor; what its console complains about fails the test."""
    look = request.param
    context = browser.new_context(
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 844} if look == "phone" else {"width": 1280, "height": 800},
    )
    page = context.new_page()
    complaints: list[str] = []
    strangers: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: strangers.append(asked.url) if "127.0.0.1" not in asked.url else None)
    yield page
    context.close()
    assert complaints == []
    assert strangers == [], "a request left for a third party"


def _sign_in(page: Page, site: Site, password: str = PASSWORD) -> None:
    page.goto(site.url)
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")


def test_cars_charge_live_on_the_page(page: Page, site: Site) -> None:
    _sign_in(page, site)
    for identity in STATIONS:
        expect(page.get_by_text(identity).first).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Charging", exact=True).nth(1)).to_be_visible(timeout=40_000)
    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wrong_password_is_said_and_lets_nobody_in(page: Page, site: Site) -> None:
    _sign_in(page, site, "not the right password")
    expect(page.locator("[role=alert]")).not_to_be_empty(timeout=10_000)
    expect(page.get_by_text(STATIONS[0])).to_have_count(0)
