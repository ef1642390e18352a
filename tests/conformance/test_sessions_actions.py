"""Every action that a station may send, once over the wire: the answer fits the official schema."""

import asyncio
import json
from typing import Any

import pytest

from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import direction
from tests.support.edge import RunningEdge
from tests.support.schema_strategies import Message, full_example, messages, validator
from tests.support.stations import Refused, moment, station

SENT_ONLY = "NotifyPeriodicEventStream"  # Spec: OCPP 2.1 part 4, 4.2.5: a SEND, which is not answered


def requests(version: str) -> list[Message]:
    """The requests that stations send."""
    return [
        each
        for each in messages(version)
        if each.kind == "request" and direction(OcppVersion(version), each.action) != "csms"
    ]


def answered_by(version: str, action: str) -> Any:
    return validator(version, f"{action}Response")


def plausible(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a time that stations have; the examples' is as good."""
    made: dict[str, Any] = json.loads(json.dumps(document).replace("2026-01-01T00:00:00Z", moment()))
    return made


@pytest.mark.parametrize(("version", "least"), [("1.6", 14), ("2.0.1", 24), ("2.1", 36)])
async def test_every_action_gets_an_answer_that_fits_its_schema(
    edge: RunningEdge, version: str, least: int
) -> None:
    asked = [each for each in requests(version) if each.action != SENT_ONLY]
    assert len(asked) >= least
    async with station(edge.url, "CP-1", version) as cp:
        await cp.boot()
        for each in asked:
            document = plausible(full_example(version, each.name))
            answer = await cp.call(each.action, document)
            answered_by(version, each.action).validate(answer)
    rows = await edge.rows("SELECT action, response, deviations FROM frame WHERE direction = 0")
    assert {row["action"] for row in rows} == {each.action for each in asked}
    # The example's transaction number is 0, which no transaction has.
    odd = {"MeterValues": "meter_values_without_transaction"} if version == "1.6" else {}
    assert {row["action"]: row["deviations"] for row in rows if row["deviations"]} == odd


@pytest.mark.covers("2.1-N15")
async def test_a_send_is_kept_and_not_answered(edge: RunningEdge) -> None:
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        document = plausible(full_example("2.1", SENT_ONLY))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await cp.exchange(json.dumps([6, "s-1", SENT_ONLY, document]), "s-1")
        await cp.call("Heartbeat", {})
    rows = await edge.rows("SELECT response, deviations FROM frame WHERE message_id = 's-1'")
    assert [tuple(row) for row in rows] == [(None, None)]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_an_action_of_ours_is_refused_when_a_station_sends_it(edge: RunningEdge, version: str) -> None:
    async with station(edge.url, "CP-1", version) as cp:
        await cp.boot()
        with pytest.raises(Refused) as refused:
            await cp.call("Reset", {"type": "Soft" if version == "1.6" else "Immediate"})
        assert refused.value.code == "NotSupported"
        with pytest.raises(Refused) as refused:
            await cp.call("MakeCoffee", {})
        assert refused.value.code == "NotImplemented"
