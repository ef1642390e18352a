"""Which actions of OCPP go which way. The page of what is tested is made with it, too."""

from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, direction

__all__ = ["FROM_STATION", "FROM_SYSTEM", "VERSIONS"]

VERSIONS = ("1.6", "2.0.1", "2.1")


def _going(version: str, *ways: str) -> tuple[str, ...]:
    spoken = OcppVersion(version)
    return tuple(sorted(action for action in actions(spoken) if direction(spoken, action) in ways))


FROM_SYSTEM = {version: _going(version, "csms", "both") for version in VERSIONS}
FROM_STATION = {version: _going(version, "cs", "both") for version in VERSIONS}
