"""The page of what is tested: actions and certification cases by the tests that name them with `covers`."""

import ast
import importlib.util
import sys
import tomllib
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, direction

__all__ = ["conformance_page"]

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "conformance" / "cases.toml"
EVERY_MESSAGE = "conformance/test_sessions_actions.py"
VERSIONS = tuple(OcppVersion)
DIRECTIONS = {"cs": "station to system", "csms": "system to station", "both": "both"}

INTRODUCTION = """\
# Conformance

Which test covers which action of OCPP, and which case of the published certification programme. Tests say so themselves, by
`@pytest.mark.covers("2.0.1:Reset", "TC_B_21")`; this page is made of these marks. `make check` fails when it is out of date.

Beyond what is listed here, every message of every version goes through the
codec against the official schemas, accepted alike and refused alike (`conformance/test_wire_schemas.py`), and every action
is sent to an independent client with every answer that it may give, refused, not supported and not answered
(`conformance/test_every_action.py`). Nobody has certified this software: these are our own tests of what the cases are
about, in our own words.
"""


def conformance_page() -> str:
    """Write the page. Raises: ValueError when a case is neither tested nor has a reason, or a mark names none."""
    covered = _covered()
    return "\n".join([INTRODUCTION, _cases(covered), _actions(covered)])


def _cases(covered: dict[str, list[str]]) -> str:
    data = tomllib.loads(CASES.read_text(encoding="utf-8"))
    reasons: dict[str, str] = data.get("untested", {})
    known = [case for profile in data["profile"] for case in profile["cases"]]
    _check_cases(known, covered, reasons)
    summary, lists = [], []
    for profile in data["profile"]:
        name, cases = f"{profile['version']} {profile['name']}", profile["cases"]
        tested = sum(case in covered for case in cases)
        summary.append((name, str(len(cases)), str(tested), str(len(cases) - tested)))
        rows = [
            (case, text, _tests(covered[case]) if case in covered else f"not tested: {reasons[case]}")
            for case, text in cases.items()
        ]
        lists += [f"### {name}", "", _table(("case", "what it is about", "tests"), rows), ""]
    total = sum(case in covered for case in known)
    summary.append(("together", str(len(known)), str(total), str(len(known) - total)))
    head = ["## Certification cases", "", _table(("profile", "cases", "tested", "not tested"), summary), ""]
    return "\n".join(head + lists)


def _check_cases(known: Sequence[str], covered: dict[str, list[str]], reasons: dict[str, str]) -> None:
    wrong = [
        *(f"{case} is there twice" for case in known if known.count(case) > 1),
        *(f"{case} has neither a test nor a reason" for case in known if case not in {*covered, *reasons}),
        *(f"{case} has a test: take its reason out" for case in known if case in covered and case in reasons),
        *(f"{case} has a reason, but is no case" for case in reasons if case not in known),
        *(f"{tests[0]} names {case}, which is no case" for case, tests in covered.items()
          if case.startswith("TC_") and case not in known),
    ]  # fmt: skip
    if wrong:
        raise ValueError("tests/conformance/cases.toml: " + "; ".join(wrong))


def _actions(covered: dict[str, list[str]]) -> str:
    parts = ["## Actions", ""]
    known = {f"{version}:{action}" for version in VERSIONS for action in actions(version)}
    for mark, tests in covered.items():
        if mark.partition(":")[0] in {*VERSIONS} and ":" in mark and mark not in known:
            raise ValueError(f"{tests[0]} names {mark}, which is no action")
    for version in VERSIONS:
        rows = []
        for action in sorted(actions(version)):
            way = direction(version, action)
            tests = list(covered.get(f"{version}:{action}", []))
            if way != "csms" and EVERY_MESSAGE not in "".join(tests):
                tests.append(f"{EVERY_MESSAGE}::test_every_action_gets_an_answer_that_fits_its_schema")
            rows.append((f"`{action}`", DIRECTIONS[way], _tests(tests)))
        parts += [f"### OCPP {version}", "", _table(("action", "direction", "tests"), rows), ""]
    return "\n".join(parts).rstrip() + "\n"


def _tests(names: Sequence[str]) -> str:
    by_file: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        file, _, test = name.partition("::")
        by_file[file].append(test.removeprefix("test_").replace("_", " "))
    return "; ".join(f"{file}: {', '.join(tests)}" for file, tests in by_file.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _covered() -> dict[str, list[str]]:
    """Find what each test covers, by the marks on it and on its parameters."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.covers(" not in text:
            continue
        module = _imported(path)
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for mark in _marks(getattr(module, node.name)):
                    found[mark].append(f"{path.relative_to(ROOT / 'tests')}::{node.name}")
    return dict(sorted(found.items()))


def _imported(path: Path) -> ModuleType:
    name = "conformance_" + "_".join(path.relative_to(ROOT).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # outside of pytest, our marks are not registered
        spec.loader.exec_module(module)
    return module


def _marks(test: Any) -> Iterator[str]:
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "covers":
            yield from mark.args
        elif mark.name == "parametrize":
            for case in mark.args[1]:
                for inner in getattr(case, "marks", ()):
                    if inner.name == "covers":
                        yield from inner.args
