"""`pilotwire reservation`: reservations of a running server."""

from typing import Annotated

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["app"]

app = typer.Typer(
    help="Reservations of a running server: a place to charge for a driver.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("add")
def add(  # noqa: PLR0913, PLR0917 - one per option
    station: Annotated[str, typer.Argument(help="The station.")],
    until: Annotated[str, typer.Option(help="When it ends: 2030-12-31T18:30:00Z.")],
    begin: Annotated[str | None, typer.Option("--from", help="When it begins; now, if left out.")] = None,
    token: Annotated[str | None, typer.Option(help="For whom: the uid of a token.")] = None,
    group: Annotated[str | None, typer.Option(help="Or for any token of a group.")] = None,
    evse: Annotated[int | None, typer.Option(min=1, help="Which EVSE; any, if left out.")] = None,
    connector_type: Annotated[str | None, typer.Option(help="Or which type of connector.")] = None,
    grace: Annotated[
        int | None, typer.Option(min=0, help="How many seconds the driver is waited for after the begin.")
    ] = None,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Reserve a place; what stands against it is said in words."""
    from pilotwire.app.remote import Remote, reservation_line

    body = {
        "station_id": station, "until_at": until, "from_at": begin, "token_uid": token, "group_id": group,
        "evse_id": evse, "connector_type": connector_type, "grace_s": grace,
    }  # fmt: skip
    given = {name: value for name, value in body.items() if value is not None}
    typer.echo(reservation_line(Remote(url, key).ask("POST", "/reservations", given)))


@app.command("list")
def list_all(
    station: Annotated[str, typer.Option(help="Of one station only.")] = "",
    state: Annotated[str, typer.Option(help="open, planned, placed, held, used, no_show, cancelled.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """List reservations, those made last first."""
    from urllib.parse import urlencode

    from pilotwire.app.remote import Remote, reservation_line

    query = urlencode({"station_id": station, "state": state, "limit": limit})
    for each in Remote(url, key).ask("GET", f"/reservations?{query}")["items"]:
        typer.echo(reservation_line(each))


@app.command("show")
def show(number: int, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Show a reservation and its history."""
    from pilotwire.app.remote import Remote, reservation_line

    found = Remote(url, key).ask("GET", f"/reservations/{number}")
    typer.echo(reservation_line(found))
    for step in found["history"]:
        typer.echo(f"  {step['at']}  {step['state']:9}  {step['detail']}".rstrip())


@app.command("cancel")
def cancel(
    number: int,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Give a reservation up; a station that keeps it is told."""
    from pilotwire.app.remote import Remote, reservation_line

    typer.echo(
        reservation_line(Remote(url, key).ask("POST", f"/reservations/{number}/cancel", {"reason": reason}))
    )
