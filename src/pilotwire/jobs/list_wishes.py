"""What stations' lists should be, from the tokens, the rules and what stations say of themselves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pilotwire.core.clock import Clock
from pilotwire.domain.access.lookup import list_for_lists
from pilotwire.domain.access.model import TokenKind, TokenStatus
from pilotwire.domain.configuration.reading_repository import list_told
from pilotwire.domain.local_lists.decide import (
    LONGEST_TAG,
    LONGEST_TOKEN,
    PATHS,
    abilities_of,
    choose,
    pool_of,
)
from pilotwire.domain.local_lists.model import (
    Abilities,
    Candidate,
    ListEntry,
    ListPlace,
    ListState,
    Pool,
    Wanted,
)
from pilotwire.domain.sessions.usage_queries import tokens_used_at, tokens_used_by

__all__ = ["ListWishes", "Wishes"]

_KEPT_S = 60


@dataclass
class Wishes:
    """By station: what its list should be, or why it is to have none of ours."""

    wanted: dict[int, tuple[Abilities, Wanted]] = field(default_factory=dict)
    reasons: dict[int, tuple[ListState, str]] = field(default_factory=dict)


class ListWishes:
    """Remembers a tenant's tokens for a minute, since its stations ask one after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[int, tuple[float, dict[int, Pool]]] = {}
        self._same: dict[tuple[int, Abilities], Wanted] = {}

    def forget(self, tenant_id: int) -> None:
        """Read the tokens of a tenant again, since they have changed."""
        self._tokens.pop(tenant_id, None)
        for key in [key for key in self._same if key[0] == tenant_id]:
            del self._same[key]

    async def of(self, connection: Any, places: Sequence[ListPlace]) -> Wishes:
        """Say what the lists of stations should be."""
        wishes = Wishes()
        told = await list_told(connection, [place.station_id for place in places], PATHS)
        able: dict[int, Abilities] = {}
        for place in places:
            if not place.kept:
                wishes.reasons[place.station_id] = (ListState.NOT_KEPT, "a rule says that it is not kept")
            elif place.led_by_other:
                why = "it is relayed, and the other back end leads it"
                wishes.reasons[place.station_id] = (ListState.NOT_KEPT, why)
            elif place.station_id not in told:
                why = "it has not told yet whether it has a list"
                wishes.reasons[place.station_id] = (ListState.UNKNOWN, why)
            else:
                abilities = abilities_of(place.ocpp_version, told[place.station_id])
                if abilities.usable:
                    able[place.station_id] = abilities
                else:
                    wishes.reasons[place.station_id] = (ListState.UNSUPPORTED, abilities.reason)
        chosen = [place for place in places if place.station_id in able]
        await self._choose(connection, chosen, able, wishes)
        return wishes

    async def _choose(
        self, connection: Any, places: Sequence[ListPlace], able: dict[int, Abilities], wishes: Wishes
    ) -> None:
        short: list[tuple[int, Pool]] = []
        for place in places:
            abilities = able[place.station_id]
            pool = await self._pool(connection, place.tenant_id, abilities.longest_uid)
            if len(pool.good) > abilities.most_entries:
                short.append((place.station_id, pool))
                continue
            key = (place.tenant_id, abilities)
            if key not in self._same:
                self._same[key] = choose(pool, abilities)
            wishes.wanted[place.station_id] = (abilities, self._same[key])
        if not short:
            return
        used = await tokens_used_at(connection, [station_id for station_id, _ in short])
        for station_id, pool in short:
            wanted = choose(pool, able[station_id], used.get(station_id, ()))
            wishes.wanted[station_id] = (able[station_id], wanted)
            await asyncio.sleep(0)  # a list of one's own for each takes its time: frames go first

    async def _pool(self, connection: Any, tenant_id: int, longest_uid: int) -> Pool:
        """Give the tokens of a tenant: those used last anywhere first, then those added last."""
        now = self._clock()
        read_at, pools = self._tokens.get(tenant_id, (0.0, {}))
        if now.timestamp() - read_at >= _KEPT_S:
            self.forget(tenant_id)
            candidates = await self._candidates(connection, tenant_id)
            pools = {longest: pool_of(candidates, longest) for longest in (LONGEST_TAG, LONGEST_TOKEN)}
            self._tokens[tenant_id] = (now.timestamp(), pools)
        return pools[longest_uid]

    async def _candidates(self, connection: Any, tenant_id: int) -> list[Candidate]:
        listed = {}
        for row in await list_for_lists(connection, tenant_id, self._clock()):
            status = TokenStatus(row["status"])
            entry = ListEntry(row["uid"], TokenKind(row["kind"]), status, row["group_id"], row["valid_until"])
            listed[row["folded_uid"]] = Candidate(entry, row["folded_uid"])
        used = [listed.pop(uid) for uid in await tokens_used_by(connection, tenant_id) if uid in listed]
        return [*used, *listed.values()]
