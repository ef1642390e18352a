"""Handlers: who decides on which message, and what they add to it."""

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from pilotwire.domain.access.model import Token, TokenPresented, TokenStatus, TokenVerdict
from pilotwire.domain.lookups import TokenLookup
from pilotwire.domain.sessions.decide import SessionsView
from pilotwire.domain.sessions.messages import Phase, SamplesReported, SessionEvent
from pilotwire.domain.stations.answers import DataAnswer, TimeAnswer
from pilotwire.domain.stations.decide import BootPolicy
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    DataTransferred,
    HeartbeatReceived,
    ReportReceived,
)
from pilotwire.domain.stations.model import Admission, ConnectorStatus, StationRecord
from pilotwire.domain.stations.records import ConnectorStatusChanged
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.codec import v2, v16
from pilotwire.ocpp.handlers import Context, handle
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.handlers.data_transfer import VendorRegistry
from pilotwire.ocpp.handlers.routing import HANDLERS
from pilotwire.ocpp.tokens import TokenCache

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Edge:
    """One station with everything in memory."""

    def __init__(self, *tokens: Token) -> None:
        ids, numbers = count(1), count(1001)
        self.cache = TokenCache()
        for token in tokens:
            self.cache.keep(1, token.uid, token, as_of=0)
        self.vendors = VendorRegistry()
        services = Services(
            boot_policy=BootPolicy(),
            tokens=self.cache,
            vendors=self.vendors,
            new_session_id=lambda: UUID(int=next(ids)),
            next_transaction_number=lambda: next(numbers),
            maximum_power_w=22_000,
        )
        record = StationRecord(
            5, 1, "CP5", Admission.ACCEPTED, b"", None, 1, None, "", "", "", {}, enrolled=False
        )
        sessions = SessionsView()
        sessions.complete = True
        self.context = Context(services, StationView(record), sessions, NOW)

    def says(self, message: Any) -> tuple[Any, list[Any]]:
        return handle(self.context, message)


def test_every_meaning_of_a_message_has_a_handler() -> None:
    names = {kind.__name__ for kind in HANDLERS}
    assert names == {
        "StationBooted", "HeartbeatReceived", "ConnectorStatusReported", "SecurityEventReported", "FirmwareProgressed",
        "LogProgressed", "ReportReceived", "DataTransferred", "TokenPresented", "SessionEvent", "SamplesReported",
        "CertificateRequested", "CertificateStatusAsked",
    }  # fmt: skip
    assert v16.INBOUND
    assert v2.INBOUND


def test_a_heartbeat_is_answered_with_the_time_and_leaves_nothing() -> None:
    assert Edge().says(HeartbeatReceived()) == (TimeAnswer(NOW), [])


def test_a_token_is_judged_and_one_that_was_not_read_is_asked_for() -> None:
    edge = Edge(Token("CARD", TokenStatus.ACCEPTED, None, None))
    assert edge.says(TokenPresented("card"))[0].verdict is TokenVerdict.ACCEPTED
    with pytest.raises(TokenLookup):
        edge.says(TokenPresented("other"))


def test_no_token_and_an_unchecked_certificate_open_nothing() -> None:
    edge = Edge(Token("CARD", TokenStatus.ACCEPTED, None, None))
    assert edge.says(TokenPresented(""))[0].verdict is TokenVerdict.INVALID
    assert edge.says(TokenPresented("CARD", certified=True))[0].verdict is TokenVerdict.INVALID


def test_a_session_is_not_touched_before_its_token_is_known() -> None:
    edge = Edge()
    with pytest.raises(TokenLookup):
        edge.says(SessionEvent(Phase.STARTED, None, NOW, None, 1, 1, "CARD"))
    assert edge.context.sessions.by_ref == {}


def test_a_session_event_without_a_token_needs_none() -> None:
    answer, records = Edge().says(SessionEvent(Phase.STARTED, "t", NOW, 0, evse_no=1))
    assert (answer.transaction_ref, answer.token) == ("t", None)
    assert records[0].facts.token_verdict is None


def test_the_session_says_what_an_occupied_connector_does() -> None:
    edge = Edge()
    edge.says(ConnectorStatusReported(1, 1, ConnectorStatus.OCCUPIED, "Occupied", NOW))
    _, records = edge.says(SessionEvent(Phase.STARTED, "t", NOW, 0, 1, 1, charging_state="Charging"))
    (changed,) = [record for record in records if isinstance(record, ConnectorStatusChanged)]
    assert changed.status == "charging"
    _, records = edge.says(SessionEvent(Phase.ENDED, "t", NOW, 1))
    (changed,) = [record for record in records if isinstance(record, ConnectorStatusChanged)]
    assert changed.status == "occupied"


def test_a_late_event_does_not_move_the_connector() -> None:
    edge = Edge()
    edge.says(ConnectorStatusReported(1, 1, ConnectorStatus.OCCUPIED, "Occupied", NOW))
    edge.says(SessionEvent(Phase.ENDED, "t", NOW, 2, 1, 1))
    _, records = edge.says(SessionEvent(Phase.UPDATED, "t", NOW, 1, 1, 1, charging_state="Charging"))
    assert not [record for record in records if isinstance(record, ConnectorStatusChanged)]


def test_samples_are_acknowledged() -> None:
    answer, records = Edge().says(SamplesReported(1, 1, None, ()))
    assert (type(answer).__name__, records) == ("Acknowledged", [])


def test_a_report_is_kept_without_secrets() -> None:
    secret = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    report = {"reportData": [{**secret, "variableAttribute": [{"value": "c4n4ry"}]}], "seqNo": 0}
    answer, (kept,) = Edge().says(ReportReceived("NotifyReport", json.dumps(report).encode()))
    assert answer.kind == "NotifyReport"
    assert "c4n4ry" not in kept.content
    assert json.loads(kept.content)["seqNo"] == 0


def test_a_vendors_message_goes_to_its_handler() -> None:
    edge = Edge()
    assert edge.says(DataTransferred("org.example", "m", None))[0].status == "unknown_vendor"
    edge.vendors.register("org.example", "m", lambda station, message: DataAnswer("accepted", message.data))
    assert edge.says(DataTransferred("org.example", "m", "x"))[0] == DataAnswer("accepted", "x")
    assert edge.says(DataTransferred("org.example", "n", "x"))[0].status == "unknown_message"
    edge.vendors.register("org.example", "", lambda station, message: DataAnswer("rejected"))
    assert edge.says(DataTransferred("org.example", "n", "x"))[0].status == "rejected"
