"""What the browser tests have in common: somebody signs in, asks the API, adds stations."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets import InvalidStatus

from tests.e2e.conftest import EMAIL, PASSWORD, Site
from tests.support.stations import station

__all__ = ["PATIENCE_MS", "SECRET", "add_station", "ask", "knocks", "sign_in", "signed_in"]

PATIENCE_MS = 60_000
SECRET = "a-secret-of-a-station"
expect.set_options(timeout=PATIENCE_MS)  # machines that run tests may be slow


def sign_in(page: Page, url: str, path: str = "/", email: str = EMAIL) -> None:
    """Sign in and wait until the console is there."""
    page.goto(f"{url}{path}")
    page.fill("input[type=email]", email)
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("main#content")).to_be_visible(timeout=PATIENCE_MS)


@contextmanager
def signed_in(
    browser: Browser, site: Site, path: str = "/", email: str = EMAIL, **options: Any
) -> Iterator[Page]:
    """Give a page of somebody who has signed in; a fault in it or a request to a third party fails the test."""
    complaints: list[str] = []
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "request",
        lambda asked: None if "127.0.0.1" in asked.url else complaints.append(f"left for {asked.url}"),
    )
    try:
        page = context.new_page()
        sign_in(page, site.url, path, email)
        yield page
    finally:
        context.close()
    assert complaints == []


def ask(page: Page, path: str, method: str = "GET", body: Any = None) -> Any:
    """Ask the API as who is signed in, and give the answer."""
    return page.evaluate(
        """async ([path, method, body]) => {
            const answer = await fetch('/api/v1' + path, {method, body: body && JSON.stringify(body),
                headers: {'content-type': 'application/json', 'X-Pilotwire': '1'}});
            if (!answer.ok) throw new Error(path + ': ' + answer.status + ' ' + await answer.text());
            return await answer.json();
        }""",
        [path, method, body],
    )


def add_station(page: Page, identity: str) -> None:
    """Add a station with the secret of these tests."""
    ask(page, "/stations", "POST", {"id": identity, "password": SECRET})


async def knocks(site: Site, identity: str, password: str) -> int:
    """Try to come in, and give the status with which the server refused."""
    try:
        async with station(site.stations_url, identity, "1.6", password=password):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code
