"""An EVSE under any order of events: transactions begin, count and end as the protocols ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.simulator.car import Car, CarModel
from pilotwire.simulator.evse import Authorisation, Evse
from pilotwire.simulator.model import ConnectorSpec, EvseSpec, TokenSpec
from pilotwire.simulator.profiles import Limit
from pilotwire.simulator.states import Fault, Status, StopReason, Trigger, TxEvent

MODEL = CarModel("Test", 10_000, 3, 16, ((0, 50_000), (100, 5_000)), 400)
SPEC = EvseSpec(1, "AC", 11_000, 3, (ConnectorSpec(1, "type2_socket"),), register_wh=5_000)
CARD = TokenSpec("04A1B2C3D4E5F6", "Ada")


class Recorder:
    """A station that only writes down what its EVSE tells."""

    def __init__(self, start: frozenset[str], stop: frozenset[str]) -> None:
        self.at = datetime(2025, 1, 1, tzinfo=UTC)
        self.limit = Limit()
        self.events: list[TxEvent] = []
        self.statuses: list[Status] = []
        self._start, self._stop = start, stop

    def now(self) -> datetime:
        return self.at

    def is_online(self) -> bool:
        return True

    def limit_for(self, evse: Evse) -> Limit:
        return self.limit

    def start_points(self) -> frozenset[str]:
        return self._start

    def stop_points(self) -> frozenset[str]:
        return self._stop

    def status_changed(self, evse: Evse) -> None:
        self.statuses.append(evse.status)

    def transaction_event(self, event: TxEvent) -> None:
        self.events.append(event)


def _plug(evse: Evse, host: Recorder) -> None:
    if evse.car is None:
        evse.plug(Car(MODEL, soc_percent=50, target_soc_percent=55))


def _card(evse: Evse, host: Recorder) -> None:
    if evse.authorisation is None:
        evse.authorise(Authorisation(CARD, Trigger.AUTHORIZED))
    else:
        evse.stop(Trigger.STOP_AUTHORIZED, StopReason.LOCAL, CARD)


def _remote_stop(evse: Evse, host: Recorder) -> None:
    if evse.tx is not None:
        evse.stop(Trigger.REMOTE_STOP, StopReason.REMOTE)


def _limit(current_a: float | None) -> Callable[[Evse, Recorder], None]:
    def change(evse: Evse, host: Recorder) -> None:
        host.limit = Limit(current_a=current_a)

    return change


def _time(evse: Evse, host: Recorder) -> None:
    host.at += timedelta(seconds=30)
    evse.step(30)
    evse.sample("Sample.Periodic", Trigger.METER_PERIODIC)


PLAY: dict[str, Callable[[Evse, Recorder], None]] = {
    "plug": _plug,
    "unplug": lambda evse, _: evse.unplug(),
    "card": _card,
    "remote stop": _remote_stop,
    "fault": lambda evse, _: evse.fail(Fault("GroundFailure", "test")),
    "warm": lambda evse, _: evse.fail(Fault("HighTemperature", "test", ends_session=False)),
    "recover": lambda evse, _: evse.recover(),
    "less": _limit(8),
    "none": _limit(0),
    "all": _limit(None),
    "time": _time,
}


ACTIONS = (*PLAY, "time", "time")
start_points = st.sampled_from(["EVConnected", "Authorized", "PowerPathClosed"]).map(
    lambda point: frozenset({point})
)
stop_points = st.sampled_from([frozenset({"EVConnected"}), frozenset({"EVConnected", "Authorized"})])


@settings(max_examples=300)
@given(start_points, stop_points, st.lists(st.sampled_from(ACTIONS), max_size=40))
def test_any_order_of_events_makes_legal_transactions(
    start: frozenset[str], stop: frozenset[str], actions: list[str]
) -> None:
    host = Recorder(start, stop)
    evse = Evse(SPEC, host)
    for action in actions:
        before = evse.register_wh
        PLAY[action](evse, host)
        assert evse.register_wh >= before
        if action != "time":
            assert evse.register_wh == before
        if evse.fault is not None:
            assert evse.status is Status.FAULTED
            assert evse.flow.power_w == 0
        if host.limit.current_a is not None and action == "time":
            assert max(evse.flow.currents_a) <= host.limit.current_a + 1e-9
    by_tx: dict[str, list[TxEvent]] = {}
    for event in host.events:
        by_tx.setdefault(event.tx.id, []).append(event)
    last_register = SPEC.register_wh
    for number, events in enumerate(by_tx.values(), start=1):
        assert [event.seq_no for event in events] == list(range(len(events)))
        assert events[0].kind == "started"
        assert all(event.kind == "updated" for event in events[1:-1])
        if number < len(by_tx):
            assert events[-1].kind == "ended"
        for event in events:
            if event.reading is not None:
                assert event.reading.register_wh >= last_register
                last_register = event.reading.register_wh
    repeated = [a for a, b in pairwise(host.statuses) if a is b]
    assert not repeated


def test_a_full_car_suspends_and_keeps_the_transaction() -> None:
    host = Recorder(frozenset({"PowerPathClosed"}), frozenset({"Authorized", "EVConnected"}))
    evse = Evse(SPEC, host)
    for action in ["plug", "card", *["time"] * 20]:
        PLAY[action](evse, host)
    assert evse.status is Status.SUSPENDED_EV
    assert evse.flow.power_w == 0
    assert host.statuses == [Status.PREPARING, Status.CHARGING, Status.SUSPENDED_EV]
