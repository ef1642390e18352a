"""Giving a session the end that its station never reported.

A settlement is an event like any other: it is appended, and the session's facts follow from it. The station's own stop
is still taken when it comes, and then counts instead.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import msgspec

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.lookups import SessionLookup
from pilotwire.domain.sessions.decide import Deciding, session_kept
from pilotwire.domain.sessions.errors import SessionOver
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.model import SessionFacts, Settlement, replace
from pilotwire.domain.sessions.records import SessionEventKept
from pilotwire.domain.sessions.registers import LARGEST_REGISTER_WH
from pilotwire.domain.sessions.view import SessionsView

__all__ = ["SessionDesk", "Settling", "decide_settlement"]


class Settling(msgspec.Struct, frozen=True):
    """The wish to end a session. `final`: later data of the station do not open it again (but its stop corrects it)."""

    transaction_ref: str
    reason: str
    by: str
    final: bool = False
    at: datetime | None = None
    """The end that is taken for the true one; without it the newest moment known of the session."""
    meter_end_wh: Decimal | None = None
    unless_newer_than: datetime | None = None
    """Not if anything of a later moment is known: what this was decided on is then out of date."""


class SessionDesk(Protocol):
    """Ends sessions in the order of their stations' messages; the stations' edge is one."""

    async def settle(self, station_id: int, settling: Settling) -> UUID:
        """End a session, whether its station is connected, away or gone; return its id when that is on disk.

        Raises: SessionOver, NotFound, Invalid, Unavailable when it cannot be done now.
        """
        ...


def decide_settlement(
    view: SessionsView, settling: Settling, deciding: Deciding
) -> tuple[SessionFacts, list[Any]]:
    """Settle a session; give its facts and the records to keep.

    Raises: LookupNeeded when the session is not in memory; SessionOver; Invalid for a register that cannot be.
    """
    ref = settling.transaction_ref
    facts = view.by_ref.get(ref)
    if facts is None:
        if ref in view.by_ref:
            raise SessionOver(say("session_gone", "the session does not exist any more"))
        raise SessionLookup(ref)
    if facts.over:
        raise SessionOver(say("session_over", "the session is over already"))
    if settling.unless_newer_than is not None and facts.last_at > settling.unless_newer_than:
        raise SessionOver(say("session_told_more", "the station has told more of the session meanwhile"))
    _check_register(facts, settling.meter_end_wh)
    former = facts.settlement
    settlement = Settlement(
        no=1 if former is None else former.no + 1,
        made_at=deciding.now,
        at=max(facts.last_at, settling.at or facts.last_at),
        newest_at=facts.last_at,
        reason=settling.reason,
        by=settling.by,
        final=settling.final,
        meter_end_wh=settling.meter_end_wh,
    )
    facts = replace(facts, {"settlement": settlement})
    view.remember(facts)
    detail = {
        "reason": settlement.reason,
        "by": settlement.by,
        "ended_at": settlement.at,
        "meter_end_wh": facts.meter_end_wh,
    }
    event = SessionEventKept(
        session_id=facts.id,
        tenant_id=deciding.tenant_id,
        kind=Phase.SETTLED.value,
        seq_no=settlement.no,
        at=settlement.at,
        received_at=deciding.now,
        trigger=None,
        charging_state=None,
        offline=False,
        detail=detail,
    )
    return facts, [session_kept(facts, Phase.SETTLED, deciding, new=False, more=True), event]


def _check_register(facts: SessionFacts, meter_end_wh: Decimal | None) -> None:
    if meter_end_wh is None:
        return
    if not 0 <= meter_end_wh < LARGEST_REGISTER_WH:
        raise Invalid(say("meter_end_wrong", "meter_end_wh: not the value of a register in Wh"))
    start = facts.meter_start_wh
    if start is not None and meter_end_wh < start:
        raise Invalid(
            say(
                "meter_end_below",
                "meter_end_wh: the register stood at {start} Wh at the start; the end cannot be below it",
                start=start,
            )
        )
