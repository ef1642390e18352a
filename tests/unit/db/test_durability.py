"""What is said of settings that could lose answered messages."""

import pytest

from pilotwire.db.durability import Durability, name_risks


@pytest.mark.parametrize(
    "safe",
    [
        Durability(1, True, "on", ""),
        Durability(1, True, "local", ""),  # there is no standby to wait for
        Durability(2, True, "on", "ANY 1 (a, b)"),
        Durability(2, True, "remote_apply", "a"),
    ],
)
def test_nothing_is_said_of_safe_settings(safe: Durability) -> None:
    assert name_risks(safe) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Durability(1, False, "on", ""), ["fsync is off"]),
        (Durability(1, True, "off", ""), ["synchronous_commit is off"]),
        (Durability(2, True, "on", ""), ["synchronous_standby_names is empty"]),
        (Durability(1, True, "local", "a"), ["synchronous_commit is local"]),
        (Durability(2, True, "remote_write", "a"), ["synchronous_commit is remote_write"]),
        (
            Durability(2, False, "off", ""),
            ["fsync is off", "synchronous_commit is off", "synchronous_standby_names is empty"],
        ),
    ],
)
def test_each_danger_is_named(found: Durability, words: list[str]) -> None:
    assert [risk.split(":")[0] for risk in name_risks(found)] == words
