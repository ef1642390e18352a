"""`pilotwire station command` and `pilotwire task` against a running server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
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
            device_read=False,
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


async def test_tables_go_in_and_out(server: Server, tmp_path: Path) -> None:
    table, kept = tmp_path / "stations.csv", tmp_path / "passwords.csv"
    table.write_text("id,name\nCP-8,Eight\nCP-9,Nine\n")
    dry = await run(server, "import", "stations", str(table), "--dry-run")
    assert (dry.exit_code, "2 created" in dry.output, "dry run" in dry.output) == (0, True, True)
    done = await run(server, "import", "stations", str(table), "--passwords", str(kept))
    assert done.exit_code == 0, done.output
    assert kept.read_text().splitlines()[0] == "id,password"
    assert kept.stat().st_mode & 0o077 == 0
    table.write_text("id,security_profile\nCP-8,7\n")
    wrong = await run(server, "import", "stations", str(table))
    assert wrong.exit_code == 1
    assert "line 2: security_profile '7' is no security profile" in wrong.output
    exported = await run(server, "export", "stations")
    assert [line.split(",")[0] for line in exported.output.splitlines()] == ["id", "CP-1", "CP-8", "CP-9"]


async def test_firmware_and_logs(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "fw-2.1.0.bin"
    file.write_bytes(b"firmware" * 1000)
    added = await run(server, "firmware", "add", str(file), "--vendor", "Acme", "--version", "2.1.0")
    assert added.exit_code == 0, added.output
    image = added.output.strip()
    listed = await run(server, "firmware", "list")
    assert f"{image}  Acme  all models  2.1.0  8000 bytes" in listed.output
    twice = await run(server, "firmware", "add", str(file), "--vendor", "Acme", "--version", "2.1.0")
    assert isinstance(twice.exception, PilotwireError)

    delivered: list[str] = []

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "GetLog":
            delivered.append(payload["log"]["remoteLocation"])
            sending.append(asyncio.create_task(send(delivered[-1])))
        return {"status": "Accepted"}

    async def send(location: str) -> None:
        async with httpx.AsyncClient() as http:
            assert (await http.put(f"{location}diag.txt", content=b"all is well")).status_code == 201

    sending: list[asyncio.Task[None]] = []
    async with station(server.stations_url, "CP-1", answer=answer) as cp:
        await cp.boot()
        versions = await run(server, "firmware", "versions")
        assert "1  Acme  Two  unknown  behind 2.1.0" in versions.output
        requested = await run(server, "logs", "request", "CP-1")
        assert "CP-1  done  uploaded" in requested.output
        campaign = await run(
            server, "firmware", "campaign", image, "--filter", "connected=true", "--window", "00:00-00:00"
        )
        shown = await run(server, "task", "show", campaign.output.split()[1])
        assert "update_firmware  running" in shown.output
    logs = await run(server, "logs", "list", "--station", "CP-1")
    log_id = logs.output.split()[0]
    target = tmp_path / "log.txt"
    fetched = await run(server, "logs", "fetch", log_id, "--output", str(target))
    assert fetched.exit_code == 0, fetched.output
    assert target.read_bytes() == b"all is well"


async def test_health_is_told(server: Server) -> None:
    async with station(server.stations_url, "CP-1", "1.6") as cp:
        await cp.boot()
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        await cp.call("StatusNotification", status)
        shown = await run(server, "health", "station", "CP-1")
        assert shown.exit_code == 0, shown.output
        assert shown.output.startswith("CP-1: connected, uptime 100.00 %")
        assert "EVSE 1: uptime 100.00 %" in shown.output
    report = await run(server, "health", "report", "--by", "model")
    assert report.exit_code == 0, report.output
    assert report.output.startswith("Acme One: ")
    wrong = await run(server, "health", "report", "--from", "2026-02-30")
    assert isinstance(wrong.exception, PilotwireError)
