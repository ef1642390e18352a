"""OCPP 2.0.1 and 2.1: what their messages mean. One tree: every message of 2.0.1 exists in 2.1."""

from pilotwire.ocpp.codec.v2 import authorization, charging, metering, provisioning, reports

__all__ = ["INBOUND"]

INBOUND = {
    **provisioning.INBOUND,
    **authorization.INBOUND,
    **metering.INBOUND,
    **charging.INBOUND,
    **reports.INBOUND,
}
"""Every action that a station may send, with how it is read and answered."""
