"""What a station's words about energy lead to: a function of what is known of the station, and the message."""

from datetime import datetime
from typing import Any

import msgspec

from pilotwire.domain.energy.messages import (
    ChargingLimitCleared,
    ChargingLimitNotified,
    ChargingNeedsReported,
)
from pilotwire.domain.energy.records import ChargingNeedsKept, ExternalLimitCleared, ExternalLimitKept
from pilotwire.domain.sessions.view import SessionsView
from pilotwire.domain.stations.model import StationRecord

__all__ = ["decide_meaning"]


def decide_meaning(
    record: StationRecord, sessions: SessionsView, meaning: Any, now: datetime, *, managed: bool
) -> tuple[bool, list[Any]]:
    """Give the records to keep, and whether a charging schedule follows; `managed`: the loops run for this station."""
    place = (record.tenant_id, record.id, record.identity)
    match meaning:
        case ChargingLimitNotified(source=source, evse_no=evse_no):
            schedules = [msgspec.to_builtins(each) for each in meaning.schedules]
            kept = ExternalLimitKept(*place, evse_no or 0, source, meaning.grid_critical, now, schedules)
            return False, [kept]
        case ChargingLimitCleared(source=source, evse_no=evse_no):
            return False, [ExternalLimitCleared(*place, evse_no or 0, source)]
        case ChargingNeedsReported():
            running = sessions.open_on(meaning.evse_no, None)
            if not running:
                return False, []
            details = {
                "phases": meaning.phases,
                "least_current_a": meaning.least_current_a,
                "most_current_a": meaning.most_current_a,
                "most_power_w": meaning.most_power_w,
                "capacity_wh": meaning.capacity_wh,
                "soc_percent": meaning.soc_percent,
                "can_discharge": meaning.can_discharge,
                "most_periods": meaning.most_periods,
            }
            told = {name: value for name, value in details.items() if value is not None}
            kept_needs = ChargingNeedsKept(
                *place, running[-1].id, now, meaning.energy_wh, meaning.departure_at, told
            )
            return managed, [kept_needs]
        case _:
            return False, []
