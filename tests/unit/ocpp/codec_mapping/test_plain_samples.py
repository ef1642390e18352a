"""The quick way to a sample leads where the thorough one leads, whatever the readings are."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.sessions.metering import fold_readings
from pilotwire.ocpp.codec.v2 import metering as v2
from pilotwire.ocpp.codec.v2.wire.types import MeterValueType
from pilotwire.ocpp.codec.v16 import metering as v16
from pilotwire.ocpp.codec.v16.wire.core import MeterValue

STAMP = "2026-03-01T12:00:00Z"
MEASURANDS = [
    "Energy.Active.Import.Register", "Power.Active.Import", "Power.Active.Export", "Current.Import", "Current.Export",
    "Voltage", "SoC", "Frequency",
]  # fmt: skip
UNITS = {"1.6": ["Wh", "kWh", "W", "kW", "A", "V", "Percent"], "2.x": ["Wh", "kWh", "W", "bananas", ""]}
PHASES = ["L1", "L2", "L3", "L1-N", "L2-N", "L3-N", "N", "L1-L2"]
ODD_TEXTS = [
    "",
    " 7 ",
    "1_0",
    "nan",
    "-inf",
    "1e3",
    "1e-7",
    "0e-9",
    "1.0000000000000001",
    "١٢",
    "0x1",
    "-0",
    "-0.0",
]
numbers = st.sampled_from(
    [0, 0.0, -0.0, 1e-7, 0.0009, 0.001, 999999999999, 1e12, 1e300, -5.5, 100, 100.1]
) | st.floats(0, 1e6)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def readings(version: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    value = numbers if version == "2.x" else numbers.map(repr) | st.sampled_from(ODD_TEXTS)
    common = {
        "measurand": st.sampled_from(MEASURANDS),
        "phase": st.sampled_from(PHASES),
        "location": st.sampled_from(["Outlet", "EV"]),
        "context": st.sampled_from(["Sample.Periodic", "Transaction.Begin"]),
    }
    unit = st.sampled_from(UNITS[version])
    if version == "1.6":
        more = optional(**common, unit=unit, format=st.sampled_from(["Raw", "SignedData"]))
    else:
        measure = optional(unit=unit, multiplier=st.sampled_from([0, 3, -1]))
        more = optional(**common, unitOfMeasure=measure)
    one = st.tuples(more, value).map(lambda parts: {**parts[0], "value": parts[1]})
    return st.lists(one, min_size=1, max_size=6)


def both(version: str, given_readings: list[dict[str, Any]]) -> tuple[Any, Any, set[str]]:
    codec: Any = v16 if version == "1.6" else v2
    document = json.dumps({"timestamp": STAMP, "sampledValue": given_readings}).encode()
    value: Any = msgspec.json.decode(document, type=MeterValue if version == "1.6" else MeterValueType)
    thorough, notes = fold_readings(value.timestamp, [codec._reading(each) for each in value.sampledValue])
    return codec._plain(value), thorough, notes


@pytest.mark.parametrize("version", ["1.6", "2.x"])
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_both_ways_lead_to_the_same_sample(version: str, data: st.DataObject) -> None:
    quick, thorough, notes = both(version, data.draw(readings(version)))
    if quick is not None:
        assert repr(quick) == repr(thorough)  # 0.0 and -0.0 are equal, and so are 1 and 1.0
        assert notes == set()


@pytest.mark.parametrize("version", ["1.6", "2.x"])
def test_the_usual_meter_values_take_the_quick_way(version: str) -> None:
    def unit(name: str) -> dict[str, Any]:
        return {"unit": name} if version == "1.6" else {"unitOfMeasure": {"unit": name}}

    def number(value: float) -> Any:
        return str(value) if version == "1.6" else value

    three_phases = [
        {"measurand": measurand, "phase": phase, "value": number(value), **unit(unit_name)}
        for measurand, value, unit_name in (("Current.Import", 16.1, "A"), ("Voltage", 0, "V"))
        for phase in ("L1", "L2", "L3")
    ]
    quick, thorough, notes = both(
        version,
        [
            {"value": number(1234.5), "context": "Sample.Periodic"},
            {"measurand": "Power.Active.Import", "value": number(11000), "location": "Outlet", **unit("W")},
            {"measurand": "SoC", "value": number(55), **unit("Percent")},
            *three_phases,
        ],
    )
    assert quick is not None
    assert repr(quick) == repr(thorough)
    assert notes == set()
