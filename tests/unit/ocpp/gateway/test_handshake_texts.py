"""The console explains every failed handshake in every language."""

import json
from pathlib import Path

import pytest

from pilotwire.ocpp.gateway.handshake_log import EXPLANATIONS
from pilotwire.ocpp.gateway.ports import HandshakeProblem

TEXTS = sorted((Path(__file__).parents[4] / "console" / "src" / "i18n").glob("*/handshakes.json"))


def test_the_server_explains_every_problem() -> None:
    assert set(EXPLANATIONS) == set(HandshakeProblem)


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.parent.name)
def test_the_console_explains_the_problems_there_are_and_no_others(file: Path) -> None:
    texts = json.loads(file.read_text(encoding="utf-8"))
    assert set(texts) == {problem.value for problem in HandshakeProblem}
    assert all(texts.values())


def test_there_are_two_languages() -> None:
    assert [file.parent.name for file in TEXTS] == ["de", "en"]
