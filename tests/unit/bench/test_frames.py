"""What the load generator says is valid OCPP, and wrong answers to it do not pass."""

import json
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, cast

import jsonschema_rs
import pytest

from bench.frames import BOOT, CYCLE, DIALECTS, HEARTBEAT, KIND_NAMES, SAMPLES, START, STATUS, STOP, Speaker
from bench.load import percentiles_ms

KINDS = range(len(KIND_NAMES))
STAMP = "2026-01-01T00:00:00.000Z"
PACKAGES = {"1.6": ("v16", ""), "2.0.1": ("v201", "Request"), "2.1": ("v21", "Request")}


def new_station() -> Speaker:
    station = SimpleNamespace(
        identity="S", token_uid="TAG", transaction_id=7, meter_wh=0, sequence=0, status_step=0
    )
    return cast("Speaker", station)


def schema_of(version: str, action: str) -> dict[str, Any]:
    package, suffix = PACKAGES[version]
    text = (files("ocpp") / package / "schemas" / f"{action}{suffix}.json").read_text("utf-8-sig")
    return cast("dict[str, Any]", json.loads(text))


@pytest.mark.parametrize("version", DIALECTS)
def test_a_whole_cycle_is_valid_by_the_official_schemas(version: str) -> None:
    station, dialect = new_station(), DIALECTS[version]
    for number, kind in enumerate((BOOT, *CYCLE, *CYCLE)):
        message_type, message_id, action, payload = json.loads(
            dialect.build[kind](station, str(number), STAMP)
        )
        assert (message_type, message_id) == (2, str(number))
        jsonschema_rs.validator_for(schema_of(version, action)).validate(payload)


def test_the_mix_is_the_documented_one() -> None:
    shares = {kind: CYCLE.count(kind) / len(CYCLE) for kind in KINDS}
    assert shares == {BOOT: 0, HEARTBEAT: 0.2, STATUS: 0.15, START: 0.025, SAMPLES: 0.6, STOP: 0.025}


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize("kind", [BOOT, HEARTBEAT, START])
def test_an_empty_answer_is_a_fault_where_fields_are_required(version: str, kind: int) -> None:
    assert DIALECTS[version].check[kind](new_station(), {})


@pytest.mark.parametrize("version", DIALECTS)
def test_a_refused_start_is_a_fault(version: str) -> None:
    refused = {"transactionId": 1, "idTagInfo": {"status": "Invalid"}, "idTokenInfo": {"status": "Invalid"}}
    assert DIALECTS[version].check[START](new_station(), refused)


def test_the_transaction_id_of_16_comes_from_the_answer() -> None:
    station, dialect = new_station(), DIALECTS["1.6"]
    assert dialect.check[START](station, {"transactionId": 42, "idTagInfo": {"status": "Accepted"}}) is None
    assert json.loads(dialect.build[STOP](station, "1", STAMP))[3]["transactionId"] == 42


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles_ms([n / 1000 for n in range(1, 101)]) == {"p50": 51, "p95": 96, "p99": 100, "max": 100}
    assert percentiles_ms([]) == {}
