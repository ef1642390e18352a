"""`pilotwire station command` and `pilotwire task` against a running server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from pilotwire.app.remote import Remote, command_of
from pilotwire.app.server import Server
from pilotwire.cli import app
from pilotwire.core.errors import Invalid, PilotwireError
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.usecases.add_stations import create_stations
from pilotwire.settings import Settings
from tests.support.edge import PASSWORD, migrated_database
from tests.support.postgres import drop_database
from tests.support.stations import station

KEY = "pw_test-key-of-the-command-line-0001"


@pytest.fixture
async def server(postgres_server: str, tmp_path: Path) -> AsyncIterator[Server]:
    dsn = migrated_database(postgres_server)
    made = Server(
        Settings(
            data_dir=tmp_path,
            database_url=SecretStr(dsn),
            bootstrap_api_key=SecretStr(KEY),
            http="127.0.0.1:0",
            ocpp="127.0.0.1:0",
            drain_timeout_s=1,
        )
    )
    await made.start()
    edge = made.edge
    await create_stations(
        edge.database, edge.bus, edge.pepper, system_principal(), ["CP-1"], password=PASSWORD
    )
    yield made
    await made.stop()
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def run(server: Server, *arguments: str) -> Result:
    environment = {"PILOTWIRE_URL": server.web.url, "PILOTWIRE_API_KEY": KEY}
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=environment)


async def test_a_command_and_its_task(server: Server) -> None:
    async with station(server.stations_url, "CP-1", answer=lambda *_: {"status": "Accepted"}) as cp:
        await cp.boot()
        given = await run(
            server, "station", "command", "CP-1", "set_availability", "available=false", "evse_id=1"
        )
        assert given.exit_code == 0, given.output
        assert "CP-1  done  accepted" in given.output
        assert cp.calls == [("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})]
    task_id = given.output.split()[1]
    listed = await run(server, "task", "list")
    assert task_id in listed.output
    shown = await run(server, "task", "show", task_id)
    assert "1 of 1 done" in shown.output
    waiting = await run(server, "station", "command", "CP-1", "clear_cache", "--wait", "0")
    cancelled = await run(server, "task", "cancel", waiting.output.split()[1])
    assert "cancelled" in cancelled.output


async def test_refusals_are_in_the_servers_words(server: Server) -> None:
    remote = Remote(server.web.url, KEY)
    with pytest.raises(PilotwireError, match="NOBODY"):
        await asyncio.to_thread(remote.give, "NOBODY", {"command": "clear_cache"})
    with pytest.raises(PilotwireError, match="no answer"):
        await asyncio.to_thread(Remote("http://127.0.0.1:1", KEY).tasks, 1)


@pytest.mark.parametrize(
    ("name", "parameters", "hint"),
    [
        ("explode", [], "start_charging"),
        ("unlock", ["evse_id"], "key=value"),
        ("unlock", ["evse_id=first"], "evse_id"),
        ("get_variables", ["variables=[{"], "JSON"),
    ],
)
def test_a_wrong_command_is_refused_before_the_server_is_asked(
    name: str, parameters: list[str], hint: str
) -> None:
    with pytest.raises(Invalid, match=hint):
        command_of(name, parameters)


def test_texts_become_what_the_command_wants() -> None:
    assert command_of("set_limit", ["limit_a=10.5", "evse_id=2"]) == {
        "command": "set_limit", "limit_a": 10.5, "evse_id": 2, "scope": "default", "stack_level": 0,
    }  # fmt: skip
    assert command_of("set_configuration", ["key=HeartbeatInterval", "value=60"])["value"] == "60"
    variable = '[{"component": "C", "variable": "V"}]'
    assert command_of("get_variables", [f"variables={variable}"])["variables"] == (
        {
            "component": "C", "variable": "V", "component_instance": None, "variable_instance": None,
            "evse_id": None, "connector_id": None, "attribute": None,
        },
    )  # fmt: skip


@pytest.mark.parametrize(("url", "key"), [("ftp://host", "k"), ("http://host", "")])
def test_an_address_and_a_key_are_needed(url: str, key: str) -> None:
    with pytest.raises(Invalid):
        Remote(url, key)
