"""Logs: asked for without an address of one's own, delivered by stations in every way, kept for a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pilotwire.integrations.directory import DirectoryStore
from pilotwire.jobs.files import keep_files
from tests.support.operations import Operations, eventually
from tests.support.stations import Station, station

LOG = b"line of a log\n" * 70_000


def requests(cp: Station) -> list[tuple[str, dict[str, Any]]]:
    """Which logs a station was asked for; the server reads settings by itself too."""
    return [each for each in cp.calls if each[0] in ("GetLog", "GetDiagnostics")]


async def asked(system: Operations, cp: Station, **parameters: Any) -> tuple[str, str]:
    """Ask for a log; give the task and the address that the station was told."""
    seen = len(requests(cp))
    task = await system.give(cp.socket.request.path.rpartition("/")[2], "get_logs", **parameters)
    await eventually(lambda: len(requests(cp)) > seen)
    payload = requests(cp)[-1][1]
    return task, payload.get("location") or payload["log"]["remoteLocation"]


def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    return (
        {"fileName": "diag.zip"}
        if action == "GetDiagnostics"
        else {"status": "Accepted", "filename": "diag.zip"}
    )


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@pytest.mark.parametrize("way", ["put", "put behind", "post", "form"])
async def test_a_log_is_delivered_and_fetched(system: Operations, version: str, way: str) -> None:
    async with station(system.edge.url, "CP-1", version, answer=answer) as cp:
        await cp.boot()
        task, address = await asked(system, cp)
        assert requests(cp)[-1][0] == ("GetDiagnostics" if version == "1.6" else "GetLog")
        async with httpx.AsyncClient(timeout=60) as http:
            match way:
                case "put":
                    sent = await http.put(address, content=LOG)
                case "put behind":
                    sent = await http.put(f"{address}/my%20log.tar.gz", content=LOG)
                case "post":
                    sent = await http.post(address, content=LOG)
                case _:
                    files = {"file": ("../../etc/my log.tar.gz", LOG, "application/gzip")}
                    sent = await http.post(address, data={"note": "x" * 70_000}, files=files)
            assert sent.status_code == 201, sent.text
            result = await system.result(task)
            assert (result["state"], result["outcome"]) == ("done", "uploaded")
            again = await http.put(address, content=b"another")
            assert (again.status_code, again.json()["code"]) == (410, "address_used")
    listed = (await system.http.get("/api/v1/logs", params={"station_id": "CP-1"})).json()["items"]
    assert [each["id"] for each in listed] == [result["result"]["log_id"]]
    expected = "my_log.tar.gz" if way in ("put behind", "form") else "diagnostics.log"
    assert (listed[0]["file_name"], listed[0]["size_bytes"]) == (expected, len(LOG))
    fetched = await system.http.get(f"/api/v1/logs/{listed[0]['id']}/content")
    assert fetched.content == LOG
    assert expected in fetched.headers["content-disposition"]
    assert (await system.http.delete(f"/api/v1/logs/{listed[0]['id']}")).status_code == 204
    assert (await system.http.get(f"/api/v1/logs/{listed[0]['id']}/content")).status_code == 404


async def test_security_logs_of_1_6_go_by_get_log(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "1.6", answer=answer) as cp:
        await cp.boot()
        task, address = await asked(system, cp, kind="security")
        assert requests(cp)[-1][0] == "GetLog"
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await http.put(address, content=b"events")).status_code == 201
        assert (await system.result(task))["state"] == "done"


async def test_uploaded_without_a_file_is_a_failure(
    system: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotwire.domain.operations.followup._FILE_LATER_S", 1)
    async with station(system.edge.url, "CP-1", "1.6", answer=answer) as cp:
        await cp.boot()
        task, _ = await asked(system, cp)
        await cp.call("DiagnosticsStatusNotification", {"status": "Uploaded"})
        result = await system.result(task)
    assert (result["state"], result["outcome"]) == ("failed", "no_file")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 422, "invalid"), (b"x" * (2 * 1024 * 1024 + 1), 413, "file_too_large")],
)
async def test_a_refused_log_may_be_sent_again(
    system: Operations, content: bytes, status: int, code: str
) -> None:
    async with station(system.edge.url, "CP-1", answer=answer) as cp:
        await cp.boot()
        task, address = await asked(system, cp)
        async with httpx.AsyncClient(timeout=60) as http:
            refused = await http.put(address, content=content)
            assert (refused.status_code, refused.json()["code"]) == (status, code)
            form = {"Content-Type": "multipart/form-data; boundary=x"}
            broken = await http.post(address, content=b"--y no form", headers=form)
            field = b'--x\r\nContent-Disposition: form-data; name="only"\r\n\r\ntext\r\n--x--\r\n'
            nothing = await http.post(address, content=field, headers=form)
            assert (broken.status_code, nothing.status_code) == (422, 422)
            assert (await http.put(address, content=LOG)).status_code == 201
        assert (await system.result(task))["state"] == "done"


async def test_a_delivery_that_breaks_off_may_be_tried_again(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", answer=answer) as cp:
        await cp.boot()
        task, address = await asked(system, cp)
        host, _, path = address.removeprefix("http://").partition("/")
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(
            f"PUT /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n".encode() + LOG[:300_000]
        )
        await writer.drain()
        writer.transport.abort()
        await asyncio.sleep(0.2)
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await http.put(address, content=LOG)).status_code == 201
        assert (await system.result(task))["result"]["size_bytes"] == len(LOG)


async def test_two_deliveries_at_once_are_one(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", answer=answer) as cp:
        await cp.boot()
        _, address = await asked(system, cp)
        async with httpx.AsyncClient(timeout=60) as http:
            both = await asyncio.gather(*(http.put(address, content=LOG) for _ in range(2)))
        assert sorted(each.status_code for each in both) == [201, 410]
    assert len((await system.http.get("/api/v1/logs")).json()["items"]) == 1


async def test_an_address_past_its_time_takes_nothing(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", answer=answer) as cp:
        await cp.boot()
        _, address = await asked(system, cp)
        await system.edge.rows("UPDATE file_grant SET expires_at = now() - interval '1 second'")
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await http.put(address, content=LOG)).status_code == 410
            assert (await http.put(address[:-2], content=LOG)).status_code == 404
            fetched = await http.get(address)
            assert fetched.status_code == 405


async def test_retention(system: Operations, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)

    async def content() -> Any:
        yield b"old"

    async with station(system.edge.url, "CP-1", answer=answer) as cp:
        await cp.boot()
        _, address = await asked(system, cp)
        async with httpx.AsyncClient(timeout=60) as http:
            await http.put(address, content=LOG)
    log_id = (await system.http.get("/api/v1/logs")).json()["items"][0]["id"]
    await store.write(f"logs/{log_id}", content())
    await store.write("logs/0199a7a0-0000-7000-8000-000000000000", content())
    (tmp_path / "logs" / "broken.part").write_bytes(b"x")
    database = system.edge.edge.database

    def in_days(days: int) -> Any:
        return lambda: datetime.now(UTC) + timedelta(days=days)

    assert await keep_files(database, store, in_days(0), 90) == 0
    assert await keep_files(database, store, in_days(2), 90) == 2
    assert [key async for key, _ in store.list()] == [f"logs/{log_id}"]
    assert await keep_files(database, store, in_days(91), 90) == 1
    assert (await system.http.get("/api/v1/logs")).json()["items"] == []
