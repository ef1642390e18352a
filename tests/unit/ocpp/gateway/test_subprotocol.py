"""Which version is spoken."""

import pytest

from pilotwire.ocpp.gateway.subprotocol import (
    REPAIRED_SPELLINGS,
    SERVER_PREFERENCE,
    choose_subprotocol,
    spelling_to_answer,
)


@pytest.mark.parametrize(
    ("offered", "version", "answer"),
    [
        (["ocpp1.6"], "ocpp1.6", "ocpp1.6"),
        (["ocpp1.6", "ocpp2.0.1"], "ocpp2.0.1", "ocpp2.0.1"),
        (["ocpp1.6", "ocpp2.1", "ocpp2.0.1"], "ocpp2.1", "ocpp2.1"),
        (["OCPP1.6"], "ocpp1.6", "OCPP1.6"),
        (["ocpp1.6j"], "ocpp1.6", "ocpp1.6j"),
        (["ocpp16"], "ocpp1.6", "ocpp16"),
        (["mqtt", "ocpp201"], "ocpp2.0.1", "ocpp201"),
        (["ocpp1.6J", "ocpp1.6"], "ocpp1.6", "ocpp1.6"),
    ],
)
def test_the_newest_common_version_is_answered_in_the_stations_spelling(
    offered: list[str], version: str, answer: str
) -> None:
    choice = choose_subprotocol(offered)
    assert choice is not None
    assert choice.version == version
    assert spelling_to_answer(offered, choice.header) == answer


def test_no_header_means_1_6_and_no_header_back() -> None:
    choice = choose_subprotocol([])
    assert choice is not None
    assert choice.version == "ocpp1.6"
    assert spelling_to_answer([], choice.header) is None


@pytest.mark.parametrize("offered", [["ocpp1.5"], ["ocpp2.0"], ["soap", "chat"], [""]])
def test_only_unknown_versions(offered: list[str]) -> None:
    assert choose_subprotocol(offered) is None


def test_a_server_may_support_fewer_versions() -> None:
    choice = choose_subprotocol(["ocpp2.1", "ocpp1.6"], supported=("ocpp1.6",))
    assert choice is not None
    assert choice.version == "ocpp1.6"


def test_repairs_lead_to_versions_that_exist() -> None:
    assert set(REPAIRED_SPELLINGS.values()) <= set(SERVER_PREFERENCE)
    assert all(spelling == spelling.lower() for spelling in REPAIRED_SPELLINGS)
