"""Handshakes without right: refused alike, explained to the operator, and without a trace in the database."""

import asyncio

import pytest

from tests.support.edge import PASSWORD, RunningEdge
from tests.support.raw_station import RawStation, basic, upgrade_head
from tests.support.stations import station

SUBPROTOCOL = "Sec-WebSocket-Protocol: ocpp2.0.1"


async def whole_answer(edge: RunningEdge, identity: str, *headers: str) -> bytes:
    """Everything that the server sends to a handshake until it hangs up."""
    raw = await RawStation.dial(edge.endpoint.port)
    try:
        raw.writer.write(upgrade_head(f"/ocpp/{identity}", SUBPROTOCOL, *headers))
        async with asyncio.timeout(10):
            return await raw.reader.read(65536)
    finally:
        raw.writer.close()
        raw.drop()


async def row_counts(edge: RunningEdge) -> dict[str, int]:
    """How many rows every table has."""
    tables = await edge.rows(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace = 'public'::regnamespace"
    )
    return {row["relname"]: await edge.value(f"SELECT count(*) FROM {row['relname']}") for row in tables}


async def test_a_thousand_handshakes_without_right_leave_no_row(edge: RunningEdge) -> None:
    before = await row_counts(edge)

    async def knock(number: int) -> bytes:
        identity = f"CP-{number % 3 + 1}" if number % 2 else f"NOBODY-{number}"
        if number % 5 == 0:
            return await whole_answer(edge, identity)
        return await whole_answer(edge, identity, basic(identity.encode(), b"x" * (number % 40)))

    answers: list[bytes] = []
    for start in range(0, 1000, 50):
        answers += await asyncio.gather(*(knock(start + n) for n in range(50)))
    statuses = {answer.split(b" ", 2)[1] for answer in answers}
    assert statuses == {b"401", b"429"}
    assert edge.edge.listener.connections == 0
    await edge.edge.writer.settled()
    assert await row_counts(edge) == before
    assert edge.edge.listener.handshake_log.total == 1000


async def test_guessing_does_not_lock_the_station_out(edge: RunningEdge) -> None:
    async with station(edge.url, "CP-1") as cp:
        for number in range(100):
            answer = await whole_answer(edge, "CP-1", basic(b"CP-1", b"guess %16d" % number))
            assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 429"))
        assert "currentTime" in await cp.call("Heartbeat", {})


@pytest.mark.covers("TC_A_02", "TC_A_03")
async def test_unknown_identity_and_wrong_password_get_the_same_bytes(edge: RunningEdge) -> None:
    unknown = await whole_answer(edge, "CP-9", basic(b"CP-9", PASSWORD.encode()))
    wrong = await whole_answer(edge, "CP-1", basic(b"CP-1", b"not the right password"))
    none = await whole_answer(edge, "CP-2")
    none_unknown = await whole_answer(edge, "CP-8")
    others_user = await whole_answer(edge, "CP-3", basic(b"CP-1", PASSWORD.encode()))
    assert unknown.startswith(b"HTTP/1.1 401")
    assert unknown == wrong == none == none_unknown == others_user


async def test_a_failed_handshake_is_explained(edge: RunningEdge) -> None:
    await whole_answer(edge, "CP-9", basic(b"CP-9", PASSWORD.encode()))
    await whole_answer(edge, "CP-1", basic(b"CP-1", b"not the right password"))
    await whole_answer(edge, "CP-2")
    raw = await RawStation.dial(edge.endpoint.port)
    await raw.ask(
        upgrade_head("/ocpp/CP-3", "Sec-WebSocket-Protocol: soap1.5", basic(b"CP-3", PASSWORD.encode()))
    )
    assert raw.answer.status == 400
    raw.writer.close()
    raw = await RawStation.dial(edge.endpoint.port)
    await raw.ask(upgrade_head("/ocpp/", SUBPROTOCOL))
    assert raw.answer.status == 404
    raw.writer.close()
    entries = {entry.subject: entry for entry in edge.edge.listener.handshake_log.entries()}
    problems = {subject: entry.problem.value for subject, entry in entries.items()}
    assert problems == {
        "CP-9": "unknown_identity",
        "CP-1": "wrong_password",
        "CP-2": "credentials_missing",
        "CP-3": "subprotocol_unknown",
        "/ocpp/": "wrong_path",
    }
    assert all(len(entry.explanation) > 30 for entry in entries.values())
    assert not any(PASSWORD in entry.detail for entry in entries.values())
