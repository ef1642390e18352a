"""What was said to and by a station, and saying more."""

from datetime import UTC, datetime, timedelta

import httpx

from pilotwire.domain.stations.ports import CallAnswer, InvalidPayload, NoAnswer
from tests.support.web import Edge, add_station, connected_since, keep_frame

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_messages_are_frames_as_sent_and_received(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    call, result = '[2,"m1","Heartbeat",{}]', '[3,"m1",{"currentTime":"x"}]'
    await keep_frame(edge, number, NOON, 0, "m1", "Heartbeat", (call, result), "number_as_id,blanks")
    later = NOON + timedelta(seconds=2)
    call, error = '[2,"m2","Reset",{"type":"Soft"}]', '[4,"m2","NotSupported","no such thing",{}]'
    await keep_frame(edge, number, later, 1, "m2", "Reset", (call, error))
    await keep_frame(edge, number, NOON + timedelta(seconds=4), 0, "m3", "", ("what is this", None))
    page = (await admin.get("/api/v1/stations/CP-1/messages", params={"limit": 50})).json()
    assert page["next"] is None
    refusal = {"code": "NotSupported", "description": "no such thing", "details": {}}
    kept = ("direction", "type", "message_id", "action", "payload", "deviations")
    assert [tuple(message[key] for key in kept) for message in page["items"]] == [
        ("in", "call", "m3", "", "what is this", []),
        ("in", "error", "m2", "Reset", refusal, []),
        ("out", "call", "m2", "Reset", {"type": "Soft"}, []),
        ("out", "result", "m1", "Heartbeat", {"currentTime": "x"}, []),
        ("in", "call", "m1", "Heartbeat", {}, ["number_as_id", "blanks"]),
    ]
    assert page["items"][-1]["at"] == "2026-05-01T12:00:00Z"


async def test_message_pages_leave_nothing_out(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    for i in range(7):
        # Three of them at one moment: the message id decides their order.
        moment = NOON + timedelta(seconds=i // 3)
        frames = f'[2,"m{i}","Heartbeat",{{}}]', f'[3,"m{i}",{{}}]'
        await keep_frame(edge, number, moment, 0, f"m{i}", "Heartbeat", frames)
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await admin.get("/api/v1/stations/CP-1/messages", params=query)).json()
        assert len(page["items"]) == 2
        seen += [m["message_id"] for m in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"m{i}" for i in (6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0)]


async def test_a_call_carries_the_bytes_that_were_sent(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    edge.caller.links[number] = connected_since(NOON)
    sent = b'{ "type":"Soft",  "n": 1.10 }'
    edge.caller.answer = lambda action, payload: CallAnswer(b'{"status":"Accepted","n":12345678901234567890}')
    answer = await admin.post(
        "/api/v1/stations/CP-1/call/Reset", content=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "outcome": "result",
        "payload": {"status": "Accepted", "n": 12345678901234567890},
    }
    assert edge.caller.calls == [(number, "Reset", sent, 30)]


async def test_a_call_that_fails_says_how(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)

    async def call(body: object = None) -> httpx.Response:
        return await admin.post(
            "/api/v1/stations/CP-1/call/Reset?timeout_s=2", json=body if body is not None else {}
        )

    refused = await call()
    assert (refused.status_code, refused.json()["code"]) == (409, "station_not_connected")
    edge.caller.links[number] = connected_since(NOON)
    edge.caller.answer = lambda action, payload: CallAnswer(None, "NotSupported", "never heard of it")
    answer = await call()
    assert answer.status_code == 200
    assert answer.json() == {"outcome": "error", "code": "NotSupported", "description": "never heard of it"}

    def refuse(action: str, payload: bytes) -> CallAnswer:
        raise InvalidPayload("type is missing")

    edge.caller.answer = refuse
    refused = await call()
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_payload")
    assert refused.json()["detail"] == "type is missing"

    def wait_in_vain(action: str, payload: bytes) -> CallAnswer:
        raise NoAnswer

    edge.caller.answer = wait_in_vain
    assert (await call()).status_code == 504
    assert (await call([1])).status_code == 422


async def test_the_audit_trail_has_the_call_and_not_its_payload(edge: Edge, admin: httpx.AsyncClient) -> None:
    number = await add_station(admin, "CP-1", edge)
    edge.caller.links[number] = connected_since(NOON)
    secret = "canary-in-a-payload"
    body = {"key": "AuthorizationKey", "value": secret}
    assert (await admin.post("/api/v1/stations/CP-1/call/ChangeConfiguration", json=body)).status_code == 200
    trail = await admin.get("/api/v1/audit")
    assert trail.json()["items"][0]["action"] == "station.called"
    assert trail.json()["items"][0]["after"] == {"action": "ChangeConfiguration"}
    assert secret not in trail.text
