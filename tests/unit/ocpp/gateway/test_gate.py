"""Limits and doorkeeper together, without sockets."""

from pilotwire.ocpp.gateway.gate import Caller, Gate, limit_key
from pilotwire.ocpp.gateway.handshake import UpgradeRequest
from pilotwire.ocpp.gateway.handshake_log import HandshakeLog
from pilotwire.ocpp.gateway.limits import Limits
from pilotwire.ocpp.gateway.ports import Admit, Handshake, HandshakeProblem, Refuse

STATION = Caller("192.0.2.1", "192.0.2.1", secure=False, certificate=None)
STRANGER = Caller("198.51.100.1", "198.51.100.1", secure=False, certificate=None)
RIGHT = "Basic Q1AtMTpyaWdodA=="  # CP-1:right


class OneStation:
    def __init__(self) -> None:
        self.asked: list[Handshake] = []

    def decide(self, handshake: Handshake) -> Admit | Refuse:
        self.asked.append(handshake)
        if "CP-1" not in handshake.identity_candidates:
            return Refuse(401, HandshakeProblem.UNKNOWN_IDENTITY)
        if handshake.authorization is None or handshake.authorization.password != b"right":
            return Refuse(401, HandshakeProblem.WRONG_PASSWORD)
        return Admit("station", "CP-1", "ocpp1.6")


class Broken:
    def decide(self, handshake: Handshake) -> Admit | Refuse:
        raise RuntimeError("database password is hunter2")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def make_gate(limits: Limits | None = None) -> tuple[Gate, OneStation, Clock]:
    door, clock = OneStation(), Clock()
    return Gate(door, limits or Limits(), HandshakeLog(), "/ocpp", clock), door, clock


def request(path: str = "/ocpp/CP-1", authorization: str | None = RIGHT) -> UpgradeRequest:
    return UpgradeRequest(path, "key", authorization, ("ocpp1.6",), "", "Charger/1")


def test_the_doorkeeper_hears_what_was_asked() -> None:
    gate, door, _ = make_gate()
    assert isinstance(gate.judge(request(), STATION), Admit)
    (handshake,) = door.asked
    assert handshake.identity_candidates == ("CP-1", "cp-1")
    assert handshake.remote_address == "192.0.2.1"
    assert handshake.user_agent == "Charger/1"
    assert len(gate.log) == 0


def test_guessing_is_put_off_without_asking_and_the_station_still_gets_in() -> None:
    gate, door, clock = make_gate()
    assert isinstance(gate.judge(request(), STATION), Admit)
    asked = len(door.asked)
    verdicts = [gate.judge(request(authorization=None), STRANGER) for _ in range(500)]
    assert len(door.asked) - asked == 3
    put_off = verdicts[-1]
    assert isinstance(put_off, Refuse)
    assert (put_off.status, put_off.reason) == (429, HandshakeProblem.TOO_MANY_ATTEMPTS)
    assert put_off.retry_after_s is not None
    assert put_off.retry_after_s >= 1
    assert isinstance(gate.judge(request(), STATION), Admit)
    # and the stranger may try again later
    clock.now += 600
    assert isinstance(gate.judge(request(), STRANGER), Admit)


def test_an_unknown_identity_is_limited_in_the_same_way() -> None:
    gate, door, _ = make_gate()
    for _ in range(100):
        gate.judge(request("/ocpp/NOBODY"), STRANGER)
    assert len(door.asked) == 3


def test_a_storm_is_spread() -> None:
    gate, door, clock = make_gate(Limits(admissions_per_s=10.0, admissions_burst=5))
    verdicts = [gate.judge(request(), STATION) for _ in range(20)]
    admitted = [v for v in verdicts if isinstance(v, Admit)]
    refused = [v for v in verdicts if isinstance(v, Refuse)]
    assert len(admitted) == 5
    assert len(door.asked) == 5
    assert {(v.status, v.reason) for v in refused} == {(503, HandshakeProblem.OVERLOADED)}
    assert len({v.retry_after_s for v in refused}) > 1
    clock.now += 1
    assert isinstance(gate.judge(request(), STATION), Admit)


def test_one_address_is_limited() -> None:
    gate, door, _ = make_gate(Limits(handshakes_per_s_per_address=1.0, handshakes_burst_per_address=4))
    verdicts = [gate.judge(request(f"/ocpp/X{n}"), STRANGER) for n in range(20)]
    assert sum(isinstance(v, Refuse) and v.status == 429 for v in verdicts) == 16
    assert len(door.asked) == 4
    assert isinstance(gate.judge(request(), STATION), Admit)


def test_a_full_house_refuses_before_asking() -> None:
    gate, door, _ = make_gate(Limits(max_connections=1))
    gate.connected.enter("192.0.2.9")
    verdict = gate.judge(request(), STATION)
    assert isinstance(verdict, Refuse)
    assert (verdict.status, verdict.reason) == (503, HandshakeProblem.TOO_MANY_CONNECTIONS)
    assert door.asked == []


def test_draining_refuses() -> None:
    gate, door, _ = make_gate()
    gate.draining = True
    verdict = gate.judge(request(), STATION)
    assert isinstance(verdict, Refuse)
    assert verdict.reason is HandshakeProblem.DRAINING
    at_accept = gate.refusal_at_accept("192.0.2.1", tls=True)
    assert at_accept is not None
    assert door.asked == []


def test_a_path_without_identity_is_refused_and_explained() -> None:
    gate, _, _ = make_gate()
    verdict = gate.judge(request("/ocpp/"), STATION)
    assert isinstance(verdict, Refuse)
    assert verdict.status == 404
    (entry,) = gate.log.entries()
    assert (entry.subject, entry.problem) == ("/ocpp/", HandshakeProblem.WRONG_PATH)


def test_a_fault_of_the_doorkeeper_tells_nothing(caplog: object) -> None:
    gate = Gate(Broken(), Limits(), HandshakeLog(), "/ocpp", Clock())
    verdict = gate.judge(request(), STATION)
    assert isinstance(verdict, Refuse)
    assert (verdict.status, verdict.reason) == (503, HandshakeProblem.INTERNAL_FAULT)
    assert "hunter2" not in verdict.detail


def test_tls_is_limited_before_it_costs() -> None:
    gate, _, clock = make_gate(Limits(tls_handshakes_per_s=1.0, tls_handshakes_burst=2))
    outcomes = [gate.refusal_at_accept("192.0.2.1", tls=True) for _ in range(3)]
    assert outcomes[:2] == [None, None]
    assert outcomes[2] is not None
    assert outcomes[2].reason is HandshakeProblem.OVERLOADED
    assert gate.refusal_at_accept("192.0.2.1", tls=False) is None
    clock.now += 5
    assert gate.refusal_at_accept("192.0.2.1", tls=True) is None


def test_an_ipv6_subscriber_counts_as_one() -> None:
    assert limit_key("2001:db8:1:2:aaaa::1") == limit_key("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::/64"
    assert limit_key("2001:db8:1:3::1") != limit_key("2001:db8:1:2::1")
    assert limit_key("::ffff:192.0.2.1") == "192.0.2.1"
    assert limit_key("fe80::1%eth0") == "fe80::/64"
    assert limit_key("192.0.2.1") == "192.0.2.1"
