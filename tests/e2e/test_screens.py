"""Every screen of the console in a real browser: axe finds nothing, nothing is wider than a phone, nothing fails."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import EMAIL, PASSWORD, Site
from tests.e2e.screens import Screen, names_on, routes, screens, tabs_of, wait_until_shown

pytestmark = pytest.mark.xdist_group("e2e")

AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SESSIONS = "async () => (await (await fetch('/api/v1/sessions')).json()).items.length > 0"


def test_the_screens_are_read_from_the_routes() -> None:
    found = routes()
    assert found["overview"] == "/"
    assert found["station"] == "/stations/$stationId"
    assert found["site-energy"].count("$") == 1


def _examine(page: Page, name: str, axe: str, found: list[str]) -> None:
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(axe)
    report = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    found.extend(f"{name}: {each['id']}: {each['nodes'][0]['html'][:200]}" for each in report["violations"])
    faults = "alerts => alerts.map(alert => alert.innerText.trim()).filter(Boolean)"
    found.extend(f"{name}: {said[:200]}" for said in page.eval_on_selector_all("main [role=alert]", faults))
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{name}: is wider than the window")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_on_any_screen(browser: Browser, site: Site, look: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: run `npm ci` in console/")
    axe = AXE.read_text(encoding="utf-8")
    found: list[str] = []
    context = browser.new_context(
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 844} if look == "phone" else {"width": 1280, "height": 800},
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.on("weberror", lambda error: found.append(str(error.error)))
    context.on(
        "request", lambda asked: None if "127.0.0.1" in asked.url else found.append(f"left for {asked.url}")
    )
    page = context.new_page()
    page.goto(site.url)
    page.wait_for_selector("input[type=email]")
    _examine(page, "sign-in", axe, found)
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("main#content")
    page.wait_for_function(SESSIONS, timeout=60_000)
    names = names_on(page)

    def visit(screen: Screen) -> None:
        page.goto(site.url + screen.path)
        wait_until_shown(page)
        page.wait_for_timeout(300)  # the plots are drawn
        _examine(page, screen.name, axe, found)

    for screen in screens(names):
        visit(screen)
        for tab in tabs_of(page, screen):
            visit(tab)
    context.close()
    assert found == []
