"""T9: every quirk, with the frames that need it, through the real codec, quirks and decisions."""

import re
from pathlib import Path
from typing import Any

import pytest

from pilotwire.ocpp.codec.envelope import parse_frame_leniently
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.quirks import CATALOG, Quirk
from pilotwire.ocpp.quirks.answers import listed, read_configuration
from tests.support.quirk_corpus.player import NOW, Played, bytes_of, cases

BY_NAME = {quirk.name: quirk for quirk in CATALOG}
DRIVEN = [quirk for quirk in CATALOG if quirk.where == "domain.energy.drive"]
MESSAGES = cases("boot", "messages", "transactions", "metering", "charging")


def named(case: dict[str, Any]) -> str:
    return str(case["quirk"])


@pytest.mark.parametrize("case", MESSAGES, ids=named)
async def test_the_frame_is_taken_as_it_is_meant(
    case: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    played = await Played(case).play()
    played.check()
    assert not [record for record in caplog.records if record.exc_info]
    if "settings" in case or "lists" in case:
        assert played.payload is not None
        configuration = read_configuration(played.payload, NOW)
        for name, value in case.get("settings", {}).items():
            assert configuration.find(name) == value
        for name, items in case.get("lists", {}).items():
            assert listed(configuration.find(name)) == tuple(items)
        _, repairs = parse_frame_leniently(OcppVersion.V16, bytes_of(case["frame"]))
        assert [repair.code for repair in repairs] + list(configuration.deviations) == case["codes"]


@pytest.mark.parametrize("case", [case for case in MESSAGES if "call" not in case], ids=named)
async def test_the_same_frame_twice_has_one_effect(case: dict[str, Any]) -> None:
    """F6: a retry of any of these under another message id changes no session."""
    once = await Played(case).play()
    twice = await Played({**case, "before": [*case.get("before", ()), case["frame"]]}).play()
    assert _sessions(twice) == _sessions(once)
    assert twice.wire.sent == once.wire.sent


def _sessions(played: Played) -> Any:
    return {
        facts.transaction_ref: facts for facts in played.link.sessions.by_ref.values() if facts is not None
    }


def test_every_quirk_has_a_frame_and_every_frame_a_quirk() -> None:
    assert {case["quirk"] for case in cases()} == BY_NAME.keys() - {quirk.name for quirk in DRIVEN}


@pytest.mark.parametrize("quirk", DRIVEN, ids=lambda quirk: quirk.name)
def test_a_quirk_that_shows_only_in_what_flows_has_a_test_of_its_drive(quirk: Quirk) -> None:
    tests = (Path(__file__).parents[2] / "domain/energy/test_drive.py").read_text(encoding="utf-8")
    assert re.search(rf'^def test_.*\n    """Quirk `{quirk.name}`', tests, re.MULTILINE)


def test_the_corpus_is_large_enough() -> None:
    assert len(cases()) >= 130
    assert sum(1 + len(case.get("before", ())) for case in MESSAGES) >= 100


def test_a_quirk_that_is_counted_is_counted_in_its_frames() -> None:
    for quirk in CATALOG:
        if quirk.deviation:
            codes = {
                code
                for case in MESSAGES
                if case["quirk"] == quirk.name
                for code in [*case.get("deviations", ()), *case.get("codes", ())]
            }
            assert quirk.deviation in codes, quirk.name
