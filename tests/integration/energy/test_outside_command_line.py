"""`pilotwire energy limits` and `programmes` against a running server that follows a VTN of OpenADR 2.0b."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from pilotwire.app.server import Server
from pilotwire.cli import app
from pilotwire.settings import Settings
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database
from tests.support.vtn2 import peer_vtn

KEY = "pw_test-key-of-the-command-line-0001"


@pytest.fixture
async def server(postgres_server: str, tmp_path: Path) -> AsyncIterator[Server]:
    dsn = migrated_database(postgres_server)
    settings = Settings(
        data_dir=tmp_path,
        database_url=SecretStr(dsn),
        bootstrap_api_key=SecretStr(KEY),
        http="127.0.0.1:0",
        ocpp="127.0.0.1:0",
        drain_timeout_s=1,
        egress_private_networks="127.0.0.0/8",
    )
    made = Server(settings)
    await made.start()
    yield made
    await made.stop()
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def run(server: Server, *arguments: str, code: int = 0) -> str:
    environment = {"PILOTWIRE_URL": server.web.url, "PILOTWIRE_API_KEY": KEY}
    result = await asyncio.to_thread(CliRunner().invoke, app, ["energy", *arguments], env=environment)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output or str(result.exception)


async def run_until(server: Server, words: str, *arguments: str) -> str:
    output = ""
    async with asyncio.timeout(60):
        while not re.search(words, output):
            await asyncio.sleep(0.2)
            output = await run(server, *arguments)
    return output


async def test_limits_and_programmes(server: Server, tmp_path: Path) -> None:
    async with (
        httpx.AsyncClient(base_url=server.web.url, headers={"Authorization": f"Bearer {KEY}"}) as http,
        peer_vtn(tmp_path) as vtn,
    ):
        site = (await http.post("/api/v1/sites", json={"name": "Depot"})).json()["id"]
        tree = {"nodes": [{"id": "grid", "kind": "grid", "limit_a": 63}]}
        put = await http.put(f"/api/v1/sites/{site}/energy", json={"tree": tree, "enabled": True})
        assert put.status_code == 200, put.text

        assert "nobody limits" in await run(server, "limits", "list", site)
        until = ("--until", "2040-01-31T18:00+01:00", "--reason", "dimming")
        set_ = await run(server, "limits", "set", site, "grid-operator", "4.2", *until)
        assert "grid at most 4.2 kW" in set_
        listed = await run(server, "limits", "list", site)
        assert re.search(r"grid-operator  limited  grid: 4\.2 kW until 2040-01-31T17:00.*dimming", listed)
        refused = await run(server, "limits", "set", site, "x", "4", "--until", "2040-01-31T18:00", code=1)
        assert "has no time zone" in refused
        assert "no more" in await run(server, "limits", "withdraw", site, "grid-operator")
        assert "nobody limits" in await run(server, "limits", "list", site)

        assert "follows no" in await run(server, "programmes", "list", site)
        levels = ("--level-kw", "9", "--level-kw", "4.2")
        added = await run(
            server,
            "programmes",
            "add",
            site,
            vtn.url,
            "--ven",
            "depot-ven",
            "--version",
            "2.0b",
            "--poll-s",
            "1",
            *levels,
        )
        vtn_id = added.split()[0]
        await vtn.until(lambda: vtn.number("offered") == 2)
        await run_until(server, r"OpenADR 2\.0b .* takes part  asked", "programmes", "list", site)
        await vtn.do("event", id="e1", signal="simple", type="level", values=[2], length_s=1800)
        await run_until(server, "e1", "programmes", "results", site)
        await run_until(server, r"4\.2 kW", "limits", "list", site)
        assert "no part in e1" in await run(server, "programmes", "out", site, vtn_id, "e1")
        await vtn.until(lambda: vtn.opts("e1")[-1:] == ["optOut"])
        assert "takes no part" in await run(server, "programmes", "results", site)
        assert "part in e1" in await run(server, "programmes", "in", site, vtn_id, "e1")
        await vtn.until(lambda: vtn.opts("e1")[-1:] == ["optIn"])
        await run(server, "programmes", "remove", site, vtn_id)
        assert "nobody limits" in await run(server, "limits", "list", site)
