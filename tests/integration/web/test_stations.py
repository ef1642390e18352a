"""Stations over HTTP: the shapes that tools outside rely on."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.errors import StationExists
from pilotwire.domain.stations.ports import (
    StationChanged,
    StationRemoved,
)
from pilotwire.domain.stations.usecases.add_stations import create_stations
from tests.support.web import (
    PEPPER,
    Edge,
    add_station,
    connected_since,
    keep_connector,
    keep_session,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_a_new_station_has_a_generated_password_and_the_shape_of_the_contract(
    admin: httpx.AsyncClient,
) -> None:
    created = await admin.post("/api/v1/stations", json={"id": "CP-1"})
    assert created.status_code == 201, created.text
    body = created.json()
    assert len(body["password"]) >= 16
    shown = (await admin.get("/api/v1/stations/CP-1")).json()
    assert "password" not in shown
    wanted = {
        "id": "CP-1",
        "connected": False,
        "ocpp_version": None,
        "vendor": "",
        "model": "",
        "serial_number": "",
        "firmware_version": "",
        "last_seen_at": None,
        "status": "offline",
        "evses": [],
        "admission": "accepted",
        "security_profile": 1,
    }
    assert {key: shown[key] for key in wanted} == wanted
    assert {key: value for key, value in body.items() if key != "password"} == shown


async def test_a_password_of_ones_own_is_not_repeated_and_the_edge_learns_its_digest(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    told: list[StationChanged] = []
    edge.bus.subscribe(StationChanged, told.append)
    password = "a-good-password-of-mine"
    created = await admin.post("/api/v1/stations", json={"id": "CP-1", "password": password})
    assert created.status_code == 201
    assert password not in created.text
    assert told[0].record.secret_digest == digest_secret(PEPPER, password.encode())
    presence = await edge.db.service.fetchrow("SELECT connection_epoch, connected FROM station_presence")
    assert tuple(presence) == (0, False)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "a" * 49}, "id"),
        ({"id": "CP-1", "colour": "red"}, "colour"),
        ({"id": "CP-1", "security_profile": 0}, "security_profile"),
        ({}, "id"),
    ],
)
async def test_a_station_that_cannot_be_is_refused_in_words(
    admin: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    refused = await admin.post("/api/v1/stations", json=body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


@pytest.mark.parametrize("identity", ["a b", "a/b", "a:b", "-a", "..", "ü", "a\x00b", "a\n"])
async def test_an_identity_that_no_url_or_password_header_could_hold_is_refused(
    admin: httpx.AsyncClient, identity: str
) -> None:
    refused = await admin.post("/api/v1/stations", json={"id": identity})
    assert refused.status_code == 422
    assert refused.json()["code"] == "invalid"


async def test_a_weak_password_is_refused(admin: httpx.AsyncClient) -> None:
    refused = await admin.post("/api/v1/stations", json={"id": "CP-1", "password": "short"})
    assert refused.status_code == 422
    assert "short" not in refused.text.replace("shortly", "")


async def test_an_identity_exists_once(admin: httpx.AsyncClient) -> None:
    await add_station(admin, "CP-1")
    again = await admin.post("/api/v1/stations", json={"id": "CP-1"})
    assert (again.status_code, again.json()["code"]) == (409, "station_exists")


async def test_a_live_link_says_more_than_the_database(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    await keep_connector(edge, number, 1, 1, "available")
    await keep_connector(edge, number, 1, 2, "charging")
    await keep_connector(edge, number, 2, 1, "unavailable")
    await keep_connector(edge, number, 0, 0, "available")
    edge.caller.links[number] = connected_since(NOON, "2.1")
    shown = (await admin.get("/api/v1/stations/CP-1")).json()
    assert (shown["connected"], shown["ocpp_version"], shown["last_seen_at"], shown["status"]) == (
        True,
        "2.1",
        "2026-05-01T12:00:00Z",
        "charging",
    )
    assert [
        (evse["id"], evse["status"], [(c["id"], c["type"], c["status"]) for c in evse["connectors"]])
        for evse in shown["evses"]
    ] == [
        (1, "charging", [(1, None, "available"), (2, None, "charging")]),
        (2, "unavailable", [(1, None, "unavailable")]),
    ]


async def test_lists_are_filtered_and_paged(edge: Edge, admin: httpx.AsyncClient) -> None:
    site = (await admin.post("/api/v1/sites", json={"name": "Harbour"})).json()["id"]
    statuses = {
        "A-1": "available",
        "A-2": "charging",
        "A-3": "faulted",
        "B-1": "charging",
        "B-2": "available",
    }
    for identity, status in statuses.items():
        number = await add_station(admin, identity, edge)
        await keep_connector(edge, number, 1, 1, status)
        if identity != "B-2":
            await edge.db.service.execute(
                "UPDATE station_presence SET connected = true WHERE station_id = $1", number
            )
    await admin.patch("/api/v1/stations/A-3", json={"site_id": site})

    async def ids(**query: object) -> list[str]:
        found = await admin.get("/api/v1/stations", params=query)  # type: ignore[arg-type]
        assert found.status_code == 200, found.text
        return [station["id"] for station in found.json()["items"]]

    assert await ids() == sorted(statuses)
    assert await ids(status="charging") == ["A-2", "B-1"]
    assert await ids(status="offline") == ["B-2"]
    assert await ids(status="") == sorted(statuses)
    assert await ids(connected="false") == ["B-2"]
    assert await ids(site_id=site) == ["A-3"]
    assert await ids(q="b-") == ["B-1", "B-2"]
    await admin.patch("/api/v1/stations/A-1", json={"admission": "pending"})
    assert await ids(admission="pending") == ["A-1"]
    assert await ids(q="%") == []

    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page = (
            await admin.get("/api/v1/stations", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [station["id"] for station in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(statuses)


async def test_the_filter_by_status_agrees_with_what_is_shown(edge: Edge, admin: httpx.AsyncClient) -> None:
    """The filter is SQL and the shown status is Python: they must agree."""
    cases = {
        "S-1": [(0, 0, "faulted"), (1, 1, "charging")],
        "S-2": [(0, 0, "available"), (1, 1, "unavailable")],
        "S-3": [(0, 0, "unavailable")],
        "S-4": [],
        "S-5": [(1, 1, "suspended_evse"), (2, 1, "reserved")],
    }
    for identity, connectors in cases.items():
        number = await add_station(admin, identity, edge)
        await edge.db.service.execute(
            "UPDATE station_presence SET connected = true WHERE station_id = $1", number
        )
        for evse, connector, status in connectors:
            await keep_connector(edge, number, evse, connector, status)
    shown = {s["id"]: s["status"] for s in (await admin.get("/api/v1/stations")).json()["items"]}
    assert shown == {
        "S-1": "faulted",
        "S-2": "unavailable",
        "S-3": "unavailable",
        "S-4": "unknown",
        "S-5": "suspended_evse",
    }
    for status in set(shown.values()):
        found = (await admin.get("/api/v1/stations", params={"status": status})).json()["items"]
        assert [s["id"] for s in found] == sorted(key for key, value in shown.items() if value == status)


async def test_changes_are_told_to_the_edge(edge: Edge, admin: httpx.AsyncClient) -> None:
    await add_station(admin, "CP-1")
    told: list[StationChanged] = []
    edge.bus.subscribe(StationChanged, told.append)
    changed = await admin.patch(
        "/api/v1/stations/CP-1",
        json={
            "admission": "pending",
            "password": "another-good-password",
            "security_profile": 2,
            "name": "Left of the gate",
            "quirk_switches": {"no_ping": True},
        },
    )
    assert changed.status_code == 200
    assert (changed.json()["admission"], changed.json()["security_profile"]) == ("pending", 2)
    assert changed.json()["quirk_switches"] == {"no_ping": True}
    record = told[0].record
    assert record.secret_digest == digest_secret(PEPPER, b"another-good-password")
    assert (record.admission, record.minimum_security_profile, record.quirk_switches) == (
        "pending",
        2,
        {"no_ping": True},
    )
    await admin.patch("/api/v1/stations/CP-1", json={})
    assert len(told) == 1


async def test_only_administrators_lower_the_security_profile(edge: Edge, admin: httpx.AsyncClient) -> None:
    operator = await edge.client("operator")
    await add_station(admin, "CP-1")
    assert (await operator.patch("/api/v1/stations/CP-1", json={"security_profile": 3})).status_code == 200
    assert (await operator.patch("/api/v1/stations/CP-1", json={"security_profile": 2})).status_code == 403
    assert (await admin.patch("/api/v1/stations/CP-1", json={"security_profile": 2})).status_code == 200


@pytest.mark.parametrize("value", [None, "unheard-of"])
async def test_admission_takes_its_three_words_only(admin: httpx.AsyncClient, value: object) -> None:
    await add_station(admin, "CP-1")
    refused = await admin.patch("/api/v1/stations/CP-1", json={"admission": value})
    assert refused.status_code == 422


async def test_a_station_without_history_is_removed_and_one_with_sessions_is_kept(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    told: list[StationRemoved] = []
    edge.bus.subscribe(StationRemoved, told.append)
    number = await add_station(admin, "CP-1", edge)
    other = await add_station(admin, "CP-2", edge)
    await keep_session(edge, other, "CP-2", NOON)
    assert (await admin.delete("/api/v1/stations/CP-1")).status_code == 204
    assert (await admin.get("/api/v1/stations/CP-1")).status_code == 404
    assert told == [StationRemoved(number, "CP-1")]
    kept = await admin.delete("/api/v1/stations/CP-2")
    assert (kept.status_code, kept.json()["code"]) == (409, "station_has_sessions")
    assert "rejected" in kept.json()["detail"]
    assert len(told) == 1


async def test_security_events_are_listed_newest_first(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    for i in range(3):
        await edge.db.service.execute(
            "INSERT INTO security_event (tenant_id, station_id, type, at, received_at, technical_info)"
            " VALUES (1, $1, $2, $3, $3, '')",
            number,
            f"Event{i}",
            NOON + timedelta(minutes=i),
        )
    first = (await admin.get("/api/v1/stations/CP-1/security-events?limit=2")).json()
    assert [event["type"] for event in first["items"]] == ["Event2", "Event1"]
    rest = (await admin.get("/api/v1/stations/CP-1/security-events", params={"cursor": first["next"]})).json()
    assert [event["type"] for event in rest["items"]] == ["Event0"]


async def test_reports_are_listed_newest_first_and_by_kind(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    for i, kind in enumerate(("NotifyEvent", "NotifyReport", "NotifyEvent")):
        await edge.db.service.execute(
            "INSERT INTO station_report (tenant_id, station_id, kind, received_at, content) VALUES (1, $1, $2, $3, $4)",
            number,
            kind,
            NOON + timedelta(minutes=i),
            f'{{"seqNo": {i}}}',
        )
    every = (await admin.get("/api/v1/stations/CP-1/reports")).json()
    assert [report["content"]["seqNo"] for report in every["items"]] == [2, 1, 0]
    first = (await admin.get("/api/v1/stations/CP-1/reports?kind=NotifyEvent&limit=1")).json()
    assert [report["content"]["seqNo"] for report in first["items"]] == [2]
    rest = await admin.get(
        "/api/v1/stations/CP-1/reports", params={"kind": "NotifyEvent", "cursor": first["next"]}
    )
    assert [report["content"]["seqNo"] for report in rest.json()["items"]] == [0]


async def test_every_address_of_an_unknown_station_answers_not_found(admin: httpx.AsyncClient) -> None:
    for path in ("", "/messages", "/security-events", "/reports"):
        assert (await admin.get(f"/api/v1/stations/nobody{path}")).status_code == 404
    assert (await admin.patch("/api/v1/stations/nobody", json={"name": "x"})).status_code == 404
    assert (await admin.delete("/api/v1/stations/nobody")).status_code == 404
    assert (await admin.post("/api/v1/stations/nobody/call/Reset", json={})).status_code == 404


async def test_no_answer_holds_a_secret_or_its_digest(edge: Edge, admin: httpx.AsyncClient) -> None:
    password = "canary-password-of-a-station"
    created = await admin.post("/api/v1/stations", json={"id": "CP-1", "password": password})
    changed = await admin.patch("/api/v1/stations/CP-1", json={"password": password + "2"})
    texts = [created.text, changed.text]
    paths = ("/stations", "/stations/CP-1", "/audit", "/api-keys", "/overview")
    texts += [(await admin.get(f"/api/v1{path}")).text for path in paths]
    digest = digest_secret(PEPPER, (password + "2").encode())
    for text in texts:
        assert password not in text
        assert digest.hex() not in text
        assert edge.keys["admin"] not in text
        assert "digest" not in json.dumps(list(json.loads(text)))


async def test_many_stations_are_added_at_once_or_not_at_all(edge: Edge, admin: httpx.AsyncClient) -> None:
    told: list[StationChanged] = []
    edge.bus.subscribe(StationChanged, told.append)

    async def add(identities: list[str], password: str | None = None) -> list[tuple[str, str]]:
        return await create_stations(
            edge.db, edge.bus, PEPPER, system_principal(), identities, password=password
        )

    added = await add([f"CP-{i:04}" for i in range(1500)])
    assert len({password for _, password in added}) == 1500
    digests = {notice.record.identity: notice.record.secret_digest for notice in told}
    assert digests == {identity: digest_secret(PEPPER, password.encode()) for identity, password in added}
    assert await edge.db.service.fetchval("SELECT count(*) FROM station_presence") == 1500
    shared = await add(["X-1", "X-2"], "a-password-for-load-tests")
    assert shared == [("X-1", "a-password-for-load-tests"), ("X-2", "a-password-for-load-tests")]
    with pytest.raises(StationExists):
        await add(["Y-1", "X-1"])
    for wrong in (["Y-1", "Y-1"], ["Y-1", "not an identity"]):
        with pytest.raises(Invalid):
            await add(wrong)
    assert (await admin.get("/api/v1/stations/Y-1")).status_code == 404
