"""OCPP 2.0.1 and 2.1 share one tree of types; what exists only since 2.1 stays out of 2.0.1, both ways."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from pilotwire.ocpp.codec.errors import FaultKind, PayloadError, UnknownAction
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import (
    actions,
    decode_request,
    decode_response,
    encode,
    request_type,
    response_type,
)
from pilotwire.ocpp.codec.wiretypes import MessageKind, WireStruct
from tests.support.schema_strategies import (
    Message,
    documents,
    full_example,
    later_fields,
    later_values,
    messages,
    same,
    schemas,
    validator,
)

V201, V21 = OcppVersion.V201, OcppVersion.V21
OLD_MESSAGES = messages("2.0.1")
quick = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def named(message: Message) -> str:
    return message.name


def decode(version: OcppVersion, message: Message, document: Any) -> WireStruct:
    read = decode_request if message.kind == "request" else decode_response
    return read(version, message.action, json.dumps(document).encode())


def kind_of(message: Message) -> MessageKind:
    return "request" if message.kind == "request" else "response"


def test_the_older_version_has_only_its_own_actions() -> None:
    newer_only = actions(V21) - actions(V201)
    assert len(newer_only) == 27
    for action in newer_only:
        with pytest.raises(UnknownAction) as caught:
            decode_request(V201, action, b"{}")
        assert caught.value.code(V201) == "NotImplemented"


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_an_older_message_is_read_into_the_newer_type(message: Message) -> None:
    wanted = request_type if message.kind == "request" else response_type
    struct = decode(V201, message, full_example("2.0.1", message.name))
    assert isinstance(struct, wanted(V21, message.action))


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_fields_since_21_are_refused_in_201(message: Message) -> None:
    document = full_example("2.0.1", message.name)
    for changed in later_fields("2.0.1", "2.1", message.name, document):
        with pytest.raises(PayloadError) as caught:
            decode(V201, message, changed)
        assert caught.value.kind is FaultKind.UNKNOWN_FIELD
        assert caught.value.code(V201) == "ProtocolError"


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_values_since_21_are_refused_in_201(message: Message) -> None:
    document = full_example("2.0.1", message.name)
    for changed in later_values("2.0.1", "2.1", message.name, document):
        with pytest.raises(PayloadError) as caught:
            decode(V201, message, changed)
        assert caught.value.kind is FaultKind.VALUE


def test_the_versions_do_differ_where_these_tests_look() -> None:
    fields = [
        changed
        for each in OLD_MESSAGES
        for changed in later_fields("2.0.1", "2.1", each.name, full_example("2.0.1", each.name))
    ]
    values = [
        changed
        for each in OLD_MESSAGES
        for changed in later_values("2.0.1", "2.1", each.name, full_example("2.0.1", each.name))
    ]
    assert len(fields) > 100
    assert len(values) > 100


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_fields_since_21_are_not_sent_to_a_201_station(message: Message) -> None:
    document = full_example("2.0.1", message.name)
    for changed in later_fields("2.0.1", "2.1", message.name, document):
        if not validator("2.1", message.name).is_valid(changed):
            continue
        written = encode(V201, message.action, kind_of(message), decode(V21, message, changed))
        assert same(json.loads(written), document)


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_nothing_that_201_refuses_is_ever_sent_to_a_201_station(message: Message) -> None:
    oracle = validator("2.0.1", message.name)

    @quick
    @given(documents("2.1", message.name))
    def check(document: Any) -> None:
        assume(validator("2.1", message.name).is_valid(document))
        struct = decode(V21, message, document)
        try:
            written = encode(V201, message.action, kind_of(message), struct)
        except PayloadError as refused:
            assert refused.kind in {FaultKind.VALUE, FaultKind.TYPE, FaultKind.MISSING}  # noqa: PT017
        else:
            oracle.validate(json.loads(written))

    check()


@pytest.mark.parametrize("message", OLD_MESSAGES, ids=named)
def test_what_both_versions_accept_reads_alike(message: Message) -> None:
    @quick
    @given(documents("2.0.1", message.name))
    def check(document: Any) -> None:
        assume(validator("2.1", message.name).is_valid(document))
        older, newer = decode(V201, message, document), decode(V21, message, document)
        kind = kind_of(message)
        assert same(
            json.loads(encode(V201, message.action, kind, older)),
            json.loads(encode(V21, message.action, kind, newer)),
        )

    check()


def test_the_field_that_21_demands_is_no_field_of_201() -> None:
    name = "NotifyMonitoringReportRequest"
    (message,) = (each for each in OLD_MESSAGES if each.name == name)
    document = full_example("2.0.1", name)
    assert decode(V201, message, document)
    with pytest.raises(PayloadError) as caught:
        decode(V21, message, document)
    assert caught.value.kind is FaultKind.MISSING
    assert caught.value.path.endswith("eventNotificationType")
    assert "eventNotificationType" not in json.dumps(document)
    assert "VariableMonitoringType" in schemas("2.1")[name]["definitions"]
