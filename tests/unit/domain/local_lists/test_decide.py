"""Which tokens stand on a list, and which messages bring it there."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.access.model import TokenKind, TokenStatus, fold_uid
from pilotwire.domain.local_lists.decide import ListMessage, abilities_of, choose, messages_to, pool_of
from pilotwire.domain.local_lists.model import Abilities, Candidate, ListEntry, pack, unpack

V16 = {
    "chargingstation/supportedfeatureprofiles": ("Core, LocalAuthListManagement,Reservation", None),
    "localauthlistctrlr/enabled": ("true", None),
    "localauthlistctrlr/entries": ("200", None),
    "localauthlistctrlr/itemspermessage": ("25", None),
}
V2 = {
    "localauthlistctrlr/available": ("true", None),
    "localauthlistctrlr/enabled": ("true", None),
    "localauthlistctrlr/entries": ("3", 200.0),
    "localauthlistctrlr/itemspermessage": ("25", None),
}


def entry(uid: str, status: TokenStatus = TokenStatus.ACCEPTED, group: str | None = None) -> ListEntry:
    return ListEntry(uid, TokenKind.RFID, status, group)


def candidates(*uids: str, status: TokenStatus = TokenStatus.ACCEPTED) -> list[Candidate]:
    return [Candidate(entry(uid, status), fold_uid(uid)) for uid in uids]


def uids(entries: tuple[ListEntry, ...]) -> list[str]:
    return [each.uid for each in entries]


def test_what_a_station_tells_of_its_list() -> None:
    for version, told in (("1.6", V16), ("2.0.1", V2), ("2.1", V2)):
        able = abilities_of(version, told)
        assert (able.usable, able.most_entries, able.items_per_message) == (True, 200, 25), version
    assert abilities_of("1.6", V16).longest_uid == 20
    assert abilities_of("2.1", V2).longest_uid == 36


def test_why_a_station_has_no_list() -> None:
    without = {**V16, "chargingstation/supportedfeatureprofiles": ("Core,Reservation", None)}
    assert "SupportedFeatureProfiles" in abilities_of("1.6", without).reason
    off = {**V16, "localauthlistctrlr/enabled": ("False", None)}
    assert "LocalAuthListEnabled" in abilities_of("1.6", off).reason
    assert "LocalAuthListCtrlr/Enabled" in abilities_of("2.0.1", {**V2, **off}).reason
    assert not abilities_of("2.0.1", {**V2, "localauthlistctrlr/available": ("false", None)}).usable
    assert not abilities_of("2.0.1", {}).usable
    assert not abilities_of("1.6", {}).usable


def test_limits_that_are_not_told_or_absurd() -> None:
    odd = {
        **V16,
        "localauthlistctrlr/entries": ("many", None),
        "localauthlistctrlr/itemspermessage": ("", None),
    }
    able = abilities_of("1.6", odd)
    assert (able.most_entries, able.items_per_message) == (500, 50)


def test_all_that_fit_stand_on_the_list_in_one_order() -> None:
    able = Abilities(most_entries=10, items_per_message=5)
    one = choose(pool_of(candidates("B", "a", "C"), 36), able)
    other = choose(pool_of(candidates("C", "a", "B"), 36), able, used_here=["c"])
    assert uids(one.entries) == ["a", "B", "C"]
    assert one.digest == other.digest, "stations with the same tokens share a list"
    assert unpack(pack(one.entries)) == one.entries


def test_who_goes_first_where_there_is_no_room_for_all() -> None:
    able = Abilities(most_entries=3, items_per_message=5)
    chosen = choose(
        pool_of(candidates("n1", "n2", "n3", "old", "older"), 36), able, ["older", "gone", "older"]
    )
    assert set(uids(chosen.entries)) == {"older", "n1", "n2"}
    assert chosen.left_out == 2


def test_blocked_tokens_stand_on_the_list_only_where_unknown_ones_may_charge() -> None:
    pool = pool_of([*candidates("bad", status=TokenStatus.BLOCKED), *candidates("good")], 36)
    assert uids(choose(pool, Abilities(5, 5)).entries) == ["good"]
    assert uids(choose(pool, Abilities(5, 5, tells_blocked=True)).entries) == ["bad", "good"]
    assert uids(choose(pool, Abilities(1, 5, tells_blocked=True)).entries) == ["good"]


def test_what_is_too_long_for_the_protocol_is_left_out_and_counted() -> None:
    long = [*candidates("x" * 21, "ok"), Candidate(entry("g", group="y" * 21), "g")]
    chosen = choose(pool_of(long, 20), Abilities(10, 5))
    assert (uids(chosen.entries), chosen.left_out) == (["ok"], 2)


def test_a_few_changes_go_as_differences() -> None:
    held = [entry(f"t{number:02}") for number in range(20)]
    wanted = [*held[1:], entry("zz")]
    assert messages_to(held, wanted, 10) == [ListMessage("differential", (entry("zz"),), (held[0],))]
    assert messages_to(held, held, 10) == []
    blocked = [entry("t00", TokenStatus.BLOCKED), *held[1:]]
    assert messages_to(held, blocked, 10) == [ListMessage("differential", (blocked[0],))]


def test_a_long_list_goes_in_parts() -> None:
    wanted = [entry(f"t{number:04}") for number in range(1201)]
    parts = messages_to(None, wanted, 500)
    assert [(part.mode, len(part.entries)) for part in parts] == [
        ("full", 500), ("differential", 500), ("differential", 201),
    ]  # fmt: skip
    assert messages_to([], [], 500) == []
    assert messages_to(None, [], 500) == [ListMessage("full", ())]


NAMES = st.lists(st.sampled_from([f"t{number}" for number in range(12)] + ["T1", "T2"]), max_size=12)


@given(NAMES, NAMES, st.integers(1, 5), st.booleans())
def test_the_messages_always_lead_to_the_list_wanted(
    before: list[str], after: list[str], items: int, known: bool
) -> None:
    held = [entry(uid) for uid in {fold_uid(uid): uid for uid in before}.values()]
    wanted = [entry(uid, group="g") if uid == "t3" else entry(uid)
              for uid in {fold_uid(uid): uid for uid in after}.values()]  # fmt: skip
    station = {fold_uid(each.uid): each for each in held}
    most = max(len(held), len(wanted))
    for message in messages_to(held if known else None, wanted, items):
        assert len(message.entries) + len(message.removed) <= items
        if message.mode == "full":
            station = {}
        for each in message.removed:
            del station[fold_uid(each.uid)]
        station |= {fold_uid(each.uid): each for each in message.entries}
        assert len(station) <= most
    assert station == {fold_uid(each.uid): each for each in wanted}


def test_moments_survive_being_kept() -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    kept = (ListEntry("a", TokenKind.EMAID, TokenStatus.ACCEPTED, None, until),)
    assert unpack(pack(kept)) == kept
