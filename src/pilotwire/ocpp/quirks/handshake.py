"""Quirks of the handshake and the transport."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.HANDSHAKE)

QUIRKS: tuple[Quirk, ...] = (
    _quirk(
        name="no_subprotocol",
        summary="Sends no Sec-WebSocket-Protocol: it is taken to speak OCPP 1.6, and answered without the header.",
        reported="lbbrhzn/ocpp#442, steve#1109, steve#135",
        always=True,
        where="ocpp.gateway.subprotocol",
    ),
    _quirk(
        name="subprotocol_spelling",
        summary="Writes the subprotocol its own way (`ocpp16`, `OCPP1.6J`): it is answered in that spelling.",
        always=True,
        where="ocpp.gateway.subprotocol",
    ),
    _quirk(
        name="several_subprotocols",
        summary="Offers several subprotocols in any order: the newest that the server speaks is chosen.",
        always=True,
        where="ocpp.gateway.subprotocol",
    ),
    _quirk(
        name="no_connection_header",
        summary="Leaves out `Connection: Upgrade`, or sends `keep-alive, Upgrade` (Autel MaxiCharger 1.38).",
        reported="lbbrhzn/ocpp#1933",
        always=True,
        where="ocpp.gateway.handshake",
    ),
    _quirk(
        name="version_changes",
        summary="Comes back with another OCPP version (FoxESS): the version belongs to the connection.",
        reported="lbbrhzn/ocpp#2008",
        always=True,
        where="ocpp.switchboard",
    ),
    _quirk(
        name="identity_path",
        summary="Puts a slash, a prefix or words of another server around its identity in the path.",
        reported="OpenEMS#1401, citrineos-core#1093, steve#549, steve#689",
        always=True,
        where="ocpp.gateway.identity",
    ),
    _quirk(
        name="identity_as_url",
        summary="Puts the whole URL that was typed into it behind the path.",
        reported="OpenEMS#1401, citrineos-core#1093, steve#549, steve#689",
        always=True,
        where="ocpp.gateway.identity",
    ),
    _quirk(
        name="identity_encoded",
        summary="Percent-encodes its identity, also twice (`RDAM%7C123`).",
        reported="OpenEMS#1401, citrineos-core#1093, steve#549, steve#689",
        always=True,
        where="ocpp.gateway.identity",
    ),
    _quirk(
        name="identity_with_serial",
        summary="Adds its serial number to the path behind its identity.",
        reported="OpenEMS#1401, citrineos-core#1093, steve#549, steve#689",
        always=True,
        where="ocpp.gateway.identity",
    ),
    _quirk(
        name="identity_letter_case",
        summary="Changes the letter case of its identity: an exact match goes first, then any letter case.",
        reported="OpenEMS#1401, citrineos-core#1093, steve#549, steve#689",
        always=True,
        where="ocpp.doorkeeper",
    ),
    _quirk(
        name="password_as_hexadecimal",
        summary="Sends its password as hexadecimal text, or the bytes that such a text stands for.",
        reported="steve#1895, Java-OCA-OCPP#143",
        always=True,
        where="domain.stations.credentials",
    ),
    _quirk(
        name="password_not_text",
        summary="Has a password of any bytes, also such that are not UTF-8 or hold colons.",
        reported="steve#1895, Java-OCA-OCPP#143",
        always=True,
        where="ocpp.gateway.handshake",
    ),
    _quirk(
        name="no_pong",
        summary="Never answers a WebSocket ping: it is alive as long as its TCP connection is.",
        reported="lbbrhzn/ocpp#211",
        vendor=r"EN\+|EN-?plus.*",
        changes={"answers_ping": False},
    ),
    _quirk(
        name="idle_hang_up",
        summary="Hangs up after some 110 s without traffic though its heartbeat comes once an hour (Ocular): "
        "the server pings more often than that.",
        reported="lbbrhzn/ocpp#2030",
        always=True,
        where="ocpp.gateway.keepalive",
    ),
    _quirk(
        name="late_close",
        summary="Opens a new socket while the old one is half open, and closes the old one later: the newest "
        "connection wins, and the late close does not end it.",
        reported="ocpp-go#314, steve#4",
        always=True,
        where="ocpp.switchboard",
    ),
    _quirk(
        name="endless_redial",
        summary="Dials again every few seconds for ever when it is refused (others after 6 to 19 minutes, FoxESS): "
        "attempts are limited by address and identity, and a genuine station is never locked out.",
        always=True,
        where="ocpp.gateway.limits",
    ),
)
