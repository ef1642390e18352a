"""Which tokens a station's list should have, and which messages bring it there. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Literal

import msgspec

from pilotwire.domain.access.model import TokenStatus, fold_uid
from pilotwire.domain.local_lists.model import Abilities, Candidate, ListEntry, Pool, Wanted, digest_of

__all__ = [
    "LONGEST_TAG",
    "LONGEST_TOKEN",
    "PATHS",
    "ListMessage",
    "abilities_of",
    "choose",
    "messages_to",
    "pool_of",
]

_FEATURES = "chargingstation/supportedfeatureprofiles"
_ENABLED = "localauthlistctrlr/enabled"
_AVAILABLE = "localauthlistctrlr/available"
_ENTRIES = "localauthlistctrlr/entries"
_ITEMS = "localauthlistctrlr/itemspermessage"
_UNKNOWN_MAY = "authctrlr/offlinetxforunknownidenabled"
PATHS = (_FEATURES, _ENABLED, _AVAILABLE, _ENTRIES, _ITEMS, _UNKNOWN_MAY)
"""The variables that tell of a station's list; 1.6 keys stand under these names too."""

# What is taken for a limit that a station does not tell; 1.6 names both as required of the profile.
_ENTRIES_UNTOLD = 500
_ITEMS_UNTOLD = 50
_MOST_ITEMS = 1_000
LONGEST_TAG = 20
"""Characters of an idTag of 1.6."""
LONGEST_TOKEN = 36
"""Characters of an idToken of 2.x."""

Told = Mapping[str, tuple[str | None, float | None]]
"""By path: the value that a station told, and the largest that it says it takes."""


class ListMessage(msgspec.Struct, frozen=True):
    """One message of a new list: entries to set, and uids to take off."""

    mode: Literal["full", "differential"]
    entries: tuple[ListEntry, ...]
    removed: tuple[ListEntry, ...] = ()


def abilities_of(ocpp_version: str, told: Told) -> Abilities:
    """Say what a station can hold, by what it told of its settings. Spec: OCPP 1.6 9.2; 2.0.1 D01, part 2 appendix 3."""
    first = ocpp_version == "1.6"
    if first:
        profiles = {each.strip().casefold() for each in (_value(told, _FEATURES) or "").split(",")}
        if _FEATURES in told and "localauthlistmanagement" not in profiles:
            return Abilities(reason="its SupportedFeatureProfiles do not name LocalAuthListManagement")
        if _FEATURES not in told and _ENTRIES not in told:
            return Abilities(reason="it has not said that it has one")
    elif _is_false(told, _AVAILABLE) or not any(path in told for path in (_ENABLED, _AVAILABLE, _ENTRIES)):
        return Abilities(reason="it has no LocalAuthListCtrlr, or says that it is not available")
    if _is_false(told, _ENABLED):
        name = "LocalAuthListEnabled" if first else "LocalAuthListCtrlr/Enabled"
        return Abilities(reason=f"it is switched off there: set {name} to true")
    # 2.x tells in Entries how many there are, and as its limit how many there may be.
    limit = _number(_value(told, _ENTRIES)) if first else _whole(told.get(_ENTRIES, (None, None))[1])
    return Abilities(
        most_entries=limit or _ENTRIES_UNTOLD,
        items_per_message=min(_number(_value(told, _ITEMS)) or _ITEMS_UNTOLD, _MOST_ITEMS),
        tells_blocked=(_value(told, _UNKNOWN_MAY) or "").strip().casefold() == "true",
        longest_uid=LONGEST_TAG if first else LONGEST_TOKEN,
    )


def _value(told: Told, path: str) -> str | None:
    return told.get(path, (None, None))[0]


def _is_false(told: Told, path: str) -> bool:
    return (_value(told, path) or "").strip().casefold() == "false"


def _number(text: str | None) -> int:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _whole(number: float | None) -> int:
    return int(number) if number is not None and 0 < number < 1e9 else 0


def pool_of(candidates: Iterable[Candidate], longest_uid: int) -> Pool:
    """Put tokens by that fit a protocol; they come in the order of the whole network, the most important first."""
    good, blocked, too_long = {}, [], 0
    for each in candidates:
        may_charge = each.entry.status is TokenStatus.ACCEPTED
        if len(each.entry.uid) > longest_uid or len(each.entry.group_id or "") > longest_uid:
            too_long += may_charge
        elif may_charge:
            good[each.folded_uid] = each
        else:
            blocked.append(each)
    return Pool(good, tuple(blocked), too_long)


def choose(pool: Pool, abilities: Abilities, used_here: Sequence[str] = ()) -> Wanted:
    """Choose the tokens of a station's list.

    `used_here` are folded uids that charged at this station, the latest first: where there is no room for all, those go
    first, then the others in their order. Blocked tokens stand at the end, and only where the station would let
    unknown ones charge.
    """
    room = abilities.most_entries
    if len(pool.good) <= room:
        chosen = list(pool.good.values())
    else:
        first = dict.fromkeys(uid for uid in used_here if uid in pool.good)
        others = (uid for uid in pool.good if uid not in first)
        chosen = [pool.good[uid] for uid in islice(chain(first, others), room)]
    left_out = len(pool.good) - len(chosen) + pool.too_long
    if abilities.tells_blocked:
        chosen += pool.blocked[: room - len(chosen)]
    chosen.sort(key=lambda each: each.folded_uid)
    entries = tuple(each.entry for each in chosen)
    return Wanted(entries, left_out, digest_of(entries))


def messages_to(
    held: Sequence[ListEntry] | None, wanted: Sequence[ListEntry], items: int
) -> list[ListMessage]:
    """Give the messages that turn the list which a station holds into the one wanted; none when they are the same.

    `held` is None when nobody knows what it holds. Few changes go as differences, else the list goes whole; what does
    not fit into one message follows as differences. Spec: OCPP 1.6 5.15; 2.0.1 D01.
    """
    if held is None:
        return _whole_list(wanted, items)
    before = {fold_uid(each.uid): each for each in held}
    after = {fold_uid(each.uid): each for each in wanted}
    # A station compares uids as it likes: one whose spelling changed goes off first.
    removed = [each for uid, each in before.items() if uid not in after or after[uid].uid != each.uid]
    changed = [each for uid, each in after.items() if before.get(uid) != each]
    if not removed and not changed:
        return []
    if len(removed) + len(changed) > max(len(wanted) // 2, 1):
        return _whole_list(wanted, items)
    parts = [ListMessage("differential", (), part) for part in _parts(removed, items)]
    parts += [ListMessage("differential", part) for part in _parts(changed, items)]
    if len(parts) == 2 and len(removed) + len(changed) <= items and not _same_uids(removed, changed):
        return [ListMessage("differential", tuple(changed), tuple(removed))]
    return parts


def _same_uids(some: Sequence[ListEntry], others: Sequence[ListEntry]) -> bool:
    return not {fold_uid(each.uid) for each in some}.isdisjoint(fold_uid(each.uid) for each in others)


def _whole_list(wanted: Sequence[ListEntry], items: int) -> list[ListMessage]:
    first, *more = _parts(wanted, items) or [()]
    return [ListMessage("full", first), *(ListMessage("differential", part) for part in more)]


def _parts(entries: Sequence[ListEntry], items: int) -> list[tuple[ListEntry, ...]]:
    return [tuple(entries[start : start + items]) for start in range(0, len(entries), items)]
