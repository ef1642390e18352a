"""Commands as people give them: what is wrong is said with what to write instead."""

from typing import Any

import pytest

from pilotwire.core.errors import Invalid
from pilotwire.domain.operations.commands import StartCharging
from pilotwire.domain.operations.usecases.give_commands import read_command


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"command": "start_charging", "connector_id": 1, "token_uid": "T"},
            "takes token_uid .needed., evse_id",
        ),
        ({"command": "start_charging"}, "`token_uid`; start_charging takes token_uid .needed."),
        ({"command": "start_charging", "token_uid": "T", "target": {"foo": 1}}, "^target: .*`foo`$"),
        ({"command": "fly"}, "there is no command 'fly'; there are cancel_reservation, "),
        ({"token_uid": "T"}, "there is no command None; there are "),
        ([], "there is no command"),
    ],
)
def test_what_is_wrong_is_said(given: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_command(given)


def test_a_command_is_read() -> None:
    assert read_command({"command": "start_charging", "token_uid": "T"}) == StartCharging(token_uid="T")
