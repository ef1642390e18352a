"""What is in memory of a connected station."""

from datetime import datetime

from pilotwire.domain.stations.model import Admission, ConnectorKey, ConnectorState, StationRecord

__all__ = ["StationView"]


_ACCEPTED = Admission.ACCEPTED  # found faster than a member of an enumeration


class StationView:
    """A connected station: its record, its connectors, and whether it may work yet."""

    __slots__ = ("booted_at", "connectors", "firmware_version", "model", "record", "vendor")

    def __init__(
        self, record: StationRecord, connectors: dict[ConnectorKey, ConnectorState] | None = None
    ) -> None:
        self.record = record
        self.connectors = connectors if connectors is not None else {}
        self.booted_at: datetime | None = None
        self.vendor = record.vendor
        self.model = record.model
        self.firmware_version = record.firmware_version

    @property
    def admitted(self) -> bool:
        """Whether the station may send more than its boot.

        A station that reconnects without a new boot is let on: many do (boot is asked for, but not waited for).
        """
        return self.record.admission is _ACCEPTED
