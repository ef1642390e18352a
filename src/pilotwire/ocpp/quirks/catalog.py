"""The quirks by name."""

from pilotwire.ocpp.quirks import boot, charging, handshake, messages, metering, transactions
from pilotwire.ocpp.quirks.model import Quirk

__all__ = ["CATALOG"]

CATALOG: tuple[Quirk, ...] = (
    *handshake.QUIRKS,
    *boot.QUIRKS,
    *messages.QUIRKS,
    *transactions.QUIRKS,
    *metering.QUIRKS,
    *charging.QUIRKS,
)
