"""Every message that a station may send: it has a meaning, and every answer to it fits its version's schema."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pilotwire.domain.access.model import Token, TokenAnswer, TokenPresented, TokenStatus, TokenVerdict
from pilotwire.domain.certificates.messages import CertificateAnswer, CertificateRequested
from pilotwire.domain.certificates.status import (
    CertificateStatusAnswer,
    CertificateStatusAsked,
    Revocation,
    StatusTold,
)
from pilotwire.domain.sessions.messages import Phase, SamplesReported, SessionAnswer, SessionEvent
from pilotwire.domain.stations.answers import (
    ACKNOWLEDGED,
    BootAnswer,
    DataAnswer,
    ReportAnswer,
    TimeAnswer,
)
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    DataTransferred,
    FirmwareProgressed,
    HeartbeatReceived,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
    StationBooted,
)
from pilotwire.domain.stations.model import Admission, ConnectorStatus
from pilotwire.ocpp.codec import translate, v2, v16
from pilotwire.ocpp.codec.errors import FaultKind, PayloadError, UnknownAction
from pilotwire.ocpp.codec.v2 import charging
from pilotwire.ocpp.codec.v2.reports import KEPT_AS_REPORTS
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.codec.wire import actions, direction, response_type
from pilotwire.ocpp.tokens import TokenCache
from tests.support.schema_strategies import documents, example, full_example, schemas, validator

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TABLES = {OcppVersion.V16: v16.INBOUND, OcppVersion.V201: v2.INBOUND, OcppVersion.V21: v2.INBOUND}

MEANINGS: dict[str, type] = {
    "Authorize": TokenPresented,
    "SignCertificate": CertificateRequested,
    "GetCertificateStatus": CertificateStatusAsked,
    "GetCertificateChainStatus": CertificateStatusAsked,
    "BootNotification": StationBooted,
    "DataTransfer": DataTransferred,
    "DiagnosticsStatusNotification": LogProgressed,
    "FirmwareStatusNotification": FirmwareProgressed,
    "Heartbeat": HeartbeatReceived,
    "LogStatusNotification": LogProgressed,
    "MeterValues": SamplesReported,
    "SecurityEventNotification": SecurityEventReported,
    "SignedFirmwareStatusNotification": FirmwareProgressed,
    "StartTransaction": SessionEvent,
    "StatusNotification": ConnectorStatusReported,
    "StopTransaction": SessionEvent,
    "TransactionEvent": SessionEvent,
    **dict.fromkeys(KEPT_AS_REPORTS, ReportReceived),
    **dict.fromkeys(charging.INBOUND, ReportReceived),
}


def sent_by_stations(version: OcppVersion) -> set[str]:
    return {action for action in actions(version) if direction(version, action) in ("cs", "both")}


EVERY_ACTION = [(version, action) for version in OcppVersion for action in sorted(sent_by_stations(version))]


def tokens(*known: Token) -> TokenCache:
    cache = TokenCache()
    for token in known:
        cache.keep(1, token.uid, token, as_of=0)
    return cache


def read(version: OcppVersion, action: str, document: Any) -> translate.Incoming:
    return translate.read(version, action, json.dumps(document).encode(), NOW)


def official(version: OcppVersion, action: str, answer: bytes) -> Any:
    """The answer as plain JSON, after the official schema has accepted it."""
    name = f"{action}Response"
    plain = json.loads(answer)
    validator(version.value, name).validate(plain)
    return plain


def request(version: OcppVersion, action: str, **fields: Any) -> dict[str, Any]:
    """The plainest request, with some fields set."""
    name = f"{action}Request" if f"{action}Request" in schemas(version.value) else action
    root = schemas(version.value)[name]
    return {**example(root, root), **fields}


def request_name(version: OcppVersion, action: str) -> str:
    return f"{action}Request" if f"{action}Request" in schemas(version.value) else action


# ---- the tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(OcppVersion))
def test_every_action_of_stations_has_a_meaning(version: OcppVersion) -> None:
    table = set(TABLES[version])
    assert sent_by_stations(version) <= table
    assert {action for action in table if action in actions(version)} == sent_by_stations(version)
    assert sent_by_stations(version) <= MEANINGS.keys()


def test_no_table_names_an_action_that_no_version_has() -> None:
    assert set(v16.INBOUND) == sent_by_stations(OcppVersion.V16)
    assert set(v2.INBOUND) == sent_by_stations(OcppVersion.V21) | sent_by_stations(OcppVersion.V201)


@pytest.mark.parametrize("version", list(OcppVersion))
def test_actions_of_the_management_system_are_refused_as_such(version: OcppVersion) -> None:
    ours = actions(version) - sent_by_stations(version)
    assert ours
    for action in ours:
        with pytest.raises(translate.NotFromStation) as caught:
            translate.read(version, action, b"{}", NOW)
        assert caught.value.kind is FaultKind.NOT_SUPPORTED


@pytest.mark.parametrize("version", list(OcppVersion))
def test_unknown_actions_are_refused_as_such(version: OcppVersion) -> None:
    for action in (
        "Nonsense",
        "heartbeat",
        "StartTransaction" if version is not OcppVersion.V16 else "NotifyReport",
    ):
        with pytest.raises(UnknownAction):
            translate.read(version, action, b"{}", NOW)


def test_actions_that_came_with_2_1_are_unknown_to_2_0_1() -> None:
    newer = sent_by_stations(OcppVersion.V21) - sent_by_stations(OcppVersion.V201)
    assert "BatterySwap" in newer
    for action in newer:
        with pytest.raises(UnknownAction):
            translate.read(OcppVersion.V201, action, b"{}", NOW)


# ---- meaning and answer of every action --------------------------------------------------------------------


def answers_to(message: Any) -> list[Any]:
    """Every kind of answer that the domain may give."""
    verdicts = [
        TokenAnswer(verdict, group, until)
        for verdict, group, until in product(
            TokenVerdict, (None, "GROUP", "g" * 21, "g" * 37), (None, NOW + timedelta(days=1))
        )
    ]
    match message:
        case StationBooted():
            return [
                BootAnswer(admission, NOW, seconds) for admission in Admission for seconds in (1, 300, 86400)
            ]
        case HeartbeatReceived():
            return [TimeAnswer(NOW), TimeAnswer(NOW.replace(microsecond=0))]
        case TokenPresented():
            return verdicts
        case SessionEvent():
            ref = message.transaction_ref or "2147483647"
            return [SessionAnswer(ref, token) for token in (None, *verdicts)]
        case DataTransferred():
            return [
                DataAnswer(status, data)
                for status in ("accepted", "rejected", "unknown_vendor", "unknown_message")
                for data in (None, "", "text")
            ]
        case CertificateRequested():
            return [CertificateAnswer(True), CertificateAnswer(False, "the reason" * 100)]
        case CertificateStatusAsked(asked=asked):
            told = [StatusTold(each, b"x" * 100, NOW, "") for each in Revocation]
            told += [
                StatusTold(Revocation.FAILED, reason="the reason" * 100),
                StatusTold(Revocation.GOOD, b"x" * 5000),
            ]
            return [CertificateStatusAnswer((each,) * len(asked)) for each in told]
        case ReportReceived():
            return [ReportAnswer(message.kind)]
    return [ACKNOWLEDGED]


@pytest.mark.parametrize(("version", "action"), EVERY_ACTION)
@pytest.mark.parametrize("size", ["plain", "full"])
def test_every_answer_to_every_message_fits_the_schema(version: OcppVersion, action: str, size: str) -> None:
    name = request_name(version, action)
    document = full_example(version.value, name) if size == "full" else request(version, action)
    incoming = read(version, action, document)
    assert type(incoming.message) is MEANINGS[action]
    for answer in answers_to(incoming.message):
        text = incoming.answer(answer)
        try:
            response_type(version, action)
        except UnknownAction:
            continue  # a message that is never answered
        official(version, action, text)


@pytest.mark.parametrize(("version", "action"), EVERY_ACTION)
def test_whatever_the_schema_accepts_is_read_and_answered(version: OcppVersion, action: str) -> None:
    name = request_name(version, action)
    oracle = validator(version.value, name)

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(documents(version.value, name))
    def check(document: Any) -> None:
        if not oracle.is_valid(document):
            return
        try:
            incoming = read(version, action, document)
        except PayloadError as refused:
            if "32 bits" not in str(refused):  # what the database cannot hold
                raise
            return
        answer = answers_to(incoming.message)[0]
        text = incoming.answer(answer)
        if f"{action}Response" in schemas(version.value):
            official(version, action, text)

    check()


# ---- single messages ---------------------------------------------------------------------------------------

BOTH_2 = [OcppVersion.V201, OcppVersion.V21]


@pytest.mark.parametrize("version", BOTH_2)
def test_a_boot_of_2x(version: OcppVersion) -> None:
    station = {
        "vendorName": " Acme ", "model": "M1", "serialNumber": "S1", "firmwareVersion": "1.0",
        "modem": {"iccid": "89", "imsi": "26"},
    }  # fmt: skip
    message = read(version, "BootNotification", {"reason": "PowerUp", "chargingStation": station}).message
    assert message == StationBooted("Acme", "M1", "S1", "1.0", "89", "26", "PowerUp")


def test_a_boot_of_1_6_takes_the_deprecated_serial_number_where_it_is_the_only_one() -> None:
    plain = {"chargePointVendor": "Acme", "chargePointModel": "M1"}
    both = {**plain, "chargePointSerialNumber": "NEW", "chargeBoxSerialNumber": "OLD"}
    one = {**plain, "chargeBoxSerialNumber": "OLD"}
    version = OcppVersion.V16
    assert read(version, "BootNotification", both).message.serial_number == "NEW"
    assert read(version, "BootNotification", one).message.serial_number == "OLD"
    assert read(version, "BootNotification", plain).message.serial_number == ""


@pytest.mark.parametrize(("connector_id", "key"), [(0, (0, 0)), (1, (1, 1)), (3, (3, 1)), (-1, (0, 0))])
def test_connector_n_of_1_6_is_connector_1_of_evse_n(connector_id: int, key: tuple[int, int]) -> None:
    document = {
        "connectorId": connector_id,
        "errorCode": "GroundFailure",
        "status": "Faulted",
        "vendorErrorCode": "E7",
    }
    message = read(OcppVersion.V16, "StatusNotification", document).message
    assert (message.evse_no, message.connector_no) == key
    assert (message.status, message.error_code, message.info) == (
        ConnectorStatus.FAULTED,
        "GroundFailure",
        "E7",
    )


def test_every_status_of_every_version_is_known() -> None:
    for version, field, ids in (
        (OcppVersion.V16, "status", {"connectorId": 1, "errorCode": "NoError"}),
        (
            OcppVersion.V201,
            "connectorStatus",
            {"evseId": 1, "connectorId": 1, "timestamp": "2026-01-01T00:00:00Z"},
        ),
        (
            OcppVersion.V21,
            "connectorStatus",
            {"evseId": 1, "connectorId": 1, "timestamp": "2026-01-01T00:00:00Z"},
        ),
    ):
        root = schemas(version.value)[request_name(version, "StatusNotification")]
        shape = root["properties"][field]
        values = shape.get("enum") or root["definitions"]["ConnectorStatusEnumType"]["enum"]
        for value in values:
            message = read(version, "StatusNotification", {**ids, field: value}).message
            assert message.reported_status == value
            assert message.status.value.replace("_", "") == value.lower()


def test_a_start_of_1_6() -> None:
    document = {
        "connectorId": 2, "idTag": "CARD", "meterStart": 1500, "timestamp": "2026-03-01T12:00:00Z", "reservationId": 4
    }  # fmt: skip
    message = read(OcppVersion.V16, "StartTransaction", document).message
    assert message.phase is Phase.STARTED
    assert message.transaction_ref is None
    assert (message.evse_no, message.connector_no, message.token_uid) == (2, 1, "CARD")
    assert (message.meter_wh, message.reservation_id) == (Decimal(1500), 4)


@pytest.mark.parametrize("value", [0, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)])
def test_numbers_that_name_no_transaction(value: int) -> None:
    taken = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]
    document = {"connectorId": 1, "transactionId": value, "meterValue": taken}
    incoming = read(OcppVersion.V16, "MeterValues", document)
    assert incoming.message.transaction_ref is None
    assert incoming.notes == ["meter_values_without_transaction"]


def test_signed_data_of_1_6_are_no_number_and_no_fault() -> None:
    value = {"value": "4F434D467C", "format": "SignedData", "measurand": "Energy.Active.Import.Register"}
    taken = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": "100"}, value]}]
    incoming = read(OcppVersion.V16, "MeterValues", {"connectorId": 1, "meterValue": taken})
    (found,) = incoming.message.samples
    assert incoming.notes == []
    assert found.energy_wh == 100
    assert "4F434D467C" in found.other


@pytest.mark.parametrize("version", BOTH_2)
def test_an_event_of_2x(version: OcppVersion) -> None:
    document = {
        "eventType": "Ended", "timestamp": "2026-03-01T12:00:00Z", "triggerReason": "StopAuthorized", "seqNo": 7,
        "offline": True, "reservationId": 3, "evse": {"id": 2, "connectorId": 1},
        "idToken": {"idToken": "CARD", "type": "ISO14443"},
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "EVConnected", "remoteStartId": 9},
        "meterValue": [
            {
                "timestamp": "2026-03-01T12:00:00Z",
                "sampledValue": [
                    {
                        "value": 1.5, "unitOfMeasure": {"unit": "kWh", "multiplier": 1}, "context": "Transaction.End",
                        "signedMeterValue": {
                            "signedMeterData": "QUJD", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "",
                        },
                    }
                ],
            }
        ],
    }  # fmt: skip
    message = read(version, "TransactionEvent", document).message
    assert (message.phase, message.transaction_ref, message.seq_no) == (Phase.ENDED, "tx-1", 7)
    assert (message.evse_no, message.connector_no, message.token_uid) == (2, 1, "CARD")
    assert (message.offline, message.reservation_id, message.remote_start_id) == (True, 3, 9)
    # E06.FR.08: without a reason it is Local.
    assert (message.stop_reason, message.charging_state) == ("Local", "EVConnected")
    (found,) = message.samples
    assert (found.energy_wh, found.context) == (15_000, "Transaction.End")
    assert "QUJD" in found.other


@pytest.mark.parametrize("version", BOTH_2)
def test_a_start_button_is_no_token(version: OcppVersion) -> None:
    document = request(version, "TransactionEvent", idToken={"idToken": "", "type": "NoAuthorization"})
    assert read(version, "TransactionEvent", document).message.token_uid is None


@pytest.mark.parametrize(
    ("version", "action", "fields"),
    [
        (OcppVersion.V16, "StatusNotification", {"connectorId": 2**40}),
        (OcppVersion.V16, "StartTransaction", {"connectorId": 2**31}),
        (OcppVersion.V16, "MeterValues", {"connectorId": -(2**31)}),
        (OcppVersion.V21, "StatusNotification", {"evseId": 2**40}),
        (OcppVersion.V21, "TransactionEvent", {"seqNo": 2**31}),
        (OcppVersion.V201, "MeterValues", {"evseId": 2**31}),
        (OcppVersion.V201, "ReservationStatusUpdate", {"reservationId": 2**31}),
        (OcppVersion.V201, "NotifyReport", {"requestId": -(2**31)}),
        (OcppVersion.V21, "NotifyMonitoringReport", {"requestId": 2**40}),
    ],
)
def test_numbers_that_the_database_cannot_hold_are_refused(
    version: OcppVersion, action: str, fields: dict[str, int]
) -> None:
    with pytest.raises(PayloadError) as caught:
        read(version, action, request(version, action, **fields))
    assert caught.value.code(version) == "PropertyConstraintViolation"


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201, OcppVersion.V21])
@pytest.mark.parametrize("action", ["LogStatusNotification", "SignedFirmwareStatusNotification"])
def test_a_request_that_nobody_can_have_made_is_left_out(version: OcppVersion, action: str) -> None:
    if version is not OcppVersion.V16:
        action = action.removeprefix("Signed")
    incoming = read(version, action, request(version, action, requestId=2**31))
    assert incoming.message.request_id is None
    assert incoming.notes == ["number_too_large"]


def test_a_reservation_or_register_that_nobody_can_have_is_left_out() -> None:
    document = request(OcppVersion.V16, "StartTransaction", reservationId=2**40, meterStart=2**62)
    incoming = read(OcppVersion.V16, "StartTransaction", document)
    assert (incoming.message.reservation_id, incoming.message.meter_wh) == (None, None)
    assert sorted(incoming.notes) == ["meter_value_not_a_number", "number_too_large"]
    document = request(OcppVersion.V16, "StopTransaction", meterStop=-(2**62))
    assert read(OcppVersion.V16, "StopTransaction", document).message.meter_wh is None


@pytest.mark.parametrize("status", list(TokenStatus))
def test_a_verdict_is_spelt_in_every_version(status: TokenStatus) -> None:
    cache = tokens(Token("CARD", status, "GROUP", None))
    known = cache.find(1, "card")
    assert known is not None
    for version, idtag in (
        (OcppVersion.V16, {"idTag": "CARD"}),
        (OcppVersion.V201, {"idToken": {"idToken": "CARD", "type": "ISO14443"}}),
        (OcppVersion.V21, {"idToken": {"idToken": "CARD", "type": "ISO14443"}}),
    ):
        incoming = read(version, "Authorize", idtag)
        answer = official(
            version, "Authorize", incoming.answer(TokenAnswer(TokenVerdict(status.value), "GROUP"))
        )
        info = answer["idTagInfo" if version is OcppVersion.V16 else "idTokenInfo"]
        assert info["status"] == status.value.title()


def test_times_are_answered_in_utc_with_a_z() -> None:
    for version in OcppVersion:
        boot = read(version, "BootNotification", request(version, "BootNotification"))
        answered = official(
            version, "BootNotification", boot.answer(BootAnswer(Admission.ACCEPTED, NOW, 300))
        )
        assert answered["currentTime"] == "2026-03-01T12:00:00.123Z"
        beat = official(version, "Heartbeat", read(version, "Heartbeat", {}).answer(TimeAnswer(NOW)))
        assert beat["currentTime"] == "2026-03-01T12:00:00.123Z"
