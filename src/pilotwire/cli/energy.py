"""`pilotwire energy`: the energy tree of a site, by a running server."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pilotwire.cli.energy_outside import limits_app, programmes_app
from pilotwire.cli.options import Key, Url
from pilotwire.core.errors import Invalid

__all__ = ["energy_app"]

energy_app = typer.Typer(
    help="Energy management of a site, by a running server.", no_args_is_help=True, rich_markup_mode=None
)

energy_app.add_typer(limits_app, name="limits")
energy_app.add_typer(programmes_app, name="programmes")

_Site = Annotated[str, typer.Argument(help="The id of the site.")]
_File = Annotated[Path, typer.Argument(help="The tree as JSON, as `pilotwire energy show` prints it.")]


@energy_app.command("show")
def show_tree(site: _Site, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Print a site's tree as JSON, or where none was given a proposal made of its stations; its problems go beside."""
    from pilotwire.app.remote import Remote

    found = Remote(url, key).ask("GET", f"/sites/{site}/energy")
    state = "derived from the stations, nothing is done by it" if found["derived"] else ""
    typer.echo(f"energy management is {'on' if found['enabled'] else 'off'} {state}".strip(), err=True)
    _tell_problems(found)
    typer.echo(json.dumps(found["tree"], indent=2))


@energy_app.command("check")
def check_tree(site: _Site, file: _File, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Say what is wrong with a tree, and keep nothing."""
    from pilotwire.app.remote import Remote

    found = Remote(url, key).ask("POST", f"/sites/{site}/energy/check", _read(file))
    _tell_problems(found)
    if any(problem["severity"] == "error" for problem in found["problems"]):
        raise typer.Exit(1)
    typer.echo("the tree can be used")


@energy_app.command("set")
def set_tree(
    site: _Site,
    file: _File,
    enable: Annotated[bool, typer.Option(help="Switch energy management on.")] = False,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Give a site a tree; with --enable the loops work by it from now on."""
    from pilotwire.app.remote import Remote

    body: dict[str, Any] = {"tree": _read(file)}
    if enable:
        body["enabled"] = True
    found = Remote(url, key).ask("PUT", f"/sites/{site}/energy", body)
    _tell_problems(found)
    typer.echo(f"version {found['version']}, energy management is {'on' if found['enabled'] else 'off'}")


@energy_app.command("off")
def switch_off(site: _Site, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Switch energy management off. Stations keep their default limits until somebody clears them."""
    from pilotwire.app.remote import Remote

    Remote(url, key).ask("PUT", f"/sites/{site}/energy", {"enabled": False})
    typer.echo("energy management is off; stations keep their default limits (clear_limit takes them away)")


@energy_app.command("live")
def show_live(site: _Site, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Show who draws how much now, and why not more."""
    from pilotwire.app.remote import Remote

    found = Remote(url, key).ask("GET", f"/sites/{site}/energy/live")
    flows = {name: value for name, value in found["flows"].items() if value}
    typer.echo("  ".join(f"{name} {value:g}" for name, value in flows.items()))
    for node in found["nodes"]:
        phases = "  ".join(
            f"{each['phase']} {each['measured_a'] or 0:.0f}/{each['limit_a'] if each['limit_a'] is not None else '-'} A"
            for each in node["phases"]
        )
        typer.echo(f"{node['id']}  {phases}  {node['limit_reason']}".rstrip())
    for evse in found["evses"]:
        if evse["connected"]:
            drawn = max(evse["drawn_a"] or [0])
            line = f"{evse['key']}  {drawn:.1f} of {evse['limit_a']:.1f} A  {evse['drive']}  {evse['explanation']}"
            typer.echo(line)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(f"{file} is not JSON: {error}") from error


def _tell_problems(found: dict[str, Any]) -> None:
    for problem in found["problems"]:
        typer.echo(f"{problem['severity']}: {problem['where']}: {problem['message']}", err=True)
