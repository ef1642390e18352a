"""What a station's later messages mean for a command."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from pilotwire.domain.operations.commands import UpdateFirmware
from pilotwire.domain.operations.followup import UNANSWERED, step_of
from pilotwire.domain.operations.model import CommandState
from pilotwire.domain.operations.repository import Following
from pilotwire.domain.stations.records import StationBootKept

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def booted(version: str) -> StationBootKept:
    return StationBootKept(1, 1, "CP-1", "Acme", "One", "", version, "", "", "PowerUp", NOW, "accepted")


@pytest.mark.parametrize(
    ("outcome", "result", "version", "expected"),
    [
        ("", {}, "2.1.0", (CommandState.DONE, "installed")),
        (UNANSWERED, {}, "2.1.0", (CommandState.DONE, "installed")),
        ("", {}, "1.0.0", (CommandState.ACCEPTED, "under_way")),
        ("", {"last_status": "Installed"}, "1.0.0", (CommandState.FAILED, "other_version")),
        ("", {"last_status": "Installed"}, "", (CommandState.DONE, "installed")),
        # A station whose answer was lost and that boots as before has told nothing of the order.
        (UNANSWERED, {}, "1.0.0", None),
    ],
)
def test_what_a_boot_means_for_an_update(
    outcome: str, result: dict[str, Any], version: str, expected: tuple[CommandState, str] | None
) -> None:
    command = UpdateFirmware(location="https://example.com/image")
    wanted = {"wanted_version": "2.1.0", **result}
    followed = Following(1, 1, UUID(int=1), 1, "CP-1", command, NOW, NOW, wanted, outcome)
    step = step_of(followed, booted(version))
    assert (step and (step.state, step.outcome)) == expected
