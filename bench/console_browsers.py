"""Real browsers on the console: what they cost the server, and how the page itself fares.

Each browser is a context of its own in a headless Chromium, signed in, with the overview open: a live stream each. The
processor time of the page's main thread comes from Chromium's own account (`Performance.getMetrics`). Beside them, in the
same run, a bare page reads the same stream and only parses it: the ratio of the two says how much the console adds,
whatever the machine does besides.
"""

import asyncio
import contextlib
import gzip
import re
import shutil
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench.budgets import Line
from bench.servers import BenchError

__all__ = [
    "CPU_PERCENT_AT_MOST",
    "EMAIL",
    "Browsers",
    "first_js_kb",
    "judge_browsers",
    "open_browsers",
    "share_of_main_thread",
]

EMAIL = "bench@pilotwire.example"
CPU_PERCENT_AT_MOST = 5.0
FIRST_PAINT_MS_AT_MOST = 1500
MAIN_THREAD_PERCENT_AT_MOST = 15.0
FIRST_JS_KB_AT_MOST = 150
_PATIENCE_MS = 120_000
_BARE = """() => new Promise(resolve => {
    const source = new EventSource('/api/v1/live/stream');
    window.ticks = 0;
    source.addEventListener('tick', event => { window.last = JSON.parse(event.data); window.ticks += 1; });
    source.addEventListener('open', () => resolve(true));
})"""
_USABLE = """async (word) => {
    const frame = () => new Promise(requestAnimationFrame);
    const shown = () => document.querySelector('header [role=status]')?.textContent ?? '';
    const until = async (test) => {
        const begun = performance.now();
        while (!test()) { if (performance.now() - begun > 60000) throw new Error('never: ' + shown()); await frame(); }
        await frame();
        return performance.now() - begun;
    };
    const figures = {};
    const all = shown();
    const field = document.querySelector('main input[type=search]');
    const write = (text) => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text);
        field.dispatchEvent(new Event('input', {bubbles: true}));
    };
    write(word);
    figures.search_ms = await until(() => /^1 /.test(shown()));
    write('');
    figures.all_again_ms = await until(() => shown() === all);
    const chips = (state) => [...document.querySelectorAll(
        '[role=group][aria-label="Filter by status"] button[aria-pressed=' + state + ']')];
    const numbered = chips(false).filter((each) => /[1-9]/.test(each.textContent));
    const whole = numbered.length === 1;  // all have one status: nothing goes away
    numbered[0].click();
    figures.filter_ms = await until(() => chips(true).length > 0 && (whole || shown() !== all));
    chips(true)[0].click();
    await until(() => chips(true).length === 0 && shown() === all);
    const table = [...document.querySelectorAll('main *')].find((each) => each.scrollHeight > 20 * each.clientHeight
        && each.clientHeight > 100 && getComputedStyle(each).overflowY !== 'visible');
    const frames = [];
    let before = performance.now();
    for (let step = 1; step <= 120; step += 1) {
        table.scrollTop = (table.scrollHeight * step) / 120;
        await frame();
        const now = performance.now();
        frames.push(now - before);
        before = now;
    }
    frames.sort((a, b) => a - b);
    figures.scroll_frame_ms = frames[60];
    figures.scroll_worst_frame_ms = frames.at(-1);
    return figures;
}"""


@dataclass
class Browsers:
    """Open browsers, all signed in."""

    url: str
    chromium: Browser
    storage: Any
    pages: list[tuple[Page, CDPSession]] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def _context(self, *, bypass_csp: bool = False) -> BrowserContext:
        context = await self.chromium.new_context(
            storage_state=self.storage,
            viewport={"width": 1440, "height": 900},
            locale="en-GB",
            bypass_csp=bypass_csp,
        )
        context.set_default_timeout(_PATIENCE_MS)
        self._contexts.append(context)
        return context

    async def paint(self, times: int = 3) -> dict[str, float]:
        """Load the overview with an empty cache, several times; give the medians of what was seen when."""
        found: dict[str, list[float]] = {"first_paint_ms": [], "figures_ms": []}
        for _ in range(times):
            context = await self._context()
            page = await context.new_page()
            await page.goto(self.url, wait_until="commit")
            await page.wait_for_function(
                "() => /[0-9]/.test(document.querySelector('main dd')?.textContent ?? '')", polling="raf"
            )
            found["figures_ms"].append(await page.evaluate("performance.now()"))
            found["first_paint_ms"].append(
                await page.evaluate(
                    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
                )
            )
            await context.close()
            self._contexts.remove(context)
        return {name: round(statistics.median(values), 0) for name, values in found.items()}

    async def open(self, count: int) -> None:
        """Open the overview in `count` browsers."""
        for _ in range(count):
            await self._open("/")

    async def open_bare(self) -> None:
        """Open a page that reads the stream and draws nothing."""
        page, _ = await self._open(
            "/api/v1/me", bypass_csp=True
        )  # an answer of the API allows itself nothing
        async with asyncio.timeout(_PATIENCE_MS / 1000):
            await page.evaluate(_BARE)

    async def _open(self, path: str, *, bypass_csp: bool = False) -> tuple[Page, CDPSession]:
        context = await self._context(bypass_csp=bypass_csp)
        page = await context.new_page()
        await page.goto(self.url + path)
        session = await context.new_cdp_session(page)
        await session.send("Performance.enable")
        self.pages.append((page, session))
        return page, session

    async def ticks(self) -> int:
        """Give how many ticks the page that was opened last, a bare one, has been told."""
        page, _ = self.pages[-1]
        told: int = await page.evaluate("window.ticks")
        return told

    async def busy_s(self) -> list[float]:
        """Give the seconds that each page's main thread has worked since it was opened."""
        found = []
        for _, session in self.pages:
            metrics = await session.send("Performance.getMetrics")
            found.append(next(each["value"] for each in metrics["metrics"] if each["name"] == "TaskDuration"))
        return found

    async def usable(self, word: str) -> dict[str, float]:
        """Search, filter and scroll the table of stations; give the time of each."""
        page, _ = await self._open("/stations")
        await page.wait_for_function(
            "() => document.querySelectorAll('main [role=row]').length > 10", polling="raf"
        )
        await asyncio.sleep(1)
        figures: dict[str, float] = await page.evaluate(_USABLE, word)
        return {name: round(value, 1) for name, value in figures.items()}

    async def close_pages(self) -> None:
        """Close every browser; Chromium stays."""
        for context in self._contexts:
            with contextlib.suppress(Exception):  # one that has crashed is closed already
                await context.close()
        self._contexts.clear()
        self.pages.clear()


@asynccontextmanager
async def open_browsers(url: str, password: str) -> AsyncIterator[Browsers]:
    """Start Chromium and sign in.

    Raises: BenchError where there is no Chromium.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
    if path is None:
        raise BenchError(
            "no Chromium on this machine (Debian: apt-get install chromium), or give --browsers 0"
        )
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            context = await chromium.new_context(locale="en-GB")
            page = await context.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            await page.goto(url)
            await page.fill("input[type=email]", EMAIL)
            await page.fill("input[type=password]", password)
            await page.keyboard.press("Enter")
            await page.wait_for_selector("main#content")
            storage = await context.storage_state()
            await context.close()
            yield Browsers(url, chromium, storage)
        finally:
            await chromium.close()


async def first_js_kb(url: str) -> float:
    """Give how much JavaScript the first page asks for, compressed with gzip. Unit: kB."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        page = (await client.get("/")).text
        scripts = sorted(set(re.findall(r'(?:src|href)="(/[^"]+\.js)"', page)))
        if not scripts:
            raise BenchError("the console is not built: run `make setup`")
        bodies = [(await client.get(script)).content for script in scripts]
    return round(sum(len(gzip.compress(body, 9)) for body in bodies) / 1000, 1)


async def share_of_main_thread(browsers: Browsers, seconds: float) -> list[float]:
    """Give the share of the main thread that each page is busy for a while."""
    before, begun = await browsers.busy_s(), time.perf_counter()
    await asyncio.sleep(seconds)
    after = await browsers.busy_s()
    lasted = time.perf_counter() - begun
    return [(b - a) / lasted for a, b in zip(before, after, strict=True)]


def judge_browsers(figures: dict[str, Any], browsers: int, stations: int) -> list[Line]:
    """Say how the browsers fared. The ratios hold also on a machine that is busy with something else."""
    cost, alone = figures["cpu_percent"], figures["cpu_alone_percent"]
    busiest, bare = max(figures["main_thread_percent"]), figures["bare_page_percent"]
    usable = figures["usable"]
    return [
        Line(
            f"{browsers} browsers and a bare page, server",
            f"< {CPU_PERCENT_AT_MOST:.0f} % of a core",
            f"{cost:.1f} %: {cost / max(alone, 0.1):.2f} of what the stations cost",
            cost < CPU_PERCENT_AT_MOST,
        ),
        Line(
            "first JavaScript, gzip",
            f"<= {FIRST_JS_KB_AT_MOST} kB",
            f"{figures['first_js_kb']:.0f} kB",
            figures["first_js_kb"] <= FIRST_JS_KB_AT_MOST,
        ),
        Line(
            "first paint, nothing cached",
            f"< {FIRST_PAINT_MS_AT_MOST} ms",
            f"{figures['first_paint_ms']:.0f} ms; with figures {figures['figures_ms']:.0f} ms",
            figures["first_paint_ms"] < FIRST_PAINT_MS_AT_MOST,
        ),
        Line(
            "main thread of the overview, the busiest",
            f"<= {MAIN_THREAD_PERCENT_AT_MOST:.0f} %",
            f"{busiest:.1f} %: {busiest / max(bare, 0.01):.1f} times a page that only parses ({bare:.1f} %)",
            busiest <= MAIN_THREAD_PERCENT_AT_MOST,
        ),
        Line(
            f"table of {stations:,}: search, all again, filter",
            "",
            f"{usable['search_ms']:.0f} ms, {usable['all_again_ms']:.0f} ms, {usable['filter_ms']:.0f} ms",
            None,
        ),
        Line(
            "scrolling it, per frame",
            "",
            f"{usable['scroll_frame_ms']:.0f} ms, the longest {usable['scroll_worst_frame_ms']:.0f} ms",
            None,
        ),
    ]
