"""Texts with a code: the same English as ever, and what a client needs to say it otherwise."""

import ast
import json
from pathlib import Path

import pytest

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from scripts.generate_texts import TEXTS, calls_of_say, gather


def test_a_text_is_english_with_its_code_and_plain_values() -> None:
    text = say("station_unknown", "there is no station '{station}' of {count}", station=Path("CP-1"), count=3)
    assert str(text) == "there is no station 'CP-1' of 3"
    assert text.reason() == {"code": "station_unknown", "values": {"station": "CP-1", "count": 3}}


def test_an_error_keeps_the_code_of_its_detail() -> None:
    text = say("station_unknown", "there is no station '{station}'", station="CP-1")
    told = NotFound(text)
    assert told.detail == str(told) == "there is no station 'CP-1'"
    assert told.said is text
    plain = NotFound("something else")
    assert (plain.detail, plain.text, plain.said) == ("something else", None, "something else")
    assert str(NotFound()) == NotFound.title()


def test_the_texts_for_translators_are_those_of_the_source() -> None:
    assert json.loads(TEXTS.read_text(encoding="utf-8")) == gather(), "run scripts/generate_texts.py"


@pytest.mark.parametrize(
    "call", ['say(code, "a text")', 'say("code", f"a {text}", text=text)', 'say("code")']
)
def test_what_cannot_be_gathered_is_refused(call: str) -> None:
    with pytest.raises(ValueError, match="literal"):
        list(calls_of_say(ast.parse(call), Path("x.py")))
