"""Reports of imports for people, and the file that keeps generated passwords."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pilotwire.core.sheets import write_row

__all__ = ["keep_passwords", "report_lines"]


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Put the report of an import into lines."""
    for each in report["errors"]:
        value = f" '{each['value']}'" if each["value"] else ""
        yield f"line {each['line']}: {each['column'] or 'row'}{value} {each['problem']}: {each['advice']}"
    counts = ", ".join(f"{report[name]} {name}" for name in ("created", "updated", "unchanged", "failed"))
    fate = "kept" if report["applied"] else "nothing was kept"
    if report["dry_run"]:
        fate = "a dry run, nothing was kept"
    yield f"{report['rows']} {report['kind']}: {counts} ({fate})"


def keep_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    """Write passwords into a new file that only its owner can read.

    Raises: FileExistsError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(write_row(("id", "password")))
        file.writelines(write_row(pair) for pair in passwords.items())
