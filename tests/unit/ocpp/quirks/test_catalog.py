"""The catalogue itself: complete, consistent, and resolved as it says."""

import importlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotwire.ocpp.quirks import CATALOG, NO_QUIRKS, Behaviour, Quirk, behaviour_of
from pilotwire.ocpp.quirks.answers import listed, new_remote_tag, read_configuration

ROOT = Path(__file__).resolve().parents[4]
BY_MAKE = [quirk for quirk in CATALOG if quirk.vendor or quirk.model]
BY_SWITCH = [quirk for quirk in CATALOG if not quirk.always and not quirk.vendor and not quirk.model]


def test_names_are_unique_and_summaries_are_sentences() -> None:
    assert len({quirk.name for quirk in CATALOG}) == len(CATALOG)
    for quirk in CATALOG:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", quirk.name)
        assert quirk.summary.endswith(".")


@pytest.mark.parametrize("quirk", CATALOG, ids=lambda quirk: quirk.name)
def test_a_quirk_is_always_on_and_done_somewhere_or_changes_the_behaviour(quirk: Quirk) -> None:
    if quirk.always:
        assert not quirk.changes
        assert not quirk.vendor
        assert importlib.import_module(f"pilotwire.{quirk.where}")
        return
    assert quirk.changes
    assert quirk.changes.keys() <= set(Behaviour.__struct_fields__)
    for pattern in (quirk.vendor, quirk.model, quirk.firmware):
        re.compile(pattern)


def test_a_code_that_is_claimed_is_written_where_it_is_done() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/pilotwire").rglob("*.py"))
    for quirk in CATALOG:
        if quirk.deviation:
            # Once in the catalogue, and at least once where it is counted.
            assert sources.count(f'"{quirk.deviation}"') >= 2, quirk.name


def test_a_station_that_follows_the_specification_has_no_quirks() -> None:
    assert behaviour_of("Acme", "W1", "1.0", {}) is NO_QUIRKS
    assert behaviour_of("", "", "", {}) is NO_QUIRKS


@pytest.mark.parametrize(
    ("vendor", "names"),
    [
        ("EN+", {"no_pong", "call_before_boot_loops"}),
        ("en-plus tech", {"no_pong", "call_before_boot_loops"}),
        ("WALLBOX", {"call_before_boot_loops"}),
        ("Wall Box Chargers", {"call_before_boot_loops"}),
        ("Free2move eSolutions", {"start_answer_too_soon"}),
        ("KEBA AG", {"token_uid_with_serial"}),
        ("not KEBA", set()),
    ],
)
def test_a_make_has_its_quirks(vendor: str, names: set[str]) -> None:
    assert set(behaviour_of(vendor, "any", "any", {}).names) == names


@pytest.mark.parametrize(
    ("firmware", "breaks"),
    [
        ("1.8.21", True),
        ("1.8.5", True),
        ("1.6.2", True),
        ("1.8.22", False),
        ("1.8.33", False),
        ("1.10.0", False),
    ],
)
def test_a_quirk_ends_with_the_firmware_that_mends_it(firmware: str, breaks: bool) -> None:
    assert behaviour_of("ABB", "Terra AC W22-T-0", firmware, {}).measurands_one_by_one is breaks


@pytest.mark.parametrize("quirk", BY_SWITCH, ids=lambda quirk: quirk.name)
def test_a_switch_turns_a_quirk_on(quirk: Quirk) -> None:
    behaviour = behaviour_of("Acme", "W1", "", {quirk.name: True})
    assert behaviour.names == (quirk.name,)
    for name, value in quirk.changes.items():
        assert getattr(behaviour, name) == value


@pytest.mark.parametrize("quirk", BY_MAKE, ids=lambda quirk: quirk.name)
def test_a_switch_turns_a_quirk_off(quirk: Quirk) -> None:
    make = {
        "EN": ("EN+", "", ""),
        "Fr": ("Free2move", "", ""),
        "KE": ("KEBA", "", ""),
        "AB": ("ABB", "Terra AC W22-T-0", "1.8.21"),
        "Wa": ("Wallbox", "", "6.1" if "6" in quirk.firmware else "5.17"),
        "Hu": ("Huawei", "", ""),
        "EV": ("EVBox", "", ""),
        "go": ("go-e", "", ""),
        "NE": ("NEcharge", "", ""),
    }[quirk.vendor[:2]]
    assert quirk.name in behaviour_of(*make, {}).names
    assert quirk.name not in behaviour_of(*make, {quirk.name: False}).names


def test_a_switch_of_an_unknown_name_or_of_one_that_is_always_on_does_nothing() -> None:
    always = next(quirk.name for quirk in CATALOG if quirk.always)
    assert behaviour_of("Acme", "", "", {"no_such_quirk": True, always: False}) is NO_QUIRKS


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/generate_quirks_doc.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_remote_tags_leave_room_for_what_stations_add() -> None:
    tags = {new_remote_tag() for _ in range(100)}
    assert len(tags) == 100
    assert all(re.fullmatch(r"[0-9A-F]{16}", tag) for tag in tags)


@pytest.mark.parametrize(
    ("value", "items"),
    [(None, ()), ("", ()), ("Core", ("Core",)), (" Core , SmartCharging,,", ("Core", "SmartCharging"))],
)
def test_lists_in_settings(value: str | None, items: tuple[str, ...]) -> None:
    assert listed(value) == items


def test_a_configuration_is_found_in_any_letter_case() -> None:
    payload = (
        b'{"configurationKey":[{"key":"Heartbeatinterval","readonly":false,"value":" 60 "},'
        b'{"key":"X","readonly":true}],"unknownKey":["Y"]}'
    )
    configuration = read_configuration(payload, datetime(2026, 3, 1, tzinfo=UTC))
    assert configuration.find("HeartbeatInterval") == "60"
    assert configuration.find("x") is None
    assert configuration.unknown == ("Y",)
    assert configuration.deviations == ()
