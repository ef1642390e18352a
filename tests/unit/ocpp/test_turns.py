"""Turns of the event loop: a few frames each, in the order in which they came, none lost."""

import asyncio
import json
from collections import Counter

from pilotwire.domain.stations.records import FrameKept
from pilotwire.ocpp.turns import Turns
from tests.support.quirk_corpus.player import Played

BOOT = [2, "b", "BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"}]


class Taker:
    """A link that only notes who was let and when."""

    def __init__(self, turns: Turns, name: str, taken: list[str]) -> None:
        self.turns, self.name, self.taken = turns, name, taken
        self.queue: list[str] = []

    def say(self, text: str) -> None:
        if not self.queue and self.turns.may_take(self):
            self.taken.append(self.name + text)
        else:
            self.queue.append(text)

    def take_next(self) -> bool:
        self.taken.append(self.name + self.queue.pop(0))
        return bool(self.queue)


def heartbeat(name: str) -> bytes:
    return json.dumps([2, name, "Heartbeat", {}]).encode()


async def test_what_a_turn_has_no_room_for_waits_in_order() -> None:
    turns, taken = Turns(frames=3), list[str]()
    takers = [Taker(turns, name, taken) for name in "abcde"]
    for taker in takers:
        taker.say("1")
    assert taken == ["a1", "b1", "c1"]
    takers[0].say("2")  # behind those that wait
    takers[3].say("2")
    await asyncio.sleep(0)
    assert taken[3:] == ["d1", "e1", "a2"]
    await asyncio.sleep(0)
    assert taken[6:] == ["d2"]


async def test_a_new_turn_has_room_again() -> None:
    turns, taken = Turns(frames=2), list[str]()
    taker = Taker(turns, "a", taken)
    for number in range(6):
        taker.say(str(number))
        taker.say(str(number))
        assert not taker.queue
        await asyncio.sleep(0)
    assert len(taken) == 12


async def test_who_says_much_does_not_keep_the_others_waiting() -> None:
    turns, taken = Turns(frames=4), list[str]()
    loud, calm = Taker(turns, "l", taken), Taker(turns, "c", taken)
    for number in range(100):
        loud.say(str(number))
    calm.say("0")
    await asyncio.sleep(0)
    assert "c0" in taken
    for _ in range(30):
        await asyncio.sleep(0)
    assert Counter(text[0] for text in taken) == {"l": 100, "c": 1}


async def test_a_link_takes_every_frame_once_and_in_order() -> None:
    played = Played({"before": [BOOT]})
    played.host.turns = Turns(frames=5)
    await played.play_before()
    for number in range(60):
        played.link.text_received(heartbeat(f"h{number}"))
    assert len(played.books.of(FrameKept)) == 6  # the boot, and what the turn had room for
    async with asyncio.timeout(5):
        while len(played.books.of(FrameKept)) < 61:  # noqa: ASYNC110 - the state of another callback
            await asyncio.sleep(0)
    assert [frame.message_id for frame in played.books.of(FrameKept)][1:] == [f"h{n}" for n in range(60)]


async def test_what_a_station_said_before_it_hung_up_is_taken() -> None:
    played = Played({"before": [BOOT]})
    played.host.turns = Turns(frames=5)
    await played.play_before()
    for number in range(20):
        played.link.text_received(heartbeat(f"h{number}"))
    played.link.work_off()
    played.link.end("gone")
    assert len(played.books.of(FrameKept)) == 21
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(played.books.of(FrameKept)) == 21
