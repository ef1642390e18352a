"""Generate console/src/i18n/en/told.json: every text of the server that has a code, for those who translate it.

The console shows the server's own English; the other languages beside this file say the same by code.

python scripts/generate_texts.py           write the file
python scripts/generate_texts.py --check   fail when it is not what would be written
"""

import argparse
import ast
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pilotwire
from pilotwire.core.errors import PilotwireError
from pilotwire.web.problems import STATUS_BY_CODE, TITLES, VALIDATION_TEXTS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "pilotwire"
TEXTS = ROOT / "console" / "src" / "i18n" / "en" / "told.json"


def main() -> int:
    """Write or check the texts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, fail on any difference")
    check: bool = parser.parse_args().check
    wanted = json.dumps(gather(), ensure_ascii=False, indent=2) + "\n"
    if TEXTS.exists() and TEXTS.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{'differs' if check else 'written'}: {TEXTS.relative_to(ROOT)}")
    if not check:
        TEXTS.write_text(wanted, encoding="utf-8")
    return 1 if check else 0


def gather() -> dict[str, str]:
    """Give every text by its code, as ICU messages in the order of the codes.

    Raises: ValueError when a code has two texts, or one that is no literal.
    """
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for code, template in calls_of_say(ast.parse(path.read_text(encoding="utf-8")), path):
            if found.setdefault(code, template) != template:
                raise ValueError(f"{path}: the code '{code}' has another text elsewhere")
    found |= {f"problem.{code}": title for code, title in titles().items()}
    found |= {f"invalid.{kind}": template for kind, template in VALIDATION_TEXTS.items()}
    return {code: icu(found[code]) for code in sorted(found)}


def calls_of_say(tree: ast.AST, path: Path) -> Iterator[tuple[str, str]]:
    """Find `say("code", "template", ...)`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
            continue
        literals = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if len(literals) != 2 or not all(isinstance(each, str) for each in literals):
            raise ValueError(f"{path}:{node.lineno}: `say` wants a literal code and template")
        yield str(literals[0]), str(literals[1])


def titles() -> dict[str, str]:
    """Give the title of every error that is answered as a problem."""
    for module in pkgutil.walk_packages(pilotwire.__path__, "pilotwire."):
        if module.name.startswith(("pilotwire.core.", "pilotwire.domain.", "pilotwire.ocpp.codec.outbound")):
            importlib.import_module(module.name)
    kinds, waiting = {}, [PilotwireError]
    while waiting:
        kind = waiting.pop()
        kinds[kind.code] = kind.title()
        waiting += kind.__subclasses__()
    kinds |= TITLES
    return {code: kinds[code] for code in STATUS_BY_CODE if code in kinds}


def icu(template: str) -> str:
    """Write a template of `str.format` as an ICU message: there an apostrophe would quote a brace."""
    return template.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


if __name__ == "__main__":
    sys.exit(main())
