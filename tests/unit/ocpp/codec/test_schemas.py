"""The JSON schemas of calls to stations."""

import msgspec
import pytest

from pilotwire.ocpp.codec.schemas import request_schema, sendable_actions
from pilotwire.ocpp.codec.version import OcppVersion


@pytest.mark.parametrize("version", OcppVersion)
def test_every_call_to_a_station_has_a_schema_that_json_can_say(version: OcppVersion) -> None:
    names = sendable_actions(version.value)
    assert {"Reset", "TriggerMessage", "DataTransfer"} <= set(names)
    assert "BootNotification" not in names
    for name in names:
        schema = request_schema(version.value, name)
        assert schema is not None
        assert msgspec.json.decode(msgspec.json.encode(schema)) == schema
        root = schema["$ref"].removeprefix("#/$defs/")
        assert schema["$defs"][root]["type"] == "object"


def test_the_schema_is_of_the_version() -> None:
    older, newer = request_schema("2.0.1", "TriggerMessage"), request_schema("2.1", "TriggerMessage")
    assert older is not None
    assert newer is not None
    assert "CustomTrigger" not in str(older)
    assert "CustomTrigger" in str(newer)
    assert request_schema("1.6", "GetVariables") is None
    assert request_schema("2.0.1", "Heartbeat") is None
    assert request_schema("3.0", "Reset") is None
    assert sendable_actions("3.0") == ()
