"""The wheel that pings."""

import random
from collections import Counter
from itertools import pairwise

from pilotwire.ocpp.gateway.keepalive import KeepAliveWheel


class Visited:
    def __init__(self) -> None:
        self.slot = -1
        self.visits: list[tuple[float, bool]] = []

    def check_alive(self, now: float, *, may_drop: bool) -> None:
        self.visits.append((now, may_drop))


def test_each_connection_is_visited_once_per_interval() -> None:
    wheel = KeepAliveWheel(60.0, 0.0, random.Random(1))
    connections = [Visited() for _ in range(300)]
    for connection in connections:
        wheel.add(connection)
    for second in range(1, 181):
        wheel.turn(float(second))
    for connection in connections:
        times = [at for at, _ in connection.visits]
        assert len(times) == 3
        assert times[0] <= 60
        assert [b - a for a, b in pairwise(times)] == [60, 60]
        assert all(may_drop for _, may_drop in connection.visits)


def test_visits_are_spread() -> None:
    wheel = KeepAliveWheel(60.0, 0.0, random.Random(1))
    connections = [Visited() for _ in range(600)]
    for connection in connections:
        wheel.add(connection)
    for second in range(1, 61):
        wheel.turn(float(second))
    per_second = Counter(connection.visits[0][0] for connection in connections)
    assert max(per_second.values()) < 40


def test_a_removed_connection_is_not_visited() -> None:
    wheel = KeepAliveWheel(1.0, 0.0)
    connection = Visited()
    wheel.add(connection)
    wheel.remove(connection)
    wheel.remove(connection)
    for n in range(100):
        wheel.turn(n * 0.05)
    assert connection.visits == []


def test_nothing_is_dropped_right_after_a_stall() -> None:
    wheel = KeepAliveWheel(2.0, 0.0, random.Random(1))
    connections = [Visited() for _ in range(200)]
    for connection in connections:
        wheel.add(connection)
    wheel.turn(300.0)
    visits = [visit for connection in connections for visit in connection.visits]
    assert visits
    assert not any(may_drop for _, may_drop in visits)
    wheel.turn(300.06)
    assert any(may_drop for connection in connections for _, may_drop in connection.visits)
