"""The command line: argument parsing only."""

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from asyncpg import InternalClientError, PostgresError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from pilotwire.cli import health, local_list, reservation, transfer
from pilotwire.cli.certificates import certificate_app, secure_station
from pilotwire.cli.config import config_app
from pilotwire.cli.energy import energy_app
from pilotwire.cli.firmware import firmware_app, logs_app
from pilotwire.cli.options import Key, Url
from pilotwire.core.errors import PilotwireError
from pilotwire.settings import Settings

if TYPE_CHECKING:
    from pilotwire.app import Server
    from pilotwire.db.engine import Database

app = typer.Typer(
    name="pilotwire",
    help="Pilotwire, an open-source charge point management system: the server that charging stations connect to.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
user_app = typer.Typer(help="People who sign in to the console.", no_args_is_help=True, rich_markup_mode=None)
station_app = typer.Typer(help="Charging stations.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(user_app, name="user")
task_app = typer.Typer(
    help="Tasks of a running server: what became of commands.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(station_app, name="station")
app.add_typer(task_app, name="task")
app.add_typer(energy_app, name="energy")
app.add_typer(certificate_app, name="certificate")
app.add_typer(firmware_app, name="firmware")
app.add_typer(logs_app, name="logs")
station_app.command("secure")(secure_station)
app.add_typer(config_app, name="config")
app.add_typer(reservation.app, name="reservation")
app.add_typer(local_list.app, name="local-list")
app.add_typer(health.health_app, name="health")
app.command("import")(transfer.import_table)
app.command("export")(transfer.export_table)

DataDir = Annotated[Path | None, typer.Option(help="Directory of the embedded database.  [default: data]")]
Http = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Console and REST API.  [default: 127.0.0.1:8080]")
]
Ocpp = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Stations, ws://.  [default: 127.0.0.1:9000]")
]
OcppTls = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Stations, wss:// (profiles 2 and 3).")
]
TlsCert = Annotated[Path | None, typer.Option(help="Certificate chain of the server, PEM; for --ocpp-tls.")]
TlsKey = Annotated[Path | None, typer.Option(help="Private key of the certificate, PEM.")]
ClientCa = Annotated[Path | None, typer.Option(help="Authorities of station certificates, PEM; profile 3.")]


def main() -> None:
    """Run the command line; a refusal is one line on standard error and exit code 1."""
    try:
        app()
    except (PilotwireError, OSError, ValueError, DBAPIError, PostgresError, InternalClientError) as error:
        sys.exit(f"pilotwire: {_in_words(error)}")


def _in_words(error: Exception) -> str:
    """Give one line for a refusal; PostgreSQL's hint says what to do, so it goes along."""
    cause = getattr(error, "orig", None) or error
    while cause.__cause__ is not None and not isinstance(cause, PostgresError):
        cause = cause.__cause__
    if isinstance(cause, PostgresError):
        return f"PostgreSQL says: {cause.message or cause}" + (f" ({cause.hint})" if cause.hint else "")
    return str(error)


@app.command()
def serve(
    data_dir: DataDir = None,
    http: Http = None,
    ocpp: Ocpp = None,
    ocpp_tls: OcppTls = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    client_ca: ClientCa = None,
) -> None:
    """Run the whole server in one process. Its database is embedded unless PILOTWIRE_DATABASE_URL names one."""
    from pilotwire.app.run import run_server

    settings = _settings(
        data_dir=data_dir, http=http, ocpp=ocpp, ocpp_tls=ocpp_tls, tls_cert=tls_cert, tls_key=tls_key,
        client_ca=client_ca,
    )  # fmt: skip
    _set_up_logs(settings)
    run_server(settings, announce=_announce, progress=_progress)


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(".demo"),
    http: Http = None,
    ocpp: Ocpp = None,
    speed: Annotated[
        float, typer.Option(min=1, max=600, help="How many times as fast cars charge and leave.")
    ] = 30,
    view: Annotated[bool, typer.Option(help="Show the stations live in the terminal.")] = True,
) -> None:
    """Run the whole server with 24 simulated stations on 4 sites and a month of past sessions."""
    from pilotwire.app.demo import Demo, free_or_any
    from pilotwire.app.run import run_server
    from pilotwire.app.screen import Screen

    settings = _settings(
        data_dir=data_dir,
        http=http or free_or_any("127.0.0.1:8080"),
        ocpp=ocpp or free_or_any("127.0.0.1:9000"),
        log_level="warning",
        energy_balance_interval_s=2,
        # The demo's battery speaks Modbus on this machine.
        egress_private_networks=os.environ.get("PILOTWIRE_EGRESS_PRIVATE_NETWORKS") or "127.0.0.1/32",
    )
    _set_up_logs(settings)
    shown = view and sys.stdout.isatty()
    made = Demo(data_dir, speed=speed)

    async def beside(server: "Server", stop: asyncio.Event) -> None:
        screen = Screen(server, made.login) if shown else None
        living = asyncio.create_task(made.live(server, stop, lambda _: None))
        try:
            if screen is not None:
                await screen.show(stop)
            await living
        finally:
            living.cancel()

    def announce(server: "Server") -> None:
        _announce(server)
        typer.echo(f"console: {server.web.url}   sign in as {made.login.email} with {made.login.password}")

    run_server(
        settings,
        announce=announce,
        progress=_progress,
        prepare=lambda server: made.prepare(server, _progress),
        beside=beside,
    )


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the schema of the database up to date (serve and demo do so by themselves)."""

    async def work(_: "Database") -> None:
        typer.echo("the schema is up to date")

    _with_database(_settings(data_dir=data_dir), work)


@app.command("settings")
def show_settings() -> None:
    """List every setting with its variable, its value now and what it means."""
    from rich.console import Console
    from rich.table import Table

    settings = _settings()
    table = Table(box=None, pad_edge=False)
    table.add_column("Variable", no_wrap=True)
    table.add_column("Value")
    table.add_column("Meaning")
    for name, field in Settings.model_fields.items():
        table.add_row(f"PILOTWIRE_{name.upper()}", str(getattr(settings, name)), field.description or "")
    Console().print(table)


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - one per option
    url: Annotated[str, typer.Option(help="Where stations connect, without identity: ws://HOST:PORT/ocpp")],
    stations: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    versions: Annotated[str, typer.Option(help="OCPP versions, in turn.")] = "1.6,2.0.1,2.1",
    password: Annotated[
        str | None,
        typer.Option(envvar="PILOTWIRE_SIMULATE_PASSWORD", help="Common password, or an enrolment key."),
    ] = None,
    id_prefix: Annotated[str, typer.Option(help="Identities are this and a number.")] = "SIM-",
    speed: Annotated[float, typer.Option(min=1, help="How many times as fast life goes.")] = 1,
    offline_rate: Annotated[float, typer.Option(min=0, help="Network losses per station and day.")] = 0,
    fault_rate: Annotated[float, typer.Option(min=0, help="Connector faults per station and day.")] = 0,
    reboot_rate: Annotated[float, typer.Option(min=0, help="Power cuts per station and day.")] = 0,
    duration: Annotated[float | None, typer.Option(min=0, help="Seconds; without it until Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same stations and cars.")] = 1,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps passwords and registers between runs.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Authorities to trust for wss://, PEM.")] = None,
    print_tokens: Annotated[
        bool,
        typer.Option("--print-tokens", help="Print the uids of the drivers' cards, one a line, and end."),
    ] = False,
) -> None:
    """Run simulated charging stations and cars against any OCPP server."""
    from pilotwire.simulator.command import run_simulation, tokens_of
    from pilotwire.simulator.run import SimulatorOptions

    wanted = tuple(part.strip() for part in versions.split(","))
    unknown = [part for part in wanted if part not in ("1.6", "2.0.1", "2.1")]
    if unknown:
        raise typer.BadParameter(
            f"unknown OCPP version {unknown[0]}; choose of 1.6, 2.0.1, 2.1", param_hint="--versions"
        )
    options = SimulatorOptions(
        url=url,
        stations=stations,
        versions=wanted,  # type: ignore[arg-type]  # checked above
        id_prefix=id_prefix,
        password=password,
        speed=speed,
        offline_rate=offline_rate,
        fault_rate=fault_rate,
        reboot_rate=reboot_rate,
        duration_s=duration,
        seed=seed,
        state_path=state,
        ca_file=ca,
    )
    if print_tokens:
        for uid in tokens_of(options):
            typer.echo(uid)
        return
    run_simulation(options)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def bench(context: typer.Context) -> None:
    """Measure: `pilotwire bench gateway`, `crash` or `energy`; each has --help. Needs a checkout of the repository."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "bench" / "__main__.py").exists() or importlib.util.find_spec("websockets") is None:
        raise PilotwireError(
            "the benchmarks are part of the repository, not of the package: run this in a checkout"
        )
    sys.exit(subprocess.call([sys.executable, "-m", "bench", *context.args], cwd=root))  # noqa: S603


@user_app.command("create")
def create_user(
    email: Annotated[str, typer.Argument(help="What the person signs in with.")],
    role: Annotated[
        str, typer.Option(help="owner, operator, support, finance, viewer, installer or partner.")
    ] = "operator",
    name: Annotated[str, typer.Option(help="How the person is shown.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Add a person who may sign in; the password is asked for, or read from standard input."""
    from pilotwire.domain.identity.model import Role, system_principal
    from pilotwire.domain.identity.usecases import manage_users

    try:
        known = Role(role)
    except ValueError:
        raise typer.BadParameter(f"choose of {', '.join(Role)}", param_hint="--role") from None
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")

    async def work(database: "Database") -> None:
        await manage_users.create_user(
            database, system_principal(), email=email, name=name, role=known, password=password
        )
        typer.echo(f"{email} may sign in as {known}")

    _with_database(_settings(data_dir=data_dir), work)


@station_app.command("add")
def add_station(
    identity: Annotated[
        str, typer.Argument(help="The identity, the last part of the address that the station dials.")
    ],
    count: Annotated[
        int, typer.Option(min=1, help="More than one: IDENTITY is a prefix, 0001... is added.")
    ] = 1,
    password: Annotated[
        str | None, typer.Option(help="16 characters at least; left out, one is generated.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Add one station or many, and print what to type into them. (A running server takes new ones by its REST API.)"""
    from pilotwire.bus import LocalBus
    from pilotwire.domain.identity.model import system_principal
    from pilotwire.domain.stations.repository import pepper_of
    from pilotwire.domain.stations.usecases.add_stations import create_stations

    identities = [identity] if count == 1 else [f"{identity}{number:04d}" for number in range(1, count + 1)]

    async def work(database: "Database") -> None:
        async with database.service.acquire() as connection:
            pepper = await pepper_of(connection)
        made = await create_stations(
            database, LocalBus(), pepper, system_principal(), identities, password=password
        )
        for each, secret in made:  # nobody can read them again
            typer.echo(f"{each}  {secret}")

    _with_database(_settings(data_dir=data_dir), work)


@station_app.command("command")
def give_command(
    identity: Annotated[str, typer.Argument(help="The station.")],
    command: Annotated[str, typer.Argument(help="Such as reset, unlock, start_charging.")],
    parameters: Annotated[list[str] | None, typer.Argument(help="key=value ...")] = None,
    expires_in: Annotated[
        int, typer.Option(min=1, help="Seconds that it may wait for the station.")
    ] = 86_400,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for its end; 0: give it only.")] = 30,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """Give a command to a station by a running server, and tell what came of it."""
    from pilotwire.app.remote import Remote, command_of, result_lines

    body = {**command_of(command, parameters or []), "expires_in_s": expires_in}
    task_id = (remote := Remote(url, key)).give(identity, body)
    typer.echo(f"task {task_id}")
    if wait:
        typer.echo("\n".join(result_lines([*remote.follow(task_id, wait)][-1])))


@task_app.command("list")
def list_tasks(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    url: Url = "http://127.0.0.1:8080",
    key: Key = "",
) -> None:
    """List the newest tasks."""
    from pilotwire.app.remote import Remote, task_line

    for task in Remote(url, key).tasks(limit):
        typer.echo(task_line(task))


@task_app.command("show")
def show_task(task_id: str, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Show a task and what became of it at each station (the first thousand)."""
    from pilotwire.app.remote import Remote, result_lines, task_line

    task = Remote(url, key).task(task_id)
    typer.echo("\n".join([task_line(task), *result_lines(task)]))


@task_app.command("cancel")
def cancel_task(task_id: str, url: Url = "http://127.0.0.1:8080", key: Key = "") -> None:
    """Cancel what a task has not sent yet."""
    from pilotwire.app.remote import Remote, task_line

    typer.echo(task_line(Remote(url, key).cancel(task_id)))


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise typer.BadParameter("; ".join(lines)) from None


def _set_up_logs(settings: Settings) -> None:
    from pilotwire.app.logs import set_up_logs

    set_up_logs(settings.log_level, as_json=settings.log_json)


def _announce(server: "Server") -> None:
    typer.echo(server.ready_line)
    sys.stdout.flush()


def _progress(text: str) -> None:
    typer.echo(text, err=True)


def _with_database(settings: Settings, work: Callable[["Database"], Awaitable[None]]) -> None:
    from pilotwire.app import open_database

    _set_up_logs(settings)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await work(await open_database(settings, stack, _progress))

    asyncio.run(run())
