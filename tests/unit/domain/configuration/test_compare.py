"""Templates, comparison and refusals."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from pilotwire.domain.configuration.compare import (
    Actual,
    Make,
    Template,
    entry_refusal,
    find_drift,
    refusal_of,
    same_value,
    setting_of,
    spelt_for,
    wanted_settings,
)
from pilotwire.domain.configuration.model import DriftState, Setting, Variable

SITE = uuid4()
MAKE = Make(7, "ABB", "Terra AC W22", "1.8.21", SITE, "1.6")
HEARTBEAT = ("ocppcommctrlr/heartbeatinterval", "actual")


def template(value: str, *, key: str = "HeartbeatInterval", **place: Any) -> Template:
    facts: dict[str, Any] = {
        "vendor": "",
        "model": "",
        "firmware_version": "",
        "site_id": None,
        "station_id": None,
    }
    return Template(uuid4(), **{**facts, **place}, entries=({"key": key, "value": value},))


def heartbeat_of(*templates: Template, make: Make = MAKE) -> str | None:
    found = wanted_settings(templates, make).get(HEARTBEAT)
    return None if found is None else found.setting.value


PLACES: list[dict[str, Any]] = [
    {},
    {"vendor": "abb"},
    {"vendor": "ABB", "model": "Terra*"},
    {"vendor": "ABB", "model": "Terra AC W22"},
    {"vendor": "ABB", "model": "Terra AC W22", "firmware_version": "1.8.*"},
    {"vendor": "ABB", "model": "Terra AC W22", "firmware_version": "1.8.21"},
    {"site_id": SITE},
    {"site_id": SITE, "vendor": "ABB"},
    {"station_id": 7},
]


@pytest.mark.parametrize("closest", range(1, len(PLACES)))
def test_the_most_specific_template_wins(closest: int) -> None:
    made = [template(str(number), **place) for number, place in enumerate(PLACES[: closest + 1])]
    assert heartbeat_of(*made) == str(closest)
    assert heartbeat_of(*reversed(made)) == str(closest)


@pytest.mark.parametrize(
    "place",
    [
        {"vendor": "Alfen"},
        {"vendor": "ABB", "model": "Terra DC*"},
        {"firmware_version": "1.8.2"},
        {"site_id": UUID(int=1)},
        {"station_id": 8},
    ],
)
def test_a_template_of_others_does_not_apply(place: dict[str, Any]) -> None:
    assert heartbeat_of(template("9", **place)) is None


def test_templates_add_up_and_both_spellings_mean_the_same() -> None:
    low = Template(
        uuid4(), "", "", "", None, None,
        ({"key": "HeartbeatInterval", "value": "1"}, {"key": "FreeMode", "value": "true"}),
    )  # fmt: skip
    high = Template(
        uuid4(),
        "",
        "",
        "",
        SITE,
        None,
        ({"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "2"},),
    )
    wanted = wanted_settings([high, low], MAKE)
    assert {want.setting.value for want in wanted.values()} == {"2", "true"}
    assert wanted[HEARTBEAT].setting.key == "HeartbeatInterval"


def test_a_vendors_setting_with_both_names_fits_both_versions() -> None:
    entry = {"key": "FanSpeed", "component": "Fan", "variable": "Speed", "value": "1"}
    both = Template(uuid4(), "", "", "", None, None, (entry,))
    assert list(wanted_settings([both], MAKE)) == [("fanspeed", "actual")]
    new = Make(7, "ABB", "Terra", "2", None, "2.0.1")
    assert list(wanted_settings([both], new)) == [("fan/speed", "actual")]


@pytest.mark.parametrize(
    ("wanted", "actual", "data_type", "same"),
    [
        ("300", "300", "integer", True),
        ("300", " 300.0", "integer", True),
        ("300", "301", "integer", False),
        ("300", "soon", "integer", False),
        ("TRUE", "true", "boolean", True),
        ("true", "True", "", True),
        ("true", "false", "", False),
        ("A,B", "B, A", "member_list", True),
        ("A,B", "A", "member_list", False),
        ("A,B", "B,A", "sequence_list", False),
        ("A,B", "A, B", "sequence_list", True),
        ("a", "A", "string", False),
        ("1", "1.0", "string", False),
    ],
)
def test_values_that_mean_the_same(wanted: str, actual: str, data_type: str, same: bool) -> None:
    assert same_value(wanted, actual, data_type) is same


def drift(actual: Actual | None, *, version: str = "1.6", complete: bool = True) -> DriftState | None:
    wanted = wanted_settings([template("300")], MAKE)
    known = {} if actual is None else {HEARTBEAT: actual}
    found = find_drift(wanted, known, version, complete=complete)
    return found[0].state if found else None


def test_what_is_drift_and_what_is_none() -> None:
    assert drift(Actual("300", data_type="integer")) is None
    assert drift(Actual("60", data_type="integer")) is DriftState.DIFFERENT
    assert drift(Actual("60", "read_only", "integer")) is DriftState.READ_ONLY
    assert drift(None) is DriftState.MISSING
    assert drift(None, complete=False) is None
    assert drift(Actual(None, "write_only")) is None
    assert drift(Actual("***")) is None


def test_a_setting_without_a_name_in_the_version_is_no_drift() -> None:
    vendor_key = wanted_settings([template("1", key="FreeMode")], MAKE)
    assert find_drift(vendor_key, {}, "2.0.1", complete=True) == []
    assert len(find_drift(vendor_key, {}, "1.6", complete=True)) == 1
    fan = Setting(Variable("Speed", "Fan"), "1")
    assert spelt_for(fan, "1.6") is None
    assert spelt_for(fan, "2.1") == fan


@pytest.mark.parametrize(
    ("value", "known", "hint"),
    [
        ("60", Actual("30", "read_only"), "read-only"),
        ("soon", Actual("30", data_type="integer"), "a number"),
        ("1.5", Actual("30", data_type="integer"), "whole number"),
        ("5", Actual("30", data_type="integer", min_limit=10), "10 at least"),
        ("5000", Actual("30", data_type="decimal", max_limit=100), "100 at most"),
        ("yes", Actual("true", data_type="boolean"), "true or false"),
        ("C", Actual("A", data_type="option_list", values_list="A,B"), "A, B"),
        ("A,C", Actual("A", data_type="member_list", values_list="A, B"), "'C'"),
        ("12345", Actual("", data_type="string", max_limit=4), "4 characters"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(value: str, known: Actual, hint: str) -> None:
    assert hint in refusal_of(Setting(Variable("V", "C"), value), known)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("60", None),
        ("60", Actual("30", "read_write", "integer", None, 1, 100)),
        ("B, A", Actual("A", data_type="member_list", values_list="A,B")),
        ("false", Actual("true", data_type="boolean")),
    ],
)
def test_what_may_fit_is_left_to_the_station(value: str, known: Actual | None) -> None:
    assert refusal_of(Setting(Variable("V", "C"), value), known) == ""


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ({"key": "AuthorizationKey", "value": "x"}, "secret"),
        ({"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "x"}, "secret"),
        ({"name": "NumberOfConnectors", "value": "2"}, "read-only"),
        ({"key": "HeartbeatInterval", "value": "often"}, "number"),
        ({"name": "OCPPCommCtrlr/HeartbeatInterval", "value": "often"}, "number"),
    ],
)
def test_an_entry_that_no_station_can_take_is_refused(entry: dict[str, Any], hint: str) -> None:
    assert hint in entry_refusal(entry)


def test_an_entry_of_a_vendors_own_is_taken_as_it_is() -> None:
    assert entry_refusal({"key": "FreeMode", "value": "whatever"}) == ""
    assert setting_of({"key": "FreeMode", "value": "x"}) == Setting(Variable("FreeMode"), "x", key="FreeMode")
