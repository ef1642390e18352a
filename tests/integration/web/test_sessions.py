"""Sessions and samples over HTTP: numbers that are exact, pages that leave nothing out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from pilotwire.domain.sessions.messages import Sample
from tests.support.web import Edge, add_station, keep_samples, keep_session

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_an_ended_session_has_the_shape_of_the_contract(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    session_id = await keep_session(
        edge,
        number,
        "CP-1",
        NOON,
        transaction_ref="42",
        start_key="a start of 1.6",
        ended_at=NOON + timedelta(hours=1),
        last_at=NOON + timedelta(hours=1),
        stated_end_wh=Decimal("8360.5"),
        stop_reason="EVDisconnected",
    )
    shown = (await admin.get(f"/api/v1/sessions/{session_id}")).json()
    wanted = {
        "id": str(session_id),
        "station_id": "CP-1",
        "evse_id": 1,
        "connector_id": 1,
        "transaction_id": 42,
        "token_uid": "04A2B3C4D5E6F7",
        "state": "ended",
        "started_at": "2026-05-01T12:00:00Z",
        "ended_at": "2026-05-01T13:00:00Z",
        "meter_start_wh": 1000,
        "meter_end_wh": 8360.5,
        "energy_wh": 7360.5,
        "stop_reason": "EVDisconnected",
        "offline": False,
        "review": [],
    }
    assert {key: shown[key] for key in wanted} == wanted
    assert isinstance(shown["meter_start_wh"], int)


async def test_an_active_session_has_no_end_but_its_newest_register(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    number = await add_station(admin, "CP-1", edge)
    session_id = await keep_session(
        edge,
        number,
        "CP-1",
        NOON,
        transaction_ref="77",
        stated_end_wh=Decimal("1234.567"),
        last_power=((0, NOON), 7360.1),
        last_soc=((0, NOON), 55.3),
        charging_state=((0, NOON), "Charging"),
    )
    shown = (await admin.get(f"/api/v1/sessions/{session_id}")).json()
    assert (shown["meter_end_wh"], shown["meter_wh"], shown["energy_wh"]) == (None, 1234.567, 234.567)
    # The columns are float4: their noise is not shown.
    assert (shown["power_w"], shown["soc_percent"], shown["charging_state"]) == (7360.1, 55.3, "Charging")
    assert shown["transaction_id"] == "77", "a session without a 1.6 start is named, not numbered"


async def test_viewers_see_too_little_of_a_token_to_copy_it(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    session_id = await keep_session(edge, number, "CP-1", NOON)
    viewer = await edge.client("viewer")
    assert (await viewer.get(f"/api/v1/sessions/{session_id}")).json()["token_uid"] == "…E6F7"
    assert "04A2B3" not in (await viewer.get("/api/v1/sessions")).text


async def test_sessions_are_filtered_and_paged_newest_first(edge: Edge, admin: httpx.AsyncClient) -> None:
    ids = []
    for identity in ("CP-1", "CP-2"):
        number = await add_station(admin, identity, edge)
        for i in range(3):
            ended = {"ended_at": NOON + timedelta(hours=i, minutes=5)} if i < 2 else {}
            ids.append(
                str(
                    await keep_session(
                        edge, number, identity, NOON + timedelta(hours=i), transaction_ref=f"{i}", **ended
                    )
                )
            )

    async def listed(**query: object) -> list[str]:
        found = await admin.get("/api/v1/sessions", params=query)  # type: ignore[arg-type]
        assert found.status_code == 200, found.text
        return [session["id"] for session in found.json()["items"]]

    assert await listed() == ids[::-1]
    assert await listed(station_id="CP-1") == ids[2::-1]
    assert await listed(station_id="CP-1", state="active") == [ids[2]]
    assert await listed(station_id="", state="") == ids[::-1]
    assert await listed(station_id="nobody") == []
    first = (await admin.get("/api/v1/sessions?limit=4")).json()
    assert await listed(limit=4, cursor=first["next"]) == ids[1::-1]


@pytest.mark.parametrize("path", ["/sessions/{}", "/sessions/{}/samples"])
async def test_an_unknown_session_is_not_found(admin: httpx.AsyncClient, path: str) -> None:
    assert (await admin.get("/api/v1" + path.format(uuid4()))).status_code == 404
    assert (await admin.get("/api/v1" + path.format("no-uuid"))).status_code == 422


async def test_samples_come_in_their_order_and_whole(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    session_id = await keep_session(edge, number, "CP-1", NOON)
    samples = [
        Sample(
            at=NOON + timedelta(minutes=i // 2),  # two of each moment: a page must not cut between them
            context=f"Sample{i}",
            energy_wh=Decimal(1000 + i),
            power_w=7360.1,
            current_l1_a=16.01,
            voltage_l2_v=230.4,
            other='[{"measurand":"Frequency","value":"50.0"}]',
        )
        for i in range(8)
    ]
    await keep_samples(edge, number, session_id, samples)
    first = (await admin.get(f"/api/v1/sessions/{session_id}/samples")).json()["items"][0]
    assert first["at"] == "2026-05-01T12:00:00Z"
    assert (first["energy_wh"], first["power_w"], first["soc_percent"]) == (1000, 7360.1, None)
    assert (first["currents_a"], first["voltages_v"]) == ([16.01, None, None], [None, 230.4, None])
    assert first["other"] == [{"measurand": "Frequency", "value": "50.0"}]
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await admin.get(f"/api/v1/sessions/{session_id}/samples", params=query)).json()
        assert len(page["items"]) <= 3
        seen += [sample["context"] for sample in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == [f"Sample{i}" for i in range(8)]


async def test_the_overview_adds_up(edge: Edge, admin: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    number = await add_station(admin, "CP-1", edge)
    await add_station(admin, "CP-2", edge)
    await edge.db.service.execute(
        "UPDATE station_presence SET connected = true WHERE station_id = $1", number
    )
    for connector, status in enumerate(["charging", "available"], 1):
        await edge.db.service.execute(
            "INSERT INTO connector (station_id, tenant_id, evse_no, connector_no, status, status_at, received_at)"
            " VALUES ($1, 1, $2, 1, $3, now(), now())",
            number,
            connector,
            status,
        )
    power = ((0, now), 11000.0)
    await keep_session(edge, number, "CP-1", now, stated_end_wh=Decimal("1500.25"), last_power=power)
    yesterday = now - timedelta(days=2)
    await keep_session(edge, number, "CP-1", yesterday, transaction_ref="old", stated_end_wh=Decimal(9000))
    shown = (await admin.get("/api/v1/overview?time_zone=UTC")).json()
    assert shown == {
        "stations": 2,
        "connected": 1,
        "connectors": 2,
        "charging": 1,
        "active_sessions": 2,
        "power_w": 11000.0,
        "energy_today_wh": 500.25,
        "stations_url": "",
        "stations_tls_url": "",
    }
    assert (await admin.get("/api/v1/overview?time_zone=Mars/Olympus")).status_code == 422


async def test_the_power_of_the_last_hour_follows_from_the_samples(
    edge: Edge, admin: httpx.AsyncClient
) -> None:
    now = datetime.now(UTC)
    number = await add_station(admin, "CP-1", edge)
    begin = now - timedelta(minutes=30)
    ended = await keep_session(edge, number, "CP-1", begin, transaction_ref="ended")
    running = await keep_session(edge, number, "CP-1", begin, transaction_ref="running")
    await edge.db.service.execute(
        "UPDATE session SET ended_at = $2 WHERE id = $1", ended, now - timedelta(minutes=20)
    )
    for session_id, minutes_ago, power_w in (
        (ended, 25, 5000.0), (running, 25, 2000.0), (running, 12, 3000.0),
    ):  # fmt: skip
        at = now - timedelta(minutes=minutes_ago)
        await edge.db.service.execute(
            "INSERT INTO sample (tenant_id, station_id, evse_no, session_id, at, received_at, power_w)"
            " VALUES (1, $1, 1, $2, $3, $3, $4)",
            number,
            session_id,
            at,
            power_w,
        )
    shown = (await admin.get("/api/v1/overview/power?minutes=60")).json()
    assert shown["step_s"] == 60
    by_age = {
        round((now - datetime.fromisoformat(point["at"])).total_seconds() / 60): point["power_w"]
        for point in shown["points"]
    }
    assert by_age[28] == 0
    assert by_age[22] == 7000, "both sessions hold what they measured last"
    assert by_age[15] == 2000, "the one has ended"
    assert by_age[5] == 3000
    assert (await admin.get("/api/v1/overview/power?minutes=1")).status_code == 422
