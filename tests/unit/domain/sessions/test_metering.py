"""From readings to samples: units, phases, directions and dirt."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.sessions.messages import Sample
from pilotwire.domain.sessions.metering import Reading, fold_readings
from tests.unit.domain.sessions.bench import T0

REGISTER = "Energy.Active.Import.Register"
IMPORT, EXPORT = "Power.Active.Import", "Power.Active.Export"
many = settings(max_examples=100, deadline=None)


def fold(*readings: Reading) -> tuple[Sample, set[str]]:
    return fold_readings(T0, readings)


def sample(*readings: Reading) -> Sample:
    result, notes = fold(*readings)
    assert notes == set()
    return result


def phases(
    measurand: str, *values: float | None, names: tuple[str, ...] = ("L1", "L2", "L3")
) -> list[Reading]:
    return [
        Reading(str(value), measurand, phase=name)
        for name, value in zip(names, values, strict=True)
        if value is not None
    ]


# ---- energy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "energy_wh"),
    [
        (Reading("1234"), "1234"),
        (Reading("1234", unit="Wh"), "1234"),
        (Reading("1.234", unit="kWh"), "1234"),
        (Reading("1.234", unit="KWH"), "1234"),
        (Reading("1.234", unit="kwh"), "1234"),
        (Reading("0.001234", unit="MWh"), "1234"),
        (Reading("12.34", multiplier=2), "1234"),
        (Reading("12340", multiplier=-1), "1234"),
        (Reading("0.01234", unit="kWh", multiplier=2), "1234"),
        (Reading("1234.567"), "1234.567"),
        (Reading(" 1234 "), "1234"),
        (Reading("1234.0000000000000000001"), "1234"),
        (Reading("1e-20000"), "0"),
        (Reading("0"), "0"),
        (Reading("-5"), "-5"),
    ],
)
def test_the_register_is_in_wh(reading: Reading, energy_wh: str) -> None:
    energy = sample(reading).energy_wh
    assert energy == Decimal(energy_wh)
    assert energy is not None
    assert len(format(energy, "f")) < 30


@pytest.mark.parametrize(
    "value",
    [
        "",
        "NaN",
        "-Infinity",
        "abc",
        "1,5",
        "1e12",
        "999999999999999999999",
        "0x10",
        "None",
        "1e999999999",
        "12 kWh",
    ],
)
@pytest.mark.parametrize("measurand", [REGISTER, IMPORT, "Voltage", "Current.Import", "SoC"])
def test_what_is_not_a_number_is_noted_and_kept_apart(value: str, measurand: str) -> None:
    found, notes = fold(Reading(value, measurand), Reading("7", "Frequency"))
    assert notes == {"meter_value_not_a_number"}
    kept = json.loads(found.other or "")
    assert [each["measurand"] for each in kept] == [measurand, "Frequency"]
    assert (found.energy_wh, found.power_w, found.voltage_l1_v, found.soc_percent) == (None,) * 4


@pytest.mark.parametrize("multiplier", [400, -400, 10**9, -(10**9), 2**62])
@pytest.mark.parametrize("measurand", [REGISTER, IMPORT, "SoC", "Voltage"])
def test_a_multiplier_beyond_reason_is_no_fault_of_ours(multiplier: int, measurand: str) -> None:
    found, notes = fold(Reading("1.5", measurand, multiplier=multiplier))
    values = (found.energy_wh, found.power_w, found.soc_percent, found.voltage_l1_v)
    assert all(value is None or value == 0 for value in values)
    assert notes <= {"meter_value_not_a_number"}


def test_energy_by_phase_is_summed_where_no_total_is_said() -> None:
    by_phase = phases(REGISTER, 100, 200, 300)
    assert sample(*by_phase).energy_wh == 600
    assert sample(*by_phase, Reading("601", REGISTER)).energy_wh == 601
    assert sample(*by_phase, Reading("5", REGISTER, phase="N")).energy_wh == 600
    assert sample(Reading("5", REGISTER, phase="N")).energy_wh == 5


def test_a_phase_that_is_named_twice_is_not_counted_twice() -> None:
    both = [
        *phases(REGISTER, 100, 200, 300),
        *phases(REGISTER, 100, 200, 300, names=("L1-N", "L2-N", "L3-N")),
    ]
    assert sample(*both).energy_wh == 600
    power = [*phases(IMPORT, 1.0, 2.0, 3.0), *phases(IMPORT, 1.0, 2.0, 3.0, names=("L1-N", "L2-N", "L3-N"))]
    assert sample(*power).power_w == 6


@pytest.mark.parametrize("location", ["Inlet", "EV", "Cable", "Body", "Upstream"])
def test_values_of_another_place_are_kept_apart(location: str) -> None:
    found = sample(Reading("1", REGISTER, location=location), Reading("2", IMPORT, location=location))
    assert (found.energy_wh, found.power_w) == (None, None)
    assert len(json.loads(found.other or "")) == 2
    assert sample(Reading("1", REGISTER, location="Outlet")).energy_wh == 1


@many
@given(st.integers(-(10**11), 10**11), st.sampled_from(["Wh", "kWh", None]), st.integers(-3, 3))
def test_the_register_is_exact(value: int, unit: str | None, multiplier: int) -> None:
    found, notes = fold(Reading(str(value), unit=unit, multiplier=multiplier))
    expected = Decimal(value) * Decimal(10) ** (multiplier + (3 if unit == "kWh" else 0))
    if abs(expected) < 10**12:
        assert found.energy_wh == expected
        assert not notes
    else:
        assert found.energy_wh is None


# ---- power -------------------------------------------------------------------------------------------------

watts = st.integers(0, 100_000).map(lambda tenths: tenths / 10)


@many
@given(watts, watts, watts)
def test_missing_total_is_the_sum_of_the_phases(one: float, two: float, three: float) -> None:
    found = sample(*phases(IMPORT, one, two, three))
    assert found.power_w == pytest.approx(one + two + three)


@many
@given(watts, watts, watts, st.floats(0, 2).filter(lambda f: abs(abs(f - 1) - 0.1) > 1e-6))
def test_a_total_that_is_far_off_gives_way_to_the_sum(
    one: float, two: float, three: float, factor: float
) -> None:
    whole = one + two + three
    found, notes = fold(*phases(IMPORT, one, two, three), Reading(repr(whole * factor), IMPORT))
    off = abs(factor - 1) * whole > 0.1 * max(whole, 1.0)
    assert notes == ({"meter_total_off"} if off else set())
    assert found.power_w == pytest.approx(whole if off else whole * factor, abs=1e-5)


def test_a_total_holds_where_not_all_phases_are_said() -> None:
    assert sample(*phases(IMPORT, 1000, None, None), Reading("3000", IMPORT)).power_w == 3000


@pytest.mark.parametrize(
    ("readings", "power_w"),
    [
        ([Reading("3.6", IMPORT, "kW")], 3600),
        ([Reading("3600", IMPORT, "W"), Reading("0", EXPORT, "W")], 3600),
        ([Reading("0", IMPORT, "W"), Reading("3600", EXPORT, "W")], -3600),
        ([Reading("3600", EXPORT, "W")], -3600),
        ([Reading("-3600", EXPORT, "W")], -3600),
        ([Reading("-3600", IMPORT, "W")], -3600),
        ([Reading("3.6", IMPORT, multiplier=3)], 3600),
        ([Reading("3600", IMPORT, phase="N")], 3600),
        (phases(EXPORT, 1000, 1000, 1000), -3000),
        ([Reading("1e-300", IMPORT)], 0),
    ],
)
def test_power_is_import_less_export(readings: list[Reading], power_w: float) -> None:
    assert sample(*readings).power_w == power_w


# ---- current, voltage, charge ------------------------------------------------------------------------------


def amps(found: Sample) -> tuple[float | None, ...]:
    return found.current_l1_a, found.current_l2_a, found.current_l3_a


def volts(found: Sample) -> tuple[float | None, ...]:
    return found.voltage_l1_v, found.voltage_l2_v, found.voltage_l3_v


@pytest.mark.parametrize("names", [("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N")])
def test_current_of_a_phase_may_be_labelled_against_neutral(names: tuple[str, ...]) -> None:
    assert amps(sample(*phases("Current.Import", 16, 15, 14, names=names))) == (16, 15, 14)


def test_neutral_beside_phases_is_left_out_and_alone_it_counts() -> None:
    neutral = Reading("3", "Current.Import", phase="N")
    assert amps(sample(*phases("Current.Import", 16, 15, 14), neutral)) == (16, 15, 14)
    assert amps(sample(Reading("10", "Current.Import"), neutral)) == (10, None, None)
    assert amps(sample(neutral)) == (3, None, None)


def test_current_export_while_drawing_is_taken_for_import() -> None:
    export = phases("Current.Export", 16, 16, 16)
    found, notes = fold(*export, Reading("11000", IMPORT))
    assert (amps(found), notes) == ((16, 16, 16), {"current_export_for_import"})
    found, notes = fold(*export, Reading("11000", EXPORT))
    assert (amps(found), notes) == ((16, 16, 16), set())
    assert amps(sample(*export, *phases("Current.Import", 1, 1, 1))) == (1, 1, 1)


def test_voltage_between_lines_becomes_voltage_of_phases() -> None:
    found, notes = fold(*phases("Voltage", 400, 400, 400, names=("L1-L2", "L2-L3", "L3-L1")))
    assert notes == {"voltage_between_lines"}
    assert volts(found) == pytest.approx((230.94, 230.94, 230.94), abs=0.01)
    both = [
        *phases("Voltage", 400, 400, 400, names=("L1-L2", "L2-L3", "L3-L1")),
        *phases("Voltage", 231, 232, 233),
    ]
    assert volts(sample(*both)) == (231, 232, 233)


@pytest.mark.parametrize("measurand", [IMPORT, "Current.Import"])
def test_only_a_voltage_can_lie_between_lines(measurand: str) -> None:
    found = sample(Reading("400", measurand, phase="L1-L2"))
    assert volts(found) == (None, None, None)
    assert json.loads(found.other or "")[0]["phase"] == "L1-L2"


def test_direct_current_is_on_the_first_phase() -> None:
    found = sample(Reading("125", "Current.Import"), Reading("400", "Voltage"), Reading("50000", IMPORT))
    assert (amps(found)[0], volts(found)[0], found.power_w) == (125, 400, 50000)


@pytest.mark.parametrize(
    ("value", "known"), [("0", 0), ("100", 100), ("55.5", 55.5), ("-1", None), ("255", None)]
)
def test_a_state_of_charge_is_a_percentage(value: str, known: float | None) -> None:
    assert fold(Reading(value, "SoC", location="EV"))[0].soc_percent == known


# ---- everything else ---------------------------------------------------------------------------------------


def test_signed_values_are_kept_once_beside_the_number() -> None:
    found = sample(Reading("1500", signed="OCMF|{}|{}"))
    assert found.energy_wh == 1500
    assert json.loads(found.other or "") == [{"value": "1500", "measurand": REGISTER, "signed": "OCMF|{}|{}"}]
    only = sample(Reading("", signed="A1B2"))  # 1.6: the signed data stand in the place of the number
    assert only.energy_wh is None
    assert json.loads(only.other or "") == [{"value": "", "measurand": REGISTER, "signed": "A1B2"}]


def test_what_has_no_column_is_kept() -> None:
    found = sample(
        Reading("50.01", "Frequency", "Hertz"), Reading("31", "Temperature", "Celsius", location="Body")
    )
    assert json.loads(found.other or "") == [
        {"value": "50.01", "measurand": "Frequency", "unit": "Hertz"},
        {"value": "31", "measurand": "Temperature", "unit": "Celsius", "location": "Body"},
    ]


def test_the_context_is_the_first_that_is_said() -> None:
    assert sample(Reading("1"), Reading("2", IMPORT, context="Sample.Clock")).context == "Sample.Clock"
    assert sample().context is None


_ODD: st.SearchStrategy[Any] = st.text(max_size=12) | st.floats().map(repr) | st.integers().map(str)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Reading,
            _ODD,
            st.sampled_from(
                [REGISTER, IMPORT, EXPORT, "Current.Import", "Current.Export", "Voltage", "SoC", "RPM"]
            ),
            st.sampled_from([None, "Wh", "kWh", "W", "kW", "V", "A", "Percent", "bananas"]),
            st.sampled_from([None, "L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"]),
            st.sampled_from([None, "Outlet", "EV"]),
            st.none(),
            st.integers(-(2**63), 2**63) | st.integers(-6, 6),
            st.none() | st.text(max_size=5),
        ),
        max_size=8,
    )
)
def test_any_readings_give_a_sample_that_the_database_takes(readings: list[Reading]) -> None:
    found, _ = fold(*readings)
    if found.energy_wh is not None:
        assert abs(found.energy_wh) < 10**13  # numeric(16,3)
        assert len(format(found.energy_wh, "f")) < 40
    for name in (
        "power_w",
        *(f"{kind}_l{n}_{unit}" for kind, unit in (("current", "a"), ("voltage", "v")) for n in (1, 2, 3)),
    ):
        value = getattr(found, name)
        assert value is None or value == 0 or 1e-7 < abs(value) < 4e12  # float4
    assert found.other is None or isinstance(json.loads(found.other), list)
