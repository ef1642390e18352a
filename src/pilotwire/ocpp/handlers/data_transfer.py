"""Vendors' own messages. Spec: OCPP 1.6 4.3; 2.0.1 P01-P02."""

from collections.abc import Callable

from pilotwire.domain.stations.answers import DataAnswer
from pilotwire.domain.stations.messages import DataTransferred
from pilotwire.domain.stations.view import StationView

__all__ = ["VendorHandler", "VendorRegistry"]

VendorHandler = Callable[[StationView, DataTransferred], DataAnswer]


class VendorRegistry:
    """Who understands which vendor's messages. The frames are kept in any case."""

    def __init__(self) -> None:
        self._handlers: dict[str, dict[str, VendorHandler]] = {}

    def register(self, vendor_id: str, message_id: str, handler: VendorHandler) -> None:
        """Have a vendor's message handled; an empty `message_id` takes all that have no handler of their own."""
        self._handlers.setdefault(vendor_id, {})[message_id] = handler

    def handle(self, station: StationView, message: DataTransferred) -> DataAnswer:
        """Answer a vendor's message: by its handler, or that the vendor or the message is unknown."""
        vendor = self._handlers.get(message.vendor_id)
        if vendor is None:
            return DataAnswer("unknown_vendor")
        handler = vendor.get(message.message_id) or vendor.get("")
        return DataAnswer("unknown_message") if handler is None else handler(station, message)
