"""Names of variables, and the table of 1.6 keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.configuration.keys import KEYS, find_key, key_of, variable_of
from pilotwire.domain.configuration.model import Variable, is_secret, read_name

WORD = st.text("abcXYZ019-_ .:", min_size=1, max_size=12).map(str.strip).filter(bool)
BLANK_OR_WORD = st.just("") | WORD
NUMBER = st.integers(0, 99)


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    evse = draw(NUMBER)
    return Variable(
        draw(WORD), draw(WORD), draw(BLANK_OR_WORD), draw(BLANK_OR_WORD), evse, draw(NUMBER) if evse else 0
    )


@given(variables())
def test_a_name_is_read_as_it_is_written(variable: Variable) -> None:
    assert read_name(variable.name) == variable


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("HeartbeatInterval", Variable("HeartbeatInterval")),
        ("OCPPCommCtrlr/HeartbeatInterval", Variable("HeartbeatInterval", "OCPPCommCtrlr")),
        ("Connector#1.2/ConnectorType", Variable("ConnectorType", "Connector", evse_id=1, connector_id=2)),
        (
            "OCPPCommCtrlr/MessageAttempts[TransactionEvent]",
            Variable("MessageAttempts", "OCPPCommCtrlr", variable_instance="TransactionEvent"),
        ),
        ("Fan[left]#3/Speed", Variable("Speed", "Fan", "left", evse_id=3)),
        ("vendor/with/slashes", Variable("vendor/with/slashes")),
        ("odd[", Variable("odd[")),
    ],
)
def test_names_as_people_write_them(name: str, variable: Variable) -> None:
    assert read_name(name) == variable
    assert variable.name == name


def test_letter_case_does_not_matter() -> None:
    assert read_name("ocppCOMMctrlr/heartbeatINTERVAL").path == variable_of("heartbeatinterval").path


def test_the_table_of_keys_has_no_two_meanings() -> None:
    assert len({key.key.casefold() for key in KEYS}) == len(KEYS)
    assert len({key.variable.path for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert key.variable.component, key.key
        assert key_of(key.variable) == key.key
        assert variable_of(key.key.upper()) == key.variable


def test_a_key_without_a_standard_name_stays_as_it_is() -> None:
    assert variable_of("FreeMode") == Variable("FreeMode")
    assert key_of(Variable("FreeMode")) == "FreeMode"
    assert key_of(Variable("Speed", "Fan")) is None
    assert find_key("FreeMode") is None


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("AuthorizationKey", True),
        ("SecurityCtrlr/BasicAuthPassword", True),
        ("WifiPassphrase", True),
        ("vendor_SECRET_1", True),
        ("HeartbeatInterval", False),
        ("SecurityCtrlr/SecurityProfile", False),
        ("MasterPassGroupId", False),
    ],
)
def test_what_is_a_secret(name: str, secret: bool) -> None:
    assert is_secret(name) is secret
