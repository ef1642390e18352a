"""What a handler may use besides the message."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pilotwire.domain.sessions.decide import Deciding, SessionsView
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.tokens import TokenCache

__all__ = ["Context", "Services"]


class Services:
    """What all stations share: policies, the token cache, vendors' messages, sources of names."""

    __slots__ = (
        "boot_policy",
        "maximum_power_w",
        "new_session_id",
        "next_transaction_number",
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
    ) -> None:
        self.boot_policy = boot_policy
        self.tokens = tokens
        self.vendors = vendors
        self.new_session_id = new_session_id
        self.next_transaction_number = next_transaction_number
        self.maximum_power_w = maximum_power_w
        self.strict = strict  # refuse what does not fit the schemas instead of repairing it


class Context:
    """One station at one moment."""

    __slots__ = ("now", "services", "sessions", "station")

    def __init__(
        self, services: Services, station: StationView, sessions: SessionsView, now: datetime
    ) -> None:
        self.services = services
        self.station = station
        self.sessions = sessions
        self.now = now

    def deciding(self) -> Deciding:
        """What a session decision needs."""
        record = self.station.record
        services = self.services
        return Deciding(
            record.tenant_id,
            record.id,
            record.identity,
            self.now,
            services.new_session_id,
            services.next_transaction_number,
            services.maximum_power_w,
        )
