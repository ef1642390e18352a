"""The console's screens, read from its routes: a new one is looked at by axe and has its pictures without being named here.

What is behind tabs is found on the page itself. Only what an address needs besides, or what no tab leads to, is said here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

__all__ = ["Screen", "names_on", "routes", "screens", "tabs_of", "wait_until_shown"]

SOURCES = Path(__file__).parents[2] / "console" / "src"
_ROUTE = re.compile(r"export const (\w+)Route = createRoute\(\{.*?path: '([^']+)'", re.DOTALL)
# States of a screen that have no tab of their own: by the name of the picture.
MORE = {
    "command": "/tasks/new?command=set_charging_profile&stations={stationId}",
    "campaign": "/tasks/new?command=update_firmware&stations={stationId}",
    "call": "/tasks/new?kind=raw&stations={stationId}",
    "messages": "/messages?station={stationId}",
    "stations-faulted": "/stations?status=faulted",
    "tokens-stations-failed": "/tokens?tab=stations&list=failed",
    "onboarding-identity": "/onboarding?step=identity&brand=wallbox",
    "onboarding-connect": "/onboarding?step=connect&brand=bender&way=key",
    "onboarding-check": "/onboarding?step=check&station={stationId}",
}


@dataclass(frozen=True)
class Screen:
    """A screen or a tab of one: its name for files, and its address."""

    name: str
    path: str


def routes() -> dict[str, str]:
    """Give the path of every route of the console by its name.

    Raises: ValueError when the list of routes and their definitions do not agree.
    """
    registry = (SOURCES / "app" / "registry.ts").read_text(encoding="utf-8")
    listed = re.search(r"export const routes = \[(.*?)\]", registry, re.DOTALL)
    if listed is None:
        raise ValueError("console/src/app/registry.ts has no list `routes`")
    wanted = re.findall(r"(\w+)Route\b", listed.group(1))
    found: dict[str, str] = {}
    for file in sorted(SOURCES.glob("screens/**/*.ts*")):
        found |= dict(_ROUTE.findall(file.read_text(encoding="utf-8")))
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        raise ValueError(f"no path was found for the routes {missing or 'of the console'}")
    return {_dashed(name): found[name] for name in wanted}


def screens(names: Mapping[str, str]) -> Iterator[Screen]:
    """Give every screen; `names` are what stands for the parameters of addresses (`stationId`), all of which exist.

    Raises: KeyError for a parameter that has no name: add one where `names` are gathered.
    """
    for name, path in routes().items():
        yield Screen(name, re.sub(r"\$(\w+)", lambda found: names[found.group(1)], path))
    for name, path in MORE.items():
        yield Screen(name, path.format(**names))


def tabs_of(page: Page, screen: Screen) -> list[Screen]:
    """Give the tabs that the screen on the page has besides the one that is shown."""
    addresses = page.eval_on_selector_all(
        "main nav a[href*='tab=']:not([aria-current])",
        "links => links.map(link => link.getAttribute('href'))",
    )
    found = []
    for address in dict.fromkeys(addresses):
        tab = parse_qs(urlsplit(address).query)["tab"][0]
        found.append(Screen(f"{screen.name}-{tab}", address))
    return found


def wait_until_shown(page: Page, timeout_ms: float = 30_000) -> None:
    """Wait until a screen has its name and nothing of it is still loading."""
    page.wait_for_function(
        "() => document.querySelector('main h1') && !document.querySelector('main .skeleton')"
        " && !document.querySelector('main [role=status][aria-label=Loading]')",
        timeout=timeout_ms,
    )


def names_on(page: Page) -> dict[str, str]:
    """Find a station, a session, a site and a task for the addresses, with the rights of who is signed in."""

    def ask(path: str) -> list[dict[str, str]]:
        items: list[dict[str, str]] = page.evaluate(
            "path => fetch('/api/v1' + path).then(answer => answer.json()).then(page => page.items)", path
        )
        return items

    sessions = ask("/sessions?limit=50")
    seen = [each for each in sessions if not str(each["transaction_id"]).startswith("past-")] or sessions
    longest = max(seen, key=lambda each: float(each["energy_wh"] or 0))
    station = longest["station_id"]
    site = (ask("/sites?limit=1") or [{"id": ""}])[0]["id"] or _make_site(page)
    tasks = ask("/tasks?limit=1") or [{"id": _give_command(page, station)}]
    return {"stationId": station, "sessionId": longest["id"], "siteId": site, "taskId": tasks[0]["id"]}


def _post(page: Page, path: str, body: dict[str, str]) -> dict[str, str]:
    made: dict[str, str] = page.evaluate(
        """([path, body]) => fetch('/api/v1' + path, {method: 'POST', body: JSON.stringify(body),
            headers: {'content-type': 'application/json', 'X-Pilotwire': '1'}}).then(answer => answer.json())""",
        [path, body],
    )
    return made


def _make_site(page: Page) -> str:
    return _post(page, "/sites", {"name": "Harbour"})["id"]


def _give_command(page: Page, station: str) -> str:
    return _post(page, f"/stations/{station}/commands", {"command": "trigger", "message": "heartbeat"})[
        "task_id"
    ]


def _dashed(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
