"""`pilotwire local-list`: the lists of tokens that stations hold by themselves, of a running server."""

from typing import Annotated, Any

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["app"]

app = typer.Typer(
    help="Lists of tokens that stations hold by themselves: kept in step with ours.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Site = Annotated[str, typer.Option(help="For this site; left out, like --station: for all stations.")]
OneStation = Annotated[str, typer.Option("--station", help="For this station.")]


@app.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="unknown, in_step, behind, failed, unsupported, not_kept.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """List stations with their lists: version, entries, what is wrong."""
    from urllib.parse import urlencode

    from pilotwire.app.remote import Remote

    query = urlencode({"limit": limit} | ({"state": state} if state else {}))
    for each in Remote(url, key).ask("GET", f"/local-lists?{query}")["items"]:
        typer.echo(_line(each))


@app.command("show")
def show(
    station: Annotated[str, typer.Argument(help="The station.")],
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Show a station's list."""
    from pilotwire.app.remote import Remote

    typer.echo(_line(Remote(url, key).ask("GET", f"{_path(station)}")))


@app.command("send")
def send(
    station: Annotated[str, typer.Argument(help="The station.")],
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Send a station its list whole, at once or as soon as it is back."""
    from pilotwire.app.remote import Remote

    typer.echo(_line(Remote(url, key).ask("POST", f"{_path(station)}/send")))


@app.command("keep")
def keep(
    site: Site = "", station: OneStation = "", url: Url = "http://127.0.0.1:8080", key: Key = ""
) -> None:
    """Keep lists in step: of a station, at a site, or everywhere."""
    _rule(url, key, {"kept": True} | _place(site, station))


@app.command("leave")
def leave(
    site: Site = "", station: OneStation = "", url: Url = "http://127.0.0.1:8080", key: Key = ""
) -> None:
    """Leave lists alone: of a station, at a site, or everywhere. What stations hold stays there."""
    _rule(url, key, {"kept": False} | _place(site, station))


@app.command("rules")
def rules(url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Show which lists are kept."""
    from pilotwire.app.remote import Remote

    found = Remote(url, key).ask("GET", "/local-list-rules")
    typer.echo(f"where no rule says anything: {_word(found['kept_by_default'])}")
    for each in found["items"]:
        place = each["station_id"] or (each["site_id"] and f"site {each['site_id']}") or "all stations"
        typer.echo(f"{place}: {_word(each['kept'])}  (by {each['changed_by']}, {each['changed_at']})")


def _rule(url: str, key: str, body: dict[str, Any]) -> None:
    from pilotwire.app.remote import Remote

    Remote(url, key).ask("PUT", "/local-list-rules", body)


def _place(site: str, station: str) -> dict[str, str]:
    return {name: value for name, value in (("site_id", site), ("station_id", station)) if value}


def _path(station: str) -> str:
    from urllib.parse import quote

    return f"/stations/{quote(station, safe='')}/local-list"


def _word(kept: bool) -> str:
    return "kept" if kept else "left alone"


def _line(each: dict[str, Any]) -> str:
    parts = [each["station_id"], each["state"] if each["kept"] else "not_kept", f"version {each['version']}"]
    parts.append(f"{each['entries']} of {each['wanted_entries']} tokens")
    if each["left_out"]:
        parts.append(f"{each['left_out']} without room")
    if each["detail"]:
        parts.append(each["detail"])
    return "  ".join(parts)
