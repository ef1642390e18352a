"""What a station knows of tokens by itself.

The local list that the server sent and the cache of former answers.
"""

from __future__ import annotations

from datetime import datetime

from pilotwire.simulator.device import Device
from pilotwire.simulator.rpc import Verdict


class KnownTokens:
    """Local list and authorisation cache. Spec: OCPP 1.6 3.5, OCPP 2.0.1 C13, C14, D."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.list_version = 0
        self.local_list: dict[str, Verdict] = {}
        self.cache: dict[str, Verdict] = {}

    def remember(self, uid: str, verdict: Verdict) -> None:
        """Keep the server's answer for a time without a connection."""
        if self._device.switch("cache_enabled"):
            self.cache[uid.casefold()] = verdict

    def recall(self, uid: str, now: datetime) -> Verdict | None:
        """What is known of a token; the list counts more than the cache."""
        found = None
        if self._device.switch("local_list_enabled"):
            found = self.local_list.get(uid.casefold())
        if found is None and self._device.switch("cache_enabled"):
            found = self.cache.get(uid.casefold())
        if found is not None and found.expires_at is not None and found.expires_at <= now:
            return Verdict("Expired")
        return found

    def offline_verdict(self, uid: str, now: datetime) -> Verdict:
        """What the station decides without the server."""
        if self._device.switch("local_offline"):
            known = self.recall(uid, now)
            if known is not None:
                return known
        return Verdict("Accepted" if self._device.switch("offline_unknown") else "Invalid")

    def update_list(self, version: int, entries: dict[str, Verdict | None], *, full: bool) -> str:
        """Take a new list or changes to it (None removes).

        Gives `Accepted`, `Failed` or `VersionMismatch`.
        """
        if not full and version <= self.list_version:
            return "VersionMismatch"
        if len(entries) > self._device.number("local_list_items"):
            return "Failed"
        updated = {} if full else dict(self.local_list)
        for uid, verdict in entries.items():
            if verdict is None:
                updated.pop(uid.casefold(), None)
            else:
                updated[uid.casefold()] = verdict
        if len(updated) > self._device.number("local_list_entries"):
            return "Failed"
        self.local_list = updated
        self.list_version = version
        return "Accepted"
