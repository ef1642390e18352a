"""The sessions of one station that are in memory."""

from datetime import datetime

from pilotwire.domain.sessions.model import SessionFacts

__all__ = ["SessionsView"]

_ENDED_KEPT = 20
_OPEN_KEPT = 100
_ABSENT_KEPT = 64


class SessionsView:
    """The sessions of one station that are in memory: the open ones and the newest ended ones.

    `complete` says that the station has no other sessions; `horizon` is the newest moment at which any of its
    sessions in the database began. What began later cannot be there, so it need not be looked up. A reference
    or start with None was looked up and is not in the database.
    """

    __slots__ = ("by_ref", "complete", "horizon", "starts")

    def __init__(self) -> None:
        self.by_ref: dict[str, SessionFacts | None] = {}
        self.starts: dict[str, str | None] = {}
        self.complete = False
        self.horizon: datetime | None = None

    def remember(self, facts: SessionFacts) -> None:
        """Keep the newest facts of a session."""
        ref = facts.transaction_ref
        known = self.by_ref.get(ref) is not None
        self.by_ref[ref] = facts
        if known:
            return
        if facts.start_key is not None:
            self.starts[facts.start_key] = ref
        self.seen_start(facts.first_at)
        if len(self.by_ref) > 2 * _ENDED_KEPT:
            self._forget_oldest(ref)

    def seen_start(self, at: datetime) -> None:
        """Take note that a session of the station began at a moment."""
        if self.horizon is None or at > self.horizon:
            self.horizon = at

    def open_on(self, evse_no: int | None, connector_no: int | None) -> list[SessionFacts]:
        """Give the sessions of a connector (or with None of the station) whose end is not reported, oldest first.

        Those that were settled are among them: their stop may still come.
        """
        return sorted(
            (
                facts
                for facts in self.by_ref.values()
                if facts is not None
                and not facts.ended
                and (evse_no is None or facts.evse_no == evse_no)
                and (connector_no is None or facts.connector_no in (None, connector_no))
            ),
            key=lambda facts: facts.first_at,
        )

    def make_room(self) -> None:
        """Forget what is known to be absent, once it is much: a station may name any number of wrong references."""
        if len(self.by_ref) > _ABSENT_KEPT:
            for ref in [ref for ref, facts in self.by_ref.items() if facts is None]:
                del self.by_ref[ref]
        if len(self.starts) > 2 * _ABSENT_KEPT:
            for key in [key for key, ref in self.starts.items() if ref is None]:
                del self.starts[key]

    def _forget_oldest(self, newcomer: str) -> None:
        """Forget the oldest sessions, but never the one that was just asked for."""
        others = [each for ref, each in self.by_ref.items() if each is not None and ref != newcomer]
        ended = sorted((facts for facts in others if facts.ended), key=lambda facts: facts.last_at)
        still_open = sorted((facts for facts in others if not facts.ended), key=lambda facts: facts.last_at)
        surplus = (
            ended[: max(len(ended) - _ENDED_KEPT, 0)] + still_open[: max(len(still_open) - _OPEN_KEPT, 0)]
        )
        for facts in surplus:
            del self.by_ref[facts.transaction_ref]
            if facts.start_key is not None:
                self.starts.pop(facts.start_key, None)
            self.complete = False
        self.make_room()
