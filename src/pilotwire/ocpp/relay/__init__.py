"""A station's frames also go to another back end: the book of relays, and the relay of one connection."""

from pilotwire.ocpp.relay.book import RelayBook
from pilotwire.ocpp.relay.relayed import RelayedConnection

__all__ = ["RelayBook", "RelayedConnection"]
