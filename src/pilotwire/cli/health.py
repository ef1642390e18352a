"""`pilotwire health`: how well stations, sites and models of a running server work."""

from enum import StrEnum
from typing import Annotated

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["health_app"]

health_app = typer.Typer(
    help="How well stations work: uptime, success, connections.", no_args_is_help=True, rich_markup_mode=None
)


class By(StrEnum):
    """What stations are put together by."""

    STATION = "station"
    SITE = "site"
    MODEL = "model"


First = Annotated[str, typer.Option("--from", help="First day, such as 2026-05-01; left out: thirty days.")]
Last = Annotated[str, typer.Option("--to", help="Last day; left out: today.")]


@health_app.command("report")
def report(
    by: Annotated[By, typer.Option(help="station, site or model.")] = By.SITE,
    first: First = "",
    last: Last = "",
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """List uptime and success by site, station or model."""
    from pilotwire.app.health import report_lines
    from pilotwire.app.remote import Remote

    for line in report_lines(Remote(url, key).health_report(by, first, last)):
        typer.echo(line)


@health_app.command("station")
def station(
    identity: Annotated[str, typer.Argument(help="The station.")],
    first: First = "",
    last: Last = "",
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Show one station: its connection now, its EVSEs and their newest outages."""
    from pilotwire.app.health import station_lines
    from pilotwire.app.remote import Remote

    for line in station_lines(Remote(url, key).station_health(identity, first, last)):
        typer.echo(line)
