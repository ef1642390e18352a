"""Having stations set to what their templates want."""

from collections.abc import Sequence
from uuid import UUID

from pilotwire.core.texts import say
from pilotwire.domain.configuration.usecases.view_configuration import list_drifting
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.operations.errors import NothingToDo
from pilotwire.domain.operations.setting_commands import RepairSettings
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_commands

__all__ = ["repair_drift"]

_MOST_STATIONS = 100_000


async def repair_drift(
    means: Means,
    principal: Principal,
    command: RepairSettings,
    plan: Plan,
    *,
    stations: Sequence[str] | None = None,
    site_id: UUID | None = None,
) -> UUID:
    """Repair the stations named, or all that drift (of a site); return the task. What to write is read when it is sent.

    Raises: NotFound for a name that is no station, NothingToDo when none drifts.
    """
    require(principal, Right.CALL_STATIONS)
    chosen = list(stations) if stations is not None else await _drifting(means, principal, site_id)
    if not chosen:
        raise NothingToDo(say("no_drift", "no station differs from its templates"))
    return await give_commands(means, principal, chosen, command, plan)


async def _drifting(means: Means, principal: Principal, site_id: UUID | None) -> list[str]:
    found: list[str] = []
    after = None
    while len(found) < _MOST_STATIONS:
        rows = await list_drifting(means.db, principal, site_id=site_id, after=after, limit=1000)
        found += [row.identity for row in rows]
        if len(rows) < 1000:
            break
        after = found[-1]
    return found
