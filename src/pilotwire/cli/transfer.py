"""`pilotwire import` and `pilotwire export`: tables to and from a running server."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["export_table", "import_table"]


class Kind(StrEnum):
    """What goes as a table."""

    STATIONS = "stations"
    TOKENS = "tokens"
    SITES = "sites"


_Kind = Annotated[Kind, typer.Argument(help="stations, tokens or sites.")]


def import_table(
    kind: _Kind,
    file: Annotated[Path, typer.Argument(help="A table in CSV, in UTF-8; - reads standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")
    ] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Keep the good rows; without it one bad row stops all.")
    ] = False,
    passwords: Annotated[
        Path | None,
        typer.Option(help="File for the passwords of new stations, as CSV; without it they are printed."),
    ] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Add and change stations, tokens or sites from a table. Doing it again changes nothing."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.tables import keep_passwords, report_lines

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    if passwords is not None and passwords.exists():
        raise typer.BadParameter(f"{passwords} exists already", param_hint="--passwords")
    report = Remote(url, key).import_table(kind, data, dry_run=dry_run, skip_bad_rows=skip_bad_rows)
    for line in report_lines(report):
        typer.echo(line)
    if report["passwords"] and passwords is not None:
        keep_passwords(passwords, report["passwords"])
    else:
        for station_id, password in report["passwords"].items():
            typer.echo(f"{station_id}  {password}")
    if report["failed"]:
        raise typer.Exit(1)


def export_table(
    kind: _Kind,
    output: Annotated[Path | None, typer.Option(help="File to write; without it standard output.")] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Write all stations, tokens or sites as a table in CSV, as import takes it."""
    from pilotwire.app.remote import Remote

    parts = Remote(url, key).export_table(kind)
    if output is None:
        for part in parts:
            sys.stdout.write(part.decode())
        return
    with output.open("wb") as file:
        file.writelines(parts)
