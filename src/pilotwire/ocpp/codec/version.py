"""The OCPP versions that the codec speaks."""

from enum import StrEnum


class OcppVersion(StrEnum):
    """A version of OCPP; the value is its number as people write it."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"

    # The version is a dictionary key on every message; the enum's own hash is a Python call.
    __hash__ = str.__hash__

    @property
    def subprotocol(self) -> str:
        """Name of the version in `Sec-WebSocket-Protocol`. Spec: OCPP-J 1.6 3.1.1, OCPP 2.x part 4 3.1.2."""
        return f"ocpp{self.value}"
