"""Generate console/src/api/schema.ts, the types of our REST API, from the application itself.

python scripts/generate_console_api.py           write the file (needs the console's packages: npm ci in console/)
python scripts/generate_console_api.py --check   fail when it is not what would be written
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pilotwire.bus import LocalBus
from pilotwire.web.server import create_web_app
from pilotwire.web.services import WebServices

CONSOLE = Path(__file__).resolve().parent.parent / "console"
TYPES = CONSOLE / "src" / "api" / "schema.ts"
TOOL = CONSOLE / "node_modules" / ".bin" / "openapi-typescript"


def main() -> int:
    """Write or check the types."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, fail on any difference")
    check: bool = parser.parse_args().check
    if not TOOL.exists():
        sys.exit("the console's packages are missing: run `npm ci` in console/")
    wanted = generate(describe_api())
    if TYPES.exists() and TYPES.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{'differs' if check else 'written'}: console/src/api/schema.ts")
    if not check:
        TYPES.write_text(wanted, encoding="utf-8")
    return 1 if check else 0


def describe_api() -> dict[str, Any]:
    """Ask the application for its OpenAPI document: it needs no database for that."""
    absent = cast("Any", SimpleNamespace())
    app = create_web_app(WebServices(db=absent, bus=LocalBus(), caller=absent, pepper=b""))
    document = app.openapi()
    app.state.hub.close()
    app.state.network.close()
    return document


def generate(document: dict[str, Any]) -> str:
    """Turn an OpenAPI document into types."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "openapi.json", Path(scratch) / "schema.ts"
        source.write_text(json.dumps(document), encoding="utf-8")
        command = [
            str(TOOL),
            str(source),
            "--output",
            str(target),
            "--alphabetize",
            "--default-non-nullable=false",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"openapi-typescript failed:\n{done.stdout}{done.stderr}")
        return target.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
