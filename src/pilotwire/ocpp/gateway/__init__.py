"""The WebSocket transport of the stations' edge: sockets, TLS, handshakes, frames. No OCPP meaning.

The layer above implements `Doorkeeper` and `ConnectionOwner`; everything else here is used through
`Listener`.
"""

from pilotwire.ocpp.gateway.handshake_log import HandshakeFailure, HandshakeLog
from pilotwire.ocpp.gateway.limits import Limits
from pilotwire.ocpp.gateway.listener import GOING_AWAY, SERVICE_RESTART, Endpoint, Listener
from pilotwire.ocpp.gateway.ports import (
    Admit,
    ClientCertificate,
    Connection,
    ConnectionOwner,
    Credentials,
    Doorkeeper,
    Handshake,
    HandshakeProblem,
    Refuse,
    Utf8Policy,
)
from pilotwire.ocpp.gateway.subprotocol import SubprotocolChoice, choose_subprotocol
from pilotwire.ocpp.gateway.tls import TlsFiles

__all__ = [
    "GOING_AWAY",
    "SERVICE_RESTART",
    "Admit",
    "ClientCertificate",
    "Connection",
    "ConnectionOwner",
    "Credentials",
    "Doorkeeper",
    "Endpoint",
    "Handshake",
    "HandshakeFailure",
    "HandshakeLog",
    "HandshakeProblem",
    "Limits",
    "Listener",
    "Refuse",
    "SubprotocolChoice",
    "TlsFiles",
    "Utf8Policy",
    "choose_subprotocol",
]
