"""What is known of a station besides its state: time line, commands, quirks and notes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pilotwire.app.people import known_quirks
from pilotwire.ocpp.quirks.catalog import CATALOG
from tests.support.web import Edge, add_station, connected_since, keep_session, open_edge

NOW = datetime.now(UTC).replace(microsecond=0)


def minutes(count: float) -> datetime:
    return NOW - timedelta(minutes=count)


@pytest.fixture
async def station(edge: Edge, admin: httpx.AsyncClient) -> int:
    number = await add_station(admin, "CP-1", edge)
    edge.caller.links[number] = connected_since(minutes(60))
    return number


async def keep_happenings(edge: Edge, station: int) -> None:
    service = edge.db.service
    await service.execute(
        "INSERT INTO station_connection (station_id, epoch, tenant_id, connected_at, disconnected_at)"
        " VALUES ($1, 1, 1, $2, $3)",
        station,
        minutes(50),
        minutes(10),
    )
    for evse in (1, 2):  # both in the same moment: no page may lose one
        await service.execute(
            "INSERT INTO connector_status (tenant_id, station_id, evse_no, connector_no, status, error_code, status_at,"
            " received_at) VALUES (1, $1, $2, 1, 'faulted', 'GroundFailure', $3, $3)",
            station,
            evse,
            minutes(20),
        )
    await service.execute(
        "INSERT INTO security_event (tenant_id, station_id, type, at, received_at, technical_info)"
        " VALUES (1, $1, 'FirmwareUpdated', $2, $2, '2.1.0')",
        station,
        minutes(15),
    )


async def test_what_happened_at_a_station_is_in_one_order_and_no_page_loses_any(
    edge: Edge, admin: httpx.AsyncClient, station: int
) -> None:
    await keep_happenings(edge, station)
    session = await keep_session(edge, station, "CP-1", minutes(40))
    given = await admin.post("/api/v1/stations/CP-1/commands", json={"command": "clear_cache"})
    found: list[tuple[str, str, int | None]] = []
    cursor = None
    while True:
        page = await admin.get(
            "/api/v1/stations/CP-1/time-line", params={"limit": 1, **({"cursor": cursor} if cursor else {})}
        )
        assert page.status_code == 200, page.text
        for each in page.json()["items"]:
            found.append((each["kind"], each["what"], each["evse_id"]))
            if each["kind"] == "command":
                assert each["task_id"] == given.json()["task_id"]
                assert each["by"] == "key:test owner"
            if each["kind"] == "session_started":
                assert each["session_id"] == str(session)
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert found[0] == ("command", "clear_cache", None)
    assert found[1:3] == [("disconnected", "disconnected", None), ("security", "FirmwareUpdated", None)]
    assert set(found[3:5]) == {("status", "faulted", 1), ("status", "faulted", 2)}
    assert found[5:] == [("session_started", "session_started", 1), ("connected", "connected", None)]
    chosen = await admin.get(
        "/api/v1/stations/CP-1/time-line", params={"kind": ["connected", "disconnected"]}
    )
    assert {each["kind"] for each in chosen.json()["items"]} == {"connected", "disconnected"}
    assert (await admin.get("/api/v1/stations/NONE/time-line")).status_code == 404
    assert (await admin.get("/api/v1/stations/CP-1/time-line?kind=gossip")).status_code == 422


async def test_the_commands_of_a_station_and_the_tasks_of_a_command(
    admin: httpx.AsyncClient, station: int
) -> None:
    await admin.post("/api/v1/stations/CP-1/commands", json={"command": "clear_cache", "note": "why"})
    await admin.post("/api/v1/stations/CP-1/commands", json={"command": "reset"})
    every = (await admin.get("/api/v1/stations/CP-1/commands")).json()["items"]
    assert [each["command"] for each in every] == ["reset", "clear_cache"]
    assert every[1]["note"] == "why"
    first = (await admin.get("/api/v1/stations/CP-1/commands?limit=1")).json()
    second = (await admin.get(f"/api/v1/stations/CP-1/commands?limit=1&cursor={first['next']}")).json()
    assert [first["items"][0]["command"], second["items"][0]["command"]] == ["reset", "clear_cache"]
    assert second["next"] is None
    only = (await admin.get("/api/v1/stations/CP-1/commands?command=reset")).json()["items"]
    assert [each["command"] for each in only] == ["reset"]
    tasks = (await admin.get("/api/v1/tasks?command=clear_cache")).json()["items"]
    assert [each["command"] for each in tasks] == ["clear_cache"]


async def test_notes_are_kept_with_who_wrote_them_and_what_was_removed_stays_in_the_audit_trail(
    edge: Edge, admin: httpx.AsyncClient, station: int
) -> None:
    support = await edge.client("support")
    made = await support.post("/api/v1/stations/CP-1/notes", json={"text": "  Key at the\nreception. "})
    assert made.status_code == 201, made.text
    assert made.json()["text"] == "Key at the\nreception."
    await admin.post("/api/v1/stations/CP-1/notes", json={"text": "Cable swapped."})
    notes = (await admin.get("/api/v1/stations/CP-1/notes")).json()["items"]
    assert [each["text"] for each in notes] == ["Cable swapped.", "Key at the\nreception."]
    assert [each["created_by"] for each in notes] == ["key:test owner", "key:test support"]
    assert (await admin.delete(f"/api/v1/stations/CP-1/notes/{made.json()['id']}")).status_code == 204
    assert (await admin.delete(f"/api/v1/stations/CP-1/notes/{made.json()['id']}")).status_code == 404
    trail = (await admin.get("/api/v1/audit")).json()["items"]
    removed = next(each for each in trail if each["action"] == "station.note_removed")
    assert removed["before"] == {"text": "Key at the\nreception.", "created_by": "key:test support"}
    for wrong in ({"text": " "}, {"text": "x\0y"}, {"text": "x" * 4001}, {}):
        assert (await admin.post("/api/v1/stations/CP-1/notes", json=wrong)).status_code == 422
    assert (await admin.post("/api/v1/stations/NONE/notes", json={"text": "x"})).status_code == 404


async def test_the_quirks_of_a_station_are_told_and_a_switch_changes_them(web_database: str) -> None:
    fits_none = next(each for each in CATALOG if not each.always and not (each.vendor or each.model))
    async with open_edge(web_database, quirks=known_quirks) as edge:
        admin = await edge.client("admin")
        await add_station(admin, "CP-1", edge)
        told = (await admin.get("/api/v1/stations/CP-1/quirks")).json()["items"]
        assert {each["name"] for each in told} == {each.name for each in CATALOG if not each.always}
        assert not any(each["active"] for each in told)
        await admin.patch("/api/v1/stations/CP-1", json={"quirk_switches": {fits_none.name: True}})
        told = (await admin.get("/api/v1/stations/CP-1/quirks")).json()["items"]
        assert [(each["name"], each["switched"]) for each in told if each["active"]] == [
            (fits_none.name, True)
        ]
