"""`pilotwire config`: what stations of a running server are set to, and what they should be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["config_app"]

config_app = typer.Typer(
    help="What stations are set to, and what they should be.", no_args_is_help=True, rich_markup_mode=None
)
template_app = typer.Typer(
    help="What stations should be set to, by make, site or name.", no_args_is_help=True, rich_markup_mode=None
)
config_app.add_typer(template_app, name="template")

_Station = Annotated[str, typer.Argument(help="The station.")]
_Settings = Annotated[list[str] | None, typer.Argument(help="NAME=VALUE ...", metavar="[NAME=VALUE]...")]
_File = Annotated[
    Path | None, typer.Option(help="JSON file with more settings: an object of names and values, or a list.")
]
_Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for its end; 0: give it only.")]
_OnIdle = Annotated[
    bool, typer.Option("--reset-on-idle", help="Reset it when no session runs, if settings need that.")
]


@config_app.command("show")
def show(
    station: _Station,
    search: Annotated[str | None, typer.Argument(help="A part of a name, key or value.")] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Show what a station is set to, as it last said."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, variable_line

    found = RemoteConfig(Remote(url, key)).variables(station, search)
    for each in found["items"]:
        typer.echo(variable_line(each))
    reading = found["reading"]
    last = f", last on {reading['read_at'][:19]}" if reading["read_at"] else ""
    detail = f": {reading['detail']}" if reading["detail"] else ""
    typer.echo(f"{len(found['items'])} variables; reading {reading['state']}{detail}{last}", err=True)
    if reading["reboot_pending"]:
        typer.echo("some settings hold after its next boot only", err=True)


@config_app.command("set")
def write(
    station: _Station,
    settings: _Settings = None,
    file: _File = None,
    reset_on_idle: _OnIdle = False,
    wait: _Wait = 60,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Write settings, one after the other, and tell what became of each."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, entries_of

    remote = Remote(url, key)
    reset = "on_idle" if reset_on_idle else "never"
    task_id = RemoteConfig(remote).write(station, entries_of(settings or [], file), reset)
    _tell(url, key, task_id, wait)


@config_app.command("read")
def read(
    station: _Station,
    names: Annotated[list[str] | None, typer.Argument(help="Only these settings.")] = None,
    wait: _Wait = 120,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Have a station say what it is set to."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig

    _tell(url, key, RemoteConfig(Remote(url, key)).read(station, names or []), wait)


@config_app.command("drift")
def drift(
    station: Annotated[
        str | None, typer.Argument(help="One station, with every setting that differs.")
    ] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """List the stations that differ from their templates, or where one does. Ends with 1 when there is any."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, drift_line

    config = RemoteConfig(Remote(url, key))
    if station is not None:
        lines = [drift_line(each) for each in config.drift(station)]
    else:
        lines = [f"{each['station_id']}  {each['drifting']} settings" for each in config.drifting()]
    _echo(lines)
    if lines:
        raise typer.Exit(1)


@config_app.command("repair")
def repair(
    stations: Annotated[list[str] | None, typer.Argument(help="The stations.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All stations that differ.")] = False,
    reset_on_idle: _OnIdle = False,
    wait: _Wait = 60,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Write what differs from the templates."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig

    if bool(stations) == everywhere:
        raise typer.BadParameter("name stations, or give --all")
    reset = "on_idle" if reset_on_idle else "never"
    _tell(url, key, RemoteConfig(Remote(url, key)).repair(stations or [], reset), wait)


@template_app.command("list")
def list_templates(url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """List the templates with their settings."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, template_lines

    for each in RemoteConfig(Remote(url, key)).templates():
        _echo(template_lines(each))


@template_app.command("add")
def add_template(
    settings: _Settings = None,
    file: _File = None,
    vendor: Annotated[str, typer.Option(help="Only this vendor; * stands for any characters.")] = "",
    model: Annotated[str, typer.Option(help="Only this model; * stands for any characters.")] = "",
    firmware: Annotated[str, typer.Option(help="Only this firmware; * stands for any characters.")] = "",
    place: Annotated[
        str, typer.Option("--for", help="Only `site:ID` or `station:IDENTITY`; without it all stations.")
    ] = "",
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Add a template; stations that differ from it drift from now on."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, entries_of, template_lines

    body = {"vendor": vendor, "model": model, "firmware_version": firmware}
    if place:
        kind, colon, name = place.partition(":")
        if kind not in ("site", "station") or not colon or not name:
            raise typer.BadParameter("site:ID or station:IDENTITY", param_hint="--for")
        body[f"{kind}_id"] = name
    entries = entries_of(settings or [], file)
    _echo(template_lines(RemoteConfig(Remote(url, key)).add_template({**body, "entries": entries})))


@template_app.command("change")
def change_template(
    template_id: str,
    settings: _Settings = None,
    file: _File = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Replace the settings of a template by those given."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig, entries_of, template_lines

    entries = entries_of(settings or [], file)
    if not entries:
        raise typer.BadParameter("give settings, or a --file; a template is removed by `template remove`")
    _echo(template_lines(RemoteConfig(Remote(url, key)).change_template(template_id, entries)))


@template_app.command("remove")
def remove_template(template_id: str, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Remove a template; stations keep what they are set to."""
    from pilotwire.app.remote import Remote
    from pilotwire.app.remote_config import RemoteConfig

    RemoteConfig(Remote(url, key)).remove_template(template_id)


def _tell(url: str, key: str, task_id: str, wait: float) -> None:
    from pilotwire.app.remote import Remote, result_lines

    typer.echo(f"task {task_id}")
    if wait:
        task = [*Remote(url, key).follow(task_id, wait)][-1]
        _echo(result_lines(task))
        if task["failed"]:
            raise typer.Exit(1)


def _echo(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(line)
