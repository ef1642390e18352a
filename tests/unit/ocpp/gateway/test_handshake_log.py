"""The memory of failed handshakes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pilotwire.ocpp.gateway.handshake_log import EXPLANATIONS, MANY_SUBJECTS, HandshakeLog
from pilotwire.ocpp.gateway.ports import HandshakeProblem

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_log(capacity: int = 10, per_address: int = 5) -> HandshakeLog:
    def ticks() -> Iterator[datetime]:
        at = START
        while True:
            yield at
            at += timedelta(seconds=1)

    clock = ticks()
    return HandshakeLog(capacity, per_address, now=lambda: next(clock))


def test_repeats_are_one_entry() -> None:
    log = make_log()
    for detail in ("first", "second", "third"):
        log.record("CP-1", "192.0.2.1", HandshakeProblem.WRONG_PASSWORD, detail)
    (entry,) = log.entries()
    assert (entry.count, entry.first_at, entry.last_at) == (3, START, START + timedelta(seconds=2))
    assert entry.detail == "third"
    assert "password is wrong" in entry.explanation


def test_newest_first() -> None:
    log = make_log()
    for subject in ("a", "b", "c", "a"):
        log.record(subject, "192.0.2.1", HandshakeProblem.UNKNOWN_IDENTITY)
    assert [entry.subject for entry in log.entries()] == ["a", "c", "b"]


def test_one_address_cannot_push_out_the_others() -> None:
    log = make_log(capacity=10, per_address=5)
    log.record("CP-1", "192.0.2.1", HandshakeProblem.WRONG_PASSWORD)
    for n in range(10_000):
        log.record(f"guess{n}", "198.51.100.1", HandshakeProblem.UNKNOWN_IDENTITY)
    subjects = {entry.subject: entry for entry in log.entries()}
    assert "CP-1" in subjects
    assert len(subjects) == 7
    assert subjects[MANY_SUBJECTS].count == 9_995
    assert log.total == 10_001


def test_the_number_of_entries_is_bounded() -> None:
    log = make_log(capacity=10, per_address=5)
    for n in range(1000):
        log.record("CP-1", f"198.51.100.{n}", HandshakeProblem.WRONG_PASSWORD)
    assert len(log) == len(log.entries()) == 10
    assert log.entries()[0].remote_address == "198.51.100.999"


def test_text_from_outside_is_made_harmless() -> None:
    log = make_log()
    log.record("a\x1b[31m\n" + "x" * 5000, "192.0.2.1", HandshakeProblem.WRONG_PATH, "\x00")
    (entry,) = log.entries()
    assert entry.subject.isprintable()
    assert len(entry.subject) <= 160
    assert entry.detail.isprintable()


def test_every_problem_is_explained_in_a_sentence() -> None:
    assert set(EXPLANATIONS) == set(HandshakeProblem)
    assert all(text.endswith(".") and len(text) > 30 for text in EXPLANATIONS.values())
