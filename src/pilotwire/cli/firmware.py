"""`pilotwire firmware ...` and `pilotwire logs ...`: files of stations, by a running server."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from pilotwire.cli.options import Key, Url
from pilotwire.core.errors import Invalid

__all__ = ["firmware_app", "logs_app"]

firmware_app = typer.Typer(
    help="Firmware of stations: images, campaigns, versions.", no_args_is_help=True, rich_markup_mode=None
)
logs_app = typer.Typer(help="Logs of stations.", no_args_is_help=True, rich_markup_mode=None)
_SERVER = "http://127.0.0.1:8080"


@firmware_app.command("add")
def add_firmware(  # noqa: PLR0913, PLR0917 - one per option
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The firmware's file.")],
    vendor: Annotated[str, typer.Option(help="As stations report it.")],
    version: Annotated[str, typer.Option(help="As stations report it when they boot with it.")],
    model: Annotated[str, typer.Option(help="Left out: all models of the vendor.")] = "",
    signature: Annotated[Path | None, typer.Option(help="File with the signature, base64.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Signing certificate, PEM.")] = None,
    notes: Annotated[str, typer.Option(help="Release notes.")] = "",
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Add firmware and upload its file; print its id."""
    from pilotwire.app.remote import Remote

    remote = Remote(url, key)
    body = {"vendor": vendor, "model": model, "version": version, "file_name": file.name, "notes": notes}
    if signature is not None:
        body["signature"] = signature.read_text().strip()
    if certificate is not None:
        body["signing_certificate"] = certificate.read_text()
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    image = remote.ask("POST", "/firmware", body)
    try:
        remote.upload(f"/firmware/{image['id']}/content", file, {"X-Checksum-Sha256": digest})
    except BaseException:
        remote.send("DELETE", f"/firmware/{image['id']}")  # so that it can be added again
        raise
    typer.echo(image["id"])


@firmware_app.command("list")
def list_firmware(url: Url = _SERVER, key: Key = "") -> None:
    """List firmware, the newest first (at most 1,000)."""
    from pilotwire.app.remote import Remote

    for each in Remote(url, key).ask("GET", "/firmware?limit=1000")["items"]:
        state = "no file yet" if each["uploaded_at"] is None else f"{each['size_bytes']} bytes"
        words = (each["id"], each["vendor"], each["model"] or "all models", each["version"], state)
        typer.echo("  ".join([*words, *(["signed"] if each["signed"] else [])]))


@firmware_app.command("versions")
def list_versions(url: Url = _SERVER, key: Key = "") -> None:
    """Count stations by make and firmware, and say which are behind (at most 1,000 lines)."""
    from pilotwire.app.remote import Remote

    for each in Remote(url, key).ask("GET", "/firmware-versions?limit=1000")["items"]:
        words = [
            f"{each['stations']:>6}",
            each["vendor"],
            each["model"],
            each["firmware_version"] or "unknown",
        ]
        typer.echo("  ".join([*words, *([f"behind {each['newest_version']}"] if each["behind"] else [])]))


@firmware_app.command("campaign")
def start_campaign(  # noqa: PLR0913, PLR0917 - one per option
    image: Annotated[str, typer.Argument(help="The id of the firmware.")],
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="key=value as in GET /stations; none: all stations.")
    ] = None,
    waves: Annotated[str, typer.Option(help="Percent of the stations, then the rest: 1,10.")] = "1,10",
    success: Annotated[float, typer.Option(help="Percent of a wave that must succeed.")] = 95,
    wait: Annotated[int, typer.Option(min=0, help="Seconds between waves.")] = 3600,
    window: Annotated[str, typer.Option(help="Local time of the sites, such as 22:00-05:00.")] = "",
    only_idle: Annotated[bool, typer.Option(help="Wait for the end of sessions.")] = True,
    stop_when_failed: Annotated[float | None, typer.Option(help="Pause at so many percent of all.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Stations at work at once.")] = 50,
    expires_in: Annotated[int, typer.Option(min=1, help="Seconds a station is waited for.")] = 604_800,
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Install firmware in waves; print the task, which pauses by itself when too much fails."""
    from pilotwire.app.remote import Remote

    body: dict[str, Any] = {
        "command": "update_firmware", "image_id": image, "filter": _filter(filters or []),
        "waves": _waves(waves, success, wait), "only_idle": only_idle, "concurrency": concurrency,
        "expires_in_s": expires_in,
    }  # fmt: skip
    if window:
        start, dash, end = window.partition("-")
        if not dash:
            raise Invalid(f"--window '{window}' is not of the form 22:00-05:00")
        body["window"] = {"from": start, "to": end}
    if stop_when_failed is not None:
        body["stop_when_failed_percent"] = stop_when_failed
    typer.echo(f"task {Remote(url, key).ask('POST', '/commands', body)['task_id']}")


@logs_app.command("request")
def request_log(
    station: Annotated[str, typer.Argument(help="The station.")],
    kind: Annotated[str, typer.Option(help="diagnostics or security.")] = "diagnostics",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for it; 0: ask only.")] = 120,
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Ask a station for its log, and tell what came of it."""
    from pilotwire.app.remote import Remote, result_lines

    remote = Remote(url, key)
    task_id = remote.give(station, {"command": "get_logs", "kind": kind})
    typer.echo(f"task {task_id}")
    if wait:
        typer.echo("\n".join(result_lines([*remote.follow(task_id, wait)][-1])))


@logs_app.command("list")
def list_logs(
    station: Annotated[str, typer.Option(help="Only those of a station.")] = "",
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """List logs, the newest first (at most 1,000)."""
    from pilotwire.app.remote import Remote

    query = urlencode({"limit": 1000, **({"station_id": station} if station else {})})
    for each in Remote(url, key).ask("GET", f"/logs?{query}")["items"]:
        words = (each["id"], each["received_at"][:19], each["station_id"], each["kind"], each["file_name"])
        typer.echo("  ".join([*words, f"{each['size_bytes']} bytes"]))


@logs_app.command("fetch")
def fetch_log(
    log_id: Annotated[str, typer.Argument(help="The id of the log.")],
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; left out: under its own name.")
    ] = None,
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Download a log."""
    from pilotwire.app.remote import Remote

    remote = Remote(url, key)
    path = f"/logs/{quote(log_id, safe='')}"
    target = output or Path(remote.ask("GET", path)["file_name"])
    remote.download(f"{path}/content", target)
    typer.echo(str(target))


def _filter(given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise Invalid(f"--filter '{text}' is not of the form key=value")
        found[name] = json.loads(value) if value in ("true", "false") else value
    return found


def _waves(text: str, success: float, wait_s: int) -> list[dict[str, Any]]:
    try:
        percents = [float(each) for each in text.split(",") if each.strip()]
    except ValueError:
        raise Invalid(f"--waves '{text}' is not a list of percentages such as 1,10") from None
    rule = {"success_percent": success, "wait_s": wait_s}
    return [*({"percent": each, **rule} for each in percents), {"success_percent": success}]
