"""The documentation: links lead somewhere, commands exist, generated pages are up to date."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pilotwire.cli import app
from pilotwire.ocpp.gateway.ports import HandshakeProblem
from pilotwire.settings import Settings
from pilotwire.web.services import WebServices

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "bench").glob("*.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_COMMAND = re.compile(r"(?<![\w./-])pilotwire ((?:[a-z]+(?:-[a-z]+)* ?)+)((?:[^\n`|;&#]|\\\n)*)")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose_of(text: str) -> str:
    return _CODE.sub("", _FENCE.sub("", text))


def code_of(text: str) -> Iterator[str]:
    for match in _FENCE.finditer(text):
        yield match.group().replace("\\\n", " ")
    for match in _CODE.finditer(_FENCE.sub("", text)):
        yield match.group().strip("`")


def anchors_of(page: Path) -> set[str]:
    """Headings as the common hosts turn them into anchors."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands() -> dict[str, Any]:
    """Every command by its words, groups left out."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    waiting = list(group.commands.items())
    for name, command in waiting:
        nested = getattr(command, "commands", None)
        if nested is None:
            found[name] = command
        else:
            waiting.extend((f"{name} {inner}", each) for inner, each in nested.items())
    return found


def test_there_are_pages() -> None:
    assert DOCS / "index.md" in PAGES
    assert len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in _LINK.findall(prose_of(text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors_of(there)):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_options_exist(page: Path) -> None:
    known = commands()
    wrong = []
    for code in code_of(text_of(page)):
        for words, rest in _COMMAND.findall(code):
            if words.startswith("ready"):  # the line that the server prints
                continue
            parts = shlex.split(words)
            name = next((n for n in (" ".join(parts[:2]), parts[0]) if n in known), None)
            if name is None:
                if parts[0] not in {each.split()[0] for each in known}:
                    wrong.append(f"pilotwire {words.strip()}")
                continue
            if name == "bench":  # has a parser of its own
                continue
            options = {o for p in known[name].params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
            wrong += [f"{name} {each}" for each in _OPTION.findall(f"{words} {rest}") if each not in options]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_settings_exist(page: Path) -> None:
    known = {f"PILOTWIRE_{name.upper()}" for name in Settings.model_fields}
    of_options = {p.envvar for c in commands().values() for p in c.params if p.envvar}
    planned = {"PILOTWIRE_NATS_URL"} if page.parent.name in ("adr", "explanation") else set()
    assert set(re.findall(r"PILOTWIRE_[A-Z_]+[A-Z]", text_of(page))) <= known | of_options | planned


def test_the_map_has_every_page() -> None:
    links = {
        (DOCS / target.partition("#")[0]).resolve() for target in _LINK.findall(text_of(DOCS / "index.md"))
    }
    kinds = [DOCS / kind for kind in ("tutorial", "howto", "reference", "explanation")]
    assert {page for page in PAGES if page.parent in kinds} - links == set()


def test_problems_named_for_chargers_exist() -> None:
    text = text_of(DOCS / "tutorial" / "connect-your-first-charger.md")
    table = text.partition("| `problem` | what to do |")[2].partition("\n\n")[0]
    named_there = re.findall(r"`([a-z_]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert named_there
    assert set(named_there) <= {problem.value for problem in HandshakeProblem}


def test_the_stated_number_of_resumable_events_is_right() -> None:
    capacity = WebServices.__dataclass_fields__["event_capacity"].default
    assert f"keeps the newest {capacity:,} events" in text_of(DOCS / "howto" / "use-the-api.md")


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
