"""Our own calls: one at a time, answered by id, ended by time-out or disconnection."""

import asyncio
import json

import pytest

from pilotwire.domain.stations.ports import NoAnswer, NotConnected
from pilotwire.ocpp.codec.envelope import CallError, CallResult, parse_frame
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.rpc import Caller, Exchange


class Line:
    """What was sent, and what is over."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.over: list[Exchange] = []
        self.caller = Caller("7-1", self.sent.append, self.over.append)

    def last_id(self) -> str:
        return str(json.loads(self.sent[-1])[1])

    def answer(self, text: str, *, any_id: bool = False) -> bool:
        frame = parse_frame(OcppVersion.V16, text.encode())
        assert isinstance(frame, CallResult | CallError)
        return self.caller.answered(frame, text.encode(), any_id=any_id)


async def test_a_call_gets_its_answer() -> None:
    line = Line()
    call = asyncio.ensure_future(line.caller.call("Reset", b'{"type":"Soft"}', 5))
    await asyncio.sleep(0)
    assert json.loads(line.sent[0]) == [2, "7-1-1", "Reset", {"type": "Soft"}]
    assert line.answer('[3,"7-1-1",{"status":"Accepted"}]')
    answer = await call
    assert (answer.payload, answer.error_code) == (b'{"status":"Accepted"}', "")
    assert line.over == [
        Exchange("7-1-1", "Reset", line.sent[0], b'[3,"7-1-1",{"status":"Accepted"}]'),
    ]
    assert not line.answer('[3,"7-1-1",{"status":"Accepted"}]')


async def test_a_refusal_is_an_answer() -> None:
    line = Line()
    call = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0)
    assert line.answer('[4,"7-1-1","NotSupported","no",{}]')
    answer = await call
    assert (answer.payload, answer.error_code, answer.error_description) == (None, "NotSupported", "no")


async def test_there_is_one_call_at_a_time() -> None:
    line = Line()
    calls = [asyncio.ensure_future(line.caller.call("Reset", b"{}", 5)) for _ in range(3)]
    for number in range(1, 4):
        await asyncio.sleep(0.001)
        assert len(line.sent) == number
        assert line.answer(f'[3,"7-1-{number}",{{"n":{number}}}]')
    assert [(await call).payload for call in calls] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


async def test_a_call_that_is_not_answered_ends_and_lets_the_next_one_go() -> None:
    line = Line()
    with pytest.raises(NoAnswer, match="Reset"):
        await line.caller.call("Reset", b"{}", 0.01)
    assert line.over[0].response is None
    assert not line.answer('[3,"7-1-1",{}]')  # too late
    call = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0)
    assert not line.answer('[3,"7-1-1",{}]')  # still the answer to the first
    assert line.answer('[3,"7-1-2",{}]')
    assert (await call).payload == b"{}"


async def test_waiting_in_line_counts() -> None:
    line = Line()
    first = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0)
    with pytest.raises(NoAnswer):
        await line.caller.call("Reset", b"{}", 0.01)
    assert len(line.sent) == 1
    assert line.answer('[3,"7-1-1",{}]')
    await first


async def test_an_answer_with_another_id_counts_only_where_the_station_is_known_for_it() -> None:
    line = Line()
    call = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0)
    assert not line.answer('[3,"other",{}]')
    assert line.answer('[3,"other",{}]', any_id=True)
    assert (await call).payload == b"{}"


async def test_the_end_of_the_connection_ends_every_call() -> None:
    line = Line()
    calls = [asyncio.ensure_future(line.caller.call("Reset", b"{}", 5)) for _ in range(2)]
    await asyncio.sleep(0)
    line.caller.close()
    for call in calls:
        with pytest.raises(NotConnected):
            await call
    assert len(line.sent) == 1
    with pytest.raises(NotConnected):
        await line.caller.call("Reset", b"{}", 5)


async def test_who_gives_up_lets_the_next_one_go() -> None:
    line = Line()
    first = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.ensure_future(line.caller.call("Reset", b"{}", 5))
    await asyncio.sleep(0.001)
    assert line.answer('[3,"7-1-2",{}]')
    assert (await second).payload == b"{}"
