"""Every message of every version against the official schemas: accepted alike, refused alike, sent alike."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pilotwire.ocpp.codec.errors import PayloadError
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, decode_request, decode_response, encode
from pilotwire.ocpp.codec.wiretypes import WireStruct
from tests.support.schema_strategies import (
    Message,
    documents,
    full_example,
    messages,
    mutants,
    same,
    schemas,
    validator,
)

EVERY_MESSAGE = messages("1.6", "2.0.1", "2.1")
quick = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

# How the versions call each fault. Spec: OCPP-J 1.6 4.2.3 table 7; OCPP 2.x part 4, 4.3.
CODES = {
    "missing": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "unknown": ("FormationViolation", "ProtocolError"),
    "type": ("TypeConstraintViolation", "TypeConstraintViolation"),
    "enum": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "format": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "too long": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "range": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "step": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "too few": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "too many": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
}


def named(message: Message) -> str:
    return f"{message.version}-{message.action}-{message.kind}"


def decode(message: Message, document: Any) -> WireStruct:
    read = decode_request if message.kind == "request" else decode_response
    return read(OcppVersion(message.version), message.action, json.dumps(document).encode())


def encoded(message: Message, struct: WireStruct) -> Any:
    kind = "request" if message.kind == "request" else "response"
    return json.loads(encode(OcppVersion(message.version), message.action, kind, struct))


@pytest.mark.parametrize(("version", "count"), [("1.6", 39), ("2.0.1", 64), ("2.1", 91)])
def test_every_action_of_the_schemas_is_known(version: str, count: int) -> None:
    known = actions(OcppVersion(version))
    assert known == {each.action for each in messages(version)}
    assert len(known) == count


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=named)
def test_a_message_with_every_field_survives_the_round_trip(message: Message) -> None:
    document = full_example(message.version, message.name)
    oracle = validator(message.version, message.name)
    if schemas(message.version)[message.name].get("properties", {}).keys() & {"location"}:
        document = {**document, "location": "ftp://example.org/x"} if message.version == "1.6" else document
    oracle.validate(document)
    assert same(encoded(message, decode(message, document)), document)


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=named)
def test_what_the_schema_accepts_is_read_and_written_back_the_same(message: Message) -> None:
    oracle = validator(message.version, message.name)

    @quick
    @given(documents(message.version, message.name))
    def check(document: Any) -> None:
        assume(oracle.is_valid(document))
        written = encoded(message, decode(message, document))
        oracle.validate(written)
        assert same(written, document)

    check()


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=named)
def test_what_the_schema_refuses_is_refused_with_the_code_of_the_version(message: Message) -> None:
    oracle = validator(message.version, message.name)

    @quick
    @given(documents(message.version, message.name), st.data())
    def check(document: Any, data: st.DataObject) -> None:
        candidates = mutants(message.version, message.name, document)
        assume(candidates)
        mutant = data.draw(st.sampled_from(candidates))
        assume(not oracle.is_valid(mutant.document))
        with pytest.raises(PayloadError) as caught:
            decode(message, mutant.document)
        expected = CODES[mutant.fault][message.version != "1.6"]
        assert caught.value.code(OcppVersion(message.version)) == expected

    check()


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=named)
def test_every_single_fault_in_a_full_message_is_refused_with_the_code_of_the_version(
    message: Message,
) -> None:
    oracle = validator(message.version, message.name)
    document = full_example(message.version, message.name)
    for mutant in mutants(message.version, message.name, document):
        assert not oracle.is_valid(mutant.document)
        with pytest.raises(PayloadError) as caught:
            decode(message, mutant.document)
        expected = CODES[mutant.fault][message.version != "1.6"]
        assert caught.value.code(OcppVersion(message.version)) == expected, mutant
