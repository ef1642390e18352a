import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.ocpp.codec.envelope import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    Send,
    build_call,
    build_error,
    build_result,
    build_result_error,
    build_send,
    parse_frame,
    parse_frame_leniently,
)
from pilotwire.ocpp.codec.errors import FaultKind, FrameError
from pilotwire.ocpp.codec.version import OcppVersion

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=36)


@given(message_id=texts, action=texts)
def test_a_call_survives_the_round_trip(message_id: str, action: str) -> None:
    frame = parse_frame(V16, build_call(message_id, action, b'{"a":1}'))
    assert isinstance(frame, Call)
    assert (frame.message_id, frame.action, bytes(frame.payload)) == (message_id, action, b'{"a":1}')


@given(message_id=texts, code=texts, description=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_refusal_survives_the_round_trip_cut_to_what_is_allowed(
    message_id: str, code: str, description: str
) -> None:
    frame = parse_frame(V201, build_error(message_id, code, description, b'{"b":2}'))
    assert isinstance(frame, CallError)
    assert (frame.message_id, frame.code, bytes(frame.details)) == (message_id, code, b'{"b":2}')
    assert frame.description == description[:255]


def test_an_answer_and_the_frames_of_21() -> None:
    assert isinstance(parse_frame(V16, build_result("1", b"{}")), CallResult)
    refused = parse_frame(V21, build_result_error("1", "GenericError", "no"))
    assert isinstance(refused, CallResultError)
    sent = parse_frame(V21, build_send("1", "NotifyPeriodicEventStream", b"{}"))
    assert isinstance(sent, Send)


def test_a_description_that_is_no_utf8_is_sent_nonetheless() -> None:
    assert json.loads(build_error("1", "InternalError", "a\ud800b"))[3] == "a?b"


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize("frame", [b'[5,"1","E","",{}]', b'[6,"1","A",{}]', b'[7,"1","A",{}]', b'[1,"1"]'])
def test_a_message_type_of_another_version_is_refused_with_its_id(version: OcppVersion, frame: bytes) -> None:
    for parse in (parse_frame, parse_frame_leniently):
        with pytest.raises(FrameError) as caught:
            parse(version, frame)
        assert caught.value.kind is FaultKind.MESSAGE_TYPE
        assert caught.value.message_id == "1"
    assert caught.value.code(V201) == "MessageTypeNotSupported"


@pytest.mark.parametrize(
    ("frame", "message_id", "message_type"),
    [
        (b"", None, None),
        (b"{}", None, None),
        (b"[]", None, None),
        (b"[2]", None, 2),
        (b'[2,"7"]', "7", 2),
        (b'[2,"7",{},{}]', "7", 2),
        (b'[2,"","A",{}]', None, 2),
        (b'[2,{},"A",{}]', None, 2),
        (b'[true,"7","A",{}]', "7", None),
        (b'[2,"7","A",{"a":', "7", 2),
        (b'[2,"7","A",{"a":1}}', "7", 2),
        (b'[2,"7","A",' + b"[" * 100_000, "7", 2),
        (b'[2,"7\\u0000","A",{}]', None, None),
        (b'[2,"7","\\u0000",{}]', None, None),
        (b'[2,"\xff","A",{}]', None, 2),
    ],
)
def test_what_is_no_frame_is_refused_with_what_could_be_read(
    frame: bytes, message_id: str | None, message_type: int | None
) -> None:
    for parse in (parse_frame, parse_frame_leniently):
        with pytest.raises(FrameError) as caught:
            parse(V16, frame)
        assert (caught.value.message_id, caught.value.message_type) == (message_id, message_type)


def test_a_long_message_id_is_refused_strictly_and_survived_leniently() -> None:
    data = b'[2,"%s","Heartbeat",{}]' % (b"x" * 37)
    with pytest.raises(FrameError):
        parse_frame(V16, data)
    frame, deviations = parse_frame_leniently(V16, data)
    assert frame.message_id == "x" * 37
    assert [each.code for each in deviations] == ["message_id_long"]
    with pytest.raises(FrameError):
        parse_frame_leniently(V16, b'[2,"%s","Heartbeat",{}]' % (b"x" * 256))


@pytest.mark.parametrize(
    ("data", "codes", "payload"),
    [
        (b'[2,"1","Heartbeat",{}]', [], b"{}"),
        (b'[2,"1","Heartbeat"]', ["payload_absent"], b"{}"),
        (b'[2,1,"Heartbeat",{}]', ["message_id_number"], b"{}"),
        (b'["2","1","Heartbeat",{}]', ["message_type_form"], b"{}"),
        (b'[2,"1"," Heartbeat",{},0]', ["action_blanks", "surplus_elements"], b"{}"),
        (
            b'[2,"1","StopTransaction",{"transactionId":,"a":1}]',
            ["value_missing"],
            b'{"transactionId":null,"a":1}',
        ),
        (b'[2,"1","MeterValues",{"sampledValue":[,{}]}]', ["stray_comma"], b'{"sampledValue":[{}]}'),
        (b'[2,"1","A",{"a":[1,],}]', ["trailing_comma"], b'{"a":[1]}'),
        (b'[2,"1","A",{"a":"x\r"}]', ["raw_control_character"], b'{"a":"x\\u000d"}'),
        (b'[2,"1","A",{"a":",]:,"},]', ["trailing_comma"], b'{"a":",]:,"}'),
    ],
)
def test_what_real_stations_send_is_survived(data: bytes, codes: list[str], payload: bytes) -> None:
    frame, deviations = parse_frame_leniently(V16, data)
    assert [each.code for each in deviations] == codes
    assert isinstance(frame, Call)
    assert frame.message_id == "1"
    assert bytes(frame.payload) == payload


def test_a_refusal_without_description_and_details_is_survived() -> None:
    frame, deviations = parse_frame_leniently(V16, b'[4,"1","FormationViolation"]')
    assert isinstance(frame, CallError)
    assert (frame.code, frame.description, bytes(frame.details)) == ("FormationViolation", "", b"{}")
    assert {each.code for each in deviations} == {"text_absent", "payload_absent"}


def test_a_truncated_configuration_keeps_its_complete_keys() -> None:
    data = b'[3,"1",{"configurationKey":[{"key":"a","readonly":true,"value":"]"},{"key":"b","reado'
    frame, deviations = parse_frame_leniently(V16, data)
    assert isinstance(frame, CallResult)
    assert json.loads(bytes(frame.payload)) == {
        "configurationKey": [{"key": "a", "readonly": True, "value": "]"}]
    }
    assert [each.code for each in deviations] == ["truncated_configuration"]


def test_no_other_truncated_frame_is_completed() -> None:
    with pytest.raises(FrameError):
        parse_frame_leniently(V16, b'[2,"1","MeterValues",{"meterValue":[{"timestamp":"2026')


def test_a_payload_does_not_depend_on_the_buffer_that_it_came_in() -> None:
    buffer = bytearray(b'[2,"1","A",{"a":1}]')
    frame = parse_frame(V16, memoryview(buffer))
    buffer[:] = b"x" * len(buffer)
    assert isinstance(frame, Call)
    assert bytes(frame.payload) == b'{"a":1}'
