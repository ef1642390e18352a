"""Run the demo and take the pictures of its pages for the docs: light, dark and phone.

Needs a Chromium (Debian: apt-get install chromium). Usage: python scripts/screenshots.py [directory]
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

LOOKS = (
    ("light", "light", 1280, 800),
    ("dark", "dark", 1280, 800),
    ("phone", "light", 390, 844),
)


def main(directory: Path) -> None:
    """Take the pictures into `directory`."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("no Chromium here: apt-get install chromium")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "demo"
        command = [sys.executable, "-m", "pilotwire", "demo", "--no-view", "--data-dir", str(data),
                   "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stdout is not None
                line = next(line for line in demo.stdout if line.startswith("pilotwire ready"))
                url = line.split("http=")[1].split()[0]
                time.sleep(40)  # cars arrive and the registers begin to move
                password = json.loads((data / "demo.json").read_text())["login"]
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
                    for name, scheme, width, height in LOOKS:
                        picture(
                            browser, url, password, directory / f"live-{name}.png", (scheme, width, height)
                        )
                    browser.close()
            finally:
                demo.send_signal(signal.SIGINT)


def picture(browser: Browser, url: str, password: str, path: Path, look: tuple[str, int, int]) -> None:
    """Sign in and take one picture."""
    scheme, width, height = look
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": height}
    )
    page = context.new_page()
    page.goto(url)
    page.fill("input[type=email]", "demo@pilotwire.example")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Charging")
    page.wait_for_timeout(3000)
    page.screenshot(path=str(path))
    print(path)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images")
