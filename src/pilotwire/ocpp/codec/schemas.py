"""JSON schemas of the calls that a server may send, made of the codec's own types: what they refuse, the schema does."""

from functools import cache
from typing import Any

import msgspec

from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, codec_of, direction
from pilotwire.ocpp.codec.wiretypes import MAX_VENDOR_ID

__all__ = ["request_schema", "sendable_actions"]

_CUSTOM_DATA = {
    "type": "object",
    "properties": {"vendorId": {"type": "string", "maxLength": MAX_VENDOR_ID}},
    "required": ["vendorId"],
}


@cache
def sendable_actions(version: str) -> tuple[str, ...]:
    """Name the calls that a server may send in a version, in their order; none for a version that there is not."""
    if version not in set(OcppVersion):
        return ()
    spoken = OcppVersion(version)
    return tuple(sorted(name for name in actions(spoken) if direction(spoken, name) != "cs"))


@cache
def request_schema(version: str, action: str) -> dict[str, Any] | None:
    """Give the JSON schema of a call's payload; None where a server sends no such call in that version."""
    if action not in sendable_actions(version):
        return None
    shape = codec_of(OcppVersion(version), action, "request").read
    return msgspec.json.schema(shape, schema_hook=lambda _: _CUSTOM_DATA)
