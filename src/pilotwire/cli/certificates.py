"""`pilotwire certificate ...` and `pilotwire station secure`: trust between stations and a running server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from pilotwire.cli.options import Key, Url

__all__ = ["certificate_app", "secure_station"]

certificate_app = typer.Typer(
    help="Stations' certificates and the authorities that sign them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SERVER = "http://127.0.0.1:8080"


@certificate_app.command("list")
def list_certificates(
    days: Annotated[int | None, typer.Option(help="Only those that end within so many days.")] = None,
    station: Annotated[str, typer.Option(help="Only those of a station.")] = "",
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """List stations' certificates, those that end soonest first (at most 1,000)."""
    from pilotwire.app.remote import Remote

    query = "limit=1000"
    if station:
        query += f"&station_id={quote(station, safe='')}"
    if days is not None:
        end = datetime.now(UTC) + timedelta(days=days)
        query += f"&expires_before={quote(end.isoformat(timespec='seconds'))}"
    for each in Remote(url, key).ask("GET", f"/certificates?{query}")["items"]:
        words = (each["not_after"][:10], each["station_id"], each["purpose"], each["state"], each["id"])
        typer.echo("  ".join(words))


@certificate_app.command("revoke")
def revoke_certificate(
    certificate_id: str,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Let a certificate open nothing any more; a connection made with it ends."""
    from pilotwire.app.remote import Remote

    path = f"/certificates/{quote(certificate_id, safe='')}/revoke"
    Remote(url, key).send("POST", path, {"reason": reason})
    typer.echo("revoked")


@certificate_app.command("root")
def write_root(
    output: Annotated[Path | None, typer.Option(help="File to write; without it standard output.")] = None,
    purpose: Annotated[str, typer.Option(help="charging_station or v2g.")] = "charging_station",
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Write the root certificate that stations (or cars) have to trust, as PEM."""
    from pilotwire.app.remote import Remote

    pem = Remote(url, key).text(f"/certificate-authorities/{quote(purpose, safe='')}/root.pem")
    if output is None:
        typer.echo(pem, nl=False)
    else:
        output.write_text(pem)


def secure_station(
    station: Annotated[str, typer.Argument(help="The station's identity.")],
    profile: Annotated[int, typer.Option(min=2, max=3, help="2: TLS and password; 3: TLS and certificate.")],
    address: Annotated[
        str, typer.Option(help="wss:// address that the station is told; without it the server's own.")
    ] = "",
    url: Url = _SERVER,
    key: Key = "",
) -> None:
    """Move a station to a safer security profile; the former holds until it has come back with the new one."""
    from pilotwire.app.remote import Remote

    body = {"security_profile": profile, "url": address}
    remote = Remote(url, key)
    remote.ask("POST", f"/stations/{quote(station, safe='')}/security-upgrade", body)
    typer.echo(
        f"{station} is being moved to profile {profile}; see GET /api/v1/stations/{station}/security-upgrade"
    )
