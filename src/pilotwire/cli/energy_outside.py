"""`pilotwire energy limits` and `pilotwire energy programmes`: what others ask of a site, by a running server."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pilotwire.cli.options import Key, Url
from pilotwire.core.errors import Invalid

__all__ = ["limits_app", "programmes_app"]

limits_app = typer.Typer(
    help="Limits of a site from grid operators and others.", no_args_is_help=True, rich_markup_mode=None
)
programmes_app = typer.Typer(
    help="OpenADR servers that a site follows, and their events.", no_args_is_help=True, rich_markup_mode=None
)

_URL = "http://127.0.0.1:8080"
_Site = Annotated[str, typer.Argument(help="The id of the site.")]
_Source = Annotated[str, typer.Argument(help="Who limits, such as grid-operator.")]
_Server = Annotated[str, typer.Argument(help="The id of an OpenADR server, as `programmes list` prints it.")]
_Event = Annotated[str, typer.Argument(help="The id of an event, as `programmes results` prints it.")]
_Until = Annotated[str, typer.Option(help="A moment such as 2030-01-31T18:00+01:00; left out: no end.")]


@limits_app.command("list")
def list_limits(site: _Site, url: Url = _URL, key: Key = "") -> None:
    """List who limits the site, and what holds of it now."""
    found = _ask(url, key, "GET", f"/sites/{site}/energy/grid-limits")
    for each in found:
        holds = "nothing" if each["holds_w"] is None else _kw(each["holds_w"])
        until = f" until {each['ends_at']}" if each["ends_at"] else ""
        reason = f"  {each['reason']}" if each["reason"] else ""
        typer.echo(f"{each['source']}  {each['state']}  {each['node_id']}: {holds}{until}{reason}")
    if not found:
        typer.echo("nobody limits the site")


@limits_app.command("set")
def set_limit(  # noqa: PLR0913, PLR0917 - one per option
    site: _Site,
    source: _Source,
    kilowatts: Annotated[float, typer.Argument(min=0, help="At most so many kW.")],
    node: Annotated[str, typer.Option(help="The node that is limited; left out: the grid connection.")] = "",
    since: Annotated[str, typer.Option(help="A moment; left out: now.")] = "",
    until: _Until = "",
    silent_after_s: Annotated[
        float, typer.Option(min=0, help="Who limits is heard again within so many s; 0: need not be.")
    ] = 0,
    failsafe_kw: Annotated[float, typer.Option(help="The limit once it is silent; below 0: none.")] = -1,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "",
    url: Url = _URL,
    key: Key = "",
) -> None:
    """Limit the site; it replaces what the same source has said before."""
    body: dict[str, Any] = {"limit_w": kilowatts * 1000, "reason": reason}
    if node:
        body["node_id"] = node
    for name, text in (("starts_at", since), ("ends_at", until)):
        if text:
            body[name] = _moment(text)
    if silent_after_s:
        body["silent_after_s"] = silent_after_s
        if failsafe_kw >= 0:
            body["failsafe_w"] = failsafe_kw * 1000
    made = _ask(url, key, "PUT", f"/sites/{site}/energy/grid-limits/{_part(source)}", body)
    typer.echo(f"{made['source']}: {made['state']}, {made['node_id']} at most {_kw(made['limit_w'])}")


@limits_app.command("withdraw")
def withdraw_limit(site: _Site, source: _Source, url: Url = _URL, key: Key = "") -> None:
    """Take a source's limit back."""
    _ask(url, key, "DELETE", f"/sites/{site}/energy/grid-limits/{_part(source)}")
    typer.echo(f"{source} limits the site no more")


@programmes_app.command("list")
def list_programmes(site: _Site, url: Url = _URL, key: Key = "") -> None:
    """List the OpenADR servers that the site follows."""
    found = _ask(url, key, "GET", f"/sites/{site}/energy/vtns")
    for each in found:
        state = each["error"] or (f"asked {each['polled_at']}" if each["polled_at"] else "not asked yet")
        takes = "takes part" if each["opted_in"] else "takes no part by itself"
        programme = each["program"] or "all programmes"
        typer.echo(f"{each['id']}  OpenADR {each['version']}  {each['url']}  {programme}  {takes}  {state}")
    if not found:
        typer.echo("the site follows no OpenADR server")


@programmes_app.command("add")
def add_programme(  # noqa: PLR0913, PLR0917 - one per option
    site: _Site,
    server: Annotated[
        str, typer.Argument(help="Its address, such as https://vtn.example.com/openadr3/3.1.0.")
    ],
    ven: Annotated[str, typer.Option(help="What we are called there.")],
    version: Annotated[str, typer.Option(help="2.0b, 3.0 or 3.1.")] = "3.1",
    programme: Annotated[str, typer.Option(help="Name or id of a programme; left out: all.")] = "",
    client: Annotated[str, typer.Option(help="3.x: the client id; 2.0b: our VEN id, if we have one.")] = "",
    secret_file: Annotated[
        Path | None,
        typer.Option(help="A file with the secret; for 2.0b with private key and certificates in PEM."),
    ] = None,
    node: Annotated[str, typer.Option(help="The node that is limited; left out: the grid connection.")] = "",
    level_kw: Annotated[
        list[float] | None, typer.Option(help="Limits of levels 1, 2 and 3 of SIMPLE events, in this order.")
    ] = None,
    poll_s: Annotated[int, typer.Option(min=1, max=86_400, help="It is asked every so many s.")] = 60,
    opted_in: Annotated[bool, typer.Option(help="Take part where nobody says otherwise.")] = True,
    url: Url = _URL,
    key: Key = "",
) -> None:
    """Follow an OpenADR server: its events limit the site, or change its prices."""
    secret = "" if secret_file is None else secret_file.read_text(encoding="utf-8")
    body: dict[str, Any] = {
        "url": server,
        "ven_name": ven,
        "version": version,
        "program": programme,
        "client_id": client,
        "client_secret": secret if version == "2.0b" else secret.strip(),
        "node_id": node or None,
        "levels_w": [each * 1000 for each in level_kw or ()],
        "poll_s": poll_s,
        "opted_in": opted_in,
    }
    made = _ask(url, key, "POST", f"/sites/{site}/energy/vtns", body)
    typer.echo(f"{made['id']}  the site follows {made['url']} as {made['ven_name']}")


@programmes_app.command("remove")
def remove_programme(site: _Site, server: _Server, url: Url = _URL, key: Key = "") -> None:
    """Follow an OpenADR server no more; the limits of its events end."""
    _ask(url, key, "DELETE", f"/sites/{site}/energy/vtns/{_part(server)}")
    typer.echo("the server is followed no more")


@programmes_app.command("out")
def opt_out(site: _Site, server: _Server, event: _Event, url: Url = _URL, key: Key = "") -> None:
    """Take no part in an event."""
    _opt(site, server, event, url, key, takes_part=False)


@programmes_app.command("in")
def opt_in(site: _Site, server: _Server, event: _Event, url: Url = _URL, key: Key = "") -> None:
    """Take part in an event."""
    _opt(site, server, event, url, key, takes_part=True)


@programmes_app.command("results")
def show_results(
    site: _Site,
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many events, the newest first.")] = 20,
    url: Url = _URL,
    key: Key = "",
) -> None:
    """Show events, and of those that are over what was bought against what usually is."""
    found = _ask(url, key, "GET", f"/sites/{site}/energy/events?limit={limit}")
    for each in found:
        part = "takes part" if each["takes_part"] else "takes no part"
        if each["withdrawn_at"]:
            part = "withdrawn"
        line = f"{each['event_id']}  {each['name']}  {each['starts_at']} to {each['ends_at'] or 'no end'}  {part}"
        typer.echo(f"{line}  {_result(each)}".rstrip())
        typer.echo(f"  of {each['vtn_id']}")
    if not found:
        typer.echo("no event so far")


def _result(event: dict[str, Any]) -> str:
    used, usual = event["used_wh"], event["baseline_wh"]
    if event["reported_at"] is None:
        return ""
    if used is None:
        return "not measured"
    text = f"{used / 1000:.1f} kWh"
    if usual is None:
        return f"{text}, without a baseline"
    return f"{text}, usually {usual / 1000:.1f} kWh: {(used - usual) / 1000:+.1f} kWh"


def _opt(site: str, server: str, event: str, url: str, key: str, *, takes_part: bool) -> None:
    path = f"/sites/{site}/energy/vtns/{_part(server)}/events/{_part(event)}/opt"
    _ask(url, key, "PUT", path, {"takes_part": takes_part})
    typer.echo(f"the site takes {'part' if takes_part else 'no part'} in {event}")


def _ask(url: str, key: str, method: str, path: str, body: Any = None) -> Any:
    from pilotwire.app.remote import Remote

    return Remote(url, key).ask(method, path, body)


def _part(text: str) -> str:
    return quote(text, safe="")


def _kw(watts: float) -> str:
    return f"{watts / 1000:g} kW"


def _moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"'{text}' is no moment: write one such as 2030-01-31T18:00+01:00") from error
    if found.tzinfo is None:
        raise Invalid(f"'{text}' has no time zone: write one such as 2030-01-31T18:00+01:00")
    return found.isoformat()
