"""OCPP 1.6 (edition 2 with the security whitepaper): what its messages mean."""

from pilotwire.ocpp.codec.v16 import authorization, core, metering, upkeep

__all__ = ["INBOUND"]

INBOUND = {**core.INBOUND, **authorization.INBOUND, **metering.INBOUND, **upkeep.INBOUND}
"""Every action that a station may send, with how it is read and answered."""
