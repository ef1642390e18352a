"""Quirks of transactions and connectors."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.TRANSACTIONS)
_decided = partial(_quirk, always=True, where="domain.sessions.decide")
_status = partial(_quirk, always=True, where="domain.stations.decide")

QUIRKS: tuple[Quirk, ...] = (
    _decided(
        name="stop_without_reference",
        summary="Stops transaction 0 or -1: the open session of the token is meant, if just one fits.",
        reported="steve#292, libocpp#495",
    ),
    _decided(
        name="stop_unknown",
        summary="Stops a transaction that nobody knows: it is answered, and kept apart for a person to look at.",
        reported="steve#292, libocpp#495",
    ),
    _quirk(
        name="meter_values_without_transaction",
        summary="Sends meter values with transaction 0, none, or the largest number of its integers: they belong to "
        "the open session of the connector.",
        always=True,
        where="ocpp.codec.v16.metering",
        deviation="meter_values_without_transaction",
    ),
    _quirk(
        name="one_number_sequence",
        summary="Takes transaction numbers for its own: they are one 32-bit sequence for the whole system, never per "
        "connector.",
        reported="connectorio#161, citrineos#172",
        always=True,
        where="ocpp.switchboard",
    ),
    _decided(
        name="refused_start",
        summary="Starts with a token that is refused while the connector charges: the live session is not touched.",
        reported="citrineos-core#866",
    ),
    _decided(
        name="start_over_open_session",
        summary="Starts again without having stopped: the earlier session stays open and is marked for a look.",
        reported="ev-server#934, steve#126",
    ),
    _decided(
        name="closing_values_after_stop",
        summary="Sends the closing meter values after StopTransaction (Ocular): they belong to the ended session.",
        reported="lbbrhzn/ocpp#2075",
    ),
    _decided(
        name="no_begin_value",
        summary="Sends no value with the context Transaction.Begin (Delta): the stated register counts, else the "
        "first sample.",
        reported="lbbrhzn/ocpp#2075",
    ),
    _quirk(
        name="start_answer_too_soon",
        summary="Hangs up when the answer to StartTransaction comes within some 20 ms: it is sent later.",
        reported="lbbrhzn/ocpp#2080",
        vendor=r"Free2move.*",
        changes={"reply_delay_s": {"StartTransaction": 0.1}},
    ),
    _decided(
        name="history_replay",
        summary="Uploads its whole history of meter values at its first connection (Alfen): they are kept by their "
        "own times and belong to no session of today.",
        reported="lbbrhzn/ocpp#361",
    ),
    _quirk(
        name="offline_out_of_order",
        summary="Delivers the events of a session late, repeated and out of order: a session is the same in any order.",
        reported="lbbrhzn/ocpp#361",
        always=True,
        where="domain.sessions.model",
    ),
    _decided(
        name="sequence_stuck",
        summary="Never counts up its sequence numbers in 2.x: the session still starts and ends once.",
    ),
    _status(
        name="finishing_until_unplugged",
        summary="Stays in Finishing after a stop until the cable is pulled: the state is kept as it is told.",
        reported="evcc#33020",
    ),
    _status(
        name="available_while_plugged",
        summary="Reports Available while a session is open: the session is not closed by that, nor by a boot.",
    ),
    _status(
        name="late_available",
        summary="Delivers an older state after a newer one: it is history only.",
    ),
    _status(
        name="status_without_time",
        summary="Reports no time with a state, or no state at all after it connects: the last known one stays.",
    ),
)
