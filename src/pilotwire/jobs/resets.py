"""Resets stations that need a reboot for their new settings, as soon as no session runs there, if that was asked."""

from pilotwire.domain.configuration import reading_repository as rows
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.operations.commands import Reset
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.sessions.repository import has_open_session

__all__ = ["ResetGiver"]


class ResetGiver:
    """Remembers which stations wait for a reboot, and gives each its reset once."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._expected: set[int] = set()
        self._busy: set[int] = set()

    def expects(self, station_id: int) -> bool:
        """Whether a station's next boot makes its new settings hold."""
        return station_id in self._expected

    def waits_for(self, station_id: int) -> bool:
        """Whether a station is reset when its last session has ended."""
        return station_id in self._busy

    async def recover(self) -> None:
        """Take up what the process before had not done."""
        async with self._means.db.service.acquire() as connection:
            self._expected.update(await rows.list_reboots(connection))
            waiting = await rows.list_resets(connection)
        for station_id in waiting:
            await self.idle(station_id)

    async def wanted(self, station_id: int, *, on_idle: bool) -> None:
        """A station has taken settings that hold after its next boot."""
        async with self._means.db.service.acquire() as connection:
            await rows.note_reboot(connection, station_id, reset_on_idle=on_idle)
        self._expected.add(station_id)
        if on_idle:
            await self.idle(station_id)

    async def booted(self, station_id: int) -> None:
        """A station has booted: what it is set to now is to be read again."""
        async with self._means.db.service.acquire() as connection:
            await rows.note_booted(connection, station_id)
        self._expected.discard(station_id)
        self._busy.discard(station_id)

    async def idle(self, station_id: int) -> None:
        """Give a station its reset if it waits for one and no session runs there.

        2.x stations can wait by themselves (B12); 1.6 stations end sessions at a reset.
        """
        async with self._means.db.service.acquire() as connection:
            found = await rows.find_waiting(connection, station_id)
            if found is None:
                self._busy.discard(station_id)
                return
            tenant_id, identity, version = found
            if version == "1.6" and await has_open_session(connection, station_id):
                self._busy.add(station_id)
                return
            if not await rows.note_reset_given(connection, station_id):
                return
        self._busy.discard(station_id)
        reset = Reset(mode="soft" if version == "1.6" else "on_idle")
        plan = Plan(note="new settings need a reboot")
        await give_command(self._means, system_principal(tenant_id), identity, reset, plan)
