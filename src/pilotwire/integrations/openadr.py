"""VTNs of every version of OpenADR, each asked by the desk that speaks its version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pilotwire.domain.energy.demand_ports import EventResult, Used, Vtn, VtnDesk
from pilotwire.integrations.openadr2 import OpenAdr2Desk
from pilotwire.integrations.openadr3 import OpenAdrDesk

__all__ = ["VtnDesks"]


class VtnDesks:
    """One desk for all VTNs."""

    def __init__(self, second: OpenAdr2Desk, third: OpenAdrDesk) -> None:
        self._second = second
        self._third = third

    def _of(self, vtn: Vtn) -> VtnDesk:
        return self._second if vtn.version == "2.0b" else self._third

    async def events(self, vtn: Vtn) -> list[Mapping[str, Any]]:
        """Give the events that are for us. Raises: VtnFailed."""
        return await self._of(vtn).events(vtn)

    async def answer(self, vtn: Vtn, takes_part: Mapping[str, bool]) -> None:
        """Say in which events the site takes part. Raises: VtnFailed."""
        await self._of(vtn).answer(vtn, takes_part)

    async def report(self, vtn: Vtn, result: EventResult) -> None:
        """Send what came of an event. Raises: VtnFailed."""
        await self._of(vtn).report(vtn, result)

    def wanted_spans(self, vtn: Vtn, now: datetime) -> Sequence[tuple[datetime, datetime]]:
        """Give the spans of which the VTN wants to know by now what was used."""
        return self._of(vtn).wanted_spans(vtn, now)

    async def tell_usage(self, vtn: Vtn, used: Sequence[Used]) -> None:
        """Tell what was used in spans that the VTN wanted. Raises: VtnFailed."""
        await self._of(vtn).tell_usage(vtn, used)
