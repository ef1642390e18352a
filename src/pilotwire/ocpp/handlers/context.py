"""What a handler may use besides the message."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from pilotwire.core.ids import new_uuid
from pilotwire.domain.sessions.decide import Deciding, SessionsView
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.statuses import StatusBook
from pilotwire.ocpp.tokens import TokenCache

__all__ = ["Context", "Services", "deciding"]


class Services:
    """What all stations share: policies, the token cache, vendors' messages, sources of names."""

    __slots__ = (
        "boot_policy",
        "manages_energy",
        "maximum_power_w",
        "new_request_id",
        "new_session_id",
        "next_transaction_number",
        "statuses",
        "strict",
        "tokens",
        "vendors",
    )

    def __init__(
        self,
        *,
        boot_policy: BootPolicy,
        tokens: TokenCache,
        vendors: VendorRegistry,
        new_session_id: Callable[[], UUID],
        next_transaction_number: Callable[[], int],
        maximum_power_w: float,
        strict: bool = False,
        new_request_id: Callable[[], UUID] = new_uuid,
    ) -> None:
        self.boot_policy = boot_policy
        self.tokens = tokens
        self.vendors = vendors
        self.new_session_id = new_session_id
        self.new_request_id = new_request_id
        self.next_transaction_number = next_transaction_number
        self.maximum_power_w = maximum_power_w
        self.manages_energy: Callable[[int], bool] = lambda _: False
        """Whether energy management runs for a station; whoever runs it says so."""
        self.statuses = StatusBook()
        self.strict = strict  # refuse what does not fit the schemas instead of repairing it


class Context(msgspec.Struct, frozen=True, gc=False):
    """One station at one moment."""

    services: Services
    station: StationView
    sessions: SessionsView
    now: datetime

    def deciding(self) -> Deciding:
        """What a session decision needs."""
        return deciding(self.services, self.station.record, self.now)


def deciding(services: Services, record: StationRecord, now: datetime) -> Deciding:
    """What a decision about a station's session needs, whether it is connected or not."""
    return Deciding(
        record.tenant_id,
        record.id,
        record.identity,
        now,
        services.new_session_id,
        services.next_transaction_number,
        services.maximum_power_w,
    )
