"""Stations, tokens and sites as tables over HTTP."""

import csv
import io
from typing import Any

import httpx
import pytest

from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.ports import StationChanged
from tests.support.web import PEPPER, Edge, add_station


async def load(client: httpx.AsyncClient, kind: str, text: str, query: str = "") -> dict[str, Any]:
    answer = await client.post(
        f"/api/v1/imports/{kind}?{query}", content=text.encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("rows", "created", "updated", "unchanged", "failed"))


async def test_stations_come_in_once(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[StationChanged] = []
    edge.bus.subscribe(StationChanged, told.append)
    await admin.post("/api/v1/sites", json={"name": "Harbour"})
    table = (
        "id;name;site;security_profile;tags;password\n"
        "CP-1;One;Harbour;2;b;a-secret-of-my-own-\n"
        "CP-2;Two;;;fast; \n"
    )
    report = await load(admin, "stations", table)
    assert counts(report) == (2, 2, 0, 0, 0)
    assert (report["applied"], list(report["passwords"])) == (True, ["CP-2"])
    assert {each.record.identity for each in told} == {"CP-1", "CP-2"}
    one = (await admin.get("/api/v1/stations/CP-1")).json()
    assert (one["name"], one["security_profile"], one["tags"]) == ("One", 2, ["b"])
    assert one["site_id"] is not None
    digests = dict(await edge.db.service.fetch("SELECT identity, secret_digest FROM station"))
    assert digests["CP-2"] == digest_secret(PEPPER, report["passwords"]["CP-2"].encode())
    assert digests["CP-1"] == digest_secret(PEPPER, b"a-secret-of-my-own-")
    assert await edge.db.service.fetchval("SELECT count(*) FROM station_presence") == 2

    again = await load(admin, "stations", table)
    assert (counts(again), again["passwords"]) == ((2, 0, 0, 2, 0), {})
    assert dict(await edge.db.service.fetch("SELECT identity, secret_digest FROM station")) == digests

    changed = await load(admin, "stations", "id,site\nCP-1,\nCP-2,Harbour\n")
    assert counts(changed) == (2, 0, 2, 0, 0)
    one = (await admin.get("/api/v1/stations/CP-1")).json()
    assert (one["name"], one["site_id"], one["security_profile"]) == ("One", None, 2)
    trail = (await admin.get("/api/v1/audit")).json()["items"]
    assert [entry["action"] for entry in trail[:2]] == ["stations.imported", "stations.imported"]
    assert "a-secret" not in str(trail)


BAD = (
    "id,site,admission,security_profile,password\n"
    "CP-1,,accepted,1,\n"
    "bad id,,accepted,9,short\n"
    "CP-2,Nowhere,perhaps,1,\n"
    "CP-3,Nowhere,,,\n"
    "CP-1,,,,\n"
    "CP-4,,,,,surplus\n"
)


async def test_errors_say_where_and_what_to_do(edge: Edge, admin: httpx.AsyncClient) -> None:
    report = await load(admin, "stations", BAD)
    assert (report["applied"], counts(report)) == (False, (6, 1, 0, 0, 5))
    found = [(each["line"], each["column"]) for each in report["errors"]]
    assert found == [
        (3, "id"),
        (3, "security_profile"),
        (3, "password"),
        (4, "admission"),
        (5, "id"),
        (6, "id"),
        (7, ""),
    ]
    assert all(each["problem"] and each["advice"] for each in report["errors"])
    assert "short" not in [each["value"] for each in report["errors"]]
    assert report["passwords"] == {}
    assert await edge.db.service.fetchval("SELECT count(*) FROM station") == 0

    skipped = await load(admin, "stations", BAD, "on_error=skip")
    assert (skipped["applied"], counts(skipped)) == (True, (6, 1, 0, 0, 5))
    assert list(skipped["passwords"]) == ["CP-1"]
    assert await edge.db.service.fetchval("SELECT array_agg(identity) FROM station") == ["CP-1"]


async def test_a_dry_run_keeps_nothing(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[StationChanged] = []
    edge.bus.subscribe(StationChanged, told.append)
    report = await load(admin, "stations", "id\nCP-1\n", "dry_run=true")
    assert (report["applied"], counts(report), report["passwords"]) == (False, (1, 1, 0, 0, 0), {})
    assert await edge.db.service.fetchval("SELECT count(*) FROM station") == 0
    assert told == []


async def test_another_tenants_station_is_not_touched(edge: Edge, admin: httpx.AsyncClient) -> None:
    await add_station(admin, "CP-1", edge)
    stranger = await edge.client("stranger")
    report = await load(stranger, "stations", "id,name\nCP-1,mine\nCP-2,x\n")
    assert (report["applied"], counts(report)) == (False, (2, 1, 0, 0, 1))
    assert report["errors"][0]["problem"] == "belongs to another operator of this system"
    assert await edge.db.service.fetchval("SELECT count(*) FROM station") == 1
    dry = await load(stranger, "stations", "id,name\nCP-1,mine\nCP-2,x\n", "dry_run=true")
    assert counts(dry) == (2, 1, 0, 0, 1)


async def test_an_operator_does_not_lower_security(edge: Edge, admin: httpx.AsyncClient) -> None:
    await load(admin, "stations", "id,security_profile\nCP-1,3\n")
    operator = await edge.client("operator")
    report = await load(operator, "stations", "id,security_profile\nCP-1,1\n")
    assert (report["applied"], report["errors"][0]["column"]) == (False, "id")
    assert counts(await load(operator, "stations", "id,security_profile\nCP-1,\n")) == (1, 0, 0, 1, 0)
    assert counts(await load(admin, "stations", "id,security_profile\nCP-1,1\n")) == (1, 0, 1, 0, 0)


async def test_tokens_come_in_whatever_their_letter_case(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[TokenChanged] = []
    edge.bus.subscribe(TokenChanged, told.append)
    table = "uid,kind,status,group_id,valid_until,holder\n04ab,,,fleet,2030-01-01,=cmd()\nFF,app,blocked,,,\n"
    assert counts(await load(admin, "tokens", table)) == (2, 2, 0, 0, 0)
    assert counts(await load(admin, "tokens", table.replace("04ab", "04AB"))) == (2, 0, 0, 2, 0)
    assert counts(await load(admin, "tokens", "uid,status\n04AB,blocked\n")) == (1, 0, 1, 0, 0)
    token = (await admin.get("/api/v1/tokens/04ab")).json()
    assert (token["uid"], token["status"], token["group_id"]) == ("04ab", "blocked", "fleet")
    assert [each.folded_uid for each in told] == ["04ab", "ff", "04ab"]
    twice = await load(admin, "tokens", "uid,valid_until\nab,\nAB,tomorrow\nAb,\n")
    assert [(each["line"], each["column"]) for each in twice["errors"]] == [(3, "valid_until"), (4, "uid")]


SITES = (
    "name,country,latitude,longitude,time_zone,opening_hours,grid_limit_l1_a,grid_limit_kw,tags\n"
    '=Harbour,DE,"53,5",-9.98,Europe/Berlin,mon-tue 08:00-20:00; 2026-12-24 closed,250,160,a;b\n'
)


async def test_sites_come_in_and_go_out(admin: httpx.AsyncClient) -> None:
    assert counts(await load(admin, "sites", SITES)) == (1, 1, 0, 0, 0)
    site = (await admin.get("/api/v1/sites")).json()["items"][0]
    assert (site["name"], site["latitude"], site["longitude"]) == ("=Harbour", 53.5, -9.98)
    assert site["grid_connection"]["limit_l1_a"] == 250
    assert sorted(site["opening_hours"]["weekdays"]) == ["monday", "tuesday"]
    wrong = await load(
        admin, "sites", "name,country,time_zone,latitude,opening_hours\nX,Germany,Mars/Base,91,mon 9-5\n"
    )
    assert [each["column"] for each in wrong["errors"]] == [
        "country",
        "time_zone",
        "latitude",
        "opening_hours",
    ]
    cleared = await load(admin, "sites", "name,grid_limit_l1_a,grid_limit_kw\n'=Harbour,,\n")
    assert counts(cleared) == (1, 0, 1, 0, 0)
    assert (await admin.get("/api/v1/sites")).json()["items"][0]["grid_connection"] is None


@pytest.mark.parametrize("kind", ["stations", "tokens", "sites"])
async def test_an_export_can_be_imported_again(admin: httpx.AsyncClient, kind: str) -> None:
    await load(admin, "sites", SITES)
    await load(admin, "tokens", "uid,holder\nAB,+49 30\nCD,\n")
    await load(admin, "stations", "id,name,site,tags\nCP-1,@home,=Harbour,x;y\nCP-2,,,\n")
    answer = await admin.get(f"/api/v1/exports/{kind}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f'filename="{kind}.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == {"stations": 2, "tokens": 2, "sites": 1}[kind]
    for row in rows:
        cells = [cell for name, cell in row.items() if name != "longitude"]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    report = await load(admin, kind, answer.text)
    assert counts(report) == (len(rows), 0, 0, len(rows), 0)


async def test_ten_thousand_rows(edge: Edge, admin: httpx.AsyncClient) -> None:
    rows = "".join(
        f"CP-{number:05d},Station number {number},pilot;row {number % 7}\n" for number in range(10_000)
    )
    report = await load(admin, "stations", "id,name,tags\n" + rows)
    assert counts(report) == (10_000, 10_000, 0, 0, 0)
    assert len(report["passwords"]) == 10_000
    assert await edge.db.service.fetchval("SELECT count(*) FROM station WHERE 'row 3' = ANY(tags)") == 1429
    exported = (await admin.get("/api/v1/exports/stations.csv")).text
    assert exported.count("\r\n") == 10_001
    assert counts(await load(admin, "stations", exported)) == (10_000, 0, 0, 10_000, 0)


async def test_a_file_that_is_no_table_is_a_problem(admin: httpx.AsyncClient) -> None:
    for content in (b"", b"id,colour\n", b"\xff\xfe"):
        answer = await admin.post("/api/v1/imports/stations", content=content)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
    assert (await admin.post("/api/v1/imports/people", content=b"id\n")).status_code == 422
    assert (await admin.get("/api/v1/exports/people.csv")).status_code == 422
    large = await admin.post("/api/v1/imports/tokens", content=b"uid\n" + b"x" * 34_000_000)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
