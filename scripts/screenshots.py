"""Run the demo and take the pictures of the console's screens for the docs: light, dark and phone.

Needs a Chromium (Debian: apt-get install chromium) and the console (scripts/build_console.py).

python scripts/screenshots.py               the best ones into docs/images/
python scripts/screenshots.py --all FOLDER  every screen in every look, for a look at them
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

if TYPE_CHECKING:
    from tests.e2e.screens import Screen

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WARM_UP_S = 45
"""Cars arrive, the registers begin to move."""
# What README and docs show, of all that could be taken.
KEPT = {
    "overview-light", "overview-dark", "overview-phone", "stations-light", "station-light", "station-dark",
    "messages-light", "session-light",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a picture is taken."""

    name: str
    scheme: str
    width: int
    height: int


LOOKS = (Look("light", "light", 1440, 900), Look("dark", "dark", 1440, 900), Look("phone", "light", 390, 844))


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every picture, into this folder")
    parser.add_argument("--look", choices=[look.name for look in LOOKS], help="only this look")
    given = parser.parse_args()
    folder: Path | None = given.all
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("no Chromium here: apt-get install chromium")
    sys.path.insert(0, str(ROOT))
    (folder or IMAGES).mkdir(parents=True, exist_ok=True)
    with running_demo() as (url, password), sync_playwright() as playwright:
        time.sleep(WARM_UP_S)
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for look in LOOKS:
            if given.look in (None, look.name):
                take(browser, url, password, look, folder)
        browser.close()


@contextmanager
def running_demo() -> Iterator[tuple[str, str]]:
    """Run the demo on free ports; give its address and the password."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "demo"
        command = [sys.executable, "-m", "pilotwire", "demo", "--no-view", "--data-dir", str(data),
                   "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stdout is not None
                line = next(line for line in demo.stdout if line.startswith("pilotwire ready"))
                yield line.split("http=")[1].split()[0], json.loads((data / "demo.json").read_text())["login"]
            finally:
                demo.send_signal(signal.SIGINT)


def take(browser: Browser, url: str, password: str, look: Look, folder: Path | None) -> None:
    """Sign in and take every screen, and every tab of it, in one look."""
    from tests.e2e.screens import names_on, screens, tabs_of

    context = browser.new_context(
        color_scheme="dark" if look.scheme == "dark" else "light",
        viewport={"width": look.width, "height": look.height},
        locale="en-GB",
    )
    page = sign_in(context, url, password)
    for screen in screens(names_on(page)):
        if folder is None and not any(name.startswith(screen.name) for name in KEPT):
            continue
        shoot(page, url, screen, look, folder)
        for tab in tabs_of(page, screen):
            shoot(page, url, tab, look, folder)
    context.close()


def shoot(page: Page, url: str, screen: "Screen", look: Look, folder: Path | None) -> None:
    """Take one screen."""
    from tests.e2e.screens import wait_until_shown

    name = f"{screen.name}-{look.name}"
    if folder is None and name not in KEPT:
        return
    page.goto(url + screen.path)
    try:
        wait_until_shown(page)
    except TooLate as error:
        print(f"{name}: not all of it has loaded ({error.message.splitlines()[0]})", file=sys.stderr)
    page.wait_for_timeout(2500)
    if page.locator(".maplibregl-map").count():  # land, borders and towns come after the map itself
        try:
            page.wait_for_selector(".maplibregl-map[data-drawn]", timeout=90_000)
        except TooLate:
            print(f"{name}: the map is not drawn yet", file=sys.stderr)
    path = (folder or IMAGES) / f"{name}.png"
    page.screenshot(path=str(path))
    print(path, flush=True)


def sign_in(context: BrowserContext, url: str, password: str) -> Page:
    """Sign in as the demo's administrator."""
    page = context.new_page()
    page.goto(url)
    page.fill("input[type=email]", "demo@pilotwire.example")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_selector("main#content")
    return page


if __name__ == "__main__":
    main()
