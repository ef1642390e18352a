"""T6, T7: whatever stands in a field, the station is answered, and what is kept fits into the database."""

import asyncio
import json
import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotwire.domain.sessions.records import SampleKept, SessionKept
from pilotwire.domain.stations.records import ReportKept
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, direction
from tests.support.quirk_corpus.player import Played
from tests.support.schema_strategies import full_example, schemas

ACTIONS = [
    (version, action)
    for version in OcppVersion
    for action in sorted(actions(version))
    if direction(version, action) in ("cs", "both")
]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, "", " ", "\0", "a\0b", "\ufffd", "x" * 3000, 0, -1, 2**31, -(2**31) - 1, 2**63, 10**40, -(10**40),
        0.1, 1e-320, 1e308, -1e308, "1e308", "-1e-400", "NaN", "Infinity", "9" * 400, "1_000", "0x1F", "\u0663",
        "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
        "222222017-01-01T00:00:00Z", "2026-02-30T12:00:00Z", [], {}, [[]], [None], {"a": {}}, [{}] * 30,
        "'; DROP TABLE session; --", "<script>alert(1)</script>", "=1+1", "\u202e", "\U0001f50c" * 50,
    ]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        found += places(each, (*path, key))
    return found


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The document with another value in one place."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], odd)
    return copy


@settings(
    max_examples=350,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_value_in_any_field(caplog: pytest.LogCaptureFixture, data: st.DataObject) -> None:
    version, action = data.draw(st.sampled_from(ACTIONS))
    name = f"{action}Request" if f"{action}Request" in schemas(version.value) else action
    document = full_example(version.value, name)
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(places(document) or [()]))
        document = changed(document, where, data.draw(ODD))
        if not isinstance(document, dict | list):
            break
    frame = json.dumps([2, "1", action, document]).encode("utf-8", "surrogatepass")
    played = Played({"quirk": "", "version": version.value, "frame": frame.decode("utf-8", "replace")})
    with caplog.at_level(logging.ERROR):
        asyncio.run(_play(played))
    assert played.wire.closed is None
    if played.wire.sent:
        answer = json.loads(played.wire.sent[0])
        assert answer[0] == 3 or answer[2] != "InternalError", (frame, answer)
    for record in played.books.records:
        assert_storable(record)


async def _play(played: Played) -> None:
    await played.play()


def assert_storable(value: Any) -> None:
    """Raise where a value fits none of the columns: integer, real, numeric(16,3), text, timestamptz."""
    if isinstance(value, SampleKept):
        for name in value.sample.__struct_fields__:
            assert_column(getattr(value.sample, name))
    elif isinstance(value, SessionKept):
        facts = value.facts
        for each in (
            facts.meter_start_wh,
            facts.meter_end_wh,
            facts.energy_wh,
            facts.remote_start_id,
            facts.evse_no,
        ):
            assert_column(each)
        for place in (facts.last_power, facts.last_soc):
            assert_column(place and place[1])
        assert_column(msgspec.json.encode(facts).decode())
    else:
        if isinstance(value, ReportKept):
            assert "\\u0000" not in value.content.replace("\\\\", "")
            json.loads(value.content)
        for name in value.__struct_fields__:
            assert_column(getattr(value, name))


def assert_column(value: Any) -> None:
    match value:
        case bool() | None:
            return
        case int():
            assert -(2**31) <= value < 2**31
        case float():
            assert value == 0 or 1e-37 < abs(value) < 3e38
        case Decimal():
            assert value.is_finite()
            assert abs(value) < 10**13
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            assert exponent > -100
        case str():
            assert "\0" not in value
            value.encode()
        case datetime():
            assert 1900 < value.year < 10_000
