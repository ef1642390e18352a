import pytest

from pilotwire.ocpp.codec.errors import CALL_ERROR_CODES, FaultKind, PayloadError, call_error_code
from pilotwire.ocpp.codec.version import OcppVersion

# Spec: OCPP-J 1.6 4.2.3 table 7.
VALID_16 = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}
# Spec: OCPP 2.0.1 and 2.1 part 4, 4.3.
VALID_2 = {
    "FormatViolation",
    "GenericError",
    "InternalError",
    "MessageTypeNotSupported",
    "NotImplemented",
    "NotSupported",
    "OccurrenceConstraintViolation",
    "PropertyConstraintViolation",
    "ProtocolError",
    "RpcFrameworkError",
    "SecurityError",
    "TypeConstraintViolation",
}


@pytest.mark.parametrize("version", OcppVersion)
def test_every_fault_has_a_code_that_the_version_knows(version: OcppVersion) -> None:
    valid = VALID_16 if version is OcppVersion.V16 else VALID_2
    assert CALL_ERROR_CODES[version].keys() == set(FaultKind)
    assert {call_error_code(kind, version) for kind in FaultKind} <= valid


def test_an_error_says_where_and_what() -> None:
    assert str(PayloadError(FaultKind.TYPE, "a.b", "Expected `int`")) == "a.b: Expected `int`"
    assert str(PayloadError(FaultKind.MALFORMED, "", "not valid JSON")) == "not valid JSON"


@pytest.mark.parametrize(
    ("version", "name"),
    [(OcppVersion.V16, "ocpp1.6"), (OcppVersion.V201, "ocpp2.0.1"), (OcppVersion.V21, "ocpp2.1")],
)
def test_the_subprotocol_is_spelt_as_registered(version: OcppVersion, name: str) -> None:
    assert version.subprotocol == name
    assert {version: 1}[OcppVersion(name.removeprefix("ocpp"))] == 1
