"""Which OCPP version a connection speaks.

Spec: OCPP-J 1.6 3.1.2, OCPP 2.0.1 part 4 3.1.2: the subprotocol header names the version; the server chooses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SERVER_PREFERENCE = ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
ASSUMED_WITHOUT_HEADER = "ocpp1.6"

# Spellings seen or likely in the field, lower-cased, blanks removed.
REPAIRED_SPELLINGS = {
    "ocpp1.6j": "ocpp1.6",
    "ocpp1.6-j": "ocpp1.6",
    "ocpp1.6json": "ocpp1.6",
    "ocpp16": "ocpp1.6",
    "ocpp16j": "ocpp1.6",
    "ocpp-1.6": "ocpp1.6",
    "ocpp_1.6": "ocpp1.6",
    "ocpp1_6": "ocpp1.6",
    "ocppv1.6": "ocpp1.6",
    "ocpp201": "ocpp2.0.1",
    "ocpp2.01": "ocpp2.0.1",
    "ocpp20.1": "ocpp2.0.1",
    "ocpp-2.0.1": "ocpp2.0.1",
    "ocpp_2.0.1": "ocpp2.0.1",
    "ocppv2.0.1": "ocpp2.0.1",
    "ocpp21": "ocpp2.1",
    "ocpp2.1.0": "ocpp2.1",
    "ocpp-2.1": "ocpp2.1",
    "ocpp_2.1": "ocpp2.1",
    "ocppv2.1": "ocpp2.1",
}


@dataclass(frozen=True, slots=True)
class SubprotocolChoice:
    """`header` is the canonical name to answer with, or None where the station sent no header."""

    version: str
    header: str | None


def canonical_subprotocol(offered: str) -> str | None:
    """The name this server uses for a station's spelling; None when it is not one of ours."""
    folded = "".join(offered.lower().split())
    if folded in SERVER_PREFERENCE:
        return folded
    return REPAIRED_SPELLINGS.get(folded)


def choose_subprotocol(
    offered: Sequence[str], supported: Sequence[str] = SERVER_PREFERENCE
) -> SubprotocolChoice | None:
    """The newest version that both sides know, in the server's order; None when there is none.

    A station that sends no header at all speaks OCPP 1.6 and is answered without the header.
    """
    if not offered:
        return SubprotocolChoice(ASSUMED_WITHOUT_HEADER, None)
    known = {canonical_subprotocol(name) for name in offered}
    for version in supported:
        if version in known:
            return SubprotocolChoice(version, version)
    return None


def spelling_to_answer(offered: Sequence[str], chosen: str | None) -> str | None:
    """The station's own spelling of the chosen version: clients hang up on a name they did not offer."""
    if chosen is None:
        return None
    if chosen in offered:
        return chosen
    return next((name for name in offered if canonical_subprotocol(name) == chosen), None)
